// A Uniswap V3 pool that trades and changes at random (fixed seed): its events as rows, as the entities of the subgraph, and
// the blocks that hold them. The liquidity in range is summed over the positions, going forward: another way than the
// reader's.
import { createHash } from "node:crypto";
import type { ChainBlock } from "../../../keeper/collect/chainBlocks";
import { OF_TICKS } from "../../../keeper/collect/uniswapLogs";
import type { EventRow } from "../../../keeper/store/historyRecords";

export const POOL = "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640";
export const TOKEN0 = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
export const TOKEN1 = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";
export const DECIMALS = [6, 18] as const;
const SPACING = 10;
const FIRST_TIME = 1_700_000_000;
/** Blocks before that of the first event. */
export const FIRST_BLOCK = 18_500_000;

/** An entity of the subgraph; numbers of GraphQL's BigInt and BigDecimal as strings. */
export type Entity = Readonly<Record<string, unknown>> & { readonly id: string };

export interface PoolHistory {
  readonly rows: readonly EventRow[];
  readonly entities: { readonly swaps: Entity[]; readonly mints: Entity[]; readonly burns: Entity[] };
  readonly blocks: ReadonlyMap<number, ChainBlock>;
  readonly lastBlock: number;
  poolAt(block: number): Entity | null;
  ticksAt(block: number): Entity[];
}

