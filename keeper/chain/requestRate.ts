// How often one source is asked: a bucket of tokens, in order of asking.
import { type Clock, unlessAborted } from "./clock";

export interface RateLimit {
  readonly perMinute: number;
  /** Requests that may go at once after a rest. */
  readonly burst: number;
}

export class RequestRate {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;
  #pausedUntil = 0;
  #queue: Promise<void> = Promise.resolve();

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#tokens = limit.burst;
    this.#filledAt = clock.now();
  }

  /** Waits for a turn, behind those that asked before. @throws the reason of `signal`. */
  async turn(signal?: AbortSignal): Promise<void> {
    const before = this.#queue;
    let leave: () => void = () => undefined;
    this.#queue = new Promise((resolve) => (leave = resolve));
    try {
      await unlessAborted(before, signal);
      for (let wait = this.#wait(); wait > 0; wait = this.#wait()) await this.#clock.sleep(wait, signal);
      this.#tokens -= 1;
    } finally {
      // One that gives up while it queues must not let the next one past those before both.
      void before.then(leave);
    }
  }

  /** Nobody's turn comes before `time` (unix milliseconds): the source said so. */
  pause(time: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, time);
  }

  /** Milliseconds until there is a token; 0: now. */
  #wait(): number {
    const now = this.#clock.now();
    const perToken = 60_000 / this.#limit.perMinute;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + Math.max(0, now - this.#filledAt) / perToken);
    this.#filledAt = now;
    // Less than a millisecond short is enough: timers know no less, and a loop over fractions would not end.
    const missing = Math.ceil((1 - this.#tokens) * perToken - 1e-6);
    return Math.max(0, this.#pausedUntil - now, missing);
  }
}
