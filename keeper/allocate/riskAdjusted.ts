// The strategy of income over one plus risk: each venue's rates are divided by 1 + its risk, which every rate model lets be
// done to its own parameters, so that the exact allocator solves it. A ratio of unlike things, kept because many use it:
// expected losses and a tail say the same in money.
import { InputFailure } from "../config/failure";
import type { RateModel } from "../venues/rateModel";
import { allocate } from "./allocate";
import type { AllocationAnswer, AllocationProblem } from "./problem";

/**
 * The allocation of most Σ x·apr(x) / (1 + risk), costs and expected losses as ever.
 *
 * @param risk By venue id, at or above 0; a venue that is not named has none.
 * @returns the answer to the problem with rates divided: its income and gain are risk-adjusted too.
 */
export function allocateRiskAdjusted(
  problem: AllocationProblem,
  risk: Readonly<Record<string, number>>,
): AllocationAnswer {
  const venues = problem.venues.map((venue) => {
    const own = risk[venue.id] ?? 0;
    if (!(own >= 0 && own < Number.POSITIVE_INFINITY)) {
      throw new InputFailure("ALLOCATION_NUMBER", `${own} is no risk`, {
        field: `risk.${venue.id}`,
        remedy: "Give a finite number at or above 0.",
      });
    }
    return { ...venue, model: scaled(venue.model, 1 / (1 + own)) };
  });
  return allocate({ ...problem, venues });
}

/** The model that pays `factor` of the rate at every amount. */
function scaled(model: RateModel, factor: number): RateModel {
  switch (model.kind) {
    case "fixed":
      return { ...model, apr: model.apr * factor };
    case "liquidity":
      return { ...model, apr: model.apr * factor, fees: model.fees * factor };
    case "aave":
      return { ...model, reserveFactor: 1 - (1 - model.reserveFactor) * factor };
    case "kinked-supply":
      return {
        ...model,
        base: model.base * factor,
        slopeLow: model.slopeLow * factor,
        slopeHigh: model.slopeHigh * factor,
      };
  }
}
