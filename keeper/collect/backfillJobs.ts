// A backfill shared by processes. Its final blocks are cut into jobs of a queue in the database; every worker takes one
// after the other. What counts as done is what the store has, never what a job says: a job done twice, by a worker that
// was given up too early, changes nothing.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Failure, WorldFailure } from "../config/failure";
import type { Chain } from "../chain/connect";
import type { BackfillKey, HistoryStore } from "../store/historyRecords";
import type { Job, JobQueue, JobView } from "../store/jobQueue";
import {
  backfill,
  finish,
  isOvertaken,
  openingState,
  rangeOf,
  reportStored,
  type BackfillOptions,
  type BackfillReport,
  type Gap,
} from "./backfill";
import { blocksIn, clipped, cutRanges, missingRanges, sumOfBlocks, type BlockRange } from "./blockRanges";
import { ChunkCollector } from "./chunkCollector";
import type { ChunkBounds } from "./chunkSize";
import { persist, stopped, type Patience } from "./patience";
import type { RangeWork } from "./rangeSource";

/** Part of a lease after which a worker hands the rest of its job back, rather than lose it in the middle of a chunk. */
const SHARE_OF_LEASE = 0.7;
const IDLE_MS = 250;

const jobShape = z.strictObject({
  key: z.strictObject({ chainId: z.number(), source: z.string(), subject: z.string() }),
  from: z.number(),
  to: z.number(),
});
type RangeJob = z.output<typeof jobShape>;

const OUTSTANDING = ["created", "retry", "active"] as const;

/** All backfills of a chain share a queue: a worker is connected to one chain. */
export const queueName = (chainId: number): string => `backfill-${chainId}`;

export interface WorkerOptions {
  readonly queue: JobQueue;
  readonly store: HistoryStore;
  readonly chain: Chain;
  /** @throws InputFailure when it knows no such source. */
  readonly sourceOf: (key: BackfillKey) => RangeWork;
  readonly chunk?: ChunkBounds | undefined;
  readonly patience?: Patience | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onJob?: ((range: BlockRange, outcome: "done" | "handed back" | "failed") => void) | undefined;
}

/**
 * Takes jobs until `finished` says so (asked when there is none to take) or the signal is raised; then the job in hand is
 * handed back after the chunk that is being stored.
 */
