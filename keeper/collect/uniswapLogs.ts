// Logs of Uniswap V3 pools as rows of events, and the price impact of each swap. Pure. Source: v3-core,
// IUniswapV3PoolEvents.sol.
import { id } from "ethers";
import type { ChainLog } from "../chain/logs";
import { ratio } from "../venues/exact";
import { addressIn, garbageLog, signedWord, topicOf, wordsOf } from "./logWords";
import type { EventRow } from "./reading";

const SOURCE = "uniswap-v3";

const SWAP = id("Swap(address,address,int256,int256,uint160,uint128,int24)");
const MINT = id("Mint(address,address,int24,int24,uint128,uint256,uint256)");
const BURN = id("Burn(address,int24,int24,uint128,uint256,uint256)");

/** As `eth_getLogs` takes them: any of the three. */
export const POOL_EVENTS: readonly (readonly string[])[] = [[SWAP, MINT, BURN]];

const BPS = 1e4;
const TICK_BITS = 24;

/** What a row has of a pool with a list of coins: of these pools nothing. */
export const OF_TICKS = { coinAmounts: null, coinFees: null, receipts: null } as const;

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
      const [amount0, amount1, sqrtPrice, liquidity, tick] = wordsOf(log, { source: SOURCE, topics: 3, words: 5 });
      return {
        kind: "swap",
        sender: addressIn(log.topics[1]),
        recipient: addressIn(log.topics[2]),
        amount0: String(signedWord(amount0)),
        amount1: String(signedWord(amount1)),
        sqrtPriceX96: String(within(log, sqrtPrice, 160)),
        liquidity: String(within(log, liquidity, 128)),
        tick: tickIn(log, tick),
        tickLower: null,
        tickUpper: null,
      };
    }
    case MINT: {
      const [sender, liquidity, amount0, amount1] = wordsOf(log, { source: SOURCE, topics: 4, words: 4 });
      return {
        kind: "mint",
        sender: addressIn(topicOf(sender)),
        recipient: addressIn(log.topics[1]),
        amount0: String(amount0),
        amount1: String(amount1),
        ...ofRange(log, liquidity),
      };
    }
    case BURN: {
      const [liquidity, amount0, amount1] = wordsOf(log, { source: SOURCE, topics: 4, words: 3 });
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
      throw garbageLog(SOURCE, log);
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
  if (value === undefined || value >= 2n ** BigInt(bits)) throw garbageLog(SOURCE, log);
  return value;
}

function tickIn(log: ChainLog, word: bigint | undefined): number {
  const tick = signedWord(word);
  if (BigInt.asIntN(TICK_BITS, tick) !== tick) throw garbageLog(SOURCE, log);
  return Number(tick);
}
