// A sweep that any number of processes share: its trials are jobs in the database, and each process runs those that no other
// has. All of them end with the same answer, that of a process which ran everything alone.
import { setTimeout as sleep } from "node:timers/promises";
import { persist } from "../collect/patience";
import { WorldFailure } from "../config/failure";
import type { TakenTrial, TrialStore } from "../store/trialRecords";
import type { Parameters } from "./parameters";
import { trialKey, trialKeys } from "./sweepFile";
import { startThread, type Thread } from "./sweepThread";
import type { SweepRoom } from "./sweepWorker";
import type { Trial } from "./trial";

export interface SharedSweepOptions {
  readonly store: TrialStore;
  /** Processes that are given the same one share what they run, now and later. */
  readonly name: string;
  readonly room: SweepRoom;
  readonly dataHash: string;
  readonly trials: readonly Parameters[];
  readonly workers: number;
  readonly signal: AbortSignal;
  /** Of all processes together. */
  readonly progress?: (done: number, of: number) => void;
  /** Default: a quarter of a minute. */
  readonly leaseSeconds?: number;
}

const LEASE_SECONDS = 15;
/** Renewals before a lease that was not renewed is lost. */
const BEATS_A_LEASE = 3;
const MOST_TRIES = 3;
const IDLE_MS = 250;
const PROGRESS_MS = 500;
/** Results that are read at once: of five years each they are four megabytes. */
const PAGE = 250;

/**
 * @returns in the order of the parameters, when all are done, whoever ran them.
 * @throws the reason of `signal`, once what is in hand is handed back; WorldFailure `SWEEP_TRIAL` where one failed again and
 * again, after all others are done, `SWEEP_FORGOTTEN`; `STORE_…`.
 */
export async function runSharedTrials(options: SharedSweepOptions): Promise<Trial[]> {
  const { store, name, trials, progress } = options;
  const keys = trialKeys(options).map((key) => trialKey({ name, key }));
  const sweep = trialKey({ keys });
  await persist(() => store.put(sweep, keys), {});
  const { left } = await persist(() => store.standing(sweep, MOST_TRIES), {});
  progress?.(trials.length - left, trials.length);
  if (left > 0) await new SharedSweep(options, sweep).run(Math.min(options.workers, left));
  const results: Trial[] = [];
  for (let from = 0; from < trials.length; from += PAGE) {
    const page = await persist(() => store.results(sweep, from, from + PAGE), {});
    page.forEach((result, k) => results.push({ ...result, index: from + k }));
  }
  if (results.length < trials.length) {
    throw new WorldFailure("SWEEP_FORGOTTEN", "trials of it were forgotten meanwhile: it was begun a month ago", {
      ...{ field: "--queue", remedy: "Run it again: it does those anew." },
    });
  }
  progress?.(trials.length, trials.length);
  return results;
}

/** This process's part in it. */
class SharedSweep {
  readonly #options: SharedSweepOptions;
  readonly #sweep: string;
  readonly #terms: { readonly leaseSeconds: number; readonly mostTries: number };
  /** Holders of what is in hand. */
  readonly #held = new Set<string>();
  /** Raised when one of our threads met what ends all of them. */
  readonly #broken = new AbortController();
  readonly #signal: AbortSignal;
  /** An outage of the database that passes ends nothing; Ctrl-C ends the waiting. */
  readonly #patient: { readonly signal: AbortSignal };
  #toldAt = -Infinity;

  constructor(options: SharedSweepOptions, sweep: string) {
    this.#options = options;
    this.#sweep = sweep;
    this.#terms = { leaseSeconds: options.leaseSeconds ?? LEASE_SECONDS, mostTries: MOST_TRIES };
    this.#signal = AbortSignal.any([options.signal, this.#broken.signal]);
    this.#patient = { signal: this.#signal };
  }

  async run(threads: number): Promise<void> {
    const { store } = this.#options;
    const { leaseSeconds } = this.#terms;
    // One that fails is made good by the next one, or the trial is another's as well.
    const beat = (): void => {
      if (this.#held.size > 0) void store.renew(this.#sweep, [...this.#held], leaseSeconds).catch(() => undefined);
    };
    const heart = setInterval(beat, (leaseSeconds * 1_000) / BEATS_A_LEASE);
    try {
      await Promise.allSettled(Array.from({ length: threads }, () => this.#work()));
      this.#options.signal.throwIfAborted();
      this.#broken.signal.throwIfAborted();
    } finally {
      clearInterval(heart);
      // Without it they would be another's when their lease has run out.
      if (this.#held.size > 0) await store.giveBack(this.#sweep, [...this.#held]).catch(() => undefined);
    }
  }

  async #work(): Promise<void> {
    const { room } = this.#options;
    let thread = startThread(room);
    try {
      for (;;) {
        await thread.ready;
        this.#signal.throwIfAborted();
        const taken = await persist(() => this.#options.store.take(this.#sweep, this.#terms), this.#patient);
        if (taken !== null) {
          if (await this.#carryOut(taken, thread)) continue;
          // What a trial did to its thread is not to befall the next one.
          await thread.worker.terminate();
          thread = startThread(room);
        } else if (await this.#isOver()) return;
        else await sleep(IDLE_MS, undefined, { signal: this.#signal }).catch(() => undefined);
      }
    } catch (error) {
      this.#broken.abort(error);
      throw error;
    } finally {
      await thread.worker.terminate();
    }
  }

  /** @returns false where the trial failed. */
  async #carryOut({ place, holder }: TakenTrial, thread: Thread): Promise<boolean> {
    const { store, trials } = this.#options;
    this.#held.add(holder);
    let trial: Trial;
    try {
      trial = await thread.ask({ index: place, parameters: trials[place] as Parameters }, this.#signal);
    } catch (error) {
      this.#signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      await persist(() => store.fail(this.#sweep, holder, reason), this.#patient);
      this.#held.delete(holder);
      return false;
    }
    await persist(() => store.complete(this.#sweep, place, trial), this.#patient);
    this.#held.delete(holder);
    await this.#tell();
    return true;
  }

  /** Whether nothing is left, also of what others have in hand. @throws WorldFailure `SWEEP_TRIAL`. */
  async #isOver(): Promise<boolean> {
    const { left, failed } = await this.#standing();
    if (failed === null || failed.count < left) return left === 0;
    throw new WorldFailure(
      "SWEEP_TRIAL",
      `trial ${failed.place + 1} was tried ${MOST_TRIES} times: ${failed.reason ?? "whoever ran it ended in the middle"}`,
      { field: "--queue", remedy: "All others that could be run are kept; run it again to try this one anew." },
    );
  }

  async #tell(): Promise<void> {
    if (this.#options.progress === undefined || performance.now() - this.#toldAt < PROGRESS_MS) return;
    this.#toldAt = performance.now();
    await this.#standing();
  }

  async #standing(): ReturnType<TrialStore["standing"]> {
    const { store, trials, progress } = this.#options;
    const standing = await persist(() => store.standing(this.#sweep, MOST_TRIES), this.#patient);
    progress?.(trials.length - standing.left, trials.length);
    return standing;
  }
}
