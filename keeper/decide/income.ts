// What an allocation earns a year, less what it is expected to lose.
import type { AllocationProblem } from "../allocate/problem";
import { supplyApr } from "../venues/rateModel";

/** Amounts by venue id, USD. */
export type Target = ReadonlyMap<string, number>;

/** Σ x·(apr(x) − expected loss), USD a year; without a target, of what is held now. */
export function incomeOf(problem: AllocationProblem, target?: Target): number {
  return problem.venues.reduce((sum, venue) => {
    const amount = target?.get(venue.id) ?? venue.current;
    return sum + (amount > 0 ? amount * (supplyApr(venue.model, amount) - venue.expectedLossApr) : 0);
  }, 0);
}
