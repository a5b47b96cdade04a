// `npm run allocate:table`: the allocator beside searches that know nothing of its structure, on 10,000 seeded problems: a
// fine grid with refinement up to four venues, SciPy's SLSQP from 32 starts on smooth problems of two to eight; and on 600 more
// of 13 to 50 venues: greed, slice by slice, and SLSQP from 4 starts, which takes a second for each there. How far the worst answer fell short of what the search found, how far the searches fell short of it, and the times. Fails where an
// answer is worse than a search's by more than a billionth.
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { allocate } from "../../keeper/allocate/allocate";
import type { AllocationProblem } from "../../keeper/allocate/problem";
import { table } from "../../keeper/cli/printing";
import { bruteForce, greedy, objective } from "../../test/keeper/allocate/oracle";
import { randomProblem, seeded, type ProblemShape } from "./randomProblems";
import { slsqp } from "./slsqp";

/** Of SLSQP: up to eight venues, and beyond twelve. */
const STARTS = 32;
const FEW_STARTS = 4;
const TOLERANCE = 1e-9;

type Shape = (random: () => number) => ProblemShape;
interface Class {
  readonly name: string;
  /** Share of all problems; those of many venues come on top of them. */
  readonly share: number;
  readonly shape: Shape;
  readonly against: "grid" | "greed" | "SLSQP";
  /** Default: {@link STARTS}. */
  readonly starts?: number;
}

const CLASSES: readonly Class[] = [
  { name: "1–4 venues, everything", share: 0.3, shape: (random) => ({ venues: few(random) }), against: "grid" },
  {
    ...{ name: "1–4 venues, pools of traders", share: 0.2, against: "grid" },
    shape: (random) => ({ venues: few(random), pools: 0.5 }),
  },
  {
    ...{ name: "2–8 venues, smooth", share: 0.3, against: "SLSQP" },
    shape: (random) => ({ venues: 2 + Math.floor(random() * 7), gas: false, groups: false }),
  },
  {
    ...{ name: "2–8 venues, smooth, groups", share: 0.2, against: "SLSQP" },
    shape: (random) => ({ venues: 2 + Math.floor(random() * 7), gas: false, groups: true }),
  },
  {
    ...{ name: "13–50 venues, everything", share: 0.05, against: "greed" },
    shape: (random) => ({ venues: many(random), pools: random() < 0.5 ? 0.3 : 0 }),
  },
  {
    ...{ name: "13–50 venues, smooth", share: 0.01, against: "SLSQP", starts: FEW_STARTS },
    shape: (random) => ({ venues: many(random), gas: false }),
  },
];

function many(random: () => number): number {
  return 13 + Math.floor(random() * 38);
}

function few(random: () => number): number {
  return 1 + Math.floor(random() * 4);
}

interface Row {
  readonly name: string;
  readonly problems: number;
  readonly aboveKink: number;
  readonly exact: number;
  /** Largest distance of an answer to its bound, of the gain; 0: all are exact. */
  readonly worstGap: number;
  /** By how much the worst answer fell short of what the search found, relative; 0: never. */
  readonly worst: number;
  /** Problems in which the search fell short of the answer by more than a thousandth. */
  readonly searchWorse: number;
  readonly medianMs: number;
  readonly searchMedianMs: number;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function isAboveKink({ venues }: AllocationProblem): boolean {
  return venues.some(({ model }) => "kink" in model && model.borrowed > model.kink * model.supplied);
}

function problemsOf(one: Class, count: number, from: number): AllocationProblem[] {
  return Array.from({ length: count }, (_, k) => {
    const random = seeded(from + k);
    const problem = randomProblem(random, one.shape(random));
    if (one.against !== "SLSQP") return problem;
    return { ...problem, venues: problem.venues.map((venue) => ({ ...venue, costBps: 0 })) };
  });
}

/** What the search found for each problem, and the time it took. */
function found(one: Class, problems: readonly AllocationProblem[]): { value: number; ms: number }[] | string {
  const { against, starts = STARTS } = one;
  if (against !== "SLSQP") {
    const search = against === "grid" ? bruteForce : greedy;
    return problems.map((problem, k) => {
      if (process.stderr.isTTY && k % 100 === 0) {
        process.stderr.write(`\r${against} ${k} of ${problems.length}\u001b[K`);
      }
      const start = performance.now();
      const { value } = search(problem);
      return { value, ms: performance.now() - start };
    });
  }
  const run = slsqp(problems, starts);
  if (!run.ok) return run.why;
  return run.values.map((value, k) => ({
    value: value ?? Number.NaN,
    ms: (1000 * (run.seconds[k] ?? Number.NaN)) / starts,
  }));
}

function judge(
  one: Class,
  problems: readonly AllocationProblem[],
  others: readonly { value: number; ms: number }[],
): Row {
  const times: number[] = [];
  let exact = 0;
  let worstGap = 0;
  let worst = 0;
  let searchWorse = 0;
  problems.forEach((problem, k) => {
    const start = performance.now();
    const answer = allocate(problem);
    times.push(performance.now() - start);
    if (answer.exact) exact += 1;
    else worstGap = Math.max(worstGap, answer.gap / Math.max(1, Math.abs(answer.gainOverHorizon)));
    const amounts = problem.venues.map(({ id }) => answer.allocation[id] ?? Number.NaN);
    const mine = objective(problem, amounts);
    const other = others[k]?.value ?? Number.NaN;
    const scale = Math.max(1, Math.abs(mine), Math.abs(other));
    // Written so that a NaN counts as worst.
    const short = (other - mine) / scale;
    if (!(short <= worst)) worst = Number.isNaN(short) ? Number.POSITIVE_INFINITY : short;
    if ((mine - other) / scale > 1e-3) searchWorse += 1;
  });
  return {
    ...{ name: one.name, problems: problems.length, aboveKink: problems.filter(isAboveKink).length },
    ...{
      exact,
      worstGap,
      worst,
      searchWorse,
      medianMs: median(times),
      searchMedianMs: median(others.map(({ ms }) => ms)),
    },
  };
}

function main(): void {
  const { values } = parseArgs({
    options: { json: { type: "boolean", default: false }, problems: { type: "string", default: "10000" } },
  });
  const all = Number(values.problems);
  const rows = CLASSES.flatMap((one, c) => {
    const problems = problemsOf(one, Math.round(all * one.share), 1_000_000 * (c + 1));
    const others = found(one, problems);
    if (typeof others === "string") {
      process.stderr.write(`${one.name}: no comparison, ${others}\n`);
      process.exitCode = 1;
      return [];
    }
    return [judge(one, problems, others)];
  });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  if (rows.some(({ worst }) => worst > TOLERANCE)) process.exitCode = 1;
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ starts: STARTS, rows })}\n`);
    return;
  }
  const head = [
    "problems of",
    "count",
    "above a kink",
    "exact",
    "worst gap",
    "worst shortfall",
    "search worse by 0.1 %",
    "ms",
    "search ms",
  ];
  const lines = rows.map((row) => [
    ...[row.name, String(row.problems), String(row.aboveKink), String(row.exact)],
    ...[row.worstGap === 0 ? "0" : row.worstGap.toExponential(1), row.worst.toExponential(1)],
    ...[String(row.searchWorse), row.medianMs.toFixed(3), row.searchMedianMs.toFixed(2)],
  ]);
  process.stdout.write(`${table(head, lines, head.slice(1))}\n`);
  process.stdout.write(
    `Times are medians: ours of a first run, a grid's or greed's, and one SLSQP start of ${STARTS} (of ${FEW_STARTS} beyond twelve venues).\n`,
  );
}

main();
