"""Scores and tests against what is known of them."""

import math

import numpy as np
import pytest
from scipy.stats import norm
from tillerml import scores


def test_diebold_mariano_is_the_t_of_the_mean_for_errors_without_memory():
    rng = np.random.default_rng(1)
    a, b = rng.random(4_000) + 0.02, rng.random(4_000)
    t, p = scores.diebold_mariano(a, b, np.arange(4_000.0), 1)
    plain = (a - b).mean() / ((a - b).std() / math.sqrt(4_000))
    assert t == pytest.approx(plain, rel=0.05)
    assert p == pytest.approx(math.erfc(abs(t) / math.sqrt(2)))
    assert scores.diebold_mariano(b, a, np.arange(4_000.0), 1)[0] == pytest.approx(-t)


def test_diebold_mariano_trusts_overlapping_errors_less():
    rng = np.random.default_rng(2)
    memory = np.convolve(rng.standard_normal(5_023), np.ones(24) / 24, "valid") + 0.05
    hours, none = np.arange(5_000.0), np.zeros(5_000)
    short, long = (scores.diebold_mariano(memory, none, hours, lag)[0] for lag in (0, 48))
    assert 3.5 < short / long < 6


def test_diebold_mariano_counts_the_hours_between_rows():
    rng = np.random.default_rng(3)
    loss = np.repeat(rng.standard_normal(500), 4) + 0.1
    dense, far = np.arange(2_000.0), np.arange(2_000.0) * 100
    assert scores.diebold_mariano(loss, 0 * loss, dense, 8)[0] < 0.7 * scores.diebold_mariano(loss, 0 * loss, far, 8)[0]


def test_holm_is_the_step_down_procedure():
    assert scores.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_bootstrap_interval_holds_the_ratio_and_widens_with_the_block():
    rng = np.random.default_rng(4)
    hours = np.arange(4_000.0)
    # Errors that stay for a week: only blocks of their length know how few there are.
    a = np.repeat(rng.random(25), 160)
    narrow = scores.block_bootstrap_ratio(a, np.ones(4_000), hours, 2)
    wide = scores.block_bootstrap_ratio(a, np.ones(4_000), hours, 320)
    assert narrow[0] < a.mean() < narrow[1]
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])


def test_blocks_of_the_bootstrap_begin_at_any_hour():
    hours, loss = np.arange(2_000.0), np.zeros(2_000)
    # Blocks of 200 that lie side by side from hour 0 on would hold 0 or 100 of these each.
    loss[300:500] = 1
    sums = [2_000 * scores.block_bootstrap_ratio(loss, np.ones(2_000), hours, 200, 1, seed)[0] for seed in range(40)]
    assert sum(round(one) % 100 != 0 for one in sums) > 30


def test_the_bootstrap_of_a_seed_is_always_the_same_and_of_another_seed_another():
    loss, hours = np.random.default_rng(4).random(2_000), np.arange(2_000.0)
    first, again, other = (scores.block_bootstrap_ratio(loss, loss[::-1], hours, 200, seed=seed) for seed in (7, 7, 8))
    assert first == again != other


def test_a_block_takes_all_series_of_its_hours_and_gaps_of_the_clock_as_they_are():
    # Two series of the same hours, one with three times the other's loss, and 500 hours without any row in between.
    hours = np.concatenate([np.arange(500.0), np.arange(1_000.0, 1_500.0)] * 2)
    loss = np.repeat([3.0, 1.0], 1_000)
    assert scores.block_bootstrap_ratio(loss, np.ones(2_000), hours, 100) == (2, 2)


def test_an_interval_of_less_than_two_blocks_is_no_number():
    one = np.ones(300)
    assert all(math.isnan(end) for end in scores.block_bootstrap_ratio(one, one, np.arange(300.0), 200))


def test_pinball_of_the_median_is_half_the_absolute_error():
    y, said = np.array([0.0, 1.0, 5.0]), np.array([1.0, 1.0, 1.0])
    assert scores.pinball(y, said, 0.5) == pytest.approx(np.abs(y - said).mean() / 2)
    assert scores.pinball(y, said, 0.9) == pytest.approx((0.1 * 1 + 0.9 * 4) / 3)


def test_crps_of_a_normal_by_five_levels_is_three_hundredths_short_of_the_integral():
    def by(levels):
        # Mean pinball loss of a standard normal at its own quantile: the density there.
        return scores.crps({q: norm.pdf(norm.ppf(q)) for q in levels})

    assert by((0.05, 0.25, 0.5, 0.75, 0.95)) == pytest.approx(0.547, abs=5e-4)
    assert by(np.arange(0.0005, 1, 0.001)) == pytest.approx(1 / math.sqrt(math.pi), abs=1e-4)


def test_crps_of_drawn_errors_is_that_of_their_law():
    y = norm.ppf(np.arange(0.5, 20_000) / 20_000)
    levels = (0.95, 0.05, 0.5, 0.25, 0.75)
    losses = {q: scores.pinball(y, np.full(len(y), norm.ppf(q)), q) for q in levels}
    assert scores.crps(losses) == pytest.approx(0.547, abs=1e-3)


def test_pr_auc_of_a_perfect_a_constant_and_a_known_ranking():
    events = np.array([True, False, True, False])
    assert scores.pr_auc(events, np.array([0.9, 0.2, 0.8, 0.1])) == 1
    assert scores.pr_auc(events, np.full(4, 0.3)) == pytest.approx(0.5)
    assert scores.pr_auc(events, np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_brier_skill_of_the_climatology_is_nothing_and_of_the_truth_is_one():
    events = np.array([True, False, False, False])
    climatology = np.full(4, 0.25)
    assert scores.brier_skill(events, climatology, climatology) == 0
    assert scores.brier_skill(events, events.astype(float), climatology) == 1


def test_reliability_sets_forecast_beside_observed_frequency():
    events = np.array([False, False, True, True])
    bins = scores.reliability(events, np.array([0.001, 0.003, 0.2, 0.4]), (0.01, 0.05))
    assert [one["rows"] for one in bins] == [2, 2]
    assert bins[1]["forecast"] == pytest.approx(0.3)
    assert bins[1]["observed"] == 1
