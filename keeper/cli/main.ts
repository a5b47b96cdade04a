// The command `tiller`. One file a command; this one mounts them and turns failures into a line and an exit code.
import { Command, CommanderError } from "commander";
import { allocateCommand } from "./allocate";
import { backfillCommand } from "./backfill";
import { backtestCommand } from "./backtest";
import { breakerCommand } from "./breaker";
import { collectCommand } from "./collect";
import { configCommand } from "./config";
import { dataCommand } from "./data";
import { datasetCommand } from "./dataset";
import { emergencyCommand } from "./emergency";
import { exitWith } from "./failing";
import { forecastCommand } from "./forecast";
import { modelsCommand } from "./models";
import { replayCommand } from "./replay";
import { riskCommand } from "./risk";
import { runCommand } from "./run";
import { statusCommand } from "./status";

/** Commander's own complaints are printed by exitWith, in the form of every other failure; help is still shown. */
const SILENT_ERRORS = { outputError: () => undefined };

function program(): Command {
  const root = new Command("tiller")
    .description("A yield vault's keeper: watches the markets, decides, and lands rebalances as bundles.")
    .option("--debug", "show the stack of a failure")
    .showHelpAfterError(false)
    // Else a command would take the options that are its sub-command's.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput(SILENT_ERRORS);
  for (const command of [
    runCommand(),
    statusCommand(),
    riskCommand(),
    breakerCommand(),
    emergencyCommand(),
    replayCommand(),
    allocateCommand(),
    backfillCommand(),
    backtestCommand(),
    collectCommand(),
    configCommand(),
    dataCommand(),
    datasetCommand(),
    forecastCommand(),
    modelsCommand(),
  ]) {
    root.addCommand(inheriting(command));
  }
  return root;
}

/** Sub-commands made elsewhere take over how the root exits and prints. */
function inheriting(command: Command): Command {
  command.exitOverride().configureOutput(SILENT_ERRORS);
  for (const child of command.commands) inheriting(child);
  return command;
}

async function main(argv: readonly string[]): Promise<void> {
  const debug = argv.includes("--debug");
  const json = argv.includes("--json");
  try {
    await program().parseAsync(
      argv.filter((word) => word !== "--debug"),
      { from: "user" },
    );
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    if (error instanceof CommanderError && error.code === "commander.help") {
      // No command was given: the help that was printed is the answer.
      process.exitCode = 2;
      return;
    }
    exitWith(error, { debug, json });
  }
}

void main(process.argv.slice(2));
