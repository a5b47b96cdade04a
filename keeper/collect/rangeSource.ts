// What a backfill asks of a source of events: the rows of a range of blocks, whole or not at all.
import type { BackfillKey, EventRow } from "../store/historyRecords";

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
