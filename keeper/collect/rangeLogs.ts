// The logs of contracts in one range of blocks, with their blocks and what their transactions cost: whole and of one chain, or
// not at all. Who asks decides how long a range is, and asks again.
import { concurrently } from "../chain/concurrently";
import { type Chain, quantity } from "../chain/connect";
import { garbage, isMissingMethod } from "../chain/failures";
import { type Head, blockAt } from "../chain/heads";
import { type ChainLog, isTooMany, logsOf } from "../chain/logs";
import { WorldFailure } from "../config/failure";
import { CHUNK_REORGED, LOGS_TOO_MANY } from "./rangeSource";
import type { EventRow } from "./reading";

/** Requests that are under way at a time. */
export const REQUESTS_AT_ONCE = 8;

/** Fewer blocks at a time would be given. */
export class TooManyLogs extends WorldFailure {
  constructor(from: number, to: number, cause: unknown) {
    super(LOGS_TOO_MANY, `the node does not give the logs of blocks ${from} to ${to} at once`, {
      field: "chain.rpcUrls",
      remedy: "Nothing: fewer blocks are asked for. If it refuses a single block, use another endpoint.",
      cause,
    });
  }
}

/** The chain changed while the range was read: nothing of it holds, and reading it again may succeed. */
export class ChunkReorged extends WorldFailure {
  constructor(block: number) {
    super(CHUNK_REORGED, `block ${block} was reorganised away while its range was read`, {
      field: "chain.rpcUrls",
      remedy: "Nothing: the range is read again.",
    });
  }
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

/**
 * What `read` gives of a range that ends with block `to`: that its last block is the same after all was read makes everything
 * below it the same.
 *
 * @throws ChunkReorged; WorldFailure `BLOCK_GONE`; what `read` throws.
 */
export async function ofOneChain<T>(
  chain: Chain,
  to: number,
  read: (last: Head) => Promise<T>,
): Promise<{ readonly value: T; readonly toHash: string }> {
  const last = await canonicalBlock(chain, to);
  const value = await read(last);
  if ((await canonicalBlock(chain, to)).hash !== last.hash) throw new ChunkReorged(to);
  return { value, toHash: last.hash };
}

export interface LogRange {
  /** Addresses. */
  readonly contracts: readonly string[];
  /** As `eth_getLogs` takes them. */
  readonly topics: readonly (string | readonly string[] | null)[];
  /** First and last block, both included. */
  readonly from: number;
  readonly to: number;
}

/**
 * In the chain's order, each once, and of these contracts only.
 *
 * @throws TooManyLogs; WorldFailure `RPC_GARBAGE`, and what `Chain.request` throws.
 */
export async function rangeLogs(chain: Chain, { contracts, topics, from, to }: LogRange): Promise<ChainLog[]> {
  let logs: readonly ChainLog[];
  try {
    logs = await logsOf(chain, { address: contracts, topics, fromBlock: from, toBlock: to });
  } catch (error) {
    if (isTooMany(error)) throw new TooManyLogs(from, to, error);
    throw error;
  }
  const known = new Set(contracts.map((address) => address.toLowerCase()));
  if (!logs.every(({ address }) => known.has(address.toLowerCase()))) throw garbage("eth_getLogs");
  const sorted = [...logs].sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
  const twice = sorted.some((log, place) => {
    const before = sorted[place - 1];
    return before?.blockNumber === log.blockNumber && before.logIndex === log.logIndex;
  });
  if (twice) throw garbage("eth_getLogs");
  return sorted;
}

export interface TimesAndGas {
  /** Unix seconds of each block that has a log, by number. */
  readonly times: ReadonlyMap<number, number>;
  /** By transaction; without those whose receipt the node does not give. */
  readonly gas: ReadonlyMap<string, Gas>;
}

export interface Gas {
  readonly gasUsed: string;
  readonly gasPriceWei: string | null;
}

/**
 * When the blocks of the logs were and what their transactions paid. Each log is then of the chain's block at its number: by
 * the block's receipts, or by its header.
 *
 * @throws ChunkReorged when a log is of another block; WorldFailure as `canonicalBlock`, and what `Chain.request` throws.
 */
export async function timesAndGas(chain: Chain, logs: readonly ChainLog[], last: Head): Promise<TimesAndGas> {
  const [stated, paid] = await Promise.all([statedTimes(chain, logs, last), gasOf(chain, logs)]);
  const asked = stated === null ? logs : logs.filter(({ blockHash }) => !paid.provenBlocks.has(blockHash));
  const blocks = await blocksOf(chain, asked, last);
  const times = new Map(stated);
  for (const { number, timestamp } of blocks.values()) times.set(number, timestamp);
  return { times, gas: paid.byTransaction };
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

/** What a row of an event has of its log's place in the chain, whatever the event is. */
type Place = Pick<
  EventRow,
  | "pool"
  | "block"
  | "blockHash"
  | "txHash"
  | "txIndex"
  | "logIndex"
  | "observedAt"
  | "availableAt"
  | "gasUsed"
  | "gasPriceWei"
>;

/**
 * What an event says, and its place. Made for each row of a backfill, so only one object is spread, and that first: it is
 * cloned as it is, where another would be copied key by key.
 */
export function placed<T extends object>(
  said: T,
  log: ChainLog,
  of: TimesAndGas & {
    /** When the rows were known, unix seconds. Default: the time of their block, as one knew who followed the chain. */
    readonly availableAt?: number | undefined;
  },
): T & Place {
  const observedAt = of.times.get(log.blockNumber);
  if (observedAt === undefined) throw new RangeError(`block ${log.blockNumber} is none of those whose times were read`);
  const txHash = log.transactionHash.toLowerCase();
  const gas = of.gas.get(txHash);
  return {
    ...said,
    pool: log.address.toLowerCase(),
    block: log.blockNumber,
    blockHash: log.blockHash.toLowerCase(),
    txHash,
    txIndex: log.transactionIndex,
    logIndex: log.logIndex,
    observedAt,
    availableAt: of.availableAt ?? observedAt,
    gasUsed: gas?.gasUsed ?? null,
    gasPriceWei: gas?.gasPriceWei ?? null,
  };
}

/** Null also where the node has no such method; a request that fails otherwise fails the range, which is asked for again. */
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
