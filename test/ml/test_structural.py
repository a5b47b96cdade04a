"""Past values of a series, its flows and its curve in force, and rates read off it."""

import dataclasses

import numpy as np
import pytest
from conftest import HOURS, _curve
from tillerml import baselines, folds, structural, trees


def changed(rows, **columns):
    """The rows with other columns of the first series."""
    features = np.array(rows.of.features)
    for name, values in columns.items():
        features[:HOURS, rows.of.column(name)] = values
    return dataclasses.replace(rows, of=dataclasses.replace(rows.of, features=features))


def test_past_values_are_of_the_series_and_of_the_hour(rows):
    k = np.flatnonzero(rows.index == HOURS + 500)
    found = baselines.past_values(rows, "apr", k, (0, 1, 168))
    features = rows.of.features[:, rows.of.column("apr")]
    assert found.tolist() == [[features[HOURS + 500 - lag] for lag in (0, 1, 168)]]


def test_before_a_series_began_it_was_as_at_its_begin_and_not_as_another_series(rows):
    k = np.flatnonzero(rows.index == HOURS + 3)
    found = baselines.past_values(rows, "apr", k, (2, 100))
    features = rows.of.features[:, rows.of.column("apr")]
    assert found.tolist() == [[features[HOURS + 1], features[HOURS]]]


def test_flows_are_what_was_borrowed_less_what_was_supplied_and_end_with_the_series(rows):
    supplied = np.log(5e7) + np.linspace(0, 1, HOURS)
    market = changed(rows, supplied=supplied)
    used = np.asarray(market.of.features[:HOURS, rows.of.column("utilisation")])
    k = np.flatnonzero((rows.index == 1_000) | (rows.index == HOURS - 24))
    found = structural.net_flows(market, k, (4, 24))
    owed = used * np.exp(supplied)
    lent = [np.log(owed[1_000 + h] / owed[1_000]) - (supplied[1_000 + h] - supplied[1_000]) for h in (4, 24)]
    assert found[0] == pytest.approx(lent)
    # The first hour of the next series is not what came.
    assert np.isfinite(found[1]).tolist() == [True, False]


def test_a_mean_over_the_horizon_goes_straight_from_state_to_state():
    weights = structural.shares((1, 2, 4))
    assert weights.tolist() == [0.125, 0.25, 0.375, 0.25]
    assert weights @ [0, 1, 2, 4] == pytest.approx(2)


def test_rows_like_one_are_of_the_training_and_have_its_state(rows):
    train = folds.training_rows(rows, 2, int(rows.times[6_000]), 4)
    test = np.flatnonzero((rows.times > rows.times[6_100]) & (rows.series_of == 0))[:300]
    used = rows.column("utilisation").astype(float)
    alike = structural.similar(rows, train, test, used[train])
    assert alike.shape == (300, structural.PATHS) and alike.min() >= 0 and alike.max() < len(train)
    # What the leaves were grown to tell, rows of one leaf have in common.
    assert np.corrcoef(np.median(used[train][alike], axis=1), used[test])[0, 1] > 0.98
    again = structural.similar(rows, train, test, used[train])
    np.testing.assert_array_equal(again, alike)


def test_within_the_pairs_the_rate_is_the_curves(rows):
    k = np.flatnonzero((rows.index > 2_000) & (rows.index < 2_400))
    known = baselines.past_values(rows, "utilisation", k, structural.CURVE_HOURS)
    asked = np.quantile(known, [0.2, 0.5, 0.8], axis=1).T
    off = np.abs(structural.read_off(rows, k, asked) - _curve(asked)[1])
    # Pairs that are taken for one cut the corner of the kink, which is at 90 %.
    away = np.abs(asked - 0.9) > 2 * structural.SAME_UTILISATION
    assert 0.5 < away.mean() < 1 and off[away].max() < 5e-4 and off.max() < 0.01


def test_below_the_pairs_the_rate_goes_with_the_square(rows):
    k = np.flatnonzero(rows.index == 3_000)
    known = baselines.past_values(rows, "utilisation", k, structural.CURVE_HOURS)[0]
    rates = baselines.past_values(rows, "apr", k, structural.CURVE_HOURS)[0]
    low, least = known.min(), rates[known.argmin()]
    assert structural.read_off(rows, k, np.array([[low / 2]])) == pytest.approx(least / 4)


def test_above_the_pairs_the_rate_goes_on_as_steeply_and_stays_bounded(rows):
    steep = 0.92 + 0.01 * np.sin(np.arange(HOURS) / 24)
    market = changed(rows, utilisation=steep, apr=_curve(steep)[1])
    k = np.flatnonzero(rows.index == 5_000)
    top = baselines.past_values(market, "utilisation", k, structural.CURVE_HOURS).max()
    read = structural.read_off(market, k, np.array([[top + 0.01, 9.0]]))[0]
    # Six per cent of a borrow rate for each hundredth; with the square it would be a fiftieth of that.
    assert read[0] == pytest.approx(_curve(np.array(top + 0.01))[1], rel=0.05)
    assert read[1] == pytest.approx(3 * _curve(np.array(top))[1], rel=0.01)


