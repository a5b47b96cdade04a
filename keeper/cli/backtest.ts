// `tiller backtest`: what strategies would have earned on recorded history, beside the best hold and the ceiling. The shape of
// its JSON is a contract with others.
import { Command } from "commander";
import path from "node:path";
import { parameterSource, sourceWords } from "../backtest/catalogue";
import { compare, type Comparison } from "../backtest/compare";
import { checkLeaks, type LeakReport } from "../backtest/leaks";
import { iso, type Market } from "../backtest/market";
import type { Strategy } from "../backtest/strategy";
import { WALK_FORWARD } from "../backtest/walkForward";
import { WorldFailure } from "../config/failure";
import type { Peers } from "../backtest/strategies/ml";
import { assetOf } from "../forecast/features";
import {
  readMarket,
  requestOf,
  withOptions,
  withSeries,
  withStrategies,
  type BacktestCommandOptions,
  type Request,
} from "./backtestRequest";
import { chosenAlong, chosenByPast, choiceShape, choiceWords, TRIED_FOR_LEAKS } from "./chosenByPast";
import { modelShape, modelWords } from "./forecastWords";
import { untilInterrupted } from "./interrupted";
import { wholeNumber } from "./optionValues";
import { percent, points, printJson, table } from "./printing";
import { countOf } from "./progress";
import { recordedCommand } from "./recorded";
import { writeReport } from "./reportFile";
import {
  foldsAsked,
  inSample,
  settingsOf,
  sweepCommand,
  withSweepOptions,
  withTrialOptions,
  type SweepCommandOptions,
  type SweepSettings,
} from "./sweep";
import { tearSheetPage } from "./tearSheet/page";
import { walkForwardCommand } from "./walkForward";

const MOST_MOMENTS = 1_000;

export function backtestCommand(): Command {
  return withSweepOptions(
    withStrategies(
      withSeries(
        new Command("backtest").description(
          "what strategies would have earned on recorded history, and what was possible",
        ),
      ),
    ),
  )
    .option("--html <file>", "write a tear sheet: one file that opens without a network")
    .action(async (options: SweepCommandOptions & { html?: string }) => {
      const settings = settingsOf(options);
      const request = await requestOf(options);
      const sheet = options.html === undefined ? null : { file: options.html, gas: gasWords(options) };
      await untilInterrupted((signal) => backtest(request, { settings, sheet, signal }), "nothing was written");
    })
    .enablePositionalOptions()
    .addCommand(leaksCommand())
    .addCommand(recordedCommand())
    .addCommand(sweepCommand())
    .addCommand(walkForwardCommand());
}

function leaksCommand(): Command {
  const command = new Command("check-leaks").description(
    "alter the future and fail if a strategy decided anything otherwise before it",
  );
  return withTrialOptions(withStrategies(withSeries(withOptions(command))), TRIED_FOR_LEAKS)
    .option("--moments <count>", "at how many moments the future is altered", "8")
    .action(async (options: BacktestCommandOptions & { vary?: string[]; folds: string; moments: string }) => {
      const { vary = TRIED_FOR_LEAKS } = options;
      const folds = foldsAsked(options.folds);
      const request = await requestOf(options);
      const moments = wholeNumber(options.moments, "--moments", MOST_MOMENTS);
      await untilInterrupted((signal) => findLeaks(request, { vary, folds, moments, signal }), "nothing was written");
    });
}

interface Sheet {
  readonly file: string;
  /** What gas costs, in words. */
  readonly gas: string;
}

async function backtest(
  request: Request,
  of: { readonly settings: SweepSettings; readonly sheet: Sheet | null; readonly signal: AbortSignal },
): Promise<void> {
  const { settings, sheet, signal } = of;
  const history = await readMarket(request, signal);
  const { market, dataHash } = history;
  const { strategies, peers } = await request.strategiesOn(market, signal);
  const choice = await chosenByPast(request, history, { settings, signal });
  const result = await compare(market, [...strategies, ...choice.strategies], {
    ...{ ...request.run, seed: settings.seed, signal, record: sheet !== null },
    ...(request.json ? {} : { progress: countOf("strategies") }),
  });
  const notes = [...notesOn(market, request), ...choice.notes];
  const said = [...choiceWords(choice), ...withModel(request, notes, peers)];
  if (sheet !== null) {
    const assumptions = [...assumptionsOf(market, request, sheet.gas), ...said];
    const { capital } = request.run;
    writeReport(sheet.file, tearSheetPage({ market, comparison: result, capital, dataHash, assumptions }));
  }
  if (request.json) {
    const chosen = choiceShape(choice, { request, grid: market.grid });
    const model = shapeOf(request, peers);
    printJson({ dataHash, model, ...jsonShape(result), inSample: inSample(result), walkForward: chosen, notes });
  } else process.stdout.write(report(result, { market, dataHash, capital: request.run.capital, notes: said }));
}

