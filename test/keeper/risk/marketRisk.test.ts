import { expect } from "chai";
import fc from "fast-check";
import { cornishFisherTail, historicalTail, isMonotone, marketRisk, momentsOf } from "../../../keeper/risk/marketRisk";

const returns = fc.array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), { minLength: 100, maxLength: 300 });

describe("market risk", () => {
  it("by history: the quantile and the mean beyond it, of a hundred losses that can be counted", () => {
    // Losses of 1 to 100, in no order.
    const counted = Array.from({ length: 100 }, (_, k) => -(((k * 37) % 100) + 1));
    expect(historicalTail(counted, 0.95)).to.deep.equal({ var: 95, cvar: 98 });
    expect(historicalTail(counted, 0.99)).to.deep.equal({ var: 99, cvar: 100 });
  });

  it("by history: splits the return at the quantile where the tail is no whole number of them", () => {
    // 1 % of 150 is one and a half: the worst whole, the second by half.
    const counted = Array.from({ length: 150 }, (_, k) => -k - 1);
    expect(historicalTail(counted, 0.99)?.var).to.equal(149);
    expect(historicalTail(counted, 0.99)?.cvar).to.be.closeTo((150 + 149 / 2) / 1.5, 1e-9);
  });

  it("says nothing of a tail in which no return lies", () => {
    const few = Array.from({ length: 99 }, (_, k) => k / 1e4);
    expect(historicalTail(few, 0.99)).to.equal(null);
    expect(historicalTail(few.slice(0, 19), 0.95)).to.equal(null);
    expect(historicalTail(few.slice(0, 20), 0.95)).to.not.equal(null);
    expect(marketRisk([]).tails.map(({ historical }) => historical)).to.deep.equal([null, null]);
  });

  it("by the expansion: is the normal one without skewness and excess kurtosis", () => {
    const normal = { mean: 0.001, deviation: 0.02, skewness: 0, excessKurtosis: 0 };
    const tail = cornishFisherTail(normal, 0.99);
    expect(tail.var).to.be.closeTo(0.02 * 2.3263478740408408 - 0.001, 1e-12);
    // The density at the 1 % quantile over 1 %.
    expect(tail.cvar).to.be.closeTo(0.02 * 2.665214220345 - 0.001, 1e-9);
  });

  it("by the expansion: a mean beyond the quantile that is the quantile's own, integrated", () => {
    const moments = { mean: 0, deviation: 1, skewness: -0.4, excessKurtosis: 1.2 };
    expect(isMonotone(moments.skewness, moments.excessKurtosis)).to.equal(true);
    // Midpoints of the normal's tail: z over levels from 0.95 to 1, each equally likely.
    const steps = 20_000;
    let sum = 0;
    let [z, mass] = [-12, 0];
    const width = (12 - 1.6448536269514722) / steps;
    for (let k = 0; k < steps; k += 1, z += width) {
      const middle = z + width / 2;
      const density = Math.exp((-middle * middle) / 2) / Math.sqrt(2 * Math.PI);
      const [s, e] = [moments.skewness, moments.excessKurtosis];
      const bent =
        middle +
        ((middle ** 2 - 1) * s) / 6 +
        ((middle ** 3 - 3 * middle) * e) / 24 -
        ((2 * middle ** 3 - 5 * middle) * s ** 2) / 36;
      sum -= bent * density * width;
      mass += density * width;
    }
    expect(mass).to.be.closeTo(0.05, 1e-8);
    expect(cornishFisherTail(moments, 0.95).cvar).to.be.closeTo(sum / 0.05, 1e-6);
  });

  it("knows where the expansion is a quantile: where it rises for every z, tried at many", () => {
    const hundredths = (least: number, most: number) =>
      fc.integer({ min: 100 * least, max: 100 * most }).map((value) => value / 100);
    const far = Array.from({ length: 601 }, (_, i) => 10 ** (i / 100 - 2));
    let [inside, outside] = [0, 0];
    fc.assert(
      fc.property(hundredths(-4, 4), hundredths(-2, 12), (s, k) => {
        const slope = (z: number): number =>
          1 + (z * s) / 3 + ((z ** 2 - 1) * k) / 8 - ((6 * z ** 2 - 5) * s ** 2) / 36;
        // Where the slope is least, and far out on both sides.
        const vertex = -(s / 3) / (k / 4 - s ** 2 / 3);
        const tried = [...far, ...far.map((z) => -z), 0, ...(Number.isFinite(vertex) ? [vertex] : [])].map(slope);
        const rises = Math.min(...tried) >= -1e-9;
        if (rises) inside += 1;
        else outside += 1;
        expect(isMonotone(s, k)).to.equal(rises);
      }),
      { seed: 3, numRuns: 3_000 },
    );
    expect(inside).to.be.above(100);
    expect(outside).to.be.above(100);
  });

  it("takes history's figure, and says so, where the expansion is none", () => {
    // Skewness far beyond any domain: a loss once in two hundred.
    const jump = Array.from({ length: 200 }, (_, k) => (k === 7 ? -0.3 : 0.0001 * (1 + (k % 2))));
    const { skewness, excessKurtosis } = momentsOf(jump);
    expect(isMonotone(skewness, excessKurtosis)).to.equal(false);
    for (const { historical, cornishFisher } of marketRisk(jump).tails) {
      expect(cornishFisher).to.deep.equal({ ...historical, by: "history" });
    }
    // Quantiles of the logistic distribution: no skewness, and an excess kurtosis near 1.2.
    const calm = Array.from({ length: 200 }, (_, k) => Math.log((k + 0.5) / (199.5 - k)) / 100);
    expect(marketRisk(calm).tails.map(({ cornishFisher }) => cornishFisher?.by)).to.deep.equal([
      "expansion",
      "expansion",
    ]);
  });

  it("is zero deviation and no shape where nothing moves", () => {
    const flat = Array.from({ length: 200 }, () => 0.1 / 8_760);
    const risk = marketRisk(flat);
    expect(risk.moments).to.include({ deviation: 0, skewness: 0, excessKurtosis: 0 });
    expect(risk.tails[1]?.cornishFisher?.var).to.be.closeTo(-0.1 / 8_760, 1e-15);
  });

  it("keeps its laws: no mean beyond a quantile is under it, a larger level is no smaller, and both follow the scale", () => {
    fc.assert(
      fc.property(returns, fc.double({ min: 0.1, max: 10, noNaN: true }), (sample, factor) => {
        const [low, high] = [historicalTail(sample, 0.95), historicalTail(sample, 0.99)];
        if (low === null || high === null) throw new Error("there are a hundred");
        expect(low.cvar).to.be.at.least(low.var - 1e-12);
        expect(high.var).to.be.at.least(low.var);
        expect(high.cvar).to.be.at.least(low.cvar - 1e-12);
        const scaled = historicalTail(
          sample.map((value) => value * factor),
          0.99,
        );
        expect(scaled?.cvar).to.be.closeTo(high.cvar * factor, 1e-9);
      }),
      { seed: 11, numRuns: 200 },
    );
  });
});
