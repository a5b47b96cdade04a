"""Shrunk covariance and hierarchical risk parity against NumPy and SciPy's linkage."""

import json
import pathlib
import subprocess

import numpy as np
import scipy.cluster.hierarchy
import scipy.spatial.distance

ROOT = pathlib.Path(__file__).resolve().parents[2]


def ours(problems):
    command = ["node", "-r", "tsx/cjs", "test/crosscheck/portfoliosMany.ts"]
    run = subprocess.run(command, cwd=ROOT, input=json.dumps(problems), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def random_returns(generator):
    venues, steps = generator.integers(2, 9), generator.integers(10, 80)
    mixing = generator.normal(size=(venues, venues))
    return mixing @ generator.normal(size=(venues, steps))


def ledoit_wolf(returns):
    """Ledoit and Wolf (2004), equations 8 to 14: norms are divided by the dimension."""
    centred = returns - returns.mean(axis=1, keepdims=True)
    size, steps = centred.shape
    sample = centred @ centred.T / steps
    mean = np.trace(sample) / size
    distance = np.linalg.norm(sample - mean * np.eye(size)) ** 2 / size
    noise = sum(np.linalg.norm(np.outer(x, x) - sample) ** 2 for x in centred.T) / size / steps**2
    share = min(noise, distance) / distance
    return share * mean * np.eye(size) + (1 - share) * sample, share


def risk_parity(covariance):
    deviations = np.sqrt(np.diag(covariance))
    near = np.sqrt(np.clip((1 - covariance / np.outer(deviations, deviations)) / 2, 0, 1))
    tree = scipy.cluster.hierarchy.linkage(scipy.spatial.distance.pdist(near), "single")
    weights = np.ones(len(covariance))
    halves = [list(scipy.cluster.hierarchy.leaves_list(tree))]
    while halves:
        cluster = halves.pop()
        if len(cluster) < 2:
            continue
        left, right = cluster[: len(cluster) // 2], cluster[len(cluster) // 2 :]
        risks = []
        for part in (left, right):
            block = covariance[np.ix_(part, part)]
            own = 1 / np.diag(block) / np.sum(1 / np.diag(block))
            risks.append(own @ block @ own)
        weights[left] *= risks[1] / sum(risks)
        weights[right] *= risks[0] / sum(risks)
        halves += [left, right]
    return weights


def test_covariance_and_risk_parity_are_theirs():
    generator = np.random.default_rng(7)
    problems = [random_returns(generator) for _ in range(60)]
    for returns, found in zip(problems, ours([returns.tolist() for returns in problems])):
        covariance, share = ledoit_wolf(returns)
        np.testing.assert_allclose(found["matrix"], covariance, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found["shrinkage"], share, rtol=1e-9)
        np.testing.assert_allclose(found["riskParity"], risk_parity(covariance), rtol=1e-7)
