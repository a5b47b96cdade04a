// Whether a strategy decides on what nobody could have known: everything after a moment is cut off, brought forward or
// replaced, and what was decided up to that moment must stay as it was, to the last bit. Interest before the moment is left as
// it was, since money did earn it; all that a decision may read, curves and means included, is made anew.
import { setImmediate as immediately } from "node:timers/promises";
import { constantGas } from "./gasPrices";
import { knowledgeOf, type Market } from "./market";
import { Backtest, type Run, type RunOptions } from "./run";
import { RateSeries, type RateRow } from "./series";
import type { Strategy } from "./strategy";
import { MarketTruth } from "./truth";

/** What is done to everything after the moment. */
export const ALTERATIONS = ["cut", "brought-forward", "replaced"] as const;
export type Alteration = (typeof ALTERATIONS)[number];

/** Rates of a replaced future are their distance from this one: what was high is low, and none is beyond what rates are. */
const OTHER_RATE = 0.237;

/** Rows by which the future comes too early. */
const BROUGHT_FORWARD = 24;

export interface Leak {
  readonly alteration: Alteration;
  /** Step at which the future was altered, and an earlier (or that) step at which the decision is another one. */
  readonly moment: number;
  readonly step: number;
}

export interface LeakReport {
  readonly strategy: string;
  /** Decisions that were compared. */
  readonly compared: number;
  /** The first one found. */
  readonly leak: Leak | null;
}

export interface LeakOptions extends RunOptions {
  /** Moments, evenly over the span. */
  readonly moments: number;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, of: number) => void;
}

/** @param strategies Made for each market anew, so that one that was given the market itself is found out too. */
export async function checkLeaks(
  market: Market,
  strategies: (market: Market) => readonly Strategy[] | Promise<readonly Strategy[]>,
  options: LeakOptions,
): Promise<LeakReport[]> {
  const { signal } = options;
  const runOf = (on: Market, strategy: Strategy, steps: number): Run => {
    const backtest = new Backtest(on, strategy, { ...options, record: true });
    backtest.advance(steps);
    return backtest.run();
  };
  const { steps } = market.grid;
  const asItWas = (await strategies(market)).map((strategy) => runOf(market, strategy, steps));
  const compared = new Int32Array(asItWas.length);
  const leaks: (Leak | null)[] = asItWas.map(() => null);
  const moments = momentsOf(steps, options.moments);
  let done = 0;
  for (const moment of moments) {
    for (const alteration of ALTERATIONS) {
      const altered = alteredFrom(market, moment, alteration);
      for (const [s, strategy] of (await strategies(altered)).entries()) {
        const before = asItWas[s];
        if (before === undefined || leaks[s] !== null) continue;
        const step = firstDifference(before, runOf(altered, strategy, moment + 1), (moment + 1) * market.venues.length);
        compared[s] = (compared[s] as number) + moment + 1;
        if (step >= 0) leaks[s] = { alteration, moment, step: Math.floor(step / market.venues.length) };
        // Else a signal of the process would be heard only at the end.
        await immediately();
        signal?.throwIfAborted();
      }
      options.progress?.((done += 1), moments.length * ALTERATIONS.length);
    }
  }
  return asItWas.map(({ strategy }, s) => ({
    strategy,
    compared: compared[s] as number,
    leak: leaks[s] ?? null,
  }));
}

function momentsOf(steps: number, count: number): number[] {
  const all = Array.from({ length: count }, (_, k) => Math.floor((steps * (k + 1)) / (count + 1)));
  return [...new Set(all)].filter((moment) => moment < steps);
}

/** Place of the first value that differs; −1: none. NaN is NaN. */
function firstDifference(a: Run, b: Run, count: number): number {
  for (let k = 0; k < count; k += 1) if (!Object.is(a.decisions[k], b.decisions[k])) return k;
  return -1;
}

/** The market up to a step, and another one after it. */
function alteredFrom(market: Market, step: number, alteration: Alteration): Market {
  const { grid, knowledge } = market;
  const at = grid.from + step * grid.stepSeconds;
  const { lagSeconds, priceTaker, series } = knowledge;
  const known = series.map((one) => alter(one, one.knownAt(at - lagSeconds), alteration));
  const happened = series.map((one) => alter(one, one.observedBy(at), alteration));
  const gas = (prices: Float64Array, from: number): Float64Array =>
    prices.map((usd, k) => (k < from ? usd : alteration === "cut" ? (prices[from] as number) : 2 * usd + 1));
  return {
    ...market,
    knowledge: {
      ...knowledgeOf(known, { grid, lagSeconds, priceTaker, gas: constantGas(0) }),
      gasUsd: gas(knowledge.gasUsd, step + 1),
    },
    truth: happened.map((one) => new MarketTruth(one, grid, { priceTaker })),
    gasUsd: gas(market.gasUsd, step + 1),
  };
}

/** The series with its first `kept` rows, and after them what the alteration makes of the rest. */
function alter(series: RateSeries, kept: number, alteration: Alteration): RateSeries {
  const rows = series.rows();
  const after = rows.slice(kept);
  return new RateSeries(series.name, [...rows.slice(0, kept), ...ALTERED[alteration](after)]);
}

const ALTERED: Record<Alteration, (rows: readonly RateRow[]) => RateRow[]> = {
  cut: () => [],
  "brought-forward": (rows) =>
    rows.map((row, k) => ({ ...(rows[Math.min(rows.length - 1, k + BROUGHT_FORWARD)] ?? row), ...timesOf(row) })),
  replaced: (rows) =>
    rows.map((row) => ({
      ...timesOf(row),
      supplyApr: Math.abs(OTHER_RATE - (row.supplyApr ?? 0)),
      suppliedUsd: row.suppliedUsd === null ? null : row.suppliedUsd / 2,
      borrowedUsd: row.borrowedUsd === null ? null : row.borrowedUsd / 3,
    })),
};

function timesOf({ observedAt, availableAt }: RateRow): Pick<RateRow, "observedAt" | "availableAt"> {
  return { observedAt, availableAt };
}
