// The canonical history file: one series, CSV, keyed by `available_at`. What cannot be right is refused with its line.
import { InputFailure } from "../config/failure";
import type { HistoryRow } from "../store/historyRecords";
import { blockTimeTrouble } from "./blockTimes";
import { readNumberCsv, type CsvRow } from "./numberCsv";

export const CANONICAL_COLUMNS = [
  "observed_at",
  "available_at",
  "block",
  "supplied_usd",
  "borrowed_usd",
  "supply_apr",
  "borrow_apr",
] as const;

const [OBSERVED, AVAILABLE, BLOCK, SUPPLIED, BORROWED, SUPPLY_APR, BORROW_APR] = [0, 1, 2, 3, 4, 5, 6] as const;

/** What the rates of a file are in. `ask`: not said, so a file that looks like percent is refused. */
export type RateUnit = "fraction" | "percent" | "ask";

export interface CanonicalOptions {
  /** Shown in failures. */
  readonly file: string;
  readonly chainId: number;
  readonly rates: RateUnit;
  /** Unix seconds: nothing that was known later than this is taken. */
  readonly now: number;
  /** Goes into each row. */
  readonly source: string;
}

/**
 * Medians that fractions a year do not have: nobody is paid 50 % a year for years. A borrow rate above 100 % alone is no
 * sign (Aave set one to drive borrowers of BUSD out); beside a supply rate above 20 % it is.
 */
const PERCENT = { supply: 0.5, borrow: 1, supplyBeside: 0.2 } as const;

/** Seconds that are milliseconds: the year 5138. */
const MILLISECONDS = 1e11;

/** A row whose flags are still to be set: they depend on what is stored before it. */
export type UnflaggedRow = Omit<HistoryRow, "flags"> & { flags: number };

/**
 * Rows of a canonical file, in its order, without flags.
 *
 * @throws InputFailure `IMPORT_COLUMNS`, `IMPORT_MALFORMED`, `IMPORT_EMPTY`, `IMPORT_UNSORTED`, `IMPORT_TWICE`,
 * `IMPORT_FUTURE`, `IMPORT_UNITS`, `IMPORT_WRONG_CHAIN`.
 */
export function parseCanonical(bytes: Buffer, options: CanonicalOptions): UnflaggedRow[] {
  const rows: UnflaggedRow[] = [];
  const scale = options.rates === "percent" ? 0.01 : 1;
  const rate = (row: CsvRow, column: number): number | null => {
    const value = row.number(column);
    return value === null ? null : value * scale;
  };
  let last = 0;
  readNumberCsv(bytes, { file: options.file, columns: CANONICAL_COLUMNS }, (row) => {
    const availableAt = row.whole(AVAILABLE);
    const observedAt = row.whole(OBSERVED);
    const inOrder = observedAt <= availableAt && last < availableAt && availableAt <= options.now;
    if (!inOrder || availableAt > MILLISECONDS) throw wrongTimes(row, { observedAt, availableAt, last }, options);
    last = availableAt;
    const block = row.whole(BLOCK);
    const trouble = blockTimeTrouble(options.chainId, block, observedAt);
    if (trouble !== null) throw wrongChain(row, options, trouble);
    rows.push({
      observedAt,
      availableAt,
      block,
      blockHash: null,
      source: options.source,
      suppliedUsd: row.number(SUPPLIED),
      borrowedUsd: row.number(BORROWED),
      supplyApr: rate(row, SUPPLY_APR),
      borrowApr: rate(row, BORROW_APR),
      index: null,
      flags: 0,
    });
  });
  if (options.rates === "ask") checkUnits(rows, options.file);
  return rows;
}

function wrongTimes(
  row: CsvRow,
  at: { readonly observedAt: number; readonly availableAt: number; readonly last: number },
  options: CanonicalOptions,
): InputFailure {
  const { observedAt, availableAt, last } = at;
  const field = `${options.file}: line ${row.line}, column available_at`;
  if (availableAt > MILLISECONDS) return row.malformed(AVAILABLE, "is no time in seconds: milliseconds?");
  if (observedAt > availableAt) return row.malformed(OBSERVED, "is later than available_at: known before it was");
  if (availableAt > options.now) {
    return new InputFailure("IMPORT_FUTURE", `${availableAt} is later than now`, {
      field,
      remedy: "Correct the time, or the clock of this machine.",
    });
  }
  if (availableAt === last) {
    return new InputFailure("IMPORT_TWICE", `${availableAt} is that of the row before too`, {
      field,
      remedy: "Keep one row for each available_at: of two, the one that was observed last.",
    });
  }
  return new InputFailure("IMPORT_UNSORTED", `${availableAt} is before that of the row above`, {
    field,
    remedy: "Sort the rows by available_at.",
  });
}

function checkUnits(rows: readonly HistoryRow[], file: string): void {
  const [supply, borrow] = [medianRate(rows, "supplyApr"), medianRate(rows, "borrowApr")];
  if (supply <= PERCENT.supply && (borrow <= PERCENT.borrow || supply <= PERCENT.supplyBeside)) return;
  throw new InputFailure(
    "IMPORT_UNITS",
    `half of the rates are above ${supply.toPrecision(3)}, which is ${(supply * 100).toPrecision(3)} % a year`,
    {
      field: `${file}: column supply_apr`,
      remedy: "Say what they are: --rates percent (5 is 5 %) or --rates fraction (5 is 500 %).",
    },
  );
}

/** Of those that are not zero; zero of none. */
function medianRate(rows: readonly HistoryRow[], column: "supplyApr" | "borrowApr"): number {
  const values = new Float64Array(rows.length);
  let count = 0;
  for (const row of rows) {
    const value = row[column];
    if (value !== null && value !== 0) values[count++] = value;
  }
  return values.subarray(0, count).sort()[count >> 1] ?? 0;
}

function wrongChain(row: CsvRow, options: CanonicalOptions, what: string): InputFailure {
  return new InputFailure("IMPORT_WRONG_CHAIN", what, {
    field: `${options.file}: line ${row.line}, column block`,
    remedy: "Name the chain that the file is of (--chain ID), or correct the blocks or times.",
  });
}
