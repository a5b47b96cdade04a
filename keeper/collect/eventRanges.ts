// Ranges of a source of events as what a backfill is of.
import { WorldFailure } from "../config/failure";
import type { EventRow } from "../store/historyRecords";
import type { BlockRange } from "./blockRanges";
import { checksumOf, storedChecksum } from "./eventChecksum";
import type { RangeRows, RangeSource, RangeWork } from "./rangeSource";

export function workOf(source: RangeSource): RangeWork {
  const { key } = source;
  return {
    key,
    async collect(from, to, signal) {
      const { rows, toHash } = await source.collect(from, to, signal);
      checkRows(source, { from, to }, { rows, toHash });
      return {
        toHash,
        rows: rows.length,
        checksum: checksumOf(rows),
        add: (store, chunk) => store.addEvents(key, chunk, rows),
      };
    },
    stored: async (store, range) => ({ ...(await storedChecksum(store, key, range)), absent: [] }),
  };
}

/** A source that gives what was not asked for would be stored as if it were the chain. */
function checkRows({ key }: RangeSource, { from, to }: BlockRange, { rows, toHash }: RangeRows): void {
  let before: EventRow | null = null;
  for (const row of rows) {
    const wrong =
      row.chainId !== key.chainId || row.source !== key.source || row.pool.toLowerCase() !== key.subject.toLowerCase()
        ? "of something else"
        : row.block < from || row.block > to
          ? "outside the range"
          : before !== null &&
              (row.block < before.block || (row.block === before.block && row.logIndex <= before.logIndex))
            ? "out of order"
            : (row.block === to && row.blockHash !== toHash) ||
                (row.block === before?.block && row.blockHash !== before.blockHash)
              ? "of two chains"
              : null;
    if (wrong !== null) {
      throw new WorldFailure("SOURCE_GARBAGE", `${key.source} gives events ${wrong} for blocks ${from} to ${to}`, {
        field: key.source,
        remedy: "Use another endpoint; if all do so, report it.",
      });
    }
    before = row;
  }
}
