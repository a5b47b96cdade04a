// A JSON-RPC connection to the development node. No retries and no caching: what the block maker asks must be answered
// by the state of now.
import { WorldFailure } from "../../keeper/config/failure";

/** The node understood the request and refused it. */
export class NodeRefusal extends WorldFailure {
  constructor(
    readonly method: string,
    readonly rpcCode: number,
    message: string,
    readonly data: unknown,
  ) {
    super("NODE_REFUSED", `the node refuses ${method}: ${message.slice(0, 300)}`, {
      remedy: "Check that the relay talks to anvil or to a Hardhat node.",
    });
  }
}

export type NodeCall = <T = unknown>(method: string, params?: readonly unknown[]) => Promise<T>;

interface Reply {
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly message?: string; readonly data?: unknown };
}

const TIMEOUT_MS = 30_000;

export function nodeCall(url: string): NodeCall {
  let nextId = 1;
  return async <T>(method: string, params: readonly unknown[] = []): Promise<T> => {
    let reply: Reply;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: nextId++, method, params }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      reply = (await response.json()) as Reply;
    } catch (cause) {
      throw new WorldFailure("NODE_DOWN", `the node does not answer ${method}`, {
        remedy: "Start the node, or give the relay the right --node address.",
        cause,
      });
    }
    if (reply.error !== undefined && reply.error !== null) {
      throw new NodeRefusal(method, reply.error.code ?? 0, reply.error.message ?? "no reason given", reply.error.data);
    }
    return reply.result as T;
  };
}
