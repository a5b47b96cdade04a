import { expect } from "chai";
import { liquidityModel, trailingApr } from "../../../keeper/venues/liquidity";
import { impliedModel, income, marginalIncome, supplyApr, type RateModel } from "../../../keeper/venues/rateModel";

const DAY = 86_400;

describe("a pool of traders", () => {
  const model = liquidityModel({ pool: 1e6, apr: 0.03, lost: 0.01 });

  it("pays the rate it is said to pay to the first unit, and less to each that follows", () => {
    expect(model).to.deep.equal({ kind: "liquidity", pool: 1e6, fees: 40_000, apr: -0.01 });
    expect(supplyApr(model, 0)).to.be.closeTo(0.03, 1e-15);
    // Half of the fees; arbitrage takes the same of each.
    expect(supplyApr(model, 1e6)).to.be.closeTo(0.01, 1e-15);
    expect(supplyApr(model, 3e6)).to.be.closeTo(0, 1e-15);
  });

  it("has as marginal income the derivative of its income", () => {
    for (const x of [0, 1e5, 1e6, 5e6]) {
      const step = 1;
      const slope = (income(model, x + step) - income(model, Math.max(0, x - step))) / (x === 0 ? step : 2 * step);
      expect(marginalIncome(model, x)).to.be.closeTo(slope, x === 0 ? 1e-7 : 1e-9);
    }
  });

  it("pays nothing of fees that nobody shares, and no more than arbitrage leaves", () => {
    expect(liquidityModel({ pool: 0, apr: 0.05, lost: 0 })).to.deep.equal({
      ...{ kind: "liquidity", pool: 0, fees: 0, apr: 0 },
    });
    const losing = liquidityModel({ pool: 1e6, apr: -0.02, lost: 0.01 });
    for (const x of [0, 1e6]) expect(supplyApr(losing, x)).to.equal(-0.02);
    expect(marginalIncome({ kind: "liquidity", pool: 0, fees: 1e5, apr: 0 }, 0)).to.equal(0);
  });

  it("takes a forecast as other fees beside the same arbitrage", () => {
    const better = impliedModel(model, 0.07, 0) as Extract<RateModel, { kind: "liquidity" }>;
    expect(better).to.deep.include({ pool: 1e6, apr: -0.01 });
    expect(supplyApr(better, 0)).to.be.closeTo(0.07, 1e-15);
    expect(supplyApr(impliedModel(model, 0.02, 1e6), 1e6)).to.be.closeTo(0.02, 1e-15);
    const worse = impliedModel(model, -0.04, 0);
    for (const x of [0, 1e6]) expect(supplyApr(worse, x)).to.equal(-0.04);
  });
});

describe("the rate of income that comes in lumps", () => {
  it("is the mean of the past, in which what was before the first sight is nothing", () => {
    expect(trailingApr(null, 1, 12)).to.be.closeTo(12 / DAY, 1e-7);
    expect(trailingApr(0.05, 0.05, 12)).to.be.closeTo(0.05, 1e-15);
    expect(trailingApr(0.05, 0, DAY)).to.be.closeTo(0.05 / Math.E, 1e-15);
  });

  it("does not depend on how often one looks", () => {
    let often: number | null = null;
    for (let hour = 0; hour < 48; hour++) often = trailingApr(often, 0.04, 3_600);
    expect(often).to.be.closeTo(trailingApr(null, 0.04, 48 * 3_600), 1e-15);
  });

  it("comes near a steady rate within three days, wherever the lumps fall", () => {
    let apr: number | null = null;
    for (let hour = 0; hour < 7 * 24; hour++) apr = trailingApr(apr, hour % 6 === 0 ? 0.24 : 0, 3_600);
    expect(apr).to.be.within(0.03, 0.05);
  });
});
