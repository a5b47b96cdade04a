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
  readonly amounts: Float64Array;
  readonly budget: number;
}

/** The snapped amounts where they hold the limits and gain no less; the interior ones otherwise. */
export function snap(envelopes: readonly Envelope[], interior: Interior): Float64Array {
  const { rows, rowPrices, amounts, budget } = interior;
  const near = NEAR * budget;
  const x = Float64Array.from(amounts);
  const free: number[] = [];
  envelopes.forEach((envelope, i) => {
    const end = nearestEnd(envelope, x[i] as number);
    if (Math.abs(end - (x[i] as number)) <= near) x[i] = end;
    else free.push(i);
  });
  const steepest = Math.max(...rowPrices);
  const binding = rows
    .map((_, r) => r)
    .filter((r) => {
      const row = rows[r] as Row;
      return row.cap - sum(row, amounts) <= near && (rowPrices[r] as number) > 1e-9 * steepest;
    });
  const state = { rows, x, free, binding, budget, steepest };
  for (let step = 0; step < NEWTON_STEPS; step++) newtonStep(envelopes, state, "optimum");
  newtonStep(envelopes, state, "limits");
  const leeway = ROUNDING * budget;
  const held = rows.every((row) => sum(row, x) <= row.cap + leeway);
  const within = envelopes.every(({ domain }, i) => (x[i] as number) >= domain.from && (x[i] as number) <= domain.to);
  return held && within && total(envelopes, x) >= total(envelopes, amounts) ? x : amounts;
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

function nearestEnd(envelope: Envelope, x: number): number {
  let best = envelope.domain.from;
  for (const end of envelope.ends()) if (Math.abs(end - x) < Math.abs(best - x)) best = end;
  return best;
}

function sum(row: Row, amounts: Float64Array): number {
  let held = 0;
  for (const i of row.members) held += amounts[i] as number;
  return held;
}

function total(envelopes: readonly Envelope[], amounts: Float64Array): number {
  return envelopes.reduce((gained, envelope, i) => gained + envelope.at(amounts[i] as number).value, 0);
}
