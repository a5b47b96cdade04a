// `tiller backtest walk-forward`: over all markets of some assets in a folder, the live decision with the parameters that the past
// of each fold would have chosen, beside every other strategy and the best venue held throughout. One table, as it comes out.
import { Command } from "commander";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { PERIODIC_NAMES } from "../backtest/strategies/periodic";
import type { Metrics } from "../backtest/metrics";
import { erasOf, extentsOf, type Era } from "../backtest/eras";
import { readSeries, seriesIn } from "../backtest/readSeries";
import { utcDay } from "../collect/utcDay";
import { InputFailure } from "../config/failure";
import { assetOf } from "../forecast/features";
import { date, maxGapOf, readMarket, requestOf, type Request } from "./backtestRequest";
import { untilInterrupted } from "./interrupted";
import { required } from "./optionValues";
import { percent, points, printJson, table } from "./printing";
import { countOf } from "./progress";
import {
  inSample,
  labelled,
  settingsOf,
  sweepHistory,
  withSweepOptions,
  type Swept,
  type SweepCommandOptions,
} from "./sweep";

interface WalkForwardOptions extends Omit<SweepCommandOptions, "series" | "strategy" | "models"> {
  readonly asset?: string[];
}

interface EraResult {
  readonly asset: string;
  readonly era: Era;
  readonly swept: Swept;
}

export function walkForwardCommand(): Command {
  return withSweepOptions(
    new Command("walk-forward").description(
      "every asset's markets, wherever two or more were there: parameters chosen by the past, beside all other strategies",
    ),
  )
    .option("--asset <name...>", "as series names end, for example usdc weth")
    .option("--out <dir>", "keep trials there, a file a set, and do not run again what is there")
    .action(async (options: WalkForwardOptions) => {
      const stands = options.out === undefined ? "nothing was written" : "trials that were run are kept";
      await untilInterrupted((signal) => walk(options, signal), stands);
    });
}

async function walk(options: WalkForwardOptions, signal: AbortSignal): Promise<void> {
  const folder = required(options.data, "--data", "Name the folder with the history files.");
  const assets = options.asset ?? [];
  if (assets.length === 0) required(undefined, "--asset", "Name the assets, as series names end.");
  const span = {
    ...{ from: date(options.from, "--from"), to: date(options.to, "--to") },
    maxGapSeconds: maxGapOf(options),
  };
  const settings = settingsOf(options);
  if (options.out !== undefined) makeFolder(options.out);
  const sets: { readonly asset: string; readonly era: Era; readonly request: Request }[] = [];
  for (const asset of assets) {
    for (const era of await erasOfAsset(folder, asset, { ...span, signal, json: options.json === true })) {
      const request = await requestOf({
        ...{ ...options, series: [...era.series], from: utcDay(era.from), to: utcDay(era.to) },
        strategy: [...PERIODIC_NAMES],
      });
      // What is wrong with a history is said before an hour is spent on the others.
      await readMarket(request, signal);
      sets.push({ asset, era, request });
    }
  }
  const results: EraResult[] = [];
  for (const { asset, era, request } of sets) {
    if (options.json !== true) process.stderr.write(`${titleOf(asset, era)}\n`);
    const out = options.out === undefined ? undefined : path.join(options.out, `${asset}-${utcDay(era.from)}.jsonl`);
    const swept = await sweepHistory(request, { ...settings, out, signal, beside: request.strategies() });
    results.push({ asset, era, swept });
  }
  const notes = [...new Set(results.flatMap(({ swept }) => swept.request.notes))];
  if (options.json === true) printJson({ sets: results.map(shapeOf), notes });
  else process.stdout.write(`${report(results)}${notes.map((note) => `${note}\n`).join("")}`);
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new InputFailure("SWEEP_FILE", "is no folder that can be made", {
      field: "--out",
      remedy: "Name a folder that you may write to.",
      cause,
    });
  }
}

async function erasOfAsset(
  folder: string,
  asset: string,
  of: {
    readonly from: number;
    readonly to: number;
    readonly maxGapSeconds: number;
    readonly signal: AbortSignal;
    readonly json: boolean;
  },
): Promise<Era[]> {
  const { from, to, maxGapSeconds, signal, json } = of;
  const names = seriesIn(folder).filter((name) => assetOf(name) === asset);
  const { series } = await readSeries(folder, names, {
    ...{ now: Math.floor(Date.now() / 1_000), signal },
    ...(json ? {} : { progress: countOf("series") }),
  });
  const eras = erasOf(
    series.flatMap((one) => extentsOf(one, maxGapSeconds)),
    { from, to },
  );
  if (eras.length > 0) return eras;
  throw new InputFailure("BACKTEST_SERIES", `no two markets of ${asset} are there together for half a year`, {
    field: "--asset",
    remedy: `Name another asset or span; the folder has ${names.length === 0 ? "none of it" : names.join(", ")}.`,
  });
}

function shapeOf({ asset, era, swept }: EraResult): object {
  const { overfitting, deflatedSharpe } = swept.verdict;
  return {
    ...{ asset, series: era.series, from: utcDay(era.from), to: utcDay(era.to), dataHash: swept.dataHash },
    strategies: Object.fromEntries([...swept.result.strategies].map(([name, { metrics }]) => [name, metrics])),
    ...{ bestHold: swept.result.bestHold, ceiling: swept.result.ceiling, inSample: inSample(swept.result) },
    ...{ trials: swept.trials.length, overfitting: overfitting?.probability ?? null, deflatedSharpe },
  };
}

function report(results: readonly EraResult[]): string {
  const head = ["strategy", "APY", "over the best hold, pp", "95 %", "capture", "moves", "turnover", "costs"];
  const parts = results.map(({ asset, era, swept }) => {
    const { result, verdict, trials } = swept;
    const rows = [...result.strategies].map(([name, { metrics }]) => rowOf(name, metrics));
    const { overfitting, deflatedSharpe } = verdict;
    const luck = overfitting === null ? "–" : percent(overfitting.probability);
    return [
      titleOf(asset, era),
      table(head, rows, head.slice(1)),
      `best hold (in sample) ${percent(result.bestHold.apy)} ${result.bestHold.series}; ceiling (in sample) ${percent(result.ceiling.apy)}, reached with hindsight ${percent(result.ceiling.feasible.apy)}`,
      `probability of overfitting ${luck} over ${trials.length} trials; deflated Sharpe of the best ${deflatedSharpe === null ? "–" : deflatedSharpe.toFixed(3)}; data ${swept.dataHash.slice(0, 16)}`,
      "",
    ].join("\n");
  });
  return `${parts.join("\n")}\n`;
}

function rowOf(name: string, { apy, excess, captureRatio, moves, turnoverUsd, costsUsd }: Metrics): string[] {
  return [
    ...[labelled(name), percent(apy)],
    ...(excess === null ? ["–", "–"] : [points(excess.mean), `${points(excess.low)} … ${points(excess.high)}`]),
    ...[captureRatio === null ? "–" : captureRatio.toFixed(2), String(moves)],
    ...[turnoverUsd, costsUsd].map((usd) => Math.round(usd).toLocaleString("en-US")),
  ];
}

function titleOf(asset: string, { series, from, to }: Era): string {
  return `${asset.toUpperCase()}, ${utcDay(from)} to ${utcDay(to)}: ${series.join(", ")}`;
}
