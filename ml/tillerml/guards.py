"""Guards against leaks: each raises LeakFound, which ends the build, and each is shown to fail on a planted leak."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .dataset import HOUR, Rows

#: Above these a score is not believed until the card explains it.
MOST_SKILL = 0.60
MOST_PR_AUC = 0.90
#: A comparison with NaN is false: without these words every limit would hold for a score of no rows.
NOTHING_JUDGED = "nothing was scored, so nothing was guarded"
REMEDY = "find the leak or explain it in the card"
#: Why a score over the limits is believed, by the model that it is of; the card says so too. None has needed it.
EXPLAINED: dict[str, str] = {}
#: Of what the rate does next, the share that one feature may tell by a straight line.
MOST_ALONE = 0.35
#: Skill over shuffled targets that chance alone may give.
MOST_SKILL_OF_NOISE = 0.03
#: Hours in which a feature may be, to the digit, the mean rate of the hour that follows.
MOST_FORESEEN = 0.5


class LeakFound(Exception):
    """Something of the future, or of the test, was used where it could not be known."""


def refuse_too_good(what: str, *, skill: float = 0.0, pr_auc: float = 0.0) -> None:
    """Ends the build for a skill over 60 % or a PR-AUC over 0.9, unless it is explained; and for what is no number."""
    if math.isnan(skill) or math.isnan(pr_auc):
        raise LeakFound(f"{what}: skill {skill}, PR-AUC {pr_auc}: {NOTHING_JUDGED}")
    if what in EXPLAINED:
        return
    if skill > MOST_SKILL:
        raise LeakFound(f"{what}: a skill of {skill:.0%} is over {MOST_SKILL:.0%}; {REMEDY}")
    if pr_auc > MOST_PR_AUC:
        raise LeakFound(f"{what}: a PR-AUC of {pr_auc:.2f} is over {MOST_PR_AUC}; {REMEDY}")


def refuse_overlap(times: NDArray[np.int64], horizon_hours: int, test_from: int) -> None:
    """Training rows' targets must have ended an embargo of one horizon before the test window."""
    ends = int(times.max(initial=0)) + 2 * horizon_hours * HOUR
    if ends > test_from:
        raise LeakFound(f"a training target and its embargo end {ends - test_from} s within the test window")


def refuse_inside(times: NDArray[np.int64], train_window: tuple[int, int]) -> None:
    """Rows that are held out to score a model, all of them, must lie outside of what it was trained on."""
    inside = int(np.sum((times >= train_window[0]) & (times <= train_window[1])))
    if inside > 0:
        raise LeakFound(f"{inside} held-out rows lie in the model's own training window")


def leaking_features(rows: Rows, most: int = 40_000) -> dict[str, float]:
    """Features that alone tell the future, and how well: what `refuse_leaking_features` refuses.

    A feature tells too much where its line through what the rate does next (target − rate now) explains, on later rows,
    over 35 % of the mean absolute innovation of some horizon; or where it is, to the digit, the mean of the next hour.
    """
    names = rows.of.names
    picked = np.flatnonzero(rows.fresh & rows.scored & np.isfinite(rows.y).all(axis=1))
    picked = picked[:: max(1, len(picked) // most)]
    picked = picked[np.argsort(rows.times[picked], kind="stable")]
    first, later = picked[: len(picked) // 2], picked[len(picked) // 2 :]
    found: dict[str, float] = {}
    for column, name in enumerate(names):
        skill = max(_skill_alone(rows, column, horizon, first, later) for horizon in range(rows.y.shape[1]))
        foreseen = _foreseen(rows, column, picked)
        if skill > MOST_ALONE or foreseen > MOST_FORESEEN:
            found[name] = max(skill, foreseen)
    return found


def refuse_leaking_features(rows: Rows) -> None:
    """Names the features that know what is to come."""
    found = leaking_features(rows)
    if found:
        told = ", ".join(f"{name} ({share:.0%})" for name, share in found.items())
        raise LeakFound(f"features that tell the future: {told}")


def _skill_alone(rows: Rows, column: int, horizon: int, first: NDArray, later: NDArray) -> float:
    innovation = rows.y[:, horizon] - rows.apr
    edge = np.quantile(np.abs(innovation[first]), 0.99)

    def design(k: NDArray) -> tuple[NDArray, NDArray]:
        value = rows.x[k, column].astype(np.float64)
        known = np.isfinite(value)
        value = value[known]
        return np.column_stack([np.ones(len(value)), value, value - rows.apr[k][known]]), k[known]

    a, known = design(first)
    if len(known) < 100:
        return 0.0
    weights = np.linalg.lstsq(a, np.clip(innovation[known], -edge, edge), rcond=None)[0]
    a, known = design(later)
    if len(known) < 100:
        return 0.0
    truth = np.clip(innovation[known], -edge, edge)
    without = np.abs(truth - np.median(truth)).sum()
    return 0.0 if without == 0 else float(1 - np.abs(truth - a @ weights).sum() / without)


def _foreseen(rows: Rows, column: int, k: NDArray) -> float:
    """Share of the hours in which the rate moved where the feature is the mean rate of the hour that followed."""
    hour = rows.of.horizons.index(1) if 1 in rows.of.horizons else 0
    target = rows.y[k, hour]
    moved = np.abs(target - rows.apr[k]) > 1e-5
    if moved.sum() < 100:
        return 0.0
    value = rows.x[k, column].astype(np.float64)
    return float(np.mean(np.abs(value[moved] - target[moved]) < 1e-7))


def shuffled(y: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The targets, dealt out anew: what no model may have skill on."""
    return np.random.default_rng(seed).permutation(y)


def refuse_skill_on_noise(skill: float) -> None:
    """A model of shuffled targets that still has skill has seen the rows that it is scored on."""
    if math.isnan(skill):
        raise LeakFound(f"a model of shuffled targets has a skill of {skill}: {NOTHING_JUDGED}")
    if skill > MOST_SKILL_OF_NOISE:
        raise LeakFound(f"a model of shuffled targets has a skill of {skill:.1%}: it has seen what it is scored on")
