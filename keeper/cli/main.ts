// The command `tiller`. One file a command; this one mounts them and turns failures into a line and an exit code.
import { Command, CommanderError } from "commander";
import { exitWith } from "./failing";

/** In the order of the help; NAME.ts makes each, by `NAMECommand`. */
const COMMANDS: readonly string[] = [
  ...["run", "status", "risk", "breaker", "emergency", "replay", "allocate", "backfill", "backtest", "collect"],
  ...["config", "data", "dataset", "forecast", "models"],
];

/** Only what is asked for is loaded: all commands together take twice as long. */
function commandOf(name: string): Command {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the path is chosen at run time
  const made = require(`./${name}`) as Readonly<Record<string, () => Command>>;
  return (made[`${name}Command`] as () => Command)();
}

/** Commander's own complaints are printed by exitWith, in the form of every other failure; help is still shown. */
const SILENT_ERRORS = { outputError: () => undefined };

function program(asked: string | undefined): Command {
  const root = new Command("tiller")
    .description("A yield vault's keeper: watches the markets, decides, and lands rebalances as bundles.")
    .option("--debug", "show the stack of a failure")
    .showHelpAfterError(false)
    // Else a command would take the options that are its sub-command's.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput(SILENT_ERRORS);
  // Help, and what is said of an unknown command, need all of them.
  const named = COMMANDS.filter((name) => name === asked);
  for (const name of named.length > 0 ? named : COMMANDS) root.addCommand(inheriting(commandOf(name)));
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
    const words = argv.filter((word) => word !== "--debug");
    await program(words[0]).parseAsync(words, { from: "user" });
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
