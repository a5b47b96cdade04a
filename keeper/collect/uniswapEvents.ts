// Swap, Mint and Burn of Uniswap V3 pools in one range of blocks, with block time, price impact and gas.
import { Interface } from "ethers";
import { concurrently } from "../chain/concurrently";
import type { Chain } from "../chain/connect";
import { isMissingState, isRevert } from "../chain/failures";
import type { ChainLog } from "../chain/logs";
import { REQUESTS_AT_ONCE, ofOneChain, placed, rangeLogs, timesAndGas } from "./rangeLogs";
import type { RangeRows } from "./rangeSource";
import type { EventRow } from "./reading";
import { OF_TICKS, POOL_EVENTS, decodePoolLog, priceImpacts } from "./uniswapLogs";

const SOURCE = "uniswap-v3";

const pool = new Interface([
  "function slot0() view returns (uint160 sqrtPriceX96, int24, uint16, uint16, uint16, uint8, bool)",
]);

export interface ChunkRequest {
  /** Addresses; rows name them in lower case. */
  readonly pools: readonly string[];
  /** First and last block, both included. */
  readonly from: number;
  readonly to: number;
  /** When the rows were known, unix seconds. Default: the time of their block, as one knew who followed the chain. */
  readonly availableAt?: number;
}

/**
 * @throws TooManyLogs, ChunkReorged; WorldFailure `BLOCK_GONE` (the node has not got `to`), `SOURCE_GARBAGE`, and what
 * `Chain.request` throws.
 */
export async function collectUniswapEvents(chain: Chain, request: ChunkRequest): Promise<RangeRows> {
  const { pools: contracts, from, to, availableAt } = request;
  const { value, toHash } = await ofOneChain(chain, to, async (last) => {
    const logs = await rangeLogs(chain, { contracts, topics: POOL_EVENTS, from, to });
    const [found, prices] = await Promise.all([timesAndGas(chain, logs, last), pricesBefore(chain, logs, from)]);
    return { logs, prices, of: { ...found, availableAt } };
  });
  const { logs, prices, of } = value;
  const events = logs.map((log) => placed(decodePoolLog(log), log, of));
  const impacts = priceImpacts(events, prices);
  const rows = events.map((event, place): EventRow => ({
    ...event,
    chainId: chain.chainId,
    source: SOURCE,
    priceImpactBps: impacts[place] ?? null,
    ...OF_TICKS,
  }));
  return { rows, toHash };
}

/** By pool that has a swap in the range: its sqrt price at the end of the block before; without those not known. */
async function pricesBefore(chain: Chain, logs: readonly ChainLog[], from: number): Promise<Map<string, bigint>> {
  if (from === 0) return new Map();
  const [swap] = POOL_EVENTS[0] ?? [];
  const pools = [
    ...new Set(logs.filter(({ topics }) => topics[0] === swap).map(({ address }) => address.toLowerCase())),
  ];
  const found = await concurrently(pools, REQUESTS_AT_ONCE, async (address): Promise<[string, bigint][]> => {
    try {
      const data = await chain.call({ to: address, data: pool.encodeFunctionData("slot0") }, from - 1);
      const [price] = pool.decodeFunctionResult("slot0", data) as unknown as [bigint];
      return price === 0n ? [] : [[address, price]];
    } catch (error) {
      // A node without that state, or a pool that was not there yet. Whatever else fails might not fail the next time, and a
      // chunk must come out the same each time.
      if (isMissingState(error) || isRevert(error) || isUndecodable(error)) return [];
      throw error;
    }
  });
  return new Map(found.flat());
}

function isUndecodable(error: unknown): boolean {
  return (error as { code?: unknown }).code === "BAD_DATA";
}
