// What the two commands of this folder share of their command lines.
import { CommanderError, InvalidArgumentError } from "commander";
import { Failure } from "../../keeper/config/failure";

/** @throws InvalidArgumentError for anything but 0 … 65535. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new InvalidArgumentError("a port is a number from 0 to 65535.");
  return port;
}

/** Runs a command to its end: an expected failure becomes one line on stderr and its exit code, 2 for bad input. */
export async function exitWith(run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (error instanceof Failure) {
      process.stderr.write(`${error.line()}\n`);
      process.exitCode = error.exitCode;
    } else {
      throw error;
    }
  }
}
