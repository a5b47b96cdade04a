// `tiller backtest`: what strategies would have earned on recorded history, beside the best hold and the ceiling. The shape of
// its JSON is a contract with others.
import { Command } from "commander";
import path from "node:path";
import { namesOf, strategyOf } from "../backtest/catalogue";
import { compare, type Comparison } from "../backtest/compare";
import { constantGas, readGasPrices, type GasPrices } from "../backtest/gasPrices";
import { checkLeaks, type LeakReport } from "../backtest/leaks";
import { mlForecasts } from "../backtest/strategies/ml";
import { iso, marketOf, type Market, type MarketOptions } from "../backtest/market";
import type { Parameters } from "../backtest/parameters";
import { readSeries } from "../backtest/readSeries";
import type { RunOptions } from "../backtest/run";
import type { Strategy } from "../backtest/strategy";
import { isCard, MODELS_FOLDER, modelFor, modelsIn } from "../forecast/modelFolder";
import { loadModel } from "../forecast/onnxModel";
import { InputFailure, WorldFailure } from "../config/failure";
import { loadConfig } from "../config/load";
import { assetOf } from "../forecast/features";
import { untilInterrupted } from "./interrupted";
import { DATES, decimal, malformed, optionalDate, required, wholeNumber } from "./optionValues";
import { printJson, table } from "./printing";
import { countOf } from "./progress";
import { writeReport } from "./reportFile";
import { sweepCommand } from "./sweep";
import { tearSheetPage } from "./tearSheet/page";

export interface BacktestCommandOptions {
  readonly data?: string;
  readonly series?: string[];
  readonly capital?: string;
  readonly from?: string;
  readonly to?: string;
  readonly strategy?: string[];
  readonly gasUsdPerMove: string;
  readonly gasHistory?: string;
  readonly gasPerMove: string;
  readonly lagHours: string;
  readonly costBps: string;
  readonly stepMinutes: string;
  readonly maxGapHours: string;
  readonly priceTaker?: boolean;
  readonly models: string;
  readonly config?: string;
  readonly json?: boolean;
}

const MOST_USD = 1e15;
const DAY_MINUTES = 1_440;
const BPS = 10_000;
/** A century. */
const MOST_HOURS = 876_000;
const MOST_MOMENTS = 1_000;

/** What a move of 300,000 gas costs at 20 gwei and 2,500 USD. */
const DEFAULT_GAS_USD = "15";

export function backtestCommand(): Command {
  return withOptions(
    new Command("backtest").description("what strategies would have earned on recorded history, and what was possible"),
  )
    .option("--seed <number>", "of the resampling behind the intervals", "1")
    .option("--html <file>", "write a tear sheet: one file that opens without a network")
    .action(async (options: BacktestCommandOptions & { seed: string; html?: string }) => {
      const request = await requestOf(options);
      const seed = wholeNumber(options.seed, "--seed", 2 ** 32 - 1);
      const sheet = options.html === undefined ? null : { file: options.html, gas: gasWords(options) };
      await untilInterrupted((signal) => backtest(request, { seed, sheet, signal }), "nothing was written");
    })
    .enablePositionalOptions()
    .addCommand(leaksCommand())
    .addCommand(sweepCommand());
}

function leaksCommand(): Command {
  return withOptions(
    new Command("check-leaks").description(
      "alter the future and fail if a strategy decided anything otherwise before it",
    ),
  )
    .option("--moments <count>", "at how many moments the future is altered", "8")
    .action(async (options: BacktestCommandOptions & { moments: string }) => {
      const request = await requestOf(options);
      const moments = wholeNumber(options.moments, "--moments", MOST_MOMENTS);
      await untilInterrupted((signal) => findLeaks(request, moments, signal), "nothing was written");
    });
}

