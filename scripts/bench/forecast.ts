// `npm run bench:forecast`: forecasts of nine series over all horizons, from features to bounds, by the model that is served and the
// genuine runtime: between two hours, when only forecasts are asked for, and at whole hours, when weights and bounds learn too.
// Made-up history. --model FOLDER, --ticks N, --json for programs. Nothing here is a test: clocks vary.
import { cpus } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { table } from "../../keeper/cli/printing";
import { LiveForecasts } from "../../keeper/forecast/liveForecasts";
import { isCard, MODELS_FOLDER, modelsIn } from "../../keeper/forecast/modelFolder";
import { loadModel } from "../../keeper/forecast/onnxModel";
import type { HistoryRow } from "../../keeper/store/historyRecords";
import { seeded } from "./randomProblems";

const SERIES = 9;
const HOUR = 3_600;
const START = 1_700_002_800;
const HISTORY_HOURS = 24 * 14;
const WARM_UP = 50;

function rowOf(series: number, at: number, random: () => number): HistoryRow {
  const used = 0.8 + 0.1 * Math.sin(at / 90_000 + series) + 0.01 * random();
  return {
    ...{ observedAt: at - 5, availableAt: at, block: 0, blockHash: null, source: "made-up", suppliedUsd: 1e9 },
    ...{ borrowedUsd: 1e9 * used, supplyApr: 0.06 * used, borrowApr: 0.075 * used, index: null, flags: 0 },
  };
}

async function measure(
  folder: string,
  ticks: number,
): Promise<{ between: number[]; hourly: number[]; loadMs: number }> {
  const begun = performance.now();
  const model = await loadModel(folder);
  const loadMs = performance.now() - begun;
  const live = new LiveForecasts(model);
  const random = seeded(1);
  for (let v = 0; v < SERIES; v += 1) {
    const rows = Array.from({ length: HISTORY_HOURS }, (_, k) => rowOf(v, START + k * HOUR, random));
    live.add(`series-${v}-usdc`, rows);
  }
  const from = START + HISTORY_HOURS * HOUR;
  await live.at(from);
  const [between, hourly]: [number[], number[]] = [[], []];
  for (let k = 1; k <= 2 * (ticks + WARM_UP); k += 1) {
    const at = from + k * (HOUR / 2);
    const rows = Array.from({ length: SERIES }, (_, v) => rowOf(v, at, random));
    const begin = performance.now();
    rows.forEach((row, v) => live.add(`series-${v}-usdc`, [row]));
    await live.at(at);
    if (k > 2 * WARM_UP) (k % 2 === 0 ? hourly : between).push(performance.now() - begin);
  }
  return { between, hourly, loadMs };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: "string" },
      ticks: { type: "string", default: "1000" },
      json: { type: "boolean", default: false },
    },
  });
  const served = modelsIn(MODELS_FOLDER).find(({ card }) => isCard(card) && card.role === "served")?.folder;
  const folder = values.model ?? served;
  if (folder === undefined) {
    process.stderr.write("there is no model to serve in ml/models: name one with --model\n");
    process.exitCode = 2;
    return;
  }
  const { between, hourly, loadMs } = await measure(folder, Number(values.ticks));
  const figures = Object.entries({ "between hours": between, "at a whole hour": hourly }).map(([when, times]) => ({
    when,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  }));
  const memoryMiB = process.memoryUsage().rss / 2 ** 20;
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ model: path.basename(folder), series: SERIES, loadMs, memoryMiB, figures })}\n`,
    );
    return;
  }
  const head = ["", "p50, ms", "p99, ms"];
  const rows = figures.map(({ when, p50Ms, p99Ms }) => [when, p50Ms.toFixed(2), p99Ms.toFixed(2)]);
  process.stdout.write(
    `${SERIES} series, all horizons, model ${path.basename(folder)}, ${cpus()[0]?.model ?? "unknown processor"}, one thread\n` +
      `${table(head, rows, head)}\nloaded and checked in ${loadMs.toFixed(0)} ms; ${memoryMiB.toFixed(0)} MiB of memory\n`,
  );
}

void main();
