// A node whose chain holds the blocks of a pool's history, and blocks of no transactions before, between and after them.
import { createHash } from "node:crypto";
import { type ScriptedServer, json, scriptedServer } from "./scriptedServer";
import type { PoolHistory } from "./poolModel";

export interface HistoryNodeOptions {
  readonly chainId: number;
  readonly head: number;
}

interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

const hex = (value: number): string => `0x${value.toString(16)}`;

export function historyNode(history: PoolHistory, options: HistoryNodeOptions): Promise<ScriptedServer> {
  const { chainId, head } = options;
  const [first] = history.blocks.values();
  const hashAt = (number: number): string =>
    history.blocks.get(number)?.hash ?? `0x${createHash("sha256").update(`empty ${number}`).digest("hex")}`;
  const block = (number: number): unknown => {
    if (number > head) return null;
    const known = history.blocks.get(number);
    return {
      number: hex(number),
      hash: hashAt(number),
      parentHash: hashAt(number - 1),
      timestamp: hex(known?.timestamp ?? (first?.timestamp ?? 0) + 12 * (number - (first?.number ?? 0))),
      baseFeePerGas: "0x7",
      transactions: known?.transactions ?? [],
    };
  };
  const result = ({ method, params }: Request): unknown => {
    if (method === "eth_chainId") return hex(chainId);
    if (method === "eth_getCode") return "0x01";
    if (method === "eth_getBlockByNumber") return block(params[0] === "latest" ? head : Number(params[0]));
    throw new TypeError(`nobody should ask for ${method}`);
  };
  return scriptedServer((response, asked) => {
    const request = JSON.parse(asked.body) as Request;
    json({ jsonrpc: "2.0", id: request.id, result: result(request) })(response, asked);
  });
}
