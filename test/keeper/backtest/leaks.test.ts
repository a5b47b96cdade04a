import { expect } from "chai";
import { namesOf, strategyOf } from "../../../keeper/backtest/catalogue";
import { constantGas } from "../../../keeper/backtest/gasPrices";
import { checkLeaks, type LeakReport } from "../../../keeper/backtest/leaks";
import type { Knowledge, Market } from "../../../keeper/backtest/market";
import type { Strategy } from "../../../keeper/backtest/strategy";
import { mlForecasts } from "../../../keeper/backtest/strategies/ml";
import type { Forecasts } from "../../../keeper/backtest/strategies/live";
import { foresight } from "../../../keeper/backtest/strategies/foresight";
import { returning } from "./returningModel";
import { market, seriesOf, wave } from "./synthetic";

const LIMITS = {
  horizonHours: 168,
  minGainUsd: 5,
  noTradeBandBps: 1,
  cooldownSeconds: 3_600,
  maxShareOfVenue: 0.25,
};

/** Goes where `score` is the greatest, at every step. */
function greedy(name: string, score: (knowledge: Knowledge, v: number, step: number) => number): Strategy {
  return {
    name,
    start: (knowledge) => ({
      decide(now, wanted) {
        let best = 0;
        for (let v = 1; v < wanted.length; v += 1) {
          if (score(knowledge, v, now.step) > score(knowledge, best, now.step)) best = v;
        }
        if ((wanted[best] as number) > 0) return false;
        wanted.fill(0);
        wanted[best] = now.total;
        return true;
      },
    }),
  };
}

const lastKnown = ({ rows }: Knowledge, v: number, step: number): number => (rows[v]?.[step] ?? 0) - 1;

describe("the check for leaks", () => {
  const series = [
    seriesOf("aave-a", { apr: wave(0.05, 0.03, 300), supplied: wave(1e9, 3e8, 200), borrowed: wave(6e8, 1e8, 111) }),
    seriesOf("aave-b", { apr: wave(0.06, 0.04, 170, 1), borrowed: wave(8e8, 1.5e8, 90) }),
    seriesOf("compound-v3-c", { apr: wave(0.05, 0.02, 30), supplied: wave(9e8, 2e8, 500), borrowed: () => 6e8 }),
  ];
  const venues = series.map(({ name }) => name);
  const taker = market(series, { gas: constantGas(5) });
  const diluted = market(series, { gas: constantGas(5), priceTaker: false });
  const options = { capital: 1e6, costBps: 0, moments: 5 };

  for (const [what, one] of [
    ["of a price taker", taker],
    ["with dilution", diluted],
  ] as const) {
    it(`finds every strategy of the catalogue clean, ${what}`, async () => {
      const all = (): Strategy[] =>
        namesOf(venues).map((name) => strategyOf(name, { venues, limits: LIMITS, halfLifeHours: 24 }));
      const reports = await checkLeaks(one, all, options);
      expect(reports.map(({ strategy }) => strategy)).to.deep.equal(namesOf(venues));
      expect(reports.filter(({ leak }) => leak !== null)).to.deep.equal([]);
      expect(reports.every(({ compared }) => compared > 3 * 5 * 200)).to.equal(true);
    });
  }

  it("finds the served model clean, and one whose forecasts are a day early leaking", async () => {
    const of =
      (early: number) =>
      async (on: Market): Promise<Strategy[]> => {
        const { forecasts: honest } = await mlForecasts(on, {
          ...{ model: returning(), folder: __dirname, horizonHours: 24, halfLifeHours: 24, now: Infinity },
        });
        const ml = (knowledge: Knowledge): Forecasts => {
          const forecast = honest(knowledge);
          return (venue, now) => forecast(venue, { ...now, knownAt: now.knownAt + early });
        };
        return [strategyOf("ml", { venues, limits: LIMITS, halfLifeHours: 24, ml })];
      };
    const [clean] = await checkLeaks(taker, of(0), options);
    expect(clean).to.deep.include({ strategy: "ml", leak: null });
    const [leaking] = await checkLeaks(taker, of(24 * 3_600), options);
    expect(leaking?.leak).not.to.equal(null);
  });

  const planted: Record<string, (market: Market) => Strategy> = {
    "the next row": () => greedy("peek", (known, v, step) => known.series[v]?.apr[lastKnown(known, v, step) + 1] ?? 0),
    "a row a day ahead": () =>
      greedy("peek", (known, v, step) => known.series[v]?.apr[lastKnown(known, v, step) + 24] ?? 0),
    "how much is supplied next": () =>
      greedy("peek", (known, v, step) => known.series[v]?.supplied[lastKnown(known, v, step) + 1] ?? 0),
    "the mean of all history": () =>
      greedy("peek", (known, v) => (known.series[v]?.apr ?? new Float64Array(0)).reduce((sum, apr) => sum + apr, 0)),
    "when a series ends": () =>
      greedy("peek", (known, v, step) => ((known.series[v]?.length ?? 0) % 2) * Math.sin(step + v)),
    "what the market will have paid": (one) => foresight(one),
    "what a later curve says": () =>
      greedy("peek", (known, v, step) => {
        const at = known.series[v]?.observedAt[lastKnown(known, v, step)] ?? 0;
        return Math.sin(1e9 * (known.series[v]?.curveAt(at + 9 * 86_400)?.slope ?? 0));
      }),
  };
  for (const [what, strategy] of Object.entries(planted)) {
    it(`catches a strategy that reads ${what}`, async () => {
      const [report] = await checkLeaks(diluted, (one) => [strategy(one)], { ...options, moments: 12 });
      expect((report as LeakReport).leak).to.not.equal(null);
      const { moment, step } = (report as LeakReport).leak ?? { moment: 0, step: 1 };
      expect(step).to.be.at.most(moment);
    });
  }

  it("does not take a strategy that reads the last row known for one that peeks", async () => {
    const honest = greedy("honest", (known, v, step) => known.series[v]?.apr[lastKnown(known, v, step)] ?? 0);
    const [report] = await checkLeaks(diluted, () => [honest], { ...options, moments: 12 });
    expect(report?.leak).to.equal(null);
  });

  it("stops when it is told to", async () => {
    const stop = AbortSignal.abort(new Error("stopped"));
    const failure: unknown = await checkLeaks(taker, () => [greedy("x", () => 0)], { ...options, signal: stop }).catch(
      (error: unknown) => error,
    );
    expect((failure as Error).message).to.equal("stopped");
  });
});
