// The markets of one backtest on one grid: what happened, and beside it what could be known when. Everything that is wrong
// with the history for this span is found here, before anything runs.
import { InputFailure } from "../config/failure";
import { constantGas, gasOn, type GasPrices } from "./gasPrices";
import type { RateSeries } from "./series";
import { MarketTruth, type Grid } from "./truth";

/**
 * What decisions may be made of. At step k the first `rows[venue][k]` rows of a series are known, and nothing else; at the
 * begin that may be none.
 */
export interface Knowledge {
  readonly grid: Grid;
  readonly lagSeconds: number;
  readonly priceTaker: boolean;
  readonly series: readonly RateSeries[];
  readonly rows: readonly Int32Array[];
  /** USD a move, as known at each step. */
  readonly gasUsd: Float64Array;
}

export interface Market {
  readonly grid: Grid;
  readonly venues: readonly string[];
  readonly knowledge: Knowledge;
  readonly truth: readonly MarketTruth[];
  /** USD a move, paid at each step. */
  readonly gasUsd: Float64Array;
}

export interface MarketOptions {
  /** Unix seconds: money is placed at `from`, and counted at the last step that ends by `to`. */
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
  /** A decision at t knows rows that were available at t − lag; it trades a step later. */
  readonly lagSeconds: number;
  /** Our deposits change no rate, and can always leave. */
  readonly priceTaker: boolean;
  /** A series that is silent for longer is refused; up to there its last state is carried on. */
  readonly maxGapSeconds: number;
  readonly gas?: GasPrices;
  /** USD; of the check that the markets are larger than that. */
  readonly capital: number;
}

/**
 * @throws InputFailure `BACKTEST_SPAN`, `BACKTEST_HISTORY`, `BACKTEST_OVERLAP`, `BACKTEST_GAP`, `BACKTEST_DEPTH`,
 * `BACKTEST_CAPITAL`, `BACKTEST_GAS`.
 */
export function marketOf(series: readonly RateSeries[], options: MarketOptions): Market {
  const { from, to, stepSeconds } = options;
  const grid = { from, stepSeconds, steps: Math.floor((to - from) / stepSeconds) };
  if (!(grid.steps >= 1)) {
    throw failure("BACKTEST_SPAN", `${iso(to)} is not a step of ${stepSeconds} s after ${iso(from)}`, {
      field: "--to",
      remedy: "Name a later end.",
    });
  }
  checkOverlap(series);
  for (const one of series) checkSpan(one, options);
  if (!options.priceTaker) checkDepth(series, options);
  const gas = options.gas ?? constantGas(0);
  const gasUsd = gasOn(gas, { from, every: stepSeconds, count: grid.steps });
  const knowledge = knowledgeOf(series, { grid, ...options, gas });
  if (Number.isNaN(gasUsd[0]) || Number.isNaN(knowledge.gasUsd[0])) {
    throw failure("BACKTEST_GAS", `nothing is known of gas at ${iso(from - options.lagSeconds)}`, {
      field: "--gas-history",
      remedy: "Give a file that begins before --from.",
    });
  }
  return {
    grid,
    venues: series.map(({ name }) => name),
    knowledge,
    truth: series.map((one) => new MarketTruth(one, grid, options)),
    gasUsd,
  };
}

/** What could be known of these series on the grid. */
export function knowledgeOf(
  series: readonly RateSeries[],
  of: Pick<Knowledge, "grid" | "lagSeconds" | "priceTaker"> & { readonly gas: GasPrices },
): Knowledge {
  const { grid, lagSeconds, priceTaker, gas } = of;
  const { from, stepSeconds, steps } = grid;
  const rows = series.map(({ availableAt }) => {
    const known = new Int32Array(steps);
    let count = 0;
    for (let k = 0; k < steps; k += 1) {
      const at = from + k * stepSeconds - lagSeconds;
      while (count < availableAt.length && (availableAt[count] as number) <= at) count += 1;
      known[k] = count;
    }
    return known;
  });
  const gasUsd = gasOn(gas, { from: from - lagSeconds, every: stepSeconds, count: steps });
  return { grid, lagSeconds, priceTaker, series, rows, gasUsd };
}

