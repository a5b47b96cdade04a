// The block of a moment, found by bisection over the blocks' own times, which never fall along a chain.
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
  let [before, found] = [-1, newest.number];
  while (found - before > 1) {
    const middle = before + Math.floor((found - before) / 2);
    if ((await required(chain, middle)).timestamp < time) before = middle;
    else found = middle;
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
