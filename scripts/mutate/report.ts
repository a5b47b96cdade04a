// The counts of a run, by file and by operator.
import type { Outcome, Result } from "./results";

export type Counts = Readonly<Record<Outcome, number>>;

export interface Summary {
  readonly finished: number;
  readonly waiting: number;
  readonly total: Counts;
  readonly byFile: Readonly<Record<string, Counts>>;
  readonly byOperator: Readonly<Record<string, Counts>>;
}

const OUTCOMES = ["killed", "timeout", "survived", "uncompiled"] as const satisfies readonly Outcome[];

function count(results: readonly Result[]): Counts {
  const counts = { killed: 0, timeout: 0, survived: 0, uncompiled: 0 };
  for (const { outcome } of results) counts[outcome]++;
  return counts;
}

function countBy(results: readonly Result[], name: (result: Result) => string): Record<string, Counts> {
  const names = [...new Set(results.map(name))].sort();
  return Object.fromEntries(names.map((group) => [group, count(results.filter((result) => name(result) === group))]));
}

export function summaryOf(results: readonly Result[], wanted: number): Summary {
  return {
    finished: results.length,
    waiting: wanted - results.length,
    total: count(results),
    byFile: countBy(results, ({ file }) => file),
    byOperator: countBy(results, ({ operator }) => operator),
  };
}

/** The share that tests noticed, of the mutants that compile. */
function scoreOf({ killed, timeout, survived }: Counts): string {
  const all = killed + timeout + survived;
  return all === 0 ? "-" : `${(((killed + timeout) / all) * 100).toFixed(1)} %`;
}

function table(heading: string, rows: Readonly<Record<string, Counts>>): string[] {
  const width = Math.max(heading.length, ...Object.keys(rows).map((name) => name.length));
  const cells = (name: string, values: readonly string[]): string =>
    [name.padEnd(width), ...values.map((value) => value.padStart(10))].join("  ");
  return [
    cells(heading, [...OUTCOMES, "score"]),
    ...Object.entries(rows).map(([name, counts]) =>
      cells(name, [...OUTCOMES.map((outcome) => String(counts[outcome])), scoreOf(counts)]),
    ),
  ];
}

export function summaryText({ finished, waiting, total, byFile, byOperator }: Summary): string {
  return [
    ...table("file", { ...byFile, "all files": total }),
    "",
    ...table("operator", byOperator),
    "",
    `${finished} mutants finished, ${waiting} waiting: ${total.killed} killed, ${total.timeout} killed by time-out, ` +
      `${total.survived} survived, ${total.uncompiled} did not compile (score ${scoreOf(total)})`,
  ].join("\n");
}
