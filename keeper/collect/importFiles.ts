// Imports history from files: canonical series, and the states and days of Uniswap pools. Every file is read whole and found
// sound before the first row of any is stored.
import { createHash } from "node:crypto";
import { setImmediate as immediately } from "node:timers/promises";
import { InputFailure } from "../config/failure";
import type { HistoryRow, HistoryStore, Inserted, ReadingRow } from "../store/historyRecords";
import { parseCanonical, type RateUnit } from "./canonicalHistory";
import { contentOf, seriesNameOf } from "./historyFile";
import { headerOf } from "./numberCsv";
import { POOL_FILES, type PoolFile } from "./poolFiles";
import { rowsBefore, withFlags } from "./quality";

export interface ImportOptions {
  readonly chainId: number;
  readonly rates: RateUnit;
  /** Unix seconds. */
  readonly now: number;
  /** Called after each file that was stored. */
  readonly progress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

export interface ImportReport {
  readonly files: number;
  readonly rowsRead: number;
  readonly rowsInserted: number;
  readonly rowsUnchanged: number;
  /** Rows with at least one flag. */
  readonly flagged: number;
}

/** Files that are stored at a time: while one is written to text, another is written to disk. */
const PARALLEL = 3;

type Parsed =
  | { readonly kind: "series"; readonly name: string; readonly rows: HistoryRow[] }
  | { readonly kind: "pool"; readonly name: string; readonly rows: ReadingRow[] };

/**
 * A file's series is named as the file is, without its endings.
 *
 * @throws InputFailure `IMPORT_…` (see {@link parseCanonical}), `IMPORT_UNREADABLE`, `IMPORT_NAME`; WorldFailure as
 * {@link HistoryStore.addHistory}.
 */
export async function importFiles(
  store: HistoryStore,
  files: readonly string[],
  options: ImportOptions,
): Promise<ImportReport> {
  const parsed: Parsed[] = [];
  for (const file of files) {
    parsed.push(parse(file, options));
    // Else a signal of the process would be heard only after the last file.
    await immediately();
    options.signal?.throwIfAborted();
  }
  checkNames(files, parsed);
  const report = { files: files.length, rowsRead: 0, rowsInserted: 0, rowsUnchanged: 0, flagged: 0 };
  let [next, done] = [0, 0];
  const work = async (): Promise<void> => {
    for (let k = next++; k < parsed.length; k = next++) {
      options.signal?.throwIfAborted();
      const one = parsed[k] as Parsed;
      const { inserted, unchanged, flagged } = await storeOne(store, one, options.chainId);
      report.rowsRead += one.rows.length;
      report.rowsInserted += inserted;
      report.rowsUnchanged += unchanged;
      report.flagged += flagged;
      options.progress?.((done += 1), parsed.length);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return report;
}

async function storeOne(store: HistoryStore, one: Parsed, chainId: number): Promise<Inserted & { flagged: number }> {
  if (one.kind === "pool") return { ...(await store.addReadings(one.rows)), flagged: 0 };
  const series = { chainId, name: one.name };
  const first = one.rows[0] as HistoryRow;
  const rows = withFlags(await rowsBefore(store, series, first.availableAt), one.rows);
  const stored = await store.addHistory(series, rows);
  return { ...stored, flagged: rows.reduce((count, { flags }) => count + (flags === 0 ? 0 : 1), 0) };
}

function parse(file: string, options: ImportOptions): Parsed {
  const bytes = contentOf(file);
  const text = bytes.toString("utf8");
  const name = seriesNameOf(file);
  const source = `import:${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
  const pool = POOL_FILES.find(({ columns }) => columns.every((column) => headerOf(text).includes(column)));
  if (pool !== undefined) return { kind: "pool", name, rows: poolRows(pool, { text, file, name, options }) };
  return { kind: "series", name, rows: parseCanonical(text, { ...options, file, source }) };
}

function poolRows(
  pool: PoolFile,
  of: { readonly text: string; readonly file: string; readonly name: string; readonly options: ImportOptions },
): ReadingRow[] {
  const { chainId, now } = of.options;
  return pool.parse(of.text, { file: of.file, subject: of.name, chainId, now });
}

function checkNames(files: readonly string[], parsed: readonly Parsed[]): void {
  const seen = new Map<string, string>();
  parsed.forEach(({ name }, k) => {
    const file = files[k] as string;
    const other = seen.get(name);
    if (other !== undefined) {
      throw new InputFailure("IMPORT_NAME", `names the series ${name}, as ${other} does`, {
        field: file,
        remedy: "Give each series one file, or import them one after the other.",
      });
    }
    seen.set(name, file);
  });
}
