"""The stacked ensemble: weights of its members, none negative, one in sum, from forecasts of past folds only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

#: Rows that the weights are fitted on, spread evenly over the past folds.
MOST_ROWS = 3_000


def weights(members: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """[M] weights of least mean absolute error on members' forecasts [n, M] and targets [n] of past folds.

    A linear programme: residual = above − below, least sum of both.
    """
    k = np.linspace(0, len(y) - 1, min(len(y), MOST_ROWS)).astype(int)
    p, truth = members[k], y[k]
    n, m = p.shape
    # In basis points: the solver's tolerances are absolute.
    scale = 1e4
    identity = np.eye(n)
    left = np.vstack([np.hstack([p * scale, identity, -identity]), [[1.0] * m + [0.0] * 2 * n]])
    solved = linprog([0.0] * m + [1.0] * 2 * n, A_eq=left, b_eq=[*(truth * scale), 1.0], method="highs")
    if not solved.success:
        return np.full(m, 1 / m)
    found = np.maximum(solved.x[:m], 0)
    return found / found.sum()
