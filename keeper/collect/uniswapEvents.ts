// Swap, Mint and Burn of Uniswap V3 pools in one range of blocks, with block time, price impact and gas. A chunk is whole and
// of one chain, or it fails; who asks decides how long a chunk is and asks again.
import { Interface } from "ethers";
import { concurrently } from "../chain/concurrently";
import { type Chain, quantity } from "../chain/connect";
import { garbage, isMissingMethod, isMissingState, isRevert } from "../chain/failures";
import { type Head, blockAt } from "../chain/heads";
import { type ChainLog, isTooMany, logsOf } from "../chain/logs";
import { WorldFailure } from "../config/failure";
import { POOL_EVENTS, decodePoolLog, priceImpacts } from "./uniswapLogs";
import type { EventRow } from "./reading";

const SOURCE = "uniswap-v3";

/** Requests that are under way at a time. */
const REQUESTS_AT_ONCE = 8;

const pool = new Interface([
  "function slot0() view returns (uint160 sqrtPriceX96, int24, uint16, uint16, uint16, uint8, bool)",
]);

/** Fewer blocks at a time would be given. */
export class TooManyLogs extends WorldFailure {
  constructor(from: number, to: number, cause: unknown) {
    super("LOGS_TOO_MANY", `the node does not give the logs of blocks ${from} to ${to} at once`, {
      field: "chain.rpcUrls",
      remedy: "Nothing: fewer blocks are asked for. If it refuses a single block, use another endpoint.",
      cause,
    });
  }
}

/** The chain changed while the chunk was read: nothing of it holds, and reading it again may succeed. */
export class ChunkReorged extends WorldFailure {
  constructor(block: number) {
    super("CHUNK_REORGED", `block ${block} was reorganised away while its range was read`, {
      field: "chain.rpcUrls",
      remedy: "Nothing: the range is read again.",
    });
  }
}

export interface ChunkRequest {
  /** Addresses; rows name them in lower case. */
  readonly pools: readonly string[];
  /** First and last block, both included. */
  readonly from: number;
  readonly to: number;
  /** When the rows were known, unix seconds. Default: the time of their block, as one knew who followed the chain. */
  readonly availableAt?: number;
}

export interface EventChunk {
  /** In order of the chain. */
  readonly rows: readonly EventRow[];
  /** Hash of `to`. */
  readonly toHash: string;
}

/**
 * @throws TooManyLogs, ChunkReorged; WorldFailure `BLOCK_GONE` (the node has not got `to`), `SOURCE_GARBAGE`, and what
 * `Chain.request` throws.
 */
export async function collectUniswapEvents(chain: Chain, request: ChunkRequest): Promise<EventChunk> {
  const { from, to } = request;
  const last = await canonicalBlock(chain, to);
  const logs = await poolLogs(chain, request);
  const [times, prices, gas] = await Promise.all([
    statedTimes(chain, logs, last),
    pricesBefore(chain, logs, from),
    gasOf(chain, logs),
  ]);
  const asked = times === null ? logs : logs.filter(({ blockHash }) => !gas.provenBlocks.has(blockHash));
  const blocks = await blocksOf(chain, asked, last);
  // That the last block is the same after all was read makes everything below it the same.
  if ((await canonicalBlock(chain, to)).hash !== last.hash) throw new ChunkReorged(to);

  const events = logs.map((log) => ({ ...decodePoolLog(log), pool: log.address.toLowerCase() }));
  const impacts = priceImpacts(events, prices);
  const rows = events.map((event, place): EventRow => {
    const log = logs[place] as ChainLog;
    const observedAt = blocks.get(log.blockNumber)?.timestamp ?? times?.get(log.blockNumber) ?? last.timestamp;
    const txHash = log.transactionHash.toLowerCase();
    const paid = gas.byTransaction.get(txHash);
    return {
      ...event,
      chainId: chain.chainId,
      source: SOURCE,
      block: log.blockNumber,
      blockHash: log.blockHash.toLowerCase(),
      txHash,
      txIndex: log.transactionIndex,
      logIndex: log.logIndex,
      observedAt,
      availableAt: request.availableAt ?? observedAt,
      priceImpactBps: impacts[place] ?? null,
      gasUsed: paid?.gasUsed ?? null,
      gasPriceWei: paid?.gasPriceWei ?? null,
    };
  });
  return { rows, toHash: last.hash };
}

/** @throws WorldFailure `BLOCK_GONE`, and as `Chain.request`. */
export async function canonicalBlock(chain: Chain, number: number): Promise<Head> {
  const block = await blockAt(chain, number);
  if (block !== null) return block;
  throw new WorldFailure("BLOCK_GONE", `the node does not have block ${number}`, {
    field: "chain.rpcUrls",
    remedy: "Nothing: it was reorganised away, or this endpoint lags; the range is read again.",
  });
}

