import { expect } from "chai";
import { allocate } from "../../../keeper/allocate/allocate";
import { capWeights } from "../../../keeper/allocate/capWeights";
import { meanVariance } from "../../../keeper/allocate/meanVariance";
import { allocateRiskAdjusted } from "../../../keeper/allocate/riskAdjusted";
import { riskParity } from "../../../keeper/allocate/riskParity";
import { kappaOf } from "../../../keeper/allocate/riskTolerance";
import { shrunkCovariance } from "../../../keeper/allocate/shrunkCovariance";
import { InputFailure } from "../../../keeper/config/failure";
import { randomProblem, seeded } from "../../../scripts/bench/randomProblems";
import { aprOf } from "./oracle";

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

function randomReturns(seed: number, venues: number, steps: number): number[][] {
  const random = seeded(seed);
  const common = Array.from({ length: steps }, () => random() - 0.5);
  return Array.from({ length: venues }, (_, i) => common.map((c) => (i % 2) * c + (0.2 + i / 5) * (random() - 0.5)));
}

describe("portfolios beside the allocator", () => {
  describe("shrunk covariance", () => {
    it("is the sample's where there is much of it, and hardly so where there is little", () => {
      const much = shrunkCovariance(randomReturns(1, 4, 20_000));
      const little = shrunkCovariance(randomReturns(1, 4, 8));
      expect(much.shrinkage).to.be.below(0.01);
      expect(little.shrinkage).to.be.above(0.1).and.at.most(1);
    });

    it("keeps the sum of variances, and makes correlations smaller", () => {
      const returns = randomReturns(2, 5, 30);
      const { matrix, shrinkage } = shrunkCovariance(returns);
      const sample = returns.map((a) => {
        const mean = sum(a) / a.length;
        return sum(a.map((v) => (v - mean) ** 2)) / a.length;
      });
      expect(sum(matrix.map((row, i) => row[i] ?? 0))).to.be.closeTo(sum(sample), 1e-12);
      expect(shrinkage).to.be.within(0.001, 0.999);
    });

    it("is of equal variances where all series are one number", () => {
      expect(
        shrunkCovariance([
          [1, 1, 1],
          [2, 2, 2],
        ]),
      ).to.deep.equal({
        matrix: [
          [0, 0],
          [0, 0],
        ],
        shrinkage: 1,
      });
    });

    it("refuses series of different lengths", () => {
      expect(() =>
        shrunkCovariance([
          [1, 2],
          [1, 2, 3],
        ]),
      ).to.throw(RangeError);
    });
  });

  describe("mean-variance", () => {
    it("has the closed form where no limit binds", () => {
      // weights = expected / (aversion · variance)
      const weights = meanVariance({
        ...{ expected: [0.02, 0.03], aversion: 10, caps: [1, 1] },
        covariance: [
          [0.01, 0],
          [0, 0.02],
        ],
      });
      expect(weights[0]).to.be.closeTo(0.2, 1e-6);
      expect(weights[1]).to.be.closeTo(0.15, 1e-6);
    });

    it("is not bettered by any exchange, in 200 random problems", () => {
      for (let seed = 0; seed < 200; seed++) {
        const random = seeded(seed);
        const size = 2 + (seed % 6);
        const { matrix: covariance } = shrunkCovariance(randomReturns(seed, size, 60));
        const problem = {
          ...{ covariance, aversion: 10 ** (random() * 4 - 2) },
          expected: Array.from({ length: size }, () => random() * 0.1 - 0.02),
          caps: Array.from({ length: size }, () => random()),
        };
        const worth = (w: readonly number[]): number =>
          sum(w.map((x, i) => x * (problem.expected[i] ?? 0))) -
          (problem.aversion / 2) * sum(w.flatMap((x, i) => w.map((y, k) => x * y * (covariance[i]?.[k] ?? 0))));
        const weights = meanVariance(problem);
        expect(sum(weights)).to.be.at.most(1 + 1e-9);
        weights.forEach((x, i) => expect(x).to.be.within(0, problem.caps[i] ?? 0));
        const mine = worth(weights);
        for (let tries = 0; tries < 60; tries++) {
          const step = 10 ** (-1 - 3 * random());
          const other = weights.map((x, i) => Math.min(problem.caps[i] ?? 0, Math.max(0, x + (random() - 0.5) * step)));
          if (sum(other) > 1) continue;
          expect(worth(other), `seed ${seed}`).to.be.at.most(mine + 1e-8 * (problem.aversion + 1));
        }
      }
    });
  });

  describe("hierarchical risk parity", () => {
    it("weighs by the inverse of variances where two move apart", () => {
      const [a, b] = riskParity([
        [1, 0],
        [0, 3],
      ]);
      expect(a).to.be.closeTo(0.75, 1e-12);
      expect(b).to.be.closeTo(0.25, 1e-12);
    });

    it("gives two that are one and the same no more together than the third", () => {
      const weights = riskParity([
        [1, 0.999, 0],
        [0.999, 1, 0],
        [0, 0, 1],
      ]);
      expect(weights[2]).to.be.closeTo(0.5, 0.01);
      expect(sum(weights)).to.be.closeTo(1, 1e-12);
    });

    it("does not depend on the order of venues", () => {
      const { matrix } = shrunkCovariance(randomReturns(5, 6, 400));
      const order = [3, 0, 5, 1, 4, 2];
      const shuffled = riskParity(order.map((i) => order.map((k) => matrix[i]?.[k] ?? 0)));
      const straight = riskParity(matrix);
      // The order within a pair may be the other, and halves of an odd cluster then differ: the whole stays near.
      expect(sum(shuffled)).to.be.closeTo(1, 1e-12);
      expect(sum(order.map((i, at) => Math.abs((shuffled[at] ?? 0) - (straight[i] ?? 0))))).to.be.below(0.35);
    });
  });

  describe("caps", () => {
    it("pass on what they take, in proportion, again and again", () => {
      const [first, second, third] = capWeights([0.6, 0.3, 0.1], [0.4, 0.4, 1]);
      expect([first, second]).to.deep.equal([0.4, 0.4]);
      expect(third).to.be.closeTo(0.2, 1e-12);
      expect(capWeights([0.5, 0.5], [0.2, 0.3])).to.deep.equal([0.2, 0.3]);
      expect(capWeights([0.2, 0.3], [1, 1])).to.deep.equal([0.2, 0.3]);
      expect(capWeights([0, 0], [1, 1])).to.deep.equal([0, 0]);
    });
  });

  describe("income over one plus risk", () => {
    it("is the exact optimum with every rate divided, at all amounts", () => {
      for (let seed = 0; seed < 60; seed++) {
        const random = seeded(seed);
        const problem = randomProblem(random, { venues: 3, pools: 0.3 });
        const risk = Object.fromEntries(problem.venues.map(({ id }) => [id, random() * 2]));
        const answer = allocateRiskAdjusted(problem, risk);
        const income = sum(
          problem.venues.map(({ id, model }) => {
            const x = answer.allocation[id] ?? 0;
            return (x * aprOf(model, x)) / (1 + (risk[id] ?? 0));
          }),
        );
        expect(answer.incomePerYear).to.be.closeTo(income, 1e-9 * Math.max(1, Math.abs(income)));
        expect(answer.exact).to.equal(true);
      }
    });

    it("without risks is the allocator", () => {
      const problem = randomProblem(seeded(3), { venues: 5 });
      expect(allocateRiskAdjusted(problem, {})).to.deep.equal(allocate(problem));
    });

    it("refuses a risk below 0", () => {
      const problem = randomProblem(seeded(3), { venues: 2 });
      expect(() => allocateRiskAdjusted(problem, { "venue-1": -0.1 }))
        .to.throw(InputFailure)
        .with.property("field", "risk.venue-1");
    });
  });

  describe("risk tolerance", () => {
    const tolerance = { kappa: 2, usualVolatility: 0.01, drawdownToDouble: 0.02, most: 4 };
    it("dislikes the tail more while returns swing and after a fall, within bounds", () => {
      expect(kappaOf(tolerance, { volatility: 0.01, drawdown: 0 })).to.equal(2);
      expect(kappaOf(tolerance, { volatility: 0.01, drawdown: 0.02 })).to.equal(4);
      expect(kappaOf(tolerance, { volatility: 0.015, drawdown: 0.02 })).to.equal(6);
      expect(kappaOf(tolerance, { volatility: 1, drawdown: 0.5 })).to.equal(8);
      expect(kappaOf(tolerance, { volatility: 0, drawdown: 0 })).to.equal(0.5);
    });

    it("refuses what is no volatility", () => {
      expect(() => kappaOf(tolerance, { volatility: Number.NaN, drawdown: 0 }))
        .to.throw(InputFailure)
        .with.property("field", "volatility");
    });
  });
});
