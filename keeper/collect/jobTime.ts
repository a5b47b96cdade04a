// The time by which a job's buckets run: the wall's for sources of the web, the chain's for sources of the chain, which may
// run faster, stand still or jump.
import { type Clock, unlessAborted } from "../chain/clock";

export interface JobTime {
  /** Unix seconds. */
  now(): number;
  /** Resolves once `now()` is `time` or later. @throws the reason of `signal`. */
  reached(time: number, signal?: AbortSignal): Promise<void>;
}

/** The wall may be set while somebody sleeps: longer naps would not notice. */
const LONGEST_NAP_MS = 15_000;

export function wallTime(clock: Clock): JobTime {
  return {
    now: () => clock.now() / 1_000,
    reached: async (time, signal) => {
      signal?.throwIfAborted();
      for (let left = time * 1_000 - clock.now(); left > 0; left = time * 1_000 - clock.now()) {
        await clock.sleep(Math.min(Math.ceil(left), LONGEST_NAP_MS), signal);
      }
    },
  };
}

/** Goes on by the timestamps of heads. Never back: a block of a reorganised chain may be older than its forerunner. */
export class ChainTime implements JobTime {
  #now: number;
  readonly #waiting = new Set<{ readonly time: number; readonly wake: () => void }>();

  constructor(timestamp: number) {
    this.#now = timestamp;
  }

  now(): number {
    return this.#now;
  }

  advance(timestamp: number): void {
    this.#now = Math.max(this.#now, timestamp);
    for (const waiting of [...this.#waiting]) {
      if (waiting.time > this.#now) continue;
      this.#waiting.delete(waiting);
      waiting.wake();
    }
  }

  async reached(time: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#now >= time) return;
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const waiting = { time, wake };
    this.#waiting.add(waiting);
    try {
      await unlessAborted(woken, signal);
    } finally {
      this.#waiting.delete(waiting);
    }
  }
}
