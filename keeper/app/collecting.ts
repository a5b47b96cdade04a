// Collects a chain: at a block, every source in one sweep, what it read and the points of its series into the store.
import { settle, type Settled } from "../collect/settle";
import { blockFees } from "../collect/baseFee";
import { FollowedSeries } from "../collect/followedSeries";
import { locate } from "../collect/locate";
import type { ChainCollector, Reading } from "../collect/reading";
import { historyRow, readingRow, sweep, type SweepFailure } from "../collect/sweep";
import type { CollectedTargets } from "../collect/targets";
import type { Chain } from "../chain/connect";
import type { Head } from "../chain/heads";
import type { WorldFailure } from "../config/failure";
import { Failure } from "../config/failure";
import type { Sink } from "../events/events";
import type { BlockMoment, HistoryStore, SeriesPoint } from "../store/historyRecords";

export interface CollectedBlock {
  readonly at: BlockMoment;
  readonly readings: readonly Reading[];
  readonly failures: readonly SweepFailure[];
  /** `eth_call`s of the sweep. */
  readonly requests: number;
  /** Rows that were stored, of readings and of series. */
  readonly stored: number;
  /** Rows of blocks that were reorganised away. */
  readonly forgotten: number;
}

export interface CollectingOptions {
  readonly chain: Chain;
  readonly store: HistoryStore;
  readonly sources: CollectedTargets["sources"];
  /** Blocks on top of another after which it cannot be undone. */
  readonly finalityBlocks: number;
  readonly sink: Sink;
}

export class ChainCollecting {
  readonly #options: CollectingOptions;
  readonly #followed = new Map<string, FollowedSeries>();
  /** Sources that are down: one event at each end of an outage. */
  readonly #down = new Map<string, number>();
  #settling: Promise<Settled> | null = null;
  #located: readonly ChainCollector[] | null = null;
  #unlocated: readonly SweepFailure[] = [];

  constructor(options: CollectingOptions) {
    this.#options = options;
  }

  /**
   * Everything at `head`. What is wrong with one source is a failure of that source; the others are stored.
   *
   * @param seenAt When the head was seen, milliseconds of the wall: `availableAt` is the block's time and what passed since.
   * @throws WorldFailure `BLOCK_GONE`, `RPC_…`, `STORE_…`: nothing of this block is stored then.
   */
  async collect(head: Head, seenAt: number): Promise<CollectedBlock> {
    const { store, finalityBlocks } = this.#options;
    const { forgotten } = await this.settle();
    const { at, readings, failures, requests } = await this.read(head);
    const availableAt = at.timestamp + Math.max(0, Math.ceil((Date.now() - seenAt) / 1_000));
    const tentative = finalityBlocks > 0;
    const followed = new Map<string, FollowedSeries>();
    const points: SeriesPoint[] = [];
    for (const reading of readings) {
      const point = historyRow(reading, at, availableAt);
      if (point === null) continue;
      const series = await this.#taken(reading.subject);
      points.push({ series: reading.subject, row: series.next(point) });
      followed.set(reading.subject, series);
    }
    const rows = readings.map((reading) => readingRow(reading, at, availableAt));
    const { inserted: stored } = await store.addBlock({ chainId: at.chainId, points, readings: rows, tentative });
    for (const [subject, series] of followed) this.#followed.set(subject, series);
    this.#tell(readings, failures);
    return { at, readings, failures, requests, stored, forgotten };
  }

  /**
   * What is stored of blocks that could still be undone, against the chain. For all who collect of this chain at once: two
   * that forget what one reorganisation undid would forget what was read again in between.
   *
   * @throws as `settle`.
   */
  settle(): Promise<Settled> {
    return (this.#settling ??= this.#settle().finally(() => (this.#settling = null)));
  }

  async #settle(): Promise<Settled> {
    const settled = await settle(this.#options.store, this.#options.chain, this.#options);
    if (settled.forgotten > 0) this.#followed.clear();
    return settled;
  }

  /** The same, and nothing is stored. @throws as `collect`. */
  async read(head: Head): Promise<Omit<CollectedBlock, "stored" | "forgotten">> {
    const { chain, sources } = this.#options;
    if (this.#located === null || this.#unlocated.length > 0) {
      const { collectors, failures } = await locate(chain, head, sources);
      this.#located = collectors;
      this.#unlocated = failures;
    }
    const [swept, fees] = await Promise.all([sweep(chain, head, this.#located), readFees(chain, head)]);
    const failures = [...this.#unlocated, ...swept.failures, ...("failure" in fees ? [fees] : [])];
    // A protocol that changed a contract is looked up again, at the next block.
    if (swept.failures.some(({ failure }) => failure.code === "SOURCE_MOVED")) this.#located = null;
    return { ...swept, readings: [...swept.readings, ...("failure" in fees ? [] : [fees])], failures };
  }

  /** A series up to now, to be put back once its next point is stored: else it is followed again from the store. */
  async #taken(subject: string): Promise<FollowedSeries> {
    const { chain, store } = this.#options;
    const followed = this.#followed.get(subject);
    this.#followed.delete(subject);
    return followed ?? FollowedSeries.stored(store, { chainId: chain.chainId, name: subject });
  }

  #tell(readings: readonly Reading[], failures: readonly SweepFailure[]): void {
    const { sink } = this.#options;
    for (const { source, subject, failure } of failures) {
      const name = `${source} ${subject}`;
      if (this.#down.has(name)) continue;
      this.#down.set(name, Date.now());
      sink.emit({ name: "source.trouble", source: name, code: failure.code, message: failure.message });
    }
    for (const { source, subject } of readings) {
      const name = `${source} ${subject}`;
      const since = this.#down.get(name);
      if (since === undefined || !this.#down.delete(name)) continue;
      sink.emit({ name: "source.recovered", source: name, outageMs: Date.now() - since });
    }
  }
}

/** Gas prices are read by a request of their own; without them the block is collected all the same. */
async function readFees(chain: Chain, head: Head): Promise<Reading | SweepFailure> {
  try {
    return await blockFees.read(chain, head);
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode !== 1) throw error;
    return { source: blockFees.source, subject: blockFees.subject, failure: error as WorldFailure };
  }
}
