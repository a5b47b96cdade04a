// Seeded random allocation problems that reach every corner of the allocator: pools above their kink, pools that only
// our money funds, tiny and empty pools, caps and groups that bind, starts that break a limit, gas and proportional
// costs, minimum idle, twins.
import type { AllocationGroup, AllocationProblem, AllocationVenue } from "../../keeper/allocate/problem";
import { leastAmount } from "../../keeper/allocate/limits";
import type { RateModel } from "../../keeper/venues/rateModel";

export type Random = () => number;

/** mulberry32: 32 bits of state, the same numbers on every machine. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface ProblemShape {
  readonly venues: number;
  readonly groups?: boolean;
  readonly gas?: boolean;
  /** Part of the venues that are pools of traders, whose moves cost more the larger they are. Default: none. */
  readonly pools?: number;
}

/** A problem whose limits do not contradict each other. */
export function randomProblem(random: Random, shape: ProblemShape): AllocationProblem {
  const between = (low: number, high: number): number => low + (high - low) * random();
  const chance = (p: number): boolean => random() < p;
  const total = 10 ** between(3, 8);
  const venues: AllocationVenue[] = [];
  let unheld = total;
  for (let i = 0; i < shape.venues; i++) {
    const previous = venues[i - 1];
    if (previous !== undefined && chance(0.1)) {
      venues.push({ ...previous, id: `venue-${i}`, current: 0, floor: 0 });
      continue;
    }
    const current = chance(0.5) ? between(0, chance(0.3) ? unheld : unheld / 2) : 0;
    const pooled = shape.pools !== undefined && chance(shape.pools);
    const model = pooled ? randomPool(random, total) : randomModel(random, total);
    const fits = { ...model, ...("borrowed" in model && { borrowed: Math.max(0, model.borrowed) }) } as RateModel;
    const base = {
      id: `venue-${i}`,
      current,
      costBps: chance(0.4) ? between(0, 20) : 0,
      // Ten basis points for moving a share of the total, or nothing.
      ...(pooled && chance(0.7) && { impactBpsPerMillion: (between(0, 100) * 1e6) / total }),
      expectedLossApr: chance(0.3) ? between(0, 0.03) : 0,
      model: fits,
    };
    const least = leastAmount({ ...base, cap: total });
    const cap = chance(0.5) ? Math.max(least, total * between(0.02, 0.9)) : total;
    const floor = chance(0.1) ? Math.min(cap, current * random()) : 0;
    unheld -= current;
    venues.push({ ...base, cap, floor });
  }
  const lasting = venues.reduce((sum, venue) => sum + leastAmount(venue), 0);
  return {
    total,
    horizonHours: chance(0.5) ? 168 : between(1, 1000),
    gasUsdPerMove: (shape.gas ?? chance(0.6)) ? between(0, 30) : 0,
    minIdle: chance(0.3) ? Math.min(total - lasting, total * between(0, 0.5)) : 0,
    groups: (shape.groups ?? chance(0.4)) ? randomGroups(random, venues) : [],
    venues,
  };
}

function randomGroups(random: Random, venues: readonly AllocationVenue[]): AllocationGroup[] {
  const held = venues.reduce((sum, { cap }) => sum + cap, 0);
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const members = venues.filter(() => random() < 0.55);
    const chosen = members.length > 0 ? members : venues.slice(0, 1);
    const least = chosen.reduce((sum, venue) => sum + leastAmount(venue), 0);
    return { ids: chosen.map(({ id }) => id), cap: Math.max(least, (held * random()) / venues.length) };
  });
}

function randomPool(random: Random, total: number): RateModel {
  const between = (low: number, high: number): number => low + (high - low) * random();
  const pool = random() < 0.05 ? 0 : total * 10 ** between(-2.5, 2.5);
  const apr = random() < 0.5 ? 0 : between(-0.02, 0.03);
  return { kind: "liquidity", pool, fees: random() < 0.05 ? 0 : pool * between(0, 0.2), apr };
}

export function randomModel(random: Random, total: number): RateModel {
  const between = (low: number, high: number): number => low + (high - low) * random();
  const kind = random();
  if (kind < 0.2) return { kind: "fixed", apr: between(-0.005, 0.12) };
  const supplied = random() < 0.05 ? 0 : total * 10 ** between(-2.5, 2.5);
  const kink = random() < 0.03 ? 1 : between(0.5, 0.97);
  const filled = random() < 0.35 ? between(kink, random() < 0.2 ? 1.1 : 1) : between(0, kink);
  const borrowed = random() < 0.04 ? 0 : supplied === 0 ? total * random() : supplied * filled;
  const base = random() < 0.3 ? between(0, 0.02) : 0;
  if (kind < 0.6) {
    return {
      kind: "aave",
      supplied,
      borrowed,
      base,
      slope1: between(0.02, 0.13),
      slope2: between(0.2, 3),
      kink,
      reserveFactor: between(0, 0.25),
    };
  }
  return {
    kind: "kinked-supply",
    supplied,
    borrowed,
    base,
    slopeLow: between(0.01, 0.08),
    slopeHigh: between(0.1, 4),
    kink,
  };
}
