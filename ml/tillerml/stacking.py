"""The stacked ensemble: weights of its members, none negative, one in sum, from forecasts of past folds only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

#: Rows that the weights are fitted on, spread evenly over the past folds.
MOST_ROWS = 3_000


class NotSolved(Exception):
    """There are no weights: no past to take them from, or the solver found none."""


def weights(members: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """[M] weights of least mean absolute error on members' forecasts [n, M] and targets [n] of past folds.

    A linear programme: residual = above − below, least sum of both. Raises NotSolved; equal weights would look found.
    """
    if len(y) == 0:
        raise NotSolved("stacking: no target of a past fold had ended, so there is nothing to take weights from")
    k = np.linspace(0, len(y) - 1, min(len(y), MOST_ROWS)).astype(int)
    p, truth = members[k], y[k]
    n, m = p.shape
    # In basis points: the solver's tolerances are absolute.
    scale = 1e4
    identity = np.eye(n)
    left = np.vstack([np.hstack([p * scale, identity, -identity]), [[1.0] * m + [0.0] * 2 * n]])
    solved = linprog([0.0] * m + [1.0] * 2 * n, A_eq=left, b_eq=[*(truth * scale), 1.0], method="highs")
    if not solved.success:
        raise NotSolved(f"stacking: no weights over {n} rows and {m} members: {solved.message}")
    found = np.maximum(solved.x[:m], 0)
    return found / found.sum()
