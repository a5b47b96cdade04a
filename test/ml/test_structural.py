"""Past values of a series, and its rate read off the curve in force."""

import dataclasses

import numpy as np
import pytest
from conftest import HOURS, _curve
from tillerml import baselines, structural


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


def test_utilisation_ahead_is_the_mean_of_the_hours_that_follow(rows):
    values = np.asarray(rows.of.features[:HOURS, rows.of.column("utilisation")])
    at = np.flatnonzero(rows.index == 1_000)
    between = (values[1_000:1_024] + values[1_001:1_025]) / 2
    assert structural.utilisation_ahead(rows, 2)[at] == pytest.approx(between.mean())
    assert np.isnan(structural.utilisation_ahead(rows, 2)[rows.index == HOURS - 24]).all()


def test_within_the_week_the_rate_is_the_curves(rows):
    k = np.flatnonzero((rows.index > 2_000) & (rows.index < 2_400))
    known = baselines.past_values(rows, "utilisation", k, structural.CURVE_HOURS)
    asked = np.median(known, axis=1)
    np.testing.assert_allclose(structural.read_off(rows, k, asked), _curve(asked)[1], atol=5e-4)


def test_beyond_the_week_the_rate_goes_with_the_square_and_stays_bounded(rows):
    k = np.flatnonzero(rows.index == 3_000)
    past = baselines.past_values(rows, "utilisation", k, structural.CURVE_HOURS)[0]
    rates = baselines.past_values(rows, "apr", k, structural.CURVE_HOURS)[0]
    low, least = past.min(), rates[past.argmin()]
    assert structural.read_off(rows, k, np.array([low / 2])) == pytest.approx(least / 4)
    assert structural.read_off(rows, k, np.array([9.0])) == pytest.approx(3 * rates.max())


def test_of_two_rates_at_one_utilisation_the_newer_is_in_force(rows):
    features = np.array(rows.of.features)
    features[:HOURS, rows.of.column("utilisation")] = 0.8
    features[:HOURS, rows.of.column("apr")] = np.where(np.arange(HOURS) < 2_990, 0.03, 0.05)
    changed = dataclasses.replace(rows, of=dataclasses.replace(rows.of, features=features))
    k = np.flatnonzero(rows.index == 3_000)
    assert structural.read_off(changed, k, np.array([0.8])) == pytest.approx(0.05)


def test_a_series_without_a_week_of_its_own_has_the_ewma_for_its_week(rows):
    k = np.flatnonzero(rows.index < 300)
    mean = rows.column("apr_mean_7d")[k]
    assert np.isnan(mean).any() and np.isfinite(mean).any()
    said = baselines.week(rows, k)
    np.testing.assert_array_equal(said[np.isnan(mean)], rows.ewma[k][np.isnan(mean)])
    np.testing.assert_allclose(said[np.isfinite(mean)], mean[np.isfinite(mean)])
