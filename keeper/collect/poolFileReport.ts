// What there is of pools from files, and what is odd in it. Flags are worked out when they are asked for: they follow from a row
// and the one before.
import type { HistoryStore } from "../store/historyRecords";
import type { DescribedPool, PoolStateRow, PoolSubject, SampledSwap } from "../store/poolFileRecords";
import { POOL_DAY } from "./poolFiles";
import { STALE_SECONDS, TINY_USD } from "./quality";

export const POOL_FLAGS = [
  // Of a moment.
  /** Nobody's liquidity is in range: no trade is possible. */
  "no-liquidity",
  /** The same as more than six hours before. */
  "unmoved",
  // Of a day.
  "no-trade",
  "tiny",
  /** Traded for more than {@link MOST_TURNOVER} times what is in the pool. */
  "turnover",
  /** No price, one outside of its own range, or a range of more than {@link WIDEST_RANGE} times: a pool that begins, or a bad tick. */
  "impossible-price",
  /** The close is over {@link APART} from the price that the row has for the pool: one of the two is of another moment. */
  "price-apart",
  // Of both.
  /** Liquidity in range by more than {@link LIQUIDITY_JUMP}, value by more than {@link VALUE_JUMP} times, or the price by over 1 %, from one moment to the next. */
  "jump",
] as const;
export type PoolFlag = (typeof POOL_FLAGS)[number];

export const SWAP_FLAGS = [
  /** Paid for otherwise than by gas: a bundle. */
  "no-gas-price",
  /** Both coins go in, or both out. */
  "one-sided",
  /** The product of the reserves is less than before, which no fee allows: a token that charges on transfer, or another kind of pool. */
  "product-fell",
  /** The tick is not that of the price. */
  "tick-off",
  /** Of a pool that no file describes whole: an amount cannot be read in coins. */
  "undescribed",
] as const;
export type SwapFlag = (typeof SWAP_FLAGS)[number];

/** A day of a pool, UTC. */
export interface PoolDay {
  readonly at: number;
  /** USD traded on the day; of moments, the mean liquidity in range. Null: not said. */
  readonly value: number | null;
  readonly flags: readonly PoolFlag[];
}

export interface PoolFileReport extends PoolSubject {
  readonly rows: number;
  /** Unix seconds of the first moment and the last, or of the begins of these days. */
  readonly first: number;
  readonly last: number;
  /** Usual time between two rows. */
  readonly stepSeconds: number;
  readonly gaps: number;
  readonly longestGapSeconds: number;
  readonly flags: Readonly<Partial<Record<PoolFlag, number>>>;
  readonly flagged: number;
  /** What {@link PoolDay.value} is. */
  readonly shows: "volume-usd" | "liquidity";
  readonly days: readonly PoolDay[];
}

export interface SwapReport {
  readonly chainId: number;
  readonly swaps: number;
  readonly blocks: number;
  readonly transactions: number;
  readonly pools: number;
  readonly fromBlock: number;
  readonly toBlock: number;
  /** Between which times the blocks were. */
  readonly first: number;
  readonly last: number;
  readonly byProtocol: Readonly<Record<"v2" | "v3", number>>;
  readonly flags: Readonly<Partial<Record<SwapFlag, number>>>;
  readonly flagged: number;
}

const DAY_SECONDS = 86_400;
const MOST_TURNOVER = 10;
const WIDEST_RANGE = 10;
const APART = 0.05;
const LIQUIDITY_JUMP = 10;
const VALUE_JUMP = 2;
/** Ticks: 1 %. */
const TICK_JUMP = 100;
const TICK_BASE = 1.0001;
const Q96 = 2 ** 96;

export async function poolFileReports(store: HistoryStore): Promise<PoolFileReport[]> {
  const reports: PoolFileReport[] = [];
  for (const subject of await store.poolFiles.subjects()) {
    const rows: PoolStateRow[] = [];
    for await (const page of store.poolFiles.states(subject)) rows.push(...page);
    reports.push({ ...subject, ...reportOfStates(rows) });
  }
  return reports;
}

