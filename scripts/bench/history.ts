// `npm run bench:history -- FILE…`: how fast history is imported, beside `psql \copy` of the same rows into a table with the
// same key, and how fast and in how much memory a data set is written of it, beside reading the same rows. Each run imports
// into a new database and has its `\copy` right after; what is shown is the median of the runs. Without files: nine made-up
// series of five years. --json for programs. Nothing here is a test: clocks vary.
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import type { ClientConfig } from "pg";
import { table } from "../../keeper/cli/printing";
import { CANONICAL_COLUMNS } from "../../keeper/collect/canonicalHistory";
import { importFiles } from "../../keeper/collect/importFiles";
import { silent } from "../../keeper/events/events";
import { writeDataset } from "../../keeper/forecast/dataset";
import { joinEmbedded } from "../../keeper/store/embedded";
import { openStore } from "../../keeper/store/open";

const RUNS = 5;
const NINE_SERIES = 9;
const FIVE_YEARS_HOURS = 5 * 8_766;
const HOUR = 3_600;

interface Measured {
  readonly importSeconds: number;
  /** Null where there is no psql. */
  readonly copySeconds: number | null;
  readonly rows: number;
}

function madeUpFiles(folder: string): string[] {
  return Array.from({ length: NINE_SERIES }, (_, series) => {
    const file = path.join(folder, `bench-${series}-usdc.csv`);
    const lines = Array.from({ length: FIVE_YEARS_HOURS }, (_, hour) => {
      const at = 1_577_836_800 + hour * HOUR;
      const used = 0.8 + 0.15 * Math.sin(series + hour / 97);
      const supplied = 1e9 * (1 + 0.3 * Math.sin(series + hour / 1_013));
      // Mainnet's pace: a file of another chain is refused.
      const block = Math.round(9_193_000 + (at - 1_577_836_800) / 12.9);
      return [at - 400, at, block, supplied, supplied * used, 0.08 * used * used, 0.09 * used].join(",");
    });
    writeFileSync(file, `${CANONICAL_COLUMNS.join(",")}\n${lines.join("\n")}\n`);
    return file;
  });
}

/** All files in one CSV, with the file's number before each row: what `\copy` reads. */
function onePlainFile(files: readonly string[], folder: string): string {
  const plain = path.join(folder, "plain.csv");
  writeFileSync(plain, "");
  files.forEach((file, series) => {
    const bytes = readFileSync(file);
    const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString("utf8").trimEnd();
    const lines = text.split("\n").slice(1);
    appendFileSync(plain, lines.map((line) => `${series},${line}\n`).join(""));
  });
  return plain;
}

function psqlCopy(target: ClientConfig, plain: string): number | null {
  const run = (sql: string): ReturnType<typeof spawnSync> =>
    spawnSync("psql", ["-q", "-v", "ON_ERROR_STOP=1", "-c", sql], {
      env: {
        ...process.env,
        ...{ PGHOST: String(target.host), PGPORT: String(target.port), PGUSER: String(target.user) },
        ...{ PGDATABASE: String(target.database), PGPASSWORD: String(target.password) },
      },
    });
  const columns = "observed_at bigint, available_at bigint, block bigint, supplied_usd float8, borrowed_usd float8";
  const made = run(
    `DROP TABLE IF EXISTS plain; CREATE TABLE plain (series int, ${columns}, supply_apr float8, borrow_apr float8,
     PRIMARY KEY (series, available_at))`,
  );
  if (made.error !== undefined) return null;
  const start = performance.now();
  const copied = run(`\\copy plain FROM '${plain}' WITH (FORMAT csv)`);
  if (copied.status !== 0) throw new Error(String(copied.stderr));
  return (performance.now() - start) / 1000;
}

