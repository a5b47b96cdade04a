// What a backfill asks of a source: what there is of a range of blocks, whole or not at all.
import type { BackfillKey, ChunkRow, EventRow, HistoryStore, Inserted } from "../store/historyRecords";
import type { BlockRange } from "./blockRanges";

/** The node gives no answer that large: the range is asked for in smaller parts. */
export const LOGS_TOO_MANY = "LOGS_TOO_MANY";
/** The chain changed while the range was read: what was read may be of two chains. */
export const CHUNK_REORGED = "CHUNK_REORGED";

export interface RangeRows {
  /** In the chain's order. */
  readonly rows: readonly EventRow[];
  /** Hash of the range's last block, the same before and after the rows were read. */
  readonly toHash: string;
}

/** A source of events of a pool. */
export interface RangeSource {
  readonly key: BackfillKey;
  /**
   * Every event from block `from` to block `to`, both included.
   *
   * @throws WorldFailure `LOGS_TOO_MANY`, `CHUNK_REORGED`, `BLOCK_GONE` when the node does not have block `to`; else as
   * `Chain.request`.
   */
  collect(from: number, to: number, signal: AbortSignal): Promise<RangeRows>;
}

/** What a backfill can be of: ranges of blocks, whatever their rows are. */
export interface RangeWork {
  readonly key: BackfillKey;
  /** Reads the blocks from `from` to `to`, both included, and stores nothing. @throws as `RangeSource.collect`. */
  collect(from: number, to: number, signal: AbortSignal): Promise<CollectedRange>;
  /** What the store has of a range, read back from it. */
  stored(store: HistoryStore, range: BlockRange): Promise<StoredRange>;
  /** Fails where the oldest block of a range cannot be read, before the range is dealt out. */
  readonly probe?: ((range: BlockRange) => Promise<void>) | undefined;
  /** What is left to do when all of a range is stored. Ended in the middle, it is begun again. */
  readonly finish?: ((store: HistoryStore) => Promise<void>) | undefined;
}

export interface CollectedRange {
  /** As of {@link RangeRows}. */
  readonly toHash: string;
  readonly rows: number;
  /** SHA-256 of the rows, hex. */
  readonly checksum: string;
  /** In one transaction with the chunk. */
  add(store: HistoryStore, chunk: ChunkRow): Promise<Inserted>;
}

export interface StoredRange {
  readonly rows: number;
  /** Of these rows: the same for the same chain, however they were collected. */
  readonly checksum: string;
  /** Sources that could not be read at some of the blocks. */
  readonly absent: readonly Absence[];
}

export interface Absence {
  readonly source: string;
  readonly subject: string;
  /** Why. */
  readonly code: string;
  /** How many of the blocks; the first and the last one. */
  readonly blocks: number;
  readonly from: number;
  readonly to: number;
}
