"""The structural model: forecast utilisation, then read the rate off the curve in force.

A lending rate is a function of utilisation, whose parameters governance changes. Here the curve is the series' own
(utilisation, supply rate) pairs of the last week, so a change of parameters is in it as soon as it is seen. Beyond the
pairs the rate goes with the square of utilisation, as below the kink of a linear curve it does (borrow rate ∝ U, and of
it U reaches suppliers).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import trees
from .baselines import Chosen, Forecast, past_values
from .dataset import Rows

#: Hours whose pairs make the curve: each of the last day, then every fourth of the week.
CURVE_HOURS = (*range(0, 25), *range(28, 169, 4))
#: Beyond the pairs no rate is forecast higher than so many times the highest.
MOST_BEYOND = 3.0


def utilisation_ahead(rows: Rows, horizon: int) -> NDArray[np.float64]:
    """[n] mean utilisation over the horizon that follows; NaN where the series ends before.

    It is what the feature `utilisation_mean_…` says one horizon later.
    """
    hours = rows.of.horizons[horizon]
    frame = "7d" if hours == 168 else f"{hours}h"
    later = rows.index + hours
    end = np.array([one.end for one in rows.of.series])[rows.series_of]
    inside = later < end
    ahead = np.full(len(later), np.nan)
    column = np.asarray(rows.of.features[:, rows.of.column(f"utilisation_mean_{frame}")])
    ahead[inside] = column[later[inside]]
    return ahead


def forecast(rows: Rows, horizon: int, train: Chosen, test: Chosen) -> Forecast:
    """[test] mean supply rate over the horizon, fraction a year; where utilisation is not known, the EWMA."""
    now = rows.column("utilisation").astype(np.float64)
    change = utilisation_ahead(rows, horizon) - now
    seen = train[np.isfinite(change[train])]
    fitted = trees.fit(trees.with_ratios(rows.x[seen], rows.of.names), change[seen], trees.POINT, trees.POINT_ROUNDS)
    rate = read_off(rows, test, now[test] + trees.raw(fitted, rows, test))
    return np.where(np.isfinite(rate), rate, rows.ewma[test])


def read_off(rows: Rows, k: Chosen, utilisation: NDArray[np.float64]) -> NDArray[np.float64]:
    """[k] the supply rate that the curve in force gives at a utilisation; NaN where there is no curve."""
    at = past_values(rows, "utilisation", k, CURVE_HOURS)
    rate = past_values(rows, "apr", k, CURVE_HOURS)
    read = np.full(len(k), np.nan)
    for row in range(len(k)):
        known = np.isfinite(at[row]) & np.isfinite(rate[row])
        if not known.any() or not np.isfinite(utilisation[row]):
            continue
        # Of two pairs of one utilisation the newer comes first and is kept: parameters may have changed between them.
        places, first = np.unique(at[row][known], return_index=True)
        rates = rate[row][known][first]
        inside = np.interp(utilisation[row], places, rates)
        beyond = utilisation[row] / np.clip(utilisation[row], places[0], places[-1]) if places[0] > 0 else 1.0
        read[row] = min(inside * beyond**2, MOST_BEYOND * rates.max())
    return read
