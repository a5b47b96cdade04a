// Several strategies over one market, beside the best hold and the ceiling: the figures that a backtest answers with.
import { setImmediate as immediately } from "node:timers/promises";
import { assertBelow, ceilingOf, type Ceiling } from "./ceiling";
import type { Market } from "./market";
import { apyOf, metricsOf, type Metrics } from "./metrics";
import { Backtest, type Run, type RunOptions } from "./run";
import type { Strategy } from "./strategy";
import { hold } from "./strategies/hold";

export interface CompareOptions extends RunOptions {
  /** Of the resampling. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, of: number) => void;
}

interface Return {
  readonly totalReturn: number;
  readonly apy: number;
}

export interface Comparison {
  readonly strategies: ReadonlyMap<string, { readonly metrics: Metrics; readonly run: Run }>;
  readonly ceiling: Return & { readonly exact: boolean; readonly feasible: Return };
  readonly bestHold: { readonly series: string; readonly apy: number };
}

/** Steps between two looks at the signal. */
const SLICE = 4_096;

/**
 * @throws ConservationError, CeilingError: defects of the backtest, which no input causes.
 */
export async function compare(
  market: Market,
  strategies: readonly Strategy[],
  options: CompareOptions,
): Promise<Comparison> {
  const { capital, seed, signal, progress } = options;
  const { grid, venues } = market;
  const holds = venues.map(hold);
  const all = [...holds, ...strategies.filter(({ name }) => !holds.some((one) => one.name === name))];
  // The ceiling counts as one more.
  const count = all.length + 1;
  const runs = new Map<string, Run>();
  for (const strategy of all) {
    const backtest = new Backtest(market, strategy, options);
    while (!backtest.advance(SLICE)) await pause(signal);
    runs.set(strategy.name, backtest.run());
    progress?.(runs.size, count);
    await pause(signal);
  }
  const held = holds.map(({ name }) => runs.get(name) as Run);
  const best = held.reduce((a, b) => (finalOf(b) > finalOf(a) ? b : a));
  const ceiling = ceilingOf(market, options, [...runs.values()]);
  for (const run of runs.values()) assertBelow(run, ceiling);
  progress?.(count, count);
  await pause(signal);

  const wanted = strategies.map(({ name }) => {
    const run = runs.get(name) as Run;
    const metrics = metricsOf(run, grid, { capital, hold: best, ceilingUsd: ceiling.finalUsd, seed });
    return [name, { metrics, run }] as const;
  });
  const returned = (usd: number): Return => ({ totalReturn: usd / capital - 1, apy: apyOf(usd / capital, grid) });
  return {
    strategies: new Map(wanted),
    ceiling: { ...ceilingFigures(ceiling, returned), feasible: returned(ceiling.feasibleUsd) },
    bestHold: { series: venues[held.indexOf(best)] as string, apy: returned(finalOf(best)).apy },
  };
}

function ceilingFigures({ finalUsd, exact }: Ceiling, returned: (usd: number) => Return): Return & { exact: boolean } {
  return { ...returned(finalUsd), exact };
}

/** Lets the process hear signals, and stops for them. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  await immediately();
  signal?.throwIfAborted();
}

function finalOf(run: Run): number {
  return run.equity.at(-1) as number;
}
