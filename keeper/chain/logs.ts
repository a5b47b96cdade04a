// Logs of a range of blocks, checked; a node's refusal of too many is told from other errors.
import { WorldFailure } from "../config/failure";
import { type Chain, quantity } from "./connect";
import { RpcError } from "./failures";

export interface LogFilter {
  readonly address: string | readonly string[];
  /** As in `eth_getLogs`: null matches anything, an array any of its members. */
  readonly topics?: readonly (string | readonly string[] | null)[];
  readonly fromBlock: number;
  readonly toBlock: number;
}

export interface ChainLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  /** Unix seconds; null of a node that does not say it (ethereum/execution-apis #639, of 2025). */
  readonly blockTimestamp: number | null;
  readonly transactionHash: string;
  readonly transactionIndex: number;
  readonly logIndex: number;
}

/**
 * The logs of one range, in one request.
 *
 * @throws RpcError when the node refuses (see {@link isTooMany}); WorldFailure `RPC_GARBAGE`, `RPC_UNREACHABLE`.
 */
export async function logsOf(chain: Chain, filter: LogFilter): Promise<readonly ChainLog[]> {
  const { address, topics, fromBlock, toBlock } = filter;
  const raw = await chain.request("eth_getLogs", [
    {
      address,
      ...(topics === undefined ? {} : { topics }),
      fromBlock: quantity(fromBlock),
      toBlock: quantity(toBlock),
    },
  ]);
  if (!Array.isArray(raw)) throw garbageLogs();
  const logs = raw.map(logOf);
  // A node that was asked for a range and answers with another has not understood.
  if (logs.some(({ blockNumber }) => blockNumber < fromBlock || blockNumber > toBlock)) throw garbageLogs();
  return logs;
}

/**
 * Whether a node's refusal of logs means that fewer at a time would be given: in the words of go-ethereum, Erigon, Infura,
 * Alchemy, QuickNode, Ankr and Chainstack.
 */
export function isTooMany(error: unknown): boolean {
  if (!(error instanceof RpcError) || error.method !== "eth_getLogs") return false;
  if (error.rpcCode === LIMIT_EXCEEDED) return true;
  return /too many|more than \d+|limited to|too (large|wide|big)|exceed|maximum|range limit|(max|response) size|time(d)? ?out/i.test(
    error.nodeMessage,
  );
}

/** EIP-1474. */
const LIMIT_EXCEEDED = -32_005;

const DATA = /^0x(?:[0-9a-f]{2})*$/i;
const HASH = /^0x[0-9a-f]{64}$/i;
const ADDRESS = /^0x[0-9a-f]{40}$/i;
const INTEGER = /^0x[0-9a-f]{1,13}$/i;

function logOf(entry: unknown): ChainLog {
  if (typeof entry !== "object" || entry === null) throw garbageLogs();
  const log = entry as Record<string, unknown>;
  const { topics, blockTimestamp } = log;
  if (!Array.isArray(topics) || log["removed"] === true) throw garbageLogs();
  return {
    address: matching(log["address"], ADDRESS),
    topics: topics.map((topic) => matching(topic, HASH)),
    data: matching(log["data"], DATA),
    // Null for a log of a block that is not made yet, which was not asked for.
    blockNumber: integer(log["blockNumber"]),
    blockHash: matching(log["blockHash"], HASH),
    blockTimestamp: typeof blockTimestamp === "string" && INTEGER.test(blockTimestamp) ? Number(blockTimestamp) : null,
    transactionHash: matching(log["transactionHash"], HASH),
    transactionIndex: integer(log["transactionIndex"]),
    logIndex: integer(log["logIndex"]),
  };
}

function matching(value: unknown, form: RegExp): string {
  if (typeof value !== "string" || !form.test(value)) throw garbageLogs();
  return value;
}

function integer(value: unknown): number {
  return Number(matching(value, INTEGER));
}

function garbageLogs(): WorldFailure {
  return new WorldFailure("RPC_GARBAGE", "the node's answer to eth_getLogs is not a list of logs", {
    field: "chain.rpcUrls",
    remedy: "Check that the endpoint is an Ethereum JSON-RPC node.",
  });
}
