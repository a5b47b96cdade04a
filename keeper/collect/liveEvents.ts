// Events of a pool up to the head, bucket after bucket, by the same ranges and chunks as a backfill: what an earlier run left out
// lately is filled in, what is not final stays tentative, and what a backfill brought meanwhile is not asked for again.
import type { Sink } from "../events/events";
import type { HistoryStore } from "../store/historyRecords";
import { rangeOf } from "./backfill";
import { blocksIn, missingRanges, type BlockRange } from "./blockRanges";
import { ChunkCollector } from "./chunkCollector";
import type { ChunkBounds } from "./chunkSize";
import { workOf } from "./eventRanges";
import { isStop, type Patience } from "./patience";
import type { RangeSource } from "./rangeSource";
import type { Settled } from "./settle";

export interface LiveEventsOptions {
  readonly source: RangeSource;
  /** For people. */
  readonly name: string;
  readonly store: HistoryStore;
  /** What is tentative against the chain, for all who collect of it at once. */
  readonly settle: () => Promise<Settled>;
  readonly sink: Sink;
  /** A longer pause is a gap that is left to the backfill. Default: a week of mainnet's blocks. */
  readonly catchUpBlocks?: number;
  /** Of one bucket; what is left then is the next one's. */
  readonly budgetMs?: number;
  readonly chunk?: ChunkBounds;
}

/** Where the chain is, and since when that is known: unix seconds on its own clock. */
export interface LiveHead {
  readonly number: number;
  now(): number;
}

const CATCH_UP_BLOCKS = 50_400;
/** Less than a bucket of five minutes. */
export const EVENTS_BUDGET_MS = 200_000;
/** The scheduler comes back by itself. */
const PATIENCE: Patience = { failures: 3 };

/**
 * Stores what is missing up to `head`. Where nothing is stored lately, it begins there.
 *
 * @throws as `ChunkCollector.fill`, but for a stop: when the budget is used up, or `signal` is raised, what is stored stays.
 */
export async function followEvents(options: LiveEventsOptions, head: LiveHead, signal: AbortSignal): Promise<void> {
  const { name, sink, budgetMs = EVENTS_BUDGET_MS } = options;
  const settled = await options.settle();
  const { missing, gap } = await missingUpTo(Math.min(head.number, settled.head), options);
  const stored = { blocks: 0, rows: 0, block: -1 };
  const collector = new ChunkCollector({
    ...options,
    source: workOf(knownNow(options.source, head)),
    patience: PATIENCE,
    signal: AbortSignal.any([signal, AbortSignal.timeout(budgetMs)]),
    onChunk: (chunk) => {
      stored.blocks += blocksIn(rangeOf(chunk));
      stored.rows += chunk.rows;
      stored.block = Math.max(stored.block, chunk.toBlock);
    },
  });
  try {
    for (const range of missing) await collector.fill(range, settled.final);
  } catch (error) {
    if (!isStop(error)) throw error;
  } finally {
    if (stored.blocks > 0) {
      if (gap !== null) sink.emit({ name: "collect.gap", source: name, fromBlock: gap.from, toBlock: gap.to });
      sink.emit({ name: "collect.followed", source: name, ...stored });
    }
  }
}

async function missingUpTo(
  to: number,
  { source, store, catchUpBlocks = CATCH_UP_BLOCKS }: LiveEventsOptions,
): Promise<{ readonly missing: readonly BlockRange[]; readonly gap: BlockRange | null }> {
  const least = Math.max(0, to - catchUpBlocks);
  const lately = (await store.chunks(source.key, { fromBlock: least })).map(rangeOf);
  const [first] = lately;
  if (first !== undefined)
    return { missing: missingRanges({ from: Math.max(first.from, least), to }, lately), gap: null };
  const last = (await store.chunks(source.key)).at(-1);
  const gap = last === undefined ? null : { from: last.toBlock + 1, to: to - 1 };
  return { missing: [{ from: to, to }], gap };
}

/** A backfill gives events as one knew them who followed the chain; here it is known when they were. */
function knownNow({ key, collect }: RangeSource, head: LiveHead): RangeSource {
  return {
    key,
    async collect(from, to, signal) {
      const { rows, toHash } = await collect(from, to, signal);
      const now = head.now();
      return { rows: rows.map((row) => ({ ...row, availableAt: Math.max(row.availableAt, now) })), toHash };
    },
  };
}
