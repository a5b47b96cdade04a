// Runs jobs on buckets of time that are aligned to the epoch: bucket 12:05 begins at 12:05 whenever the process started and
// however long the last one took. A job never runs beside itself, and nothing that happens to one touches another. A bucket
// that passed is never run late, since what it would read is of now: it is a gap, and said to be one.
import { Failure } from "../config/failure";
import type { Sink } from "../events/events";
import { type Clock, TimeIsUp, backOff, unlessAborted, wallClock, within } from "../chain/clock";
import type { JobTime } from "./jobTime";

export interface Job {
  /** What it collects; names it in events. */
  readonly source: string;
  readonly everySeconds: number;
  readonly time: JobTime;
  /** Of one attempt, by the wall. */
  readonly timeoutMs: number;
  /** Start of the last bucket that was stored, unix seconds; null: none ever, so that nothing is missing. */
  readonly lastDone: number | null;
  /**
   * Called again for the same bucket where it failed.
   * @param bucketStart Unix seconds, a multiple of `everySeconds`.
   * @param signal Ends with the attempt's time and with the scheduler.
   */
  work(bucketStart: number, signal: AbortSignal): Promise<void>;
}

export interface SchedulerOptions {
  readonly sink: Sink;
  /** Stops everything. */
  readonly signal: AbortSignal;
  /** For timeouts and back-off. */
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** Of one bucket. */
  readonly attempts?: number;
  /** How long work that was told to stop may take to do so. */
  readonly stopMs?: number;
}

/** Buckets of one job since the start, and how it stands. */
export interface JobState {
  readonly source: string;
  readonly running: boolean;
  readonly down: boolean;
  readonly lastDone: number | null;
  readonly done: number;
  readonly failed: number;
  /** Passed while the job was at an earlier one, or while its time jumped. */
  readonly skipped: number;
  /** Passed before the start. */
  readonly missed: number;
}

export interface Scheduler {
  states(): readonly JobState[];
  /** Once the signal is aborted and all work has ended, or has had its time to. */
  readonly finished: Promise<void>;
}

const DEFAULT_ATTEMPTS = 4;
const DEFAULT_STOP_MS = 10_000;
const FIRST_BACK_OFF_MS = 2_000;
const LONGEST_BACK_OFF_MS = 60_000;

export function startScheduler(jobs: readonly Job[], options: SchedulerOptions): Scheduler {
  const runners = jobs.map((job) => new JobRunner(job, options));
  return {
    states: () => runners.map((runner) => runner.state()),
    finished: Promise.all(runners.map((runner) => runner.run())).then(() => undefined),
  };
}

class JobRunner {
  readonly #job: Job;
  readonly #options: SchedulerOptions;
  readonly #every: number;
  readonly #clock: Clock;
  #downSince: number | null = null;
  #running = false;
  #lastDone: number | null;
  #done = 0;
  #failed = 0;
  #skipped = 0;
  #missed = 0;

  constructor(job: Job, options: SchedulerOptions) {
    this.#job = job;
    this.#options = options;
    this.#every = job.everySeconds;
    this.#clock = options.clock ?? wallClock;
    this.#lastDone = job.lastDone;
  }

  state(): JobState {
    return {
      source: this.#job.source,
      running: this.#running,
      down: this.#downSince !== null,
      lastDone: this.#lastDone,
      done: this.#done,
      failed: this.#failed,
      skipped: this.#skipped,
      missed: this.#missed,
    };
  }

