// Many sets of parameters over one history, on all cores, and what that says: how often the best of one half is nothing special
// in the other, what is left of the best's Sharpe ratio, and what choosing by the past alone would have earned.
import { deflatedSharpe, momentsOf } from "./deflatedSharpe";
import { overfitting, type Overfitting } from "./overfitting";
import type { Parameters } from "./parameters";
import { SweepFile, trialKeys } from "./sweepFile";
import { startThread } from "./sweepThread";
import type { SweepRoom } from "./sweepWorker";
import type { Trial } from "./trial";

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
  const keys = trialKeys({ dataHash, room, trials });
  const found = new Map<number, Trial>();
  keys.forEach((key, index) => {
    const known = file.get(key);
    if (known !== undefined) found.set(index, { ...known, index });
  });
  const left = trials.map((_parameters, index) => index).filter((index) => !found.has(index));
  progress?.(found.size, trials.length);
  const threads = Array.from({ length: Math.min(workers, left.length) }, () => startThread(room));
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
