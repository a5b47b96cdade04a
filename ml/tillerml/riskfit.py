"""Scores of the risk classifiers by walk-forward, and the ones that are kept under models/.

Trees and the one-column table err apart: their mean is served where it has the best Brier skill before the freeze, else
the table, named so; nothing where neither beats the climatology.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import artefact, folds, guards, marks, onnx_graph, refit, risk, scores, trees
from .baselines import Chosen
from .dataset import HOUR, Hours

#: The nine long hourly series on which the marks were set: Aave V2 and V3, dollars and WETH.
SCORED = frozenset(
    "aave-v2-dai aave-v2-usdc aave-v2-usdt aave-v2-weth aave-v3-dai aave-v3-usdc aave-v3-usdt aave-v3-weth "
    "aave-v3-usde".split()
)
TREES, TABLE, MEAN, CLIMATOLOGY = "XGBoost", "one-column table", "mean of XGBoost and table", "climatology"
#: Reliability is told in bins between these probabilities.
BINS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)


def scored_series(rows: Hours) -> list[str]:
    """Names of the series that risk is scored on: of SCORED, or where none is, all that rates are scored on."""
    there = {rows.of.series[number].name: rows.of.series[number].scored for number in np.unique(rows.series_of)}
    return sorted(SCORED & there.keys()) or sorted(name for name, scored in there.items() if scored)


def _scored(rows: Hours) -> NDArray[np.bool_]:
    names = scored_series(rows)
    return np.array([one.name in names for one in rows.of.series])[rows.series_of]


def _walk(rows: Hours, event: risk.Event, shown: tuple[folds.Fold, ...]) -> tuple[Chosen, dict[str, NDArray]]:
    """Test rows of all folds and each model's probabilities of them."""
    happens, asked, _ = risk.labels(rows, event)
    column, scored = risk.rule_column(rows, event), _scored(rows)
    said: dict[str, list[NDArray]] = {TREES: [], TABLE: [], MEAN: [], CLIMATOLOGY: []}
    tested = []
    for fold in shown:
        k = risk.training_rows(rows, event, asked, fold.test_from)
        guards.refuse_overlap(rows.times[k], event.hours, fold.test_from)
        inside = (rows.times >= fold.test_from) & (rows.times < fold.test_to)
        test = np.flatnonzero(asked & rows.fresh & scored & inside & (rows.times // HOUR % risk.THIN == 0))
        fitted, knots = risk.fit(rows, event, k, happens)
        mine = k[scored[k]]
        tested.append(test)
        said[TREES].append(risk.probability(fitted, knots, rows, test))
        said[TABLE].append(risk.one_column(column, mine, happens, test))
        said[MEAN].append((said[TREES][-1] + said[TABLE][-1]) / 2)
        said[CLIMATOLOGY].append(risk.climatology(rows, mine, happens, test))
    return np.concatenate(tested), {name: np.concatenate(parts) for name, parts in said.items()}


def scores_of_all(
    rows: Hours, shown: tuple[folds.Fold, ...], events: tuple[risk.Event, ...] = (*risk.EVENTS, risk.TVL_FLIGHT)
) -> dict[str, dict]:
    """By event: rows, distinct events, scores of each model, over all folds and over those before the freeze."""
    found = {}
    for event in events:
        happens, _, quiet = risk.labels(rows, event)
        test, said = _walk(rows, event, shown)
        past = rows.times[test] + 2 * event.hours * HOUR <= refit.FROZEN_AT
        found[event.name] = {
            "hours": event.hours,
            "all": _scores(rows, test, happens, said),
            "declustered": _scores(
                rows, test[quiet[test]], happens, {name: p[quiet[test]] for name, p in said.items()}
            ),
            "beforeFreeze": _scores(rows, test[past], happens, {name: p[past] for name, p in said.items()}),
        }
        for one in found[event.name]["all"]["models"].values():
            # Where nothing happened there is nothing to be too good at.
            if found[event.name]["all"]["events"] == 0:
                continue
            guards.refuse_too_good(f"risk-{event.name}", pr_auc=one["prAuc"], skill=one["brierSkill"])
    return found


def _scores(rows: Hours, test: Chosen, happens: NDArray[np.bool_], said: dict[str, NDArray]) -> dict:
    truth = happens[test]
    models = {
        name: {
            "prAuc": scores.pr_auc(truth, p),
            "brierSkill": scores.brier_skill(truth, p, said[CLIMATOLOGY]),
            "reliability": scores.reliability(truth, p, BINS),
            "highClass": _recall(truth, p),
        }
        for name, p in said.items()
    }
    return {
        "rows": len(test),
        "prevalence": float(truth.mean()),
        "events": risk.onsets(rows, test, happens),
        "models": models,
    }


def _recall(truth: NDArray[np.bool_], p: NDArray[np.float64]) -> dict:
    """Of rows classed High: share of all rows, share of the rows with an event that they hold, share that had one."""
    high = p >= risk.CLASSES[1]
    return {
        "share": float(high.mean()),
        "recall": float(truth[high].sum() / max(1, truth.sum())),
        "precision": float(truth[high].mean()) if high.any() else 0.0,
    }


def served(scored: dict) -> str | None:
    """Which model serves an event by scores before the freeze: the better Brier skill; None where neither has any."""
    best = max((MEAN, TABLE), key=lambda name: scored["beforeFreeze"]["models"][name]["brierSkill"])
    return best if scored["beforeFreeze"]["models"][best]["brierSkill"] > 0 else None


def write_all(
    rows: Hours, models: Path, scored: dict[str, dict], events: tuple[risk.Event, ...] = risk.EVENTS
) -> None:
    """Writes `risk-<event>` (frozen) and `risk-<event>-served` (refit) of every event that is served."""
    for event in events:
        kind = served(scored[event.name])
        if kind is None:
            continue
        for suffix, frozen_at in (("", refit.FROZEN_AT), ("-served", None)):
            _write(rows, models / f"risk-{event.name}{suffix}", event, kind, frozen_at, scored[event.name])


def _write(rows: Hours, folder: Path, event: risk.Event, kind: str, frozen_at: int | None, scored: dict) -> None:
    happens, asked, _ = risk.labels(rows, event)
    k = risk.training_rows(rows, event, asked, 2**62 if frozen_at is None else frozen_at)
    mine = k[_scored(rows)[k]]
    table = risk.table(risk.rule_column(rows, event), mine, happens)
    fitted, knots = risk.fit(rows, event, k, happens) if kind == MEAN else (None, None)
    model = onnx_graph.risk_model(fitted, knots, table, risk.rule_of(event), rows.of.names)
    if kind == TABLE:
        k = mine
    which = "all" if frozen_at is None else "beforeFreeze"
    base = scored[which]["prevalence"]
    card = {
        "name": folder.name,
        "kind": "ensemble" if kind == MEAN else "table",
        "role": "served" if frozen_at is None else "evaluation",
        "opset": onnx_graph.OPSET,
        "featureVersion": rows.of.feature_version,
        "features": artefact.features_of(rows.of),
        "input": {"kind": "row"},
        "event": {"name": event.name, "horizonHours": event.hours, "classes": list(risk.CLASSES), "prevalence": base},
        "horizonsHours": [event.hours],
        "servedHorizonsHours": [event.hours],
        "trainWindow": {
            "from": int(rows.times[k].min()),
            "to": int(rows.times[k].max()) + event.hours * HOUR,
        },
        "trainSeries": sorted({rows.of.series[s].name for s in np.unique(rows.series_of[k])}),
        "trainRows": len(k),
        "trainRowsHash": folds.rows_hash(rows, k),
        "dataHash": rows.of.data_hash,
        "codeCommit": artefact.code_commit(),
        "seed": trees.SEED,
        "scores": without_nan(scored[which]),
        "marks": {
            "over": "all folds" if frozen_at is None else "rows before the freeze",
            "marks": marks.of_event(event.name, scored[which], model=kind, table=kind == TABLE),
        },
        "calibration": "inside the graph: past frequency by bins of one column"
        + ("; its mean with Platt's curve on margins of quarters that the trees had not seen" if kind == MEAN else ""),
        "explained": guards.EXPLAINED.get(f"risk-{event.name}"),
        "featureStats": artefact.feature_stats(rows.x[k], rows.of.names),
    }
    artefact.write(folder, model, card, {"features": refit.golden_rows(rows, k)})
    artefact.verify(folder)


def without_nan(value: object) -> object:
    """NaN, which JSON has not, as null."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
