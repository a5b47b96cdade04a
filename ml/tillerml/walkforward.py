"""Forecasts of every model for every fold and horizon, each from rows that were known before the fold.

The first fold only gives the stacked ensembles a past to take weights from; tables show the folds after it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import baselines, folds, guards, scores, stacking, structural, trees
from .dataset import Rows
from .refit import THIN

Predictor = Callable[[Rows, int, NDArray, NDArray], NDArray[np.float64]]

WARM_UP = folds.half_years((2023, 1), (2023, 1))

#: (rows, horizon, train, test) → forecast [test].
SIMPLE: dict[str, Predictor] = {
    "persistence": lambda rows, _h, _train, test: baselines.persistence(rows, test),
    "EWMA 24 h": lambda rows, _h, _train, test: baselines.ewma(rows, test),
    "mean of 7 d": lambda rows, _h, _train, test: baselines.week(rows, test),
    "ridge": baselines.ridge,
    "NLinear": baselines.nlinear,
    "structural": structural.forecast,
    "XGBoost": lambda rows, h, train, test: trees.forecast(trees.fit_point(rows, h, train), rows, h, test),
}
XGBOOST = "XGBoost"


@dataclass
class Walk:
    """Test rows [k] and forecasts [k] by (horizon, fold); weights of ensembles beside."""

    rows: Rows
    folds: tuple[folds.Fold, ...]
    test: dict[tuple[int, str], NDArray[np.int64]] = field(default_factory=dict)
    forecasts: dict[str, dict[tuple[int, str], NDArray[np.float64]]] = field(default_factory=dict)
    weights: dict[str, dict[tuple[int, str], dict[str, float]]] = field(default_factory=dict)

    def over(self, model: str, horizon: int, shown: tuple[folds.Fold, ...]) -> tuple[NDArray, NDArray]:
        """Rows and forecasts of several folds, one after the other."""
        keys = [(horizon, fold.name) for fold in shown if (horizon, fold.name) in self.forecasts.get(model, {})]
        if not keys:
            return np.array([], dtype=np.int64), np.array([])
        return (
            np.concatenate([self.test[key] for key in keys]),
            np.concatenate([self.forecasts[model][key] for key in keys]),
        )


def walk(
    rows: Rows,
    every: tuple[folds.Fold, ...],
    deep: dict[str, Callable] | None = None,
    *,
    models: tuple[str, ...] = tuple(SIMPLE),
) -> Walk:
    """Runs models over the folds, of which the first is the warm-up where there are ensembles.

    `models`: which of SIMPLE. `deep`: by name, (rows, fold) → forecasts [k] for each horizon; they train one network for
    all horizons.
    """
    result = Walk(rows, every)
    for fold in result.folds:
        for horizon, hours in enumerate(rows.of.horizons):
            train = folds.training_rows(rows, horizon, fold.test_from, THIN)
            test = folds.test_rows(rows, horizon, fold)
            guards.refuse_overlap(rows.times[train], hours, fold.test_from)
            result.test[horizon, fold.name] = test
            for name in models:
                _keep(result, name, (horizon, fold.name), SIMPLE[name](rows, horizon, train, test))
        for name, predictor in (deep or {}).items():
            for horizon, forecast in enumerate(predictor(rows, fold)):
                _keep(result, name, (horizon, fold.name), forecast)
        print(f"fold {fold.name} done", file=sys.stderr, flush=True)
    for name, members in ensembles(tuple(result.forecasts)).items():
        stack(result, name, members)
    return result


def ensembles(models: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Members of each ensemble, of the models that were run."""
    found = {"stacked": tuple(one for one in models if one not in ("ridge", "mean of 7 d"))}
    for other in ("structural", "LSTM"):
        if other in models:
            found[f"{other} + XGBoost"] = (other, XGBOOST)
    return {name: members for name, members in found.items() if len(members) > 1}


