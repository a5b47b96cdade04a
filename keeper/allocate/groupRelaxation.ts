// The relaxed problem with caps on groups of venues, which may overlap. Several prices then act at once, and the dual
// has corners wherever a venue's amount jumps, so the concave problem is solved in the amounts, by a primal-dual
// interior-point method over the pieces of the envelopes (Newton steps of the size of the number of limits). Whatever
// prices it ends with, the bound is computed from them exactly, so a bound is never wrong, at worst loose.
import type { Arc } from "./arc";
import { solveSymmetric } from "./denseSolve";
import type { Envelope } from "./envelope";
import type { Relaxation } from "./waterFill";
import { snap } from "./snap";

/** Most that some venues (by index) may hold together. */
export interface GroupLimit {
  readonly members: readonly number[];
  readonly cap: number;
}

/** A limit with what is left of it above the least amounts. */
export interface Row {
  readonly members: readonly number[];
  readonly cap: number;
}

/** One step of an envelope: `width` more money in a venue at a slope that falls from one end to the other. */
interface Step {
  readonly venue: number;
  readonly rows: readonly number[];
  /** Amount in the venue where the step begins. */
  readonly at: number;
  readonly width: number;
  /** Undefined: a straight line of slope `slope`. */
  readonly arc: Arc | undefined;
  readonly slope: number;
}

const MAX_ITERATIONS = 100;

/** Complementarity, relative to the largest slope times the budget, at which the iteration ends. */
const PRECISION = 1e-15;

/** A curve is cut where its curvature has changed by this factor, so that Newton's quadratic model holds on each piece. */
const CURVATURE_RATIO = 8;

const MAX_CUTS = 40;

/** Room in a limit below this share of the budget is none. */
const NEGLIGIBLE = 1e-13;

/** Steps narrower than this share of the budget are left to `snap`: gas over a dust holding would be a slope of 10⁹. */
const NARROW = 1e-9;

export function relaxGroups(
  envelopes: readonly Envelope[],
  limits: { readonly budget: number; readonly groups: readonly GroupLimit[] },
  floorPrice: number,
): Relaxation {
  const { budget } = limits;
  const rows: Row[] = [{ members: envelopes.map((_, i) => i), cap: budget }, ...limits.groups];
  const rowsOf = envelopes.map((_, i) => rows.flatMap((row, r) => (row.members.includes(i) ? [r] : [])));
  const spare = rows.map((row) =>
    row.members.reduce((left, i) => left - (envelopes[i] as Envelope).domain.from, row.cap),
  );
  const closed = spare.map((left) => left <= NEGLIGIBLE * budget);
  const steps = envelopes.flatMap((envelope, i) => {
    const rowsHere = rowsOf[i] as number[];
    return rowsHere.some((r) => closed[r]) ? [] : stepsOf(envelope, { venue: i, rows: rowsHere, budget });
  });
  const room = spare.map((left, r) => (closed[r] ? budget : left));
  const solution = interiorPoint(steps, room, budget);
  const amounts = Float64Array.from(envelopes, (envelope) => envelope.domain.from);
  steps.forEach((step, k) => (amounts[step.venue] = (amounts[step.venue] as number) + (solution.taken[k] as number)));
  envelopes.forEach(({ domain }, i) => (amounts[i] = Math.min(domain.to, amounts[i] as number)));
  const rowPrices = rows.map((row, r) =>
    closed[r] ? steepest(envelopes, row, floorPrice) : (solution.prices[r] as number),
  );
  const prices = Float64Array.from(rowsOf, (mine) => mine.reduce((sum, r) => sum + (rowPrices[r] as number), 0));
  let bound = rows.reduce((sum, row, r) => sum + row.cap * (rowPrices[r] as number), 0);
  envelopes.forEach((envelope, i) => (bound += envelope.surplus(prices[i] as number)));
  return { bound, amounts: snap(envelopes, { rows, rowPrices, prices, amounts, budget }), prices };
}

