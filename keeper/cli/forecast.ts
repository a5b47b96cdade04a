// `tiller forecast evaluate`: how good the forecasts that are served would have been on recorded history. The shape of its JSON
// is a contract with others.
import { Command } from "commander";
import { isOfPrices } from "../backtest/readSeries";
import { evaluate, pooled, type EvaluateOptions, type Evaluation } from "../backtest/forecasts/evaluate";
import type { EventRow } from "../backtest/forecasts/foretelling";
import { isCard, modelFor, modelNamed } from "../forecast/modelFolder";
import { loadModel } from "../forecast/onnxModel";
import { isOfLender, loadRiskModel, riskFoldersFor, type RiskModel } from "../forecast/riskModel";
import type { DeviationModel } from "../forecast/served";
import { date } from "./backtestRequest";
import { decimals, horizon, modelShape, modelWords, percent, riskModelShape } from "./forecastWords";
import { untilInterrupted } from "./interrupted";
import { modelsOption } from "./modelsOption";
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
  readonly models?: string;
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
    .option(
      "--series <name...>",
      "the series to score, of any name; of pools of two dollars (v3-usdc-usdt-1bp-…) depegs are scored",
    )
    .option("--from <date>", "ISO date, UTC: first forecast")
    .option("--to <date>", "ISO date, UTC: last forecast")
    .option("--models <dir>", "folder of trained models; default: the checkout's own")
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
      const request = {
        ...{ folder, series, ...span, seed, now: Math.floor(Date.now() / 1000) },
        ...(await modelsOf(options, span)),
      };
      await untilInterrupted((signal) => score(request, { ...options, signal }), "nothing was written");
    });
}

async function score(
  request: EvaluateOptions,
  { json, html, signal }: { readonly json?: boolean; readonly html?: string; readonly signal: AbortSignal },
): Promise<void> {
  const result = await evaluate({ ...request, signal, ...(json === true ? {} : { progress: countOf("series") }) });
  const { rows, events, dataHash, pricesHash } = result;
  const { model, risk } = request;
  if (html !== undefined) writeReport(html, forecastPage(result, request));
  if (json === true) {
    const shown = { model: modelShape(model), eventModels: risk.map(riskModelShape) };
    printJson({
      rows,
      pooled: pooled(rows),
      events,
      dataHash,
      ...(pricesHash === null ? {} : { pricesHash }),
      ...shown,
    });
  } else process.stdout.write(report(result, request));
}

/** @throws InputFailure `MODEL_…`: a model that was asked for and cannot be served is an error here, unlike in the keeper. */
async function modelsOf(
  { models, model: name, series = [] }: EvaluateCommandOptions,
  span: { readonly from: number; readonly to: number },
): Promise<{ readonly model: DeviationModel | null; readonly risk: readonly RiskModel[] }> {
  if (name === "ewma") return { model: null, risk: [] };
  const { folder, found, note } = modelsOption(models);
  if (note !== null) process.stderr.write(`tiller: ${note}: the baselines are scored\n`);
  const chosen = name === undefined ? modelFor(span, found) : modelNamed(name, found);
  const all = await Promise.all(riskFoldersFor(span, folder).map(loadRiskModel));
  // Of what is asked for: lenders, prices, or both.
  const risk = all.filter((one) => series.some((each) => isOfPrices(each) !== isOfLender(one)));
  if (chosen === null) return { model: null, risk };
  if (!isCard(chosen.card)) throw chosen.card;
  return { model: await loadModel(chosen.folder), risk };
}

function report({ rows, events, dataHash, pricesHash }: Evaluation, { model }: EvaluateOptions): string {
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
  // Of prices alone no rate is forecast.
  const ofRates = rows.length === 0 ? [] : [["all series, by hours", ...all, ...notes].join("\n")];
  const ofPrices = pricesHash === null ? [] : [`prices ${pricesHash.slice(0, 16)}`];
  const rates = rows.length === 0 ? [] : [table(head, lines, right)];
  return `${[...rates, ...eventTables(events), ...ofRates, ...ofPrices].join("\n\n")}\n`;
}

/** Nothing where nothing was foretold. */
function eventTables(events: readonly EventRow[]): string[] {
  if (events.length === 0) return [];
  const head = [
    ...["event", "series", "rows", "left out", "came", "events", "PR-AUC", "of the past", "table", "column"],
    ...["Brier skill", "table", "High: rows", "recall", "precision", "told", "false"],
  ];
  const lines = events.map((row) => [
    ...[row.event, row.series ?? "all", String(row.n), String(sum(row.left)), percent(row.prevalence)],
    ...[String(row.events), decimals(row.model?.prAuc ?? null, 3), decimals(row.climatology?.prAuc ?? null, 3)],
    ...[decimals(row.table?.prAuc ?? null, 3), decimals(row.rule.prAuc, 3)],
    ...[decimals(row.model?.brierSkill ?? null, 3), decimals(row.table?.brierSkill ?? null, 3)],
    ...[row.classes?.high.share, row.classes?.high.recall, row.classes?.high.precision].map((one) =>
      percent(one ?? null),
    ),
    ...[`${row.alerts.eventsTold} of ${row.events}`, `${row.alerts.falseEpisodes} of ${row.alerts.episodes}`],
  ]);
  const meaning = [
    "every third fresh hour on which the event is not there already; skill against how often it came before in each series",
    "table, column: by utilisation, the rate over its EWMA, or a price's distance from 1; told: events that were High before; false: runs of High without one",
  ];
  const right = head.filter((name) => name !== "event" && name !== "series");
  return [`${table(head, lines, right)}\n${meaning.join("\n")}`];
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
