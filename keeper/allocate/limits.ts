// What a problem's limits leave possible: the range of each venue, the budget and the groups, or the failure that names
// the limits that contradict each other and which of them to relax.
import { InputFailure } from "../config/failure";
import type { AllocationProblem, AllocationVenue } from "./problem";
import type { GroupLimit } from "./groupRelaxation";

export interface Limits {
  /** Most that all venues together may hold. */
  readonly budget: number;
  readonly least: readonly number[];
  readonly most: readonly number[];
  /** Groups that can bind, by venue index. */
  readonly groups: readonly GroupLimit[];
}

/**
 * Limits that are met but for rounding count as met: what we hold now adds up to a cap only to the last bits, and a
 * forced move of a fraction of a cent would be paid for in gas.
 */
const ROUNDING = 1e-10;

/**
 * Least amount that a venue can be brought down to: its floor, and what borrowers hold of our money. Where the debt is
 * more than what others supplied, borrowed − supplied of ours is lent out and cannot leave (nor can more than we have).
 */
export function leastAmount(venue: AllocationVenue): number {
  const lent = "borrowed" in venue.model ? Math.max(0, venue.model.borrowed - venue.model.supplied) : 0;
  return Math.max(venue.floor ?? 0, Math.min(venue.current, lent));
}

/** @throws InputFailure `ALLOCATION_CONTRADICTION` naming the limit that cannot hold. */
export function limitsOf(problem: AllocationProblem): Limits {
  const { venues, minIdle } = problem;
  const held = venues.reduce((sum, { current }) => sum + current, 0);
  if (held > problem.total * (1 + ROUNDING)) {
    throw contradiction("total", `the venues hold ${held} now, more than the total of ${problem.total}`, {
      remedy: "Raise total to what is there, or correct the venues' current amounts.",
    });
  }
  const total = Math.max(problem.total, held);
  const leeway = ROUNDING * total;
  if (minIdle > total) {
    throw contradiction("minIdle", `${minIdle} is more than the total of ${problem.total}`, {
      remedy: "Lower minIdle to the total at most.",
    });
  }
  const least = venues.map(leastAmount);
  const budget = withinRounding(total - minIdle, held, leeway);
  const most = venues.map(({ current, cap }, i) =>
    Math.max(least[i] as number, Math.min(withinRounding(cap, current, leeway), budget)),
  );
  venues.forEach((venue, i) => {
    if ((least[i] as number) <= venue.cap + leeway) return;
    const floor = venue.floor ?? 0;
    throw contradiction(
      `venues[${i}].cap`,
      floor > venue.cap
        ? `the cap of ${venue.cap} is below the floor of ${floor} of ${venue.id}`
        : `${venue.id} can be brought down to ${least[i]} at most, since its borrowers hold the rest, and the cap is ${venue.cap}`,
      { remedy: floor > venue.cap ? "Raise the cap or lower the floor." : `Raise the cap to ${least[i]} at least.` },
    );
  });
  const leastOfAll = least.reduce((sum, amount) => sum + amount, 0);
  if (leastOfAll > budget + leeway) {
    throw contradiction("minIdle", `${leastOfAll} cannot leave the venues, which leaves less idle than ${minIdle}`, {
      remedy: `Lower minIdle to ${Math.max(0, total - leastOfAll)} at most, or lower the floors.`,
    });
  }
  return { budget: Math.max(budget, leastOfAll), least, most, groups: groupLimits(problem, { least, most, leeway }) };
}

function groupLimits(
  { venues, groups }: AllocationProblem,
  { least, most, leeway }: { least: readonly number[]; most: readonly number[]; leeway: number },
): GroupLimit[] {
  const index = indexById(venues);
  return groups.flatMap(({ ids, cap }, g) => {
    const members = ids.map((id, k) => {
      const i = index.get(id);
      const field = `groups[${g}].ids[${k}]`;
      if (i === undefined) {
        throw contradiction(field, `no venue is called ${JSON.stringify(id)}`, {
          remedy: "Name a venue of the problem, or leave it out.",
        });
      }
      if (ids.indexOf(id) < k) {
        throw contradiction(field, `${JSON.stringify(id)} is in the group twice`, { remedy: "Name it once." });
      }
      return i;
    });
    const add = (amounts: readonly number[]): number => members.reduce((sum, i) => sum + (amounts[i] as number), 0);
    const floor = add(least);
    if (floor > cap + leeway) {
      throw contradiction(`groups[${g}].cap`, `${floor} cannot leave the group's venues, and the cap is ${cap}`, {
        remedy: `Raise the cap to ${floor} at least, or lower the floors.`,
      });
    }
    if (add(most) <= cap) return [];
    const current = members.reduce((sum, i) => sum + (venues[i] as AllocationVenue).current, 0);
    return [{ members, cap: Math.max(floor, withinRounding(cap, current, leeway)) }];
  });
}

function indexById(venues: readonly AllocationVenue[]): Map<string, number> {
  const index = new Map<string, number>();
  venues.forEach(({ id }, i) => {
    const other = index.get(id);
    if (other !== undefined) {
      throw contradiction(`venues[${i}].id`, `${JSON.stringify(id)} is the id of venues[${other}] too`, {
        remedy: "Give each venue an id of its own.",
      });
    }
    index.set(id, i);
  });
  return index;
}

/** The limit, or what is held now where that passes it by rounding only. */
function withinRounding(limit: number, held: number, leeway: number): number {
  return held > limit && held <= limit + leeway ? held : limit;
}

function contradiction(field: string, message: string, { remedy }: { remedy: string }): InputFailure {
  return new InputFailure("ALLOCATION_CONTRADICTION", message, { field, remedy });
}
