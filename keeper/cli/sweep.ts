// `tiller backtest sweep`: many parameters of the live decision on one history, what that proves and what it does not, and what
// choosing by the past of each fold would have earned.
import { Command } from "commander";
import { cpus } from "node:os";
import { withStore } from "../app/withStore";
import { parameterSource, sourceWords } from "../backtest/catalogue";
import { compare, type Comparison } from "../backtest/compare";
import { iso, type Market } from "../backtest/market";
import { combinations, strategyWith, USUAL, type Parameters } from "../backtest/parameters";
import { runBacktest } from "../backtest/run";
import { runSharedTrials } from "../backtest/sharedSweep";
import type { Strategy } from "../backtest/strategy";
import { hold } from "../backtest/strategies/hold";
import { judge, runTrials, type SweepVerdict } from "../backtest/sweep";
import type { Trial } from "../backtest/trial";
import type { Grid } from "../backtest/truth";
import { chooseFolds, walkForward, type Fold } from "../backtest/walkForward";
import { loadConfig } from "../config/load";
import { silent } from "../events/events";
import type { TrialStore } from "../store/trialRecords";
import {
  readMarket,
  requestOf,
  withOptions,
  withSeries,
  type BacktestCommandOptions,
  type Request,
} from "./backtestRequest";
import { untilInterrupted } from "./interrupted";
import { malformed, wholeNumber } from "./optionValues";
import { printJson, table } from "./printing";
import { countOf } from "./progress";

export interface SweepCommandOptions extends BacktestCommandOptions {
  readonly vary?: string[];
  readonly folds: string;
  readonly workers?: string;
  readonly out?: string;
  readonly queue?: string;
  readonly seed: string;
}

export const MOST_TRIALS = 100_000;
const MOST_WORKERS = 64;
/** Trials that are listed for people. */
const SHOWN = 10;

export function sweepCommand(): Command {
  return withSeries(
    withSweepOptions(
      new Command("sweep").description(
        "the live decision with many parameters, and with those that the past would have chosen",
      ),
    ),
  )
    .option("--out <file>", "keep each trial there, and do not run again what is there")
    .option(
      "--queue <name>",
      "keep them in the database, as jobs that all who run the same command with this name share, wherever they run",
    )
    .action(async (options: SweepCommandOptions) => {
      const isKept = options.out !== undefined || options.queue !== undefined;
      const stands = isKept ? "trials that were run are kept" : "nothing was written";
      await untilInterrupted((signal) => sweep(options, signal), stands);
    });
}

export function withSweepOptions(command: Command): Command {
  return withTrialOptions(withOptions(command))
    .option("--workers <count>", "threads; default: one a core")
    .option("--seed <number>", "of the resampling behind the intervals", "1");
}

/** Of every command that lets the past choose. */
export function withTrialOptions(command: Command, tried: readonly string[] = USUAL): Command {
  return command
    .option("--vary <name=values...>", `what to try, for example half-life-hours=6,24; default: ${tried.join(" ")}`)
    .option("--folds <count>", "parts of the history; at the begin of each, parameters are chosen anew", "8");
}

async function sweep(options: SweepCommandOptions, signal: AbortSignal): Promise<void> {
  const { out, queue: name, config: file } = options;
  const request = await requestOf({ ...options, strategy: [] });
  const settings = settingsOf(options);
  const show = async (shared: SharedBy | undefined): Promise<void> => {
    const swept = await sweepHistory(request, { ...settings, out, shared, signal });
    if (request.json) printJson(jsonOf(swept));
    else process.stdout.write(report(swept));
  };
  if (name === undefined) return show(undefined);
  if (name.trim() === "") throw malformed("is empty", "--queue", "Name the sweep.");
  if (out !== undefined) throw malformed("has no use beside --queue", "--out", "Leave one of them out.");
  const config = loadConfig({ file, env: process.env, offline: true });
  await withStore(config, silent, ({ trials: store }) => show({ store, name }));
}

interface SharedBy {
  readonly store: TrialStore;
  readonly name: string;
}

/** @throws InputFailure `OPTION_MALFORMED`. */
export function settingsOf(
  options: Pick<SweepCommandOptions, "vary" | "folds" | "workers" | "seed">,
  tried: readonly string[] = USUAL,
): SweepSettings {
  return {
    vary: options.vary ?? tried,
    folds: foldsAsked(options.folds),
    workers: wholeNumber(options.workers ?? String(cpus().length), "--workers", MOST_WORKERS),
    seed: wholeNumber(options.seed, "--seed", 2 ** 32 - 1),
  };
}

