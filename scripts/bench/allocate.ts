// `npm run bench:allocate`: how long the allocator takes, beside one start of SciPy's SLSQP on the same problems (where
// a Python with SciPy is there). Seeded problems, medians; --json for programs. Nothing here is a test: clocks vary.
import { cpus } from "node:os";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { allocate } from "../../keeper/allocate/allocate";
import type { AllocationProblem } from "../../keeper/allocate/problem";
import { table } from "../../keeper/cli/printing";
import { randomProblem, seeded, type ProblemShape } from "./randomProblems";
import { slsqp } from "./slsqp";

const PROBLEMS = 200;
const RUNS = 15;
const WARM_UP_MS = 1500;

/** `smooth`: neither gas nor costs, which is what SLSQP can take. */
const CASES: readonly { readonly name: string; readonly shape: ProblemShape; readonly smooth: boolean }[] = [
  { name: "8 venues", shape: { venues: 8, gas: false, groups: false }, smooth: true },
  { name: "8 venues, gas", shape: { venues: 8, gas: true, groups: false }, smooth: false },
  { name: "12 venues, gas", shape: { venues: 12, gas: true, groups: false }, smooth: false },
  { name: "8 venues, groups", shape: { venues: 8, gas: false, groups: true }, smooth: true },
  { name: "8 venues, gas, groups", shape: { venues: 8, gas: true, groups: true }, smooth: false },
  { name: "12 venues, gas, groups", shape: { venues: 12, gas: true, groups: true }, smooth: false },
];

interface Row {
  readonly name: string;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly exact: number;
  readonly slsqpMedianMs: number | null;
  /** SLSQP's median over ours. */
  readonly ratio: number | null;
}

function problemsOf({ shape, smooth }: { shape: ProblemShape; smooth: boolean }): AllocationProblem[] {
  return Array.from({ length: PROBLEMS }, (_, seed) => {
    const problem = randomProblem(seeded(seed), shape);
    return smooth ? { ...problem, venues: problem.venues.map((venue) => ({ ...venue, costBps: 0 })) } : problem;
  });
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** Median time of each problem over several runs, ms. */
function measure(problems: readonly AllocationProblem[]): number[] {
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end;) problems.forEach(allocate);
  const times = problems.map((): number[] => []);
  for (let run = 0; run < RUNS; run++) {
    problems.forEach((problem, i) => {
      const start = performance.now();
      allocate(problem);
      times[i]?.push(performance.now() - start);
    });
  }
  return times.map((mine) => quantile(ascending(mine), 0.5));
}

function main(): void {
  const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
  let comparison = "";
  const rows = CASES.map((one): Row => {
    const problems = problemsOf(one);
    const times = ascending(measure(problems));
    const medianMs = quantile(times, 0.5);
    const other = one.smooth ? slsqp(problems) : undefined;
    if (other !== undefined) comparison = other.ok ? `SciPy ${other.version}` : `no comparison: ${other.why}`;
    const slsqpMedianMs = other?.ok ? 1000 * quantile(ascending(other.seconds), 0.5) : null;
    return {
      name: one.name,
      medianMs,
      p99Ms: quantile(times, 0.99),
      maxMs: times[times.length - 1] ?? Number.NaN,
      exact: problems.filter((problem) => allocate(problem).exact).length / problems.length,
      slsqpMedianMs,
      ratio: slsqpMedianMs === null ? null : slsqpMedianMs / medianMs,
    };
  });
  const about = {
    problems: PROBLEMS,
    runs: RUNS,
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    comparison,
  };
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ ...about, rows })}\n`);
    return;
  }
  const ms = (value: number | null): string => (value === null ? "" : value.toFixed(4));
  const head = ["case", "median ms", "p99 ms", "max ms", "exact", "SLSQP median ms", "SLSQP / ours"];
  const lines = rows.map((row) => [
    row.name,
    ms(row.medianMs),
    ms(row.p99Ms),
    ms(row.maxMs),
    `${(100 * row.exact).toFixed(1)} %`,
    ms(row.slsqpMedianMs),
    row.ratio === null ? "" : row.ratio.toFixed(0),
  ]);
  process.stdout.write(`${table(head, lines, head.slice(1))}\n`);
  process.stdout.write(`${PROBLEMS} problems a case, median of ${RUNS} runs each; Node ${about.node}, ${about.cpu}\n`);
  process.stdout.write(`SLSQP: one start, neither gas nor costs; ${comparison}\n`);
}

main();
