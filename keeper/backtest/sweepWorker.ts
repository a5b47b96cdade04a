// A thread of a sweep: reads the history once, then runs one set of parameters after the other.
import { parentPort, workerData } from "node:worker_threads";
import { marketOf, type MarketOptions } from "./market";
import { strategyWith, type Parameters } from "./parameters";
import { readSeries } from "./readSeries";
import { runBacktest, type RunOptions } from "./run";

/** What a thread is started with. */
export interface SweepRoom {
  readonly folder: string;
  readonly names: readonly string[];
  readonly now: number;
  readonly settings: MarketOptions;
  readonly run: RunOptions;
}

/** What it answers each set of parameters with. */
export interface Trial {
  readonly index: number;
  /** USD at the begin and at the end of each whole day. */
  readonly daily: Float64Array;
  readonly moves: number;
  readonly costsUsd: number;
  readonly turnoverUsd: number;
}

const DAY = 86_400;

async function work(port: NonNullable<typeof parentPort>): Promise<void> {
  const { folder, names, now, settings, run } = workerData as SweepRoom;
  const { series } = await readSeries(folder, names, { now });
  const market = marketOf(series, settings);
  const every = DAY / market.grid.stepSeconds;
  const days = Math.floor(market.grid.steps / every);
  port.on("message", ({ index, parameters }: { index: number; parameters: Parameters }) => {
    const { equity, trades } = runBacktest(market, strategyWith("trial", parameters), run);
    const daily = Float64Array.from({ length: days + 1 }, (_, day) => equity[day * every] as number);
    const sum = (of: (trade: (typeof trades)[number]) => number): number =>
      trades.reduce((all, trade) => all + of(trade), 0);
    const trial: Trial = {
      ...{ index, daily, moves: sum(({ moves }) => moves), turnoverUsd: sum(({ movedUsd }) => movedUsd) },
      costsUsd: sum(({ gasUsd, feesUsd }) => gasUsd + feesUsd),
    };
    port.postMessage(trial);
  });
  port.postMessage("ready");
}

if (parentPort !== null) void work(parentPort);
