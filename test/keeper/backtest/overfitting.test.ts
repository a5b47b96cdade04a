import { expect } from "chai";
import {
  deflatedSharpe,
  expectedBestSharpe,
  momentsOf,
  probabilisticSharpe,
} from "../../../keeper/backtest/deflatedSharpe";
import { normalCdf, normalQuantile } from "../../../keeper/backtest/normal";
import { overfitting } from "../../../keeper/backtest/overfitting";
import { InputFailure } from "../../../keeper/config/failure";
import { seeded } from "../../../scripts/bench/randomProblems";

/** Sum of twelve: near enough to normal, with deviation 1. */
function noise(seed: number, steps: number, drift = 0): number[] {
  const random = seeded(seed);
  return Array.from({ length: steps }, () => drift + Array.from({ length: 12 }, random).reduce((a, b) => a + b, -6));
}

describe("the standard normal", () => {
  it("has the values of the tables", () => {
    expect(normalCdf(0)).to.equal(0.5);
    expect(normalCdf(1.959963984540054)).to.be.closeTo(0.975, 1e-15);
    expect(normalCdf(-3)).to.be.closeTo(0.0013498980316300957, 1e-17);
    // SciPy's norm.cdf.
    expect(normalCdf(-10) / 7.61985302416052e-24).to.be.closeTo(1, 1e-12);
    expect(normalCdf(2 - 1e-9)).to.be.closeTo(normalCdf(2 + 1e-9), 2e-10);
  });

  it("has quantiles that are its inverse", () => {
    for (const p of [1e-12, 0.001, 0.05, 0.3, 0.5, 0.77, 0.99, 1 - 1e-9]) {
      expect(normalCdf(normalQuantile(p)) / p).to.be.closeTo(1, 1e-9);
    }
    expect(normalQuantile(0.95)).to.be.closeTo(1.6448536269514722, 1e-13);
    expect(() => normalQuantile(1)).to.throw(RangeError);
  });
});

describe("the deflated Sharpe ratio", () => {
  it("is that of its authors' example: a year's 2.5, the best of 100, 1,250 days, skewed and fat-tailed", () => {
    const best = expectedBestSharpe(100, 0.5 / 250);
    expect(best).to.be.closeTo(0.1132, 5e-5);
    const moments = { count: 1250, skewness: -3, kurtosis: 10 };
    expect(probabilisticSharpe(2.5 / Math.sqrt(250), best, moments)).to.be.closeTo(0.9004, 5e-5);
  });

  it("has moments as they are defined", () => {
    const { mean, deviation, skewness, kurtosis } = momentsOf([1, 2, 3, 10]);
    expect(mean).to.equal(4);
    expect(deviation).to.be.closeTo(Math.sqrt(12.5), 1e-12);
    expect(skewness).to.be.closeTo((-27 - 8 - 1 + 216) / 4 / 12.5 ** 1.5, 1e-12);
    expect(kurtosis).to.be.closeTo((81 + 16 + 1 + 1296) / 4 / 12.5 ** 2, 1e-12);
  });

  it("leaves nothing of the best of many that have no skill, and much of one that has", () => {
    const trials = Array.from({ length: 50 }, (_, seed) => noise(seed, 500));
    const sharpes = trials.map((trial) => momentsOf(trial).mean / momentsOf(trial).deviation);
    const best = trials[sharpes.indexOf(Math.max(...sharpes))] ?? [];
    expect(deflatedSharpe(best, sharpes)).to.be.below(0.9);
    const skilled = noise(99, 500, 0.3);
    const { mean, deviation } = momentsOf(skilled);
    expect(deflatedSharpe(skilled, [...sharpes, mean / deviation])).to.be.above(0.95);
  });

  it("takes the trials for a sample: their squares are divided by one less than there are", () => {
    // Mean 0.5 and deviation 1 of four returns; ratios 0.1, 0.2, 0.6 have the mean 0.3 and squares of 0.04 + 0.01 + 0.09.
    const returns = [1.5, 1.5, -0.5, -0.5];
    const expected = probabilisticSharpe(0.5, expectedBestSharpe(3, 0.14 / 2), { count: 4, skewness: 0, kurtosis: 1 });
    expect(deflatedSharpe(returns, [0.1, 0.2, 0.6])).to.be.closeTo(expected, 1e-12);
  });

  it("is no number where nothing ever changes", () => {
    expect(deflatedSharpe([1, 1, 1], [1, 2])).to.be.NaN;
  });
});

describe("the probability of backtest overfitting", function () {
  this.timeout(20_000);

  it("is about a half where nobody has skill", () => {
    const found = overfitting(Array.from({ length: 20 }, (_, seed) => noise(seed, 640)));
    expect(found.splits).to.equal(12_870);
    expect(found.probability).to.be.within(0.25, 0.75);
  });

  it("is nothing where one is always best", () => {
    const found = overfitting([noise(1, 640, 0.5), ...Array.from({ length: 9 }, (_, seed) => noise(seed + 2, 640))]);
    expect(found.probability).to.be.below(0.001);
    expect(found.lossProbability).to.equal(0);
  });

  it("is all where what is best in one half is worst in the other", () => {
    // Each wins in one block and loses in all others, the more the more it won.
    const trials = Array.from({ length: 4 }, (_, j) =>
      Array.from({ length: 40 }, (__, t) => (Math.floor(t / 10) === j ? 3 : -1) + 0.001 * ((t * 7) % 5)),
    );
    expect(overfitting(trials, 4).probability).to.equal(1);
  });

  it("is of the choice that is made, by what there is in the end: one lucky jump is chosen wherever it lies", () => {
    const steady = (growth: number): number[] => Array.from({ length: 64 }, (_, t) => growth + 0.0001 * (t % 3));
    const lucky = steady(-0.002).map((growth, t) => (t === 20 ? 1 : growth));
    const found = overfitting([lucky, steady(0.001), steady(-0.0005), steady(-0.001)], 4);
    // In the halves without the jump the steady one is chosen, and is the second of four where the jump is.
    expect(found.probability).to.equal(0.5);
    expect(found.lossProbability).to.equal(0.5);
  });

  it("refuses what is too little to say", () => {
    expect(() => overfitting([noise(1, 640)]))
      .to.throw(InputFailure)
      .with.property("code", "SWEEP_TOO_SMALL");
    expect(() => overfitting([noise(1, 20), noise(2, 20)])).to.throw(InputFailure);
  });
});
