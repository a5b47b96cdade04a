"""A refit on a keeper's own data: judged on its last half-years, refused where they are too few, whole or not there."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from conftest import BEGIN, HOURS
from tillerml import artefact, challenger, check, folds, guards, refit, trees

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENDS = BEGIN + 3_600 * HOURS


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(trees, "POINT_ROUNDS", 30)
    monkeypatch.setattr(trees, "SCALE_ROUNDS", 10)
    monkeypatch.setattr(trees, "POINT", {**trees.POINT, "min_child_weight": 20})
    monkeypatch.setattr(challenger, "FOLD_DAYS", 60)
    monkeypatch.setattr(challenger, "LEAST_TRAIN", 1_000)
    # A toy curve tells its next hour nearly whole.
    monkeypatch.setattr(guards, "MOST_SKILL", 0.99)


def test_folds_before_a_moment_follow_each_other_and_end_there():
    found = folds.before(ENDS, 3, 60)
    assert [one.test_to for one in found] == [found[1].test_from, found[2].test_from, ENDS]
    assert {one.test_to - one.test_from for one in found} == {60 * 86_400}
    assert found[2].name == "2023-04-17"


def test_it_is_judged_on_the_last_half_years_up_to_the_last_target_that_is_known(rows, few):
    shown = challenger.judged_on(rows)
    assert len(shown) == 4
    week = rows.times[rows.scoreable(3)]
    assert shown[-1].test_to == week.max() + 3_600
    for fold in shown:
        assert len(folds.training_rows(rows, 3, fold.test_from, refit.THIN)) >= 1_000
        assert len(folds.test_rows(rows, 3, fold)) >= 1_000


def test_folds_without_enough_before_them_are_left_out(rows, few, monkeypatch):
    monkeypatch.setattr(challenger, "LEAST_TRAIN", 1_800)
    assert len(challenger.judged_on(rows)) == 3


def test_too_little_history_is_refused(rows, few, monkeypatch):
    monkeypatch.setattr(challenger, "LEAST_TRAIN", 3_000)
    with pytest.raises(challenger.TooLittleHistory, match="1 half-years .* 3000 rows"):
        challenger.judged_on(rows)
    nothing = dataclasses.replace(rows, scored=np.zeros_like(rows.scored))
    with pytest.raises(challenger.TooLittleHistory, match="0 half-years"):
        challenger.judged_on(nothing)


def test_series_of_other_names_are_scored_where_none_has_a_known_one(rows):
    others = dataclasses.replace(rows, scored=np.zeros_like(rows.scored))
    assert challenger.scored_or_all(others).scored.all()
    half = dataclasses.replace(rows, scored=rows.series_of == 0)
    assert challenger.scored_or_all(half) is half


def test_a_refit_is_a_served_model_of_all_the_data_with_the_scores_of_its_folds(rows, few, tmp_path):
    scored = challenger.write(rows, tmp_path / "refit-2023-06-10-0a1b2c3d")
    card = json.loads((tmp_path / "refit-2023-06-10-0a1b2c3d" / "card.json").read_text())
    assert (card["name"], card["role"]) == ("refit-2023-06-10-0a1b2c3d", "served")
    assert card["trainWindow"]["to"] > rows.times.max() - refit.THIN * 3_600
    assert card["servedHorizonsHours"] == scored["servedHorizonsHours"]
    shown = [one.name for one in challenger.judged_on(rows)]
    assert card["marks"]["over"] == shown
    # The persistence of each fold, from the rows themselves.
    for one in card["scores"]:
        fold = challenger.judged_on(rows)[shown.index(one["fold"])]
        horizon = (1, 4, 24, 168).index(one["horizonHours"])
        k = folds.test_rows(rows, horizon, fold)
        assert one["persistence"] == pytest.approx(np.abs(rows.y[k, horizon] - rows.apr[k]).mean())
    artefact.verify(tmp_path / "refit-2023-06-10-0a1b2c3d")


def test_a_refit_whose_trees_learn_from_shuffled_targets_is_not_written(rows, few, tmp_path, monkeypatch):
    def sees(*_):
        guards.refuse_skill_on_noise(0.5)

    monkeypatch.setattr(check, "refuse_if_noise_teaches", sees)
    with pytest.raises(guards.LeakFound):
        challenger.write(rows, tmp_path / "refit")
    assert not (tmp_path / "refit").exists()


def test_a_refit_too_good_to_be_true_is_not_written(rows, few, tmp_path, monkeypatch):
    monkeypatch.setattr(guards, "MOST_SKILL", 0.0)
    with pytest.raises(guards.LeakFound, match="XGBoost"):
        challenger.write(rows, tmp_path / "refit")
    assert not (tmp_path / "refit").exists()


def run(*args, stdin=subprocess.DEVNULL):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "ml")}
    command = [sys.executable, "-m", "tillerml", "refit", *map(str, args)]
    return subprocess.Popen(command, env=env, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_command_refuses_with_its_own_status_and_says_why(folder, tmp_path):
    child = run(folder, "--out", tmp_path / "refit")
    _, said = child.communicate(timeout=100)
    assert child.returncode == 3
    assert said.splitlines()[-1].startswith("0 half-years of this data")
    assert not (tmp_path / "refit").exists()


def test_the_command_ends_with_whoever_holds_its_standard_input(folder, tmp_path):
    child = run(folder, "--out", tmp_path / "refit", "--while-stdin", stdin=subprocess.PIPE)
    child.stdin.close()
    assert child.wait(timeout=100) == 1
    assert "half-years" not in child.stderr.read()
