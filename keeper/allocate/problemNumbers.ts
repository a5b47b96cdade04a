// The last guard before money moves: a NaN that slipped into a typed problem must not come out as an amount.
import { InputFailure } from "../config/failure";
import type { AllocationProblem, TailRisk } from "./problem";

function at(value: number, owner: string, field: string): void {
  if (value >= 0 && value < Number.POSITIVE_INFINITY) return;
  throw new InputFailure("ALLOCATION_NUMBER", `${value} is not an amount, rate or time at or above 0`, {
    field: owner + field,
    remedy: "Give a finite number at or above 0.",
  });
}

function share(value: number, field: string): void {
  if (value >= 0 && value <= 1) return;
  throw new InputFailure("ALLOCATION_NUMBER", `${value} is not from 0 to 1`, { field, remedy: "Give a part of 1." });
}

function assertTail({ kappa, confidence, scenarios }: TailRisk): void {
  at(kappa, "tail", ".kappa");
  share(confidence, "tail.confidence");
  if (confidence === 1) {
    throw new InputFailure("ALLOCATION_NUMBER", "a tail of nothing has no mean", {
      field: "tail.confidence",
      remedy: "Give less than 1, for example 0.95.",
    });
  }
  scenarios.forEach(({ probability, losses }, s) => {
    share(probability, `tail.scenarios[${s}].probability`);
    for (const [id, loss] of Object.entries(losses)) share(loss, `tail.scenarios[${s}].losses.${id}`);
  });
}

/** @throws InputFailure `ALLOCATION_NUMBER`. */
export function assertNumbers(problem: AllocationProblem): void {
  at(problem.total, "", "total");
  at(problem.horizonHours, "", "horizonHours");
  at(problem.gasUsdPerMove, "", "gasUsdPerMove");
  at(problem.minIdle, "", "minIdle");
  if (problem.tail !== undefined) assertTail(problem.tail);
  for (const [g, { cap }] of problem.groups.entries()) at(cap, `groups[${g}]`, ".cap");
  for (const [
    i,
    { current, cap, floor, costBps, impactBpsPerMillion, expectedLossApr, model },
  ] of problem.venues.entries()) {
    const owner = `venues[${i}]`;
    at(current, owner, ".current");
    if (cap !== Number.POSITIVE_INFINITY) at(cap, owner, ".cap");
    at(floor ?? 0, owner, ".floor");
    at(costBps, owner, ".costBps");
    at(impactBpsPerMillion ?? 0, owner, ".impactBpsPerMillion");
    at(expectedLossApr, owner, ".expectedLossApr");
    if (model.kind === "fixed") {
      // A rate may be negative, but not beyond measure.
      at(Math.abs(model.apr), owner, ".model.apr");
      continue;
    }
    if (model.kind === "liquidity") {
      at(model.pool, owner, ".model.pool");
      at(model.fees, owner, ".model.fees");
      at(Math.abs(model.apr), owner, ".model.apr");
      continue;
    }
    if ((impactBpsPerMillion ?? 0) > 0) {
      throw new InputFailure(
        "ALLOCATION_NUMBER",
        `a ${model.kind} venue's cost does not grow with the size of a move`,
        {
          field: `${owner}.impactBpsPerMillion`,
          remedy: "Take it out, or use the model fixed or liquidity.",
        },
      );
    }
    at(model.supplied, owner, ".model.supplied");
    at(model.borrowed, owner, ".model.borrowed");
    at(model.base, owner, ".model.base");
    at(model.kink, owner, ".model.kink");
    if (model.kind === "aave") {
      at(model.slope1, owner, ".model.slope1");
      at(model.slope2, owner, ".model.slope2");
      at(model.reserveFactor, owner, ".model.reserveFactor");
    } else {
      at(model.slopeLow, owner, ".model.slopeLow");
      at(model.slopeHigh, owner, ".model.slopeHigh");
    }
  }
}
