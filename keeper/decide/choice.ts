// What to do about a problem, live and in the backtest: the best allocation, whether there is money for the way there, and
// whether going there pays. It knows no vault and no history: how a target becomes legs, and what those cost, is passed in.
import { allocate } from "../allocate/allocate";
import type { AllocationProblem, AllocationVenue } from "../allocate/problem";
import { cvar, lossesOf, scenariosOf } from "../allocate/tailRisk";
import { isConcave } from "../venues/incomeSegments";
import { marginalIncome } from "../venues/rateModel";
import { incomeOf, type Target } from "./income";
import { frameGains, mostLost, type FrameGain, type TimeFrame } from "./timeFrames";

const HOURS_PER_YEAR = 8760;

/** Less than this part of what gas costs is no saving to wait for. */
const LEAST_SAVING = 0.1;

/** The same money and venues in two worlds: as forecast, and if rates stay as they are. */
export interface Worlds {
  readonly forecast: AllocationProblem;
  readonly today: AllocationProblem;
  /** Limits that today's allocation breaks: reasons to move even at a cost, in words. */
  readonly breaches: readonly string[];
  /** Asked for where something is about to move; absent: nothing is known of them. */
  readonly frames?: (() => readonly TimeFrame[]) | undefined;
}

/** `Leg`: what the caller makes of a change in one venue. */
export interface ChoiceTerms<Leg> {
  /** Least gain over the horizon, USD, after costs. */
  readonly minGainUsd: number;
  /** Least gain over the horizon as a share of the amount moved. */
  readonly noTradeBandBps: number;
  /** Most that may go into venues now, USD. */
  readonly turnoverUsd: number;
  readonly legsOf: (target: Target) => readonly Leg[];
  readonly costUsd: (legs: readonly Leg[]) => number;
  /** What of the cost is likely saved by waiting so long; asked for where something is about to move. Null: nothing. */
  readonly saving?: ((legs: readonly Leg[]) => Saving | null) | undefined;
}

/** Gas that is likely cheaper after a while. */
export interface Saving {
  readonly usd: number;
  /** Of this much. */
  readonly ofUsd: number;
  readonly waitSeconds: number;
}

/** An allocation worth going to, as far as the turnover budget goes, and what that gains over the horizon, USD. */
export interface Candidate<Leg> {
  readonly target: Target;
  /** Part of the way that the turnover budget pays for; not above 1. */
  readonly share: number;
  readonly legs: readonly Leg[];
  readonly cost: number;
  readonly forecastGain: number;
  readonly todayGain: number;
  /** The smaller of the two. */
  readonly gain: number;
}

export type Choice<Leg> =
  | { readonly kind: "move"; readonly candidate: Candidate<Leg>; readonly frames: readonly FrameGain[] }
  /** `needed`: the gain that would have been enough, for `moved` USD. */
  | {
      readonly kind: "gain-too-small";
      readonly candidate: Candidate<Leg>;
      readonly moved: number;
      readonly needed: number;
    }
  /** Over a shorter or longer time it loses so much that the rest is less than `needed`. */
  | {
      readonly kind: "frames-disagree";
      readonly candidate: Candidate<Leg>;
      readonly frames: readonly FrameGain[];
      readonly needed: number;
    }
  /** Gas is likely cheaper before what waiting loses, USD, comes to the saving. */
  | {
      readonly kind: "cheaper-later";
      readonly candidate: Candidate<Leg>;
      readonly saving: Saving;
      readonly lost: number;
    }
  | { readonly kind: "no-funds" | "already-best" | "budget-spent" | "less-than-a-unit" };

/** Seconds that a cooldown has still to run; at most zero: it is over. */
export function cooldownLeft(now: number, lastRebalanceAt: number | null, cooldownSeconds: number): number {
  return lastRebalanceAt === null ? 0 : lastRebalanceAt + cooldownSeconds - now;
}

export function choose<Leg>(worlds: Worlds, terms: ChoiceTerms<Leg>): Choice<Leg> {
  if (worlds.forecast.total <= 0) return { kind: "no-funds" };
  // The forecast may be wrong, and that rates stay as they are may be wrong too. Of the best allocations for either
  // world, the one whose gain in the less friendly world is the greater.
  const candidates = [worlds.forecast, worlds.today].flatMap((world) => {
    const answer = allocate(world);
    return answer.moves.length === 0 ? [] : [candidateOf(new Map(Object.entries(answer.allocation)), worlds, terms)];
  });
  const [first, second] = candidates;
  if (first === undefined) return { kind: "already-best" };
  const best = second !== undefined && second.gain > first.gain ? second : first;
  if (best.share <= 0) return { kind: "budget-spent" };
  if (best.legs.length === 0) return { kind: "less-than-a-unit" };

  const moved = movedUsd(best.target, worlds.forecast);
  const needed = Math.max(terms.minGainUsd, (moved * terms.noTradeBandBps) / 1e4);
  const compelled = worlds.breaches.length > 0;
  if (!compelled && best.gain < needed) return { kind: "gain-too-small", candidate: best, moved, needed };
  const frames = frameGains(best.target, worlds.frames?.() ?? []);
  if (compelled) return { kind: "move", candidate: best, frames };
  if (best.gain - mostLost(frames) < needed) return { kind: "frames-disagree", candidate: best, frames, needed };
  const saving = terms.saving?.(best.legs) ?? null;
  if (saving !== null && saving.usd > LEAST_SAVING * saving.ofUsd) {
    // What moving gains comes evenly over the horizon: a while of it is lost by waiting.
    const earned = Math.max(best.forecastGain, best.todayGain) + best.cost;
    const lost = (earned * saving.waitSeconds) / (worlds.forecast.horizonHours * 3_600);
    if (saving.usd > lost) return { kind: "cheaper-later", candidate: best, saving, lost };
  }
  return { kind: "move", candidate: best, frames };
}

