"""Gradient-boosted trees on the deviation from an anchor, pooled over series.

A tree model sees the features of a row and a few ratios of them to the EWMA, which carry over between series of
different levels; the served graph computes the same ratios with the same float32 divisions. What it learns is target −
anchor: the anchor is the rate now for an hour or four, the EWMA for a week, half-way for a day.
"""

from __future__ import annotations

import os

# Threads of XGBoost that wait by spinning cost more than they do where cores are shared. Read when the library loads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from .dataset import Rows

SEED = 20241

EWMA = "ewma_24h"
#: Features that are also given divided by the EWMA (plus a floor, fraction a year).
RATIO_OF = tuple(
    "apr apr_less_ewma apr_mean_7d apr_least_24h apr_most_24h apr_least_7d apr_most_7d apr_sd_7d apr_sd_24h "
    "apr_change_24h apr_change_7d borrow_apr borrow_slope_7d spread_mean spread_best".split()
)
RATIO_FLOOR = np.float32(0.005)
#: By horizon in hours, where between the EWMA (0) and the rate now (1) the anchor is.
ANCHORS = {1: 1.0, 4: 1.0, 24: 0.5, 168: 0.0}

#: Share of the learnt deviation that is forecast: of long horizons they have seen few that are independent.
TRUST = {1: 1.0, 4: 1.0, 24: 0.8, 168: 0.6}

#: Chosen on the folds `CHOOSING`; EXPERIMENTS.md has what else was tried.
POINT = {
    "objective": "reg:absoluteerror",
    "max_depth": 6,
    "eta": 0.04,
    "subsample": 0.5,
    "colsample_bynode": 0.25,
    "min_child_weight": 200,
    "tree_method": "hist",
    "max_bin": 128,
    # One: sums of several threads differ in the last bits from run to run.
    "nthread": 1,
    "seed": SEED,
}
POINT_ROUNDS = 250
#: The scale is a mean of absolute errors: gamma deviance, whose forecast is exp of the trees' sum.
SCALE = {**POINT, "objective": "reg:gamma", "max_depth": 5, "eta": 0.08}
SCALE_ROUNDS = 80
#: Errors below it are of a rate that stands still; fraction a year.
LEAST_SCALE = 1e-5
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def with_ratios(x: NDArray[np.float32], names: tuple[str, ...]) -> NDArray[np.float32]:
    """[n, F] → [n, F + R]: the features and their ratios to the EWMA, all float32 as in the served graph.

    Features that are not of rates, and have no EWMA, stay as they are.
    """
    if EWMA not in names:
        return x
    level = x[:, names.index(EWMA)] + RATIO_FLOOR
    ratios = [x[:, names.index(name)] / level for name in RATIO_OF if name in names]
    return np.column_stack([x, *ratios]).astype(np.float32, copy=False)


def anchor(rows: Rows, horizon: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    """[k] rate, fraction a year, from which the deviation of that horizon is learnt."""
    return rows.ewma[k] + ANCHORS[rows.of.horizons[horizon]] * (rows.apr[k] - rows.ewma[k])


def fit(x: NDArray[np.float32], y: NDArray[np.float64], params: dict, rounds: int) -> xgb.Booster:
    """Trees on [n, F + R] → [n]."""
    matrix = xgb.QuantileDMatrix(x, y, max_bin=params["max_bin"])
    return xgb.train(params, matrix, rounds)


def fit_point(rows: Rows, horizon: int, k: NDArray[np.int64], y: NDArray[np.float64] | None = None) -> xgb.Booster:
    """Trees for the deviation from the anchor, trained on rows `k`. `y`: other targets than the rows', for guards."""
    truth = rows.y[k, horizon] if y is None else y
    return fit(with_ratios(rows.x[k], rows.of.names), truth - anchor(rows, horizon, k), POINT, POINT_ROUNDS)


def fit_scale(rows: Rows, horizon: int, k: NDArray[np.int64]) -> xgb.Booster:
    """Trees for ln of the expected absolute error of the point model.

    Errors are of rows that the forecasting trees had not seen: alternate quarters of the training window forecast each
    other, with one horizon on either side of a quarter left out.
    """
    quarter = 91 * 86_400
    reach = rows.of.horizons[horizon] * 3_600
    odd = rows.times[k] // quarter % 2 == 1
    clear = (rows.times[k] % quarter > reach) & (rows.times[k] % quarter < quarter - reach)
    error = np.full(len(k), np.nan)
    for seen in (odd, ~odd):
        trees = fit_point(rows, horizon, k[seen & clear])
        error[~seen] = np.abs(rows.y[k[~seen], horizon] - forecast(trees, rows, horizon, k[~seen]))
    return fit(with_ratios(rows.x[k], rows.of.names), np.maximum(error, LEAST_SCALE), SCALE, SCALE_ROUNDS)


def fit_quantiles(rows: Rows, horizon: int, k: NDArray[np.int64]) -> xgb.Booster:
    """Trees for the five quantiles of the deviation from the anchor."""
    params = {**POINT, "objective": "reg:quantileerror", "quantile_alpha": np.array(QUANTILES)}
    return fit(with_ratios(rows.x[k], rows.of.names), rows.y[k, horizon] - anchor(rows, horizon, k), params, 100)


def raw(trees: xgb.Booster, rows: Rows, k: NDArray[np.int64]) -> NDArray[np.float64]:
    """What the trees say of rows `k`: [k], or [k, Q] for quantiles."""
    return trees.inplace_predict(with_ratios(rows.x[k], rows.of.names)).astype(np.float64)


def forecast(trees: xgb.Booster, rows: Rows, horizon: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    """[k] mean supply rate over the horizon, fraction a year."""
    return anchor(rows, horizon, k) + TRUST[rows.of.horizons[horizon]] * raw(trees, rows, k)