/** @param rows At least one, of one file, oldest first. */
export function reportOfStates(rows: readonly PoolStateRow[]): Omit<PoolFileReport, keyof PoolSubject> {
  const isDaily = rows[0]?.source === POOL_DAY;
  const judge = isDaily ? judgeOfDays() : judgeOfMoments();
  // A day is observed when it is over.
  const begin = ({ observedAt }: PoolStateRow): number => observedAt - (isDaily ? DAY_SECONDS : 0);
  const counts = new Map<PoolFlag, number>();
  const days: { at: number; sum: number; count: number; flags: Set<PoolFlag> }[] = [];
  let flagged = 0;
  for (const row of rows) {
    const { flags, value } = judge(row);
    if (flags.length > 0) flagged += 1;
    for (const flag of flags) counts.set(flag, (counts.get(flag) ?? 0) + 1);
    const at = Math.floor(begin(row) / DAY_SECONDS) * DAY_SECONDS;
    let day = days.at(-1);
    if (day?.at !== at) days.push((day = { at, sum: 0, count: 0, flags: new Set() }));
    if (value !== null) [day.sum, day.count] = [day.sum + value, day.count + 1];
    for (const flag of flags) day.flags.add(flag);
  }
  const steps = rows.slice(1).map(({ observedAt }, k) => observedAt - (rows[k] as PoolStateRow).observedAt);
  const stepSeconds = [...steps].sort((a, b) => a - b)[steps.length >> 1] ?? 0;
  const gaps = steps.filter((step) => step > stepSeconds);
  return {
    rows: rows.length,
    first: begin(rows[0] as PoolStateRow),
    last: begin(rows.at(-1) as PoolStateRow),
    ...{ stepSeconds, gaps: gaps.length, longestGapSeconds: gaps.reduce((a, b) => Math.max(a, b), 0) },
    ...{ flags: Object.fromEntries(counts), flagged, shows: isDaily ? "volume-usd" : "liquidity" },
    days: days.map(({ at, sum, count, flags }) => ({ at, value: count === 0 ? null : sum / count, flags: [...flags] })),
  };
}

type Judge = (row: PoolStateRow) => { readonly flags: readonly PoolFlag[]; readonly value: number | null };

function judgeOfMoments(): Judge {
  let last: {
    readonly tick: number;
    readonly liquidity: number;
    readonly text: string;
    readonly since: number;
  } | null = null;
  return ({ state, observedAt }) => {
    const of = JSON.parse(state) as Readonly<Record<string, string>>;
    const [tick, liquidity] = [Number(of["tick"]), Number(of["liquidity"])];
    const text = `${of["tick"]} ${of["liquidity"]}`;
    const flags: PoolFlag[] = [];
    if (liquidity === 0) flags.push("no-liquidity");
    const since: number = last?.text === text ? last.since : observedAt;
    if (observedAt - since > STALE_SECONDS) flags.push("unmoved");
    const moved = last !== null && Math.abs(tick - last.tick) > TICK_JUMP;
    if (moved || (last !== null && isTimes(liquidity, last.liquidity, LIQUIDITY_JUMP))) flags.push("jump");
    last = { tick, liquidity, text, since };
    return { flags, value: liquidity };
  };
}

