// Rows of what is collected, and the repository that keeps them. Times are unix seconds, rates fractions a year, amounts of
// chains decimal strings, hashes 0x-prefixed lower-case hex.

import type { PoolFileStore } from "./poolFileRecords";

/** The year 2200, unix seconds: later than any row, and within what PostgreSQL plans partitions for. */
export const FAR_FUTURE = 7_258_118_400;

/** A block, as that to which everything of one moment is pinned. */
export interface BlockMoment {
  readonly chainId: number;
  readonly number: number;
  readonly hash: string;
  /** Its time, which is the `observedAt` of what is read at it. */
  readonly timestamp: number;
}

/** Which series a row belongs to. */
export interface SeriesName {
  readonly chainId: number;
  readonly name: string;
}

/** One point of a series of rates. Keyed by (series, `availableAt`): `observedAt` repeats while nothing happens. */
export interface HistoryRow {
  readonly observedAt: number;
  readonly availableAt: number;
  readonly block: number;
  /** Null: not known, as of what was imported. */
  readonly blockHash: string | null;
  readonly source: string;
  readonly suppliedUsd: number | null;
  readonly borrowedUsd: number | null;
  readonly supplyApr: number | null;
  readonly borrowApr: number | null;
  readonly index: string | null;
  /** Bits of `keeper/collect/quality.ts`. */
  readonly flags: number;
}

/** What a source said, whole: canonical JSON with integers as decimal strings. */
export interface ReadingRow {
  readonly chainId: number;
  readonly source: string;
  readonly subject: string;
  /** Null: not of a chain, as of DefiLlama. */
  readonly block: number | null;
  readonly blockHash: string | null;
  readonly observedAt: number;
  readonly availableAt: number;
  readonly state: string;
}

/** A trade or a change of liquidity in a pool. Amounts as the pool sees them: positive goes in. */
export interface EventRow {
  readonly chainId: number;
  readonly source: string;
  readonly pool: string;
  readonly kind: "swap" | "mint" | "burn";
  readonly block: number;
  readonly blockHash: string;
  readonly txHash: string;
  readonly txIndex: number;
  readonly logIndex: number;
  readonly observedAt: number;
  readonly availableAt: number;
  readonly sender: string | null;
  readonly recipient: string | null;
  /** Of the first two coins. */
  readonly amount0: string;
  readonly amount1: string;
  /** Of a pool with a list of coins: of each of them; null of a pool with ticks. */
  readonly coinAmounts: readonly string[] | null;
  /** Of each coin, where the event says so. */
  readonly coinFees: readonly string[] | null;
  /** Outstanding after the event, of a pool with a list of coins, where the event says so. */
  readonly receipts: string | null;
  /** After a swap in a pool with ticks; null of the others. */
  readonly sqrtPriceX96: string | null;
  /** In range after a swap; of a mint or burn, what came or went. Null only of a pool with a list of coins. */
  readonly liquidity: string | null;
  /** After a swap in a pool with ticks; null of the others. */
  readonly tick: number | null;
  /** Of a mint or burn in a pool with ticks; null of the others. */
  readonly tickLower: number | null;
  readonly tickUpper: number | null;
  /** Price after over price before, less 1, in basis points, of token0 in token1; null where the price before is not known. */
  readonly priceImpactBps: number | null;
  /** Of the whole transaction; null where the source does not say it. */
  readonly gasUsed: string | null;
  readonly gasPriceWei: string | null;
}

/** What one insertion did. Rows that are stored already, equal in every field, are `unchanged`. */
export interface Inserted {
  readonly inserted: number;
  readonly unchanged: number;
}

/** A range of blocks that was collected whole. */
export interface ChunkRow {
  readonly fromBlock: number;
  readonly toBlock: number;
  /** Hash of `toBlock` when it was collected. */
  readonly toHash: string;
  readonly rows: number;
  /** SHA-256 of the rows, hex. */
  readonly checksum: string;
  readonly tentative: boolean;
}

/**
 * Bit of `HistoryRow.flags`: a sweep of long ago brought the point, and what is odd in it, or what its index has grown by, was
 * not worked out yet.
 */