/** A price at which nothing of a full limit's members wants more than its least. */
function steepest(envelopes: readonly Envelope[], row: Row, floorPrice: number): number {
  let price = floorPrice;
  for (const i of row.members) {
    const envelope = envelopes[i] as Envelope;
    const first = (envelope.arcs[0] as Arc).slopeFrom;
    price = Math.max(price, Number.isFinite(first) ? first : price, envelope.starts[1] ?? price);
  }
  return price;
}

function stepsOf(
  envelope: Envelope,
  { venue, rows, budget }: { venue: number; rows: readonly number[]; budget: number },
): Step[] {
  const out: Step[] = [];
  const end = envelope.least(0);
  const put = (at: number, to: number, arc: Arc | undefined, slope: number): void => {
    const width = Math.min(to, end) - at;
    if (width > NARROW * budget) out.push({ venue, rows, at, width, arc, slope });
  };
  envelope.arcs.forEach((arc, j) => {
    const next = envelope.starts[j + 1];
    const from = j === 0 ? arc.from : arc.least(envelope.starts[j] as number);
    const to = next === undefined ? arc.to : arc.most(next);
    if (to > from) {
      if (arc.curved) for (const [a, b] of cuts(arc, from, Math.min(to, end))) put(a, b, arc, 0);
      else put(from, to, undefined, arc.slopeFrom);
    }
    const following = envelope.arcs[j + 1];
    if (next !== undefined && following !== undefined) put(to, following.least(next), undefined, next);
  });
  return out;
}

function cuts(arc: Arc, from: number, to: number, depth = 0): [number, number][] {
  if (!(to > from)) return [];
  const ends = [Math.abs(arc.curvature(from)), Math.abs(arc.curvature(to))];
  const ratio = Math.max(...ends) / Math.max(Math.min(...ends), Number.MIN_VALUE);
  if (ratio <= CURVATURE_RATIO || depth >= MAX_CUTS) return [[from, to]];
  // Half the fall of the slope: the steep part is cut finely, the flat part is left whole.
  const middle = arc.least((arc.slope(from) + arc.slope(to)) / 2);
  if (!(middle > from && middle < to)) return [[from, to]];
  return [...cuts(arc, from, middle, depth + 1), ...cuts(arc, middle, to, depth + 1)];
}

/**
 * Maximises Σ F(y) over 0 ≤ y ≤ width, Σ y ≤ spare for each row. Mehrotra's scheme without the corrector: the target
 * of the complementarity falls with how far the last step went. Amounts are scaled by the budget, slopes by the largest.
 */