def stack(result: Walk, name: str, members: tuple[str, ...]) -> None:
    """Weights for a fold come from the folds before it whose targets had ended when it began."""
    for horizon, hours in enumerate(result.rows.of.horizons):
        for place, fold in enumerate(result.folds):
            key = (horizon, fold.name)
            past = [(horizon, one.name) for one in result.folds[:place]]
            table = np.column_stack([result.forecasts[member][key] for member in members])
            if past:
                rows = np.concatenate([result.test[one] for one in past])
                seen = np.column_stack(
                    [np.concatenate([result.forecasts[member][one] for one in past]) for member in members]
                )
                ended = result.rows.times[rows] + 2 * hours * 3_600 <= fold.test_from
                chosen = stacking.weights(seen[ended], result.rows.y[rows[ended], horizon])
            else:
                chosen = np.full(len(members), 1 / len(members))
            _keep(result, name, key, table @ chosen)
            result.weights.setdefault(name, {})[key] = dict(zip(members, chosen.round(3).tolist(), strict=True))


def leave_one_series_out(rows: Rows, shown: tuple[folds.Fold, ...], horizons: tuple[int, ...]) -> list[dict]:
    """XGBoost on series that no tree has seen: one entry per scored series and horizon, MAE in fractions a year.

    Refitted at the begin of every second fold, without any row of the series.
    """
    found = []
    pairs = [shown[k : k + 2] for k in range(0, len(shown), 2)]
    for number, series in enumerate(rows.of.series):
        if not series.scored:
            continue
        for horizon in horizons:
            picked, said = [], []
            for pair in pairs:
                whole = folds.Fold("", pair[0].test_from, pair[-1].test_to)
                test = folds.test_rows(rows, horizon, whole)
                test = test[rows.series_of[test] == number]
                train = folds.training_rows(rows, horizon, whole.test_from, THIN)
                train = train[rows.series_of[train] != number]
                if len(test) < 500:
                    continue
                picked.append(test)
                said.append(trees.forecast(trees.fit_point(rows, horizon, train), rows, horizon, test))
            if not picked:
                continue
            k = np.concatenate(picked)
            truth = rows.y[k, horizon]
            found.append(
                {
                    "series": series.name,
                    "horizonHours": rows.of.horizons[horizon],
                    "rows": len(k),
                    "mae": float(np.mean(np.abs(truth - np.concatenate(said)))),
                    "persistence": float(np.mean(np.abs(truth - rows.apr[k]))),
                    "ewma": float(np.mean(np.abs(truth - rows.ewma[k]))),
                }
            )
    return found


def quantile_scores(rows: Rows, shown: tuple[folds.Fold, ...], horizons: tuple[int, ...]) -> list[dict]:
    """Trees for quantiles: pinball (fractions a year), CRPS by them, and the share below each, over all test rows."""
    found = []
    for horizon in horizons:
        truths, saids = [], []
        for fold in shown:
            train = folds.training_rows(rows, horizon, fold.test_from, THIN)
            test = folds.test_rows(rows, horizon, fold)
            fitted = trees.fit_quantiles(rows, horizon, train)
            said = np.sort(trees.raw(fitted, rows, test), axis=1)
            saids.append(trees.anchor(rows, horizon, test)[:, None] + said)
            truths.append(rows.y[test, horizon])
        truth, said = np.concatenate(truths), np.concatenate(saids)
        loss = {q: scores.pinball(truth, said[:, k], q) for k, q in enumerate(trees.QUANTILES)}
        found.append(
            {
                "horizonHours": rows.of.horizons[horizon],
                "pinball": {str(q): one for q, one in loss.items()},
                "crps": scores.crps(loss),
                "below": {str(q): float(np.mean(truth < said[:, k])) for k, q in enumerate(trees.QUANTILES)},
            }
        )
    return found


def _keep(result: Walk, name: str, key: tuple[int, str], forecast: NDArray[np.float64]) -> None:
    if not np.isfinite(forecast).all():
        raise ValueError(f"{name} forecast what is no number in fold {key[1]}")
    result.forecasts.setdefault(name, {})[key] = forecast