export const UNJUDGED = 4096;

export interface SeriesPoint {
  /** Name of the series. */
  readonly series: string;
  readonly row: HistoryRow;
}

/** What the sources of a chain said at one block. */
export interface CollectedRows {
  readonly chainId: number;
  readonly points: readonly SeriesPoint[];
  readonly readings: readonly ReadingRow[];
  /** The block may still be reorganised away. */
  readonly tentative: boolean;
}

/** What sweeps of a range of blocks brought, in any order of series. */
export interface SweptChunk {
  readonly key: BackfillKey;
  readonly chunk: ChunkRow;
  readonly readings: readonly ReadingRow[];
  readonly points: readonly SeriesPoint[];
}

/** Which point, by its time, and what it was judged to be. */
export type JudgedPoint = Pick<HistoryRow, "availableAt" | "supplyApr" | "flags">;

/** Blocks of which something is stored that may still be reorganised away. */
export interface TentativeRange {
  readonly fromBlock: number;
  readonly toBlock: number;
  /** Hash of `toBlock` when it was read. */
  readonly toHash: string;
}

/** What a backfill is of: its chunks are shared by all runs and workers with the same three. */
export interface BackfillKey {
  readonly chainId: number;
  readonly source: string;
  /** Address of the pool whose events these are; of sweeps, their grid and sources. */
  readonly subject: string;
}

export interface SeriesInfo extends SeriesName {
  readonly id: number;
  readonly rows: number;
  /** `availableAt` of the first and last row; null without rows. */
  readonly first: number | null;
  readonly last: number | null;
}

/** A bucket of a series: the rows that became available in [`at`, `at` + `seconds`), known at its end. */
export interface BucketRow {
  readonly at: number;
  readonly seconds: number;
  readonly rows: number;
  /** Over the rows, each counted once. */
  readonly supplyAprMean: number | null;
  readonly supplyAprLeast: number | null;
  readonly supplyAprMost: number | null;
  readonly supplyAprLast: number | null;
  readonly borrowAprLast: number | null;
  readonly suppliedUsdLast: number | null;
  readonly borrowedUsdLast: number | null;
  /** Of any of its rows. */
  readonly flags: number;
}

export interface VolumeQuery {
  readonly chainId: number;
  readonly source: string;
  readonly pool: string;
  /** Of a bucket; buckets begin at multiples of it. */
  readonly seconds: number;
  /** Unix seconds of the blocks, both included. */
  readonly from: number;
  readonly to: number;
  /** Only what was known by then. */
  readonly knownBy: number;
}

/** Swaps of a pool in [`at`, `at` + `seconds`), amounts in each coin's unit, in the pool's order. */
export interface VolumeRow {
  readonly at: number;
  readonly swaps: number;
  /** What traders gave. */
  readonly sold: readonly string[];
  readonly bought: readonly string[];
}

/** A pool of which events are stored. */
export interface PoolInfo {
  readonly chainId: number;
  readonly source: string;
  readonly pool: string;
  /** Of the ranges that are whole: the first and last block, how many there are of, and their events. */
  readonly fromBlock: number;
  readonly toBlock: number;
  readonly blocks: number;
  readonly events: number;
}

/** What maintenance did. */
export interface Maintained {
  /** Series whose buckets were made anew. */
  readonly rolledUp: number;
  /** Months that were dropped. */
  readonly dropped: readonly string[];
}

