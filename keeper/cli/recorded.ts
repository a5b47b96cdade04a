// `tiller backtest recorded`: the blocks that a keeper saw, played again through the strategy of this version, and whether it
// decides as was decided then.
import { Command } from "commander";
import { withStore } from "../app/withStore";
import { iso } from "../backtest/market";
import { type Recording, storedRecording } from "../backtest/recording";
import { keptIn, readRecording } from "../backtest/recordingFile";
import { replayRecording, type ReplayedRun } from "../backtest/recorded";
import { loadAddresses } from "../config/addresses";
import { InputFailure, WorldFailure } from "../config/failure";
import { loadConfig } from "../config/load";
import { decide } from "../decide/decide";
import { silent } from "../events/events";
import { FAR_FUTURE } from "../store/historyRecords";
import { untilInterrupted } from "./interrupted";
import { optionalDate } from "./optionValues";
import { printJson, table } from "./printing";

interface RecordedOptions {
  readonly from?: string;
  readonly to?: string;
  readonly recording?: string;
  readonly out?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Of differences so many are shown. */
const SHOWN = 10;

export function recordedCommand(): Command {
  return new Command("recorded")
    .description(
      "play again what a keeper saw, block by block, and compare every decision's hash with the recorded one",
    )
    .option("--from <date>", "ISO date, UTC: runs that were there then or later; default: all that is stored")
    .option("--to <date>", "ISO date, UTC: runs that began by then")
    .option("--recording <file>", "from this file in place of the keeper's database")
    .option("--out <file>", "keep what was read in a file: lines of JSON, packed where it is called .gz")
    .option("--config <file>", "config file: whose database and vault")
    .option("--json", "one JSON document")
    .action(async (options: RecordedOptions) => {
      const from = optionalDate(options.from, "--from") ?? 0;
      const to = optionalDate(options.to, "--to") ?? FAR_FUTURE;
      const stands = options.out === undefined ? "nothing was written" : `what is in ${options.out} is not whole`;
      await untilInterrupted(async (signal) => {
        if (options.recording !== undefined) return play(readRecording(options.recording), options, signal);
        const config = loadConfig({ file: options.config, env: process.env });
        const { chainId, vault } = loadAddresses(config.addresses);
        await withStore(config, silent, (store) =>
          play(storedRecording(store, { chainId, vault, from, to }), options, signal),
        );
      }, stands);
    });
}

async function play(recording: Recording, options: RecordedOptions, signal: AbortSignal): Promise<void> {
  const shows = options.json !== true && process.stderr.isTTY;
  const progress = (ticks: number): void => {
    if (shows) process.stderr.write(`\r${ticks} blocks`);
  };
  const kept = options.out === undefined ? recording : keptIn(options.out, recording);
  const runs = await replayRecording(kept, { strategy: decide, signal, progress });
  if (shows) process.stderr.write("\r\u001b[K");
  if (runs.every(({ plans, holds }) => plans + holds === 0)) {
    throw new InputFailure("RECORDING_EMPTY", "no decision is recorded there", {
      field: options.recording === undefined ? "--from" : "--recording",
      remedy: "Let `tiller run` watch the vault for some blocks first, or name another span.",
    });
  }
  const differences = runs.reduce((sum, run) => sum + run.differences.length, 0);
  if (options.json === true) printJson({ equal: differences === 0, runs });
  else process.stdout.write(report(runs));
  if (differences === 0) return;
  throw new WorldFailure("BACKTEST_DIFFERS", counted(differences), {
    field: options.recording === undefined ? "--config" : "--recording",
    remedy: "Play it with the version of Tiller that recorded it, or see above which input or rule is another now.",
  });
}

function counted(differences: number): string {
  return differences === 1
    ? "1 decision is not the recorded one"
    : `${differences} decisions are not the recorded ones`;
}

function report(runs: readonly ReplayedRun[]): string {
  const head = [
    "run",
    "kind",
    "from",
    "to",
    "blocks",
    "plans",
    "landed",
    "holds",
    "earned",
    "on the chain",
    "other hash",
  ];
  const time = (at: number | null): string => (at === null ? "–" : iso(at));
  const earned = (part: number | undefined): string => (part === undefined ? "–" : `${(100 * part).toFixed(5)} %`);
  const rows = runs.map((one) => [
    ...[one.run.slice(0, 8), one.dryRun ? "dry run" : "live", time(one.from), time(one.to)],
    ...[one.ticks, one.plans, one.landed, one.holds].map(String),
    ...[earned(one.books?.backtestReturn), earned(one.books?.chainReturn), String(one.differences.length)],
  ]);
  const differences = runs.flatMap((run) => run.differences);
  const shown = differences.slice(0, SHOWN).map(({ block, at, what }) => `block ${block}, ${iso(at)}: ${what}`);
  const more = differences.length > SHOWN ? [`and ${differences.length - SHOWN} more`] : [];
  return `${[table(head, rows, head.slice(4)), ...shown, ...more].join("\n")}\n`;
}