async function importOnce(files: readonly string[], folder: string, plain: string): Promise<Measured> {
  const dataDir = mkdtempSync(path.join(folder, "store-"));
  const store = await openStore({ dataDir, sink: silent });
  const server = await joinEmbedded({ dataDir, sink: silent, onMoved: () => undefined });
  try {
    const start = performance.now();
    const options = { chainId: 1, rates: "ask", now: Math.floor(Date.now() / 1000) } as const;
    const { rowsInserted } = await importFiles(store.history, files, options);
    const importSeconds = (performance.now() - start) / 1000;
    return { importSeconds, copySeconds: psqlCopy(server.target(), plain), rows: rowsInserted };
  } finally {
    await server.leave();
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

interface DatasetMeasured {
  readonly seconds: number;
  readonly readSeconds: number;
  readonly rows: number;
  readonly peakMiB: number;
}

/** In a process of its own, so that its memory is its own. */
async function datasetOnce(files: readonly string[], folder: string): Promise<DatasetMeasured> {
  const dataDir = mkdtempSync(path.join(folder, "store-"));
  const store = await openStore({ dataDir, sink: silent });
  try {
    const options = { chainId: 1, rates: "ask", now: Math.floor(Date.now() / 1000) } as const;
    await importFiles(store.history, files, options);
    const child = spawnSync(process.execPath, ["-r", "tsx/cjs", __filename, "--measure-dataset", dataDir], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    return JSON.parse(child.stdout) as DatasetMeasured;
  } finally {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function measureDataset(dataDir: string): Promise<DatasetMeasured> {
  const store = await openStore({ dataDir, sink: silent });
  try {
    const series = (await store.history.series()).sort((a, b) => b.rows - a.rows).slice(0, NINE_SERIES);
    let start = performance.now();
    for (const one of series) for await (const _page of store.history.history(one)) continue;
    const readSeconds = (performance.now() - start) / 1000;
    start = performance.now();
    const { rows } = await writeDataset(store.history, { out: path.join(dataDir, "set"), series });
    const seconds = (performance.now() - start) / 1000;
    return { seconds, readSeconds, rows, peakMiB: process.resourceUsage().maxRSS / 1024 };
  } finally {
    await store.close();
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean", default: false }, "measure-dataset": { type: "string" } },
  });
  if (values["measure-dataset"] !== undefined) {
    process.stdout.write(JSON.stringify(await measureDataset(values["measure-dataset"])));
    return;
  }
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-bench-history-"));
  try {
    const files = positionals.length > 0 ? positionals : madeUpFiles(folder);
    const plain = onePlainFile(files, folder);
    const runs: Measured[] = [];
    for (let run = 0; run < RUNS; run += 1) runs.push(await importOnce(files, folder, plain));
    const dataset = await datasetOnce(files, folder);
    const rows = runs[0]?.rows ?? 0;
    const importSeconds = median(runs.map((run) => run.importSeconds));
    const beside = runs.flatMap(({ importSeconds, copySeconds }) =>
      copySeconds === null ? [] : [{ copySeconds, ratio: importSeconds / copySeconds }],
    );
    const report = {
      files: files.length,
      rows,
      importSeconds,
      rowsPerSecond: rows / importSeconds,
      copySeconds: beside.length === 0 ? null : median(beside.map(({ copySeconds }) => copySeconds)),
      // Of each run, for a machine that others use is not the same from run to run.
      importOverCopy: beside.length === 0 ? null : median(beside.map(({ ratio }) => ratio)),
      dataset,
      datasetOverRead: dataset.seconds / dataset.readSeconds,
      node: process.version,
      cpu: cpus()[0]?.model ?? "unknown",
    };
    if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else process.stdout.write(describe(report));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe(report: {
  readonly files: number;
  readonly rows: number;
  readonly importSeconds: number;
  readonly rowsPerSecond: number;
  readonly copySeconds: number | null;
  readonly importOverCopy: number | null;
  readonly dataset: DatasetMeasured;
  readonly datasetOverRead: number;
}): string {
  const seconds = (value: number | null): string => (value === null ? "no psql here" : `${value.toFixed(2)} s`);
  const ratio = (value: number | null): string => (value === null ? "" : value.toFixed(2));
  const { dataset } = report;
  return `${table(
    ["what", "rows", "took", "rows a second", "reference", "took", "ratio"],
    [
      [
        ...[`import of ${report.files} files`, String(report.rows), seconds(report.importSeconds)],
        ...[Math.round(report.rowsPerSecond).toLocaleString("en-US"), "psql \\copy, same key"],
        ...[seconds(report.copySeconds), ratio(report.importOverCopy)],
      ],
      [
        ...["data set of nine series", String(dataset.rows), seconds(dataset.seconds)],
        ...[Math.round(dataset.rows / dataset.seconds).toLocaleString("en-US"), "reading the same rows"],
        ...[seconds(dataset.readSeconds), ratio(report.datasetOverRead)],
      ],
    ],
    ["rows", "took", "rows a second", "ratio"],
  )}\nmost memory of the data set's process: ${Math.round(dataset.peakMiB)} MiB\n`;
}

void main();
