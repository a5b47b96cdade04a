"""Forecasts that every other model has to beat: persistence, the EWMA, the mean of a week, ridge, NLinear.

All give the mean supply rate over a horizon, fraction a year, for rows `test`, having seen rows `train`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .dataset import Dataset, Rows

Forecast = NDArray[np.float64]
Chosen = NDArray[np.int64]

#: Of standardised features; large, for they are nearly copies of each other.
RIDGE_PENALTY = 100.0
#: Standard deviations to which standardised features and targets are cut: rates have spikes of a hundred.
MOST_DEVIATIONS = 8.0
#: Hours of past rates that NLinear sees: each of the last day, then every fourth of the week.
LAGS = (*range(1, 25), *range(28, 169, 4))


def persistence(rows: Rows, test: Chosen) -> Forecast:
    """The rate now."""
    return rows.apr[test]


def ewma(rows: Rows, test: Chosen) -> Forecast:
    """The rates of the last week by half-lives of 24 h."""
    return rows.ewma[test]


def week(rows: Rows, test: Chosen) -> Forecast:
    """The mean of the last 7 d; of a younger series, the EWMA."""
    mean = rows.column("apr_mean_7d")[test].astype(np.float64)
    return np.where(np.isfinite(mean), mean, rows.ewma[test])


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation [F] of training rows; NaN becomes the mean, what is far out is cut."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]

    @staticmethod
    def fitted(x: NDArray) -> Scaler:
        """From rows [n, F] of the training window, and of nothing else."""
        known = np.isfinite(x)
        many = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, x, 0).sum(axis=0, dtype=np.float64) / many
        spread = np.where(known, x - mean, 0)
        sd = np.sqrt((spread * spread).sum(axis=0) / many)
        return Scaler(mean, np.where(sd > 0, sd, 1.0))

    def __call__(self, x: NDArray) -> NDArray[np.float64]:
        scaled = (x - self.mean) / self.sd
        return np.clip(np.where(np.isfinite(scaled), scaled, 0.0), -MOST_DEVIATIONS, MOST_DEVIATIONS)


def ridge(rows: Rows, horizon: int, train: Chosen, test: Chosen) -> Forecast:
    """A line through all features to the deviation from the EWMA."""
    scaler = Scaler.fitted(rows.x[train])
    deviation = rows.y[train, horizon] - rows.ewma[train]
    weights = _ridge(scaler(rows.x[train]), deviation)
    return rows.ewma[test] + weights[0] + scaler(rows.x[test]) @ weights[1:]


def nlinear(rows: Rows, horizon: int, train: Chosen, test: Chosen) -> Forecast:
    """NLinear (Zeng et al., arXiv 2205.13504): the rate now plus a line through past rates less the rate now."""

    def past(k: Chosen) -> NDArray[np.float64]:
        return past_values(rows, "apr", k, LAGS) - rows.apr[k, None]

    scaler = Scaler(np.zeros(len(LAGS)), Scaler.fitted(past(train)).sd)
    weights = _ridge(scaler(past(train)), rows.y[train, horizon] - rows.apr[train])
    return rows.apr[test] + weights[0] + scaler(past(test)) @ weights[1:]


def past_values(rows: Rows, feature: str, k: Chosen, lags: tuple[int, ...]) -> NDArray[np.float64]:
    """[k, L] a feature as it was `lags` hours before each row; before a series began, as it was then."""
    column = column_of(rows, feature)
    begin = np.array([one.begin for one in rows.of.series])[rows.series_of[k]]
    return column[np.maximum(rows.index[k, None] - np.array(lags), begin[:, None])]


#: Columns by data set and name; with the data set, so that its id stays its own.
_kept: dict[tuple[int, str], tuple[Dataset, NDArray[np.float64]]] = {}


def column_of(rows: Rows, feature: str) -> NDArray[np.float64]:
    """A column of the whole matrix, read from disk once."""
    key = (id(rows.of), feature)
    if key not in _kept:
        _kept[key] = (rows.of, np.ascontiguousarray(rows.of.features[:, rows.of.column(feature)]))
    return _kept[key][1]


def _ridge(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """[1 + F] intercept and weights by penalised least squares, of targets cut at eight deviations."""
    y = np.clip(y, y.mean() - MOST_DEVIATIONS * y.std(), y.mean() + MOST_DEVIATIONS * y.std())
    a = np.column_stack([np.ones(len(x)), x])
    penalty = np.diag([0.0, *[RIDGE_PENALTY] * x.shape[1]])
    return np.linalg.solve(a.T @ a + penalty, a.T @ y)
