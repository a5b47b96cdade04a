// The exact allocator: how much to hold in each venue so that income over the horizon, with our own effect on every
// rate, less expected loss, less the cost of getting there, is greatest. Pure and deterministic; no general solver.
import { supplyApr, type RateModel } from "../venues/rateModel";
import { Envelope, VenueCurve } from "./envelope";
import { limitsOf, type Limits } from "./limits";
import type { AllocationAnswer, AllocationMove, AllocationProblem, AllocationVenue } from "./problem";
import { assertNumbers } from "./problemNumbers";
import { search, type SearchResult } from "./search";
import { cvar, lossesOf, scenariosOf, type Scenarios } from "./tailRisk";
import { searchWithTail } from "./tailSearch";

const HOURS_PER_YEAR = 8760;
const BPS = 10_000;

/** Changes below this many USD are dust: left alone, and not called a move. */
export const DUST_USD = 1e-6;

/**
 * An answer is exact when nothing can gain more than it by this share of the money at work in it (the largest gain of
 * a venue, or the price of money times the total): what rounding leaves open.
 */
const EXACTNESS = 1e-10;
/** The same with a tail, where linear programmes in doubles stand between. */
const TAIL_EXACTNESS = 1e-8;

/**
 * Maximises Σ x·(apr(x) − expectedLossApr)·hours/8760 − Σ costBps/10⁴·|x − current| − gasUsdPerMove·(venues that change)
 * − kappa·CVaR within caps, floors, groups, minimum idle and what venues can pay out. Amounts in USD, rates fractions a
 * year.
 * @throws InputFailure where the limits contradict each other or a number is not one.
 */
export function allocate(problem: AllocationProblem): AllocationAnswer {
  assertNumbers(problem);
  const limits = limitsOf(problem);
  const { tail } = problem;
  if (tail === undefined) return answer(problem, settled(problem, limits, separable(problem, limits)));
  const scenarios = scenariosOf(problem, tail);
  const found = searchWithTail(problem, scenarios, separableOf, valueOf);
  return answer(problem, settled(problem, limits, found, TAIL_EXACTNESS), scenarios);
}

/** The optimum without a tail. */
function separableOf(problem: AllocationProblem): SearchResult {
  return separable(problem, limitsOf(problem));
}

function separable(problem: AllocationProblem, limits: Limits): SearchResult {
  const envelopes: Envelope[] = [];
  for (let i = 0; i < problem.venues.length; i++) {
    const twin = twinOf(problem, limits, i);
    envelopes.push(twin === undefined ? envelopeOf(problem, limits, i) : (envelopes[twin] as Envelope));
  }
  return search(envelopes, limits);
}

/** What was found, without dust, and how far it may be from the optimum. */
function settled(
  problem: AllocationProblem,
  limits: Limits,
  { amounts, value, bound, scale }: SearchResult,
  exactness = EXACTNESS,
): { readonly amounts: Float64Array; readonly gap: number } {
  const gap = bound - value;
  return { amounts: withoutDust(problem, limits, amounts), gap: gap > exactness * scale ? gap : 0 };
}

/** Gain over the horizon of holding `amounts`, costs of getting there included, without a tail. */
function valueOf(problem: AllocationProblem, amounts: ArrayLike<number>): number {
  const years = problem.horizonHours / HOURS_PER_YEAR;
  let value = 0;
  problem.venues.forEach((venue, i) => {
    const x = amounts[i] as number;
    value += years * x * (supplyApr(venue.model, x) - venue.expectedLossApr) - costOf(venue, x, problem.gasUsdPerMove);
  });
  return value;
}

function costOf(venue: AllocationVenue, x: number, gasUsd: number): number {
  const way = Math.abs(x - venue.current);
  return way < DUST_USD ? 0 : (venue.costBps / BPS) * way + bendOf(venue) * way * way + gasUsd;
}

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
      bend: bendOf(venue),
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
      bendOf(venue) === bendOf(other) &&
      venue.expectedLossApr === other.expectedLossApr &&
      sameModel(venue.model, other.model) &&
      limits.groups.every(({ members }) => members.includes(i) === members.includes(k))
    ) {
      return k;
    }
  }
  return undefined;
}

