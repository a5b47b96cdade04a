"""Probabilities of events that hurt a lender: money that cannot leave, a rate that collapses.

An event lies strictly after the row: no feature decides it. A row is asked only where the event is not on already.
Scores are told for all of these, and declustered: for rows with 24 quiet hours behind them, so that one crisis is not
asked about again for each of its hours. Classes are cuts of the calibrated probability.

Not served because these features do not tell it: that TVL falls by 30 % in a week (EXPERIMENTS.md has the score).
Depegs are in pegs.py, by the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from . import trees
from .baselines import Chosen
from .dataset import HOUR, Hours

#: Above it what a lender wants out may not be there.
ILLIQUID = 0.95
COLLAPSED = 0.5
QUIET_HOURS = 24
#: Low below the first, High from the second on.
CLASSES = (0.01, 0.05)
THIN = 3

#: Few and shallow: events are rare and come in clusters.
PARAMS = {
    "objective": "binary:logistic",
    "max_depth": 3,
    "eta": 0.05,
    "subsample": 0.5,
    "colsample_bynode": 0.3,
    "min_child_weight": 20,
    "reg_lambda": 10.0,
    "tree_method": "hist",
    "max_bin": 128,
    "nthread": 1,
    "seed": trees.SEED,
}
ROUNDS = 150
#: By what an event is about. A fuller reserve is never safer, nor a price that is farther off: what keeps trees on few
#: events from inventing the opposite.
RISES_WITH = {
    "utilisation": ["utilisation", *(f"utilisation_mean_{frame}" for frame in ("1h", "4h", "24h", "7d"))],
    "distance": ["distance"],
}
FALLS_WITH = {"utilisation": ["cash"]}
KNOTS = 33


@dataclass(frozen=True)
class Event:
    """`of`: what it is about; `hours`: how far ahead it is asked for; `above`: what that column then is over."""

    name: str
    of: str
    hours: int
    above: float = np.nan


EVENTS = (
    Event("apr-collapse-7d", "rate", 168),
    Event("exit-illiquidity-24h", "utilisation", 24, ILLIQUID),
    Event("exit-illiquidity-7d", "utilisation", 168, ILLIQUID),
)
TVL_FLIGHT = Event("tvl-flight-7d", "supplied", 168)


def labels(rows: Hours, event: Event) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """[n] whether the event happens in the hours after a row; whether the row is asked; whether declustered as well.

    An event of rates asks for `Rows`.
    """
    if event.of == "rate":
        ahead = rows.y[:, rows.of.horizons.index(event.hours)]
        with np.errstate(invalid="ignore"):
            happens = ahead < COLLAPSED * rows.apr
        asked = np.isfinite(ahead) & (rows.apr > 0)
        return happens, asked, asked
    column = np.asarray(rows.of.features[:, rows.of.column(event.of)])
    ahead, past = np.full(len(column), np.nan), np.full(len(column), np.nan)
    sign = -1.0 if event.of == "supplied" else 1.0
    for one in rows.of.series:
        values = np.where(np.isfinite(column[one.begin : one.end]), sign * column[one.begin : one.end], -np.inf)
        ahead[one.begin : one.end] = _most(values, event.hours, ahead=True)
        past[one.begin : one.end] = _most(values, QUIET_HOURS, ahead=False)
    now = column[rows.index]
    over = rows.index + event.hours < np.array([one.end for one in rows.of.series])[rows.series_of]
    if event.of == "supplied":
        return -ahead[rows.index] < now + np.log(0.7), over, over
    asked = over & (now <= event.above)
    return ahead[rows.index] > event.above, asked, asked & (past[rows.index] <= event.above)


def _most(values: NDArray[np.float64], hours: int, *, ahead: bool) -> NDArray[np.float64]:
    """[n] greatest of the `hours` values after each, or of those before it with itself; −inf beyond the ends."""
    size = hours if ahead else hours + 1
    padded = np.concatenate([np.full(size, -np.inf), values, np.full(size, -np.inf)])
    windows = maximum_filter1d(padded, size, origin=-(size // 2), mode="nearest")
    begins = np.arange(len(values)) + size + (1 if ahead else 1 - size)
    return windows[begins]


def onsets(rows: Hours, k: Chosen, happens: NDArray[np.bool_], quiet_hours: int = QUIET_HOURS) -> int:
    """Distinct events among rows in any order: runs of rows that see one, with as many quiet hours between."""
    count, last = 0, (-1, -(2**62))
    seen = k[happens[k]]
    # Rows may come fold by fold: one event over the edge of two is still one.
    for row in seen[np.lexsort((rows.times[seen], rows.series_of[seen]))]:
        at = (int(rows.series_of[row]), int(rows.times[row]))
        if at[0] != last[0] or at[1] - last[1] > quiet_hours * HOUR:
            count += 1
        last = at
    return count


def training_rows(rows: Hours, event: Event, asked: NDArray[np.bool_], test_from: int) -> Chosen:
    """Every third hour, purged by the event's hours and an embargo of the same length."""
    known = asked & rows.fresh & (rows.times + 2 * event.hours * HOUR <= test_from)
    return np.flatnonzero(known & (rows.times // HOUR % THIN == 0))


def fit(rows: Hours, event: Event, k: Chosen, happens: NDArray[np.bool_]) -> tuple[xgb.Booster, NDArray[np.float64]]:
    """Trees whose margin is the log odds, and knots [K, 2] that make of a margin a calibrated probability.

    The knots are Platt's curve, fitted on margins of rows that the trees had not seen: of alternate quarters.
    """
    margin = np.empty(len(k))
    odd = rows.times[k] // (91 * 86_400) % 2 == 1
    for seen in (odd, ~odd):
        margin[~seen] = margins(_trees(rows, event, k[seen], happens), rows, k[~seen])
    slope, offset = platt(margin, happens[k])
    trees_of_all = _trees(rows, event, k, happens)
    places = np.linspace(*np.quantile(margin, [0.0, 1.0]) + np.array([-0.5, 0.5]), KNOTS)
    return trees_of_all, np.column_stack([places, 1 / (1 + np.exp(-(slope * places + offset)))])


def _trees(rows: Hours, event: Event, k: Chosen, happens: NDArray[np.bool_]) -> xgb.Booster:
    wide = trees.with_ratios(rows.x[k], rows.of.names)
    params = PARAMS
    up, down = RISES_WITH.get(event.of, ()), FALLS_WITH.get(event.of, ())
    if up or down:
        bound = [1 if name in up else -1 if name in down else 0 for name in rows.of.names]
        params = {**PARAMS, "monotone_constraints": (*bound, *[0] * (wide.shape[1] - len(bound)))}
    return trees.fit(wide, happens[k].astype(float), params, ROUNDS)


def margins(fitted: xgb.Booster, rows: Hours, k: Chosen) -> NDArray[np.float64]:
    """[k] log odds before calibration."""
    wide = trees.with_ratios(rows.x[k], rows.of.names)
    return fitted.inplace_predict(wide, predict_type="margin").astype(np.float64)


def platt(margin: NDArray[np.float64], happens: NDArray[np.bool_], steps: int = 50) -> tuple[float, float]:
    """Slope (at least 0.05: a higher margin is a higher probability) and offset of the logistic curve of least loss."""
    design = np.column_stack([margin, np.ones(len(margin))])
    weights = np.array([1.0, 0.0])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (p - happens) + 1e-3 * (weights - [1.0, 0.0])
        curvature = (design * (p * (1 - p))[:, None]).T @ design + 1e-3 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return max(float(weights[0]), 0.05), float(weights[1])


def probability(fitted: xgb.Booster, knots: NDArray[np.float64], rows: Hours, k: Chosen) -> NDArray[np.float64]:
    """[k] calibrated, as the served graph gives it."""
    return np.interp(margins(fitted, rows, k), knots[:, 0], knots[:, 1])


def climatology(rows: Hours, k: Chosen, happens: NDArray[np.bool_], test: Chosen) -> NDArray[np.float64]:
    """[test] past frequency of the series, drawn to that of all by a hundred rows' worth."""
    overall = happens[k].mean()
    many = len(rows.of.series)
    count = np.bincount(rows.series_of[k], minlength=many)
    hits = np.bincount(rows.series_of[k], happens[k], many)
    return ((hits + 100 * overall) / (count + 100))[rows.series_of[test]]


def table(column: NDArray, k: Chosen, happens: NDArray[np.bool_], bins: int = 20) -> tuple[NDArray, NDArray]:
    """Edges [E] and frequencies [E + 1] of the past by bins of one column, finer at the top, where events are."""
    levels = np.unique(np.concatenate([np.linspace(0, 0.9, bins - 8), [0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998]]))
    known = column[k][np.isfinite(column[k])]
    edges = np.unique(np.quantile(known, levels[1:]).astype(np.float32))
    place = np.digitize(column[k], edges)
    count = np.bincount(place, minlength=len(edges) + 1)
    hits = np.bincount(place, happens[k], len(edges) + 1)
    # A bin of few rows is drawn to the frequency of all.
    return edges, (hits + 20 * happens[k].mean()) / (count + 20)


def one_column(column: NDArray, k: Chosen, happens: NDArray[np.bool_], test: Chosen) -> NDArray[np.float64]:
    """[test] what the table of rows `k` says."""
    edges, frequency = table(column, k, happens)
    return frequency[np.digitize(column[test], edges)]


def rule_column(rows: Hours, event: Event) -> NDArray[np.float32]:
    """[n] float32 the one column that nearly is the model: what the event is about, or the rate over its EWMA."""
    column, over = rule_of(event)
    return rows.column(column) if over is None else rows.column(column) / (rows.column(over) + trees.RATIO_FLOOR)


def rule_of(event: Event) -> tuple[str, str | None]:
    """Feature of the table, and the one that it is divided by (plus the ratios' floor)."""
    if event.of == "rate":
        return "apr", trees.EWMA
    return "utilisation" if event.of == "supplied" else event.of, None
