"""Value at risk and its conditional mean against NumPy's quantiles, SciPy's moments and normal distribution, and
integrals done by SciPy's quadrature."""

import json
import pathlib
import subprocess

import numpy as np
import pytest
from scipy import integrate, optimize, stats

ROOT = pathlib.Path(__file__).resolve().parents[2]


def risks_of(samples):
    command = ["node", "-r", "tsx/cjs", "test/crosscheck/marketRiskMany.ts"]
    text = json.dumps([list(map(float, sample)) for sample in samples])
    run = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def samples():
    generator = np.random.default_rng(20261121)
    normal = [generator.normal(0.001, 0.02, n) for n in (100, 250, 1_001)]
    fat = [generator.standard_t(6, n) / 100 for n in (200, 2_000)]
    logistic = [generator.logistic(0.0005, 0.01, n) for n in (300, 4_000)]
    skewed = [-generator.gamma(4, 0.01, 500), generator.exponential(0.01, 500)]
    jumps = [np.where(np.arange(400) % 80 == 7, -0.2, generator.normal(1e-4, 1e-5, 400))]
    uneven = [generator.normal(0, 0.01, n) for n in (137, 163, 219)]
    return normal + fat + logistic + skewed + jumps + uneven


SAMPLES = samples()
RISKS = risks_of(SAMPLES)
CASES = list(zip(SAMPLES, RISKS))


@pytest.mark.parametrize(("returns", "risk"), CASES)
def test_moments_are_scipys(returns, risk):
    moments = risk["moments"]
    assert moments["mean"] == pytest.approx(np.mean(returns), rel=1e-10, abs=1e-15)
    assert moments["deviation"] == pytest.approx(np.std(returns), rel=1e-10)
    assert moments["skewness"] == pytest.approx(stats.skew(returns), rel=1e-8, abs=1e-9)
    assert moments["excessKurtosis"] == pytest.approx(stats.kurtosis(returns), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(("returns", "risk"), CASES)
def test_history_is_numpys_quantile_and_the_minimum_of_rockafellar_and_uryasev(returns, risk):
    for tail in risk["tails"]:
        losses = -np.asarray(returns)
        value = np.quantile(losses, tail["level"], method="inverted_cdf")
        assert tail["historical"]["var"] == pytest.approx(value, rel=1e-12)

        def beyond(a, level=tail["level"]):
            return a + np.mean(np.maximum(0, losses - a)) / (1 - level)

        # Convex and piecewise linear: its minimum is at one of the losses.
        assert tail["historical"]["cvar"] == pytest.approx(min(map(beyond, losses)), rel=1e-9, abs=1e-12)


def expansion(z, skewness, kurtosis):
    return (
        z
        + (z**2 - 1) * skewness / 6
        + (z**3 - 3 * z) * kurtosis / 24
        - (2 * z**3 - 5 * z) * skewness**2 / 36
    )


@pytest.mark.parametrize(("returns", "risk"), CASES)
def test_the_expansion_is_a_quantile_where_it_rises_and_its_tail_mean_is_its_integral(returns, risk):
    skewness, kurtosis = stats.skew(returns), stats.kurtosis(returns)

    def slope(z):
        step = 1e-5
        return (expansion(z + step, skewness, kurtosis) - expansion(z - step, skewness, kurtosis)) / (2 * step)

    least = min(optimize.minimize_scalar(slope, bounds=span, method="bounded").fun for span in ((-40, 0), (0, 40)))
    assert risk["monotone"] == (least >= -1e-6)
    mean, deviation = np.mean(returns), np.std(returns)
    for tail in risk["tails"]:
        answer = tail["cornishFisher"]
        if not risk["monotone"]:
            assert answer == tail["historical"] | {"by": "history"}
            continue
        z = stats.norm.ppf(1 - tail["level"])
        assert answer["by"] == "expansion"
        assert answer["var"] == pytest.approx(-(mean + deviation * expansion(z, skewness, kurtosis)), rel=1e-8)
        weighted, _ = integrate.quad(
            lambda x: expansion(x, skewness, kurtosis) * stats.norm.pdf(x), -40, z, epsabs=1e-13, limit=200
        )
        assert answer["cvar"] == pytest.approx(-(mean + deviation * weighted / (1 - tail["level"])), rel=1e-7)


def test_both_sides_of_the_domain_are_among_the_samples():
    inside = sum(risk["monotone"] for risk in RISKS)
    assert 3 <= inside <= len(RISKS) - 3
