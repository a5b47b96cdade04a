// Imports history from files: canonical series; states, days, single swaps and descriptions of Uniswap pools. Every file is read
// whole and found sound before the first row of any is stored.
import { createHash } from "node:crypto";
import { setImmediate as immediately } from "node:timers/promises";
import { InputFailure } from "../config/failure";
import type { HistoryStore, Inserted } from "../store/historyRecords";
import type { DescribedPool, PoolStateRow, SampledSwap } from "../store/poolFileRecords";
import { parseCanonical, type RateUnit, type UnflaggedRow } from "./canonicalHistory";
import { contentOf, seriesNameOf } from "./historyFile";
import { headerOf } from "./numberCsv";
import { POOL_FILES } from "./poolFiles";
import { SeriesQuality, rowsBefore } from "./quality";
import { isOfPools, isOfSwaps, parsePools, parseSwaps } from "./swapFiles";

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
  /** Rows of series with at least one flag. */
  readonly flagged: number;
}

/** Files that are stored at a time: while one is made ready here, the server writes another. */
const PARALLEL = 3;

type Parsed =
  | { readonly kind: "series"; readonly name: string; readonly rows: UnflaggedRow[] }
  | { readonly kind: "states"; readonly name: string; readonly rows: PoolStateRow[] }
  | { readonly kind: "swaps"; readonly name: string; readonly rows: SampledSwap[] }
  | { readonly kind: "pools"; readonly name: string; readonly rows: DescribedPool[] };

/**
 * A file's series is named as the file is, without its endings.
 *
 * @throws InputFailure `IMPORT_…` (see {@link parseCanonical}, {@link parseSwaps}), `IMPORT_UNREADABLE`, `IMPORT_NAME`; WorldFailure
 * as {@link HistoryStore.addHistory}.
 */
export async function importFiles(
  store: HistoryStore,
  files: readonly string[],
  options: ImportOptions,
): Promise<ImportReport> {
  const parsed = await parseAll(files, options);
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

/** In their order; while one is read, the next one is unpacked beside it. */
async function parseAll(files: readonly string[], options: ImportOptions): Promise<Parsed[]> {
  const parsed: Parsed[] = [];
  let next = files[0] === undefined ? null : contentOf(files[0]);
  for (let k = 0; next !== null; k += 1) {
    const bytes = await next;
    const following = files[k + 1];
    next = following === undefined ? null : contentOf(following);
    // Its failure is met where it is waited for, unless this file's comes first.
    next?.catch(() => undefined);
    parsed.push(parse(files[k] as string, bytes, options));
    // Else a signal of the process would be heard only after the last file.
    await immediately();
    options.signal?.throwIfAborted();
  }
  return parsed;
}

async function storeOne(store: HistoryStore, one: Parsed, chainId: number): Promise<Inserted & { flagged: number }> {
  switch (one.kind) {
    case "states":
      return { ...(await store.poolFiles.addStates(one.rows)), flagged: 0 };
    case "swaps":
      return { ...(await store.poolFiles.addSwaps(one.rows)), flagged: 0 };
    case "pools":
      return { ...(await store.poolFiles.addPools(one.rows)), flagged: 0 };
    case "series":
      return storeSeries(store, one, chainId);
  }
}

async function storeSeries(
  store: HistoryStore,
  one: { readonly name: string; readonly rows: UnflaggedRow[] },
  chainId: number,
): Promise<Inserted & { flagged: number }> {
  const series = { chainId, name: one.name };
  const quality = new SeriesQuality();
  for (const row of await rowsBefore(store, series, (one.rows[0] as UnflaggedRow).availableAt)) quality.flagsOf(row);
  let flagged = 0;
  for (const row of one.rows) {
    row.flags = quality.flagsOf(row);
    if (row.flags !== 0) flagged += 1;
  }
  return { ...(await store.addHistory(series, one.rows)), flagged };
}

function parse(file: string, bytes: Buffer, options: ImportOptions): Parsed {
  const name = seriesNameOf(file);
  const header = headerOf(bytes);
  const { chainId, now } = options;
  const source = `import:${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
  if (isOfSwaps(header)) return { kind: "swaps", name, rows: parseSwaps(bytes, { file, chainId, now, source }) };
  if (isOfPools(header)) return { kind: "pools", name, rows: parsePools(bytes, { file, chainId, now, source }) };
  const pool = POOL_FILES.find(({ columns }) => columns.every((column) => header.includes(column)));
  if (pool !== undefined) {
    return { kind: "states", name, rows: pool.parse(bytes, { file, subject: name, chainId, now }) };
  }
  return { kind: "series", name, rows: parseCanonical(bytes, { ...options, file, source }) };
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
