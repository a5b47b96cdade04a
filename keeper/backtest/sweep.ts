// Many sets of parameters over one history, on all cores, and what that says: how often the best of one half is nothing special
// in the other, what is left of the best's Sharpe ratio, and what choosing by the past alone would have earned.
import path from "node:path";
import { Worker } from "node:worker_threads";
import { deflatedSharpe, momentsOf } from "./deflatedSharpe";
import { overfitting, type Overfitting } from "./overfitting";
import type { Parameters } from "./parameters";
import { SweepFile, trialKey } from "./sweepFile";
import type { SweepRoom, Trial } from "./sweepWorker";

export interface SweepOptions {
  readonly room: SweepRoom;
  readonly dataHash: string;
  readonly trials: readonly Parameters[];
  readonly workers: number;
  /** Where trials are kept that were run; what is there is not run again. */
  readonly out: string | undefined;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, of: number) => void;
}

/** @returns in the order of the parameters. @throws the reason of `signal`; what a thread threw. */
export async function runTrials(options: SweepOptions): Promise<Trial[]> {
  const { room, dataHash, trials, workers, out, signal, progress } = options;
  const file = new SweepFile(out);
  const { folder: _, now: __, ...settings } = room;
  const keys = trials.map((parameters) => trialKey({ dataHash, settings, parameters }));
  const found = new Map<number, Trial>();
  keys.forEach((key, index) => {
    const known = file.get(key);
    if (known !== undefined) found.set(index, { ...known, index });
  });
  const left = trials.map((_parameters, index) => index).filter((index) => !found.has(index));
  progress?.(found.size, trials.length);
  const threads = Array.from({ length: Math.min(workers, left.length) }, () => thread(room));
  try {
    await Promise.all(
      threads.map(async ({ ask }) => {
        for (let index = left.shift(); index !== undefined; index = left.shift()) {
          const trial = await ask({ index, parameters: trials[index] as Parameters }, signal);
          found.set(index, trial);
          file.add(keys[index] as string, trial);
          progress?.(found.size, trials.length);
        }
      }),
    );
  } finally {
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
  return trials.map((_parameters, index) => found.get(index) as Trial);
}

/** A thread does not inherit the loader of TypeScript that its process registered by itself. */
const TYPESCRIPT = ["-r", require.resolve("tsx/cjs")];

interface Thread {
  readonly worker: Worker;
  ask(task: { index: number; parameters: Parameters }, signal: AbortSignal | undefined): Promise<Trial>;
}

function thread(room: SweepRoom): Thread {
  const worker = new Worker(path.join(__dirname, "sweepWorker.ts"), { workerData: room, execArgv: TYPESCRIPT });
  let settle: { resolve(value: unknown): void; reject(reason: unknown): void } | null = null;
  let broken: unknown = null;
  worker.on("message", (message) => settle?.resolve(message));
  worker.on("error", (error) => {
    broken = error;
    settle?.reject(error);
  });
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      if (broken !== null) reject(broken as Error);
    });
  const ready = next();
  ready.catch(() => undefined);
  return {
    worker,
    async ask(task, signal) {
      await ready;
      signal?.throwIfAborted();
      const answer = next();
      worker.postMessage(task);
      return (await unlessAborted(answer, signal)) as Trial;
    },
  };
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

export interface SweepVerdict {
  /** Place among the trials of the one that earned most: chosen in sample. */
  readonly best: number;
  /** Null: too few trials or days to say. */
  readonly overfitting: Overfitting | null;
  /** Probability that the best one's excess is skill, given how many were tried; null as above. */
  readonly deflatedSharpe: number | null;
}

/** @param hold Value of what the trials are compared with, at the same days. */
export function judge(trials: readonly Trial[], hold: Float64Array): SweepVerdict {
  const excesses = trials.map(({ daily }) => excessOf(daily, hold));
  const best = trials.reduce((top, { daily }, j) => (lastOf(daily) > lastOf(trials[top]?.daily) ? j : top), 0);
  const sharpes = excesses.map((excess) => {
    const { mean, deviation } = momentsOf(excess);
    return deviation > 0 ? mean / deviation : 0;
  });
  const days = excesses[0]?.length ?? 0;
  const enough = trials.length >= 2 && days >= 32;
  const deflated = enough ? deflatedSharpe(excesses[best] as Float64Array, sharpes) : Number.NaN;
  return {
    best,
    overfitting: enough ? overfitting(trials.map(({ daily }) => growthOver(daily, hold))) : null,
    deflatedSharpe: Number.isNaN(deflated) ? null : deflated,
  };
}

const grown = (values: Float64Array, day: number): number => (values[day + 1] as number) / (values[day] as number);

/** Daily return over that of the hold. */
function excessOf(daily: Float64Array, hold: Float64Array): Float64Array {
  return Float64Array.from({ length: daily.length - 1 }, (_, day) => grown(daily, day) - grown(hold, day));
}

/** Log growth of a day over that of the hold: what is chosen by is how much there is in the end. */
function growthOver(daily: Float64Array, hold: Float64Array): Float64Array {
  return Float64Array.from({ length: daily.length - 1 }, (_, day) => Math.log(grown(daily, day) / grown(hold, day)));
}

function lastOf(values: Float64Array | undefined): number {
  return values?.at(-1) ?? Number.NEGATIVE_INFINITY;
}
