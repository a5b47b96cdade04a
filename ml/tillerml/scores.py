"""Scores and tests of forecasts. Pure: arrays in, numbers out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def diebold_mariano(loss_a: Floats, loss_b: Floats, hours: Floats, lag_hours: int) -> tuple[float, float]:
    """t and two-sided p of mean(loss_a − loss_b) ≠ 0; t < 0 when a is better.

    Losses [n] of one series at `hours` [n] (whole, ascending, with gaps). Newey and West's variance with Bartlett's
    weights over lags up to `lag_hours`, which has to be at least the horizon: forecasts overlap (Diebold and Mariano
    1995).
    """
    at = (hours - hours[0]).astype(np.int64)
    difference = np.zeros(at[-1] + 1)
    difference[at] = (loss_a - loss_b) - np.mean(loss_a - loss_b)
    n = len(loss_a)
    spectrum = np.fft.rfft(difference, 2 * len(difference))
    covariance = np.fft.irfft(spectrum * np.conj(spectrum))[: lag_hours + 1] / n
    weights = 1 - np.arange(len(covariance)) / (lag_hours + 1)
    variance = covariance[0] + 2 * np.sum((weights * covariance)[1:])
    if variance <= 0:
        return 0.0, 1.0
    t = float(np.mean(loss_a - loss_b) / math.sqrt(variance / n))
    return t, math.erfc(abs(t) / math.sqrt(2))


def holm(p_values: list[float]) -> list[float]:
    """Holm's adjusted p values, in the order given."""
    order = np.argsort(p_values)
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = worst
    return adjusted


def block_bootstrap_ratio(
    loss_a: Floats, loss_b: Floats, hours: Floats, block_hours: int, draws: int = 500, seed: int = 1
) -> tuple[float, float]:
    """90 % interval of mean(loss_a) ÷ mean(loss_b), by moving blocks of time (all series of a block together).

    A block begins at any hour; as many are drawn as fill the span, the last one cut to it (Künsch 1989). The same seed
    gives the same interval. NaN where the span is under two blocks: they would hardly differ.
    """
    at = (hours - hours.min()).astype(np.int64)
    span = int(at.max()) + 1
    if span < 2 * block_hours:
        return math.nan, math.nan
    lengths = np.full(-(-span // block_hours), block_hours)
    lengths[-1] = span - block_hours * (len(lengths) - 1)
    begins = np.random.default_rng(seed).integers(0, span - lengths + 1, (draws, len(lengths)))

    def drawn(loss: Floats) -> Floats:
        up_to = np.concatenate([[0.0], np.cumsum(np.bincount(at, loss, span))])
        return (up_to[begins + lengths] - up_to[begins]).sum(axis=1)

    low, high = np.quantile(drawn(loss_a) / drawn(loss_b), [0.05, 0.95])
    return float(low), float(high)


def pinball(y: Floats, forecast: Floats, quantile: float) -> float:
    """Mean pinball loss of a quantile's forecast."""
    short = y - forecast
    return float(np.mean(np.maximum(quantile * short, (quantile - 1) * short)))


def crps(losses: dict[float, float]) -> float:
    """CRPS, in the unit of the losses, from mean pinball losses by level, whatever levels there are.

    The CRPS is twice the integral of the pinball loss over all levels (Gneiting and Ranjan 2011); here a sum in which a
    level counts for the width that is nearer to it than to its neighbours. What remains is that the levels are few: of
    a standard normal forecast of itself 0.05, 0.25, 0.5, 0.75 and 0.95 give 0.547, the integral is 0.564.
    """
    levels = np.array(sorted(losses))
    edges = np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [1.0]])
    return float(2 * np.diff(edges) @ [losses[level] for level in levels])


def pr_auc(events: NDArray[np.bool_], probability: Floats) -> float:
    """Area under precision over recall, as average precision; ties are taken together. NaN without any event."""
    order = np.argsort(-probability, kind="stable")
    hit = events[order].astype(float)
    if hit.sum() == 0:
        return math.nan
    last = np.append(np.diff(probability[order]) != 0, True)
    found = np.cumsum(hit)[last]
    precision = found / (np.flatnonzero(last) + 1)
    return float(np.sum(precision * np.diff(np.append(0.0, found))) / hit.sum())


def brier_skill(events: NDArray[np.bool_], probability: Floats, climatology: Floats) -> float:
    """1 − Brier score ÷ that of the climatology; 0: no better, or nothing to be better at."""
    base = np.mean((climatology - events) ** 2)
    return float(1 - np.mean((probability - events) ** 2) / base) if base > 0 else 0.0


def reliability(events: NDArray[np.bool_], probability: Floats, edges: tuple[float, ...]) -> list[dict]:
    """Forecast and observed frequency of each bin between `edges`; empty bins are left out."""
    which = np.digitize(probability, edges)
    return [
        {"forecast": float(probability[k].mean()), "observed": float(events[k].mean()), "rows": int(k.sum())}
        for k in (which == b for b in range(len(edges) + 1))
        if k.any()
    ]
