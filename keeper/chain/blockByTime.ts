// The block of a moment, searched by the blocks' own times, which never fall along a chain.
import { WorldFailure } from "../config/failure";
import type { Chain } from "./connect";
import { blockAt, type Head } from "./heads";

/**
 * Number of the first block at or after `time`; one more than the newest where all are older.
 *
 * @param time Unix seconds.
 * @throws WorldFailure `BLOCK_UNAVAILABLE` when the node no longer has a block on the way; else as `Chain.request`.
 */
export async function firstBlockAtOrAfter(chain: Chain, time: number): Promise<number> {
  const newest = await required(chain, "latest");
  if (newest.timestamp < time) return newest.number + 1;
  // Nodes that drop old blocks keep the first one.
  const first = newest.number === 0 ? newest : await required(chain, 0);
  if (first.timestamp >= time) return 0;
  return (await firstBlockBetween(chain, time, { before: first, found: newest })).number;
}

/** Guesses by proportion before it goes by halves: blocks mostly come evenly. */
const EVEN_GUESSES = 6;

/**
 * The first block at or after `time`, unix seconds, of those after `before`, which is older, and up to `found`, which is not.
 *
 * @throws as `firstBlockAtOrAfter`.
 */
export async function firstBlockBetween(
  chain: Chain,
  time: number,
  ends: { readonly before: Head; readonly found: Head },
): Promise<Head> {
  let { before, found } = ends;
  for (let guesses = 0; found.number - before.number > 1; guesses += 1) {
    const blocks = found.number - before.number;
    const share = (time - before.timestamp) / (found.timestamp - before.timestamp);
    const step = guesses < EVEN_GUESSES ? Math.ceil(blocks * share) : blocks >> 1;
    const block = await required(chain, before.number + Math.min(Math.max(step, 1), blocks - 1));
    if (block.timestamp < time) before = block;
    else found = block;
  }
  return found;
}

async function required(chain: Chain, block: number | "latest"): Promise<Head> {
  const found = await blockAt(chain, block);
  if (found !== null) return found;
  throw new WorldFailure("BLOCK_UNAVAILABLE", `the node does not have block ${block}`, {
    field: "chain.rpcUrls",
    remedy: "Use an endpoint with the whole chain, or name blocks instead of times.",
  });
}