/**
 * Whether {@link choose} would hold for sure, as a bound that costs much less says: no allocation gains enough in both worlds.
 * False says nothing. Only for problems without breaches; the same world twice asks about that one alone.
 *
 * The bound: what an allocation gains in the worse world is at most any mean of its gains in both. A concave income curve lies
 * below its tangent, so that mean is at most what all money would gain in the venue with the greatest mean marginal income;
 * and of what the band asks for each dollar moved, only those dollars pay that gain more than it.
 *
 * @param leastCostUsd What any move costs at least.
 */
export function isHopeless(
  worlds: Pick<Worlds, "today" | "forecast">,
  terms: Pick<ChoiceTerms<never>, "minGainUsd" | "noTradeBandBps">,
  leastCostUsd: number,
): boolean {
  const { today, forecast } = worlds;
  // What lowers the tail may be worth moving for without any income.
  if ((today.tail?.kappa ?? 0) > 0) return false;
  const { venues, total, horizonHours } = today;
  const ofToday = marginalsOf(today);
  const ofForecast = today === forecast ? ofToday : marginalsOf(forecast);
  const [one, other] = [ofToday ?? ofForecast, ofForecast ?? ofToday];
  if (one === undefined || other === undefined) return false;
  const years = horizonHours / HOURS_PER_YEAR;
  const band = terms.noTradeBandBps / 1e4;
  const cost = leastCostUsd - ROUNDING * total;
  for (const weight of one === other ? [1] : MEANS) {
    let best = 0;
    for (let v = 0; v < venues.length; v += 1) {
      best = Math.max(best, weight * (one[v] as number) + (1 - weight) * (other[v] as number));
    }
    let [idle, gain, beyondBand] = [total, 0, 0];
    for (let v = 0; v < venues.length; v += 1) {
      const { current } = venues[v] as AllocationVenue;
      if (current === 0) continue;
      const gained = years * (best - weight * (one[v] as number) - (1 - weight) * (other[v] as number));
      idle -= current;
      gain += current * gained;
      beyondBand += current * Math.max(0, gained - band);
    }
    if (idle > 0) {
      gain += idle * years * best;
      beyondBand += idle * Math.max(0, years * best - band);
    }
    if (gain < cost + terms.minGainUsd || beyondBand < cost) return true;
  }
  return false;
}

/** Weights of today's world in a mean of both. */
const MEANS = [1, 0.75, 0.5, 0.25, 0];

/** What one more unit would earn in each venue; undefined where income could lie above its tangent. */
function marginalsOf({ venues, total }: AllocationProblem): number[] | undefined {
  const marginals: number[] = [];
  for (const { model, current, expectedLossApr } of venues) {
    // Where nothing is held, income is at most x · apr(0), whatever the shape.
    if (current > 0 && !isConcave(model, total)) return undefined;
    marginals.push(marginalIncome(model, current) - expectedLossApr);
  }
  return marginals;
}

/** Share of the money by which sums of incomes may be off. */
const ROUNDING = 1e-12;

function candidateOf<Leg>(wanted: Target, worlds: Worlds, terms: ChoiceTerms<Leg>): Candidate<Leg> {
  const share = affordableShare(wanted, worlds.forecast, terms.turnoverUsd);
  const target = share < 1 ? towards(wanted, worlds.forecast, share) : wanted;
  const legs = share > 0 ? terms.legsOf(target) : [];
  const cost = terms.costUsd(legs);
  const gainIn = (world: AllocationProblem): number =>
    ((incomeOf(world, target) - incomeOf(world)) * world.horizonHours) / HOURS_PER_YEAR -
    tailGrown(world, target) -
    cost;
  const forecastGain = gainIn(worlds.forecast);
  const todayGain = gainIn(worlds.today);
  return { target, share, legs, cost, forecastGain, todayGain, gain: Math.min(forecastGain, todayGain) };
}

/** The largest share of the way to `best` that the turnover budget pays for. */
function affordableShare(best: Target, problem: AllocationProblem, budget: number): number {
  const inflow = problem.venues.reduce((sum, v) => sum + Math.max(0, (best.get(v.id) ?? 0) - v.current), 0);
  // A thousandth less than the budget: it is a share of an amount that moves until the plan lands.
  return inflow <= budget * 0.999 ? 1 : Math.max(0, (budget * 0.999) / inflow);
}

function towards(best: Target, problem: AllocationProblem, share: number): Target {
  return new Map(problem.venues.map((v) => [v.id, v.current + share * ((best.get(v.id) ?? 0) - v.current)]));
}

/** Kappa times what the tail's mean loss over the horizon becomes greater by, USD. */
function tailGrown(problem: AllocationProblem, target: Target): number {
  const { tail, venues } = problem;
  if (tail === undefined || tail.kappa === 0) return 0;
  const scenarios = scenariosOf(problem, tail);
  const loss = (amounts: readonly number[]): number => cvar(scenarios, lossesOf(scenarios, amounts));
  const [now, then] = [venues.map(({ current }) => current), venues.map(({ id }) => target.get(id) ?? 0)];
  return tail.kappa * (loss(then) - loss(now));
}

/** What changes place, USD: the larger of what goes in and what comes out. */
function movedUsd(target: Target, problem: AllocationProblem): number {
  const into = problem.venues.reduce((sum, v) => sum + Math.max(0, (target.get(v.id) ?? 0) - v.current), 0);
  const out = problem.venues.reduce((sum, v) => sum + Math.max(0, v.current - (target.get(v.id) ?? 0)), 0);
  return Math.max(into, out);
}
