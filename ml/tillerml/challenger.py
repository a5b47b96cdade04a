"""A refit on all that a keeper has stored: judged on the last half-years of that data, then fitted on the whole of it.

What is served it does not decide: the model runs in the shadow of the one that is. Settings are those of the models that
are shipped; nothing is chosen here.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np

from . import check, folds, guards, refit, report, walkforward
from .dataset import HOUR, Rows

#: Half-years up to the end of the data that say how good the trees are, the last one unseen by every earlier fit.
MOST_FOLDS = 4
#: Of one half-year nobody knows whether the next is like it.
LEAST_FOLDS = 2
FOLD_DAYS = 182
#: Rows that train in front of a fold, of each horizon: about half a year of three series, every fourth hour.
LEAST_TRAIN = 3_000


class TooLittleHistory(Exception):
    """The data set is too short to train on and to hold anything out."""


def write(rows: Rows, folder: Path) -> dict:
    """Judges and writes one model; its scores as the card has them.

    Raises TooLittleHistory, LeakFound, ArtefactRefused.
    """
    rows = scored_or_all(rows)
    shown = judged_on(rows)
    walk = walkforward.walk(rows, shown, models=(walkforward.XGBOOST,))
    for horizon in range(len(rows.of.horizons)):
        guards.refuse_too_good(walkforward.XGBOOST, skill=_skill(walk, horizon, shown))
        check.refuse_if_noise_teaches(rows, horizon, shown[-1].test_from)
    scored = report.past_scores(walk, 2**62)
    print("fitting on all of it", file=sys.stderr, flush=True)
    refit.write_rate_model(rows, folder, None, scored)
    return scored


def judged_on(rows: Rows) -> tuple[folds.Fold, ...]:
    """The last folds of half a year each that have enough to be trained on and to be scored, oldest first.

    Raises TooLittleHistory where they are fewer than two.
    """
    # The longest target of the last scored row is known: a fold that ended later would miss its last week.
    known = rows.times[rows.scoreable(len(rows.of.horizons) - 1)]
    enough: list[folds.Fold] = []
    for fold in reversed(folds.before(int(known.max()) + HOUR, MOST_FOLDS, FOLD_DAYS)) if len(known) > 0 else ():
        if not _is_enough(rows, fold):
            break
        enough.insert(0, fold)
    if len(enough) < LEAST_FOLDS:
        raise TooLittleHistory(
            f"{len(enough)} half-years of this data could be scored by trees that had {LEAST_TRAIN} rows before them, of "
            f"{LEAST_FOLDS} that are needed: import history of lending markets with tiller data import"
        )
    return tuple(enough)


def scored_or_all(rows: Rows) -> Rows:
    """The rows, scored on every series where none has the name of one that the project scores."""
    return rows if rows.scored.any() else dataclasses.replace(rows, scored=np.ones_like(rows.scored))


def _is_enough(rows: Rows, fold: folds.Fold) -> bool:
    return all(
        len(folds.training_rows(rows, horizon, fold.test_from, refit.THIN)) >= LEAST_TRAIN
        and len(folds.test_rows(rows, horizon, fold)) >= report.LEAST_ROWS
        for horizon in range(len(rows.of.horizons))
    )


def _skill(walk: walkforward.Walk, horizon: int, shown: tuple[folds.Fold, ...]) -> float:
    """Over the better baseline, all folds together."""
    k, said = walk.over(walkforward.XGBOOST, horizon, shown)
    truth = walk.rows.y[k, horizon]
    base = min(np.abs(truth - walk.rows.apr[k]).mean(), np.abs(truth - walk.rows.ewma[k]).mean())
    return float(1 - np.abs(truth - said).mean() / base)