export function withOptions(command: Command): Command {
  return command
    .option("--data <dir>", "folder of history files, one a series: NAME.csv or NAME.csv.gz")
    .option("--series <name...>", "the markets that money may be in")
    .option("--capital <usd>", "money at the beginning")
    .option("--from <date>", "ISO date, UTC: money is placed then")
    .option("--to <date>", "ISO date, UTC: money is counted then")
    .option("--strategy <name...>", "these only; default: all")
    .option("--gas-usd-per-move <usd>", "gas of moving money from one venue to another", DEFAULT_GAS_USD)
    .option("--gas-history <file>", "the same from a CSV file: observed_at,base_fee_gwei,eth_usd")
    .option("--gas-per-move <gas>", "units of gas of a move, for --gas-history", "300000")
    .option("--lag-hours <hours>", "how long after a row was available a decision knows it", "1")
    .option("--cost-bps <bps>", "of the amount moved, half at either end", "0")
    .option("--step-minutes <minutes>", "time between two decisions; a part of a day", "60")
    .option("--max-gap-hours <hours>", "longest silence of a series that its last state is carried over", "168")
    .option("--price-taker", "our deposits change no rate and can always leave")
    .option("--models <dir>", "folder of trained models, for the strategy ml", MODELS_FOLDER)
    .option("--config <file>", "config file: limits and half-life of the live decision")
    .option("--json", "one JSON document");
}

/** What was asked for, checked as far as that goes without reading any history. */
export interface Request {
  readonly folder: string;
  readonly series: readonly string[];
  readonly strategies: (market: Market) => Promise<Strategy[]>;
  /** Of the live decision, by the config. */
  readonly parameters: Parameters;
  readonly market: MarketOptions;
  readonly run: RunOptions;
  readonly json: boolean;
}

interface Sheet {
  readonly file: string;
  /** What gas costs, in words. */
  readonly gas: string;
}

async function backtest(
  request: Request,
  { seed, sheet, signal }: { readonly seed: number; readonly sheet: Sheet | null; readonly signal: AbortSignal },
): Promise<void> {
  const { market, dataHash } = await readMarket(request, signal);
  const result = await compare(market, await request.strategies(market), {
    ...{ ...request.run, seed, signal, record: sheet !== null },
    ...(request.json ? {} : { progress: countOf("strategies") }),
  });
  const notes = notesOn(market);
  if (sheet !== null) {
    const assumptions = [...assumptionsOf(market, request, sheet.gas), ...notes];
    const { capital } = request.run;
    writeReport(sheet.file, tearSheetPage({ market, comparison: result, capital, dataHash, assumptions }));
  }
  if (request.json) printJson({ dataHash, ...jsonShape(result), notes });
  else process.stdout.write(report(result, { market, dataHash, capital: request.run.capital, notes }));
}

async function findLeaks(request: Request, moments: number, signal: AbortSignal): Promise<void> {
  const { market, dataHash } = await readMarket(request, signal);
  const reports = await checkLeaks(market, request.strategies, {
    ...{ ...request.run, moments, signal },
    ...(request.json ? {} : { progress: countOf("futures") }),
  });
  const leaking = reports.filter(({ leak }) => leak !== null).map(({ strategy }) => strategy);
  if (request.json) printJson({ dataHash, clean: leaking.length === 0, strategies: leakShape(reports, market) });
  else process.stdout.write(leakReport(reports, market));
  if (leaking.length === 0) return;
  throw new WorldFailure("BACKTEST_LEAK", `${leaking.join(", ")}: decided on what came later`, {
    field: "--strategy",
    remedy: "Find what it reads beyond the rows that were known; none of its figures mean anything until then.",
  });
}

export async function readMarket(
  { folder, series, market, json }: Request,
  signal: AbortSignal,
): Promise<{ readonly market: Market; readonly dataHash: string }> {
  const history = await readSeries(folder, series, {
    ...{ now: Math.floor(Date.now() / 1000), signal },
    ...(json ? {} : { progress: countOf("series") }),
  });
  return { market: marketOf(history.series, market), dataHash: history.dataHash };
}