def test_of_one_utilisation_only_the_rate_goes_on_with_the_square(rows):
    market = changed(rows, utilisation=0.8, apr=0.04)
    k = np.flatnonzero(rows.index == 3_000)
    assert structural.read_off(market, k, np.array([[0.8, 0.88]]))[0] == pytest.approx([0.04, 0.04 * 1.21])


def test_pairs_from_before_a_change_of_parameters_are_not_of_the_curve(rows):
    place = np.arange(HOURS)
    used = 0.8 + 0.05 * np.sin(place / 7)
    # Said of the third state under the new ones.
    market = changed(
        rows,
        utilisation=used,
        apr=np.where(place < 2_898, 0.0625, 0.125) * used**2,
        parameters_age=np.where(place < 2_900, 168, np.minimum(168, place - 2_900)),
    )
    for at in (2_900, 2_960, 3_200):
        k = np.flatnonzero(rows.index == at)
        assert structural.read_off(market, k, np.array([[0.8]])) == pytest.approx(0.08, rel=0.02)
    # The hour before, the old parameters are in force; a month and a half on, all of the pairs are new.
    k = np.flatnonzero(rows.index == 2_897)
    assert structural.read_off(market, k, np.array([[0.8]])) == pytest.approx(0.04, rel=0.02)
    hours = np.array(structural.CURVE_HOURS)
    for at, since in ((2_901, 2), (2_960, 60), (3_200, 300), (4_000, 720)):
        pairs, _ = structural.pairs_in_force(market, np.flatnonzero(rows.index == at))
        assert np.isfinite(pairs[0]).tolist() == (hours <= since).tolist()


def test_of_two_rates_at_one_utilisation_the_newer_is_in_force(rows):
    market = changed(rows, utilisation=0.8, apr=np.where(np.arange(HOURS) < 2_990, 0.03, 0.05))
    k = np.flatnonzero(rows.index == 3_000)
    assert structural.read_off(market, k, np.array([[0.8]])) == pytest.approx(0.05)


def test_a_forecast_moves_from_the_anchor_by_the_trusted_share_towards_the_median_of_paths(rows, monkeypatch):
    train = folds.training_rows(rows, 2, int(rows.times[6_000]), 4)
    test = np.flatnonzero((rows.times > rows.times[6_100]) & np.isfinite(rows.y[:, 2]))[::3]
    said = structural.forecast(rows, 2, train, test)
    monkeypatch.setitem(trees.TRUST, 24, 0.0)
    anchor = structural.forecast(rows, 2, train, test)
    np.testing.assert_allclose(anchor, trees.anchor(rows, 2, test))
    monkeypatch.setitem(trees.TRUST, 24, 1.0)
    median = structural.forecast(rows, 2, train, test)
    np.testing.assert_allclose(said, anchor + 0.8 * (median - anchor))
    truth = rows.y[test, 2]
    assert np.abs(truth - median).mean() < 0.9 * np.abs(truth - rows.apr[test]).mean()


def test_where_utilisation_is_not_known_the_forecast_is_the_ewma(rows):
    blank = np.array(rows.x)
    blank[rows.series_of == 0, rows.of.column("utilisation")] = np.nan
    market = dataclasses.replace(changed(rows, utilisation=np.nan), x=blank)
    train = folds.training_rows(rows, 1, int(rows.times[6_000]), 4)
    test = np.flatnonzero((rows.times > rows.times[6_100]) & (rows.series_of == 0))[:50]
    np.testing.assert_array_equal(structural.forecast(market, 1, train, test), rows.ewma[test])
    # The other series has one, and is forecast by it; where no series has, there is nothing to learn flows from.
    other = test + np.searchsorted(rows.series_of, 1)
    assert (structural.forecast(market, 1, train, other) != rows.ewma[other]).all()
    alone = train[rows.series_of[train] == 0]
    np.testing.assert_array_equal(structural.forecast(market, 1, alone, other), rows.ewma[other])


def test_a_series_without_a_week_of_its_own_has_the_ewma_for_its_week(rows):
    k = np.flatnonzero(rows.index < 300)
    mean = rows.column("apr_mean_7d")[k]
    assert np.isnan(mean).any() and np.isfinite(mean).any()
    said = baselines.week(rows, k)
    np.testing.assert_array_equal(said[np.isnan(mean)], rows.ewma[k][np.isnan(mean)])
    np.testing.assert_allclose(said[np.isfinite(mean)], mean[np.isfinite(mean)])
