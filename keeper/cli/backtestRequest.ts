// What a backtest is asked for on the command line: the options that all its commands share, and what they come to.
import type { Command } from "commander";
import { namesOf, strategyOf } from "../backtest/catalogue";
import { constantGas, readGasPrices, type GasPrices } from "../backtest/gasPrices";
import { iso, marketOf, type Market, type MarketOptions } from "../backtest/market";
import type { Parameters } from "../backtest/parameters";
import { readSeries } from "../backtest/readSeries";
import type { RunOptions } from "../backtest/run";
import { protocolRisk, scoreHindsight, seriesTail, TAIL_HINDSIGHT } from "../backtest/seriesRisk";
import { mlForecasts, type Peers } from "../backtest/strategies/ml";
import type { Strategy } from "../backtest/strategy";
import { WALK_FORWARD } from "../backtest/walkForward";
import { InputFailure } from "../config/failure";
import { loadConfig } from "../config/load";
import { isCard, modelFor } from "../forecast/modelFolder";
import { loadModel, type ServedModel } from "../forecast/onnxModel";
import { readProtocols } from "../risk/protocolFile";
import { readScenarios } from "../risk/scenarios";
import { modelsOption } from "./modelsOption";
import { DATES, decimal, malformed, optionalDate, required, wholeNumber } from "./optionValues";
import { countOf } from "./progress";

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
  /** Default: the checkout's own. */
  readonly models?: string;
  readonly config?: string;
  readonly json?: boolean;
}

const MOST_USD = 1e15;
const DAY_MINUTES = 1_440;
const BPS = 10_000;
/** A century. */
const MOST_HOURS = 876_000;

/** What a move of 300,000 gas costs at 20 gwei and 2,500 USD. */
const DEFAULT_GAS_USD = "15";

/** Of every command; those that compare strategies, and those that take one set of markets, have more. */
export function withOptions(command: Command): Command {
  return command
    .option("--data <dir>", "folder of history files, one a series: NAME.csv or NAME.csv.gz")
    .option("--capital <usd>", "money at the beginning")
    .option("--from <date>", "ISO date, UTC: money is placed then")
    .option("--to <date>", "ISO date, UTC: money is counted then")
    .option("--gas-usd-per-move <usd>", "gas of moving money from one venue to another", DEFAULT_GAS_USD)
    .option("--gas-history <file>", "the same from a CSV file: observed_at,base_fee_gwei,eth_usd")
    .option("--gas-per-move <gas>", "units of gas of a move, for --gas-history", "300000")
    .option("--lag-hours <hours>", "how long after a row was available a decision knows it", "1")
    .option("--cost-bps <bps>", "of the amount moved, half at either end", "0")
    .option("--step-minutes <minutes>", "time between two decisions; a part of a day", "60")
    .option("--max-gap-hours <hours>", "longest silence of a series that its last state is carried over", "168")
    .option("--price-taker", "our deposits change no rate and can always leave")
    .option("--config <file>", "config file: limits and half-life of the live decision")
    .option("--json", "one JSON document");
}

export function withSeries(command: Command): Command {
  return command.option("--series <name...>", "the markets that money may be in");
}

export function withStrategies(command: Command): Command {
  return command
    .option("--strategy <name...>", "these only; default: all, walk-forward among them")
    .option("--models <dir>", "folder of trained models, for the strategy ml; default: the checkout's own");
}

/** What was asked for, checked as far as that goes without reading any history. */
export interface Request {
  readonly folder: string;
  readonly series: readonly string[];
  /** Of any market: without those that a trained model forecasts for, and without `walk-forward`. */
  readonly strategies: () => Strategy[];
  /**
   * All but `walk-forward`, which needs many runs.
   * @throws InputFailure `IMPORT_…`: of the series that the model's features compare with.
   */
  readonly strategiesOn: (market: Market, signal: AbortSignal) => Promise<Asked>;
  /** Whether `walk-forward` shall run: by name, since all are meant, or not. */
  readonly walkForward: "asked" | "with all" | "no";
  /** Null: no strategy asks one. */
  readonly model: ServedModel | null;
  /** Of the live decision, by the config. */
  readonly parameters: Parameters;
  readonly market: MarketOptions;
  readonly run: RunOptions;
  /** Unix seconds: rows of later are refused. */
  readonly now: number;
  /** What strategies know of the future by data files that no check for leaks alters; that there is no model. */
  readonly notes: readonly string[];
  readonly json: boolean;
}

export interface Asked {
  readonly strategies: Strategy[];
  /** Null: no strategy asks a model. */
  readonly peers: Peers | null;
}

export async function readMarket(
  { folder, series, market, now, json }: Request,
  signal: AbortSignal,
): Promise<{ readonly market: Market; readonly dataHash: string }> {
  const history = await readSeries(folder, series, {
    ...{ now, signal },
    ...(json ? {} : { progress: countOf("series") }),
  });
  return { market: marketOf(history.series, market), dataHash: history.dataHash };
}

