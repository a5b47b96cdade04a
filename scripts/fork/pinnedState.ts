// The JSON-RPC that Hardhat's node (EDR) asks of a fork's upstream, answered from the state of one block. Where that
// state comes from, a tape or a live node, is behind `PinnedState`. Calls and gas estimates are not in here: a forking
// node runs them itself.
import { toQuantity } from "ethers";
import type { Header } from "./header";

/** Why something was not answered. `-32000`: the state does not hold it. `-32601`: no such method. `-32602`: malformed. */
export type RefusalCode = -32000 | -32601 | -32602;

/** A request that is answered with a JSON-RPC error, and counted. */
export class Refusal extends Error {
  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly at: { readonly address?: string; readonly slot?: string } = {},
  ) {
    super(message);
    this.name = "Refusal";
  }
}

/** State of one chain at one block. Each method throws {@link Refusal} for what it does not hold. */
export interface PinnedState {
  readonly chainId: number;
  readonly block: Header;
  /** Quantities; code as bytes. Addresses are lower case. */
  balance(address: string): Promise<string> | string;
  nonce(address: string): Promise<string> | string;
  code(address: string): Promise<string> | string;
  /** `slot` and the answer are 32 bytes. */
  slot(address: string, slot: string): Promise<string> | string;
  /** Logs, transactions, receipts: what a tape has no place for. Returns `[]` or null. */
  history(method: HistoryMethod, params: readonly unknown[]): Promise<unknown> | unknown;
}

export type HistoryMethod = "eth_getLogs" | "eth_getTransactionByHash" | "eth_getTransactionReceipt";

/** Names of the block that are the pinned block: there is no later one. */
const HEAD_TAGS = new Set(["latest", "safe", "finalized"]);

/**
 * Answers one request.
 * @throws Refusal for another block, another height, an unknown method, malformed parameters, or unrecorded state.
 */
export async function answer(state: PinnedState, method: string, params: readonly unknown[]): Promise<unknown> {
  switch (method) {
    case "eth_chainId":
      return toQuantity(state.chainId);
    case "net_version":
      return String(state.chainId);
    case "web3_clientVersion":
      return "tiller-tape/1";
    case "eth_blockNumber":
      return state.block.number;
    case "eth_getBlockByNumber":
      atPinnedBlock(state, params[0], "block");
      return state.block;
    case "eth_getBlockByHash":
      if (params[0] !== state.block.hash) throw new Refusal(-32000, `not recorded: block ${shown(params[0])}`);
      return state.block;
    case "eth_getBalance":
      atPinnedBlock(state, params[1], "state at block");
      return state.balance(readAddress(params[0]));
    case "eth_getTransactionCount":
      atPinnedBlock(state, params[1], "state at block");
      return state.nonce(readAddress(params[0]));
    case "eth_getCode":
      atPinnedBlock(state, params[1], "state at block");
      return state.code(readAddress(params[0]));
    case "eth_getStorageAt":
      atPinnedBlock(state, params[2], "state at block");
      return state.slot(readAddress(params[0]), readSlot(params[1]));
    case "eth_feeHistory":
      return feeHistory(state, params);
    case "eth_getLogs":
    case "eth_getTransactionByHash":
    case "eth_getTransactionReceipt":
      return state.history(method, params);
    default:
      throw new Refusal(-32601, `${shown(method)} is not answered here: point a forking node at this server instead`);
  }
}

function atPinnedBlock(state: PinnedState, parameter: unknown, what: string): void {
  if (isPinned(state, parameter)) return;
  throw new Refusal(-32000, `not recorded: ${what} ${shown(parameter)}; only ${state.block.number} is`);
}

function isPinned(state: PinnedState, parameter: unknown): boolean {
  if (typeof parameter === "string") {
    if (HEAD_TAGS.has(parameter)) return true;
    return /^0x[0-9a-fA-F]{1,64}$/.test(parameter) && BigInt(parameter) === BigInt(state.block.number);
  }
  if (parameter === null || typeof parameter !== "object") return false;
  // EIP-1898.
  if ("blockHash" in parameter) return parameter.blockHash === state.block.hash;
  return "blockNumber" in parameter && isPinned(state, parameter.blockNumber);
}

function readAddress(parameter: unknown): string {
  if (typeof parameter === "string" && /^0x[0-9a-fA-F]{40}$/.test(parameter)) return parameter.toLowerCase();
  throw new Refusal(-32602, `${shown(parameter)} is not an address`);
}

function readSlot(parameter: unknown): string {
  if (typeof parameter === "string" && /^0x[0-9a-fA-F]{1,64}$/.test(parameter)) {
    return `0x${parameter.slice(2).toLowerCase().padStart(64, "0")}`;
  }
  throw new Refusal(-32602, `${shown(parameter)} is not a storage slot`);
}

/**
 * The fee history of the one block there is. Longer ones are refused rather than shortened, as nodes may do: EDR lays a
 * shortened answer to the wrong blocks. Tips are not recorded.
 */
function feeHistory(state: PinnedState, params: readonly unknown[]): unknown {
  const [count, newest, percentiles] = params;
  atPinnedBlock(state, newest, "fees of block");
  if (Number(count) !== 1) throw new Refusal(-32000, `not recorded: fees of the blocks before ${state.block.number}`);
  if (Array.isArray(percentiles) && percentiles.length > 0) {
    throw new Refusal(-32000, "not recorded: tips of transactions (reward percentiles of eth_feeHistory)");
  }
  const { number, baseFeePerGas, gasUsed, gasLimit } = state.block;
  return {
    oldestBlock: number,
    baseFeePerGas: [baseFeePerGas, toQuantity(nextBaseFee(state.block))],
    gasUsedRatio: [Number(gasUsed) / Number(gasLimit)],
  };
}

/** EIP-1559: base fee of the child, in wei. */
export function nextBaseFee(header: Header): bigint {
  const fee = BigInt(header.baseFeePerGas);
  const used = BigInt(header.gasUsed);
  const target = BigInt(header.gasLimit) / 2n;
  if (used === target) return fee;
  const delta = (fee * (used > target ? used - target : target - used)) / target / 8n;
  if (used < target) return fee - delta;
  return fee + (delta > 0n ? delta : 1n);
}

/** A parameter as it may appear in a message: short, one line. */
function shown(parameter: unknown): string {
  const text = typeof parameter === "string" ? parameter : (JSON.stringify(parameter) ?? "nothing");
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
