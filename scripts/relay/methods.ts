// The relay's JSON-RPC methods, with the limits and the answers of the real ones. What arrives here is signed.
import { z } from "zod";
import { type Bundle, type BundleBook, type BundleTransaction, bundleHash, parseTransaction } from "./bundles";
import type { DevNode } from "./devNode";
import { NodeRefusal } from "./jsonRpc";
import { SimulationRefusal, callBundle } from "./simulation";

const MAX_TRANSACTIONS = 100;
const MAX_BUNDLE_BYTES = 300_000;
/** How long a private transaction waits when its sender names no last block. */
const PRIVATE_TRANSACTION_BLOCKS = 25;

export type Answer =
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "rpc-error"; readonly code: number; readonly message: string }
  | { readonly kind: "http"; readonly status: number; readonly error: unknown };

export interface MethodContext {
  readonly node: DevNode;
  readonly book: BundleBook;
  readonly signer: string;
  /** False: answer, but keep nothing. */
  readonly keep: boolean;
}

const hex = z.string().regex(/^0x[0-9a-fA-F]*$/);
/** Flashbots' library sends block numbers as JSON numbers in places where the documentation wants hex. */
const blockNumber = z
  .union([z.number().int().nonnegative(), z.string().regex(/^0x[0-9a-fA-F]+$/)])
  .transform((value) => Number(value));
const unixSeconds = z.number().int().nonnegative();

const sendBundleParams = z.tuple([
  z.object({
    txs: z.array(hex),
    blockNumber,
    minTimestamp: unixSeconds.optional(),
    maxTimestamp: unixSeconds.optional(),
    revertingTxHashes: z.array(hex).optional(),
    replacementUuid: z.string().optional(),
    uuid: z.string().optional(),
    builders: z.array(z.string()).optional(),
  }),
]);
const callBundleParams = z.tuple([
  z.object({
    txs: z.array(hex).min(1),
    blockNumber,
    stateBlockNumber: z.union([blockNumber, z.enum(["latest", "pending"])]),
    timestamp: unixSeconds.optional(),
    coinbase: hex.optional(),
  }),
]);
const cancelBundleParams = z.tuple([z.object({ replacementUuid: z.string() })]);
const sendPrivateParams = z.tuple([
  z.object({ tx: hex, maxBlockNumber: blockNumber.optional(), preferences: z.unknown().optional() }),
]);
const cancelPrivateParams = z.tuple([z.object({ txHash: hex })]);

const INCORRECT: Answer = { kind: "http", status: 400, error: "incorrect request" };

export async function answer(method: string, params: unknown, context: MethodContext): Promise<Answer> {
  try {
    switch (method) {
      case "eth_sendBundle":
        return await sendBundle(sendBundleParams.parse(params)[0], context);
      case "eth_callBundle":
        return await simulate(callBundleParams.parse(params)[0], context.node);
      case "eth_cancelBundle": {
        const [{ replacementUuid }] = cancelBundleParams.parse(params);
        return { kind: "result", result: context.book.cancel(context.signer, replacementUuid) };
      }
      case "eth_sendPrivateTransaction":
        return await sendPrivate(sendPrivateParams.parse(params)[0], context);
      case "eth_cancelPrivateTransaction": {
        const [{ txHash }] = cancelPrivateParams.parse(params);
        return { kind: "result", result: context.book.cancelPrivate(context.signer, txHash) };
      }
      case "flashbots_getUserStats":
      case "flashbots_getUserStatsV2":
      case "flashbots_getBundleStats":
      case "flashbots_getBundleStatsV2":
      case "flashbots_getSbundleStats":
        return { kind: "http", status: 403, error: { message: "this method is deprecated" } };
      default:
        return { kind: "rpc-error", code: -32601, message: `the method ${method} does not exist/is not available` };
    }
  } catch (failure) {
    if (failure instanceof z.ZodError || failure instanceof MalformedTransaction) return INCORRECT;
    if (failure instanceof SimulationRefusal) return { kind: "rpc-error", code: -32000, message: failure.message };
    if (failure instanceof NodeRefusal) return { kind: "rpc-error", code: -32000, message: `err: ${failure.message}` };
    throw failure;
  }
}

