// `tiller backtest`: what strategies would have earned on recorded history, beside the best hold and the ceiling. The shape of
// its JSON is a contract with others.
import { Command } from "commander";
import path from "node:path";
import { compare, type Comparison } from "../backtest/compare";
import { checkLeaks, type LeakReport } from "../backtest/leaks";
import { iso, type Market } from "../backtest/market";
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
import { modelShape, modelWords } from "./forecastWords";
import { untilInterrupted } from "./interrupted";
import { wholeNumber } from "./optionValues";
import { percent, points, printJson, table } from "./printing";
import { countOf } from "./progress";
import { recordedCommand } from "./recorded";
import { writeReport } from "./reportFile";
import { sweepCommand } from "./sweep";
import { tearSheetPage } from "./tearSheet/page";
import { walkForwardCommand } from "./walkForward";

const MOST_MOMENTS = 1_000;

export function backtestCommand(): Command {
  return ofStrategies(
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
    .addCommand(recordedCommand())
    .addCommand(sweepCommand())
    .addCommand(walkForwardCommand());
}

const ofStrategies = (command: Command): Command => withStrategies(withSeries(withOptions(command)));

function leaksCommand(): Command {
  return ofStrategies(
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
  const { strategies, peers } = await request.strategiesOn(market, signal);
  const result = await compare(market, strategies, {
    ...{ ...request.run, seed, signal, record: sheet !== null },
    ...(request.json ? {} : { progress: countOf("strategies") }),
  });
  const notes = notesOn(market, request);
  const said = withModel(request, notes, peers);
  if (sheet !== null) {
    const assumptions = [...assumptionsOf(market, request, sheet.gas), ...said];
    const { capital } = request.run;
    writeReport(sheet.file, tearSheetPage({ market, comparison: result, capital, dataHash, assumptions }));
  }
  if (request.json) printJson({ dataHash, model: shapeOf(request, peers), ...jsonShape(result), notes });
  else process.stdout.write(report(result, { market, dataHash, capital: request.run.capital, notes: said }));
}

async function findLeaks(request: Request, moments: number, signal: AbortSignal): Promise<void> {
  const { market, dataHash } = await readMarket(request, signal);
  const reports = await checkLeaks(market, async (on) => (await request.strategiesOn(on, signal)).strategies, {
    ...{ ...request.run, moments, signal },
    ...(request.json ? {} : { progress: countOf("futures") }),
  });
  const leaking = reports.filter(({ leak }) => leak !== null).map(({ strategy }) => strategy);
  const { model, notes } = request;
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
