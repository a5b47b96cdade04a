"""The structural model: forecast the flows of lenders and borrowers, and read rates off the curve in force.

A lending rate is a function of utilisation, whose parameters governance changes. Flows have no parameters: what went in and
out of similar states is carried over, path by path, to the amounts of a row; each path gives utilisations, and the
pairs of (utilisation, rate) that the series itself has shown since its parameters last changed give each its rate. The
forecast is the median over paths of the mean rate on them: the curve bends so sharply that a rate of mean flows is none
that comes. Sources: rates by utilisation, Aave's DefaultReserveInterestRateStrategy; leaves of a forest as what is
similar, Meinshausen, Quantile Regression Forests (2006).
"""

from __future__ import annotations

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from . import trees
from .baselines import Chosen, Forecast, column_of, past_values
from .dataset import Rows

#: Hours ahead at which a path is looked at, as far as the horizon goes.
STATES_AHEAD = (1, 2, 4, 6, 9, 12, 16, 20, 24, 36, 48, 72, 96, 120, 144, 168)
#: Hours whose pairs make the curve: each of the last day, every fourth of the week, every twelfth of the month.
CURVE_HOURS = (*range(0, 25), *range(28, 169, 4), *range(180, 721, 12))
#: `parameters_age` of a row in whose last week nothing changed, hours.
UNCHANGED = 168
#: The newest pairs are of the curve even where the change has just been said.
NEWEST_HOURS = 2
#: Pairs nearer to each other than this are one: interest that accrued between them is no slope of the curve.
SAME_UTILISATION = 0.004
#: Above the highest pair the curve goes on as steeply as it came through the last of utilisation, so much of it.
LAST_STRETCH = 0.01
#: Beyond the pairs no rate is forecast higher than so many times the highest.
MOST_BEYOND = 3.0
#: Of a reserve that nobody has borrowed from.
LEAST_UTILISATION = 1e-6

#: One path of each tree: what went in and out after a training row in the same leaf. Chosen as EXPERIMENTS.md says.
PATHS = 64
FOREST = {
    "objective": "reg:squarederror",
    "num_parallel_tree": PATHS,
    "eta": 1.0,
    "max_depth": 16,
    "subsample": 0.5,
    "colsample_bynode": 0.3,
    "min_child_weight": 10,
    "tree_method": "hist",
    "max_bin": 128,
    "nthread": 1,
    "seed": trees.SEED,
}
#: Targets of the forest are cut at these quantiles: squares would be of a few bank runs.
CUT = (0.005, 0.995)
#: Rows that are worked on at a time: paths of all would not fit into memory.
ROWS_AT_ONCE = 2_048


def forecast(rows: Rows, horizon: int, train: Chosen, test: Chosen) -> Forecast:
    """[test] mean supply rate over the horizon, fraction a year; where utilisation is not known, the EWMA.

    Of the deviation from the anchor as much is forecast as of the trees' (`trees.TRUST`).
    """
    hours = rows.of.horizons[horizon]
    ahead = tuple(one for one in STATES_AHEAD if one <= hours)
    flows = net_flows(rows, train, ahead)
    seen = np.isfinite(flows).all(axis=1) & np.isfinite(utilisation_now(rows, train))
    if not seen.any():
        return rows.ewma[test]
    train, flows = train[seen], flows[seen]
    weights = shares(ahead)
    alike = similar(rows, train, test, _fullness(rows, train, flows) @ weights[1:])
    said = np.empty(len(test))
    for begin in range(0, len(test), ROWS_AT_ONCE):
        part = slice(begin, begin + ROWS_AT_ONCE)
        k = test[part]
        now = utilisation_now(rows, k)
        # More than everything cannot be lent out; the sources' own rounding, where it is there already, stays.
        utilisation = np.minimum(now[:, None, None] * np.exp(flows[alike[part]]), np.maximum(now, 1.0)[:, None, None])
        rates = read_off(rows, k, utilisation.reshape(len(k), -1)).reshape(utilisation.shape)
        said[part] = np.median(weights[0] * rows.apr[k, None] + rates @ weights[1:], axis=1)
    anchor = trees.anchor(rows, horizon, test)
    trusted = anchor + trees.TRUST[hours] * (said - anchor)
    return np.where(np.isfinite(trusted), trusted, rows.ewma[test])


def utilisation_now(rows: Rows, k: Chosen) -> NDArray[np.float64]:
    """[k] borrowed over supplied; NaN where it is not known."""
    return np.maximum(rows.column("utilisation")[k].astype(np.float64), LEAST_UTILISATION)


def net_flows(rows: Rows, k: Chosen, ahead: tuple[int, ...]) -> NDArray[np.float64]:
    """[k, T] by hours ahead: what was borrowed on net less what was supplied on net since the row, as logs of the amounts.

    ln of what utilisation is multiplied by. NaN where the series ends before.
    """
    later = rows.index[k, None] + np.array(ahead)
    end = np.array([one.end for one in rows.of.series])[rows.series_of[k], None]
    there = np.minimum(later, end - 1)
    supplied, utilisation = column_of(rows, "supplied"), column_of(rows, "utilisation")
    owed = supplied + np.log(np.maximum(utilisation, LEAST_UTILISATION))
    flow = (owed[there] - owed[rows.index[k], None]) - (supplied[there] - supplied[rows.index[k], None])
    return np.where(later < end, flow, np.nan)


