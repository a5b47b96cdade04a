// Time for what waits: the wall's, or one that a test turns by hand.
import { setTimeout as wait } from "node:timers/promises";

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** @throws the reason of `signal` as soon as that is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest that a timer of Node takes; a longer sleep would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const wallClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      for (let left = ms; left > 0; left -= LONGEST_TIMER_MS) {
        await wait(Math.min(left, LONGEST_TIMER_MS), undefined, signal === undefined ? {} : { signal });
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** What `within` throws, and the reason of the signal that it gives, when time is up. */
export class TimeIsUp extends Error {
  constructor(ms: number) {
    super(`not done within ${ms} ms`);
    this.name = "TimeIsUp";
  }
}

export interface TimeLimit {
  readonly ms: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does `work` with a signal that ends with the outer one or when time is up, and then returns at once, whether or not
 * `work` heeds it.
 *
 * @throws TimeIsUp; the reason of the outer signal; what `work` throws.
 */
export async function within<T>(limit: TimeLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, ms, signal } = limit;
  signal?.throwIfAborted();
  const stop = new AbortController();
  const done = new AbortController();
  const forward = (): void => stop.abort(signal?.reason);
  signal?.addEventListener("abort", forward, { once: true });
  void clock.sleep(ms, done.signal).then(
    () => stop.abort(new TimeIsUp(ms)),
    () => undefined,
  );
  try {
    return await unlessAborted(work(stop.signal), stop.signal);
  } finally {
    done.abort();
    signal?.removeEventListener("abort", forward);
  }
}

/** What `promise` gives, unless `signal` is aborted first: then it throws the reason of that. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Attempt 1 waits up to `firstMs`, each further one up to twice as long, at most `longestMs`. */
export interface BackOff {
  readonly firstMs: number;
  readonly longestMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Full jitter: a uniform part of the whole, so that many that failed together do not come back together. */
export function backOff(attempt: number, { firstMs, longestMs, random }: BackOff): number {
  return random() * Math.min(longestMs, firstMs * 2 ** (attempt - 1));
}
