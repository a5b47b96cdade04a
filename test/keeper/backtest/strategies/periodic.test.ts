import { expect } from "chai";
import { constantGas } from "../../../../keeper/backtest/gasPrices";
import { runBacktest } from "../../../../keeper/backtest/run";
import { RateSeries } from "../../../../keeper/backtest/series";
import {
  pastOf,
  periodic,
  type PeriodicName,
  type PeriodicSettings,
} from "../../../../keeper/backtest/strategies/periodic";
import { impliedModel, supplyApr } from "../../../../keeper/venues/rateModel";
import { market, rowsOf, seriesOf, START, wave } from "../synthetic";

const RUN = { capital: 1e5, costBps: 0, record: true };

/** Shares of the money at a step, to a tenth of a percent. */
function sharesOf(
  name: PeriodicName,
  series: readonly RateSeries[],
  of: { readonly step?: number; readonly settings?: PeriodicSettings; readonly gas?: number } = {},
): number[] {
  const run = runBacktest(market(series, { gas: constantGas(of.gas ?? 0) }), periodic(name, of.settings), RUN);
  const at = (of.step ?? 0) * series.length;
  const held = [...run.holdings.slice(at, at + series.length)];
  const sum = held.reduce((total, usd) => total + usd, 0);
  return held.map((usd) => Math.round((1000 * usd) / sum) / 1000);
}

const flat = (name: string, apr: number, supplied = 1e8): RateSeries =>
  seriesOf(name, { apr: () => apr, supplied: () => supplied, borrowed: () => supplied * 0.8 });

describe("what is known of a venue's last weeks", () => {
  it("weighs each rate by the time it held, from the window's begin to now", () => {
    const rows = rowsOf({ apr: (h) => [0.1, 0.4, 0.2][h] ?? 0.2, hours: 3, delayMinutes: 0 });
    const series = new RateSeries("x", rows);
    // The window begins half an hour before the second state; the third holds for two hours.
    const past = pastOf(series, 3, START + 4 * 3600, 3.5 * 3600);
    const mean = (0.5 * 0.1 + 0.4 + 2 * 0.2) / 3.5;
    expect(past.mean).to.be.closeTo(mean, 1e-15);
    const squares = (0.5 * 0.01 + 0.16 + 2 * 0.04) / 3.5;
    expect(past.deviation).to.be.closeTo(Math.sqrt(squares - mean * mean), 1e-12);
    expect(pastOf(series, 2, START + 4 * 3600, 3600).mean).to.equal(0.4);
    expect(pastOf(series, 1, START, 3600).mean).to.equal(0.1);
  });

  it("counts the time at which an exit was nearly shut", () => {
    const series = seriesOf("x", { apr: () => 0.05, borrowed: (h) => (h % 4 === 0 ? 9.6e8 : 9.4e8) });
    expect(pastOf(series, 100, START + 99 * 3600, 80 * 3600).illiquid).to.be.closeTo(0.25, 0.02);
  });
});

