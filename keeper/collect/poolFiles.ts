// States and days of Uniswap pools from files, as public data sets have them.
import canonicalize from "canonicalize";
import { InputFailure } from "../config/failure";
import type { PoolStateRow } from "../store/poolFileRecords";
import { blockTimeTrouble } from "./blockTimes";
import { readNumberCsv, type CsvRow } from "./numberCsv";

/** @throws (`parse`) InputFailure `IMPORT_…` as `readNumberCsv`, `IMPORT_UNSORTED`, `IMPORT_TWICE`, `IMPORT_FUTURE`, `IMPORT_WRONG_CHAIN`. */
export interface PoolFile {
  readonly source: string;
  readonly columns: readonly string[];
  parse(
    bytes: Buffer,
    of: { readonly file: string; readonly subject: string; readonly chainId: number; readonly now: number },
  ): PoolStateRow[];
}

/** What a row says it is of: a moment, or a day. Stored. */
export const POOL_STATE = "import-pool-state";
export const POOL_DAY = "import-pool-day";

const DAY_SECONDS = 86_400;

const HOURLY = ["observed_at", "block", "tick", "liquidity"] as const;
const DAILY = [
  ...["day", "open", "high", "low", "close", "token0_price", "token1_price", "tvl_usd", "volume_usd"],
] as const;

function poolFile(
  source: string,
  columns: readonly string[],
  /** Of a row: when its state was, its block, and what else it says, by column. */
  momentOf: (row: CsvRow) => { readonly observedAt: number; readonly block: number | null },
): PoolFile {
  return {
    source,
    columns,
    parse(bytes, { file, subject, chainId, now }) {
      const rows: PoolStateRow[] = [];
      let last = -1;
      readNumberCsv(bytes, { file, columns }, (row) => {
        const { observedAt, block } = momentOf(row);
        const refuse = (code: string, what: string, remedy: string): InputFailure =>
          new InputFailure(code, what, { field: `${file}: line ${row.line}, column 1`, remedy });
        if (observedAt === last)
          throw refuse("IMPORT_TWICE", "is of the moment of the row before", "Keep one of the two.");
        if (observedAt < last) throw refuse("IMPORT_UNSORTED", "is before the row above", "Sort the rows by time.");
        if (observedAt > now) throw refuse("IMPORT_FUTURE", "is later than now", "Correct the time.");
        const trouble = block === null ? null : blockTimeTrouble(chainId, block, observedAt);
        if (trouble !== null) {
          const remedy = "Name the chain that the file is of (--chain ID), or correct the blocks or times.";
          throw refuse("IMPORT_WRONG_CHAIN", trouble, remedy);
        }
        last = observedAt;
        const state: Record<string, string> = {};
        columns.forEach((name, column) => {
          row.number(column);
          state[name] = row.text(column);
        });
        rows.push({
          ...{ chainId, source, subject, block, observedAt, availableAt: observedAt },
          state: canonicalize(state) as string,
        });
      });
      return rows;
    },
  };
}

export const POOL_FILES: readonly PoolFile[] = [
  poolFile(POOL_STATE, HOURLY, (row) => ({ observedAt: row.whole(0), block: row.whole(1) })),
  // A day is known when it is over.
  poolFile(POOL_DAY, DAILY, (row) => ({ observedAt: row.whole(0) + DAY_SECONDS, block: null })),
];
