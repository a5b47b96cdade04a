// The matrices that models are trained on: features, targets, and of which series and time each row is. Written beside
// their place and put there when they are whole.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { HistoryDigest } from "../collect/historyDigest";
import { InputFailure, WorldFailure } from "../config/failure";
import type { HistoryStore, SeriesName } from "../store/historyRecords";
import type { PoolSubject } from "../store/poolFileRecords";
import {
  FEATURES,
  FEATURE_VERSION,
  FRAMES,
  HORIZONS,
  LOOKBACK_SECONDS,
  SeriesColumns,
  assetOf,
  currentRate,
  peersOf,
  targetAt,
  writeFeatures,
} from "./features";
import { NpyFile, type NpyFiles } from "./npyFile";
import { writePegs, type PegsManifest } from "./pegDataset";

export interface DatasetOptions {
  readonly out: string;
  readonly series: readonly SeriesName[];
  /** Imported pools, of which pairs of dollars get matrices of their own. Default: none. */
  readonly pools?: readonly PoolSubject[];
  /** Unix seconds; rows of the matrices are at whole hours from the first to the last, both included. */
  readonly from?: number;
  readonly to?: number;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, of: number) => void;
}

export interface DatasetManifest {
  readonly format: "tiller-dataset/1";
  readonly featureVersion: number;
  /** SHA-256 over the values of every row that was read, in order. */
  readonly dataHash: string;
  readonly rows: number;
  readonly stepSeconds: number;
  readonly lookbackSeconds: number;
  readonly framesHours: readonly number[];
  /** In the order of the columns of features.npy. */
  readonly features: readonly { readonly name: string; readonly unit: string; readonly what: string }[];
  /** In the order of the columns of targets.npy. */
  readonly targets: readonly { readonly name: string; readonly unit: string; readonly horizonHours: number }[];
  /** In the order of the numbers in series.npy; `begin` and `end` are rows of the matrices, end excluded. */
  readonly series: readonly {
    readonly chainId: number;
    readonly name: string;
    readonly asset: string;
    readonly historyRows: number;
    readonly from: number;
    readonly to: number;
    readonly begin: number;
    readonly end: number;
  }[];
  readonly files: NpyFiles;
  /** Absent: of no pair of dollars there are prices. */
  readonly pegs?: PegsManifest;
}

const STEP = 3_600;
const LONGEST_HORIZON_SECONDS = Math.max(...HORIZONS) * 3_600;
/** Rows that are in memory at a time. */
const BLOCK_ROWS = 4_096;
const MANIFEST = "manifest.json";

interface Loaded {
  readonly series: SeriesName;
  readonly columns: SeriesColumns;
  readonly historyRows: number;
  /** First and last hour of the matrices. */
  readonly from: number;
  readonly to: number;
}

/**
 * Writes `features.npy` (float64, NaN: cannot be known), `targets.npy` (float64, NaN: not known yet), `times.npy` (int64,
 * unix seconds), `series.npy` (int32) and `manifest.json` to `out`, replacing a data set that is there; and what {@link writePegs} writes.
 *
 * @throws InputFailure `DATASET_EMPTY`, `DATASET_PLACE`; WorldFailure `DATASET_UNWRITABLE`, `STORE_…`.
 */
