// What nodes do wrong, as failures of ours. No message holds a URL with its path or a response body.
import { InputFailure, WorldFailure } from "../config/failure";

export const RPC_UNREACHABLE = "RPC_UNREACHABLE";

/** An answer of the node that is an error: a revert, an unknown block, a method that it does not have. */
export class RpcError extends WorldFailure {
  constructor(
    readonly method: string,
    /** JSON-RPC error code. */
    readonly rpcCode: number,
    /** The node's own words: for telling errors apart, not for showing. */
    readonly nodeMessage: string,
    /** Return data of a reverted call, if the node gave it. */
    readonly data: string | null,
  ) {
    super("RPC_ERROR", `the node answers ${method} with error ${rpcCode}`, {
      field: "chain.rpcUrls",
      remedy: "See the node's log, or use another endpoint.",
    });
  }
}

/** EIP-1474; anvil's answer for an unknown block hash. */
const RESOURCE_NOT_FOUND = -32_001;

export function unreachable(reason: string): WorldFailure {
  return new WorldFailure(RPC_UNREACHABLE, `no RPC endpoint answers: ${reason}`, {
    field: "chain.rpcUrls",
    remedy: "Check the endpoints and the network; the keeper goes on by itself when one is back.",
  });
}

export function limited(seconds: number): WorldFailure {
  return new WorldFailure("RPC_LIMITED", `our own rate of requests left no turn within ${seconds} s`, {
    field: "chain.requestsPerSecond",
    remedy: "Raise it to what the endpoints allow, or collect less at a time.",
  });
}

export function garbage(method: string): WorldFailure {
  return new WorldFailure("RPC_GARBAGE", `the node's answer to ${method} is not what the protocol says`, {
    field: "chain.rpcUrls",
    remedy: "Check that the endpoint is an Ethereum JSON-RPC node.",
  });
}

export function wrongChain(expected: number, actual: number, field: string): InputFailure {
  return new InputFailure("CHAIN_WRONG", `the endpoint is of chain ${actual}, the deployment is on chain ${expected}`, {
    field,
    remedy: "Name an endpoint of that chain, or the address file of this one.",
  });
}

/** Whether the node says that it does not (yet, or no longer) have the block. */
export function isUnknownBlock(error: unknown): boolean {
  return (
    error instanceof RpcError &&
    (error.rpcCode === RESOURCE_NOT_FOUND ||
      /(header|block|state).{0,40}(not found|unknown|missing|unavailable|not available)|unknown block|invalid block tag|missing trie node/i.test(
        error.nodeMessage,
      ))
  );
}

/** Whether the node says that it has no such method, as opposed to one that failed this time. */
export function isMissingMethod(error: unknown): boolean {
  if (!(error instanceof RpcError)) return false;
  // JSON-RPC: method not found; EIP-1474: method not supported.
  if (error.rpcCode === -32_601 || error.rpcCode === -32_004) return true;
  return /method.{0,60}(not|un)[ -]?(found|supported|available|allowed|whitelisted|exist)|unsupported method/i.test(
    error.nodeMessage,
  );
}

/** Whether the node says that it does not keep the state of so old a block: as go-ethereum, Erigon, anvil and providers do. */
export function isMissingState(error: unknown): boolean {
  if (!(error instanceof RpcError)) return false;
  return (
    isUnknownBlock(error) || /archive|prune|historical|proof window|too old|out ?of ?range/i.test(error.nodeMessage)
  );
}

/** Whether the call was made and reverted. */
export function isRevert(error: unknown): boolean {
  return error instanceof RpcError && (error.data !== null || /revert/i.test(error.nodeMessage));
}
