// How the deployment commands end when something is wrong: one line with the field and the remedy, exit code 1 or 2.
import { Failure, InputFailure, WorldFailure } from "../keeper/config/failure";

export function endWith(error: unknown, options: { readonly json: boolean; readonly debug: boolean }): void {
  const failure = asFailure(error);
  process.stderr.write(
    options.json ? `${JSON.stringify({ error: failure.toJSON() })}\n` : `deploy: ${failure.line()}\n`,
  );
  if (options.debug && error instanceof Error) process.stderr.write(`${error.stack ?? error.message}\n`);
  process.exitCode = failure.exitCode;
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = (error as { code?: unknown }).code;
  if (typeof code === "string" && code.startsWith("ERR_PARSE_ARGS")) {
    return new InputFailure("USAGE", (error as Error).message.split(/[.\n]/, 1)[0] ?? "the command line is wrong", {
      field: "command line",
      remedy: "--help shows the options.",
    });
  }
  // A defect of ours, or a library's error whose message may quote an URL with a credential.
  return new WorldFailure("DEFECT", `unexpected ${error instanceof Error ? error.name : typeof error}`, {
    remedy: "Run it again with --debug.",
    cause: error,
  });
}
