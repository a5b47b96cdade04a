// One number for what a range of blocks holds: SHA-256 over its events, a line each, in the chain's order. It depends on
// neither the chunks nor the run that collected them, so two stores with the same number hold the same events.
import { createHash, type Hash } from "node:crypto";
import type { EventRow, HistoryStore, BackfillKey } from "../store/historyRecords";
import type { BlockRange } from "./blockRanges";

/**
 * What the chain says of an event. Not `availableAt`, for when we knew it differs from run to run, nor the price impact,
 * which is worked out from the swap before and unknown where a node no longer has the state before a chunk.
 */
function canonicalLine(row: EventRow): string {
  return `${JSON.stringify([
    ...[row.chainId, row.source, row.pool.toLowerCase(), row.kind, row.block, row.blockHash],
    ...[row.txHash, row.txIndex, row.logIndex, row.observedAt, row.sender, row.recipient],
    ...[row.amount0, row.amount1, row.sqrtPriceX96, row.liquidity, row.tick, row.tickLower, row.tickUpper],
    ...[row.gasUsed, row.gasPriceWei],
    // Of pools with ticks there is nothing more to say, and what was said before such columns still holds.
    ...(row.coinAmounts === null ? [] : [row.coinAmounts, row.coinFees, row.receipts]),
  ])}\n`;
}

function addTo(hash: Hash, rows: readonly EventRow[]): void {
  hash.update(rows.map(canonicalLine).join(""));
}

/** Hex, without 0x. */
export function checksumOf(rows: readonly EventRow[]): string {
  const hash = createHash("sha256");
  addTo(hash, rows);
  return hash.digest("hex");
}

/** Of what is stored of a range, read in batches. */
export async function storedChecksum(
  store: HistoryStore,
  key: BackfillKey,
  range: BlockRange,
): Promise<{ readonly rows: number; readonly checksum: string }> {
  const hash = createHash("sha256");
  let rows = 0;
  const { chainId, source, subject } = key;
  const query = { chainId, source, pool: subject, fromBlock: range.from, toBlock: range.to };
  for await (const batch of store.events(query)) {
    addTo(hash, batch);
    rows += batch.length;
  }
  return { rows, checksum: hash.digest("hex") };
}
