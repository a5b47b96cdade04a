// Mean-variance weights (Markowitz, "Portfolio Selection", 1952), by Goldfarb and Idnani's dual method.
import quadprog from "quadprog";
import type { Matrix } from "./shrunkCovariance";

export interface MeanVarianceProblem {
  /** Expected return of each venue over the time that the covariance is of. */
  readonly expected: readonly number[];
  readonly covariance: Matrix;
  /** Dislike of variance: half of it times the variance comes off the return. Above 0. */
  readonly aversion: number;
  /** Most of the total that each may take, 0 to 1. */
  readonly caps: readonly number[];
}

/** Variance that everything has at least, as a share of the largest: keeps the problem strictly convex. */
const LEAST_VARIANCE = 1e-9;

/** Weights from 0 to their caps, with a sum of at most 1, of most return − aversion/2 · variance. What is missing to 1 is idle. */
export function meanVariance({ expected, covariance, aversion, caps }: MeanVarianceProblem): number[] {
  const size = expected.length;
  const largest = Math.max(...covariance.map((row, i) => row[i] ?? 0), Number.MIN_VALUE * 2 ** 60);
  // Numbers near 1 for the solver: in units of the largest variance.
  const scale = aversion * largest;
  const quadratic = covariance.map((row, i) => row.map((value, k) => value / largest + (i === k ? LEAST_VARIANCE : 0)));
  const linear = expected.map((mean) => mean / scale);
  // Each column a constraint, column · weights ≥ bound: the budget, then what is not negative, then the caps.
  const columns = [
    { column: expected.map(() => -1), bound: -1 },
    ...expected.map((_, i) => ({ column: expected.map((__, k) => (k === i ? 1 : 0)), bound: 0 })),
    ...caps.map((cap, i) => ({ column: expected.map((_, k) => (k === i ? -1 : 0)), bound: -cap })),
  ];
  const rows = Array.from({ length: size }, (_, i) => fromOne(columns.map(({ column }) => column[i] ?? 0)));
  const { solution, message } = quadprog.solveQP(
    fromOne(quadratic.map(fromOne)),
    fromOne(linear),
    fromOne(rows),
    fromOne(columns.map(({ bound }) => bound)),
  );
  if (message !== "") throw new RangeError(`the covariance is not one: ${message}`);
  return expected.map((_, i) => Math.min(caps[i] ?? 0, Math.max(0, solution[i + 1] ?? 0)));
}

/** The solver counts from one, as the Fortran did that it was made from. */
function fromOne<T>(values: readonly T[]): T[] {
  const shifted: T[] = [];
  values.forEach((value, i) => {
    shifted[i + 1] = value;
  });
  return shifted;
}
