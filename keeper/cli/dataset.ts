// `tiller dataset`: what models are trained on.
import { Command } from "commander";
import { withStore } from "../app/assemble";
import { InputFailure } from "../config/failure";
import { loadConfig } from "../config/load";
import { silent } from "../events/events";
import { writeDataset } from "../forecast/dataset";
import { untilInterrupted } from "./interrupted";
import { printJson, table } from "./printing";

interface DatasetCommandOptions {
  readonly out?: string;
  readonly series?: string[];
  readonly chain: string;
  readonly from?: string;
  readonly to?: string;
  readonly config?: string;
  readonly json?: boolean;
}

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
      const { out } = options;
      if (out === undefined) {
        throw new InputFailure("OPTION", "no folder is named", { field: "--out", remedy: "Name one to write to." });
      }
      const span = { ...bound("from", options.from), ...bound("to", options.to) };
      const config = loadConfig({ file: options.config, env: process.env, offline: true });
      await untilInterrupted(async (signal) => {
        const manifest = await withStore(config, silent, async (store) => {
          const stored = (await store.history.series()).filter(({ chainId }) => chainId === Number(options.chain));
          for (const name of options.series ?? []) {
            if (!stored.some((one) => one.name === name)) throw unknownSeries(name);
          }
          const series = stored.filter(({ name }) => options.series?.includes(name) ?? true);
          const progress = options.json === true ? () => undefined : showProgress;
          return writeDataset(store.history, { out, series, ...span, signal, progress });
        });
        if (options.json === true) printJson(manifest);
        else {
          const head = ["series", "rows of history", "hours", "from", "to"];
          const rows = manifest.series.map((one) => [
            ...[one.name, String(one.historyRows), String(one.end - one.begin)],
            ...[new Date(one.from * 1000).toISOString(), new Date(one.to * 1000).toISOString()],
          ]);
          process.stdout.write(
            `${table(head, rows, head.slice(1, 3))}\n${out}: ${manifest.rows} rows of ${manifest.features.length} features, data ${manifest.dataHash.slice(0, 16)}\n`,
          );
        }
      }, "nothing was written");
    });
}

function showProgress(done: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${of} series${done === of ? "\r\u001b[K" : ""}`);
}

function bound(name: "from" | "to", text: string | undefined): { from?: number; to?: number } {
  if (text === undefined) return {};
  const at = /^\d{4}-\d{2}-\d{2}([T ].*)?$/.test(text)
    ? Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text)
    : NaN;
  if (!Number.isNaN(at)) return { [name]: Math.floor(at / 1000) };
  throw new InputFailure("OPTION", `${JSON.stringify(text)} is no date`, {
    field: `--${name}`,
    remedy: "Use an ISO date, for example 2024-06-01 or 2024-06-01T12:00:00Z.",
  });
}

export function unknownSeries(name: string): InputFailure {
  return new InputFailure("SERIES_UNKNOWN", `${JSON.stringify(name)} is not stored`, {
    field: "--series",
    remedy: "See the names with tiller data report.",
  });
}
