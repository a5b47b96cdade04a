// What there is of the events of each pool, and what was traded in it.
import { FAR_FUTURE, type HistoryStore, type PoolInfo, type VolumeRow } from "../store/historyRecords";
import { blocksIn } from "./blockRanges";

export interface PoolReport extends PoolInfo {
  /** Between the first and the last block that were collected. */
  readonly missingBlocks: number;
  readonly swaps: number;
  /** Days, UTC, with a swap. */
  readonly days: number;
  /** What traders gave of each coin, in its unit, in the pool's order. */
  readonly sold: readonly string[];
  /** The same of each of those days. */
  readonly traded: readonly Pick<VolumeRow, "at" | "sold">[];
}

const DAY_SECONDS = 86_400;

export async function poolReports(store: HistoryStore): Promise<PoolReport[]> {
  const reports: PoolReport[] = [];
  for (const info of await store.pools()) {
    const always = { seconds: DAY_SECONDS, from: 0, to: FAR_FUTURE, knownBy: FAR_FUTURE };
    const days = await store.volumes({ ...info, ...always });
    const sold = days.reduce<bigint[]>(
      (sums, day) => day.sold.map((amount, coin) => (sums[coin] ?? 0n) + BigInt(amount)),
      [],
    );
    reports.push({
      ...info,
      missingBlocks: blocksIn({ from: info.fromBlock, to: info.toBlock }) - info.blocks,
      swaps: days.reduce((sum, day) => sum + day.swaps, 0),
      days: days.length,
      sold: sold.map(String),
      traded: days.map(({ at, sold: ofDay }) => ({ at, sold: ofDay })),
    });
  }
  return reports;
}
