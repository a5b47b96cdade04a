// `tiller dataset`: what models are trained on.
import { Command } from "commander";
import { withStore } from "../app/withStore";
import { loadConfig } from "../config/load";
import { silent } from "../events/events";
import { writeDataset, type DatasetManifest } from "../forecast/dataset";
import { importedDollars } from "../forecast/dollarPairs";
import type { PegsManifest } from "../forecast/pegDataset";
import { untilInterrupted } from "./interrupted";
import { chainIdOf, optionalDate, required, unknownSeries } from "./optionValues";
import { printJson, table } from "./printing";
import { countOf } from "./progress";

interface DatasetCommandOptions {
  readonly out?: string;
  readonly series?: string[];
  readonly chain: string;
  readonly from?: string;
  readonly to?: string;
  readonly config?: string;
  readonly json?: boolean;
}

type Span = DatasetManifest["series"][number] | PegsManifest["pairs"][number];
type Matrices = Pick<DatasetManifest, "rows" | "features" | "dataHash">;

export function datasetCommand(): Command {
  return new Command("dataset")
    .description("feature matrices and targets of stored series, as .npy files with a manifest")
    .option("--out <dir>", "folder that is made, or replaced where it is a data set")
    .option("--series <name...>", "these only; default: all of the chain")
    .option("--chain <id>", "chain of the series", "1")
    .option("--from <date>", "ISO date, UTC: first hour")
    .option("--to <date>", "ISO date, UTC: last hour")
    .option("--config <file>", "config file")
    .option("--json", "the manifest")
    .action(async (options: DatasetCommandOptions) => {
      const out = required(options.out, "--out", "Name a folder to write to.");
      const chainId = chainIdOf(options.chain);
      const from = optionalDate(options.from, "--from");
      const to = optionalDate(options.to, "--to");
      const config = loadConfig({ file: options.config, env: process.env, offline: true });
      await untilInterrupted(async (signal) => {
        const manifest = await withStore(config, silent, async (store) => {
          const stored = (await store.history.series()).filter((one) => one.chainId === chainId);
          const prices = (await store.history.poolFiles.subjects()).filter(
            (one) => one.chainId === chainId && importedDollars(one) !== null,
          );
          for (const name of options.series ?? []) {
            const isThere = stored.some((one) => one.name === name) || prices.some((one) => one.subject === name);
            if (!isThere) throw unknownSeries(name);
          }
          const series = stored.filter(({ name }) => options.series?.includes(name) ?? true);
          const pools = prices.filter(({ subject }) => options.series?.includes(subject) ?? true);
          const progress = options.json === true ? () => undefined : countOf("series");
          return writeDataset(store.history, { out, series, pools, from, to, signal, progress });
        });
        if (options.json === true) printJson(manifest);
        else {
          const head = ["series", "rows of history", "hours", "from", "to"];
          const row = (name: string, read: number, of: Span): string[] => [
            ...[name, String(read), String(of.end - of.begin)],
            ...[new Date(of.from * 1000).toISOString(), new Date(of.to * 1000).toISOString()],
          ];
          const { pegs } = manifest;
          const rows = [
            ...manifest.series.map((one) => row(one.name, one.historyRows, one)),
            ...(pegs?.pairs ?? []).map((one) => row(one.name, one.states, one)),
          ];
          const said = (of: Matrices): string =>
            `${of.rows} rows of ${of.features.length} features, data ${of.dataHash.slice(0, 16)}`;
          const ofPegs = pegs === undefined ? "" : `; prices of dollars: ${said(pegs)}`;
          process.stdout.write(`${table(head, rows, head.slice(1, 3))}\n${out}: ${said(manifest)}${ofPegs}\n`);
        }
      }, "nothing was written");
    });
}
