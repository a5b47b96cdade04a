// `tiller data`: history from files, and what there is of it.
import { Command } from "commander";
import { withStore } from "../app/withStore";
import { dataReport, type SeriesReport } from "../collect/dataReport";
import { importFiles } from "../collect/importFiles";
import type { RateUnit } from "../collect/canonicalHistory";
import { poolFileReports, swapReports, type PoolFileReport, type SwapReport } from "../collect/poolFileReport";
import { poolReports, type PoolReport } from "../collect/poolReport";
import { utcDay } from "../collect/utcDay";
import { loadConfig, type Config } from "../config/load";
import { silent } from "../events/events";
import type { HistoryStore } from "../store/historyRecords";
import { dataReportPage, type DataReports } from "./dataReportPage";
import { untilInterrupted } from "./interrupted";
import { chainIdOf, malformed, unknownSeries } from "./optionValues";
import { printJson, table } from "./printing";
import { countOf } from "./progress";
import { writeReport } from "./reportFile";

interface CommonOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function dataCommand(): Command {
  return new Command("data")
    .description("history: import it from files, say what there is of it and what is odd in it")
    .addCommand(importCommand())
    .addCommand(reportCommand());
}

function importCommand(): Command {
  return new Command("import")
    .description("stores history files (CSV, gzip allowed), each a series named as the file; all of them or nothing")
    .argument("<file...>", "canonical history; or states, days, single swaps or descriptions of Uniswap pools")
    .option("--chain <id>", "chain that the files are of", "1")
    .option("--rates <unit>", "fraction or percent; not said: a file that looks like percent is refused", "ask")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action(async (files: string[], options: CommonOptions & { chain: string; rates: string }) => {
      const settings = { chainId: chainIdOf(options.chain), rates: unitOf(options.rates) };
      await untilInterrupted(async (signal) => {
        const report = await withStore(configOf(options), silent, (store) =>
          importFiles(store.history, files, {
            ...settings,
            now: Math.floor(Date.now() / 1000),
            signal,
            progress: options.json === true ? () => undefined : countOf("files"),
          }),
        );
        if (options.json === true) printJson(report);
        else {
          const { rowsRead, rowsInserted, rowsUnchanged, flagged } = report;
          process.stdout.write(
            `${report.files} files: ${rowsRead} rows read, ${rowsInserted} stored, ${rowsUnchanged} were there already, ${flagged} flagged\n`,
          );
        }
      }, "files that were stored stay, and a second import goes on");
    });
}

function reportCommand(): Command {
  return new Command("report")
    .description("span, rows, gaps, staleness and flags of each series; events, volume, states and swaps of pools")
    .option("--series <name...>", "these only, and no pools")
    .option("--html <file>", "write the same with a plot of each series")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action(async (options: CommonOptions & { series?: string[]; html?: string }) => {
      const wanted = options.series === undefined ? null : new Set(options.series);
      const reports = await withStore(configOf(options), silent, (store) => reportsOf(store.history, wanted));
      const { series, pools, poolFiles, swaps } = reports;
      for (const name of wanted ?? []) {
        if (!series.some((one) => one.series === name)) throw unknownSeries(name);
      }
      if (options.html !== undefined) writeReport(options.html, dataReportPage(reports));
      if (options.json === true) {
        printJson({
          series: series.map(({ days: _days, ...rest }) => rest),
          pools: pools.map(({ traded: _traded, ...rest }) => rest),
          poolFiles: poolFiles.map(({ days: _days, ...rest }) => rest),
          swaps,
        });
      } else {
        process.stdout.write(
          `${describe(series)}${describePools(pools)}${describeFiles(poolFiles)}${describeSwaps(swaps)}`,
        );
      }
    });
}

/** @param wanted Names of series; null: all, and pools. */
async function reportsOf(store: HistoryStore, wanted: ReadonlySet<string> | null): Promise<DataReports> {
  const series: SeriesReport[] = [];
  for await (const one of dataReport(store, ({ name }) => wanted?.has(name) ?? true)) series.push(one);
  if (wanted !== null) return { series, pools: [], poolFiles: [], swaps: [] };
  return {
    series,
    pools: await poolReports(store),
    poolFiles: await poolFileReports(store),
    swaps: await swapReports(store),
  };
}

