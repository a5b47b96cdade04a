// Blocks of the chain with the order of their transactions: what an index of events does not say, and what shows whether
// the index is of this chain.
import { z } from "zod";
import { type Chain, quantity } from "../chain/connect";
import { garbage } from "../chain/failures";

export interface ChainBlock {
  readonly number: number;
  readonly hash: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Hashes, in the order of the block. */
  readonly transactions: readonly string[];
}

/** The block at a height; null where the node has none. @throws as `Chain.request`. */
export type BlockLookup = (number: number) => Promise<ChainBlock | null>;

const hash = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/i)
  .transform((text) => text.toLowerCase());
const count = z
  .string()
  .regex(/^0x[0-9a-f]+$/i)
  .transform(Number);
const blockShape = z.object({ number: count, hash, timestamp: count, transactions: z.array(hash) }).nullable();

/** @throws WorldFailure `RPC_GARBAGE`, and as `Chain.request`. */
export function chainBlocks(chain: Pick<Chain, "request">): BlockLookup {
  return async (number) => {
    const answer = blockShape.safeParse(await chain.request("eth_getBlockByNumber", [quantity(number), false]));
    if (!answer.success || (answer.data !== null && answer.data.number !== number)) {
      throw garbage("eth_getBlockByNumber");
    }
    return answer.data;
  };
}