async function poolLogs(chain: Chain, { pools, from, to }: ChunkRequest): Promise<ChainLog[]> {
  let logs: readonly ChainLog[];
  try {
    logs = await logsOf(chain, { address: pools, topics: POOL_EVENTS, fromBlock: from, toBlock: to });
  } catch (error) {
    if (isTooMany(error)) throw new TooManyLogs(from, to, error);
    throw error;
  }
  const known = new Set(pools.map((address) => address.toLowerCase()));
  if (!logs.every(({ address }) => known.has(address.toLowerCase()))) throw garbage("eth_getLogs");
  const sorted = [...logs].sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
  const twice = sorted.some((log, place) => {
    const before = sorted[place - 1];
    return before?.blockNumber === log.blockNumber && before.logIndex === log.logIndex;
  });
  if (twice) throw garbage("eth_getLogs");
  return sorted;
}

/**
 * Times of the logs' blocks as the logs state them, by number, so that not each block's header must be asked for. Null where
 * they do not, or where that cannot be: some nodes state zero. The headers of the first and the last of the blocks must agree.
 */
async function statedTimes(
  chain: Chain,
  logs: readonly ChainLog[],
  last: Head,
): Promise<ReadonlyMap<number, number> | null> {
  const [first, end] = [logs[0], logs.at(-1)];
  if (first === undefined || end === undefined) return null;
  const times = new Map<number, number>();
  let before = 0;
  for (const { blockNumber, blockTimestamp } of logs) {
    if (blockTimestamp === null || blockTimestamp < before || blockTimestamp > last.timestamp) return null;
    if ((times.get(blockNumber) ?? blockTimestamp) !== blockTimestamp) return null;
    times.set(blockNumber, blockTimestamp);
    before = blockTimestamp;
  }
  const headers = await blocksOf(chain, [first, end], last);
  return [...headers.values()].every(({ number, timestamp }) => times.get(number) === timestamp) ? times : null;
}

/** The blocks that the logs are of, by number. */
async function blocksOf(chain: Chain, logs: readonly ChainLog[], last: Head): Promise<Map<number, Head>> {
  const numbers = [...new Set(logs.map(({ blockNumber }) => blockNumber))];
  const blocks = await concurrently(numbers, REQUESTS_AT_ONCE, (number) =>
    number === last.number ? Promise.resolve(last) : canonicalBlock(chain, number),
  );
  const byNumber = new Map(blocks.map((block) => [block.number, block]));
  for (const { blockNumber, blockHash } of logs) {
    if (byNumber.get(blockNumber)?.hash !== blockHash.toLowerCase()) throw new ChunkReorged(blockNumber);
  }
  return byNumber;
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

interface Gas {
  readonly gasUsed: string;
  readonly gasPriceWei: string | null;
}

interface GasPaid {
  /** Without those whose receipt the node does not give. */
  readonly byTransaction: ReadonlyMap<string, Gas>;
  /** Hashes, as the logs have them, of blocks that by their receipts are the chain's at their number. */
  readonly provenBlocks: ReadonlySet<string>;
}

async function gasOf(chain: Chain, logs: readonly ChainLog[]): Promise<GasPaid> {
  const byBlock = new Map<number, ChainLog[]>();
  for (const log of logs) {
    const own = byBlock.get(log.blockNumber);
    if (own === undefined) byBlock.set(log.blockNumber, [log]);
    else own.push(log);
  }
  let wholeBlocks = true;
  const provenBlocks = new Set<string>();
  const found = await concurrently([...byBlock], REQUESTS_AT_ONCE, async ([number, own]) => {
    const hash = own[0]?.blockHash ?? "";
    if (wholeBlocks) {
      const receipts = await ifServed(() => chain.request("eth_getBlockReceipts", [quantity(number)]));
      if (Array.isArray(receipts)) {
        const all = receipts.flatMap((receipt) => gasIn(receipt, { number, hash }));
        if (receipts.length > 0) provenBlocks.add(hash);
        return all;
      }
      wholeBlocks = false;
    }
    const transactions = [...new Set(own.map(({ transactionHash }) => transactionHash))];
    const singles: [string, Gas][] = [];
    for (const transaction of transactions) {
      const receipt = await ifServed(() => chain.request("eth_getTransactionReceipt", [transaction]));
      if (receipt !== null) singles.push(...gasIn(receipt, { number, hash }));
    }
    return singles;
  });
  return { byTransaction: new Map(found.flat()), provenBlocks };
}

/** Null also where the node has no such method; a request that fails otherwise fails the chunk, which is asked for again. */
async function ifServed(request: () => Promise<unknown>): Promise<unknown> {
  try {
    return await request();
  } catch (error) {
    if (isMissingMethod(error)) return null;
    throw error;
  }
}

function gasIn(raw: unknown, block: { readonly number: number; readonly hash: string }): [string, Gas][] {
  if (typeof raw !== "object" || raw === null) throw garbage("eth_getTransactionReceipt");
  const { transactionHash, blockHash, gasUsed, effectiveGasPrice } = raw as Record<string, unknown>;
  if (typeof transactionHash !== "string" || typeof blockHash !== "string") throw garbage("eth_getTransactionReceipt");
  if (blockHash.toLowerCase() !== block.hash.toLowerCase()) throw new ChunkReorged(block.number);
  const decimal = (value: unknown): string | null =>
    typeof value === "string" && /^0x[0-9a-f]+$/i.test(value) ? String(BigInt(value)) : null;
  const used = decimal(gasUsed);
  return used === null
    ? []
    : [[transactionHash.toLowerCase(), { gasUsed: used, gasPriceWei: decimal(effectiveGasPrice) }]];
}