function judgeOfDays(): Judge {
  let lastValue: number | null = null;
  return ({ state }) => {
    const of = JSON.parse(state) as Readonly<Record<string, string>>;
    // What is not said is not zero.
    const number = (column: string): number => Number(of[column] || NaN);
    const [open, high, low, close] = [number("open"), number("high"), number("low"), number("close")];
    const [value, volume, price] = [number("tvl_usd"), number("volume_usd"), number("token0_price")];
    const flags: PoolFlag[] = [];
    if (volume === 0) flags.push("no-trade");
    if (value < TINY_USD) flags.push("tiny");
    if (volume > MOST_TURNOVER * value) flags.push("turnover");
    const [least, most] = [Math.min(open, close), Math.max(open, close)];
    const inside = low > 0 && low <= least && most <= high;
    if (!inside || high > WIDEST_RANGE * most || least > WIDEST_RANGE * low) flags.push("impossible-price");
    else if (Math.abs(close / price - 1) > APART) flags.push("price-apart");
    if (lastValue !== null && isTimes(value, lastValue, VALUE_JUMP)) flags.push("jump");
    lastValue = value;
    return { flags, value: Number.isNaN(volume) ? null : volume };
  };
}

/** Whether one is more than `times` the other; nothing is of zero. */
function isTimes(a: number, b: number, times: number): boolean {
  return a > 0 && b > 0 && Math.max(a / b, b / a) > times;
}

/** A report a chain that has swaps from files. */
export async function swapReports(store: HistoryStore): Promise<SwapReport[]> {
  const reports: SwapReport[] = [];
  for (const chainId of await store.poolFiles.swapChains()) {
    const described = new Map((await store.poolFiles.pools(chainId)).map((pool) => [pool.pool, pool]));
    const rows: SampledSwap[] = [];
    for await (const page of store.poolFiles.swaps({ chainId, fromBlock: 0, toBlock: Number.MAX_SAFE_INTEGER }))
      rows.push(...page);
    const counts = new Map<SwapFlag, number>();
    let flagged = 0;
    for (const row of rows) {
      const flags = flagsOfSwap(row, described.get(row.pool));
      if (flags.length > 0) flagged += 1;
      for (const flag of flags) counts.set(flag, (counts.get(flag) ?? 0) + 1);
    }
    const [first, last] = [rows[0] as SampledSwap, rows.at(-1) as SampledSwap];
    const v3 = rows.filter(({ protocol }) => protocol === "v3").length;
    reports.push({
      ...{ chainId, swaps: rows.length, blocks: countOf(rows, "block"), transactions: countOf(rows, "txHash") },
      ...{ pools: countOf(rows, "pool"), fromBlock: first.block, toBlock: last.block },
      ...{ first: first.observedAt, last: last.availableAt, byProtocol: { v2: rows.length - v3, v3 } },
      ...{ flags: Object.fromEntries(counts), flagged },
    });
  }
  return reports;
}

export function flagsOfSwap(row: SampledSwap, pool: DescribedPool | undefined): SwapFlag[] {
  const flags: SwapFlag[] = [];
  const [amount0, amount1] = [BigInt(row.amount0), BigInt(row.amount1)];
  if (BigInt(row.gasPriceWei) === 0n) flags.push("no-gas-price");
  if (amount0 > 0n === amount1 > 0n) flags.push("one-sided");
  if (row.reserve0 !== null && row.reserve1 !== null) {
    const [reserve0, reserve1] = [BigInt(row.reserve0), BigInt(row.reserve1)];
    if (reserve0 * reserve1 < (reserve0 - amount0) * (reserve1 - amount1)) flags.push("product-fell");
  }
  if (row.sqrtPriceX96 !== null && row.tick !== null) {
    // On a tick's own price the pool is at that tick or, when it came from above, at the one below.
    const exact = (2 * Math.log(Number(row.sqrtPriceX96) / Q96)) / Math.log(TICK_BASE);
    if (exact < row.tick - 1e-6 || exact > row.tick + 1 + 1e-6) flags.push("tick-off");
  }
  const whole = pool !== undefined && pool.feePips !== null && pool.decimals0 !== null && pool.decimals1 !== null;
  if (!whole) flags.push("undescribed");
  return flags;
}

function countOf<K extends keyof SampledSwap>(rows: readonly SampledSwap[], field: K): number {
  return new Set(rows.map((row) => row[field])).size;
}
