// What files of Uniswap pools say, and the repository that keeps it. Units as in historyRecords.ts.
import type { Inserted } from "./historyRecords";

/** A state of a pool, or a day of it. */
export interface PoolStateRow {
  readonly chainId: number;
  /** What kind of file it is of. */
  readonly source: string;
  /** The file's name. */
  readonly subject: string;
  /** Null: of a day. */
  readonly block: number | null;
  readonly observedAt: number;
  readonly availableAt: number;
  /** Canonical JSON: the file's columns as it wrote them. */
  readonly state: string;
}

/** A swap with its transaction, of a file that has neither the hash nor the time of its block. */
export interface SampledSwap {
  readonly chainId: number;
  readonly block: number;
  readonly txIndex: number;
  /** Of all logs of the block. */
  readonly logIndex: number;
  readonly txHash: string;
  /** The block was not before that. */
  readonly observedAt: number;
  /** The block was known then, at the latest. */
  readonly availableAt: number;
  readonly source: string;
  /** Of the transaction; `recipient` null: it made a contract. */
  readonly sender: string;
  readonly recipient: string | null;
  readonly pool: string;
  readonly protocol: "v2" | "v3";
  /** As the pool sees them: positive goes in. */
  readonly amount0: string;
  readonly amount1: string;
  /** After the swap, of `v3`; null of `v2`. */
  readonly sqrtPriceX96: string | null;
  readonly liquidity: string | null;
  readonly tick: number | null;
  /** After the swap, of `v2`; null of `v3`. */
  readonly reserve0: string | null;
  readonly reserve1: string | null;
  readonly gasPriceWei: string;
  /** What the block's coinbase gained in the whole transaction. */
  readonly tipWei: string;
}

/** What a pool is; null: the file does not say it. */
export interface DescribedPool {
  readonly chainId: number;
  readonly pool: string;
  readonly source: string;
  readonly protocol: "v2" | "v3";
  readonly token0: string;
  readonly token1: string;
  /** Millionths. */
  readonly feePips: number | null;
  readonly tickSpacing: number | null;
  readonly decimals0: number | null;
  readonly decimals1: number | null;
}

/** Rows of one file. */
export interface PoolSubject {
  readonly chainId: number;
  readonly source: string;
  readonly subject: string;
}

/**
 * Adding is all or nothing; rows that are stored already, equal in all but source and times, are `unchanged`.
 *
 * @throws WorldFailure `HISTORY_CONTRADICTION` when a stored row of the same key says something else.
 */
export interface PoolFileStore {
  addStates(rows: readonly PoolStateRow[]): Promise<Inserted>;
  addSwaps(rows: readonly SampledSwap[]): Promise<Inserted>;
  addPools(rows: readonly DescribedPool[]): Promise<Inserted>;

  /** In order of their names. */
  subjects(): Promise<PoolSubject[]>;
  /** Oldest first, in batches. */
  states(of: PoolSubject): AsyncGenerator<PoolStateRow[], void, void>;
  /** Chains with swaps. */
  swapChains(): Promise<number[]>;
  /** In order of the chain, in batches; blocks, both included. */
  swaps(query: {
    readonly chainId: number;
    readonly fromBlock: number;
    readonly toBlock: number;
  }): AsyncGenerator<SampledSwap[], void, void>;
  pools(chainId: number): Promise<DescribedPool[]>;
}
