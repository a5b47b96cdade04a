// Which requests name what they ask for so that honest endpoints must answer alike, and what of the answers that is: nodes say
// more of a block, a log or a receipt than the protocol asks, each something else.
import type { JsonRpcPayload } from "ethers";

/** What of an answer must be the same. */
export type Essence = (answer: unknown) => unknown;

/** Place of the block among the parameters. */
const STATE: ReadonlyMap<string, number> = new Map([
  ["eth_call", 1],
  ["eth_getBalance", 1],
  ["eth_getCode", 1],
  ["eth_getTransactionCount", 1],
]);
const BLOCKS: ReadonlySet<string> = new Set(["eth_getBlockByNumber", "eth_getBlockByHash"]);

const HEADER = ["number", "hash", "parentHash", "timestamp", "baseFeePerGas"];
const LOG = [
  "address",
  "topics",
  "data",
  "blockNumber",
  "blockHash",
  "transactionHash",
  "transactionIndex",
  "logIndex",
];
const RECEIPT = ["transactionHash", "transactionIndex", "blockHash", "blockNumber", "status", "gasUsed"];

/** Null: what is asked for may change while it is asked for, as with a moving tag. */
export function essenceOf({ method, params }: JsonRpcPayload): Essence | null {
  const given = Array.isArray(params) ? (params as readonly unknown[]) : [];
  const place = STATE.get(method);
  if (place !== undefined) return isPinned(given[place]) ? (answer) => answer : null;
  if (method === "eth_getLogs") return isRange(given[0]) ? logsIn : null;
  return BLOCKS.has(method) && isPinned(given[0]) ? headerOf : null;
}

function isRange(filter: unknown): boolean {
  const { fromBlock, toBlock } = (filter ?? {}) as { readonly fromBlock?: unknown; readonly toBlock?: unknown };
  return isPinned(fromBlock) && isPinned(toBlock);
}

export const headerOf: Essence = (block) => membersOf(block, HEADER);

/** And of whether a transaction landed, which only who sent it asks. */
export function essenceOfOutcome({ method }: JsonRpcPayload): Essence | null {
  if (method !== "eth_getTransactionReceipt") return null;
  return (receipt) => [membersOf(receipt, RECEIPT), logsIn((receipt as { readonly logs?: unknown }).logs)];
}

/** A number, a hash, or a hash in an object (EIP-1898). */
function isPinned(block: unknown): boolean {
  if (typeof block === "string") return /^0x[0-9a-f]+$/i.test(block);
  return typeof block === "object" && block !== null && "blockHash" in block;
}

function logsIn(logs: unknown): unknown {
  return Array.isArray(logs) ? logs.map((log) => membersOf(log, LOG)) : null;
}

function membersOf(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  return names.map((name) => lowerCase((value as Record<string, unknown>)[name] ?? null));
}

/** Bytes and numbers as hex say the same in either case. */
function lowerCase(value: unknown): unknown {
  if (typeof value === "string") return value.toLowerCase();
  return Array.isArray(value) ? value.map(lowerCase) : value;
}
