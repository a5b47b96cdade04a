"""What a walk says, as numbers for JSON and as tables for the README."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import folds, guards, scores
from .dataset import HOUR
from .walkforward import XGBOOST, Walk

#: Series whose tests are shown have at least so many scored rows.
LEAST_ROWS = 1_000
#: Four weeks: four of the longest targets.
BLOCK_HOURS = 672
#: Says of the intervals how they were made, beside them.
BLOCKS = "moving blocks of four weeks"
#: A horizon is served where the model beat the better baseline by so much in each past fold.
SERVED_BELOW = 0.995


def point_table(walk: Walk, shown: tuple[folds.Fold, ...]) -> list[dict]:
    """One entry per model and horizon: MAE and RMSE (percentage points a year), ratios to both baselines, by fold."""
    table = []
    for horizon, hours in enumerate(walk.rows.of.horizons):
        for model in walk.forecasts:
            k, said = walk.over(model, horizon, shown)
            truth = walk.rows.y[k, horizon]
            error, now = np.abs(truth - said), np.abs(truth - walk.rows.apr[k])
            mean = np.abs(truth - walk.rows.ewma[k])
            low, high = scores.block_bootstrap_ratio(error, now, walk.rows.times[k] / HOUR, BLOCK_HOURS)
            table.append(
                {
                    "model": model,
                    "horizonHours": hours,
                    "rows": len(k),
                    "maePp": float(100 * error.mean()),
                    "rmsePp": float(100 * np.sqrt(np.mean((truth - said) ** 2))),
                    "overPersistence": float(error.mean() / now.mean()),
                    "overPersistence90": [low, high],
                    "overEwma": float(error.mean() / mean.mean()),
                    "geometricMeanOverPersistence": _geometric(walk, k, error, now),
                    "folds": {fold.name: _ratio(walk, model, horizon, fold) for fold in shown},
                }
            )
            if model not in ("persistence", "EWMA 24 h"):
                skill = 1 - error.mean() / min(now.mean(), mean.mean())
                guards.refuse_too_good(model, skill=float(skill))
    return table


def _geometric(walk: Walk, k: NDArray, error: NDArray, base: NDArray) -> float:
    ratios = [
        error[of].mean() / base[of].mean()
        for series in np.unique(walk.rows.series_of[k])
        for of in [walk.rows.series_of[k] == series]
        if of.sum() >= LEAST_ROWS
    ]
    return float(np.exp(np.mean(np.log(ratios))))


def _ratio(walk: Walk, model: str, horizon: int, fold: folds.Fold, before: int = 2**62) -> float:
    """MAE over that of the better of persistence and EWMA in one fold, of targets that had ended."""
    k, said = _ended(walk, model, horizon, (fold,), before)
    truth = walk.rows.y[k, horizon]
    base = min(np.abs(truth - walk.rows.apr[k]).mean(), np.abs(truth - walk.rows.ewma[k]).mean())
    return float(np.abs(truth - said).mean() / base)


def _ended(walk: Walk, model: str, horizon: int, shown: tuple[folds.Fold, ...], before: int) -> tuple[NDArray, NDArray]:
    k, said = walk.over(model, horizon, shown)
    ended = walk.rows.times[k] + walk.rows.of.horizons[horizon] * HOUR <= before
    return k[ended], said[ended]


def series_tests(walk: Walk, shown: tuple[folds.Fold, ...], model: str, before: int = 2**62) -> list[dict]:
    """Diebold and Mariano's test by series and horizon, lag twice the horizon, p by Holm over the series.

    Of targets that had ended `before`.
    """
    table = []
    for horizon, hours in enumerate(walk.rows.of.horizons):
        k, said = _ended(walk, model, horizon, shown, before)
        truth = walk.rows.y[k, horizon]
        error = np.abs(truth - said)
        against = {"persistence": np.abs(truth - walk.rows.apr[k]), "ewma": np.abs(truth - walk.rows.ewma[k])}
        found = []
        for number in np.unique(walk.rows.series_of[k]):
            of = walk.rows.series_of[k] == number
            if of.sum() < LEAST_ROWS:
                continue
            one = {"series": walk.rows.of.series[number].name, "horizonHours": hours, "rows": int(of.sum())}
            for name, base in against.items():
                t, p = scores.diebold_mariano(error[of], base[of], walk.rows.times[k][of] / HOUR, 2 * hours)
                one[name] = {"ratio": float(error[of].mean() / base[of].mean()), "t": t, "p": p}
            found.append(one)
        for name in against:
            for one, p in zip(found, scores.holm([one[name]["p"] for one in found]), strict=True):
                one[name]["pHolm"] = p
        table += found
    return table


def past_scores(walk: Walk, before: int, model: str = XGBOOST) -> dict:
    """What a card may say of a model that is frozen at `before`: of folds and targets that had ended by then."""
    past = tuple(fold for fold in walk.folds if fold.test_to <= before)
    served, fold_scores, errors = [], [], {}
    for horizon, hours in enumerate(walk.rows.of.horizons):
        ratios = {fold.name: _ratio(walk, model, horizon, fold, before) for fold in past}
        # Of no fold all things hold: what was never scored is left to the baseline.
        if ratios and all(ratio < SERVED_BELOW for ratio in ratios.values()):
            served.append(hours)
        for fold in past:
            k, said = _ended(walk, model, horizon, (fold,), before)
            truth = walk.rows.y[k, horizon]
            fold_scores.append(
                {
                    "fold": fold.name,
                    "horizonHours": hours,
                    "rows": len(k),
                    "mae": float(np.abs(truth - said).mean()),
                    "persistence": float(np.abs(truth - walk.rows.apr[k]).mean()),
                    "ewma": float(np.abs(truth - walk.rows.ewma[k]).mean()),
                    "overBetterBaseline": ratios[fold.name],
                }
            )
        k, said = _ended(walk, model, horizon, past, before)
        if len(k) > 0:
            errors[str(hours)] = {"mae": float(np.abs(walk.rows.y[k, horizon] - said).mean())}
    tests = series_tests(walk, past, model, before)
    return {"servedHorizonsHours": served, "scores": fold_scores, "errorStats": errors, "tests": tests}


def challengers(walk: Walk, shown: tuple[folds.Fold, ...], champion: str) -> list[dict]:
    """Every other model against the champion, series pooled by hour: ratio of MAE and t (below 0: better)."""
    table = []
    for horizon, hours in enumerate(walk.rows.of.horizons):
        k, said = walk.over(champion, horizon, shown)
        truth, at = walk.rows.y[k, horizon], walk.rows.times[k] // HOUR
        clock, place = np.unique(at, return_inverse=True)
        many = np.bincount(place)
        best = np.abs(truth - said)
        for model in walk.forecasts:
            if model == champion:
                continue
            error = np.abs(truth - walk.over(model, horizon, shown)[1])
            t, p = scores.diebold_mariano(
                np.bincount(place, error) / many, np.bincount(place, best) / many, clock.astype(float), 2 * hours
            )
            ratio = float(error.mean() / best.mean())
            table.append({"model": model, "horizonHours": hours, "ratio": ratio, "t": t, "p": p})
    return table