/** @throws InputFailure `OPTION_…`, `BACKTEST_SPAN`, `BACKTEST_STRATEGY`, `MODEL_NOT_SERVED`, `CONFIG_…`. */
export async function requestOf(options: BacktestCommandOptions): Promise<Request> {
  const folder = required(options.data, "--data", "Name the folder with the history files.");
  const series = options.series ?? [];
  if (series.length === 0) required(undefined, "--series", "Name the series that money may be in.");
  const capitalText = required(options.capital, "--capital", "Say how much money, USD.");
  const capital = decimal(capitalText, "--capital", { above: 0, most: MOST_USD });
  const costBps = decimal(options.costBps, "--cost-bps", { most: BPS });
  const market = await marketSettings(options, capital);
  const { limits, forecast } = loadConfig({ file: options.config, env: process.env, offline: true });
  const found = modelFor(market, modelsIn(options.models));
  // Of itself only a model that was trained before the span is tested on it.
  const isFresh = found !== null && isCard(found.card) && found.card.trainWindow.to <= market.from;
  const names = [...new Set(options.strategy ?? [...namesOf(series), ...(isFresh ? ["ml"] : [])])];
  const model = names.includes("ml") && found !== null ? await loadModel(found.folder) : null;
  const known = { venues: series, limits, halfLifeHours: forecast.halfLifeHours };
  // A name that means nothing is refused before anything is read.
  for (const name of names) strategyOf(name, { ...known, ml: model === null ? undefined : () => () => NaN });
  const strategies = async (on: Market): Promise<Strategy[]> => {
    const ml = model === null ? undefined : await mlForecasts(on, { model, folder, horizonHours: limits.horizonHours });
    return names.map((name) => strategyOf(name, { ...known, ml }));
  };
  const { horizonHours, minGainUsd, noTradeBandBps, cooldownSeconds, maxShareOfVenue } = limits;
  const parameters = {
    ...{ horizonHours, minGainUsd, noTradeBandBps, cooldownSeconds, maxShareOfVenue },
    halfLifeHours: forecast.halfLifeHours,
  };
  return { folder, series, strategies, parameters, market, run: { capital, costBps }, json: options.json === true };
}

async function marketSettings(options: BacktestCommandOptions, capital: number): Promise<MarketOptions> {
  const stepMinutes = wholeNumber(options.stepMinutes, "--step-minutes", DAY_MINUTES);
  if (DAY_MINUTES % stepMinutes !== 0) {
    const remedy = `Name a part of ${DAY_MINUTES}, such as 5 or 60.`;
    throw malformed(`${stepMinutes} minutes do not fill a day`, "--step-minutes", remedy);
  }
  const from = date(options.from, "--from");
  const to = date(options.to, "--to");
  if (to <= from) {
    const field = "--to";
    throw new InputFailure("BACKTEST_SPAN", `${iso(to)} is not after --from`, { field, remedy: "Name a later end." });
  }
  return {
    ...{ from, to, capital },
    stepSeconds: stepMinutes * 60,
    lagSeconds: Math.round(decimal(options.lagHours, "--lag-hours", { most: MOST_HOURS }) * 3600),
    priceTaker: options.priceTaker === true,
    maxGapSeconds: decimal(options.maxGapHours, "--max-gap-hours", { most: MOST_HOURS }) * 3600,
    gas: await gasOf(options),
  };
}

async function gasOf(options: BacktestCommandOptions): Promise<GasPrices> {
  if (options.gasHistory === undefined) {
    return constantGas(decimal(options.gasUsdPerMove, "--gas-usd-per-move", { most: MOST_USD }));
  }
  return readGasPrices(options.gasHistory, wholeNumber(options.gasPerMove, "--gas-per-move", 1e9));
}

function date(text: string | undefined, field: string): number {
  return optionalDate(required(text, field, `Write ${DATES}.`), field) as number;
}

function gasWords({ gasHistory, gasPerMove, gasUsdPerMove }: BacktestCommandOptions): string {
  return gasHistory === undefined
    ? `a move costs ${gasUsdPerMove} USD of gas`
    : `gas of ${gasPerMove} units a move at the prices of ${path.basename(gasHistory)}`;
}

/** What the figures rest on. */
function assumptionsOf({ knowledge }: Market, { run }: Request, gas: string): string[] {
  return [
    `A decision knows what was available ${knowledge.lagSeconds / 3600} h before, and is traded a step later.`,
    `The first placement is free; ${gas}, and ${run.costBps} basis points of what is moved.`,
    knowledge.priceTaker
      ? "Our deposits change no rate and can always leave."
      : "Our deposits dilute the rates that they earn; a withdrawal waits while the venue has no cash.",
    "Rates are base rates without rewards. All of it is in hindsight; parameters were not chosen on this history.",
  ];
}