def shares(ahead: tuple[int, ...]) -> NDArray[np.float64]:
    """[1 + T] weights of now and of the states ahead in the mean over the horizon, straight between them."""
    widths = np.diff(np.array((0, *ahead), dtype=np.float64))
    weights = np.zeros(len(ahead) + 1)
    weights[:-1] += widths / 2
    weights[1:] += widths / 2
    return weights / ahead[-1]


def similar(rows: Rows, train: Chosen, test: Chosen, target: NDArray[np.float64]) -> NDArray[np.int64]:
    """[test, PATHS] places in `train` of rows like each: of every tree one from the leaf that the row falls into.

    The trees split by what tells `target` [train], so that flows after rows of one leaf are drawn from one law.
    """
    wide = trees.with_ratios(rows.x[train], rows.of.names)
    matrix = xgb.QuantileDMatrix(wide, np.clip(target, *np.quantile(target, CUT)), max_bin=FOREST["max_bin"])
    forest = xgb.train(FOREST, matrix, 1)
    leaves, asked = _leaves(forest, wide), _leaves(forest, trees.with_ratios(rows.x[test], rows.of.names))
    rng = np.random.default_rng(trees.SEED)
    picked = np.empty((len(test), PATHS), dtype=np.int64)
    for tree in range(PATHS):
        order = np.argsort(leaves[:, tree], kind="stable")
        within = leaves[order, tree]
        first = np.searchsorted(within, asked[:, tree])
        after = np.searchsorted(within, asked[:, tree], side="right")
        picked[:, tree] = order[first + (rng.random(len(test)) * (after - first)).astype(np.int64)]
    return picked


def _leaves(forest: xgb.Booster, wide: NDArray[np.float32]) -> NDArray[np.int32]:
    return forest.predict(xgb.DMatrix(wide), pred_leaf=True).reshape(len(wide), PATHS).astype(np.int32)


def _fullness(rows: Rows, k: Chosen, flows: NDArray[np.float64]) -> NDArray[np.float64]:
    """[k, T] change of the log odds of utilisation: between 98 and 99 % more happens than between 50 and 51 %."""
    now = utilisation_now(rows, k)[:, None]
    return _log_odds(now * np.exp(flows)) - _log_odds(now)


def _log_odds(utilisation: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(utilisation, 1e-4, 1 - 1e-4)
    return np.log(inside / (1 - inside))


def read_off(rows: Rows, k: Chosen, utilisation: NDArray[np.float64]) -> NDArray[np.float64]:
    """[k, M] the supply rates that the curve in force gives at utilisations [k, M]; NaN where there is no curve.

    Below the lowest pair the rate goes with the square of utilisation, as below the kink of a linear curve it does (the
    borrow rate with utilisation, and of it utilisation reaches suppliers).
    """
    at, rate = pairs_in_force(rows, k)
    read = np.full(utilisation.shape, np.nan)
    for row in range(len(k)):
        known = np.isfinite(at[row]) & np.isfinite(rate[row])
        if not known.any() or np.isnan(utilisation[row]).all():
            continue
        places, rates = at[row][known], rate[row][known]
        # Of pairs of one utilisation the newest comes first and is kept: a change is only said once it has lasted. That of
        # now is always its own, so that where nothing flows the rate stays.
        _, first = np.unique(np.round((places - places[0]) / SAME_UTILISATION), return_index=True)
        read[row] = np.minimum(_on_curve(places[first], rates[first], utilisation[row]), MOST_BEYOND * rates.max())
    return read


def pairs_in_force(rows: Rows, k: Chosen) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[k, C] utilisations (NaN: under other parameters) and supply rates of CURVE_HOURS before each row, newest first."""
    lags = np.array(CURVE_HOURS)
    weeks = np.arange(0, lags[-1] + 1, UNCHANGED)
    age = past_values(rows, "parameters_age", k, tuple(weeks.tolist()))
    since = np.where(age < UNCHANGED, weeks + age, np.inf).min(axis=1)
    at = past_values(rows, "utilisation", k, CURVE_HOURS)
    at[lags > np.maximum(since, NEWEST_HOURS)[:, None]] = np.nan
    return at, past_values(rows, "apr", k, CURVE_HOURS)


def _on_curve(places: NDArray[np.float64], rates: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rates [M] at utilisations [M] by pairs [C] in order of utilisation."""
    low, top = places[0], places[-1]
    read = np.interp(at, places, rates)
    if low > 0 and (below := at < low).any():
        read[below] = rates[0] * (at[below] / low) ** 2
    if (above := at > top).any():
        # Of a single utilisation there is no slope: on with the square.
        begin = min(int(np.searchsorted(places, top - LAST_STRETCH)), len(places) - 2)
        slope = (rates[-1] - rates[begin]) / (top - places[begin]) if begin >= 0 else 0.0
        square = rates[-1] * (at[above] / top) ** 2 if top > 0 else rates[-1]
        read[above] = np.maximum(square, rates[-1] + slope * (at[above] - top))
    return read
