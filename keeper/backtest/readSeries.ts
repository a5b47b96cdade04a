// History from a folder of canonical files and of pools' states, for backtests and for scores of forecasts, and the hash of what was
// read.
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { setImmediate as immediately } from "node:timers/promises";
import { parseCanonical, type UnflaggedRow } from "../collect/canonicalHistory";
import { HistoryDigest } from "../collect/historyDigest";
import { contentOf, isSeriesName } from "../collect/historyFile";
import { POOL_FILES, POOL_STATE } from "../collect/poolFiles";
import { InputFailure } from "../config/failure";
import { importedDollars, importedState } from "../forecast/dollarPairs";
import { PegColumns } from "../forecast/pegFeatures";
import { RateSeries } from "./series";

/** Blocks say nothing here, so no chain is asked whether they fit the times. */
const NO_CHAIN = 0;

const ENDINGS = [".csv", ".csv.gz"];

export interface ReadOptions {
  /** Unix seconds: rows of later are refused. */
  readonly now: number;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, of: number) => void;
}

export interface History {
  /** In the order asked for. */
  readonly series: readonly RateSeries[];
  /** SHA-256 over the rows of all, in order of the series' names. */
  readonly dataHash: string;
}

export interface Rows {
  /** By series, each oldest first, without flags. */
  readonly rows: ReadonlyMap<string, UnflaggedRow[]>;
  /** As of {@link History}. */
  readonly dataHash: string;
}

/** @throws InputFailure as {@link readRows}; `BACKTEST_RATE`, `BACKTEST_AMOUNT`. */
export async function readSeries(folder: string, names: readonly string[], options: ReadOptions): Promise<History> {
  const { rows, dataHash } = await readRows(folder, names, options);
  return { series: names.map((name) => new RateSeries(name, rows.get(name) ?? [])), dataHash };
}

/**
 * @throws InputFailure `BACKTEST_SERIES` when a series is named twice or has no file, or has two; `IMPORT_…` as
 * {@link parseCanonical}.
 */
export async function readRows(folder: string, names: readonly string[], options: ReadOptions): Promise<Rows> {
  const files = new Map(names.map((name) => [name, fileOf(folder, name)]));
  if (files.size < names.length) {
    throw wrong(`${names.find((name, k) => names.indexOf(name) < k)} is named twice`, "Name each series once.");
  }
  const digest = new HistoryDigest();
  const read = new Map<string, UnflaggedRow[]>();
  for (const name of [...names].sort()) {
    const file = files.get(name) as string;
    const bytes = await contentOf(file);
    const source = path.basename(file);
    const rows = parseCanonical(bytes, { file, chainId: NO_CHAIN, rates: "ask", now: options.now, source });
    digest.begin(name);
    digest.add(rows);
    read.set(name, rows);
    options.progress?.(read.size, names.length);
    // Else a signal of the process would be heard only after the last file.
    await immediately();
    options.signal?.throwIfAborted();
  }
  return { rows: read, dataHash: digest.hex() };
}

/** Whether a file of that name has states of a pool of two dollars, and no rates. */
export function isOfPrices(name: string): boolean {
  return importedDollars({ chainId: NO_CHAIN, source: POOL_STATE, subject: name }) !== null;
}

/**
 * Prices of pairs of dollars, by the files' names.
 *
 * @param names Those of {@link isOfPrices}.
 * @returns the hash, too: SHA-256 over the rows of all, in order of their names; null: there are none.
 * @throws InputFailure `BACKTEST_SERIES`, `IMPORT_…` as of `PoolFile`.
 */
export async function readPrices(
  folder: string,
  names: readonly string[],
  { now, signal }: ReadOptions,
): Promise<{ readonly prices: ReadonlyMap<string, PegColumns>; readonly dataHash: string | null }> {
  const hash = createHash("sha256");
  const prices = new Map<string, PegColumns>();
  const format = POOL_FILES.find(({ source }) => source === POOL_STATE);
  for (const subject of [...names].sort()) {
    const of = { chainId: NO_CHAIN, source: POOL_STATE, subject };
    const decimals = importedDollars(of);
    if (format === undefined || decimals === null) throw new RangeError(`${subject} has no prices`);
    const file = fileOf(folder, subject);
    const rows = format.parse(await contentOf(file), { ...of, file, now });
    const columns = new PegColumns(decimals);
    columns.add(rows.map(importedState));
    hash.update(`${subject}\n${rows.map(({ observedAt, state }) => `${observedAt},${state}\n`).join("")}`);
    prices.set(subject, columns);
    await immediately();
    signal?.throwIfAborted();
  }
  return { prices, dataHash: prices.size === 0 ? null : hash.digest("hex") };
}

/** Names of the series that a folder has files of, in order. @throws InputFailure `BACKTEST_SERIES`. */
export function seriesIn(folder: string): string[] {
  let files: string[];
  try {
    files = readdirSync(folder);
  } catch (cause) {
    throw new InputFailure("BACKTEST_SERIES", "cannot be read", {
      field: "--data",
      remedy: "Name the folder with the history files.",
      cause,
    });
  }
  const ended = files.flatMap((file) => {
    const ending = [...ENDINGS].reverse().find((one) => file.endsWith(one));
    return ending === undefined ? [] : [file.slice(0, -ending.length)];
  });
  return [...new Set(ended.filter(isSeriesName))].sort();
}

function fileOf(folder: string, name: string): string {
  if (!isSeriesName(name)) {
    throw wrong(`${JSON.stringify(name)} cannot name a series`, "Name a file of the folder, without its ending.");
  }
  const [file, other] = ENDINGS.map((ending) => path.join(folder, name + ending)).filter((one) => existsSync(one));
  if (file === undefined) {
    throw wrong(
      `there is no ${name}.csv or ${name}.csv.gz in the folder of --data`,
      "Name a series of the folder, or another folder.",
    );
  }
  if (other !== undefined) {
    throw wrong(`${name} is there twice, packed and not`, "Keep one of the two files.");
  }
  return file;
}

function wrong(message: string, remedy: string): InputFailure {
  return new InputFailure("BACKTEST_SERIES", message, { field: "--series", remedy });
}
