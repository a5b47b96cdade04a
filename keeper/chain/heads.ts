// New heads of the chain, by polling: every endpoint can be polled, and what a poll missed is seen by the next one.
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../config/failure";
import { type Chain, quantity } from "./connect";
import { garbage } from "./failures";

export interface Head {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Wei; zero before EIP-1559. */
  readonly baseFeePerGas: bigint;
  /**
   * First height at which the chain is another than the one that earlier heads showed; null while it only grew.
   * Everything read at this height or above under an older hash is void.
   */
  readonly reorgedFrom: number | null;
}

/** Heights remembered to find where a reorganisation began: twice the time to finality. */
const REMEMBERED = 128;
const LONGEST_PAUSE_MS = 5_000;

export interface HeadOptions {
  readonly pollMs: number;
  readonly signal: AbortSignal;
}

/**
 * Heads as they come, the newest only when several came at once; the current one first. Ends with the signal.
 * A node that is down, or answers garbage, is asked again more and more slowly (the provider reports the outage once); a
 * node that lags behind heads already seen yields nothing.
 */
export async function* headStream(chain: Chain, options: HeadOptions): AsyncGenerator<Head, void, void> {
  const seen = new Map<number, string>();
  let last: Head | null = null;
  let failures = 0;
  while (!options.signal.aborted) {
    try {
      const head: Head | null = await nextHead(chain, seen, last);
      failures = 0;
      if (head !== null && !options.signal.aborted) {
        last = head;
        remember(seen, head);
        yield head;
        continue;
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures += 1;
    }
    const pause = failures === 0 ? options.pollMs : Math.min(options.pollMs * 2 ** failures, LONGEST_PAUSE_MS);
    await sleep(Math.max(pause, options.pollMs), undefined, { signal: options.signal }).catch(() => undefined);
  }
}

async function nextHead(chain: Chain, seen: ReadonlyMap<number, string>, last: Head | null): Promise<Head | null> {
  const head = await newestBlock(chain);
  if (last === null) return head;
  if (head.hash === last.hash) return null;
  if (head.number > last.number) {
    const ancestor = head.number === last.number + 1 ? head.parentHash : (await blockAt(chain, last.number))?.hash;
    return ancestor === last.hash ? head : { ...head, reorgedFrom: await divergence(chain, seen, last.number) };
  }
  // Lower or as high as what was seen: a node that lags shows a block that we know, a reorganisation another one.
  if (seen.get(head.number) === head.hash) return null;
  return { ...head, reorgedFrom: await divergence(chain, seen, Math.min(head.number, last.number)) };
}

/** Lowest remembered height whose block is no longer the chain's, walking down from `from`. */
async function divergence(chain: Chain, seen: ReadonlyMap<number, string>, from: number): Promise<number> {
  let first = from;
  for (let height = from - 1; ; height -= 1) {
    const known = seen.get(height);
    if (known === undefined) {
      // A height that was skipped: it cannot be told apart from the one above unless something below is known.
      if (![...seen.keys()].some((other) => other < height)) return first;
      first = height;
      continue;
    }
    if ((await blockAt(chain, height))?.hash === known) return first;
    first = height;
  }
}

function remember(seen: Map<number, string>, head: Head): void {
  for (const height of [...seen.keys()]) {
    const replaced = head.reorgedFrom !== null && height >= head.reorgedFrom;
    if (replaced || height > head.number || height <= head.number - REMEMBERED) seen.delete(height);
  }
  seen.set(head.number - 1, head.parentHash);
  seen.set(head.number, head.hash);
}

/** The block at a height (or with a hash), without its transactions; null where the node has none. */
export async function blockAt(
  chain: Chain,
  block: number | "latest" | { readonly hash: string },
): Promise<Head | null> {
  const raw =
    typeof block === "object"
      ? await chain.request("eth_getBlockByHash", [block.hash, false])
      : await chain.request("eth_getBlockByNumber", [block === "latest" ? block : quantity(block), false]);
  if (raw === null) return null;
  return headOf(raw);
}

/** @throws WorldFailure `RPC_GARBAGE` where the node has none; else as `Chain.request`. */
export async function newestBlock(chain: Chain): Promise<Head> {
  const head = await blockAt(chain, "latest");
  if (head === null) throw garbage("eth_getBlockByNumber");
  return head;
}

const HASH = /^0x[0-9a-f]{64}$/;

function headOf(raw: unknown): Head {
  if (typeof raw !== "object" || raw === null) throw garbage("eth_getBlockByNumber");
  const { number, hash, parentHash, timestamp, baseFeePerGas } = raw as Record<string, unknown>;
  const integer = (value: unknown): number => {
    const parsed = typeof value === "string" && /^0x[0-9a-f]+$/i.test(value) ? Number(value) : NaN;
    if (!Number.isSafeInteger(parsed)) throw garbage("eth_getBlockByNumber");
    return parsed;
  };
  const hashOf = (value: unknown): string => {
    const lower = typeof value === "string" ? value.toLowerCase() : "";
    if (!HASH.test(lower)) throw garbage("eth_getBlockByNumber");
    return lower;
  };
  return {
    number: integer(number),
    hash: hashOf(hash),
    parentHash: hashOf(parentHash),
    timestamp: integer(timestamp),
    baseFeePerGas: typeof baseFeePerGas === "string" ? BigInt(baseFeePerGas) : 0n,
    reorgedFrom: null,
  };
}
