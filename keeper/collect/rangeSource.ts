// What a backfill asks of a source of events: the rows of a range of blocks, whole or not at all.
import { WorldFailure } from "../config/failure";
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
   * @throws WorldFailure `LOGS_TOO_MANY`, `CHUNK_REORGED`; else as `Chain.request`.
   */
  collect(from: number, to: number, signal: AbortSignal): Promise<RangeRows>;
}

export function chunkReorged(from: number, to: number): WorldFailure {
  return new WorldFailure(CHUNK_REORGED, `the chain changed while blocks ${from} to ${to} were read`, {
    field: "chain.rpcUrls",
    remedy: "Run it again; if it goes on, use an endpoint that stays on one chain.",
  });
}

export function logsTooMany(from: number, to: number, cause?: unknown): WorldFailure {
  return new WorldFailure(LOGS_TOO_MANY, `the node gives no answer as large as blocks ${from} to ${to}`, {
    field: "chain.rpcUrls",
    remedy: "Use an endpoint that serves larger answers of eth_getLogs.",
    cause,
  });
}