/** @throws InputFailure `OPTION_…`, `BACKTEST_SPAN`, `BACKTEST_STRATEGY`, `MODEL_…`, `CONFIG_…`; WorldFailure `MODEL_RUNTIME`. */
export async function requestOf(options: BacktestCommandOptions): Promise<Request> {
  const folder = required(options.data, "--data", "Name the folder with the history files.");
  const series = options.series ?? [];
  if (series.length === 0) required(undefined, "--series", "Name the series that money may be in.");
  const capitalText = required(options.capital, "--capital", "Say how much money, USD.");
  const capital = decimal(capitalText, "--capital", { above: 0, most: MOST_USD });
  const costBps = decimal(options.costBps, "--cost-bps", { most: BPS });
  const market = await marketSettings(options, capital);
  const { limits: all, forecast, risk } = loadConfig({ file: options.config, env: process.env, offline: true });
  const protocols = readProtocols(risk.protocolFile);
  const { horizonHours, minGainUsd, noTradeBandBps, cooldownSeconds, maxShareOfVenue } = all;
  const { gasPatienceHours, halfLifeHours } = forecast;
  const limits = {
    ...{ horizonHours, minGainUsd, noTradeBandBps, cooldownSeconds, maxShareOfVenue, gasPatienceHours },
    ...(risk.tail.kappa > 0
      ? {
          tail: seriesTail(series, risk.tail, { protocols, scenarios: readScenarios(), at: market.from }),
          tolerance: risk.tail.tolerance,
        }
      : {}),
  };
  // Where no strategy would ask a model, none is looked at.
  const models = options.strategy?.includes("ml") === false ? null : modelsOption(options.models);
  const found = models === null ? null : modelFor(market, models.found);
  // Of itself only a model that was trained before the span is tested on it.
  const isFresh = found !== null && isCard(found.card) && found.card.trainWindow.to <= market.from;
  const asked = new Set(options.strategy ?? [...namesOf(series), ...(isFresh ? ["ml"] : []), WALK_FORWARD]);
  const walkForward = !asked.delete(WALK_FORWARD) ? "no" : options.strategy === undefined ? "with all" : "asked";
  const names = [...asked];
  const file = names.includes("ml") && found !== null ? found.folder : null;
  const known = { venues: series, halfLifeHours, protocolRisk: protocolRisk(protocols) };
  // A name that means nothing is refused before anything is read.
  for (const name of names) {
    strategyOf(name, { ...known, limits, ml: file === null ? undefined : () => () => NaN });
  }
  const strategies = (): Strategy[] =>
    names.filter((name) => name !== "ml").map((name) => strategyOf(name, { ...known, limits }));
  const model = file === null ? null : await loadModel(file);
  const now = Math.floor(Date.now() / 1_000);
  const strategiesOn = async (on: Market, signal: AbortSignal): Promise<Asked> => {
    const options = { folder, horizonHours, halfLifeHours, now, signal };
    const ml = model === null ? undefined : await mlForecasts(on, { model, ...options });
    return {
      strategies: names.map((name) => strategyOf(name, { ...known, limits, ml: ml?.forecasts })),
      peers: ml?.peers ?? null,
    };
  };
  const parameters = { ...limits, halfLifeHours };
  const run = { capital, costBps };
  const scored = names.filter((name) => name.startsWith("risk-adjusted"));
  const scores = scored.length > 0 ? scoreHindsight(series, protocols) : null;
  const notes = [
    ...(scores === null ? [] : [`${scored.join(", ")}: ${scores}`]),
    ...("tail" in limits ? [TAIL_HINDSIGHT] : []),
    ...(models?.note == null ? [] : [`no ml: ${models.note}`]),
  ];
  return {
    ...{ folder, series, strategies, strategiesOn, walkForward, model, parameters, market, run, now, notes },
    json: options.json === true,
  };
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
    maxGapSeconds: maxGapOf(options),
    gas: await gasOf(options),
  };
}

/** Seconds. */
export function maxGapOf({ maxGapHours }: Pick<BacktestCommandOptions, "maxGapHours">): number {
  return decimal(maxGapHours, "--max-gap-hours", { most: MOST_HOURS }) * 3600;
}

async function gasOf(options: BacktestCommandOptions): Promise<GasPrices> {
  if (options.gasHistory === undefined) {
    return constantGas(decimal(options.gasUsdPerMove, "--gas-usd-per-move", { most: MOST_USD }));
  }
  return readGasPrices(options.gasHistory, wholeNumber(options.gasPerMove, "--gas-per-move", 1e9));
}

export function date(text: string | undefined, field: string): number {
  return optionalDate(required(text, field, `Write ${DATES}.`), field) as number;
}