export function foldsAsked(text: string): number {
  return wholeNumber(text, "--folds", 1_000);
}

export interface SweepSettings {
  readonly vary: readonly string[];
  readonly folds: number;
  readonly workers: number;
  readonly seed: number;
}

/** Every combination over one history, and beside the strategies of the request what the past of each fold would have chosen. */
export async function sweepHistory(
  request: Request,
  options: SweepSettings & {
    readonly out: string | undefined;
    /** Trials are shared with other processes in place of kept in a file. */
    readonly shared?: SharedBy | undefined;
    readonly signal: AbortSignal;
    /** To be compared with it. */
    readonly beside?: readonly Strategy[];
  },
): Promise<Swept> {
  const { seed, signal } = options;
  const { run, parameters } = request;
  const history = await readMarket(request, signal);
  const tried = await tryAll(request, history, options);
  const { sets, verdict, chosen } = tried;
  const { market } = history;
  const strategies = [
    walkForward(sets, parameters, chosen),
    strategyWith("as configured", parameters),
    ...(options.beside ?? []),
    strategyWith(BEST_IN_SAMPLE, sets[verdict.best] as Parameters),
  ];
  const result = await compare(market, strategies, { ...run, seed, signal });
  return { request, ...history, ...tried, result };
}

/** What came of every combination over one history, and what the past of each fold would have chosen. */
export interface Tried {
  readonly sets: readonly Parameters[];
  readonly trials: readonly Trial[];
  readonly verdict: SweepVerdict;
  readonly chosen: readonly Fold[];
}

export async function tryAll(
  request: Request,
  { market, dataHash }: { readonly market: Market; readonly dataHash: string },
  options: Omit<SweepSettings, "seed"> & {
    readonly out: string | undefined;
    readonly shared?: SharedBy | undefined;
    readonly signal: AbortSignal;
    /** Steps of the trials. Default: the market's. */
    readonly stepSeconds?: number;
  },
): Promise<Tried> {
  const { vary, folds, workers, out, shared, signal, stepSeconds = market.grid.stepSeconds } = options;
  const { run, folder, series: names } = request;
  const sets = combinations(request.parameters, vary, MOST_TRIALS);
  const work = {
    room: { folder, names, settings: { ...request.market, stepSeconds }, run, now: request.now },
    ...{ dataHash, trials: sets, workers, signal },
    ...(request.json ? {} : { progress: countOf("trials") }),
  };
  const trials = await (shared === undefined ? runTrials({ ...work, out }) : runSharedTrials({ ...work, ...shared }));

  const holds = market.venues.map((series, venue) => runBacktest(market, hold(series, venue), run).equity);
  const best = holds.reduce((a, b) => ((b.at(-1) as number) > (a.at(-1) as number) ? b : a));
  const every = 86_400 / market.grid.stepSeconds;
  const held = Float64Array.from({ length: trials[0]?.daily.length ?? 1 }, (_, day) => best[day * every] as number);
  const chosen = chooseFolds(
    trials.map(({ daily }) => daily),
    market.grid,
    { folds, lagSeconds: market.knowledge.lagSeconds },
  );
  return { sets, trials, verdict: judge(trials, held), chosen };
}

export interface Swept extends Tried {
  readonly request: Request;
  readonly market: Market;
  readonly dataHash: string;
  readonly result: Comparison;
}

/** From when on which parameters. */
export function foldsOf(
  { sets, chosen }: Pick<Tried, "sets" | "chosen">,
  { request, grid }: { readonly request: Request; readonly grid: Grid },
): { from: string; parameters: Parameters }[] {
  return chosen.map(({ begin, chosen: index }) => ({
    from: iso(grid.from + begin * grid.stepSeconds),
    parameters: index === null ? request.parameters : (sets[index] as Parameters),
  }));
}

/** The best of all parameters on this very history. */
const BEST_IN_SAMPLE = "best in sample";

/** What of an answer is in sample; of strategies those whose parameters were set beforehand, by whom we do not know. */
export function inSample({ strategies }: Comparison): string[] {
  return ["bestHold", "ceiling", ...[...strategies.keys()].filter((name) => parameterSource(name) === "as set")];
}