/** Every method is one transaction; a failure of the database is a `WorldFailure` with code `STORE_…`. */
export interface HistoryStore {
  /**
   * Rows of one series, all or none; the series is made when there is none.
   *
   * @param tentative Of blocks that may still be reorganised away.
   * @throws WorldFailure `HISTORY_CONTRADICTION` when a stored row with the same `availableAt` has other values.
   */
  addHistory(
    series: SeriesName,
    rows: readonly HistoryRow[],
    options?: { readonly tentative?: boolean },
  ): Promise<Inserted>;
  addReadings(rows: readonly ReadingRow[], options?: { readonly tentative?: boolean }): Promise<Inserted>;
  /**
   * Points and readings, all or none; what is stored already, equal, is left.
   *
   * @returns of both together.
   * @throws WorldFailure as `addHistory`.
   */
  addBlock(block: CollectedRows): Promise<Inserted>;
  /**
   * The events of a chunk and the chunk itself: a chunk whose blocks are stored already changes nothing, so that two
   * workers may bring the same one.
   *
   * @throws WorldFailure `HISTORY_CHUNKS_OVERLAP` when only a part of its blocks is stored already.
   */
  addEvents(key: BackfillKey, chunk: ChunkRow, rows: readonly EventRow[]): Promise<Inserted>;
  /**
   * Sweeps of a chunk of blocks and the chunk itself, as `addEvents` does. What is stored of a block, or of a series at that
   * moment, stays as it is; the points are {@link UNJUDGED} until `judge`.
   *
   * @returns of readings.
   * @throws WorldFailure `HISTORY_CHUNKS_OVERLAP`.
   */
  addSweeps(chunk: SweptChunk): Promise<Inserted>;
  /** Names of series with points that are unjudged. */
  unjudged(chainId: number): Promise<string[]>;
  /** Rates and flags of points that are unjudged; others stay as they are. */
  judge(series: SeriesName, points: readonly JudgedPoint[]): Promise<void>;
  /** In order of blocks; `fromBlock`: without those that end before it. */
  chunks(key: BackfillKey, query?: { readonly fromBlock?: number }): Promise<ChunkRow[]>;
  /** Of all backfills of a chain, for a reorganisation is of all of it. */
  tentativeRanges(chainId: number): Promise<TentativeRange[]>;
  /**
   * Forgets every tentative row and chunk of a chain above `block` (a chunk that reaches over it as a whole).
   * @returns number of rows.
   */
  rollBack(chainId: number, block: number): Promise<number>;
  /** What is at or below `block` stays for good. */
  finalise(chainId: number, block: number): Promise<void>;

  /**
   * Keeps the declared policies (policies.ts): makes buckets anew where history was added, drops what is older than its
   * table is kept for. May be called by several processes at once.
   *
   * @param now Unix seconds.
   */
  maintain(now: number): Promise<Maintained>;

  series(): Promise<SeriesInfo[]>;
  /** `availableAt` of the newest row of any of these series that is not older than `since`; null: there is none. */
  newest(chainId: number, names: readonly string[], since: number): Promise<number | null>;
  /** Oldest first by `availableAt`, in batches; `to` and `from` are of `availableAt`, both included. */
  history(
    series: SeriesName,
    query?: { readonly from?: number; readonly to?: number },
  ): AsyncGenerator<HistoryRow[], void, void>;
  /** Oldest first; `from` and `to` are of `at`, both included. */
  buckets(
    series: SeriesName,
    query: { readonly seconds: number; readonly from: number; readonly to: number },
  ): Promise<BucketRow[]>;
  readings(query: {
    readonly chainId: number;
    readonly source: string;
    readonly subject: string;
    readonly from: number;
    readonly to: number;
  }): Promise<ReadingRow[]>;
  /** Subjects of a source with a reading whose `observedAt` is in the span, both included, in order of their names. */
  readSubjects(query: {
    readonly chainId: number;
    readonly source: string;
    readonly from: number;
    readonly to: number;
  }): Promise<string[]>;
  /** `observedAt` of the last reading; null: none ever. */
  newestReading(of: {
    readonly chainId: number;
    readonly source: string;
    readonly subject: string;
  }): Promise<number | null>;
  pools(): Promise<PoolInfo[]>;
  /** Oldest first; buckets without a swap are left out. */
  volumes(query: VolumeQuery): Promise<VolumeRow[]>;
  /** In order of the chain, in batches; of one source, for two may bring the same event. */
  events(query: {
    readonly chainId: number;
    readonly source: string;
    readonly pool: string;
    readonly fromBlock: number;
    readonly toBlock: number;
  }): AsyncGenerator<EventRow[], void, void>;

  /** What was imported of pools. */
  readonly poolFiles: PoolFileStore;
}