function checkOverlap(series: readonly RateSeries[]): void {
  for (const { name, length } of series) {
    if (length >= 2) continue;
    throw failure("BACKTEST_HISTORY", `${name} has ${length === 0 ? "no row" : "one row"} with a rate`, {
      field: "--series",
      remedy: "Leave it out, or import more of it.",
    });
  }
  const begins = [...series].sort((a, b) => firstOf(b) - firstOf(a))[0];
  const ends = [...series].sort((a, b) => lastOf(a) - lastOf(b))[0];
  if (begins === undefined || ends === undefined || firstOf(begins) < lastOf(ends)) return;
  throw failure(
    "BACKTEST_OVERLAP",
    `${ends.name} ends on ${iso(lastOf(ends))}, before ${begins.name} begins on ${iso(firstOf(begins))}`,
    { field: "--series", remedy: "Leave one of them out: all series must cover the span." },
  );
}

function checkSpan(series: RateSeries, { from, to, maxGapSeconds }: MarketOptions): void {
  const { name, availableAt, observedAt, length } = series;
  // What it pays has to be known from the begin on, if only later; decisions wait until they know something.
  const known = series.observedBy(from);
  if (known === 0) {
    throw failure("BACKTEST_SPAN", `nothing is known of ${name} before ${iso(observedAt[0] as number)}`, {
      field: "--from",
      remedy: "Begin then, or leave the series out.",
    });
  }
  if (to - lastOf(series) > maxGapSeconds) {
    throw failure("BACKTEST_SPAN", `${name} ends on ${iso(lastOf(series))}`, {
      field: "--to",
      remedy: "End then, or leave the series out.",
    });
  }
  for (let row = known; row < length; row += 1) {
    const [before, after] = [availableAt[row - 1] as number, availableAt[row] as number];
    if (before >= to) return;
    if (after - before <= maxGapSeconds) continue;
    throw failure(
      "BACKTEST_GAP",
      `${name} is silent from ${iso(before)} to ${iso(after)}, ${Math.round((after - before) / 3600)} h`,
      {
        field: "--series",
        remedy: `Leave it out, choose another span, or carry its last state on by --max-gap-hours ${Math.ceil((after - before) / 3600)}.`,
      },
    );
  }
}

function checkDepth(series: readonly RateSeries[], { from, capital }: MarketOptions): void {
  let depth = 0;
  for (const one of series) {
    const row = one.observedBy(from) - 1;
    const supplied = one.supplied[row] as number;
    if (one.lends && !(supplied >= 0 && (one.borrowed[row] as number) >= 0)) {
      throw failure("BACKTEST_DEPTH", `how large ${one.name} is on ${iso(from)} is not known`, {
        field: `${one.name}: supplied_usd, borrowed_usd`,
        remedy: "Begin later, leave the series out, or count our deposits as nothing: --price-taker.",
      });
    }
    depth += one.lends || supplied >= 0 ? supplied : Infinity;
  }
  if (capital <= depth) return;
  throw failure(
    "BACKTEST_CAPITAL",
    `${capital} USD is more than the ${Math.round(depth)} USD that all of these markets hold on ${iso(from)}`,
    { field: "--capital", remedy: "Give less, begin later, or add series: nobody can be larger than the market." },
  );
}

function firstOf({ availableAt }: RateSeries): number {
  return availableAt[0] as number;
}

function lastOf({ availableAt, length }: RateSeries): number {
  return availableAt[length - 1] as number;
}

/** To the minute, UTC. */
export function iso(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16)}Z`;
}

function failure(
  code: string,
  message: string,
  details: { readonly field: string; readonly remedy: string },
): InputFailure {
  return new InputFailure(code, message, details);
}
