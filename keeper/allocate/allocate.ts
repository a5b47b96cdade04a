// The exact allocator: how much to hold in each venue so that income over the horizon, with our own effect on every
// rate, less expected loss, less the cost of getting there, is greatest. Pure and deterministic; no general solver.
import { InputFailure } from "../config/failure";
import { supplyApr } from "../venues/rateModel";
import { Envelope, VenueCurve } from "./envelope";
import { limitsOf } from "./limits";
import type { AllocationAnswer, AllocationMove, AllocationProblem, AllocationVenue } from "./problem";
import { search } from "./search";

const HOURS_PER_YEAR = 8760;
const BPS = 10_000;

/** Changes below this many USD are dust: left alone, and not called a move. */
export const DUST_USD = 1e-6;

/**
 * An answer is exact when nothing can gain more than it by this share of the money at work in it (the largest gain of
 * a venue, or the price of money times the total): what rounding leaves open.
 */
const EXACTNESS = 1e-10;

/**
 * Maximises Σ x·(apr(x) − expectedLossApr)·hours/8760 − Σ costBps/10⁴·|x − current| − gasUsdPerMove·(venues that change)
 * within caps, floors, groups, minimum idle and what venues can pay out. Amounts in USD, rates fractions a year.
 * @throws InputFailure where the limits contradict each other or a number is not one.
 */
export function allocate(problem: AllocationProblem): AllocationAnswer {
  assertNumbers(problem);
  const limits = limitsOf(problem);
  const envelopes: Envelope[] = [];
  for (let i = 0; i < problem.venues.length; i++) {
    const twin = twinOf(problem, limits, i);
    envelopes.push(twin === undefined ? envelopeOf(problem, limits, i) : (envelopes[twin] as Envelope));
  }
  const found = search(envelopes, limits);
  const gap = found.bound - found.value;
  const exact = !(gap > EXACTNESS * found.scale);
  return answer(problem, withoutDust(problem, limits, found.amounts), exact ? 0 : gap);
}

type Limits = ReturnType<typeof limitsOf>;

function envelopeOf(problem: AllocationProblem, limits: Limits, i: number): Envelope {
  const venue = problem.venues[i] as AllocationVenue;
  return new Envelope(
    new VenueCurve({
      model: venue.model,
      current: venue.current,
      least: limits.least[i] as number,
      most: limits.most[i] as number,
      expectedLossApr: venue.expectedLossApr,
      costRate: venue.costBps / BPS,
      gasUsd: problem.gasUsdPerMove,
      years: problem.horizonHours / HOURS_PER_YEAR,
    }),
  );
}

/** An earlier venue that is alike in everything: branching then need not try both orders. */
function twinOf({ venues }: AllocationProblem, limits: Limits, i: number): number | undefined {
  const venue = venues[i] as AllocationVenue;
  for (let k = 0; k < i; k++) {
    const other = venues[k] as AllocationVenue;
    if (
      venue.current === other.current &&
      limits.least[i] === limits.least[k] &&
      limits.most[i] === limits.most[k] &&
      venue.costBps === other.costBps &&
      venue.expectedLossApr === other.expectedLossApr &&
      sameModel(venue.model, other.model) &&
      limits.groups.every(({ members }) => members.includes(i) === members.includes(k))
    ) {
      return k;
    }
  }
  return undefined;
}

function sameModel(a: AllocationVenue["model"], b: AllocationVenue["model"]): boolean {
  const other = b as unknown as Record<string, unknown>;
  return a === b || (a.kind === b.kind && Object.entries(a).every(([key, value]) => other[key] === value));
}

/** Puts changes of dust back to nothing where the limits allow it. */
function withoutDust(problem: AllocationProblem, limits: Limits, amounts: Float64Array): Float64Array {
  const x = Float64Array.from(amounts, (amount) => Math.max(0, amount));
  const fits = (members: readonly number[], cap: number): boolean =>
    members.reduce((sum, i) => sum + (x[i] as number), 0) <= cap;
  const everyone = problem.venues.map((_, i) => i);
  problem.venues.forEach(({ current }, i) => {
    const wanted = x[i] as number;
    if (wanted === current || Math.abs(wanted - current) >= DUST_USD) return;
    if (current < (limits.least[i] as number) || current > (limits.most[i] as number)) return;
    x[i] = current;
    const allowed = fits(everyone, limits.budget) && limits.groups.every(({ members, cap }) => fits(members, cap));
    if (!allowed) x[i] = wanted;
  });
  return x;
}

function answer(problem: AllocationProblem, amounts: Float64Array, gap: number): AllocationAnswer {
  const years = problem.horizonHours / HOURS_PER_YEAR;
  const moves: AllocationMove[] = [];
  let held = 0;
  let incomePerYear = 0;
  let gained = 0;
  let costUsd = 0;
  problem.venues.forEach(({ id, current, costBps, expectedLossApr, model }, i) => {
    const x = amounts[i] as number;
    const apr = supplyApr(model, x);
    held += x;
    incomePerYear += x * apr;
    gained += years * (x * (apr - expectedLossApr) - current * (supplyApr(model, current) - expectedLossApr));
    if (Math.abs(x - current) < DUST_USD) return;
    costUsd += (costBps / BPS) * Math.abs(x - current) + problem.gasUsdPerMove;
    moves.push({ id, from: current, to: x });
  });
  return {
    allocation: Object.fromEntries(problem.venues.map(({ id }, i) => [id, amounts[i] as number])),
    idle: Math.max(0, problem.total - held),
    incomePerYear,
    gainOverHorizon: gained - costUsd,
    costUsd,
    moves,
    exact: gap === 0,
    gap,
  };
}

/** The last guard before money moves: a NaN that slipped into a typed problem must not come out as an amount. */
function assertNumbers(problem: AllocationProblem): void {
  const check = (value: number, field: string): void => {
    if (Number.isFinite(value) && value >= 0) return;
    throw new InputFailure("ALLOCATION_NUMBER", `${value} is not an amount, rate or time at or above 0`, {
      field,
      remedy: "Give a finite number at or above 0.",
    });
  };
  check(problem.total, "total");
  check(problem.horizonHours, "horizonHours");
  check(problem.gasUsdPerMove, "gasUsdPerMove");
  check(problem.minIdle, "minIdle");
  problem.groups.forEach(({ cap }, g) => check(cap, `groups[${g}].cap`));
  problem.venues.forEach((venue, i) => {
    check(venue.current, `venues[${i}].current`);
    if (venue.cap !== Number.POSITIVE_INFINITY) check(venue.cap, `venues[${i}].cap`);
    check(venue.floor ?? 0, `venues[${i}].floor`);
    check(venue.costBps, `venues[${i}].costBps`);
    check(venue.expectedLossApr, `venues[${i}].expectedLossApr`);
    for (const [key, value] of Object.entries(venue.model)) {
      if (key === "kind" || (key === "apr" && Number.isFinite(value))) continue;
      check(value as number, `venues[${i}].model.${key}`);
    }
  });
}
