// What was collected above the finalised block, against the chain as it is now: what was reorganised away is forgotten,
// what has become final stays. Of all sources and subjects of the chain at once, for both change a chain as a whole.
import { WorldFailure } from "../config/failure";
import { concurrently } from "../chain/concurrently";
import type { Chain } from "../chain/connect";
import { blockAt, newestBlock } from "../chain/heads";
import { steadfast } from "../chain/steadfast";
import type { HistoryStore } from "../store/historyRecords";

/** Headers that a node is asked for at a time. */
const BLOCKS_AT_ONCE = 8;

export interface Settled {
  /** Newest block. */
  readonly head: number;
  /** Newest block that cannot be undone; negative on a chain that is too young. */
  readonly final: number;
  /** Rows that were forgotten. */
  readonly forgotten: number;
}

/**
 * The last block of every tentative range (a chunk, a block that was read) is compared with the chain's, also where a later one agrees: two workers may have
 * read two forks. What follows the first that differs is forgotten, then what is final is marked so.
 *
 * @throws WorldFailure `RPC_BEHIND` when the node does not have a block that is stored: it lags, which is no reorganisation.
 */
export async function settle(
  store: HistoryStore,
  chain: Chain,
  options: { readonly finalityBlocks: number },
): Promise<Settled> {
  const steady = steadfast(chain);
  const [{ number: head }, tentative] = await Promise.all([newestBlock(steady), store.tentativeRanges(chain.chainId)]);
  const final = head - options.finalityBlocks;
  if (tentative.length === 0) return { head, final, forgotten: 0 };

  let forgotten = 0;
  const ends = [...new Set(tentative.map(({ toBlock }) => toBlock))];
  const found = await concurrently(ends, BLOCKS_AT_ONCE, (block) => blockAt(steady, block));
  const hashes = new Map(ends.map((block, k) => [block, found[k]?.hash]));
  for (const { fromBlock, toBlock, toHash } of [...tentative].sort((a, b) => a.toBlock - b.toBlock)) {
    const hash = hashes.get(toBlock);
    if (hash === undefined) throw behind(head, toBlock);
    if (hash === toHash) continue;
    forgotten = await store.rollBack(chain.chainId, fromBlock - 1);
    break;
  }
  if (final >= 0) await store.finalise(chain.chainId, final);
  return { head, final, forgotten };
}

export function behind(head: number, wanted: number): WorldFailure {
  return new WorldFailure("RPC_BEHIND", `the node has blocks up to ${head}, not yet block ${wanted}`, {
    field: "chain.rpcUrls",
    remedy: "Wait until it has caught up, or use another endpoint.",
  });
}