describe("strategies that look now and then", () => {
  const four = [flat("a", 0.03, 4e8), flat("b", 0.06, 1e8), flat("c", 0.05, 3e8), flat("d", 0.04, 2e8)];

  it("spread evenly over all, over the three best of the past, over the three largest", () => {
    expect(sharesOf("equal-weight", four)).to.deep.equal([0.25, 0.25, 0.25, 0.25]);
    expect(sharesOf("best-history", four)).to.deep.equal([0, 0.333, 0.333, 0.333]);
    expect(sharesOf("highest-tvl", four)).to.deep.equal([0.333, 0, 0.333, 0.333]);
  });

  it("take less of what swings and of what is hard to leave", () => {
    const steady = flat("steady", 0.05);
    const swinging = seriesOf("swinging", { apr: wave(0.05, 0.045, 24) });
    const shut = seriesOf("shut", { apr: () => 0.05, borrowed: () => 9.9e8 });
    const shares = sharesOf("risk-adjusted", [steady, swinging, shut]);
    expect(shares[0]).to.be.greaterThan((shares[1] as number) + 0.1);
    expect(shares[2]).to.be.closeTo((shares[0] as number) / 2, 0.002);
  });

  it("take less of what keeper/risk's scorecards trust less", () => {
    const risk = (series: string): number => (series === "b" ? 0.8 : 0.2);
    const strategy = periodic("risk-adjusted", undefined, risk);
    const { holdings } = runBacktest(market([flat("a", 0.05), flat("b", 0.05)]), strategy, RUN);
    expect((holdings[0] as number) / (holdings[1] as number)).to.be.closeTo(1.8 / 1.2, 1e-9);
  });

  it("split such yields exactly, with what our own money does to each rate", () => {
    const risks: Record<string, number> = { a: 0.2, b: 0.6, c: 0.1 };
    const series = [flat("a", 0.05, 4e6), flat("b", 0.07, 3e6), flat("c", 0.03, 9e6)];
    const on = market(series, { priceTaker: false, capital: 1e6 });
    const strategy = periodic("risk-adjusted-exact", undefined, (name) => risks[name] as number);
    const { holdings } = runBacktest(on, strategy, { ...RUN, capital: 1e6 });
    const last = (on.knowledge.rows[0]?.[0] ?? 0) - 1;
    const worth = (v: number, x: number): number => {
      const one = series[v] as RateSeries;
      return (
        (x * supplyApr(impliedModel(one.modelOf(last, false), one.apr[last] as number, 0), x)) /
        (1 + (risks[one.name] as number))
      );
    };
    let [best, at] = [-1, [0, 0]];
    for (let a = 0; a <= 100; a += 1) {
      for (let b = 0; a + b <= 100; b += 1) {
        const total = worth(0, a * 1e4) + worth(1, b * 1e4) + worth(2, (100 - a - b) * 1e4);
        if (total > best) [best, at] = [total, [a, b]];
      }
    }
    expect(holdings[0]).to.be.closeTo((at[0] as number) * 1e4, 1.1e4);
    expect(holdings[1]).to.be.closeTo((at[1] as number) * 1e4, 1.1e4);
    expect(
      at.every((share) => share > 5 && share < 95),
      "it is a split",
    ).to.equal(true);
    // A price taker has the best of them alone.
    const alone = runBacktest(market(series), strategy, RUN).holdings;
    expect([...alone.slice(0, 3)].map((usd) => Math.round(usd))).to.deep.equal([0, 100_000, 0]);
  });

  it("by variance take what pays more for how its rate swings, by parity what swings less, whatever it pays", () => {
    const steady = seriesOf("steady", { apr: wave(0.03, 0.001, 240) });
    const swinging = seriesOf("swinging", { apr: wave(0.06, 0.05, 240, 1) });
    const alike = seriesOf("alike", { apr: wave(0.06, 0.05, 240, 1) });
    const parity = sharesOf("risk-parity", [steady, swinging], { step: 200 });
    expect(parity[0]).to.be.greaterThan(0.9);
    // What moves together shares one part of the risk.
    const three = sharesOf("risk-parity", [swinging, alike, steady], { step: 200 });
    expect((three[0] as number) + (three[1] as number)).to.be.lessThan(0.1);

    const calm = seriesOf("calm", { apr: wave(0.05, 0.001, 240) });
    expect(sharesOf("mean-variance", [calm, steady], { step: 200 })).to.deep.equal([1, 0]);
    const [some = 0, most = 0] = sharesOf("mean-variance", [swinging, calm], { step: 200 });
    expect(most).to.be.greaterThan(some);
    expect(some).to.be.greaterThan(0.1);
  });

  it("spread evenly before there are ten days to make a covariance of, and follow it at the next look", () => {
    const steady = seriesOf("steady", { apr: wave(0.03, 0.001, 240) });
    const swinging = seriesOf("swinging", { apr: wave(0.06, 0.05, 240, 1) });
    const young = market([steady, swinging], { from: START + 5 * 24 * 3600, to: START + 40 * 24 * 3600 });
    const { holdings } = runBacktest(young, periodic("risk-parity"), RUN);
    const shareAt = (step: number): number =>
      (holdings[2 * step] as number) / ((holdings[2 * step] as number) + (holdings[2 * step + 1] as number));
    expect(shareAt(0)).to.be.closeTo(0.5, 1e-9);
    expect(shareAt(170)).to.be.greaterThan(0.9);
  });

  it("look once a week, and then follow the past", () => {
    const falling = seriesOf("falling", { apr: (h) => (h < 400 ? 0.09 : 0.01) });
    const one: PeriodicSettings = { reviewHours: 168, windowHours: 48, top: 1, band: 0.05, mostGasShare: 1 };
    const at = (step: number): number[] =>
      sharesOf("best-history", [falling, flat("b", 0.05)], { step, settings: one });
    expect(at(0)).to.deep.equal([1, 0]);
    // It fell at step 160; the look at step 168 does not see enough of that, the one at 336 does, and is traded a step later.
    expect(at(169)).to.deep.equal([1, 0]);
    expect(at(336)).to.deep.equal([1, 0]);
    expect(at(337)).to.deep.equal([0, 1]);
  });

  it("leave money that is near enough where it is, and gas that is too dear unpaid", () => {
    const fast = seriesOf("fast", { apr: () => 3 });
    const settings: PeriodicSettings = { reviewHours: 48, windowHours: 48, top: 2, band: 0.05, mostGasShare: 0.002 };
    const trades = (change: Partial<PeriodicSettings>, gas = 0.1): number =>
      runBacktest(
        market([fast, flat("b", 0.01)], { gas: constantGas(gas) }),
        periodic("equal-weight", { ...settings, ...change }),
        RUN,
      ).trades.length;
    expect(trades({ band: 0 })).to.equal(14);
    expect(trades({ band: 0.05 })).to.be.within(1, 2);
    expect(trades({ band: 0 }, 100)).to.equal(0);
  });
});
