import { expect } from "chai";
import { RateSeries, type RateRow } from "../../../keeper/backtest/series";
import { MarketTruth } from "../../../keeper/backtest/truth";
import { supplyApr } from "../../../keeper/venues/rateModel";
import { seeded } from "../../../scripts/bench/randomProblems";
import { FROM, rowsOf, START, wave } from "./synthetic";

const YEAR = 365 * 86_400;

function row(observedAt: number, supplyApr: number, delay = 600): RateRow {
  return { observedAt, availableAt: observedAt + delay, supplyApr, suppliedUsd: 1e8, borrowedUsd: 8e7 };
}

/** States at odd seconds, at random. */
function oddStates(): RateRow[] {
  const random = seeded(5);
  let at = START;
  return Array.from({ length: 900 }, () => row((at += 1 + Math.floor(5_000 * random())), 0.3 * random()));
}

function growthOver(truth: MarketTruth): number {
  return truth.growth.reduce((index, growth) => index * (1 + growth), 1);
}

describe("what happened", () => {
  it("grows by the rate in force in seconds, simple within a state and compounded at the next", () => {
    const rows = [row(START, 0.1), row(START + 5_400, 0.2), row(START + 7_300, 0.4)];
    const grid = { from: START + 1_800, stepSeconds: 3_600, steps: 2 };
    const truth = new MarketTruth(new RateSeries("x", rows), grid, { priceTaker: true });
    // The first state is half an hour old when the first step begins, and gives way as it ends.
    expect(truth.growth[0]).to.be.closeTo((1 + (0.1 * 5_400) / YEAR) / (1 + (0.1 * 1_800) / YEAR) - 1, 1e-15);
    expect(truth.growth[1]).to.be.closeTo((1 + (0.2 * 1_900) / YEAR) * (1 + (0.4 * 1_700) / YEAR) - 1, 1e-15);
  });

  it("earns a rate from its state on, not from when it was known", () => {
    const late = [row(START, 0.1, 60), row(START + 3_600, 0.5, 7_200)];
    const grid = { from: START + 3_600, stepSeconds: 3_600, steps: 1 };
    const truth = new MarketTruth(new RateSeries("x", late), grid, { priceTaker: true });
    expect(truth.growth[0]).to.be.closeTo((0.5 * 3_600) / YEAR, 1e-15);
  });

  it("comes to the same over any grid", () => {
    const series = new RateSeries("x", oddStates());
    const span = { from: START + 7_200, hours: 240 };
    const over = (stepSeconds: number): number =>
      growthOver(
        new MarketTruth(
          series,
          { from: span.from, stepSeconds, steps: (span.hours * 3600) / stepSeconds },
          { priceTaker: true },
        ),
      );
    expect(over(300)).to.be.closeTo(over(3_600), 1e-13);
    expect(over(86_400)).to.be.closeTo(over(3_600), 1e-13);
  });

  it("takes the later of two rows of one state, and keeps the last state on without end", () => {
    const rows = [row(START, 0.1), row(START + 3_600, 0.9), { ...row(START + 3_600, 0.2), availableAt: START + 9_000 }];
    const grid = { from: START + 3_600, stepSeconds: 3_600, steps: 2 };
    const truth = new MarketTruth(new RateSeries("x", rows), grid, { priceTaker: true });
    const index = (seconds: number): number => 1 + (0.2 * seconds) / YEAR;
    expect(truth.growth[0]).to.be.closeTo(index(3_600) - 1, 1e-15);
    expect(truth.growth[1]).to.be.closeTo(index(7_200) / index(3_600) - 1, 1e-15);
  });

  it("grows without a deposit as with a deposit of nothing, and less the more is deposited", () => {
    const series = new RateSeries("aave-x", rowsOf({ apr: wave(0.05, 0.02, 50), borrowed: wave(8e8, 5e7, 31) }));
    const grid = { from: FROM, stepSeconds: 3_600, steps: 500 };
    const deep = new MarketTruth(series, grid, { priceTaker: false });
    const taker = new MarketTruth(series, grid, { priceTaker: true });
    for (let k = 0; k < grid.steps; k += 7) {
      const growth = taker.growth[k] as number;
      expect(deep.growthOf(k, 1e-3)).to.be.closeTo(growth, 1e-12 * growth + 1e-17);
      expect(deep.growthOf(k, 0)).to.equal(growth);
      expect(taker.growthOf(k, 1e9)).to.equal(growth);
      expect(deep.growthOf(k, 1e8)).to.be.lessThan(growth);
      expect(deep.growthOf(k, 2e8)).to.be.lessThan(deep.growthOf(k, 1e8));
    }
  });

  it("dilutes by the mean state of a step, with the model that decisions use", () => {
    const rows = [row(START, 0.1), { ...row(START + 900, 0.1), suppliedUsd: 3e8, borrowedUsd: 2e8 }];
    const grid = { from: START, stepSeconds: 3_600, steps: 1 };
    const truth = new MarketTruth(new RateSeries("aave-x", rows), grid, { priceTaker: false });
    const model = truth.modelAt(0);
    if (model.kind !== "aave") throw new Error(model.kind);
    expect(model.supplied).to.be.closeTo(2.5e8, 1);
    expect(model.borrowed).to.be.closeTo(1.7e8, 1);
    expect(truth.growthOf(0, 1e7)).to.be.closeTo((supplyApr(model, 1e7) * 3_600) / YEAR, 1e-15);
  });

  it("lets out what others supplied and nobody borrowed, and our own", () => {
    const rows = [row(START, 0.1), { ...row(START + 3_600, 0.1), borrowedUsd: 1.01e8 }];
    const grid = { from: START, stepSeconds: 3_600, steps: 2 };
    const truth = new MarketTruth(new RateSeries("aave-x", rows), grid, { priceTaker: false });
    expect(truth.withdrawable(0, 5e6)).to.equal(5e6);
    expect(truth.withdrawable(1, 5e6)).to.be.closeTo(4e6, 1e-3);
    expect(truth.withdrawable(1, 5e5)).to.equal(0);
    expect(new MarketTruth(new RateSeries("aave-x", rows), grid, { priceTaker: true }).withdrawable(1, 5e5)).to.equal(
      5e5,
    );
  });
});
