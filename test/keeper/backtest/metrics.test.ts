import { expect } from "chai";
import { meanInterval } from "../../../keeper/backtest/bootstrap";
import { apyOf, dailyReturns, metricsOf } from "../../../keeper/backtest/metrics";
import type { Run, Trade } from "../../../keeper/backtest/run";
import { seeded } from "../../../scripts/bench/randomProblems";

const HOURS = { from: 0, stepSeconds: 3_600, steps: 72 };

function runOf(equity: readonly number[], trades: readonly Trade[] = []): Run {
  return {
    ...{ strategy: "x", equity: Float64Array.from(equity), trades, refused: 0, waited: 0 },
    ...{ holdings: new Float64Array(0), decisions: new Float64Array(0) },
  };
}

/** Grows by these in three days of 24 steps. */
function threeDays(...returns: readonly [number, number, number]): Run {
  let value = 100;
  const equity = [value];
  for (const daily of returns) for (let h = 0; h < 24; h += 1) equity.push((value *= (1 + daily) ** (1 / 24)));
  return runOf(equity);
}

describe("a run's figures", () => {
  const flat = threeDays(0.01, 0.01, 0.01);
  const baselines = { capital: 100, hold: flat, ceilingUsd: 110, seed: 1 };

  it("are return, yield a year of 365 days, and the share of what was possible beyond the hold", () => {
    const run = threeDays(0.01, 0.02, 0.01);
    const metrics = metricsOf(run, HOURS, baselines);
    const final = 100 * 1.01 * 1.02 * 1.01;
    expect(metrics.totalReturn).to.be.closeTo(final / 100 - 1, 1e-12);
    expect(metrics.apy).to.be.closeTo((final / 100) ** (365 / 3) - 1, 1e-6);
    const held = 100 * 1.01 ** 3;
    expect(metrics.captureRatio).to.be.closeTo((final - held) / (110 - held), 1e-12);
    expect(apyOf(0, HOURS)).to.equal(-1);
  });

  it("are of daily returns over the hold's: deviation, Sharpe ratio, days won", () => {
    const run = threeDays(0.03, 0.01, 0);
    const metrics = metricsOf(run, HOURS, baselines);
    [...dailyReturns(run.equity, HOURS)].forEach((value, day) =>
      expect(value).to.be.closeTo([0.03, 0.01, 0][day] as number, 1e-12),
    );
    const mean = 0.01 / 3;
    const sd = Math.sqrt(((0.02 - mean) ** 2 + mean ** 2 + (-0.01 - mean) ** 2) / 2);
    expect(metrics.sharpe).to.be.closeTo((mean / sd) * Math.sqrt(365), 1e-9);
    expect(metrics.volatility).to.be.closeTo(sd * Math.sqrt(365), 1e-9);
    expect(metrics.winRate).to.equal(0.5);
    expect(metrics.excess).to.equal(null);
  });

  it("say null where there is nothing to say: the hold beside itself, no room above it, less than two days", () => {
    const itself = metricsOf(flat, HOURS, baselines);
    expect([itself.sharpe, itself.winRate, itself.captureRatio]).to.deep.equal([null, null, 0]);
    const held = flat.equity.at(-1) as number;
    expect(metricsOf(flat, HOURS, { ...baselines, ceilingUsd: held }).captureRatio).to.equal(null);
    const hour = runOf([100, 101]);
    const short = metricsOf(hour, { ...HOURS, steps: 1 }, { ...baselines, hold: hour });
    expect([short.volatility, short.sharpe, short.winRate]).to.deep.equal([null, null, null]);
  });

  it("are the deepest fall from a peak, and what moving came to", () => {
    const trade = { step: 1, decided: 0, partial: false, reason: null };
    const run = runOf(
      [100, 120, 90, 110, 108, 130, 117],
      [
        { ...trade, moves: 2, movedUsd: 70, gasUsd: 3, feesUsd: 0.5 },
        { ...trade, moves: 1, movedUsd: 5, gasUsd: 1, feesUsd: 0 },
      ],
    );
    const metrics = metricsOf(run, { ...HOURS, steps: 6 }, { ...baselines, hold: run });
    expect(metrics.maxDrawdown).to.equal(0.25);
    expect([metrics.moves, metrics.turnoverUsd, metrics.costsUsd]).to.deep.equal([3, 75, 4.5]);
  });
});

describe("the interval of a mean", () => {
  const noise = (seed: number, n: number, mean: number): Float64Array => {
    const random = seeded(seed);
    return Float64Array.from({ length: n }, () => mean + random() - 0.5);
  };

  it("holds the true mean about as often as it says, and is the same for the same seed", () => {
    let held = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const interval = meanInterval(noise(seed, 400, 0.1), { seed, scale: 1 });
      if (interval !== null && interval.low <= 0.1 && interval.high >= 0.1) held += 1;
    }
    expect(held).to.be.within(178, 198);
    const values = noise(7, 400, 0);
    expect(meanInterval(values, { seed: 3, scale: 1 })).to.deep.equal(meanInterval(values, { seed: 3, scale: 1 }));
    expect(meanInterval(values, { seed: 3, scale: 1 })).to.not.deep.equal(meanInterval(values, { seed: 4, scale: 1 }));
  });

  it("is wider where days go together than where they do not", () => {
    const random = seeded(5);
    let level = 0;
    const sticky = Float64Array.from({ length: 600 }, () => (level = 0.9 * level + random() - 0.5));
    const shuffled = sticky.slice();
    for (let k = shuffled.length - 1; k > 0; k -= 1) {
      const other = Math.floor(random() * (k + 1));
      [shuffled[k], shuffled[other]] = [shuffled[other] as number, shuffled[k] as number];
    }
    const width = (values: Float64Array): number => {
      const interval = meanInterval(values, { seed: 1, scale: 1 });
      return interval === null ? NaN : interval.high - interval.low;
    };
    expect(width(sticky)).to.be.greaterThan(2 * width(shuffled));
  });

  it("is scaled to a year, and null for less than eight weeks", () => {
    const year = meanInterval(new Float64Array(100).fill(0.001), { seed: 1, scale: 365 });
    expect(year?.mean).to.be.closeTo(0.365, 1e-12);
    expect([year?.low, year?.high].map((end) => end?.toFixed(9))).to.deep.equal(["0.365000000", "0.365000000"]);
    expect(meanInterval(noise(1, 55, 0), { seed: 1, scale: 1 })).to.equal(null);
  });
});
