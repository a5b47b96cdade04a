"""Walk-forward folds: what may be trained on before a test window begins, and the table that says so.

A row trains only if its target ended an embargo before the window. Embargo = horizon: rates remember for about as long.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from .dataset import HOUR, Rows


@dataclass(frozen=True)
class Fold:
    """A test window [test_from, test_to), unix seconds; everything before it, purged, is the training window."""

    name: str
    test_from: int
    test_to: int


def unix(year: int, month: int) -> int:
    """First second of a month, UTC."""
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp())


def half_years(first: tuple[int, int], last: tuple[int, int]) -> tuple[Fold, ...]:
    """Folds from (year, half) to (year, half), both included."""
    folds, (year, half) = [], first
    while (year, half) <= last:
        ends = (year, 7) if half == 1 else (year + 1, 1)
        folds.append(Fold(f"{year}H{half}", unix(year, 6 * half - 5), unix(*ends)))
        year, half = (year, 2) if half == 1 else (year + 1, 1)
    return tuple(folds)


def before(ends: int, many: int, days: int) -> tuple[Fold, ...]:
    """`many` folds of `days` each, one after the other, oldest first, the last of which ends at `ends` (unix seconds)."""
    length = days * 24 * HOUR
    starts = [ends - k * length for k in range(many, 0, -1)]
    return tuple(Fold(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}", at, at + length) for at in starts)


#: Hyper-parameters and features of the rate models were chosen on these; tables tell them apart from the folds after.
CHOOSING = half_years((2023, 1), (2024, 1))
#: What the tables show.
TESTS = half_years((2023, 2), (2025, 1))


def training_rows(rows: Rows, horizon: int, test_from: int, thin: int = 1) -> NDArray[np.int64]:
    """Rows [k] that may train a model of that horizon (its place in `horizons`) for a test window.

    Every series, fresh rows only, every `thin`-th hour of the clock: neighbours share nearly all of their target.
    """
    seconds = rows.of.horizons[horizon] * HOUR
    known = np.isfinite(rows.y[:, horizon]) & (rows.times + 2 * seconds <= test_from)
    return np.flatnonzero(known & rows.fresh & (rows.times // HOUR % thin == 0))


def test_rows(rows: Rows, horizon: int, fold: Fold) -> NDArray[np.int64]:
    """Rows [k] of the scored series in the window."""
    inside = (rows.times >= fold.test_from) & (rows.times < fold.test_to)
    return np.flatnonzero(rows.scoreable(horizon) & inside)


def rows_hash(rows: Rows, chosen: NDArray[np.int64]) -> str:
    """SHA-256 over which rows of the matrices were trained on: one row more or less is another hash."""
    return hashlib.sha256(np.ascontiguousarray(rows.index[chosen]).tobytes()).hexdigest()


def fold_table(rows: Rows, folds: tuple[Fold, ...], thin: int = 1) -> list[dict]:
    """One entry per fold and horizon: rows and last target of the training window, rows of the test window."""
    table = []
    for fold in folds:
        for horizon, hours in enumerate(rows.of.horizons):
            train = training_rows(rows, horizon, fold.test_from, thin)
            table.append(
                {
                    "fold": fold.name,
                    "horizonHours": hours,
                    "trainRows": len(train),
                    "lastTargetEnds": int(rows.times[train].max()) + hours * HOUR if len(train) > 0 else None,
                    "testFrom": fold.test_from,
                    "testTo": fold.test_to,
                    "testRows": len(test_rows(rows, horizon, fold)),
                }
            )
    return table
