"""Fits the rate models that are kept: one frozen before its test window, one on all that is known; and their cards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import artefact, folds, guards, marks, onnx_graph, trees
from .dataset import HOUR, Rows

#: Every fourth hour of the clock trains: more rows of the same weeks gave nothing.
THIN = 4
MODELS = Path(__file__).parent.parent / "models"
EVALUATION = "evaluation-2024h2"
FROZEN_AT = folds.unix(2024, 7)


def fit_rate_model(rows: Rows, frozen_at: int | None) -> tuple[object, NDArray[np.int64], dict]:
    """Trees of every horizon as one graph; the rows of the longest window; what the card says of the window.

    `frozen_at`: every target, and an embargo of its horizon, ended before; None: all that is known.
    """
    point, scale, used = [], [], np.zeros(len(rows.times), dtype=bool)
    ends = 0
    for horizon, hours in enumerate(rows.of.horizons):
        k = training_rows(rows, horizon, frozen_at)
        if frozen_at is not None:
            guards.refuse_overlap(rows.times[k], hours, frozen_at)
        point.append(trees.fit_point(rows, horizon, k))
        scale.append(trees.fit_scale(rows, horizon, k))
        used[k] = True
        ends = max(ends, int(rows.times[k].max()) + hours * HOUR)
    chosen = np.flatnonzero(used)
    window = {
        "trainWindow": {"from": int(rows.times[chosen].min()), "to": ends},
        "trainSeries": sorted({rows.of.series[s].name for s in np.unique(rows.series_of[chosen])}),
        "trainRows": len(chosen),
        "trainRowsHash": folds.rows_hash(rows, chosen),
    }
    return onnx_graph.rate_model(point, scale, rows.of.names, rows.of.horizons), chosen, window


def training_rows(rows: Rows, horizon: int, frozen_at: int | None) -> NDArray[np.int64]:
    """As a fold's; without a date, everything whose target is known."""
    return folds.training_rows(rows, horizon, 2**62 if frozen_at is None else frozen_at, THIN)


def golden_rows(rows: Rows, chosen: NDArray[np.int64], many: int = artefact.GOLDEN_ROWS) -> NDArray[np.float32]:
    """[many, F] rows spread over the training rows, those with features that are not known among them."""
    rng = np.random.default_rng(trees.SEED)
    unknown = chosen[np.isnan(rows.x[chosen]).any(axis=1)]
    known = np.setdiff1d(chosen, unknown)
    few = min(len(unknown), max(many // 4, many - len(known)))
    picked = np.concatenate([rng.choice(unknown, few, replace=False), rng.choice(known, many - few, replace=False)])
    return rows.x[np.sort(picked)]


def write_rate_model(rows: Rows, folder: Path, frozen_at: int | None, scored: dict) -> None:
    """Fits and writes one artefact. `scored`: what past folds say (served horizons, scores, errors, tests)."""
    model, chosen, window = fit_rate_model(rows, frozen_at)
    card = {
        "name": folder.name,
        "kind": "xgboost",
        "role": "served" if frozen_at is None else "evaluation",
        "opset": onnx_graph.OPSET,
        "featureVersion": rows.of.feature_version,
        "features": artefact.features_of(rows.of),
        "input": {"kind": "row"},
        "horizonsHours": list(rows.of.horizons),
        "servedHorizonsHours": scored["servedHorizonsHours"],
        **window,
        "dataHash": rows.of.data_hash,
        "codeCommit": artefact.code_commit(),
        "seed": trees.SEED,
        "scores": scored["scores"],
        "errorStats": scored["errorStats"],
        "marks": marks.of_rates(scored),
        "calibration": "scale: expected absolute error, fitted on errors of quarters that the trees had not seen. "
        "Intervals are conformal and made where the model is served, from residuals already realised.",
        "explained": guards.EXPLAINED.get("XGBoost"),
        "featureStats": artefact.feature_stats(rows.x[chosen], rows.of.names),
    }
    artefact.write(folder, model, card, {"features": golden_rows(rows, chosen)})
    artefact.verify(folder)
