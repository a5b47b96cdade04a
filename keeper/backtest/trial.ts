// One set of parameters of the live decision over a whole market: what a sweep compares, and what folds are chosen by.
import type { Market } from "./market";
import { strategyWith, type Parameters } from "./parameters";
import { runBacktest, type RunOptions } from "./run";

export interface Trial {
  /** Place among the trials. */
  readonly index: number;
  /** USD at the begin and at the end of each whole day. */
  readonly daily: Float64Array;
  readonly moves: number;
  readonly costsUsd: number;
  readonly turnoverUsd: number;
}

const DAY = 86_400;

/** @param market Whose steps fill a day. */
export function trialOf(
  market: Market,
  { index, parameters }: { readonly index: number; readonly parameters: Parameters },
  run: RunOptions,
): Trial {
  const { equity, trades } = runBacktest(market, strategyWith("trial", parameters), run);
  const every = DAY / market.grid.stepSeconds;
  const days = Math.floor(market.grid.steps / every);
  const daily = Float64Array.from({ length: days + 1 }, (_, day) => equity[day * every] as number);
  const sum = (of: (trade: (typeof trades)[number]) => number): number =>
    trades.reduce((all, trade) => all + of(trade), 0);
  return {
    ...{ index, daily, moves: sum(({ moves }) => moves), turnoverUsd: sum(({ movedUsd }) => movedUsd) },
    costsUsd: sum(({ gasUsd, feesUsd }) => gasUsd + feesUsd),
  };
}
