"""The allocator against SciPy's SLSQP started from many points, and against the formulas written in Python."""

import json
import pathlib
import subprocess

import numpy as np
import pytest
import scipy.optimize

import slsqp

ROOT = pathlib.Path(__file__).resolve().parents[2]
STARTS = 12


def random_model(generator, total):
    kind = generator.choice(["fixed", "liquidity", "aave", "kinked-supply"], p=[0.15, 0.25, 0.3, 0.3])
    if kind == "fixed":
        return {"kind": "fixed", "apr": generator.uniform(0, 0.1)}
    if kind == "liquidity":
        pool = total * 10 ** generator.uniform(-1, 2)
        fees = pool * generator.uniform(0, 0.15)
        return {"kind": "liquidity", "pool": pool, "fees": fees, "apr": generator.uniform(-0.02, 0.01)}
    supplied = total * 10 ** generator.uniform(-1, 2)
    kink = generator.uniform(0.6, 0.95)
    filled = generator.uniform(kink, 1) if generator.random() < 0.3 else generator.uniform(0.1, kink)
    pool = {"kind": str(kind), "supplied": supplied, "borrowed": supplied * filled, "kink": kink}
    if kind == "aave":
        return pool | {
            "base": generator.uniform(0, 0.01),
            "slope1": generator.uniform(0.03, 0.12),
            "slope2": generator.uniform(0.3, 2),
            "reserveFactor": generator.uniform(0.05, 0.2),
        }
    return pool | {
        "base": generator.uniform(0, 0.01),
        "slopeLow": generator.uniform(0.02, 0.08),
        "slopeHigh": generator.uniform(0.3, 3),
    }


def random_problem(generator, n, groups):
    total = 10 ** generator.uniform(4, 8)
    models = [random_model(generator, total) for _ in range(n)]
    venues = [
        {
            "id": f"v{i}",
            "current": 0.0,
            "cap": total * generator.uniform(0.2, 1),
            "costBps": 0.0,
            "expectedLossApr": generator.uniform(0, 0.01),
            "model": model,
            # Smooth, unlike a proportional cost, since nothing is held before.
            "impactBpsPerMillion": generator.uniform(0, 50) * 1e6 / total if model["kind"] == "liquidity" else 0.0,
        }
        for i, model in enumerate(models)
    ]
    caps = [
        {"ids": [v["id"] for v in venues if generator.random() < 0.5] or ["v0"], "cap": total * generator.uniform(0.1, 0.6)}
        for _ in range(groups)
    ]
    return {
        "total": total,
        "horizonHours": 168.0,
        "gasUsdPerMove": 0.0,
        "minIdle": total * generator.choice([0, 0.1]),
        "groups": caps,
        "venues": venues,
    }


def allocate(problems):
    """The allocator's answers; Python's floats and JavaScript's numbers are the same doubles."""
    command = ["node", "-r", "tsx/cjs", "test/crosscheck/allocateMany.ts"]
    run = subprocess.run(command, cwd=ROOT, input=json.dumps(problems), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


# Beyond twelve venues SLSQP takes a second a start.
@pytest.mark.parametrize(
    ("n", "groups", "count", "starts"),
    [(2, 0, 20, STARTS), (4, 0, 20, STARTS), (8, 0, 20, STARTS), (4, 2, 20, STARTS), (8, 3, 20, STARTS)]
    + [(13, 2, 8, 3), (25, 0, 6, 3), (50, 3, 4, 2)],
)
def test_never_worse_than_slsqp_from_many_starts(n, groups, count, starts):
    generator = np.random.default_rng(1000 * n + groups)
    problems = [random_problem(generator, n, groups) for _ in range(count)]
    found = 0
    for problem, answer in zip(problems, allocate(problems)):
        x = np.array([answer["allocation"][venue["id"]] for venue in problem["venues"]])
        assert answer["exact"]
        for row, cap in slsqp.rows(problem):
            assert row @ x <= cap * (1 + 1e-9)
        mine = slsqp.objective(problem, x)
        other, _ = slsqp.multi_start(problem, generator, starts)
        assert mine >= other - 1e-9 * abs(other)
        # Staying is holding nothing here, so the gain is the objective itself.
        assert answer["gainOverHorizon"] == pytest.approx(mine, rel=1e-12)
        found += mine <= other * (1 + 1e-6)
    # A search that never comes close would prove nothing.
    assert found >= len(problems) / 2


def with_tail(generator, n):
    """Venues of fixed rates: with the tail's loss the problem is a linear programme."""
    problem = random_problem(generator, n, 0)
    for venue in problem["venues"]:
        venue["model"] = {"kind": "fixed", "apr": generator.uniform(0, 0.1)}
        venue["impactBpsPerMillion"] = 0.0
    scenarios = [
        {
            "probability": generator.uniform(0, 0.1),
            "losses": {v["id"]: generator.uniform(0, 1) for v in problem["venues"] if generator.random() < 0.5},
        }
        for _ in range(6)
    ]
    confidence = float(generator.choice([0.5, 0.95]))
    return problem | {"tail": {"kappa": 10 ** generator.uniform(-2, 1), "confidence": confidence, "scenarios": scenarios}}


def linear_programme(problem):
    """Rockafellar and Uryasev's form: amounts, the level, and what each scenario loses above it."""
    venues, tail = problem["venues"], problem["tail"]
    years = problem["horizonHours"] / slsqp.HOURS_PER_YEAR
    n, s = len(venues), len(tail["scenarios"])
    chance = np.array([1 - (1 - scenario["probability"]) ** years for scenario in tail["scenarios"]])
    losses = np.array([[scenario["losses"].get(v["id"], 0.0) for v in venues] for scenario in tail["scenarios"]])
    income = np.array([years * (v["model"]["apr"] - v["expectedLossApr"]) for v in venues])
    # Nothing is gained below 0, and with "nothing happens" left out the level must not go there. For a minimum: minus the income, kappa times the level, kappa times what is above it.
    cost = np.concatenate([-income, [tail["kappa"]], tail["kappa"] * chance / (1 - tail["confidence"])])
    above = np.hstack([losses, -np.ones((s, 1)), -np.eye(s)])
    sums = np.concatenate([np.ones(n), np.zeros(1 + s)])
    found = scipy.optimize.linprog(
        cost,
        A_ub=np.vstack([above, sums]),
        b_ub=np.concatenate([np.zeros(s), [problem["total"] - problem["minIdle"]]]),
        bounds=[(0, v["cap"]) for v in venues] + [(0, None)] * (1 + s),
    )
    return -found.fun


@pytest.mark.parametrize("n", [2, 5, 12])
def test_tail_is_the_optimum_of_the_linear_programme(n):
    generator = np.random.default_rng(n)
    problems = [with_tail(generator, n) for _ in range(40)]
    for problem, answer in zip(problems, allocate(problems)):
        best = linear_programme(problem)
        assert answer["exact"]
        assert answer["gainOverHorizon"] == pytest.approx(best, rel=1e-6, abs=1e-9 * problem["total"])
