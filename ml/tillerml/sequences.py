"""What the sequence models see and learn, as arrays: the last week in steps of four hours, the row itself, deviations.

Scalers are fitted on the rows that train, and on no other. Apart from the networks, so that it is tested without PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import trees
from .baselines import Chosen, Scaler, past_values
from .dataset import Rows

STEPS = 42
STEP_HOURS = 4
LAGS = tuple(STEP_HOURS * k for k in reversed(range(STEPS)))
#: Rates are divided by the EWMA plus the ratios' floor; amounts are in logs.
CHANNELS = ("apr", "borrow_apr", "utilisation", "supplied", "spread_mean")


@dataclass(frozen=True)
class Scalers:
    """Of the features of a row [F] and of the channels of a window [C]."""

    features: Scaler
    channels: Scaler

    @staticmethod
    def fitted(rows: Rows, train: Chosen) -> Scalers:
        """From the training rows and the week before each."""
        return Scalers(
            Scaler.fitted(rows.x[train]), Scaler.fitted(windows(rows, train).reshape(-1, len(CHANNELS)))
        )

    def inputs(self, rows: Rows, k: Chosen) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scaled windows [k, T, C] and rows [k, F]."""
        window = self.channels(windows(rows, k).reshape(-1, len(CHANNELS))).reshape(len(k), STEPS, len(CHANNELS))
        return window, self.features(rows.x[k])


def windows(rows: Rows, k: Chosen) -> NDArray[np.float64]:
    """[k, T, C], oldest first; rates over the row's own level, amounts less the row's own."""
    parts = []
    for name in CHANNELS:
        past = past_values(rows, name, k, LAGS)
        if name == "supplied":
            past = past - rows.column(name)[k, None]
        elif name != "utilisation":
            past = past / level(rows, k)
        parts.append(past)
    return np.stack(parts, axis=2)


def level(rows: Rows, k: Chosen) -> NDArray[np.float64]:
    """[k, 1] what rates are divided by, fraction a year."""
    return (rows.ewma[k] + trees.RATIO_FLOOR)[:, None]


def targets(rows: Rows, k: Chosen) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[k, H] deviations from the anchors over the row's level, and weights that make the loss an absolute error.

    Each horizon weighs alike; what is not known weighs nothing.
    """
    deviation = np.column_stack([rows.y[k, h] - trees.anchor(rows, h, k) for h in range(rows.y.shape[1])])
    known = np.isfinite(deviation)
    usual = np.nanmean(np.abs(deviation), axis=0)
    weight = np.where(known, level(rows, k) / usual, 0.0)
    return np.where(known, deviation, 0.0) / level(rows, k), weight
