// Fills one missing range, oldest first, chunk by chunk, each with its rows in one transaction: whatever ends the process,
// what is stored is whole chunks, and what is missing can be asked for again.
import { WorldFailure } from "../config/failure";
import type { ChunkRow, HistoryStore } from "../store/historyRecords";
import type { BlockRange } from "./blockRanges";
import { ChunkSize, type ChunkBounds } from "./chunkSize";
import { persist, stopped, waitAfter, type Patience } from "./patience";
import { LOGS_TOO_MANY, type CollectedRange, type RangeWork } from "./rangeSource";

/**
 * Above the finalised block chunks are short: a reorganisation forgets whole chunks, and with them what other collectors
 * read from the first one's blocks on.
 */
const LARGEST_TENTATIVE_CHUNK = 16;

export interface CollectorOptions {
  readonly source: RangeWork;
  readonly store: HistoryStore;
  readonly chunk?: ChunkBounds | undefined;
  readonly patience?: Patience | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each chunk that was stored. */
  readonly onChunk?: ((chunk: ChunkRow) => void) | undefined;
}

export class ChunkCollector {
  readonly #options: CollectorOptions;
  readonly #size: ChunkSize;
  readonly #signal: AbortSignal;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#size = new ChunkSize(options.chunk);
    this.#signal = options.signal ?? new AbortController().signal;
  }

  /**
   * @param final Newest block that cannot be undone; what is above it is stored as tentative.
   * @throws WorldFailure `CHUNK_REORGED`, `HISTORY_CHUNKS_OVERLAP` when what is missing must be worked out anew;
   * `BACKFILL_STOPPED` when the signal is raised; what the source throws when patience ends.
   */
  async fill(missing: BlockRange, final: number): Promise<void> {
    // While one chunk is stored the next one is asked for; they are stored in their order.
    let storing: Promise<void> = Promise.resolve();
    try {
      for (let from = missing.from; from <= missing.to;) {
        const tentative = from > final;
        const last = tentative ? missing.to : Math.min(missing.to, final);
        const range = await this.#collect(from, last, tentative ? LARGEST_TENTATIVE_CHUNK : Infinity);
        const { to, toHash, rows, checksum } = range;
        await storing;
        if (this.#signal.aborted) throw stopped();
        storing = this.#store({ fromBlock: from, toBlock: to, toHash, rows, checksum, tentative }, range);
        // Its failure is met where it is waited for.
        storing.catch(() => undefined);
        from = to + 1;
      }
    } finally {
      await storing;
    }
  }

  async #store(chunk: ChunkRow, range: CollectedRange): Promise<void> {
    const { store, patience, onChunk } = this.#options;
    await persist(() => range.add(store, chunk), { patience, signal: this.#signal });
    onChunk?.(chunk);
  }

  async #collect(from: number, last: number, most: number): Promise<CollectedRange & { readonly to: number }> {
    for (let failures = 0; ;) {
      if (this.#signal.aborted) throw stopped();
      const to = Math.min(from + Math.min(this.#size.blocks, most) - 1, last);
      const blocks = to - from + 1;
      try {
        const answer = await this.#options.source.collect(from, to, this.#signal);
        // What is read of a chain that an abort left half read is not to be trusted.
        if (this.#signal.aborted) throw stopped();
        this.#size.answered(blocks, answer.rows);
        return { ...answer, to };
      } catch (error) {
        if (error instanceof WorldFailure && error.code === LOGS_TOO_MANY) {
          if (blocks === 1) throw error;
          this.#size.refused(blocks);
          continue;
        }
        failures += 1;
        await waitAfter(error, failures, { patience: this.#options.patience, signal: this.#signal });
        // A node that fails twice at the same place may take too long for so much.
        if (failures > 1 && blocks > 1) this.#size.refused(blocks);
      }
    }
  }
}