/** @param seed Same seed, same history. */
export function poolHistory(seed: number, count: number): PoolHistory {
  const random = generator(seed);
  const pick = (bound: number): number => Math.floor(random() * bound);
  const net = new Map<number, bigint>();
  const positions: { lower: number; upper: number; amount: bigint }[] = [];
  const rows: EventRow[] = [];
  const entities = { swaps: [] as Entity[], mints: [] as Entity[], burns: [] as Entity[] };
  const blocks = new Map<number, ChainBlock>();
  const states: {
    block: number;
    tick: number;
    liquidity: bigint;
    volume: bigint;
    price: bigint | null;
    net: Map<number, bigint>;
  }[] = [];
  let block = FIRST_BLOCK;
  let logIndex = 0;
  let transactions: string[] = [];
  let tick = 200_000;
  let price: bigint | null = null;
  let volume = 0n;
  const inRange = (): bigint =>
    positions.reduce((sum, { lower, upper, amount }) => (lower <= tick && tick < upper ? sum + amount : sum), 0n);

  for (let index = 0; index < count; index += 1) {
    if (index === 0 || random() < 0.6) {
      block += 1 + pick(3);
      logIndex = 0;
      transactions = [];
      blocks.set(block, { number: block, hash: hash(`block ${block}`), timestamp: time(block), transactions });
    }
    // Some blocks hold transactions that are not the pool's, some transactions several events.
    if (transactions.length === 0 || random() < 0.7) {
      if (random() < 0.5) transactions.push(hash(`other ${index}`));
      transactions.push(hash(`transaction ${index}`));
    }
    logIndex += 1 + pick(40);
    const txHash = transactions.at(-1) ?? "";
    const row = { block, txHash, logIndex, txIndex: transactions.length - 1, gasPriceWei: String(10 ** 9 + index) };
    const amounts = [1n + BigInt(pick(10 ** 9)), 1n + BigInt(pick(10 ** 9)) * 10n ** 9n] as const;
    const roll = random();
    if (index < 5 || roll < 0.2) {
      const lower = SPACING * (Math.floor(tick / SPACING) - pick(30));
      const upper = SPACING * (Math.ceil((tick + 1) / SPACING) + pick(30));
      const amount = 10n ** 15n + BigInt(pick(10 ** 9));
      positions.push({ lower, upper, amount });
      change("mint", { ...row, lower, upper, amount, amounts });
    } else if (roll < 0.35 && positions.length > 3) {
      const [position] = positions.splice(pick(positions.length), 1);
      if (position !== undefined) change("burn", { ...row, ...position, amounts });
    } else {
      swap(row, amounts);
    }
    states.push({ block, tick, liquidity: inRange(), volume, price, net: new Map(net) });
  }

  type Place = { block: number; txHash: string; logIndex: number; txIndex: number; gasPriceWei: string };

  function base(place: Place) {
    const observedAt = time(place.block);
    return {
      chainId: 1,
      source: "the-graph",
      pool: POOL,
      blockHash: hash(`block ${place.block}`),
      observedAt,
      ...OF_TICKS,
    };
  }

  function entityBase(place: Place, amounts: readonly [bigint, bigint]) {
    return {
      id: `${place.txHash}-${place.logIndex}`,
      transaction: {
        id: place.txHash,
        blockNumber: String(place.block),
        timestamp: String(time(place.block)),
        gasUsed: "0",
        gasPrice: place.gasPriceWei,
      },
      timestamp: String(time(place.block)),
      pool: { id: POOL },
      origin: address("origin"),
      amount0: decimal(amounts[0], DECIMALS[0]),
      amount1: decimal(amounts[1], DECIMALS[1]),
      amountUSD: "1",
      logIndex: String(place.logIndex),
    };
  }

  function change(
    kind: "mint" | "burn",
    {
      lower,
      upper,
      amount,
      amounts,
      ...place
    }: Place & { lower: number; upper: number; amount: bigint; amounts: readonly [bigint, bigint] },
  ): void {
    const sign = kind === "mint" ? 1n : -1n;
    net.set(lower, (net.get(lower) ?? 0n) + sign * amount);
    net.set(upper, (net.get(upper) ?? 0n) - sign * amount);
    const observedAt = time(place.block);
    rows.push({
      ...base(place),
      ...place,
      kind,
      availableAt: observedAt,
      sender: kind === "mint" ? address("sender") : address("owner"),
      recipient: kind === "mint" ? address("owner") : null,
      amount0: String(sign * amounts[0]),
      amount1: String(sign * amounts[1]),
      sqrtPriceX96: null,
      liquidity: String(amount),
      tick: null,
      tickLower: lower,
      tickUpper: upper,
      priceImpactBps: null,
      gasUsed: null,
    });
    const ends = { tickLower: String(lower), tickUpper: String(upper) };
    const entity = { ...entityBase(place, amounts), owner: address("owner"), amount: String(amount), ...ends };
    if (kind === "mint") entities.mints.push({ ...entity, sender: address("sender") });
    else entities.burns.push(entity);
  }

  function swap(place: Place, amounts: readonly [bigint, bigint]): void {
    tick += pick(121) - 60;
    volume += amounts[0];
    const after = BigInt(Math.floor(1.0001 ** (tick / 2) * 2 ** 40)) * 2n ** 56n + BigInt(place.logIndex);
    const signed: [bigint, bigint] = random() < 0.5 ? [amounts[0], -amounts[1]] : [-amounts[0], amounts[1]];
    const ratio = price === null ? null : Number((after * 10n ** 15n) / price) / 1e15;
    price = after;
    const observedAt = time(place.block);
    rows.push({
      ...base(place),
      ...place,
      kind: "swap",
      availableAt: observedAt,
      sender: address("router"),
      recipient: address("trader"),
      amount0: String(signed[0]),
      amount1: String(signed[1]),
      sqrtPriceX96: String(after),
      liquidity: String(inRange()),
      tick,
      tickLower: null,
      tickUpper: null,
      priceImpactBps: ratio === null ? null : (ratio ** 2 - 1) * 10_000,
      gasUsed: null,
    });
    const state = { sqrtPriceX96: String(after), tick: String(tick) };
    const people = { sender: address("router"), recipient: address("trader") };
    entities.swaps.push({ ...entityBase(place, signed), ...people, ...state });
  }

  const stateAt = (at: number) => states.filter((state) => state.block <= at).at(-1);
  return {
    rows,
    entities,
    blocks,
    lastBlock: block,
    poolAt: (at) => {
      const state = stateAt(at);
      if (state === undefined) return null;
      return {
        id: POOL,
        liquidity: String(state.liquidity),
        tick: String(state.tick),
        sqrtPrice: String(state.price ?? 0n),
        volumeToken0: decimal(state.volume, DECIMALS[0]),
        token0: { id: TOKEN0, decimals: String(DECIMALS[0]) },
        token1: { id: TOKEN1, decimals: String(DECIMALS[1]) },
      };
    },
    ticksAt: (at) =>
      [...(stateAt(at)?.net ?? [])].map(([tickIdx, liquidityNet]) => ({
        id: `${POOL}#${tickIdx}`,
        pool: { id: POOL },
        tickIdx: String(tickIdx),
        liquidityNet: String(liquidityNet),
      })),
  };
}

const time = (block: number): number => FIRST_TIME + 12 * (block - FIRST_BLOCK);
const hash = (text: string): string => `0x${createHash("sha256").update(text).digest("hex")}`;
const address = (text: string): string => hash(text).slice(0, 42);

/** As graph-node writes a BigDecimal: no zeros at the end. */
function decimal(units: bigint, decimals: number): string {
  const digits = String(units < 0n ? -units : units).padStart(decimals + 1, "0");
  const text = `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`.replace(/\.?0+$/, "");
  return units < 0n ? `-${text}` : text;
}

/** mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
