"""The allocation problem a third time, for SciPy's SLSQP: a general solver that knows nothing of kinks or segments.

Problems have the shape of `tiller allocate --problem`, every default filled in; amounts in USD, rates fractions a year.
SLSQP wants smooth functions, so fixed gas is left out and proportional cost is split into money in and money out.

`slsqp.py --time`: a JSON list of problems on stdin; one start each; prints {"version", "seconds": [...]}.
`slsqp.py --starts N`: the same from N starts each, on all cores; prints {"version", "seconds", "values": [...]}, values being
the best objectives; says on stderr how far it is.
"""

import argparse
import json
import multiprocessing
import sys
import time

import numpy as np
import scipy
from scipy.optimize import minimize

HOURS_PER_YEAR = 8760


def supply_apr(model, x):
    """What the venue pays on our deposit x, a fraction a year."""
    if model["kind"] == "fixed":
        return model["apr"]
    if model["kind"] == "liquidity":
        return model["apr"] + model["fees"] / (model["pool"] + x)
    pool = model["supplied"] + x
    u = 0.0 if model["borrowed"] == 0 else 1.0 if pool <= model["borrowed"] else model["borrowed"] / pool
    over = max(0.0, u - model["kink"])
    if model["kind"] == "kinked-supply":
        return model["base"] + model["slopeLow"] * min(u, model["kink"]) + model["slopeHigh"] * over
    below = model["slope1"] * min(u, model["kink"]) / model["kink"]
    above = model["slope2"] * over / (1 - model["kink"]) if over > 0 else 0.0
    return (model["base"] + below + above) * u * (1 - model["reserveFactor"])


def least(venue):
    """What borrowers and the floor keep in the venue."""
    model = venue["model"]
    lent = 0.0 if model["kind"] in ("fixed", "liquidity") else model["borrowed"] - model["supplied"]
    return max(0.0, venue.get("floor", 0.0), min(venue["current"], lent))


def objective(problem, amounts, gas=True):
    """Gain over the horizon, costs of the change included."""
    years = problem["horizonHours"] / HOURS_PER_YEAR
    total = 0.0
    for venue, x in zip(problem["venues"], amounts):
        total += years * x * (supply_apr(venue["model"], x) - venue["expectedLossApr"])
        moved = abs(x - venue["current"])
        total -= (venue["costBps"] + venue.get("impactBpsPerMillion", 0.0) * moved / 1e6) / 1e4 * moved
        if gas and abs(x - venue["current"]) >= 1e-6:
            total -= problem["gasUsdPerMove"]
    return total


def rows(problem):
    """Limits on sums as (coefficients, cap): the budget first, then the groups."""
    ids = [venue["id"] for venue in problem["venues"]]
    limits = [(np.ones(len(ids)), problem["total"] - problem["minIdle"])]
    for group in problem["groups"]:
        limits.append((np.array([1.0 if name in group["ids"] else 0.0 for name in ids]), group["cap"]))
    return limits


def solve(problem, start):
    """One SLSQP run from `start`, in units of the total; proportional cost is not smooth and must be zero."""
    scale = problem["total"]
    limits = rows(problem)
    low = np.array([least(venue) for venue in problem["venues"]]) / scale
    high = np.array([max(least(v), min(v["cap"], limits[0][1])) for v in problem["venues"]]) / scale
    coefficients = np.array([row for row, _ in limits])
    caps = np.array([cap for _, cap in limits]) / scale
    return minimize(
        lambda y: -objective(problem, y * scale, gas=False) / scale * 100,
        np.clip(start / scale, low, high),
        method="SLSQP",
        bounds=list(zip(low, high)),
        constraints=[
            {"type": "ineq", "fun": lambda y: caps - coefficients @ y, "jac": lambda y: -coefficients},
        ],
        options={"maxiter": 200, "ftol": 1e-12},
    ).x * scale


def feasible(problem, amounts):
    """The amounts pulled inside every limit: clipped to the bounds, then shrunk towards the least of each venue."""
    low = np.array([least(venue) for venue in problem["venues"]])
    x = np.clip(amounts, low, [max(least(v), v["cap"]) for v in problem["venues"]])
    for row, cap in rows(problem):
        spare, used = cap - row @ low, row @ (x - low)
        if used > spare:
            x = np.where(row > 0, low + (x - low) * max(0.0, spare / used), x)
    return x


def multi_start(problem, generator, starts):
    """Best feasible point over equal weights and random starts, and its objective without gas."""
    n = len(problem["venues"])
    found = []
    for k in range(starts):
        weights = np.full(n, 1.0 / n) if k == 0 else generator.dirichlet(np.full(n, 0.5))
        x = feasible(problem, solve(problem, weights * problem["total"]))
        found.append((objective(problem, x, gas=False), x))
    return max(found, key=lambda pair: pair[0])


def timed(task):
    """Best objective of a problem and the seconds it took."""
    seed, starts, problem = task
    begin = time.perf_counter()
    if starts == 0:
        solve(problem, np.full(len(problem["venues"]), problem["total"] / len(problem["venues"])))
        return time.perf_counter() - begin, None
    # A general solver steps outside of where the rates are defined, and comes back.
    with np.errstate(all="ignore"):
        value, _ = multi_start(problem, np.random.default_rng(seed), starts)
    return time.perf_counter() - begin, value


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--time", action="store_true")
    arguments.add_argument("--starts", type=int, default=0)
    starts = arguments.parse_args().starts
    tasks = [(seed, starts, problem) for seed, problem in enumerate(json.load(sys.stdin))]
    if starts == 0:
        done = [timed(task) for task in tasks]
    else:
        done = []
        with multiprocessing.Pool() as pool:
            for one in pool.imap(timed, tasks, chunksize=8):
                done.append(one)
                if len(done) % 500 == 0:
                    print(f"SLSQP {len(done)} of {len(tasks)}", file=sys.stderr)
    seconds, values = zip(*done) if done else ((), ())
    json.dump({"version": scipy.__version__, "seconds": seconds, "values": values}, sys.stdout)


if __name__ == "__main__":
    main()
