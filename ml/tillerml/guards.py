"""Guards against leaks: each raises LeakFound, which ends the build, and each is shown to fail on a planted leak."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .dataset import HOUR, Hours, Rows

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


@dataclass(frozen=True)
class Future:
    """What a feature must not tell: `truth` [n, T] of what comes, and `now` [n, T] of what is, each column in its unit.

    `next_hour`: the column that is of the coming hour alone; `asked` [n]: rows that are looked at.
    """

    truth: NDArray[np.float64]
    now: NDArray[np.float64]
    next_hour: int
    asked: NDArray[np.bool_]


def future_of(rows: Rows) -> Future:
    """Of rates: the means of the hours that follow."""
    asked = rows.fresh & rows.scored & np.isfinite(rows.y).all(axis=1)
    next_hour = rows.of.horizons.index(1) if 1 in rows.of.horizons else 0
    return Future(rows.y, np.repeat(rows.apr[:, None], rows.y.shape[1], axis=1), next_hour, asked)


def leaking_features(rows: Hours, future: Future | None = None, most: int = 40_000) -> dict[str, float]:
    """Features that alone tell the future, and how well: what `refuse_leaking_features` refuses.

    A feature tells too much where its line through what comes (truth − now) explains, on later rows, over 35 % of the
    mean absolute innovation of some target; or where it is, to the digit, what the next hour brings. `future`: of rows
    that are not of rates.
    """
    future = future_of(rows) if future is None else future
    picked = np.flatnonzero(future.asked)
    picked = picked[:: max(1, len(picked) // most)]
    picked = picked[np.argsort(rows.times[picked], kind="stable")]
    first, later = picked[: len(picked) // 2], picked[len(picked) // 2 :]
    found: dict[str, float] = {}
    for column, name in enumerate(rows.of.names):
        value = rows.x[:, column]
        skill = max(_skill_alone(value, future, target, first, later) for target in range(future.truth.shape[1]))
        foreseen = _foreseen(value, future, picked)
        if skill > MOST_ALONE or foreseen > MOST_FORESEEN:
            found[name] = max(skill, foreseen)
    return found


def refuse_leaking_features(rows: Hours, future: Future | None = None) -> None:
    """Names the features that know what is to come; `future` as of `leaking_features`."""
    found = leaking_features(rows, future)
    if found:
        told = ", ".join(f"{name} ({share:.0%})" for name, share in found.items())
        raise LeakFound(f"features that tell the future: {told}")


def _skill_alone(values: NDArray[np.float32], future: Future, target: int, first: NDArray, later: NDArray) -> float:
    now = future.now[:, target]
    innovation = future.truth[:, target] - now
    edge = np.quantile(np.abs(innovation[first]), 0.99)

    def design(k: NDArray) -> tuple[NDArray, NDArray]:
        value = values[k].astype(np.float64)
        known = np.isfinite(value)
        value = value[known]
        return np.column_stack([np.ones(len(value)), value, value - now[k][known]]), k[known]

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


def _foreseen(values: NDArray[np.float32], future: Future, k: NDArray) -> float:
    """Share of the hours in which something moved where the feature is what the hour brought."""
    truth, now = future.truth[k, future.next_hour], future.now[k, future.next_hour]
    moved = np.abs(truth - now) > 1e-5
    if moved.sum() < 100:
        return 0.0
    value = values[k].astype(np.float64)
    return float(np.mean(np.abs(value[moved] - truth[moved]) < 1e-7))


def shuffled(y: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The targets, dealt out anew: what no model may have skill on."""
    return np.random.default_rng(seed).permutation(y)


def refuse_skill_on_noise(skill: float) -> None:
    """A model of shuffled targets that still has skill has seen the rows that it is scored on."""
    if math.isnan(skill):
        raise LeakFound(f"a model of shuffled targets has a skill of {skill}: {NOTHING_JUDGED}")
    if skill > MOST_SKILL_OF_NOISE:
        raise LeakFound(f"a model of shuffled targets has a skill of {skill:.1%}: it has seen what it is scored on")