  async run(): Promise<void> {
    const { time, lastDone } = this.#job;
    const { signal } = this.#options;
    let next = this.#atOrAfter(time.now());
    if (lastDone !== null) {
      // Its bucket may have been of another length.
      const from = this.#atOrAfter(lastDone + 1);
      // A bucket that this clock has not come to was stored by a clock that went ahead: it is done.
      next = Math.max(next, from);
      this.#missed = this.#gap({ from, until: next, reason: "stopped" });
    }
    while (!signal.aborted) {
      try {
        await time.reached(next, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      const bucket = Math.floor(time.now() / this.#every) * this.#every;
      this.#skipped += this.#gap({ from: next, until: bucket, reason: "time jumped" });
      this.#running = true;
      await this.#bucket(bucket);
      this.#running = false;
      if (signal.aborted) return;
      next = Math.max(bucket + this.#every, this.#atOrAfter(time.now()));
      this.#skipped += this.#gap({ from: bucket + this.#every, until: next, reason: "busy" });
    }
  }

  #atOrAfter(time: number): number {
    return Math.ceil(time / this.#every) * this.#every;
  }

  /** Reports the buckets from `from` up to, but without, `until`. @returns how many. */
  #gap({ from, until, reason }: { readonly from: number; readonly until: number; readonly reason: string }): number {
    const buckets = Math.max(0, (until - from) / this.#every);
    if (buckets > 0) {
      const { source } = this.#job;
      this.#options.sink.emit({ name: "source.gap", source, from, to: until - this.#every, buckets, reason });
    }
    return buckets;
  }

  /** One bucket with its retries, none of which begins after its end. */
  async #bucket(bucket: number): Promise<void> {
    const { signal, random = Math.random, attempts = DEFAULT_ATTEMPTS } = this.#options;
    const { time } = this.#job;
    const end = bucket + this.#every;
    for (let attempt = 1; ; attempt += 1) {
      const trouble = await this.#attempt(bucket);
      if (trouble === null) return this.#worked(bucket);
      if (signal.aborted) return;
      if (attempt < attempts && time.now() < end) {
        const spans = { firstMs: FIRST_BACK_OFF_MS, longestMs: LONGEST_BACK_OFF_MS, random };
        await this.#pause(backOff(attempt, spans), end);
        if (signal.aborted) return;
        if (time.now() < end) continue;
      }
      this.#failed += 1;
      return this.#down(trouble);
    }
  }

  /** @returns what went wrong; null: nothing. */
  async #attempt(bucket: number): Promise<Trouble | null> {
    const job = this.#job;
    const { signal } = this.#options;
    let ended: Promise<void> = Promise.resolve();
    try {
      await within({ ms: job.timeoutMs, clock: this.#clock, signal }, (limited) => {
        const work = (async () => job.work(bucket, limited))();
        ended = work.catch(() => undefined);
        return work;
      });
      return null;
    } catch (error) {
      const trouble = troubleOf(error);
      await this.#end(ended, trouble);
      return trouble;
    }
  }

  /** Work that was told to stop may still run: another attempt beside it would be an overlap. */
  async #end(ended: Promise<void>, trouble: Trouble): Promise<void> {
    const { signal, stopMs = DEFAULT_STOP_MS } = this.#options;
    const limit = { ms: stopMs, clock: this.#clock };
    const inTime = async (stop?: AbortSignal): Promise<boolean> =>
      within({ ...limit, signal: stop }, () => ended).then(
        () => true,
        () => false,
      );
    if (!signal.aborted) {
      if (await inTime(signal)) return;
      // Nobody knows how long it will hold its job up.
      if (!signal.aborted) this.#down(trouble);
      await unlessAborted(ended, signal).catch(() => undefined);
    }
    if (signal.aborted) await inTime();
  }

  /** Until the pause is over or the bucket, whichever is sooner. */
  async #pause(ms: number, end: number): Promise<void> {
    const limit = { ms, clock: this.#clock, signal: this.#options.signal };
    await within(limit, (signal) => this.#job.time.reached(end, signal)).catch(() => undefined);
  }

  #worked(bucket: number): void {
    this.#done += 1;
    this.#lastDone = bucket;
    if (this.#downSince === null) return;
    const outageMs = this.#clock.now() - this.#downSince;
    this.#downSince = null;
    this.#options.sink.emit({ name: "source.recovered", source: this.#job.source, outageMs });
  }

  #down({ code, message }: Trouble): void {
    if (this.#downSince !== null) return;
    this.#downSince = this.#clock.now();
    this.#options.sink.emit({ name: "source.trouble", source: this.#job.source, code, message });
  }
}

interface Trouble {
  readonly code: string;
  readonly message: string;
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof Failure) return { code: error.code, message: error.message };
  if (error instanceof TimeIsUp) return { code: "SOURCE_TIMEOUT", message: error.message };
  // A defect of ours. Its message may quote anything.
  return { code: "SOURCE_DEFECT", message: error instanceof Error ? error.name : typeof error };
}