async function findLeaks(
  request: Request,
  of: Pick<SweepSettings, "vary" | "folds"> & { readonly moments: number; readonly signal: AbortSignal },
): Promise<void> {
  const { moments, signal } = of;
  const { market, dataHash } = await readMarket(request, signal);
  const choice = chosenAlong(request, market.grid, of);
  const strategiesOn = async (on: Market): Promise<Strategy[]> => [
    ...(await request.strategiesOn(on, signal)).strategies,
    ...choice.strategiesOn(on),
  ];
  const reports = await checkLeaks(market, strategiesOn, {
    ...{ ...request.run, moments, signal },
    ...(request.json ? {} : { progress: countOf("futures") }),
  });
  const leaking = reports.filter(({ leak }) => leak !== null).map(({ strategy }) => strategy);
  const { model } = request;
  const notes = [...request.notes, ...choice.notes];
  const clean = leaking.length === 0;
  if (request.json) {
    printJson({ dataHash, model: modelShape(model), clean, strategies: leakShape(reports, market), notes });
  } else process.stdout.write(leakReport(reports, market, withModel(request, notes)));
  if (clean) return;
  throw new WorldFailure("BACKTEST_LEAK", `${leaking.join(", ")}: decided on what came later`, {
    field: "--strategy",
    remedy: "Find what it reads beyond the rows that were known; none of its figures mean anything until then.",
  });
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
    "Rates are base rates without rewards. All of it is in hindsight.",
    IN_SAMPLE_WORDS,
  ];
}

/** Of figures that somebody could have picked afterwards. */
const IN_SAMPLE_WORDS = `In sample are best hold and ceiling, known only afterwards, and strategies whose parameters are as set: whoever set them may have known this history. Those of ${WALK_FORWARD} are chosen by the past of each fold alone.`;

/** The fixed shape; what is beyond it may be read, and may change. */
function jsonShape({ strategies, ceiling, bestHold }: Comparison): object {
  const figures = [...strategies].map(([name, { metrics, run }]) => {
    return [name, { ...metrics, refused: run.refused, waited: run.waited }] as const;
  });
  return { strategies: Object.fromEntries(figures), ceiling, bestHold };
}

/** What the figures leave out, where that matters for these series. */
function notesOn({ venues }: Market, { notes }: Request): string[] {
  const assets = [...new Set(venues.map(assetOf))];
  if (assets.length < 2) return [...notes];
  return [
    `${assets.join(", ")}: prices between assets, and what swapping one for another costs, are not counted`,
    ...notes,
  ];
}

/** As lines under a table. */
function withModel({ model }: Request, notes: readonly string[], peers: Peers | null = null): string[] {
  if (model === null) return [...notes];
  const beside =
    peers === null || peers.series.length === 0
      ? []
      : [`its features compare with ${peers.series.join(", ")}: data ${peers.dataHash.slice(0, 16)}`];
  return [modelWords(model), ...beside, ...notes];
}

/** The data's hash covers the markets; this the other series that the model's features looked at. */
function shapeOf({ model }: Request, peers: Peers | null): object | null {
  return model === null ? null : { ...modelShape(model), peers };
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
    "parameters",
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
    sourceWords(parameterSource(name)),
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
    `best hold  ${percent(bestHold.apy)}  ${bestHold.series}, known only afterwards (in sample)`,
    ceiling.exact
      ? `ceiling    ${percent(ceiling.apy)}  hindsight optimum, exact (in sample)`
      : `ceiling    ${percent(ceiling.apy)}  upper bound; a plan with hindsight reached ${percent(ceiling.feasible.apy)} (in sample)`,
    `${usd(capital)} USD, ${iso(grid.from)} to ${iso(grid.from + grid.steps * grid.stepSeconds)}, steps of ${grid.stepSeconds / 60} min, lag ${knowledge.lagSeconds / 3600} h; ${ways}; in hindsight, not a forecast`,
    `data ${dataHash.slice(0, 16)}`,
    IN_SAMPLE_WORDS,
    ...notes,
  ];
  return `${table(head, rows, head.slice(2))}\n\n${lines.join("\n")}\n`;
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

function leakReport(reports: readonly LeakReport[], { grid }: Market, notes: readonly string[]): string {
  const at = (step: number): string => iso(grid.from + step * grid.stepSeconds);
  const rows = reports.map(({ strategy, compared, leak }) => [
    strategy,
    compared.toLocaleString("en-US"),
    leak === null
      ? "clean"
      : `another decision at ${at(leak.step)}, future ${leak.alteration} from ${at(leak.moment)} on`,
  ]);
  return [table(["strategy", "decisions compared", ""], rows, ["decisions compared"]), ...notes, ""].join("\n");
}

function usd(amount: number): string {
  return Math.round(amount).toLocaleString("en-US");
}
