"""The allocator against SciPy's SLSQP started from many points, and against the formulas written in Python."""

import json
import pathlib
import subprocess

import numpy as np
import pytest

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


@pytest.mark.parametrize(("n", "groups"), [(2, 0), (4, 0), (8, 0), (4, 2), (8, 3)])
def test_never_worse_than_slsqp_from_many_starts(n, groups):
    generator = np.random.default_rng(1000 * n + groups)
    problems = [random_problem(generator, n, groups) for _ in range(20)]
    found = 0
    for problem, answer in zip(problems, allocate(problems)):
        x = np.array([answer["allocation"][venue["id"]] for venue in problem["venues"]])
        assert answer["exact"]
        for row, cap in slsqp.rows(problem):
            assert row @ x <= cap * (1 + 1e-9)
        mine = slsqp.objective(problem, x)
        other, _ = slsqp.multi_start(problem, generator, STARTS)
        assert mine >= other - 1e-9 * abs(other)
        # Staying is holding nothing here, so the gain is the objective itself.
        assert answer["gainOverHorizon"] == pytest.approx(mine, rel=1e-12)
        found += mine <= other * (1 + 1e-6)
    # A search that never comes close would prove nothing.
    assert found >= len(problems) / 2
