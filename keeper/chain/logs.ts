// Logs over any range of blocks, in chunks that adapt to what the node gives at a time.
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
  readonly transactionHash: string;
  readonly transactionIndex: number;
  readonly logIndex: number;
}

export interface LogChunk {
  readonly fromBlock: number;
  readonly toBlock: number;
  readonly logs: readonly ChainLog[];
}

export interface ChunkOptions {
  /** Blocks asked for at first. Default 2,000: what most providers allow. */
  readonly firstChunk?: number;
  readonly signal?: AbortSignal;
}

const FIRST_CHUNK = 2_000;
const LARGEST_CHUNK = 100_000;

/**
 * Chunk after chunk, without gap or overlap, oldest first. A chunk that the node refuses is halved, down to one block; one
 * that it gives is followed by a longer one.
 *
 * @throws WorldFailure `LOGS_REFUSED` when the node refuses the logs of a single block; else as `Chain.request`.
 */
export async function* logsInChunks(
  chain: Chain,
  filter: LogFilter,
  options: ChunkOptions = {},
): AsyncGenerator<LogChunk, void, void> {
  let chunk = options.firstChunk ?? FIRST_CHUNK;
  let from = filter.fromBlock;
  while (from <= filter.toBlock && options.signal?.aborted !== true) {
    const to = Math.min(from + chunk - 1, filter.toBlock);
    let raw: unknown;
    try {
      raw = await chain.request("eth_getLogs", [
        {
          address: filter.address,
          ...(filter.topics === undefined ? {} : { topics: filter.topics }),
          fromBlock: quantity(from),
          toBlock: quantity(to),
        },
      ]);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (to === from) throw refused(from, error);
      chunk = Math.max(1, Math.floor((to - from + 1) / 2));
      continue;
    }
    yield { fromBlock: from, toBlock: to, logs: logsOf(raw) };
    from = to + 1;
    chunk = Math.min(chunk * 2, LARGEST_CHUNK);
  }
}

function logsOf(raw: unknown): ChainLog[] {
  if (!Array.isArray(raw)) throw garbageLogs();
  return raw.map((entry: unknown) => {
    const log = entry as Record<string, unknown>;
    const { address, topics, data, blockNumber, blockHash, transactionHash, transactionIndex, logIndex } = log;
    if (
      typeof address !== "string" ||
      !Array.isArray(topics) ||
      typeof data !== "string" ||
      typeof blockHash !== "string" ||
      typeof transactionHash !== "string"
    ) {
      throw garbageLogs();
    }
    return {
      address,
      topics: topics.map(String),
      data,
      blockNumber: Number(blockNumber),
      blockHash,
      transactionHash,
      transactionIndex: Number(transactionIndex),
      logIndex: Number(logIndex),
    };
  });
}

function garbageLogs(): WorldFailure {
  return new WorldFailure("RPC_GARBAGE", "the node's answer to eth_getLogs is not a list of logs", {
    field: "chain.rpcUrls",
    remedy: "Check that the endpoint is an Ethereum JSON-RPC node.",
  });
}

function refused(block: number, cause: RpcError): WorldFailure {
  return new WorldFailure("LOGS_REFUSED", `the node refuses the logs of block ${block}`, {
    field: "chain.rpcUrls",
    remedy: "Use an endpoint that serves eth_getLogs for that block.",
    cause,
  });
}
