// What was traded, added and removed in one pool of Curve of the 3pool's kind, in one range of blocks.
import { AbiCoder, Interface, getAddress } from "ethers";
import { concurrently } from "../chain/concurrently";
import type { Chain } from "../chain/connect";
import { isRevert } from "../chain/failures";
import type { ChainLog } from "../chain/logs";
import {
  CURVE,
  curveTopics,
  decodeCurveLog,
  transferredAmount,
  transfersOutOf,
  type DecodedCurveEvent,
} from "./curveLogs";
import { garbageLog } from "./logWords";
import { garbageOf } from "./questions";
import { REQUESTS_AT_ONCE, ofOneChain, placed, rangeLogs, timesAndGas } from "./rangeLogs";
import type { RangeRows } from "./rangeSource";
import type { EventRow } from "./reading";

export interface CurvePool {
  readonly address: string;
  /** Tokens in the pool's order. */
  readonly coins: readonly string[];
}

const pool = new Interface(["function coins(uint256) view returns (address)"]);
const [LEAST_COINS, MOST_COINS] = [2, 8];

/** The coins of a pool, which it never changes. @throws WorldFailure `SOURCE_GARBAGE` where it is no such pool. */
export async function coinsOf(chain: Chain, address: string): Promise<string[]> {
  const coins: string[] = [];
  for (let place = 0; place < MOST_COINS; place += 1) {
    const coin = await coinAt(chain, address, place);
    if (coin === null) break;
    coins.push(coin);
  }
  if (coins.length < LEAST_COINS) throw garbageOf(`${CURVE} ${address}`, "the list of its coins");
  return coins;
}

/** Null: there are not so many. */
async function coinAt(chain: Chain, to: string, place: number): Promise<string | null> {
  try {
    const data = await chain.call({ to, data: pool.encodeFunctionData("coins", [place]) }, "latest");
    return data === "0x" ? null : getAddress(String(AbiCoder.defaultAbiCoder().decode(["address"], data)[0]));
  } catch (error) {
    if (isRevert(error)) return null;
    throw error;
  }
}

/**
 * @throws TooManyLogs, ChunkReorged; WorldFailure `BLOCK_GONE` (the node has not got `to`), `SOURCE_GARBAGE`, and what
 * `Chain.request` throws.
 */
export async function collectCurveEvents(
  chain: Chain,
  { address, coins }: CurvePool,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<RangeRows> {
  const { value, toHash } = await ofOneChain(chain, to, async (last) => {
    const logs = await rangeLogs(chain, { contracts: [address], topics: curveTopics(coins.length), from, to });
    const decoded = logs.map((log) => ({ log, event: decodeCurveLog(log, coins.length) }));
    const burns = decoded.filter(({ event }) => event.kind === "burn-for-one").map(({ log }) => log);
    const [of, paid] = await Promise.all([timesAndGas(chain, logs, last), paidCoins(chain, { address, coins }, burns)]);
    return { decoded, paid, of };
  });
  const { decoded, paid, of } = value;
  const rows = decoded.map(({ log, event }): EventRow => {
    const { kind, sender, amounts, fees, receipts, liquidity } = whole(event, log, { paid, coins: coins.length });
    const said = {
      ...{ chainId: chain.chainId, source: CURVE, kind, sender, recipient: null },
      amount0: String(amounts[0]),
      amount1: String(amounts[1]),
      coinAmounts: amounts.map(String),
      coinFees: fees?.map(String) ?? null,
      receipts,
      liquidity,
      ...{ sqrtPriceX96: null, tick: null, tickLower: null, tickUpper: null, priceImpactBps: null },
    };
    return placed(said, log, of);
  });
  return { rows, toHash };
}

interface Paid {
  readonly place: number;
  readonly amount: bigint;
}

/**
 * For each log of receipts that were burned for one coin, by its hash and place: the coin. The event does not name it; the pool
 * pays it right before.
 */
async function paidCoins(
  chain: Chain,
  { address, coins }: CurvePool,
  burns: readonly ChainLog[],
): Promise<Map<string, Paid>> {
  const byBlock = new Map<number, ChainLog[]>();
  for (const log of burns) byBlock.set(log.blockNumber, [...(byBlock.get(log.blockNumber) ?? []), log]);
  const found = await concurrently([...byBlock], REQUESTS_AT_ONCE, async ([block, own]) => {
    const range = { contracts: coins, topics: transfersOutOf(address), from: block, to: block };
    const transfers = await rangeLogs(chain, range);
    return own.flatMap((burn): [string, Paid][] => {
      const paying = transfers.findLast(
        ({ blockHash, transactionHash, logIndex }) =>
          blockHash === burn.blockHash && transactionHash === burn.transactionHash && logIndex < burn.logIndex,
      );
      if (paying === undefined) return [];
      const place = coins.findIndex((coin) => coin.toLowerCase() === paying.address.toLowerCase());
      return [[keyOf(burn), { place, amount: transferredAmount(paying) }]];
    });
  });
  return new Map(found.flat());
}

const keyOf = ({ blockHash, logIndex }: ChainLog): string => `${blockHash} ${logIndex}`;

type WholeEvent = Exclude<DecodedCurveEvent, { readonly kind: "burn-for-one" }>;

function whole(
  event: DecodedCurveEvent,
  log: ChainLog,
  { paid, coins }: { readonly paid: ReadonlyMap<string, Paid>; readonly coins: number },
): WholeEvent {
  if (event.kind !== "burn-for-one") return event;
  const coin = paid.get(keyOf(log));
  // A coin that takes a fee of its transfers would pay less than the pool says: which it was is then not sure.
  if (coin === undefined || coin.amount !== event.amount) throw garbageLog(CURVE, log);
  const amounts = new Array<bigint>(coins).fill(0n);
  amounts[coin.place] = -event.amount;
  return { kind: "burn", sender: event.sender, amounts, fees: null, receipts: null, liquidity: String(event.burned) };
}