/** The fixed shape; what is beyond it may be read, and may change. */
function jsonShape({ strategies, ceiling, bestHold }: Comparison): object {
  const figures = [...strategies].map(([name, { metrics, run }]) => {
    return [name, { ...metrics, refused: run.refused, waited: run.waited }] as const;
  });
  return { strategies: Object.fromEntries(figures), ceiling, bestHold };
}

/** What the figures leave out, where that matters for these series. */
function notesOn({ venues }: Market): string[] {
  const assets = [...new Set(venues.map(assetOf))];
  if (assets.length < 2) return [];
  return [`${assets.join(", ")}: prices between assets, and what swapping one for another costs, are not counted`];
}

interface Reported {
  readonly market: Market;
  readonly dataHash: string;
  readonly capital: number;
  readonly notes: readonly string[];
}

function report({ strategies, ceiling, bestHold }: Comparison, of: Reported): string {
  const { market, dataHash, capital, notes } = of;
  const { grid, knowledge } = market;
  const head = [
    "strategy",
    "APY",
    "over the hold, pp (95 %)",
    "capture",
    "Sharpe",
    "fall",
    "moves",
    "turnover",
    "costs",
  ];
  const rows = [...strategies].map(([name, { metrics }]) => [
    name,
    percent(metrics.apy),
    metrics.excess === null
      ? "–"
      : `${points(metrics.excess.mean)} (${points(metrics.excess.low)} … ${points(metrics.excess.high)})`,
    metrics.captureRatio === null ? "–" : metrics.captureRatio.toFixed(2),
    metrics.sharpe === null ? "–" : metrics.sharpe.toFixed(2),
    percent(metrics.maxDrawdown),
    String(metrics.moves),
    usd(metrics.turnoverUsd),
    usd(metrics.costsUsd),
  ]);
  rows.sort(
    (a, b) => (strategies.get(b[0] as string)?.metrics.apy ?? 0) - (strategies.get(a[0] as string)?.metrics.apy ?? 0),
  );
  const ways = knowledge.priceTaker ? "deposits change no rate" : "own deposits dilute rates";
  const lines = [
    `best hold  ${percent(bestHold.apy)}  ${bestHold.series}`,
    ceiling.exact
      ? `ceiling    ${percent(ceiling.apy)}  hindsight optimum, exact`
      : `ceiling    ${percent(ceiling.apy)}  upper bound; a plan with hindsight reached ${percent(ceiling.feasible.apy)}`,
    `${usd(capital)} USD, ${iso(grid.from)} to ${iso(grid.from + grid.steps * grid.stepSeconds)}, steps of ${grid.stepSeconds / 60} min, lag ${knowledge.lagSeconds / 3600} h; ${ways}; in hindsight, not a forecast`,
    `data ${dataHash.slice(0, 16)}`,
    ...notes,
  ];
  return `${table(head, rows, head.slice(1))}\n\n${lines.join("\n")}\n`;
}

function leakShape(reports: readonly LeakReport[], { grid }: Market): object {
  const at = (step: number): string => iso(grid.from + step * grid.stepSeconds);
  return Object.fromEntries(
    reports.map(({ strategy, compared, leak }) => {
      const found = leak === null ? null : { ...leak, alteredAt: at(leak.moment), decidedAt: at(leak.step) };
      return [strategy, { clean: leak === null, compared, leak: found }];
    }),
  );
}

function leakReport(reports: readonly LeakReport[], { grid }: Market): string {
  const at = (step: number): string => iso(grid.from + step * grid.stepSeconds);
  const rows = reports.map(({ strategy, compared, leak }) => [
    strategy,
    compared.toLocaleString("en-US"),
    leak === null
      ? "clean"
      : `another decision at ${at(leak.step)}, future ${leak.alteration} from ${at(leak.moment)} on`,
  ]);
  return `${table(["strategy", "decisions compared", ""], rows, ["decisions compared"])}\n`;
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

/** Percentage points, with the sign. */
function points(fraction: number): string {
  return `${fraction < 0 ? "−" : "+"}${Math.abs(100 * fraction).toFixed(2)}`;
}

function usd(amount: number): string {
  return Math.round(amount).toLocaleString("en-US");
}
