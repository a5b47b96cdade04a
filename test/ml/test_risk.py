"""Events, who is asked about them, and calibration."""

import dataclasses

import numpy as np
import pytest
from conftest import BEGIN, HOURS
from tillerml import folds, readme, risk, riskfit

SOON = risk.Event("exit", "utilisation", 24, risk.ILLIQUID)
FOLD = folds.Fold("test", BEGIN + 3_600 * 6_000, BEGIN + 3_600 * HOURS)


def with_utilisation(rows, values):
    """The first series with another utilisation, at the rows that are used and in the matrices."""
    features = np.array(rows.of.features)
    features[: len(values), rows.of.column("utilisation")] = values
    return dataclasses.replace(rows, of=dataclasses.replace(rows.of, features=features))


@pytest.fixture(scope="module")
def spiked(rows):
    values = np.full(HOURS, 0.8)
    values[500:503] = 0.97
    return with_utilisation(rows, values)


def test_an_event_is_strictly_after_the_row(spiked):
    happens, _, _ = risk.labels(spiked, SOON)
    at = np.flatnonzero(happens & (spiked.index < HOURS))
    # The last row that sees it is the hour before its last one; that one itself sees nothing any more.
    assert spiked.index[at].tolist() == list(range(500 - 24, 502))


def test_rows_are_not_asked_while_the_event_is_on_and_are_clustered_for_a_day_after(spiked):
    _, asked, quiet = risk.labels(spiked, SOON)
    early = spiked.index < 2_000
    assert spiked.index[~asked & early].tolist() == [500, 501, 502]
    assert spiked.index[~quiet & early].tolist() == list(range(500, 503 + risk.QUIET_HOURS))


def test_rows_whose_hours_are_not_over_are_not_asked(spiked):
    _, asked, _ = risk.labels(spiked, SOON)
    assert not asked[spiked.index == HOURS - 24].any()
    assert asked[spiked.index == HOURS - 25].all()


def test_a_collapse_is_a_mean_under_half_of_the_rate_now(rows):
    happens, _, _ = risk.labels(rows, risk.EVENTS[0])
    halved = dataclasses.replace(rows, apr=rows.apr * 0 + 0.05, y=np.where(np.isfinite(rows.y), 0.0249, np.nan))
    risen = dataclasses.replace(halved, y=halved.y + 0.0002)
    known = np.isfinite(rows.y[:, 3])
    assert happens.mean() < 0.1
    assert risk.labels(halved, risk.EVENTS[0])[0][known].all()
    assert not risk.labels(risen, risk.EVENTS[0])[0].any()


def test_events_that_follow_within_a_day_are_one(rows):
    k = np.arange(200)
    happens = np.zeros(len(rows.times), dtype=bool)
    happens[[10, 11, 30, 100, 101]] = True
    assert risk.onsets(rows, k, happens) == 2


def test_an_event_over_the_edge_of_two_folds_is_one(rows):
    first, second = (np.flatnonzero(rows.series_of == number)[:200] for number in (0, 1))
    happens = np.zeros(len(rows.times), dtype=bool)
    happens[[*first[95:105], *second[95:105]]] = True
    by_fold = np.concatenate([first[:100], second[:100], first[100:], second[100:]])
    assert risk.onsets(rows, by_fold, happens) == 2


def test_where_none_of_the_nine_series_is_in_the_data_the_scores_and_the_heading_name_the_others(rows):
    def named(*names):
        series = tuple(dataclasses.replace(s, name=n) for s, n in zip(rows.of.series, names, strict=True))
        return dataclasses.replace(rows, of=dataclasses.replace(rows.of, series=series))

    both = named("aave-v3-usdc", "aave-v3-usde")
    assert riskfit.scored_series(both) == ["aave-v3-usdc", "aave-v3-usde"]
    assert riskfit._scored(both).all()
    one = named("aave-v3-usde", "compound-v3-usdt")
    assert riskfit.scored_series(one) == ["aave-v3-usde"]
    assert (riskfit._scored(one) == (rows.series_of == 0)).all()
    others = riskfit.scored_series(named("compound-v3-usdc", "compound-v3-usdt"))
    assert others == ["compound-v3-usdc", "compound-v3-usdt"]
    assert readme.risk_series(others) == (
        "none of the nine long series but others (compound-v3-usdc, compound-v3-usdt)"
    )
    assert readme.risk_series(sorted(riskfit.SCORED)) == "the nine long series"


def test_platts_curve_mends_margins_that_are_too_sure():
    rng = np.random.default_rng(5)
    margin = rng.normal(-2, 2, 50_000)
    happens = rng.random(50_000) < 1 / (1 + np.exp(-(0.5 * margin - 1)))
    assert risk.platt(margin, happens) == pytest.approx((0.5, -1), abs=0.05)


def test_a_table_gives_the_past_frequency_of_the_bin(rows):
    column = np.repeat([0.0, 1.0], len(rows.times) // 2 + 1)[: len(rows.times)].astype(np.float32)
    happens = np.arange(len(rows.times)) % 10 < np.where(column > 0.5, 4, 1)
    k = np.arange(len(rows.times))
    said = risk.one_column(column, k, happens, np.array([0, len(k) - 1]))
    np.testing.assert_allclose(said, [0.1, 0.4], atol=0.01)


def test_trees_never_hold_a_fuller_reserve_for_safer(rows):
    event = risk.EVENTS[2]
    happens, asked, _ = risk.labels(rows, event)
    fitted, _ = risk.fit(rows, event, risk.training_rows(rows, event, asked, FOLD.test_from), happens)
    steps = np.repeat(rows.x[3_000:3_001], 50, axis=0)
    steps[:, rows.of.column("utilisation")] = np.linspace(0.3, 0.95, 50)
    margins = risk.margins(fitted, dataclasses.replace(rows, x=steps), np.arange(50))
    assert (np.diff(margins) >= 0).all()


def test_calibration_and_table_are_the_same_whatever_comes_after_the_fold(rows):
    event = risk.EVENTS[2]
    happens, asked, _ = risk.labels(rows, event)
    k = risk.training_rows(rows, event, asked, FOLD.test_from)
    assert rows.times[k].max() + 2 * event.hours * 3_600 <= FOLD.test_from
    late = rows.times > FOLD.test_from - event.hours * 3_600
    spoilt = dataclasses.replace(rows, x=np.where(late[:, None], np.float32(9), rows.x))
    changed = np.where(late, ~happens, happens)
    np.testing.assert_array_equal(risk.fit(rows, event, k, happens)[1], risk.fit(spoilt, event, k, changed)[1])
    column = risk.rule_column(rows, event)
    for a, b in zip(risk.table(column, k, happens), risk.table(column, k, changed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_table_serves_where_trees_add_nothing_and_nothing_where_it_has_no_skill():
    def scored(mean, table):
        return {"beforeFreeze": {"models": {riskfit.MEAN: {"brierSkill": mean}, riskfit.TABLE: {"brierSkill": table}}}}

    assert riskfit.served(scored(0.2, 0.1)) == riskfit.MEAN
    assert riskfit.served(scored(0.1, 0.2)) == riskfit.TABLE
    assert riskfit.served(scored(-0.1, -0.2)) is None
