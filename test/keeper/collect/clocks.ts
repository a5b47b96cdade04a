// Clocks for tests: one turned by hand, and the wall's, hurried.
import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../../../keeper/collect/clock";

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Stands still until it is turned; then wakes its sleepers one by one, in order of their time. */
export class HandClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      if (ms <= 0) return resolve();
      const give = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason as Error);
      };
      const wake = (): void => {
        signal?.removeEventListener("abort", give);
        this.#sleepers.delete(sleeper);
        resolve();
      };
      const sleeper = { until: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", give, { once: true });
    });
  }

  /** Turns to `time`, past every moment at which somebody wakes, with what they do then. */
  async turnTo(time: number): Promise<void> {
    await settled();
    for (;;) {
      const [next] = [...this.#sleepers].sort((a, b) => a.until - b.until);
      if (next === undefined || next.until > time) break;
      this.#now = next.until;
      next.wake();
      await settled();
    }
    this.#now = time;
    await settled();
  }

  get sleepers(): number {
    return this.#sleepers.size;
  }
}

/** Everything that waits for nothing but promises has gone on. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The wall's time, so many times faster; remembers how long was slept for. */
export function hurriedClock(factor: number): Clock & { readonly slept: number[] } {
  const start = Date.now();
  const slept: number[] = [];
  return {
    slept,
    now: () => start + (Date.now() - start) * factor,
    sleep: async (ms, signal) => {
      slept.push(ms);
      await wait(ms / factor, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      });
    },
  };
}
