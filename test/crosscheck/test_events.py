"""Events of reserves and of prices: labels, frequencies of the past and scores are those of TypeScript, which scores what is served."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ml"))

from tillerml import dataset, pegs, risk, riskfit, scores  # noqa: E402

EVENTS = (*risk.EVENTS, *pegs.EVENTS)
NAMES = [event.name for event in EVENTS]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The rows that may be used, the split, and what TypeScript said of them, all by event."""
    out = tmp_path_factory.mktemp("events") / "set"
    command = ["node", "-r", "tsx/cjs", "test/crosscheck/writeEvents.ts", str(out)]
    said = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    rows, prices = dataset.usable(dataset.load(out)), pegs.load(out)
    of = {event.name: prices if event in pegs.EVENTS else rows for event in EVENTS}
    return of, said["split"], {one["event"]: one for one in said["events"]}


def event_of(name):
    return next(event for event in EVENTS if event.name == name)


def of_all_hours(rows, said, field):
    """[N] what TypeScript says of every hour of the matrices, in their order."""
    assert [one["name"] for one in said["series"]] == [one.name for one in rows.of.series]
    assert [one["from"] for one in said["series"]] == [int(rows.of.times[one.begin]) for one in rows.of.series]
    return np.concatenate([one[field] for one in said["series"]])


def split_rows(rows, event, split):
    """Rows that frequencies are counted in, and those after the split, as folds have them."""
    happens, asked, quiet = risk.labels(rows, event)
    past = risk.training_rows(rows, event, asked, split)
    after = np.flatnonzero(asked & rows.fresh & (rows.times >= split) & (rows.times // 3_600 % risk.THIN == 0))
    return happens, quiet, past, after


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_those_of_typescript(written, name):
    rows, _, said = written[0][name], *written[1:]
    happens, asked, quiet = risk.labels(rows, event_of(name))
    usable = np.zeros(len(rows.of.times), dtype=bool)
    usable[rows.index] = True
    np.testing.assert_array_equal(of_all_hours(rows, said[name], "usable"), usable)
    np.testing.assert_array_equal(of_all_hours(rows, said[name], "fresh")[rows.index], rows.fresh)
    np.testing.assert_array_equal(of_all_hours(rows, said[name], "asked")[rows.index], asked)
    # What is not asked has no label that counts.
    np.testing.assert_array_equal(of_all_hours(rows, said[name], "happens")[rows.index][asked], happens[asked])
    np.testing.assert_array_equal(of_all_hours(rows, said[name], "quiet")[rows.index], quiet)
    rule = of_all_hours(rows, said[name], "rule")[rows.index].astype(np.float32)
    np.testing.assert_array_equal(rule, risk.rule_column(rows, event_of(name)))
    assert 50 < happens[asked].sum() < 0.9 * asked.sum()
    assert not rows.fresh.all()
    assert not asked.all()
    # Of a price every hour may be used.
    assert usable.all() == (name == "depeg-24h")


@pytest.mark.parametrize("name", NAMES)
def test_frequencies_of_the_past_are_those_of_typescript(written, name):
    rows, split, said = written[0][name], *written[1:]
    event = event_of(name)
    happens, _, past, after = split_rows(rows, event, split)
    found = said[name]["scored"]
    assert found["past"] == len(past)
    np.testing.assert_array_equal(found["at"], rows.times[after])
    np.testing.assert_array_equal(found["series"], rows.series_of[after])
    np.testing.assert_allclose(found["climatology"], risk.climatology(rows, past, happens, after), rtol=1e-12)
    table = risk.one_column(risk.rule_column(rows, event), past, happens, after)
    np.testing.assert_allclose(found["table"], table, rtol=1e-12)
    assert len(np.unique(table)) > 5


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_those_of_typescript(written, name):
    rows, split, said = written[0][name], *written[1:]
    event = event_of(name)
    happens, quiet, past, after = split_rows(rows, event, split)
    found = said[name]["scored"]
    score = found["score"]
    usual = risk.climatology(rows, past, happens, after)
    model = np.array(found["model"])
    truth = happens[after]
    table = risk.one_column(risk.rule_column(rows, event), past, happens, after)
    for mine, p in ((score["model"], model), (score["table"], table), (score["climatology"], usual)):
        assert mine["prAuc"] == pytest.approx(scores.pr_auc(truth, p), rel=1e-12)
        assert mine["brierSkill"] == pytest.approx(scores.brier_skill(truth, p, usual), abs=1e-12)
    assert score["rule"]["prAuc"] == pytest.approx(
        scores.pr_auc(truth, risk.rule_column(rows, event)[after].astype(float)), rel=1e-12
    )
    kept = quiet[after]
    assert score["declustered"]["n"] == kept.sum()
    assert score["declustered"]["model"]["brierSkill"] == pytest.approx(
        scores.brier_skill(truth[kept], model[kept], usual[kept]), abs=1e-12
    )
    assert score["events"] == risk.onsets(rows, after, happens)
    for mine, theirs in zip(score["model"]["reliability"], scores.reliability(truth, model, riskfit.BINS), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-12)
    high = riskfit._recall(truth, model)
    assert {key: score["classes"]["high"][key] for key in high} == pytest.approx(high, rel=1e-12)
