"""What the sequence models see: windows of the past, scalers of the training rows, targets of what is known."""

import dataclasses

import numpy as np
from conftest import HOURS
from tillerml import folds, sequences, trees


def _training(rows):
    return folds.training_rows(rows, 3, int(rows.times[5_000]), 8)


def test_scalers_are_of_the_training_rows_and_their_weeks_and_of_nothing_after_them(rows):
    k = _training(rows)
    before = sequences.Scalers.fitted(rows, k)
    # Whatever comes after the window is multiplied: nothing of it may be in what was fitted.
    last = rows.index[k[rows.series_of[k] == 0]].max()
    later = np.concatenate([np.arange(last + 1, HOURS), np.arange(HOURS + last + 1, 2 * HOURS)])
    features, x = np.array(rows.of.features), np.array(rows.x)
    features[later] *= 1_000
    x[np.isin(rows.index, later)] *= 1_000
    after = sequences.Scalers.fitted(
        dataclasses.replace(rows, x=x, of=dataclasses.replace(rows.of, features=features)), k
    )
    for one in ("features", "channels"):
        for part in ("mean", "sd"):
            np.testing.assert_array_equal(
                getattr(getattr(after, one), part), getattr(getattr(before, one), part), err_msg=f"{one} {part}"
            )


def test_a_scaler_of_other_rows_is_another(rows):
    k = _training(rows)
    whole, half = (sequences.Scalers.fitted(rows, part) for part in (k, k[: len(k) // 3]))
    assert not np.allclose(whole.features.mean, half.features.mean)
    assert not np.allclose(whole.channels.mean, half.channels.mean)


def test_scaled_training_rows_have_no_mean_and_a_deviation_of_one(rows):
    k = _training(rows)
    window, row = sequences.Scalers.fitted(rows, k).inputs(rows, k)
    assert window.shape == (len(k), 42, 5) and row.shape == (len(k), rows.x.shape[1])
    apr = window[:, :, 0]
    assert abs(apr.mean()) < 0.05 and 0.8 < apr.std() < 1.05
    assert np.abs(row).max() <= 8


def test_a_window_ends_with_the_row_and_goes_back_by_four_hours(rows):
    k = np.flatnonzero(rows.index == 4_000)
    window = sequences.windows(rows, k)[0]
    features = rows.of.features
    hours = [4_000 - 4 * back for back in range(41, -1, -1)]
    level = rows.ewma[k[0]] + trees.RATIO_FLOOR
    np.testing.assert_allclose(window[:, 0], features[hours, rows.of.column("apr")] / level)
    np.testing.assert_allclose(window[:, 2], features[hours, rows.of.column("utilisation")])
    np.testing.assert_allclose(window[-1, 3], 0, atol=1e-6)


def test_what_is_not_known_weighs_nothing_and_each_horizon_as_much_as_another(rows):
    k = np.concatenate([_training(rows), np.flatnonzero(rows.index == HOURS - 24)])
    target, weight = sequences.targets(rows, k)
    assert np.isfinite(target).all() and np.isfinite(weight).all()
    # A day before the end the week is not known.
    assert weight[-1, 3] == 0 and target[-1, 3] == 0 and weight[-1, 0] > 0
    losses = (np.abs(target) * weight)[:-1].mean(axis=0)
    np.testing.assert_allclose(losses, 1, rtol=0.02)
