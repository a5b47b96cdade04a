// Losses that hit several venues at once: scenarios, and the mean loss in the worst part of what may happen (CVaR,
// Rockafellar and Uryasev, "Optimization of Conditional Value-at-Risk", 2000). Losses are in USD over the horizon.
import { InputFailure } from "../config/failure";
import type { AllocationProblem, TailRisk } from "./problem";

const HOURS_PER_YEAR = 8760;

export interface Scenarios {
  /** That it happens within the horizon; what is missing to 1 is that nothing does. */
  readonly probabilities: readonly number[];
  /** By scenario and venue index: share of what is held there that is lost. */
  readonly losses: readonly Float64Array[];
  /** Part of all that may happen whose mean counts: 1 − confidence. */
  readonly tail: number;
  readonly kappa: number;
}

/** @throws InputFailure `ALLOCATION_CONTRADICTION` where more than everything would happen, or a venue is unknown. */
export function scenariosOf(problem: AllocationProblem, tail: TailRisk): Scenarios {
  const years = problem.horizonHours / HOURS_PER_YEAR;
  const index = new Map(problem.venues.map(({ id }, i) => [id, i]));
  const losses = tail.scenarios.map((scenario, s) => {
    const row = new Float64Array(problem.venues.length);
    for (const [id, share] of Object.entries(scenario.losses)) {
      const i = index.get(id);
      if (i === undefined) {
        throw new InputFailure("ALLOCATION_CONTRADICTION", `no venue is called ${JSON.stringify(id)}`, {
          field: `tail.scenarios[${s}].losses`,
          remedy: "Name a venue of the problem, or leave it out.",
        });
      }
      row[i] = share;
    }
    return row;
  });
  const probabilities = tail.scenarios.map(({ probability }) => 1 - (1 - probability) ** years);
  const sum = probabilities.reduce((all, p) => all + p, 0);
  if (sum > 1) {
    throw new InputFailure(
      "ALLOCATION_CONTRADICTION",
      `scenarios exclude each other, and within ${problem.horizonHours} h theirs add up to ${sum}`,
      { field: "tail.scenarios", remedy: "Lower their probabilities, or the horizon." },
    );
  }
  return { probabilities, losses, tail: 1 - tail.confidence, kappa: tail.kappa };
}

/** What is lost in each scenario. */
export function lossesOf({ losses }: Scenarios, amounts: ArrayLike<number>): Float64Array {
  return Float64Array.from(losses, (row) => row.reduce((sum, share, i) => sum + share * (amounts[i] as number), 0));
}

/** Mean loss in the worst `tail` of what may happen. */
export function cvar({ probabilities, tail }: Scenarios, losses: ArrayLike<number>): number {
  const order = probabilities.map((_, s) => s).sort((a, b) => (losses[b] as number) - (losses[a] as number));
  let left = tail;
  let sum = 0;
  for (const s of order) {
    const part = Math.min(left, probabilities[s] as number);
    sum += part * (losses[s] as number);
    left -= part;
  }
  // The rest of the tail is that nothing happens.
  return sum / tail;
}
