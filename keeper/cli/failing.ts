// How a command fails: one line on stderr that names the field and the remedy, exit code 2 for bad input and 1 for a
// world that does not play along. A stack only when asked for.
import { CommanderError } from "commander";
import { Failure, InputFailure, WorldFailure } from "../config/failure";

export function exitWith(error: unknown, options: { readonly debug: boolean; readonly json: boolean }): void {
  const failure = asFailure(error);
  process.stderr.write(
    options.json ? `${JSON.stringify({ error: failure.toJSON() })}\n` : `tiller: ${failure.line()}\n`,
  );
  if (options.debug && error instanceof Error) process.stderr.write(`${error.stack ?? error.message}\n`);
  process.exitCode = failure.exitCode;
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof CommanderError) {
    return new InputFailure("USAGE", error.message.replace(/^error: /, ""), {
      field: "command line",
      remedy: "`tiller --help` and `tiller COMMAND --help` show what there is.",
    });
  }
  // A defect of ours. Its message may quote data that nobody vetted, so only its kind is shown.
  return new WorldFailure("DEFECT", `unexpected ${error instanceof Error ? error.name : typeof error}`, {
    remedy: "Run it again with --debug and report what it shows.",
    cause: error,
  });
}
