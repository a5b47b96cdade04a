// A piece of reading at the chain's newest block, which may be gone before it is read: then at the next one.
import { setTimeout as sleep } from "node:timers/promises";
import { WorldFailure } from "../config/failure";
import type { Chain } from "./connect";
import { newestBlock, type Head } from "./heads";

const TRIES = 4;
/** Before the second try; twice as long before each further one. */
const PAUSE_MS = 100;
/** What a block says that was reorganised away, that this endpoint has not got yet, or over which the node was making the next. */
const PASSING = new Set(["BLOCK_GONE", "SNAPSHOT_OF_ANOTHER_BLOCK"]);

/** @throws what `work` throws; `RPC_…` of asking for the block. */
export async function atNewestBlock<T>(chain: Chain, work: (head: Head) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work(await newestBlock(chain));
    } catch (error) {
      if (!(error instanceof WorldFailure) || !PASSING.has(error.code) || tries === TRIES) throw error;
      await sleep(PAUSE_MS * 2 ** (tries - 1));
    }
  }
}
