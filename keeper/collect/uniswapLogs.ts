// Logs of Uniswap V3 pools as rows of events, and the price impact of each swap. Pure; by hand, since a backfill decodes
// hundreds of thousands. Source: v3-core, IUniswapV3PoolEvents.sol.
import { id } from "ethers";
import type { ChainLog } from "../chain/logs";
import { ratio } from "../venues/exact";
import { garbageOf } from "./questions";
import type { EventRow } from "./reading";

const SWAP = id("Swap(address,address,int256,int256,uint160,uint128,int24)");
const MINT = id("Mint(address,address,int24,int24,uint128,uint256,uint256)");
const BURN = id("Burn(address,int24,int24,uint128,uint256,uint256)");

/** As `eth_getLogs` takes them: any of the three. */
export const POOL_EVENTS: readonly (readonly string[])[] = [[SWAP, MINT, BURN]];

const BPS = 1e4;
const WORD_DIGITS = 64;
const TICK_BITS = 24;

/** What a log itself says; times, gas and impact come from elsewhere. */
export type DecodedEvent = Pick<
  EventRow,
  | "kind"
  | "sender"
  | "recipient"
  | "amount0"
  | "amount1"
  | "sqrtPriceX96"
  | "liquidity"
  | "tick"
  | "tickLower"
  | "tickUpper"
>;

/** @throws WorldFailure `SOURCE_GARBAGE` when a log has not the shape of its event. */
export function decodePoolLog(log: ChainLog): DecodedEvent {
  switch (log.topics[0]?.toLowerCase()) {
    case SWAP: {
      const [amount0, amount1, sqrtPrice, liquidity, tick] = words(log, { topics: 3, words: 5 });
      return {
        kind: "swap",
        sender: addressIn(log.topics[1]),
        recipient: addressIn(log.topics[2]),
        amount0: String(signed(amount0)),
        amount1: String(signed(amount1)),
        sqrtPriceX96: String(within(log, sqrtPrice, 160)),
        liquidity: String(within(log, liquidity, 128)),
        tick: tickIn(log, tick),
        tickLower: null,
        tickUpper: null,
      };
    }
    case MINT: {
      const [sender, liquidity, amount0, amount1] = words(log, { topics: 4, words: 4 });
      return {
        kind: "mint",
        sender: addressIn(`0x${(sender ?? 0n).toString(16).padStart(WORD_DIGITS, "0")}`),
        recipient: addressIn(log.topics[1]),
        amount0: String(amount0),
        amount1: String(amount1),
        ...ofRange(log, liquidity),
      };
    }
    case BURN: {
      const [liquidity, amount0, amount1] = words(log, { topics: 4, words: 3 });
      return {
        kind: "burn",
        sender: addressIn(log.topics[1]),
        recipient: null,
        // Positive goes in: these go out, though the pool only owes them until they are collected.
        amount0: String(-(amount0 ?? 0n)),
        amount1: String(-(amount1 ?? 0n)),
        ...ofRange(log, liquidity),
      };
    }
    default:
      throw garbage(log);
  }
}

/**
 * Basis points that each swap moved its pool's price, in the order of `events`, which is that of the chain; null of mints and
 * burns, and where the price before is not known.
 *
 * @param before By pool: sqrt price (X96) before the first of the events; pools without one are left out.
 */
export function priceImpacts(
  events: readonly { readonly pool: string; readonly sqrtPriceX96: string | null }[],
  before: ReadonlyMap<string, bigint>,
): (number | null)[] {
  const last = new Map(before);
  return events.map(({ pool, sqrtPriceX96 }) => {
    if (sqrtPriceX96 === null) return null;
    const [old, now] = [last.get(pool), BigInt(sqrtPriceX96)];
    last.set(pool, now);
    if (old === undefined || old === 0n) return null;
    // The price is the square; the difference is taken before rounding, since most swaps move it by little.
    return BPS * ratio(now * now - old * old, old * old);
  });
}

function words(log: ChainLog, shape: { readonly topics: number; readonly words: number }): bigint[] {
  if (log.topics.length !== shape.topics || log.data.length !== 2 + WORD_DIGITS * shape.words) throw garbage(log);
  return Array.from({ length: shape.words }, (_, place) =>
    BigInt(`0x${log.data.slice(2 + WORD_DIGITS * place, 2 + WORD_DIGITS * (place + 1))}`),
  );
}

function ofRange(log: ChainLog, liquidity: bigint | undefined) {
  return {
    sqrtPriceX96: null,
    liquidity: String(within(log, liquidity, 128)),
    tick: null,
    tickLower: tickIn(log, BigInt(log.topics[2] ?? 0)),
    tickUpper: tickIn(log, BigInt(log.topics[3] ?? 0)),
  };
}

function within(log: ChainLog, value: bigint | undefined, bits: number): bigint {
  if (value === undefined || value >= 2n ** BigInt(bits)) throw garbage(log);
  return value;
}

function signed(word: bigint | undefined): bigint {
  return BigInt.asIntN(256, word ?? 0n);
}

function tickIn(log: ChainLog, word: bigint | undefined): number {
  const tick = signed(word);
  if (BigInt.asIntN(TICK_BITS, tick) !== tick) throw garbage(log);
  return Number(tick);
}

function addressIn(word: string | undefined): string {
  return `0x${(word ?? "").slice(-40).toLowerCase()}`;
}

function garbage(log: ChainLog): Error {
  return garbageOf(`uniswap-v3 ${log.address.toLowerCase()}`, `log ${log.logIndex} of block ${log.blockNumber}`);
}
