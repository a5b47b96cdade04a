// From the interior point next to the optimum to the optimum: amounts that sit on an end of a piece are put there, and
// Newton's method on the limits that bind moves the others, so that limits hold to the last bits and nobody is told to
// move dust.
import { solveSymmetric } from "./denseSolve";
import type { Envelope } from "./envelope";
import type { Row } from "./groupRelaxation";

/** An interior point is this close to the end of a piece or a limit, relative to the budget, when it belongs there. */
const NEAR = 1e-7;

/** Limits and bounds may be passed by this share of the budget. */
const ROUNDING = 1e-13;

const NEWTON_STEPS = 4;

interface Interior {
  readonly rows: readonly Row[];
  readonly rowPrices: readonly number[];
  /** Of each venue: the sum over the rows that it is in. */
  readonly prices: Float64Array;
  readonly amounts: Float64Array;
  readonly budget: number;
}

/** Snapped amounts where they hold the limits and gain no less; the interior ones otherwise. */
export function snap(envelopes: readonly Envelope[], interior: Interior): Float64Array {
  const { rows, rowPrices, amounts, budget } = interior;
  for (const row of rows) shrink(envelopes, row, amounts);
  const leeway = ROUNDING * budget;
  const gained = total(envelopes, amounts);
  for (const choose of [worthiestEnd, nearestEnd]) {
    const x = Float64Array.from(amounts);
    const free: number[] = [];
    envelopes.forEach((envelope, i) => {
      const here = amounts[i] as number;
      const ends = envelope.ends().filter((end) => Math.abs(end - here) <= NEAR * budget);
      if (ends.length === 0) free.push(i);
      else x[i] = choose(ends, { envelope, here, price: interior.prices[i] as number });
    });
    const steepest = Math.max(...rowPrices);
    const binding = rows.flatMap((row, r) =>
      row.cap - sum(row, amounts) <= NEAR * budget && (rowPrices[r] as number) > 1e-9 * steepest ? [r] : [],
    );
    const state = { rows, x, free, binding, budget, steepest };
    for (let step = 0; step < NEWTON_STEPS; step++) newtonStep(envelopes, state, "optimum");
    newtonStep(envelopes, state, "limits");
    const held = rows.every((row) => sum(row, x) <= row.cap + leeway);
    const within = envelopes.every(({ domain }, i) => (x[i] as number) >= domain.from && (x[i] as number) <= domain.to);
    if (held && within && total(envelopes, x) >= gained) return x;
  }
  return amounts;
}

/** Takes what rounding put above a limit from its members, in proportion to what they hold above their least. */
function shrink(envelopes: readonly Envelope[], row: Row, amounts: Float64Array): void {
  const excess = sum(row, amounts) - row.cap;
  if (!(excess > 0)) return;
  const least = row.members.reduce((held, i) => held + (envelopes[i] as Envelope).domain.from, 0);
  const share = Math.min(1, excess / Math.max(sum(row, amounts) - least, Number.MIN_VALUE));
  for (const i of row.members) {
    const { from } = (envelopes[i] as Envelope).domain;
    amounts[i] = (amounts[i] as number) - share * ((amounts[i] as number) - from);
  }
}

interface EndContext {
  readonly envelope: Envelope;
  readonly here: number;
  readonly price: number;
}

/** Of ends so close together that the interior point could mean any: the one worth most at the price. */
function worthiestEnd(ends: readonly number[], { envelope, price }: EndContext): number {
  const worth = (end: number): number => envelope.at(end).value - price * end;
  return ends.reduce((best, end) => (worth(end) > worth(best) ? end : best));
}

function nearestEnd(ends: readonly number[], { here }: EndContext): number {
  return ends.reduce((best, end) => (Math.abs(end - here) < Math.abs(best - here) ? end : best));
}

interface NewtonState {
  readonly rows: readonly Row[];
  readonly x: Float64Array;
  readonly free: readonly number[];
  readonly binding: readonly number[];
  readonly budget: number;
  readonly steepest: number;
}

/** Towards the optimum, or by the least change onto the limits (where slopes would only add their rounding). */
function newtonStep(
  envelopes: readonly Envelope[],
  { rows, x, free, binding, budget, steepest }: NewtonState,
  aim: "optimum" | "limits",
): void {
  const m = binding.length;
  const system = new Float64Array(m * m);
  const right = new Float64Array(m);
  // A straight line has no curvature: a trace of it shares out what several lines could take equally well.
  const trace = (1e-5 * Math.max(steepest, Number.MIN_VALUE)) / budget;
  const local = free.map((i) => (envelopes[i] as Envelope).at(x[i] as number));
  const slopes = local.map(({ slope }) => (aim === "optimum" ? slope : 0));
  const bends = local.map(({ curvature }) => trace + Math.max(0, -curvature));
  binding.forEach((r, a) => {
    const row = rows[r] as Row;
    right[a] = sum(row, x) - row.cap;
    free.forEach((i, k) => {
      if (!row.members.includes(i)) return;
      right[a] = (right[a] as number) + (slopes[k] as number) / (bends[k] as number);
      binding.forEach((q, b) => {
        if ((rows[q] as Row).members.includes(i)) {
          system[a * m + b] = (system[a * m + b] as number) + 1 / (bends[k] as number);
        }
      });
    });
  });
  const prices = solveSymmetric(system, right);
  free.forEach((i, k) => {
    let asked = 0;
    binding.forEach((r, a) => {
      if ((rows[r] as Row).members.includes(i)) asked += prices[a] as number;
    });
    x[i] = (x[i] as number) + ((slopes[k] as number) - asked) / (bends[k] as number);
  });
}

function sum(row: Row, amounts: Float64Array): number {
  let held = 0;
  for (const i of row.members) held += amounts[i] as number;
  return held;
}

function total(envelopes: readonly Envelope[], amounts: Float64Array): number {
  return envelopes.reduce((gained, envelope, i) => gained + envelope.at(amounts[i] as number).value, 0);
}