export async function workOnJobs(options: WorkerOptions, finished: () => Promise<boolean>): Promise<void> {
  const { queue, signal } = options;
  while (signal?.aborted !== true) {
    const job = await persist(() => queue.take(), options);
    if (job !== null) await carryOut(job, options);
    else if (await persist(finished, options)) return;
    else await sleep(IDLE_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

async function carryOut(job: Job, options: WorkerOptions): Promise<void> {
  const { queue, onJob } = options;
  const leaseEnds = AbortSignal.timeout(queue.leaseSeconds * 1000 * SHARE_OF_LEASE);
  const signal = options.signal === undefined ? leaseEnds : AbortSignal.any([options.signal, leaseEnds]);
  // Storing what became of the job must outlast both signals.
  const patient = { patience: options.patience };
  const parsed = jobShape.safeParse(job.data);
  if (!parsed.success) return persist(() => queue.fail(job.id, "the job is not a range of blocks"), patient);
  const task = parsed.data;
  try {
    await fill(task, { ...options, signal });
    await persist(() => queue.complete(job.id), patient);
    onJob?.(task, "done");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const chunks = await persist(() => options.store.chunks(task.key), patient);
    const rest = missingRanges(task, chunks.map(rangeOf));
    const progressed = sumOfBlocks(rest) < blocksIn(task);
    if (error.code === "BACKFILL_STOPPED" && (progressed || options.signal?.aborted === true)) {
      // Put before it is completed: killed in between, both exist, and the second finds nothing to do.
      await persist(() => queue.put(rest.map((range) => ({ key: task.key, ...range }))), patient);
      await persist(() => queue.complete(job.id), patient);
      onJob?.(task, "handed back");
      return;
    }
    await persist(() => queue.fail(job.id, reasonOf(error, queue)), patient);
    onJob?.(task, "failed");
  }
}

function reasonOf(error: Failure, queue: JobQueue): string {
  if (error.code !== "BACKFILL_STOPPED") return `${error.message} (${error.code})`;
  return `not one chunk was stored within a lease of ${queue.leaseSeconds} s`;
}

async function fill(task: RangeJob, options: WorkerOptions): Promise<void> {
  const source = options.sourceOf(task.key);
  const collector = new ChunkCollector({ ...options, source });
  for (let overtaken = 0; ;) {
    const chunks = await persist(() => options.store.chunks(task.key), options);
    const missing = missingRanges(task, chunks.map(rangeOf));
    if (missing.length === 0) return;
    try {
      // Jobs are made of final blocks only.
      for (const piece of missing) await collector.fill(piece, task.to);
    } catch (error) {
      // Another worker has some of these blocks: it was slow, or this one was given up.
      if (!isOvertaken(error) || overtaken >= MOST_OVERTAKEN) throw error;
      overtaken += 1;
    }
  }
}

const MOST_OVERTAKEN = 10;

export interface SharedBackfillOptions extends BackfillOptions {
  readonly queue: JobQueue;
  readonly sourceOf: WorkerOptions["sourceOf"];
  /** Blocks a job. */
  readonly jobBlocks: number;
}

/**
 * The same as {@link backfill}, with everybody who works on the queue; this process works too, so that it ends also when
 * all others die. Blocks that are not final yet are collected by this process alone, at the end.
 *
 * @returns a report whose gaps are named with the jobs that have failed for good.
 * @throws as {@link backfill}, but for what makes jobs fail.
 */
export async function sharedBackfill(options: SharedBackfillOptions): Promise<BackfillReport> {
  const { source, range, queue } = options;
  const opening = await openingState(options);
  const before = await rowsAndBlocks(options);
  const settled = clipped(range, 0, opening.final);
  if (settled !== null) {
    await enqueue(options, settled);
    await withProgress(options, before.rows, () =>
      workOnJobs(options, async () => (await outstanding(queue, source.key)).length === 0),
    );
    if (options.signal?.aborted) throw stopped();
  }
  const tail = clipped(range, Math.max(0, opening.final + 1), range.to);
  // What is left to do of the whole is not to be done for a part.
  const unfinished = { ...source, finish: undefined };
  const last =
    tail === null ? null : await backfill({ ...options, source: unfinished, range: tail, onProgress: undefined });
  const report = await reportStored(options, last?.final ?? opening.final);
  if (report.gaps.length === 0) await finish(options);
  const failed = report.gaps.length === 0 ? [] : await persist(() => queue.list(["failed"]), options);
  return {
    ...report,
    gaps: report.gaps.map((gap) => explained(gap, failed, source.key)),
    collected: {
      chunks: report.chunks - before.chunks,
      blocks: blocksIn(range) - sumOfBlocks(report.gaps) - before.blocks,
      rows: report.rows - before.rows,
    },
    forgotten: opening.forgotten + (last?.forgotten ?? 0),
  };
}

/** Jobs for what is missing and in no job yet. */
async function enqueue(options: SharedBackfillOptions, settled: BlockRange): Promise<void> {
  const { source, store, queue, jobBlocks } = options;
  await persist(async () => {
    const planned = (await outstanding(queue, source.key)).map(({ task }) => task);
    const stored = (await store.chunks(source.key)).map(rangeOf);
    const [oldest] = missingRanges(settled, stored);
    if (oldest !== undefined) await source.probe?.(oldest);
    const parts = cutRanges(missingRanges(settled, [...stored, ...planned]), jobBlocks);
    await queue.put(parts.map((part) => ({ key: source.key, ...part })));
  }, options);
}

async function outstanding(queue: JobQueue, key: BackfillKey): Promise<{ job: JobView; task: RangeJob }[]> {
  return tasksOf(await queue.list(OUTSTANDING), key);
}

function tasksOf(jobs: readonly JobView[], key: BackfillKey): { job: JobView; task: RangeJob }[] {
  return jobs.flatMap((job) => {
    const task = jobShape.safeParse(job.data).data;
    const same =
      task?.key.chainId === key.chainId && task.key.source === key.source && task.key.subject === key.subject;
    return task !== undefined && same ? [{ job, task }] : [];
  });
}

function explained(gap: Gap, failed: readonly JobView[], key: BackfillKey): Gap {
  const jobs = tasksOf(failed, key).filter(({ task }) => clipped(task, gap.from, gap.to) !== null);
  const last = jobs.at(-1)?.job;
  return last === undefined ? gap : { ...gap, reason: `job ${last.id}: ${last.reason ?? "lost again and again"}` };
}

async function rowsAndBlocks(
  options: SharedBackfillOptions,
): Promise<{ readonly chunks: number; readonly rows: number; readonly blocks: number }> {
  const { store, source, range } = options;
  const chunks = await persist(() => store.chunks(source.key), options);
  const within = chunks.filter((chunk) => clipped(rangeOf(chunk), range.from, range.to) !== null);
  return {
    chunks: within.length,
    rows: within.reduce((sum, chunk) => sum + chunk.rows, 0),
    blocks: blocksIn(range) - sumOfBlocks(missingRanges(range, within.map(rangeOf))),
  };
}

const PROGRESS_MS = 500;

/** Tells how far all workers together are, as the store shows it, while `work` lasts. */
async function withProgress(
  options: SharedBackfillOptions,
  rowsBefore: number,
  work: () => Promise<void>,
): Promise<void> {
  let telling: Promise<void> = Promise.resolve();
  let busy = false;
  const tell = async (): Promise<void> => {
    const { rows, blocks } = await rowsAndBlocks(options);
    options.onProgress?.({ blocks: blocksIn(options.range), stored: blocks, rows: rows - rowsBefore });
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    // A failure here is met by the work itself.
    telling = tell()
      .catch(() => undefined)
      .finally(() => (busy = false));
  }, PROGRESS_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
    await telling;
  }
}

/** What a command says when a backfill ended with gaps. */
export function gapsLeft(gaps: readonly Gap[]): WorldFailure {
  const shown = gaps.slice(0, 3).map(({ from, to, reason }) => `${from}–${to}${reason === null ? "" : ` (${reason})`}`);
  const more = gaps.length > shown.length ? `, and ${gaps.length - shown.length} more` : "";
  return new WorldFailure("BACKFILL_GAPS", `blocks are missing: ${shown.join(", ")}${more}`, {
    remedy: "Run it again: it asks for what is missing.",
  });
}
