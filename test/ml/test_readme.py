"""The tables of the README: what they pool, and that those which are published are of the scores that are."""

import json

import pytest
from tillerml import __main__ as command
from tillerml import readme

SCORES = json.loads((command.HERE / "scores.json").read_text())


def test_the_published_tables_are_those_of_the_published_scores(tmp_path):
    file = tmp_path / "README.md"
    published = (command.HERE / "README.md").read_text()
    file.write_text(published)
    readme.into(file, SCORES)
    assert file.read_text() == published


def test_the_folds_on_which_settings_were_chosen_are_told_apart_from_those_after():
    assert readme.after_choosing(["2023H1", "2023H2", "2024H1", "2024H2", "2025H1"]) == ["2024H2", "2025H1"]
    part = {"horizonHours": 24, "rows": 10, "persistence": 2.0, "ewma": 1.0}
    past = [{**part, "fold": "2024H1"}, {**part, "fold": "2024H2", "rows": 30}, {**part, "fold": "2025H1", "ewma": 4.0}]
    result = {"past": {"served": {"scores": [*past, {**part, "fold": "2024H2", "horizonHours": 168, "rows": 999}]}}}
    one = {"horizonHours": 24, "folds": {"2024H1": 100.0, "2024H2": 0.5, "2025H1": 0.9}}
    # 30 rows of 0.5 · 1 and 10 of 0.9 · 2, over 40 of 2, and over 30 of 1 and 10 of 4.
    assert readme.over_folds(result, one, ["2024H2", "2025H1"]) == pytest.approx((33 / 80, 33 / 70))


def test_pooled_over_all_folds_is_what_evaluate_pooled_row_by_row():
    for one in SCORES["points"]:
        over = readme.over_folds(SCORES, one, list(one["folds"]))
        assert over == pytest.approx((one["overPersistence"], one["overEwma"]), rel=1e-9)


def test_the_table_has_no_columns_of_folds_after_where_all_shown_are():
    only = {**SCORES, "points": [{**one, "folds": {"2024H2": one["folds"]["2024H2"]}} for one in SCORES["points"]]}
    head = next(line for line in readme.markdown(only).splitlines() if line.startswith("| horizon | model | MAE |"))
    assert head == "| horizon | model | MAE | ÷ persistence | ÷ EWMA | 2024H2 |"


def test_intervals_are_named_as_they_were_made():
    said = readme.markdown({**SCORES, "blocks": "moving blocks of four weeks"})
    assert "90 % by moving blocks of four weeks." in said
    assert "disjoint" not in said
