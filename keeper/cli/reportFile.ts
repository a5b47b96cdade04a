// What is looked at rather than read goes to a file that is named with --html.
import { writeFileSync } from "node:fs";
import { InputFailure } from "../config/failure";

/** @throws InputFailure `REPORT_FILE`. */
export function writeReport(file: string, page: string): void {
  try {
    writeFileSync(file, page);
  } catch (error) {
    throw new InputFailure("REPORT_FILE", "cannot be written", {
      field: "--html",
      remedy: "Name a file in a folder that exists and that you may write to.",
      cause: error,
    });
  }
  process.stderr.write(`wrote ${file}\n`);
}
