// What came of each mutant, one JSON line each, appended as it is known: a run that is cut short loses one mutant.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Mutant } from "./mutant";

export type Outcome = "killed" | "survived" | "uncompiled" | "timeout";

export interface Result extends Mutant {
  readonly key: string;
  readonly outcome: Outcome;
  /** The test that failed, or what the compiler said. */
  readonly by: string;
  readonly seconds: number;
  /** Of all contract tests: what survived these may not survive others. */
  readonly testsHash: string;
}

/** The last result of each key. A line that was cut short does not count. */
export function readResults(file: string): Map<string, Result> {
  const results = new Map<string, Result>();
  if (!existsSync(file)) return results;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    try {
      const result = JSON.parse(line) as Result;
      results.set(result.key, result);
    } catch {
      continue;
    }
  }
  return results;
}

export function appendResult(file: string, result: Result): void {
  mkdirSync(path.dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(result)}\n`);
}

/** A kill stays one when tests are added; whether a survivor does is asked again. */
export function isFinished(result: Result | undefined, testsHash: string): boolean {
  return result !== undefined && (result.outcome !== "survived" || result.testsHash === testsHash);
}
