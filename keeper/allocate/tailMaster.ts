// What is known of the allocations that were found so far, as two small linear programmes: the mix of them that is best
// with the tail's loss, and the weights of scenarios under which the best of them is worst. By duality both have one value.
import { solve, type Coefficients, type Constraint } from "yalps";
import type { Scenarios } from "./tailRisk";

/** An allocation that was found: its gain without the tail, and its loss in each scenario. */
export interface Column {
  readonly amounts: Float64Array;
  readonly gain: number;
  readonly losses: Float64Array;
}

export interface Solving {
  /** What gains and losses are of the order of: the solver likes numbers near 1. */
  readonly unit: number;
  /** What it takes for zero. */
  readonly precision: number;
}

const MOST_PIVOTS = 20_000;

/** Weights of the scenarios in the tail's mean are at most these; with what is left nothing happens. */
export function mostWeights({ probabilities, tail }: Scenarios): number[] {
  return probabilities.map((p) => Math.min(1, p / tail));
}

/**
 * Shares of the columns, none negative, that add up to 1, of the best mix; undefined where rounding defeats the solver.
 */
export function bestMix(
  columns: readonly Column[],
  scenarios: Scenarios,
  { unit, precision }: Solving,
): number[] | undefined {
  const { probabilities, tail, kappa } = scenarios;
  const constraints = new Map<string, Constraint>([["one", { equal: 1 }]]);
  const variables = new Map<string, Coefficients>();
  variables.set(
    "level",
    coefficients([["gain", -kappa]], probabilities, (s) => [`s${s}`, 1]),
  );
  probabilities.forEach((p, s) => {
    constraints.set(`s${s}`, { min: 0 });
    variables.set(`over${s}`, new Map([["gain", (-kappa * p) / tail] as const, [`s${s}`, 1] as const]));
  });
  columns.forEach(({ gain, losses }, j) => {
    const own: [string, number][] = [
      ["gain", gain / unit],
      ["one", 1],
    ];
    variables.set(
      `x${j}`,
      coefficients(own, probabilities, (s) => [`s${s}`, -(losses[s] as number) / unit]),
    );
  });
  const solution = solve(
    { direction: "maximize", objective: "gain", constraints, variables },
    { precision, maxPivots: MOST_PIVOTS },
  );
  if (solution.status !== "optimal") return undefined;
  const found = new Map(solution.variables);
  const shares = columns.map((_, j) => Math.max(0, found.get(`x${j}`) ?? 0));
  const sum = shares.reduce((all, share) => all + share, 0);
  return sum > 0 ? shares.map((share) => share / sum) : undefined;
}

/** Weights of the scenarios for which the best column gains least: where the bound is to be looked for next. */
export function worstWeights(
  columns: readonly Column[],
  scenarios: Scenarios,
  { unit, precision }: Solving,
): number[] | undefined {
  const { probabilities, kappa, tail } = scenarios;
  const most = mostWeights(scenarios);
  // Variables are not negative: the value is counted from below everything that it can be.
  const lowest = Math.min(...columns.map(({ gain, losses }) => gain - kappa * Math.max(0, ...losses))) / unit;
  const nothing = 1 - probabilities.reduce((sum, p) => sum + p, 0);
  const constraints = new Map<string, Constraint>([["sum", { min: Math.max(0, 1 - nothing / tail), max: 1 }]]);
  const variables = new Map<string, Coefficients>();
  const value: [string, number][] = [["value", 1]];
  columns.forEach(({ gain }, j) => {
    constraints.set(`x${j}`, { min: gain / unit - lowest });
    value.push([`x${j}`, 1]);
  });
  variables.set("value", new Map(value));
  most.forEach((weight, s) => {
    constraints.set(`most${s}`, { max: weight });
    const own: [string, number][] = [
      ["sum", 1],
      [`most${s}`, 1],
    ];
    variables.set(
      `q${s}`,
      coefficients(own, columns, (j) => [`x${j}`, (kappa * (columns[j]?.losses[s] as number)) / unit]),
    );
  });
  const solution = solve(
    { direction: "minimize", objective: "value", constraints, variables },
    { precision, maxPivots: MOST_PIVOTS },
  );
  if (solution.status !== "optimal") return undefined;
  const found = new Map(solution.variables);
  return most.map((weight, s) => Math.min(weight, Math.max(0, found.get(`q${s}`) ?? 0)));
}

function coefficients(
  own: readonly (readonly [string, number])[],
  over: readonly unknown[],
  at: (k: number) => readonly [string, number],
): Coefficients {
  return new Map([...own, ...over.map((_, k) => at(k))]);
}
