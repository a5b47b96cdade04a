// One small change to one source file, and what identifies it. Knows neither the compiler nor the tests.
import { createHash } from "node:crypto";

export interface Mutant {
  /** Path from the root, `/` between folders. */
  readonly file: string;
  readonly operator: Operator;
  /** `Contract.function`; the file's name where the change is in neither. */
  readonly where: string;
  /** Characters of the source that are replaced: `start` inclusive, `end` exclusive. */
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly replacement: string;
  /** From 1. */
  readonly line: number;
}

export const OPERATORS = [
  "boundary",
  "relation",
  "arithmetic",
  "bitwise",
  "logic",
  "negation",
  "guard-removed",
  "statement-removed",
  "constant",
  "min-max",
  "rounding",
  "return-value",
  "modifier-removed",
  "arguments-swapped",
  "branches-swapped",
] as const;
export type Operator = (typeof OPERATORS)[number];

export const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The same change to the same text of the same file: results are kept under it, so none outlives its source. */
export function keyOf(mutant: Mutant, source: string): string {
  const { file, start, end, replacement } = mutant;
  return hashOf(JSON.stringify([file, hashOf(source), start, end, replacement])).slice(0, 16);
}

export function applyTo(source: string, mutant: Mutant): string {
  return source.slice(0, mutant.start) + mutant.replacement + source.slice(mutant.end);
}

/** The changed lines as a diff of the whole lines that hold them. */
export function diffOf(source: string, mutant: Mutant): string {
  const from = source.lastIndexOf("\n", mutant.start - 1) + 1;
  const newline = source.indexOf("\n", mutant.end);
  const to = newline === -1 ? source.length : newline;
  const before = source.slice(from, to);
  const after = source.slice(from, mutant.start) + mutant.replacement + source.slice(mutant.end, to);
  const marked = (mark: string, text: string): string =>
    text
      .split("\n")
      .map((line) => mark + line)
      .join("\n");
  return `${mutant.file}:${mutant.line} ${mutant.where} (${mutant.operator})\n${marked("-", before)}\n${marked("+", after)}`;
}
