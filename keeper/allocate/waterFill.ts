// The relaxed problem with one budget, exactly: every venue takes money down to one common price. The price is found by
// its jumps first (bridges and straight lines, where several amounts are equally good) and by Newton's method between
// them.
import type { Envelope } from "./envelope";

/** A solved relaxation: no allocation within the bounds can gain more than `bound`. */
export interface Relaxation {
  readonly bound: number;
  readonly amounts: Float64Array;
  /** Price of money in each venue, gain per unit over the horizon, so that bound = Σ surplus + price · limits. */
  readonly prices: Float64Array;
}

/** Newton converges in a handful of steps; the rest is bisection's, which ends at the last bit. */
const MAX_STEPS = 120;

/** Budget that rounding may leave unspent, relative to the budget. */
const BUDGET_TOLERANCE = 1e-14;

/** Maximises the sum of the envelopes over Σ x ≤ budget. The least amounts of the domains must fit the budget. */
export function waterFill(envelopes: readonly Envelope[], budget: number, guess = 0): Relaxation {
  const price = findPrice(envelopes, budget, guess);
  const amounts = new Float64Array(envelopes.length);
  let bound = price * budget;
  for (const envelope of envelopes) bound += envelope.surplus(price);
  fill(envelopes, { amounts, budget, price });
  return { bound, amounts, prices: new Float64Array(envelopes.length).fill(price) };
}

function findPrice(envelopes: readonly Envelope[], budget: number, guess: number): number {
  if (leastWanted(envelopes, 0) <= budget) return 0;
  const jumps = jumpPrices(envelopes);
  let below = -1;
  let above = jumps.length;
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    const price = jumps[middle] as number;
    if (leastWanted(envelopes, price) > budget) below = middle;
    else if (mostWanted(envelopes, price) >= budget) return price;
    else above = middle;
  }
  const low = below < 0 ? 0 : (jumps[below] as number);
  const high = above < jumps.length ? (jumps[above] as number) : Number.POSITIVE_INFINITY;
  return newton(envelopes, budget, { low, high, guess });
}

/** Between two jumps the amount wanted falls continuously with the price. */
function newton(
  envelopes: readonly Envelope[],
  budget: number,
  start: { low: number; high: number; guess: number },
): number {
  let { low, high } = start;
  if (high === Number.POSITIVE_INFINITY) {
    high = low;
    for (const envelope of envelopes) {
      const slope = (envelope.arcs[0] as Envelope["arcs"][number]).slopeFrom;
      if (slope > high && slope < Number.POSITIVE_INFINITY) high = slope;
    }
  }
  let price = start.guess > low && start.guess < high ? start.guess : (low + high) / 2;
  for (let step = 0; step < MAX_STEPS; step++) {
    let excess = -budget;
    let response = 0;
    for (const envelope of envelopes) {
      const x = envelope.most(price);
      excess += x;
      response += envelope.response(price, x);
    }
    if (Math.abs(excess) <= BUDGET_TOLERANCE * budget) return price;
    if (excess > 0) low = price;
    else high = price;
    let next = price - excess / response;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (next === price || !(next > low && next < high)) return high;
    price = next;
  }
  return high;
}

interface Filling {
  readonly amounts: Float64Array;
  readonly budget: number;
  readonly price: number;
}

/**
 * Amounts at the price found. Where several are equally good, what we hold now is kept first, and a venue whose
 * envelope bridges a gap is filled to the far end of the bridge or not at all while others can take up the rest.
 */
function fill(envelopes: readonly Envelope[], { amounts, budget, price }: Filling): void {
  const n = envelopes.length;
  let spent = 0;
  let slack = false;
  for (let i = 0; i < n; i++) {
    const envelope = envelopes[i] as Envelope;
    const least = envelope.least(price);
    let x = least;
    const most = envelope.most(price);
    if (most > least) {
      slack = true;
      const kept = Math.min(most, Math.max(least, envelope.curve.venue.current));
      if (kept > least && onEnvelope(envelope, price, kept)) x = kept;
    }
    amounts[i] = x;
    spent += x;
  }
  if (slack && spent < budget && price > 0) {
    for (const whole of [true, false]) {
      for (let i = 0; i < n && spent < budget; i++) {
        const envelope = envelopes[i] as Envelope;
        const x = amounts[i] as number;
        const most = envelope.most(price);
        if (!(most > x)) continue;
        const bridged = !onEnvelope(envelope, price, (x + most) / 2);
        if (whole && bridged && most - x > budget - spent) continue;
        const raised = Math.min(most, x + (budget - spent));
        spent += raised - x;
        amounts[i] = raised;
      }
    }
  }
  if (spent > budget) {
    for (let i = n - 1; i >= 0 && spent > budget && slack; i--) {
      const x = amounts[i] as number;
      const lowered = Math.max((envelopes[i] as Envelope).least(price), x - (spent - budget));
      spent -= x - lowered;
      amounts[i] = lowered;
    }
  }
  if (price > 0 || spent > budget) settle(envelopes, { amounts, budget, price }, budget - spent);
}

/** Spreads what rounding of the price left over on the venues that respond to it. */
function settle(envelopes: readonly Envelope[], { amounts, price }: Filling, rest: number): void {
  if (rest === 0) return;
  let response = 0;
  for (let i = 0; i < envelopes.length; i++) {
    response += (envelopes[i] as Envelope).response(price, amounts[i] as number);
  }
  if (response === 0) return;
  for (let i = 0; i < envelopes.length; i++) {
    const envelope = envelopes[i] as Envelope;
    const x = amounts[i] as number;
    const share = envelope.response(price, x) / response;
    if (share > 0) amounts[i] = Math.min(envelope.domain.to, Math.max(envelope.domain.from, x + rest * share));
  }
}

/** Whether the gain itself reaches the envelope at x, which is wanted at the price. */
function onEnvelope(envelope: Envelope, price: number, x: number): boolean {
  const top = envelope.surplus(price) + price * x;
  return top - envelope.curve.value(x) <= 1e-12 * (Math.abs(top) + envelope.curve.venue.gasUsd);
}

function leastWanted(envelopes: readonly Envelope[], price: number): number {
  let sum = 0;
  for (const envelope of envelopes) sum += envelope.least(price);
  return sum;
}

function mostWanted(envelopes: readonly Envelope[], price: number): number {
  let sum = 0;
  for (const envelope of envelopes) sum += envelope.most(price);
  return sum;
}

/** Distinct prices above 0 at which the amount wanted jumps, ascending. */
function jumpPrices(envelopes: readonly Envelope[]): Float64Array {
  let count = 0;
  for (const envelope of envelopes) count += envelope.jumps.length;
  const jumps = new Float64Array(count);
  let k = 0;
  for (const envelope of envelopes) {
    for (const jump of envelope.jumps) {
      if (jump > 0) jumps[k++] = jump;
    }
  }
  return jumps.subarray(0, k).sort();
}
