import { expect } from "chai";
import fc from "fast-check";
import { adviceOf, compositeScore, LIMITS, PART_WEIGHTS, positionLimit } from "../../../keeper/risk/composite";

const part = fc.double({ min: 0, max: 100, noNaN: true });

describe("the composite score", () => {
  it("is the weighted mean, but never far above the weakest part", () => {
    expect(Object.values(PART_WEIGHTS).reduce((sum, weight) => sum + weight, 0)).to.equal(100);
    expect(compositeScore({ protocol: 80, liquidity: 60, oracle: 100, market: 100 })).to.equal(82);
    expect(compositeScore({ protocol: 100, liquidity: 0, oracle: 100, market: 100 })).to.equal(25);
    expect(compositeScore({ protocol: 20, liquidity: 100, oracle: 100, market: 100 })).to.equal(45);
  });

  it("counts a market risk that cannot be told yet as middling", () => {
    const known = compositeScore({ protocol: 80, liquidity: 80, oracle: 80, market: 60 });
    expect(compositeScore({ protocol: 80, liquidity: 80, oracle: 80, market: null })).to.equal(known);
  });

  it("allows nothing at the bottom and all at the top, a tenth to what nobody knows, and rises between", () => {
    expect(positionLimit(25)).to.equal(0);
    expect(positionLimit(75)).to.equal(1);
    expect(positionLimit(100)).to.equal(1);
    expect(positionLimit(45)).to.equal(0.1);
    expect(positionLimit(60)).to.equal(0.4);
    expect(positionLimit(52.5)).to.equal(0.25);
    for (const [score, share] of LIMITS) expect(positionLimit(score)).to.equal(share);
    fc.assert(
      fc.property(part, part, (a, b) => {
        expect(positionLimit(Math.max(a, b))).to.be.at.least(positionLimit(Math.min(a, b)));
        expect(positionLimit(a)).to.be.within(0, 1);
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  it("never falls when a part gets better", () => {
    fc.assert(
      fc.property(part, part, part, part, part, (protocol, liquidity, oracle, market, better) => {
        const before = compositeScore({ protocol, liquidity, oracle, market });
        expect(compositeScore({ protocol: Math.max(protocol, better), liquidity, oracle, market })).to.be.at.least(
          before,
        );
        expect(compositeScore({ protocol, liquidity, oracle: Math.max(oracle, better), market })).to.be.at.least(
          before,
        );
      }),
      { seed: 6, numRuns: 300 },
    );
  });

  it("says reduce only of what is clearly over, may grow only of what is clearly under", () => {
    expect(adviceOf(0.44, 0.4)).to.equal("hold");
    expect(adviceOf(0.442, 0.4)).to.equal("reduce");
    expect(adviceOf(0.39, 0.4)).to.equal("hold");
    expect(adviceOf(0.37, 0.4)).to.equal("may-grow");
    expect(adviceOf(0, 0)).to.equal("hold");
    // Dust in a venue that may hold nothing is no reason to pay gas.
    expect(adviceOf(0.0005, 0)).to.equal("hold");
    expect(adviceOf(0.01, 0)).to.equal("reduce");
  });
});
