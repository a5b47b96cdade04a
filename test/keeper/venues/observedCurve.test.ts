import { expect } from "chai";
import { fitCurve, observedModel, ObservedModel, shapeOf } from "../../../keeper/venues/observedCurve";
import { supplyApr, type AaveModel, type KinkedSupplyModel, type PoolModel } from "../../../keeper/venues/rateModel";
import { seeded } from "../../../scripts/bench/randomProblems";

/** Aave V3 USDC's and Comet USDC's curves of 2024. */
const AAVE: AaveModel = {
  ...{ kind: "aave", supplied: 1e9, borrowed: 0, base: 0 },
  ...{ slope1: 0.06, slope2: 0.6, kink: 0.9, reserveFactor: 0.1 },
};
const COMET: KinkedSupplyModel = {
  ...{ kind: "kinked-supply", supplied: 4e8, borrowed: 0, base: 0 },
  ...{ slopeLow: 0.0325, slopeHigh: 0.4, kink: 0.8 },
};

/** States of a market with these parameters, most below the kink. */
function statesOf(
  model: PoolModel,
  count = 400,
): { utilisation: Float64Array; apr: Float64Array; from: 0; to: number } {
  const random = seeded(11);
  const utilisation = Float64Array.from({ length: count }, () => 0.7 + 0.28 * random() ** 1.5);
  const apr = utilisation.map((u) => supplyApr({ ...model, borrowed: u * model.supplied }, 0));
  return { utilisation, apr, from: 0, to: count };
}

describe("a curve from what a market paid", () => {
  for (const model of [AAVE, COMET]) {
    it(`finds the kink of a ${model.kind} market, and what it pays on every deposit, above the kink too`, () => {
      const curve = fitCurve(model.kind, statesOf(model));
      expect(curve?.kink).to.be.closeTo(model.kink, 0.012);
      for (const u of [0.5, 0.79, 0.85, 0.93, 0.99]) {
        const truth = { ...model, borrowed: u * model.supplied };
        const state = { supplied: model.supplied, borrowed: truth.borrowed, supplyApr: supplyApr(truth, 0) };
        const seen = observedModel(model.kind, state, curve);
        expect(supplyApr(seen, 0)).to.be.closeTo(state.supplyApr, 1e-15);
        for (const x of [1e5, 1e6, 1e7, 1e8]) {
          const real = supplyApr(truth, x);
          expect(supplyApr(seen, x), `u ${u}, x ${x}`).to.be.closeTo(real, 0.06 * state.supplyApr);
        }
      }
    });
  }

  it("takes a state for one below the kink where nothing else is known: its rate falls with the deposit, never rises", () => {
    const aave = observedModel("aave", { supplied: 1e6, borrowed: 9e5, supplyApr: 0.08 }, undefined);
    expect(supplyApr(aave, 1e6)).to.be.closeTo(0.02, 1e-15);
    const comet = observedModel("kinked-supply", { supplied: 1e6, borrowed: 9e5, supplyApr: 0.08 }, undefined);
    expect(supplyApr(comet, 1e6)).to.be.closeTo(0.04, 1e-15);
  });

  it("fits nothing to a handful of states, nor to states without a rate", () => {
    const few = statesOf(AAVE, 10);
    expect(fitCurve("aave", few)).to.equal(undefined);
    const none = statesOf(AAVE);
    expect(fitCurve("aave", { ...none, apr: none.apr.map(() => 0) })).to.equal(undefined);
  });

  it("is not led astray by a few states that are wrong", () => {
    const states = statesOf(COMET);
    for (const k of [5, 50, 150]) states.apr[k] = (states.apr[k] as number) / 10;
    states.utilisation[77] = 0.97;
    states.apr[77] = 0.0325 * 0.97;
    expect(fitCurve("kinked-supply", states)?.kink).to.be.closeTo(0.8, 0.012);
    expect(fitCurve("kinked-supply", states)?.slope).to.be.closeTo(0.0325, 1e-4);
  });

  it("shares what a market without borrowers pays, and pays a venue's own rate on any deposit where nothing is lent out", () => {
    const odd = observedModel("aave", { supplied: 1e6, borrowed: 0, supplyApr: 0.04 }, undefined);
    expect(supplyApr(odd, 0)).to.be.closeTo(0.04, 1e-15);
    expect(supplyApr(odd, 1e6)).to.be.closeTo(0.02, 1e-15);
    const savings = observedModel("aave", { supplied: 1e6, borrowed: null, supplyApr: 0.04 }, undefined);
    expect(supplyApr(savings, 1e9)).to.equal(0.04);
    const empty = observedModel("aave", { supplied: 0, borrowed: 0, supplyApr: 0 }, undefined);
    expect(supplyApr(empty, 1e6)).to.equal(0);
  });

  it("counts a market that lends out more than it has as one that lends out all", () => {
    const model = observedModel("aave", { supplied: 1e6, borrowed: 1.2e6, supplyApr: 0.3 }, undefined);
    expect(supplyApr(model, 0)).to.be.closeTo(0.3, 1e-15);
    expect(supplyApr(model, 2e5)).to.be.closeTo(0.3, 1e-15);
    expect(supplyApr(model, 1.4e6)).to.be.closeTo(0.3 / 4, 1e-12);
  });

  it("tells Compound V3 by the series' name and takes everything else for the curve that dilutes more", () => {
    expect(["compound-v3-usdc", "comet-usdc"].map(shapeOf)).to.deep.equal(["kinked-supply", "kinked-supply"]);
    expect(["aave-v3-usdc", "compound-v2-dai", "x"].map(shapeOf)).to.deep.equal(["aave", "aave", "aave"]);
  });

  it("writes one model anew for each state", () => {
    const model = new ObservedModel("aave");
    const first = model.at(1e6, 5e5, 0.02, undefined);
    expect(model.at(2e6, 5e5, 0.03, undefined)).to.equal(first);
    expect(supplyApr(first, 0)).to.be.closeTo(0.03, 1e-15);
  });
});
