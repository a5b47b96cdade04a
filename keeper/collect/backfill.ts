// Collects any range of blocks of one source into the store. What is stored already is not asked for again, so a run goes
// on where the last one ended, however it ended, and a run of what is whole changes nothing.
import { InputFailure, WorldFailure } from "../config/failure";
import type { Chain } from "../chain/connect";
import { blockAt } from "../chain/heads";
import type { BackfillKey, ChunkRow, HistoryStore } from "../store/historyRecords";
import { blocksIn, clipped, missingRanges, sumOfBlocks, type BlockRange } from "./blockRanges";
import { ChunkCollector } from "./chunkCollector";
import type { ChunkBounds } from "./chunkSize";
import { persist, waitAfter, type Patience } from "./patience";
import { CHUNK_REORGED, type Absence, type RangeWork } from "./rangeSource";
import { behind, settle, type Settled } from "./settle";

export interface BackfillOptions {
  readonly source: RangeWork;
  readonly range: BlockRange;
  readonly store: HistoryStore;
  readonly chain: Chain;
  /** Blocks on top of another after which it cannot be undone. */
  readonly finalityBlocks: number;
  readonly chunk?: ChunkBounds | undefined;
  readonly patience?: Patience | undefined;
  /** Raised: ends after the chunk that is being stored. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BackfillProgress) => void) | undefined;
}

export interface BackfillProgress {
  /** Of the range. */
  readonly blocks: number;
  /** Blocks of the range that are stored. */
  readonly stored: number;
  /** Rows collected by this run. */
  readonly rows: number;
}

export interface Gap extends BlockRange {
  /** Why, where it is known. */
  readonly reason: string | null;
}

export interface BackfillReport {
  readonly key: BackfillKey;
  readonly range: BlockRange;
  /** Newest block that cannot be undone; what is stored above it is tentative. */
  readonly final: number;
  /** All that is stored of the range. */
  readonly chunks: number;
  readonly rows: number;
  /** Of these rows: the same for the same events, however they were collected. */
  readonly checksum: string;
  readonly gaps: readonly Gap[];
  /** Of sweeps: sources that could not be read at some of the blocks, for they were not there. */
  readonly absent: readonly Absence[];
  /** What this run did. */
  readonly collected: { readonly chunks: number; readonly blocks: number; readonly rows: number };
  /** Tentative rows that were forgotten, for they were reorganised away. */
  readonly forgotten: number;
}

/** A failure after which the store, or the chain, is another than the one that the work was planned on. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof WorldFailure && [CHUNK_REORGED, "HISTORY_CHUNKS_OVERLAP"].includes(error.code);
}

/**
 * Collects what is missing of the range and goes on until all of it is stored and of the chain as it is then.
 *
 * @throws InputFailure `BLOCK_BEYOND_HEAD`; WorldFailure `BACKFILL_CHAIN_DIFFERS`, `BACKFILL_STOPPED`, `LOGS_TOO_MANY` for
 * a single block, or what the node or the database fails with when patience ends. What is stored by then stays.
 */
export async function backfill(options: BackfillOptions): Promise<BackfillReport> {
  const { source, range, store, signal, patience } = options;
  const patient = { patience, signal };
  const tally = new Tally(range, options.onProgress);
  const collector = new ChunkCollector({ ...options, onChunk: (chunk) => tally.add(chunk) });
  let forgotten = 0;
  let overtaken = 0;
  let settled = await openingState(options);
  for (;;) {
    forgotten += settled.forgotten;
    const missing = missingRanges(range, (await persist(() => store.chunks(source.key), patient)).map(rangeOf));
    tally.missing(missing);
    if (missing.length === 0) break;
    const before = tally.collected.chunks;
    try {
      for (const piece of missing) await collector.fill(piece, settled.final);
    } catch (error) {
      if (!isOvertaken(error)) throw error;
      overtaken = tally.collected.chunks > before ? 1 : overtaken + 1;
      await waitAfter(error, overtaken, { ...patient, worthwhile: isOvertaken });
    }
    settled = await persist(() => settledUpTo(options), patient);
  }
  await finish(options);
  const { collected } = tally;
  return { ...(await reportStored(options, settled.final)), collected, forgotten };
}

/** The chain at the start: high enough, and the one that was collected from before. */
export async function openingState(options: BackfillOptions): Promise<Settled> {
  const { source, range, store, chain } = options;
  return persist(async () => {
    const settled = await settle(store, chain, options);
    if (range.to > settled.head) {
      throw new InputFailure("BLOCK_BEYOND_HEAD", `block ${range.to} is beyond the newest one, ${settled.head}`, {
        field: "--to",
        remedy: "End the range at or below the newest block.",
      });
    }
    const last = (await store.chunks(source.key)).findLast((chunk) => !chunk.tentative);
    if (last === undefined) return settled;
    const block = await blockAt(chain, last.toBlock);
    if (block === null) throw behind(settled.head, last.toBlock);
    if (block.hash !== last.toHash) {
      throw new WorldFailure(
        "BACKFILL_CHAIN_DIFFERS",
        `block ${last.toBlock} is not the one that was final when it was collected`,
        {
          field: "chain.rpcUrls",
          remedy:
            "Use an endpoint of the chain that was collected from, or an empty database for a chain begun afresh.",
        },
      );
    }
    return settled;
  }, options);
}

async function settledUpTo(options: BackfillOptions): Promise<Settled> {
  const settled = await settle(options.store, options.chain, options);
  if (settled.head < options.range.to) throw behind(settled.head, options.range.to);
  return settled;
}

/** What is left to do of a range that is whole. */
export async function finish(
  options: Pick<BackfillOptions, "store" | "source" | "patience" | "signal">,
): Promise<void> {
  await persist(async () => options.source.finish?.(options.store), options);
}

/** What the store has of the range, read back from it. */
export async function reportStored(
  options: Pick<BackfillOptions, "store" | "source" | "range" | "patience" | "signal">,
  final: number,
): Promise<Omit<BackfillReport, "collected" | "forgotten">> {
  const { store, source, range } = options;
  return persist(async () => {
    const chunks = (await store.chunks(source.key)).filter((chunk) => clipped(rangeOf(chunk), range.from, range.to));
    const gaps = missingRanges(range, chunks.map(rangeOf)).map((gap) => ({ ...gap, reason: null }));
    const stored = await source.stored(store, range);
    return { key: source.key, range, final, chunks: chunks.length, gaps, ...stored };
  }, options);
}

export const rangeOf = ({ fromBlock, toBlock }: ChunkRow): BlockRange => ({ from: fromBlock, to: toBlock });

/** Counts what is done. */
class Tally {
  readonly collected = { chunks: 0, blocks: 0, rows: 0 };
  readonly #blocks: number;
  readonly #onProgress: ((progress: BackfillProgress) => void) | undefined;
  #stored = 0;

  constructor(range: BlockRange, onProgress: ((progress: BackfillProgress) => void) | undefined) {
    this.#blocks = blocksIn(range);
    this.#onProgress = onProgress;
  }

  missing(ranges: readonly BlockRange[]): void {
    this.#stored = this.#blocks - sumOfBlocks(ranges);
    this.#tell();
  }

  add(chunk: ChunkRow): void {
    const blocks = blocksIn(rangeOf(chunk));
    this.collected.chunks += 1;
    this.collected.blocks += blocks;
    this.collected.rows += chunk.rows;
    this.#stored += blocks;
    this.#tell();
  }

  #tell(): void {
    this.#onProgress?.({ blocks: this.#blocks, stored: this.#stored, rows: this.collected.rows });
  }
}
