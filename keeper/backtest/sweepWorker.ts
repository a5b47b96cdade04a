// A thread of a sweep: reads the history once, then runs one set of parameters after the other.
import { parentPort, workerData } from "node:worker_threads";
import { marketOf, type MarketOptions } from "./market";
import type { Parameters } from "./parameters";
import { readSeries } from "./readSeries";
import type { RunOptions } from "./run";
import { trialOf } from "./trial";

/** What a thread is started with. */
export interface SweepRoom {
  readonly folder: string;
  readonly names: readonly string[];
  readonly now: number;
  readonly settings: MarketOptions;
  readonly run: RunOptions;
}

async function work(port: NonNullable<typeof parentPort>): Promise<void> {
  const { folder, names, now, settings, run } = workerData as SweepRoom;
  const { series } = await readSeries(folder, names, { now });
  const market = marketOf(series, settings);
  port.on("message", (task: { index: number; parameters: Parameters }) => port.postMessage(trialOf(market, task, run)));
  port.postMessage("ready");
}

if (parentPort !== null) void work(parentPort);
