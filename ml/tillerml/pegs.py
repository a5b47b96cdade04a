"""Depegs: that the price of one dollar in another, which is there, will be far from 1 within a day.

The same functions and settings as of the other events (risk.py, riskfit.py), on the data set's own matrices of pairs
of dollars. Foretold is that the price will be off by over 15 bps. Scored and not served, for it cannot be foretold: by over
25 and over 50 bps (EXPERIMENTS.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import risk
from .dataset import FRESH_HOURS, Hours, Matrices, Series, arrays_of, features_of, manifest_of
from .guards import Future

#: Of the price from 1; as where it is served (keeper/forecast/pegFeatures.ts).
DEPEGGED = 0.0015
EVENTS = (risk.Event("depeg-24h", "distance", 24, DEPEGGED),)
UNFORETOLD = (
    risk.Event("depeg-25bps-24h", "distance", 24, 0.0025),
    risk.Event("depeg-50bps-24h", "distance", 24, 0.0050),
)
SCORED = (*EVENTS, *UNFORETOLD)


@dataclass(frozen=True)
class Pair(Series):
    """One pool's price; all of them are scored."""

    @property
    def scored(self) -> bool:
        return True


def load(folder: Path | str) -> Hours | None:
    """Hours of every pair whose state is known; None where the data set has no prices. Raises as `dataset.load`."""
    folder = Path(folder)
    said = manifest_of(folder).get("pegs")
    return None if said is None else usable(_matrices(folder, said))


def _matrices(folder: Path, said: dict) -> Matrices:
    arrays = arrays_of(folder, said)
    return Matrices(
        features=arrays["peg-features.npy"],
        times=arrays["peg-times.npy"],
        series_of=arrays["peg-pairs.npy"],
        series=tuple(Pair(one["name"], one["name"], one["begin"], one["end"]) for one in said["pairs"]),
        **features_of(said),
    )


def usable(matrices: Matrices) -> Hours:
    """All hours: of a pair every one has a price."""
    x = np.asarray(matrices.features, dtype=np.float32)
    return Hours(
        x=x,
        times=np.asarray(matrices.times),
        series_of=np.asarray(matrices.series_of),
        index=np.arange(len(x)),
        fresh=x[:, matrices.column("age")] < FRESH_HOURS,
        of=matrices,
    )


def future_of(hours: Hours) -> Future:
    """What no feature may tell: the price of the next hour, and the mean distance of the next day."""
    distance = np.asarray(hours.of.features[:, hours.of.column("distance")])
    deviation = np.asarray(hours.of.features[:, hours.of.column("deviation")])
    truth = np.full((len(distance), 2), np.nan)
    for one in hours.of.series:
        rows = slice(one.begin, one.end)
        truth[rows, 0] = np.append(deviation[rows][1:], np.nan)
        total = np.concatenate([[0.0], np.cumsum(distance[rows])])
        truth[one.begin : one.end - 24, 1] = (total[25:] - total[1:-24]) / 24
    return Future(truth, np.column_stack([deviation, distance]), 0, hours.fresh & np.isfinite(truth).all(axis=1))