/** A strategy's name with where its parameters are from, if somebody could have picked them afterwards. */
export function labelled(name: string): string {
  if (name === BEST_IN_SAMPLE) return `${name} (chosen on this history)`;
  const source = parameterSource(name);
  return source === "as set" ? `${name}, ${sourceWords(source)}` : name;
}

function jsonOf(swept: Swept): object {
  const { request, sets, trials, verdict, result } = swept;
  const { overfitting } = verdict;
  return {
    dataHash: swept.dataHash,
    trials: trials.map(({ daily, moves, costsUsd, turnoverUsd }, k) => ({
      ...{ parameters: sets[k], totalReturn: (daily.at(-1) as number) / request.run.capital - 1 },
      ...{ moves, costsUsd, turnoverUsd },
    })),
    bestInSample: sets[verdict.best],
    overfitting:
      overfitting === null
        ? null
        : {
            probability: overfitting.probability,
            lossProbability: overfitting.lossProbability,
            splits: overfitting.splits,
          },
    deflatedSharpe: verdict.deflatedSharpe,
    folds: foldsOf(swept, { request, grid: swept.market.grid }),
    strategies: Object.fromEntries([...result.strategies].map(([name, { metrics }]) => [name, metrics])),
    ceiling: result.ceiling,
    bestHold: result.bestHold,
    inSample: inSample(result),
    notes: request.notes,
  };
}

function report(swept: Swept): string {
  const { request, sets, trials, verdict, result } = swept;
  const percent = (share: number | null | undefined): string =>
    share === null || share === undefined ? "–" : `${(100 * share).toFixed(2)} %`;
  const head = ["", "APY", "over the best hold", "95 %", "capture", "moves", "costs, USD"];
  const rows = [...result.strategies].map(([name, { metrics }]) => [
    ...[labelled(name), percent(metrics.apy)],
    percent(metrics.excess?.mean),
    metrics.excess === null ? "–" : `${percent(metrics.excess.low)} … ${percent(metrics.excess.high)}`,
    metrics.captureRatio === null ? "–" : metrics.captureRatio.toFixed(2),
    ...[String(metrics.moves), metrics.costsUsd.toFixed(0)],
  ]);
  const order = trials.map((_, k) => k).sort((a, b) => finalOf(trials[b]) - finalOf(trials[a]));
  const top = order.slice(0, SHOWN).map((k) => {
    const trial = trials[k] as Trial;
    return [...wordsOf(sets[k] as Parameters), percent(finalOf(trial) / request.run.capital - 1), String(trial.moves)];
  });
  const names = ["half-life h", "horizon h", "min gain USD", "band bps", "cooldown h", "max share"];
  const { overfitting, deflatedSharpe } = verdict;
  const folds = foldsOf(swept, { request, grid: swept.market.grid }).map(({ from, parameters }) => [
    from,
    ...wordsOf(parameters),
  ]);
  return [
    table(head, rows, head.slice(1)),
    "",
    `best hold (in sample)  ${percent(result.bestHold.apy)}  ${result.bestHold.series}; ceiling (in sample) ${percent(result.ceiling.apy)}`,
    overfitting === null
      ? "too few trials or days to say how much is overfitted"
      : `probability of overfitting ${percent(overfitting.probability)} over ${overfitting.splits.toLocaleString("en-US")} splits; deflated Sharpe of the best ${deflatedSharpe === null ? "–" : deflatedSharpe.toFixed(3)} of ${trials.length} trials`,
    "",
    "in sample, the best first:",
    table([...names, "return", "moves"], top, [...names, "return", "moves"]),
    "",
    "chosen by the past at the begin of each fold:",
    table(["fold from", ...names], folds, names),
    ...request.notes.map((note) => `\n${note}`),
    "",
  ].join("\n");
}

function wordsOf(p: Parameters): string[] {
  return [
    ...[p.halfLifeHours, p.horizonHours, p.minGainUsd, p.noTradeBandBps, p.cooldownSeconds / 3_600, p.maxShareOfVenue],
  ].map(String);
}

function finalOf(trial: Trial | undefined): number {
  return trial?.daily.at(-1) ?? Number.NEGATIVE_INFINITY;
}
