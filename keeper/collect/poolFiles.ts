// Files of Uniswap pools that can be imported: hourly states and days, as public data sets have them. They become readings.
// Files of single swaps cannot.
import canonicalize from "canonicalize";
import { InputFailure } from "../config/failure";
import type { ReadingRow } from "../store/historyRecords";
import { readNumberCsv, type CsvRow } from "./numberCsv";

export interface PoolFile {
  readonly source: string;
  readonly columns: readonly string[];
  parse(
    bytes: Buffer,
    of: { readonly file: string; readonly subject: string; readonly chainId: number; readonly now: number },
  ): ReadingRow[];
}

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
      const rows: ReadingRow[] = [];
      let last = -1;
      readNumberCsv(bytes, { file, columns }, (row) => {
        const { observedAt, block } = momentOf(row);
        const refuse = (code: string, what: string, remedy: string): InputFailure =>
          new InputFailure(code, what, { field: `${file}: line ${row.line}, column 1`, remedy });
        if (observedAt === last)
          throw refuse("IMPORT_TWICE", "is of the moment of the row before", "Keep one of the two.");
        if (observedAt < last) throw refuse("IMPORT_UNSORTED", "is before the row above", "Sort the rows by time.");
        if (observedAt > now) throw refuse("IMPORT_FUTURE", "is later than now", "Correct the time.");
        last = observedAt;
        const state: Record<string, string> = {};
        columns.forEach((name, column) => {
          row.number(column);
          state[name] = row.text(column);
        });
        rows.push({
          ...{ chainId, source, subject, block, blockHash: null, observedAt, availableAt: observedAt },
          state: canonicalize(state) as string,
        });
      });
      return rows;
    },
  };
}

export const POOL_FILES: readonly PoolFile[] = [
  poolFile("import-pool-state", HOURLY, (row) => ({ observedAt: row.whole(0), block: row.whole(1) })),
  // A day is known when it is over.
  poolFile("import-pool-day", DAILY, (row) => ({ observedAt: row.whole(0) + DAY_SECONDS, block: null })),
];

/** By which a file of swaps is known, whatever else it has. */
const SWAPS = ["block", "log_index", "pool", "amount0", "amount1"] as const;
/** Without which no event is stored: its moment, and the block that a reorganisation would take it back with. */
const OF_EVENTS = { observed_at: "time", block_hash: "hash" } as const;

/** @throws InputFailure `IMPORT_SWAPS` when the file is one of swaps whose blocks it says too little of. */
export function refuseSwaps(header: readonly string[], file: string): void {
  if (!SWAPS.every((column) => header.includes(column))) return;
  const missing = Object.entries(OF_EVENTS).flatMap(([column, what]) => (header.includes(column) ? [] : [what]));
  if (missing.length === 0) return;
  throw new InputFailure("IMPORT_SWAPS", `holds swaps without the ${missing.join(" and the ")} of their blocks`, {
    field: `${file}: line 1`,
    remedy:
      "Collect them from a node instead, which knows both: tiller backfill --source uniswap-v3 --pool ADDRESS --from BLOCK --to BLOCK.",
  });
}