export async function writeDataset(store: HistoryStore, options: DatasetOptions): Promise<DatasetManifest> {
  checkPlace(options.out);
  const digest = new HistoryDigest();
  const loaded: Loaded[] = [];
  for (const series of [...options.series].sort((a, b) => a.chainId - b.chainId || (a.name < b.name ? -1 : 1))) {
    const one = await load(store, series, options, digest);
    if (one !== null) loaded.push(one);
  }
  if (loaded.length === 0) {
    throw new InputFailure("DATASET_EMPTY", "no row of these series lies in that span", {
      field: "--series",
      remedy: "See the names and spans with tiller data report.",
    });
  }
  const partial = `${options.out}.partial-${process.pid}`;
  try {
    mkdirSync(partial, { recursive: true });
    const rates = writeAll(partial, loaded, digest.hex(), options);
    const { pools: subjects = [], ...span } = options;
    const pegs = subjects.length === 0 ? null : await writePegs(store.poolFiles, partial, { subjects, ...span });
    const manifest = pegs === null ? rates : { ...rates, pegs };
    writeFileSync(path.join(partial, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    rmSync(options.out, { recursive: true, force: true });
    renameSync(partial, options.out);
    return manifest;
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined || options.signal?.aborted === true) throw error;
    throw new WorldFailure("DATASET_UNWRITABLE", `the data set cannot be written (${code})`, {
      field: "--out",
      remedy: "Name a folder that may be made, on a disk with room; nothing was left behind.",
      cause: error,
    });
  }
}

/** A folder that is there is replaced only if it is a data set. */
function checkPlace(out: string): void {
  if (!existsSync(out)) return;
  let files: string[];
  try {
    files = readdirSync(out);
  } catch {
    files = ["a file"];
  }
  if (files.length === 0 || files.includes(MANIFEST)) return;
  throw new InputFailure("DATASET_PLACE", "is there and is no data set", {
    field: "--out",
    remedy: "Name a folder that is not there, or an earlier data set.",
  });
}

async function load(
  store: HistoryStore,
  series: SeriesName,
  options: DatasetOptions,
  digest: HistoryDigest,
): Promise<Loaded | null> {
  const columns = new SeriesColumns();
  digest.begin(`${series.chainId} ${series.name}`);
  let historyRows = 0;
  // From the beginning: the state that is in force may be older than any look back. After the end, what targets need.
  const query = options.to === undefined ? {} : { to: options.to + LONGEST_HORIZON_SECONDS + STEP };
  for await (const page of store.history(series, query)) {
    options.signal?.throwIfAborted();
    historyRows += page.length;
    columns.add(page);
    digest.add(page);
  }
  if (columns.length === 0) return null;
  const from = Math.ceil(Math.max(options.from ?? 0, columns.availableAt[0] as number) / STEP) * STEP;
  const to = Math.floor(Math.min(options.to ?? Infinity, columns.availableAt.at(-1) as number) / STEP) * STEP;
  return from > to ? null : { series, columns, historyRows, from, to };
}

function writeAll(
  folder: string,
  loaded: readonly Loaded[],
  dataHash: string,
  options: DatasetOptions,
): DatasetManifest {
  const files = {
    "features.npy": new NpyFile(path.join(folder, "features.npy"), "float64", FEATURES.length),
    "targets.npy": new NpyFile(path.join(folder, "targets.npy"), "float64", HORIZONS.length),
    "times.npy": new NpyFile(path.join(folder, "times.npy"), "int64", null),
    "series.npy": new NpyFile(path.join(folder, "series.npy"), "int32", null),
  };
  try {
    const rates = loaded.map(({ columns, from, to }) => ratesByHour(columns, from, to));
    const series: DatasetManifest["series"][number][] = [];
    let begin = 0;
    loaded.forEach((one, index) => {
      const rivals = loaded.flatMap((other, k) =>
        k !== index && other.series.chainId === one.series.chainId && sameAsset(other, one)
          ? [{ from: other.from, rates: rates[k] as Float64Array }]
          : [],
      );
      writeSeries(one, index, rivals, files, options.signal);
      const count = (one.to - one.from) / STEP + 1;
      series.push({
        ...one.series,
        asset: assetOf(one.series.name),
        historyRows: one.historyRows,
        ...{ from: one.from, to: one.to, begin, end: begin + count },
      });
      begin += count;
      options.progress?.(index + 1, loaded.length);
    });
    return {
      format: "tiller-dataset/1",
      featureVersion: FEATURE_VERSION,
      dataHash,
      rows: begin,
      stepSeconds: STEP,
      lookbackSeconds: LOOKBACK_SECONDS,
      framesHours: FRAMES,
      features: FEATURES,
      targets: HORIZONS.map((horizonHours) => ({
        name: `apr_mean_next_${horizonHours}h`,
        unit: "fraction a year",
        horizonHours,
      })),
      series,
      files: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, file.close()])),
    };
  } catch (error) {
    for (const file of Object.values(files)) file.abandon();
    throw error;
  }
}

function sameAsset(a: Loaded, b: Loaded): boolean {
  return assetOf(a.series.name) === assetOf(b.series.name);
}

/** To the end of the time for which a series that has ended is still heard of. */
function ratesByHour(columns: SeriesColumns, from: number, to: number): Float64Array {
  const rates = new Float64Array((to + LOOKBACK_SECONDS - from) / STEP + 1);
  let known = 0;
  for (let k = 0; k < rates.length; k += 1) {
    const at = from + k * STEP;
    known = columns.knownAt(at, known);
    rates[k] = currentRate(columns, known, at);
  }
  return rates;
}

function writeSeries(
  one: Loaded,
  index: number,
  rivals: readonly { readonly from: number; readonly rates: Float64Array }[],
  files: Readonly<Record<"features.npy" | "targets.npy" | "times.npy" | "series.npy", NpyFile>>,
  signal: AbortSignal | undefined,
): void {
  const { columns, from, to } = one;
  let known = 0;
  for (let first = from; first <= to; first += BLOCK_ROWS * STEP) {
    signal?.throwIfAborted();
    const count = Math.min(BLOCK_ROWS, (to - first) / STEP + 1);
    const features = new Float64Array(count * FEATURES.length);
    const targets = new Float64Array(count * HORIZONS.length);
    const times = new BigInt64Array(count);
    for (let k = 0; k < count; k += 1) {
      const at = first + k * STEP;
      known = columns.knownAt(at, known);
      const peers = peersOf(rivals.map((rival) => rival.rates[(at - rival.from) / STEP] ?? NaN));
      writeFeatures(columns, { at, known, peers }, features, k * FEATURES.length);
      HORIZONS.forEach((hours, h) => {
        targets[k * HORIZONS.length + h] = targetAt(columns, at, hours, known);
      });
      times[k] = BigInt(at);
    }
    files["features.npy"].append(features);
    files["targets.npy"].append(targets);
    files["times.npy"].append(times);
    files["series.npy"].append(new Int32Array(count).fill(index));
  }
}
