// The moments of a historic sweep: blocks on a grid of time or of block numbers. A grid is anchored at zero, so that its blocks
// are the same whatever range is asked for, and however the range is cut.
import { firstBlockBetween } from "../chain/blockByTime";
import { concurrently } from "../chain/concurrently";
import type { Chain } from "../chain/connect";
import type { Head } from "../chain/heads";
import { blocksIn } from "./blockRanges";
import { REQUESTS_AT_ONCE, canonicalBlock } from "./rangeLogs";

/**
 * `seconds`: the first block at or after each multiple, which is the one that a collector of these buckets sees first; of
 * several multiples that one block is the first after, it is the block of all. `blocks`: the blocks whose number is a multiple.
 */
export interface SweepGrid {
  readonly every: number;
  readonly unit: "seconds" | "blocks";
}

/** As an operator writes it: `300s`, `25b`. */
export const gridText = ({ every, unit }: SweepGrid): string => `${every}${unit === "seconds" ? "s" : "b"}`;

/** Null: it is no grid. */
export function parsedGrid(text: string): SweepGrid | null {
  const [, every, unit] = /^([1-9]\d{0,7})([sb])$/.exec(text) ?? [];
  return every === undefined ? null : { every: Number(every), unit: unit === "s" ? "seconds" : "blocks" };
}

export interface GridRange {
  /** No more blocks than that are on the grid; of a grid of blocks it is their number. */
  readonly most: number;
  /** The blocks of the range that are on the grid, oldest first. @throws WorldFailure `BLOCK_GONE`, `BLOCK_UNAVAILABLE`. */
  blocks(): Promise<Head[]>;
}

/**
 * @param range Its first block, and the header of its last one.
 * @throws WorldFailure `BLOCK_GONE`, and as `Chain.request`.
 */
export async function openGrid(
  chain: Chain,
  { every, unit }: SweepGrid,
  range: { readonly from: number; readonly last: Head },
): Promise<GridRange> {
  const { from, last } = range;
  if (unit === "blocks") {
    const first = Math.ceil(from / every) * every;
    const most = Math.max(0, Math.floor((last.number - first) / every) + 1);
    const numbers = Array.from({ length: most }, (_, k) => first + k * every);
    return {
      most,
      blocks: () => concurrently(numbers, REQUESTS_AT_ONCE, (number) => canonicalBlock(chain, number)),
    };
  }
  // Nobody saw a block before block 0: that one is on every grid.
  const start = await canonicalBlock(chain, Math.max(0, from - 1));
  const opening = from === 0 ? [start] : [];
  const bucket = ({ timestamp }: Head): number => Math.floor(timestamp / every);
  return {
    most: Math.min(bucket(last) - bucket(start) + opening.length, blocksIn({ from, to: last.number })),
    async blocks() {
      const found = [...opening];
      for (let before = start; ;) {
        const time = (bucket(before) + 1) * every;
        if (time > last.timestamp) return found;
        before = await firstBlockBetween(chain, time, { before, found: last });
        found.push(before);
      }
    },
  };
}
