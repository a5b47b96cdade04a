// The keeper's way to a chain: typed requests that fail as failures of ours, over one provider with failover.
import type { JsonRpcError, JsonRpcResult, Provider } from "ethers";
import type { Sink } from "../events/events";
import type { Clock } from "./clock";
import { FailoverProvider } from "./failover";
import { RpcError, garbage } from "./failures";

/** A block by its hash where the node takes that (EIP-1898), so that no reorganisation can slip in between. */
export type BlockRef = { readonly hash: string; readonly number: number } | number | "latest";

export interface Chain {
  readonly chainId: number;
  /** For ethers' contracts and transactions; same endpoints, same failover. */
  readonly provider: Provider;
  /**
   * One JSON-RPC request.
   * @throws RpcError when the node answers with an error; WorldFailure `RPC_UNREACHABLE` when none answers, `RPC_LIMITED` when
   * our own rate of requests leaves no turn.
   */
  request(method: string, params: readonly unknown[]): Promise<unknown>;
  /** `eth_call` pinned to `block`; returns the data. Without `to`: what the creation returns. @throws as `request`. */
  call(
    transaction: { readonly to?: string; readonly data: string; readonly from?: string },
    block: BlockRef,
  ): Promise<string>;
  close(): void;
}

export interface ChainOptions {
  /** In order of preference. */
  readonly rpcUrls: readonly string[];
  readonly expectedChainId: number;
  /** Hash of block 0 of the deployment's chain; absent: not checked. */
  readonly genesisHash?: string | undefined;
  readonly requestTimeoutMs: number;
  /** Of this process, to each endpoint. Absent: as many as there are to make. */
  readonly requestsPerSecond?: number | undefined;
  /**
   * A block that is more than so many seconds ahead of our clock is no block. Absent: any may be, of chains whose time runs as
   * somebody turns it.
   */
  readonly aheadSeconds?: number | undefined;
  readonly sink: Sink;
  /** Of the rate of requests and of blocks that are ahead. Default: the wall's. */
  readonly clock?: Clock | undefined;
}

/**
 * Connects and checks that every endpoint that answers is of the expected chain.
 *
 * @throws InputFailure `CHAIN_WRONG` (naming both ids), `CHAIN_STARTED_AFRESH`; WorldFailure `RPC_UNREACHABLE`.
 */
export async function connectChain(options: ChainOptions): Promise<Chain> {
  const provider = providerOf(options);
  try {
    await provider.checkEndpoints();
  } catch (error) {
    provider.destroy();
    throw error;
  }
  return chainOver(provider, options.expectedChainId);
}

/** The same without asking anything yet: each endpoint shows what chain it is of before its first use. */
export function openChain(options: ChainOptions): Chain {
  return chainOver(providerOf(options), options.expectedChainId);
}

function providerOf({ expectedChainId: chainId, genesisHash, ...options }: ChainOptions): FailoverProvider {
  return new FailoverProvider({ ...options, chainId, genesisHash: genesisHash ?? null });
}

export function chainOver(provider: FailoverProvider, chainId: number): Chain {
  let nextId = 1;
  let byHash = true;
  const request = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    const answer = await provider.exchange({ id: nextId++, jsonrpc: "2.0", method, params: [...params] });
    if (isError(answer)) {
      const { code, message, data } = answer.error;
      throw new RpcError(method, Number(code), String(message ?? ""), revertData(data));
    }
    return answer.result;
  };
  const call: Chain["call"] = async (transaction, block) => {
    const at = async (ref: unknown): Promise<string> => {
      const data = await request("eth_call", [transaction, ref]);
      if (typeof data !== "string" || !/^0x([0-9a-f]{2})*$/i.test(data)) throw garbage("eth_call");
      return data;
    };
    if (typeof block === "string") return at(block);
    if (typeof block === "number") return at(quantity(block));
    if (!byHash) return at(quantity(block.number));
    try {
      return await at({ blockHash: block.hash, requireCanonical: true });
    } catch (error) {
      if (!(error instanceof RpcError) || !takesNoBlockHash(error)) throw error;
      byHash = false;
      return at(quantity(block.number));
    }
  };
  return { chainId, provider, request, call, close: () => provider.destroy() };
}

export const quantity = (value: number): string => `0x${value.toString(16)}`;

function isError(answer: JsonRpcResult | JsonRpcError): answer is JsonRpcError {
  return "error" in answer;
}

/** Nodes put a revert's data at `data`, or in an object there. */
function revertData(data: unknown): string | null {
  if (typeof data === "string") return data;
  if (typeof data !== "object" || data === null) return null;
  const inner = (data as { data?: unknown }).data;
  return typeof inner === "string" ? inner : null;
}

/** Invalid params, or words about the parameter's type: a node from before EIP-1898. */
function takesNoBlockHash(error: RpcError): boolean {
  return (
    error.rpcCode === -32602 || /invalid (argument|params|type)|cannot unmarshal|deserialize/i.test(error.nodeMessage)
  );
}
