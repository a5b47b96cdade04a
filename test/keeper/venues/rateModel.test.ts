import { expect } from "chai";
import { segments } from "../../../keeper/venues/incomeSegments";
import {
  borrowApr,
  impliedModel,
  income,
  marginalIncome,
  supplyApr,
  utilisation,
  type AaveModel,
  type KinkedSupplyModel,
} from "../../../keeper/venues/rateModel";
import { aprOf } from "../allocate/oracle";
import { randomModel, seeded } from "../../../scripts/bench/randomProblems";

/** Aave V3 USDC at mainnet block 20,000,000: borrow 8.755 %, supply 7.05 %. */
const AAVE: AaveModel = {
  kind: "aave",
  supplied: 1e9,
  borrowed: 8.95e8,
  base: 0,
  slope1: 0.09,
  slope2: 0.6,
  kink: 0.92,
  reserveFactor: 0.1,
};
const COMET: KinkedSupplyModel = {
  kind: "kinked-supply",
  supplied: 4e8,
  borrowed: 3.8e8,
  base: 0.01,
  slopeLow: 0.0325,
  slopeHigh: 0.4,
  kink: 0.8,
};

describe("rate models", () => {
  it("give Aave's rates as the protocol works them out", () => {
    expect(borrowApr(AAVE, 0)).to.be.closeTo(0.0875543, 1e-7);
    expect(supplyApr(AAVE, 0)).to.be.closeTo(0.0705251, 1e-7);
    const full = { ...AAVE, borrowed: 1e9 };
    expect(borrowApr(full, 0)).to.be.closeTo(0.69, 1e-12);
    expect(supplyApr(full, 0)).to.be.closeTo(0.69 * 0.9, 1e-12);
  });

  it("give Compound's supply rate on both sides of its kink", () => {
    expect(supplyApr(COMET, 0)).to.be.closeTo(0.01 + 0.0325 * 0.8 + 0.4 * 0.15, 1e-12);
    expect(supplyApr(COMET, 1.5e8)).to.be.closeTo(0.01 + (0.0325 * 3.8e8) / 5.5e8, 1e-12);
  });

  it("count utilisation above 1 as 1 and an empty pool as 0", () => {
    expect(utilisation({ ...COMET, borrowed: 5e8 }, 0)).to.equal(1);
    expect(utilisation({ ...COMET, borrowed: 5e8 }, 6e8)).to.equal(0.5);
    expect(utilisation({ ...COMET, supplied: 0, borrowed: 0 }, 0)).to.equal(0);
    expect(supplyApr({ ...AAVE, supplied: 0, borrowed: 0 }, 0)).to.equal(0);
    expect(supplyApr({ ...COMET, supplied: 0, borrowed: 0 }, 0)).to.equal(0.01);
    expect(supplyApr({ ...AAVE, kink: 1, borrowed: 1e9 }, 0)).to.be.closeTo(0.081, 1e-12);
  });

  it("agree with a second writing of the formulas on random models", () => {
    const random = seeded(1);
    for (let k = 0; k < 2000; k++) {
      const model = randomModel(random, 1e6);
      const x = 10 ** (7 * random()) - 1;
      expect(supplyApr(model, x)).to.be.closeTo(aprOf(model, x), 1e-13);
    }
  });

  it("derive the marginal income", () => {
    const random = seeded(2);
    for (let k = 0; k < 2000; k++) {
      const model = randomModel(random, 1e6);
      const x = 10 ** (7 * random());
      const h = 1e-6 * x;
      const around = [marginalIncome(model, x - h), marginalIncome(model, x + h)];
      const numeric = (income(model, x + h) - income(model, x - h)) / (2 * h);
      expect(numeric).to.be.within(Math.min(...around) - 1e-6, Math.max(...around) + 1e-6);
    }
  });

  describe("segments of the income curve", () => {
    it("cover the range without gaps, give the income, and have the shape they claim", () => {
      const random = seeded(3);
      const seen = new Set<string>();
      for (let k = 0; k < 2000; k++) {
        const model = randomModel(random, 1e6);
        const parts = segments(model, 0, 1e7);
        expect(parts[0]?.from).to.equal(0);
        expect(parts.at(-1)?.to).to.equal(1e7);
        parts.forEach(({ from, to, shape, ...segment }, i) => {
          seen.add(shape);
          expect(parts[i + 1]?.from ?? to).to.equal(to);
          const value = (x: number): number => {
            const u = segment.borrowed > 0 ? segment.borrowed / (segment.supplied + x) : 0;
            return segment.intercept + x * (segment.constant + u * (segment.linear + segment.quadratic * u));
          };
          const points = [0, 0.25, 0.5, 0.75, 1].map((share) => from + share * (to - from));
          const scale = Math.max(...points.map((x) => Math.abs(value(x)))) + 1e-9;
          for (const x of points.slice(1)) expect(Math.abs(value(x) - income(model, x)) / scale).to.be.at.most(1e-9);
          for (const j of [1, 2, 3]) {
            const [a, b, c] = points.slice(j - 1, j + 2).map(value) as [number, number, number];
            const bend = (a + c - 2 * b) / scale;
            if (shape === "concave") expect(bend).to.be.at.most(1e-12);
            if (shape === "convex") expect(bend).to.be.at.least(-1e-12);
            if (shape === "linear") expect(Math.abs(bend)).to.be.at.most(1e-12);
          }
        });
      }
      expect([...seen].sort()).to.deep.equal(["concave", "convex", "linear"]);
    });

    it("split a pool above its kink where our deposit brings it to the kink", () => {
      expect(segments(COMET, 0, 1e9).map(({ to }) => to)).to.deep.equal([3.8e8 / 0.8 - 4e8, 1e9]);
    });
  });

  describe("the model that a forecast implies", () => {
    it("pays the forecast at our position", () => {
      const random = seeded(4);
      for (let k = 0; k < 1000; k++) {
        const model = randomModel(random, 1e6);
        if (model.kind === "liquidity") continue;
        const x0 = 1e6 * random();
        if (model.kind !== "fixed" && model.supplied + x0 <= 0) continue;
        const low = model.kind === "fixed" ? 0 : supplyApr({ ...model, borrowed: 0 }, x0);
        const high = model.kind === "fixed" ? 0.2 : supplyApr({ ...model, borrowed: model.supplied + x0 }, x0);
        const apr = low + (high - low) * random();
        expect(supplyApr(impliedModel(model, apr, x0), x0)).to.be.closeTo(apr, 1e-9);
      }
    });

    it("changes nothing when the forecast is today's rate", () => {
      expect(impliedModel(AAVE, supplyApr(AAVE, 5e6), 5e6)).to.deep.equal(AAVE);
    });

    it("stops at what the curve can pay", () => {
      expect(impliedModel(AAVE, 5, 1e8)).to.deep.equal({ ...AAVE, borrowed: 1.1e9 });
      expect(impliedModel(AAVE, -1, 1e8)).to.deep.equal({ ...AAVE, borrowed: 0 });
      expect(impliedModel(COMET, 0.005, 0)).to.deep.equal({ ...COMET, borrowed: 0 });
    });

    it("is the model itself where utilisation has no say", () => {
      expect(impliedModel({ kind: "fixed", apr: 0.04 }, 0.05, 1e6)).to.deep.equal({ kind: "fixed", apr: 0.05 });
      const flat = { ...COMET, slopeLow: 0, slopeHigh: 0 };
      expect(impliedModel(flat, 0.05, 0)).to.equal(flat);
      const empty = { ...AAVE, supplied: 0, borrowed: 0 };
      expect(impliedModel(empty, 0.05, 0)).to.equal(empty);
    });
  });
});
