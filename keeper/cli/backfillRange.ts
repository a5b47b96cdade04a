// What an operator writes as the ends of a range: a block, a date, or `final`.
import { InputFailure } from "../config/failure";
import { firstBlockAtOrAfter } from "../chain/blockByTime";
import type { Chain } from "../chain/connect";
import { garbage } from "../chain/failures";
import { blockAt } from "../chain/heads";
import type { BlockRange } from "../collect/blockRanges";
import { DATES, secondsOf } from "./optionValues";

type RangeEnd =
  | { readonly kind: "block"; readonly block: number }
  | { readonly kind: "time"; readonly seconds: number }
  | { readonly kind: "final" };

/** @throws InputFailure `RANGE_MALFORMED`. */
export function rangeEnd(text: string, field: "--from" | "--to"): RangeEnd {
  if (/^\d{1,15}$/.test(text)) return { kind: "block", block: Number(text) };
  if (text === "final" && field === "--to") return { kind: "final" };
  const seconds = secondsOf(text);
  if (seconds !== null) return { kind: "time", seconds };
  throw new InputFailure("RANGE_MALFORMED", "is neither a block nor a date", {
    field,
    remedy: `Write a block number, ${DATES}${field === "--to" ? ", or final" : ""}.`,
  });
}

/**
 * The blocks of [from, to]. Of times: the blocks in [from, to), so that one day's backfill ends where the next begins.
 *
 * @throws InputFailure `RANGE_EMPTY`; else as `firstBlockAtOrAfter`.
 */
export async function blockRange(
  chain: Chain,
  ends: { readonly from: RangeEnd; readonly to: RangeEnd },
  finalityBlocks: number,
): Promise<BlockRange> {
  const first = await firstBlock(chain, ends.from);
  const last = await lastBlock(chain, ends.to, finalityBlocks);
  if (first <= last) return { from: first, to: last };
  throw new InputFailure("RANGE_EMPTY", `the range ends at block ${last}, before it begins at block ${first}`, {
    field: "--from",
    remedy: "Begin at or before the end.",
  });
}

async function firstBlock(chain: Chain, end: RangeEnd): Promise<number> {
  switch (end.kind) {
    case "block":
      return end.block;
    case "time":
      return firstBlockAtOrAfter(chain, end.seconds);
    case "final":
      throw new TypeError("a range does not begin at the final block");
  }
}

async function lastBlock(chain: Chain, end: RangeEnd, finalityBlocks: number): Promise<number> {
  switch (end.kind) {
    case "block":
      return end.block;
    case "time":
      return (await firstBlockAtOrAfter(chain, end.seconds)) - 1;
    case "final": {
      const head = await blockAt(chain, "latest");
      if (head === null) throw garbage("eth_getBlockByNumber");
      return head.number - finalityBlocks;
    }
  }
}