function sameModel(a: RateModel, b: RateModel): boolean {
  if (a === b) return true;
  if (a.kind === "fixed") return b.kind === "fixed" && a.apr === b.apr;
  if (a.kind === "liquidity") {
    return b.kind === "liquidity" && a.pool === b.pool && a.fees === b.fees && a.apr === b.apr;
  }
  if (
    b.kind === "fixed" ||
    b.kind === "liquidity" ||
    a.supplied !== b.supplied ||
    a.borrowed !== b.borrowed ||
    a.base !== b.base
  )
    return false;
  if (a.kind === "aave") {
    return (
      b.kind === "aave" &&
      a.slope1 === b.slope1 &&
      a.slope2 === b.slope2 &&
      a.kink === b.kink &&
      a.reserveFactor === b.reserveFactor
    );
  }
  return b.kind === "kinked-supply" && a.slopeLow === b.slopeLow && a.slopeHigh === b.slopeHigh && a.kink === b.kink;
}

/** Cost of the square of a change, per USD. */
function bendOf({ impactBpsPerMillion = 0 }: AllocationVenue): number {
  return impactBpsPerMillion / BPS / 1e6;
}

/** Puts changes of dust back to nothing where the limits allow it, those that make room before those that take it. */
function withoutDust({ venues }: AllocationProblem, limits: Limits, amounts: Float64Array): Float64Array {
  const dusty: { readonly i: number; readonly current: number; readonly raised: number }[] = [];
  for (let i = 0; i < venues.length; i++) {
    const { current } = venues[i] as AllocationVenue;
    const raised = current - (amounts[i] as number);
    const inBounds = current >= (limits.least[i] as number) && current <= (limits.most[i] as number);
    if (raised !== 0 && Math.abs(raised) < DUST_USD && inBounds) dusty.push({ i, current, raised });
  }
  for (const { i, current } of dusty.sort((a, b) => a.raised - b.raised)) {
    const wanted = amounts[i] as number;
    amounts[i] = current;
    if (!allowed(limits, amounts)) amounts[i] = wanted;
  }
  return amounts;
}

function allowed({ budget, groups }: Limits, amounts: Float64Array): boolean {
  let sum = 0;
  for (const amount of amounts) sum += amount;
  if (sum > budget) return false;
  return groups.every(({ members, cap }) => members.reduce((held, i) => held + (amounts[i] as number), 0) <= cap);
}

function answer(
  problem: AllocationProblem,
  { amounts, gap }: { readonly amounts: Float64Array; readonly gap: number },
  scenarios?: Scenarios,
): AllocationAnswer {
  const { venues, total } = problem;
  const years = problem.horizonHours / HOURS_PER_YEAR;
  const moves: AllocationMove[] = [];
  let held = 0;
  let incomePerYear = 0;
  let gained = 0;
  let costUsd = 0;
  venues.forEach((venue, i) => {
    const { id, current, expectedLossApr, model } = venue;
    const x = amounts[i] as number;
    const apr = supplyApr(model, x);
    held += x;
    incomePerYear += x * apr;
    gained += years * (x * (apr - expectedLossApr) - current * (supplyApr(model, current) - expectedLossApr));
    if (Math.abs(x - current) < DUST_USD) return;
    costUsd += costOf(venue, x, problem.gasUsdPerMove);
    moves.push({ id, from: current, to: x });
  });
  const tailLoss = (of: ArrayLike<number>): number => (scenarios ? cvar(scenarios, lossesOf(scenarios, of)) : 0);
  const tailLossUsd = tailLoss(amounts);
  const worse = (scenarios?.kappa ?? 0) * (tailLossUsd - tailLoss(venues.map(({ current }) => current)));
  return {
    allocation: Object.fromEntries(venues.map(({ id }, i) => [id, amounts[i] as number])),
    idle: Math.max(0, total - held),
    incomePerYear,
    gainOverHorizon: gained - costUsd - worse,
    costUsd,
    moves,
    exact: gap === 0,
    gap,
    ...(scenarios && { tailLossUsd }),
  };
}