function describe(reports: readonly SeriesReport[]): string {
  if (reports.length === 0) return "no series yet: tiller data import FILE…\n";
  const head = ["series", "rows", "from", "to", "step", "gaps", "longest", "oldest state", "median APR", "flagged"];
  const rows = reports.map((one) => [
    one.chainId === 1 ? one.series : `${one.series} (${one.chainId})`,
    String(one.rows),
    utcDay(one.first),
    utcDay(one.last),
    duration(one.stepSeconds),
    String(one.gaps),
    one.gaps === 0 ? "" : duration(one.longestGapSeconds),
    duration(one.oldestStateSeconds),
    one.medianSupplyApr === null ? "–" : `${(100 * one.medianSupplyApr).toFixed(2)} %`,
    `${((100 * one.flagged) / one.rows).toFixed(1)} %`,
  ]);
  const flags = reports.flatMap((one) => {
    const words = wordsOf(one.flags);
    return words === "" ? [] : [[one.series, words]];
  });
  return `${table(head, rows, head.slice(1))}\n\n${flags.length === 0 ? "nothing is flagged" : table(["series", "flags"], flags)}\n`;
}

function describePools(pools: readonly PoolReport[]): string {
  if (pools.length === 0) return "";
  const head = [
    "events of",
    "pool",
    "from block",
    "to block",
    "missing",
    "events",
    "swaps",
    "days",
    "sold of each coin",
  ];
  const rows = pools.map((one) => [
    one.chainId === 1 ? one.source : `${one.source} (${one.chainId})`,
    ...[one.pool, String(one.fromBlock), String(one.toBlock), String(one.missingBlocks), String(one.events)],
    ...[String(one.swaps), String(one.days), one.sold.join(" ")],
  ]);
  return `\n${table(head, rows, head.slice(2))}\n`;
}

function describeFiles(files: readonly PoolFileReport[]): string {
  if (files.length === 0) return "";
  const head = ["file of a pool", "rows", "from", "to", "step", "gaps", "longest", "flagged", "flags"];
  const rows = files.map((one) => [
    one.chainId === 1 ? one.subject : `${one.subject} (${one.chainId})`,
    ...[String(one.rows), utcDay(one.first), utcDay(one.last), duration(one.stepSeconds), String(one.gaps)],
    one.gaps === 0 ? "" : duration(one.longestGapSeconds),
    ...[`${((100 * one.flagged) / one.rows).toFixed(1)} %`, wordsOf(one.flags)],
  ]);
  return `\n${table(head, rows, head.slice(1, -1))}\n`;
}

function describeSwaps(swaps: readonly SwapReport[]): string {
  if (swaps.length === 0) return "";
  const head = [
    "swaps of chain",
    "swaps",
    "v2",
    "v3",
    "transactions",
    "pools",
    "blocks",
    "not before",
    "known by",
    "flags",
  ];
  const rows = swaps.map((one) => [
    ...[String(one.chainId), String(one.swaps), String(one.byProtocol.v2), String(one.byProtocol.v3)],
    ...[String(one.transactions), String(one.pools), String(one.blocks), utcDay(one.first), utcDay(one.last)],
    wordsOf(one.flags),
  ]);
  return `\n${table(head, rows, head.slice(0, -1))}\n`;
}

function wordsOf(flags: Readonly<Partial<Record<string, number>>>): string {
  return Object.entries(flags)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}

function duration(seconds: number): string {
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

function configOf(options: CommonOptions): Config {
  return loadConfig({ file: options.config, env: process.env, offline: true });
}

function unitOf(text: string): RateUnit {
  if (text === "fraction" || text === "percent" || text === "ask") return text;
  const remedy = "Use fraction (0.05 is 5 % a year) or percent (5 is 5 % a year).";
  throw malformed(`${JSON.stringify(text)} is no unit of rates`, "--rates", remedy);
}