class MalformedTransaction extends Error {}

function parseAll(raws: readonly string[]): BundleTransaction[] {
  return raws.map((raw) => {
    try {
      return parseTransaction(raw);
    } catch (cause) {
      throw new MalformedTransaction("not a signed transaction", { cause });
    }
  });
}

function tooLarge(raws: readonly string[]): Answer | null {
  if (raws.length > MAX_TRANSACTIONS) {
    return {
      kind: "rpc-error",
      code: -32602,
      message: `too many transactions in bundle: ${raws.length} > ${MAX_TRANSACTIONS}`,
    };
  }
  const bytes = raws.reduce((sum, raw) => sum + (raw.length - 2) / 2, 0);
  return bytes > MAX_BUNDLE_BYTES
    ? { kind: "rpc-error", code: -32602, message: `bundle too large: ${bytes} > ${MAX_BUNDLE_BYTES} bytes` }
    : null;
}

async function sendBundle(
  request: z.infer<typeof sendBundleParams>[0],
  { node, book, signer, keep }: MethodContext,
): Promise<Answer> {
  const large = tooLarge(request.txs);
  if (large !== null) return large;
  const uuid = request.replacementUuid ?? request.uuid ?? null;
  if (request.txs.length === 0) {
    // BuilderNet's way to cancel.
    if (uuid === null) return INCORRECT;
    return { kind: "result", result: { bundleHash: book.cancel(signer, uuid)[0] ?? null } };
  }
  const transactions = parseAll(request.txs);
  const head = await node.head();
  if (request.blockNumber <= head.number) {
    return {
      kind: "rpc-error",
      code: -32000,
      message: `target block ${request.blockNumber} has passed, head is ${head.number}`,
    };
  }
  const hash = bundleHash(transactions.map((transaction) => transaction.hash));
  const bundle: Bundle = {
    hash,
    signer,
    transactions,
    firstBlock: request.blockNumber,
    lastBlock: request.blockNumber,
    minTimestamp: request.minTimestamp ?? null,
    // Zero stands for "none" in bundles of other clients.
    maxTimestamp: request.maxTimestamp === 0 ? null : (request.maxTimestamp ?? null),
    mayRevert: new Set((request.revertingTxHashes ?? []).map((each) => each.toLowerCase())),
    uuid,
    isPrivateTransaction: false,
  };
  if (keep) book.add(bundle);
  return { kind: "result", result: { bundleHash: hash, ...(request.builders === undefined ? {} : { smart: "true" }) } };
}

async function simulate(request: z.infer<typeof callBundleParams>[0], node: DevNode): Promise<Answer> {
  const large = tooLarge(request.txs);
  if (large !== null) return large;
  const result = await callBundle(node, {
    transactions: parseAll(request.txs),
    stateBlock: request.stateBlockNumber,
    block: request.blockNumber,
    timestamp: request.timestamp ?? null,
  });
  return { kind: "result", result };
}

async function sendPrivate(
  request: z.infer<typeof sendPrivateParams>[0],
  { node, book, signer, keep }: MethodContext,
): Promise<Answer> {
  const large = tooLarge([request.tx]);
  if (large !== null) return large;
  const transactions = parseAll([request.tx]);
  const head = await node.head();
  const hash = bundleHash(transactions.map((transaction) => transaction.hash));
  const bundle: Bundle = {
    hash,
    signer,
    transactions,
    firstBlock: head.number + 1,
    lastBlock: request.maxBlockNumber ?? head.number + PRIVATE_TRANSACTION_BLOCKS,
    minTimestamp: null,
    maxTimestamp: null,
    mayRevert: new Set(),
    uuid: null,
    isPrivateTransaction: true,
  };
  if (keep) book.add(bundle);
  return { kind: "result", result: transactions[0]?.hash };
}
