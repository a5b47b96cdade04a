"""Scores a kept rate model, by its graph, on rows after its training window: what another language must find too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from . import artefact, guards, refit, trees
from .dataset import Rows

#: Of fewer rows a ratio says nothing.
LEAST_ROWS = 100


class NotOfThisData(Exception):
    """A model or scores are of other features or data than the data set, or it ends before what is to be scored."""


def score(rows: Rows, folder: Path) -> list[dict]:
    """One entry per horizon and series of at least a hundred rows.

    MAE of the model and of both baselines in fractions a year, and the mean scale over the mean error. Raises LeakFound
    for an evaluation model whose own window holds rows from after the freeze.
    """
    artefact.verify(folder)
    card = json.loads((folder / "card.json").read_text())
    if [one["name"] for one in card["features"]] != list(rows.of.names):
        raise NotOfThisData(f"{folder.name} takes other features than this data set has")
    window = (card["trainWindow"]["from"], card["trainWindow"]["to"])
    if card["role"] == "evaluation":
        guards.refuse_inside(rows.times[rows.times >= refit.FROZEN_AT], window)
    after = np.flatnonzero(rows.times > window[1])
    if len(after) == 0:
        return []
    said = artefact.run((folder / "model.onnx").read_bytes(), {"features": rows.x[after]})
    found = []
    for horizon, hours in enumerate(card["horizonsHours"]):
        scoreable = rows.scoreable(horizon)[after]
        for number in np.unique(rows.series_of[after[scoreable]]):
            of = scoreable & (rows.series_of[after] == number)
            k = after[of]
            if len(k) < LEAST_ROWS:
                continue
            truth = rows.y[k, horizon]
            found.append(
                {
                    "series": rows.of.series[number].name,
                    "horizonHours": hours,
                    "rows": len(k),
                    "mae": float(np.abs(truth - rows.ewma[k] - said["deviation"][of, horizon]).mean()),
                    "persistence": float(np.abs(truth - rows.apr[k]).mean()),
                    "ewma": float(np.abs(truth - rows.ewma[k]).mean()),
                    "scaleOverError": float(
                        said["scale"][of, horizon].mean()
                        / np.abs(truth - rows.ewma[k] - said["deviation"][of, horizon]).mean()
                    ),
                }
            )
    return found


def refuse_if_noise_teaches(rows: Rows, horizon: int, frozen_at: int) -> float:
    """Skill on the rows after the freeze of trees that learnt shuffled deviations; raises LeakFound if there is any.

    Raises NotOfThisData where no scored row lies after the freeze: there the guard would guard nothing.
    """
    after = np.flatnonzero(rows.scoreable(horizon) & (rows.times >= frozen_at))
    if len(after) == 0:
        raise NotOfThisData(
            f"no scored row of {rows.of.horizons[horizon]} h lies after the freeze ({frozen_at}): write a data set "
            "that reaches beyond it"
        )
    k = refit.training_rows(rows, horizon, frozen_at)
    noise = guards.shuffled(rows.y[k, horizon] - trees.anchor(rows, horizon, k), trees.SEED)
    fitted = trees.fit_point(rows, horizon, k, noise + trees.anchor(rows, horizon, k))
    truth = rows.y[after, horizon]
    without = np.abs(truth - trees.anchor(rows, horizon, after)).mean()
    skill = float(1 - np.abs(truth - trees.forecast(fitted, rows, horizon, after)).mean() / without)
    guards.refuse_skill_on_noise(skill)
    return skill