function interiorPoint(
  steps: readonly Step[],
  spare: readonly number[],
  budget: number,
): { taken: Float64Array; prices: Float64Array } {
  const n = steps.length;
  const m = spare.length;
  const taken = new Float64Array(n);
  const prices = new Float64Array(m);
  if (n === 0) return { taken, prices };
  const top = Math.max(...steps.map((step) => step.arc?.slope(step.at) ?? step.slope));
  const width = Float64Array.from(steps, (step) => step.width / budget);
  const room = Float64Array.from(spare, (left) => left / budget);
  const load = new Float64Array(m);
  steps.forEach((step, k) => step.rows.forEach((r) => (load[r] = (load[r] as number) + (width[k] as number))));
  let share = 0.5;
  for (let r = 0; r < m; r++) {
    if ((load[r] as number) > 0) share = Math.min(share, (0.5 * (room[r] as number)) / (load[r] as number));
  }
  const y = width.map((w) => share * w);
  const low = new Float64Array(n).fill(1);
  const high = new Float64Array(n).fill(1);
  const price = new Float64Array(m).fill(1);
  // What is left above each amount and below each limit is carried along: as a difference it would drown in rounding.
  const rest = width.map((w, k) => w - (y[k] as number));
  const slack = room.slice();
  steps.forEach((step, k) => step.rows.forEach((r) => (slack[r] = (slack[r] as number) - (y[k] as number))));
  const dSlack = new Float64Array(m);
  const dy = new Float64Array(n);
  const theta = new Float64Array(n);
  const pull = new Float64Array(n);
  let centring = 0.3;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    let complementarity = 0;
    for (let k = 0; k < n; k++) {
      const yk = y[k] as number;
      complementarity += yk * (low[k] as number) + (rest[k] as number) * (high[k] as number);
    }
    for (let r = 0; r < m; r++) complementarity += (slack[r] as number) * (price[r] as number);
    const target = (centring * complementarity) / (2 * n + m);
    const system = new Float64Array(m * m);
    const right = new Float64Array(m);
    let stationarity = 0;
    for (let k = 0; k < n; k++) {
      const step = steps[k] as Step;
      const yk = y[k] as number;
      const restK = rest[k] as number;
      const x = step.at + yk * budget;
      const slope = (step.arc?.slope(x) ?? step.slope) / top;
      const bend = step.arc === undefined ? 0 : (-step.arc.curvature(x) * budget) / top;
      let asked = 0;
      for (const r of step.rows) asked += price[r] as number;
      const lowK = low[k] as number;
      const highK = high[k] as number;
      stationarity = Math.max(stationarity, Math.abs(asked - slope - lowK + highK));
      theta[k] = Math.max(bend, 0) + lowK / yk + highK / restK;
      pull[k] = slope - asked + target / yk - target / restK;
      for (const r of step.rows) {
        right[r] = (right[r] as number) + (pull[k] as number) / (theta[k] as number);
        for (const q of step.rows) system[r * m + q] = (system[r * m + q] as number) + 1 / (theta[k] as number);
      }
    }
    if (complementarity <= PRECISION && stationarity <= 1e-13) break;
    for (let r = 0; r < m; r++) {
      const p = price[r] as number;
      const s = slack[r] as number;
      system[r * m + r] = (system[r * m + r] as number) + s / p;
      right[r] = (right[r] as number) + target / p - s;
    }
    const dPrice = solveSymmetric(system, right);
    let primal = 1;
    let dual = 1;
    for (let k = 0; k < n; k++) {
      let asked = 0;
      for (const r of (steps[k] as Step).rows) asked += dPrice[r] as number;
      const change = ((pull[k] as number) - asked) / (theta[k] as number);
      const yk = y[k] as number;
      const restK = rest[k] as number;
      dy[k] = change;
      if (change < 0) primal = Math.min(primal, -yk / change);
      else if (change > 0) primal = Math.min(primal, restK / change);
      const dLow = target / yk - (low[k] as number) * (1 + change / yk);
      const dHigh = target / restK - (high[k] as number) * (1 - change / restK);
      if (dLow < 0) dual = Math.min(dual, -(low[k] as number) / dLow);
      if (dHigh < 0) dual = Math.min(dual, -(high[k] as number) / dHigh);
    }
    for (let r = 0; r < m; r++) {
      const dp = dPrice[r] as number;
      const ds = target / (price[r] as number) - (slack[r] as number) * (1 + dp / (price[r] as number));
      dSlack[r] = ds;
      if (ds < 0) primal = Math.min(primal, -(slack[r] as number) / ds);
      if (dp < 0) dual = Math.min(dual, -(price[r] as number) / dp);
    }
    const reach = 1 - Math.min(0.1, Math.max(1e-3, complementarity));
    // One length for both: the curves make the primal and the dual steps belong together.
    const length = Math.min(1, reach * Math.min(primal, dual));
    for (let k = 0; k < n; k++) {
      const yk = y[k] as number;
      const restK = rest[k] as number;
      const change = dy[k] as number;
      low[k] = (low[k] as number) + length * (target / yk - (low[k] as number) * (1 + change / yk));
      high[k] = (high[k] as number) + length * (target / restK - (high[k] as number) * (1 - change / restK));
      rest[k] = restK - length * change;
      y[k] = yk + length * change;
    }
    for (let r = 0; r < m; r++) {
      price[r] = (price[r] as number) + length * (dPrice[r] as number);
      slack[r] = (slack[r] as number) + length * (dSlack[r] as number);
    }
    centring = length > 0.9 ? 0.02 : length > 0.5 ? 0.15 : 0.5;
  }
  for (let k = 0; k < n; k++) taken[k] = (y[k] as number) * budget;
  for (let r = 0; r < m; r++) prices[r] = (price[r] as number) * top;
  return { taken, prices };
}
