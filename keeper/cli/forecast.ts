// `tiller forecast evaluate`: how good the forecasts that are served would have been on recorded history. The shape of its JSON
// is a contract with others.
import { Command } from "commander";
import { evaluate, pooled, type EvaluateOptions, type Evaluation } from "../backtest/forecasts/evaluate";
import { isCard, MODELS_FOLDER, modelFor, modelNamed, modelsIn } from "../forecast/modelFolder";
import { loadModel } from "../forecast/onnxModel";
import type { DeviationModel } from "../forecast/served";
import { date } from "./backtestRequest";
import { decimals, horizon, modelShape, modelWords, percent } from "./forecastWords";
import { untilInterrupted } from "./interrupted";
import { required, wholeNumber } from "./optionValues";
import { printJson, table } from "./printing";
import { writeReport } from "./reportFile";
import { forecastPage } from "./tearSheet/forecastPage";
import { countOf } from "./progress";

interface EvaluateCommandOptions {
  readonly data?: string;
  readonly series?: string[];
  readonly from?: string;
  readonly to?: string;
  readonly models: string;
  readonly model?: string;
  readonly seed: string;
  readonly html?: string;
  readonly json?: boolean;
}

export function forecastCommand(): Command {
  return new Command("forecast").description("forecasts of rates").addCommand(evaluateCommand());
}

function evaluateCommand(): Command {
  return new Command("evaluate")
    .description("score the served forecasts on recorded history, hour by hour, from what was known then")
    .option("--data <dir>", "folder of history files, one a series: NAME.csv or NAME.csv.gz")
    .option("--series <name...>", "the series to score, of any name")
    .option("--from <date>", "ISO date, UTC: first forecast")
    .option("--to <date>", "ISO date, UTC: last forecast")
    .option("--models <dir>", "folder of trained models", MODELS_FOLDER)
    .option("--model <name>", "one of them, or ewma for none; default: the last that was trained before the span")
    .option("--seed <number>", "of the resampling behind the intervals", "1")
    .option("--html <file>", "write a report with plots: one file that opens without a network")
    .option("--json", "one JSON document")
    .action(async (options: EvaluateCommandOptions) => {
      const folder = required(options.data, "--data", "Name the folder with the history files.");
      const series = options.series ?? [];
      if (series.length === 0) required(undefined, "--series", "Name the series to score.");
      const span = { from: date(options.from, "--from"), to: date(options.to, "--to") };
      const seed = wholeNumber(options.seed, "--seed", 2 ** 32 - 1);
      const model = await modelOf(options, span);
      const request = { ...{ folder, series, ...span, seed, model }, now: Math.floor(Date.now() / 1000) };
      await untilInterrupted((signal) => score(request, { ...options, signal }), "nothing was written");
    });
}

async function score(
  request: EvaluateOptions,
  { json, html, signal }: { readonly json?: boolean; readonly html?: string; readonly signal: AbortSignal },
): Promise<void> {
  const result = await evaluate({ ...request, signal, ...(json === true ? {} : { progress: countOf("series") }) });
  const { rows, dataHash } = result;
  const { model } = request;
  if (html !== undefined) writeReport(html, forecastPage(result, request));
  if (json === true) printJson({ rows, pooled: pooled(rows), dataHash, model: modelShape(model) });
  else process.stdout.write(report(result, model));
}

/** @throws InputFailure `MODEL_…`: a model that was asked for and cannot be served is an error here, unlike in the keeper. */
async function modelOf(
  { models, model: name }: EvaluateCommandOptions,
  span: { readonly from: number; readonly to: number },
): Promise<DeviationModel | null> {
  const found = modelsIn(models);
  const chosen = name === "ewma" ? null : name === undefined ? modelFor(span, found) : modelNamed(name, found);
  if (chosen === null) return null;
  if (!isCard(chosen.card)) throw chosen.card;
  return loadModel(chosen.folder);
}

function report({ rows, dataHash }: Evaluation, model: DeviationModel | null): string {
  const head = [
    ...["series", "horizon", "hours", "persistence, pp", "EWMA, pp", "served, pp", "by", "skill", "DM t"],
    ...["coverage", "width, pp", "worst 30 d", "worst 90 d"],
  ];
  const lines = rows.map((row) => [
    ...[row.series, horizon(row.horizonHours), String(row.n)],
    ...[row.maePersistence, row.maeEwma, row.maeServed].map((value) => decimals(value, 3)),
    ...[row.served, percent(row.skill), decimals(row.dmT, 1), percent(row.coverage), decimals(row.widthPp, 2)],
    ...[percent(row.worst30dCoverage), percent(row.worst90dCoverage)],
  ]);
  const all = pooled(rows).map(
    ({ horizonHours, underPersistence, underEwma }) =>
      `${horizon(horizonHours)}: MAE ${percent(underPersistence)} under persistence, ${percent(underEwma)} under EWMA`,
  );
  const right = head.filter((name) => name !== "series" && name !== "by");
  const seen = rows.reduce((most, { left }) => Math.max(most, left.seen), 0);
  const notes = [
    ...(model === null ? ["no model: the baselines are served"] : [modelWords(model)]),
    ...(seen === 0 ? [] : [`up to ${seen} hours of a series left out: the model was trained on them`]),
    `data ${dataHash.slice(0, 16)}`,
  ];
  return `${table(head, lines, right)}\n\nall series, by hours\n${[...all, ...notes].join("\n")}\n`;
}
