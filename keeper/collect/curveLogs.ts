// Logs of Curve's pools of the 3pool's kind as rows of events. Pure. Source: curve-contract, pools/3pool/StableSwap3Pool.vy; the
// same events with lists of another length are those of its pools of two to eight coins.
import { id } from "ethers";
import type { ChainLog } from "../chain/logs";
import { addressIn, garbageLog, signedWord, topicOf, wordsOf } from "./logWords";
import type { EventRow } from "./reading";

export const CURVE = "curve";

const EXCHANGE = id("TokenExchange(address,int128,uint256,int128,uint256)");
const REMOVE_ONE = id("RemoveLiquidityOne(address,uint256,uint256)");
const TRANSFER = id("Transfer(address,address,uint256)");

interface Topics {
  readonly add: string;
  readonly remove: string;
  readonly removeImbalance: string;
}

const topicsOf = (coins: number): Topics => ({
  add: id(`AddLiquidity(address,uint256[${coins}],uint256[${coins}],uint256,uint256)`),
  remove: id(`RemoveLiquidity(address,uint256[${coins}],uint256[${coins}],uint256)`),
  removeImbalance: id(`RemoveLiquidityImbalance(address,uint256[${coins}],uint256[${coins}],uint256,uint256)`),
});

/** As `eth_getLogs` takes them: any event of a pool of so many coins that moves some. */
export function curveTopics(coins: number): readonly (readonly string[])[] {
  return [[EXCHANGE, REMOVE_ONE, ...Object.values(topicsOf(coins))]];
}

/** Transfers of coins out of `pool`. */
export function transfersOutOf(pool: string): readonly (string | null)[] {
  return [TRANSFER, topicOf(pool)];
}

/** What a log itself says. Of the coin that was taken out alone it does not say which one it is. */
export type DecodedCurveEvent =
  | (Pick<EventRow, "kind" | "sender" | "receipts" | "liquidity"> & {
      /** Positive goes in. */
      readonly amounts: readonly bigint[];
      readonly fees: readonly bigint[] | null;
    })
  | { readonly kind: "burn-for-one"; readonly sender: string; readonly burned: bigint; readonly amount: bigint };

/** @throws WorldFailure `SOURCE_GARBAGE` when a log has not the shape of its event, or names a coin that is none. */
export function decodeCurveLog(log: ChainLog, coins: number): DecodedCurveEvent {
  const topics = topicsOf(coins);
  const shape = (words: number) => ({ source: CURVE, topics: 2, words });
  const sender = addressIn(log.topics[1]);
  switch (log.topics[0]?.toLowerCase()) {
    case EXCHANGE: {
      const [sold, tokensSold, bought, tokensBought] = wordsOf(log, shape(4));
      const amounts = new Array<bigint>(coins).fill(0n);
      const [from, to] = [placeIn(log, sold, coins), placeIn(log, bought, coins)];
      if (from === to) throw garbageLog(CURVE, log);
      amounts[from] = tokensSold ?? 0n;
      amounts[to] = -(tokensBought ?? 0n);
      return { kind: "swap", sender, amounts, fees: null, receipts: null, liquidity: null };
    }
    case REMOVE_ONE: {
      const [burned, amount] = wordsOf(log, shape(2));
      return { kind: "burn-for-one", sender, burned: burned ?? 0n, amount: amount ?? 0n };
    }
    // Amounts, fees, the invariant, and the receipts outstanding.
    case topics.add:
      return change("mint", sender, { words: wordsOf(log, shape(2 * coins + 2)), coins });
    case topics.removeImbalance:
      return change("burn", sender, { words: wordsOf(log, shape(2 * coins + 2)), coins });
    case topics.remove:
      return change("burn", sender, { words: wordsOf(log, shape(2 * coins + 1)), coins });
    default:
      throw garbageLog(CURVE, log);
  }
}

function change(
  kind: "mint" | "burn",
  sender: string,
  { words, coins }: { readonly words: readonly bigint[]; readonly coins: number },
): DecodedCurveEvent {
  const amounts = words.slice(0, coins).map((amount) => (kind === "mint" ? amount : -amount));
  return {
    kind,
    sender,
    amounts,
    fees: words.slice(coins, 2 * coins),
    receipts: String(words.at(-1)),
    liquidity: null,
  };
}

function placeIn(log: ChainLog, word: bigint | undefined, coins: number): number {
  const place = signedWord(word);
  if (place < 0n || place >= BigInt(coins)) throw garbageLog(CURVE, log);
  return Number(place);
}

/** @returns the amount of an ERC-20's transfer. @throws WorldFailure `SOURCE_GARBAGE`. */
export function transferredAmount(log: ChainLog): bigint {
  const [amount] = wordsOf(log, { source: CURVE, topics: 3, words: 1 });
  return amount ?? 0n;
}
