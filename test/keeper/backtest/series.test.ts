import { expect } from "chai";
import { RateSeries } from "../../../keeper/backtest/series";
import { InputFailure } from "../../../keeper/config/failure";
import { supplyApr } from "../../../keeper/venues/rateModel";
import { rowsOf, seriesOf, START } from "./synthetic";

function failureOf(work: () => unknown): InputFailure {
  try {
    work();
  } catch (error) {
    if (error instanceof InputFailure) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a backtest's series", () => {
  it("refuses a rate or an amount that cannot be, and names row and column", () => {
    const rows = rowsOf({ apr: () => 0.05, hours: 5 });
    for (const [change, code, column] of [
      [{ supplyApr: -0.01 }, "BACKTEST_RATE", "supply_apr"],
      [{ supplyApr: NaN }, "BACKTEST_RATE", "supply_apr"],
      [{ supplyApr: 101 }, "BACKTEST_RATE", "supply_apr"],
      [{ suppliedUsd: -1 }, "BACKTEST_AMOUNT", "supplied_usd"],
      [{ borrowedUsd: -1 }, "BACKTEST_AMOUNT", "borrowed_usd"],
    ] as const) {
      const bad = rows.map((row, k) => (k === 3 ? { ...row, ...change } : row));
      const failure = failureOf(() => new RateSeries("x", bad));
      expect(failure.code).to.equal(code);
      expect(failure.field).to.equal(`x: ${column} at available_at ${START + 3 * 3600}`);
    }
  });

  it("carries a missing amount on, and leaves a row without a rate and news of an older state out", () => {
    const rows = rowsOf({ apr: (h) => 0.01 * (h + 1), supplied: (h) => (h === 2 ? null : 1e6 + h), hours: 6 });
    const odd = rows.map((row, k) => {
      if (k === 3) return { ...row, supplyApr: null };
      return k === 4 ? { ...row, observedAt: START - 7200 } : row;
    });
    const series = new RateSeries("x", odd);
    expect([...series.apr]).to.deep.equal([0.01, 0.02, 0.03, 0.06]);
    expect([...series.supplied]).to.deep.equal([1e6, 1e6 + 1, 1e6 + 1, 1e6 + 5]);
  });

  it("gives the same rows again", () => {
    const rows = rowsOf({ apr: (h) => 0.01 + 1e-4 * h, hours: 9 });
    expect(new RateSeries("x", rows).rows()).to.deep.equal(rows);
    const savings = rowsOf({ apr: () => 0.03, borrowed: () => null, hours: 3 });
    expect(new RateSeries("x", savings).rows()).to.deep.equal(savings);
  });

  it("knows a curve at a time from rows that were available at the beginning of its week, and from no others", () => {
    const used = (hour: number): number => 0.6 + 0.3 * ((hour * 37) % 100) * 0.01;
    const apr = (hour: number): number => 0.05 * used(hour) ** 2 + (used(hour) > 0.8 ? 2 * (used(hour) - 0.8) : 0);
    const shape = { apr, supplied: () => 1e8, borrowed: (h: number) => 1e8 * used(h) };
    const whole = seriesOf("aave-x", shape);
    const at = START + 1_000 * 3600;
    const week = Math.floor(at / 604_800) * 604_800;
    const known = Math.floor((week - START) / 3600) + 1;
    const upToThen = new RateSeries("aave-x", rowsOf({ ...shape, hours: known }));
    expect(whole.curveAt(at)).to.deep.equal(upToThen.curveAt(at));
    expect(whole.curveAt(at)?.kink).to.be.within(0.79, 0.81);
    // A curve needs 24 states: with the row that became available as the first week ended there are as many.
    const weekEnds = START + 48 * 3600;
    const rows = rowsOf({ ...shape, hours: 60 });
    expect(weekEnds % 604_800).to.equal(0);
    expect(new RateSeries("aave-x", rows.slice(25)).curveAt(weekEnds)).to.not.equal(undefined);
    expect(new RateSeries("aave-x", rows.slice(26)).curveAt(weekEnds)).to.equal(undefined);
    expect(whole.curveAt(START - 1e7)).to.equal(undefined);
  });

  it("has a model of each row that pays the row's rate, and less to more money", () => {
    const series = seriesOf("aave-x", { apr: () => 0.05 });
    const model = series.modelOf(7, false);
    expect(supplyApr(model, 0)).to.be.closeTo(0.05, 1e-15);
    expect(supplyApr(model, 1e8)).to.be.closeTo(0.05 / 1.1 ** 2, 1e-12);
    expect(supplyApr(series.modelOf(7, true), 1e8)).to.equal(0.05);
    const savings = seriesOf("susds", { apr: () => 0.05, borrowed: () => null });
    expect(supplyApr(savings.modelOf(7, false), 1e8)).to.equal(0.05);
  });
});
