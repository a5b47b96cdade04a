// Where x · supplyApr(x) changes its shape: the stretches on which it is linear, concave or convex, exactly.
// Sources: Aave's and Compound's rate formulas; second derivative worked out by hand (below).
import { rateCoefficients, supplyApr, type PoolModel, type RateModel } from "./rateModel";

export type SegmentShape = "linear" | "concave" | "convex";

/** On [from, to] income is intercept + x · (constant + u · (linear + quadratic · u)), u = borrowed / (supplied + x). */
export interface IncomeSegment {
  readonly from: number;
  readonly to: number;
  readonly shape: SegmentShape;
  readonly intercept: number;
  readonly constant: number;
  readonly linear: number;
  readonly quadratic: number;
  readonly supplied: number;
  readonly borrowed: number;
}

/**
 * Segments of the income curve over our position x in [from, to], in order and without gaps. Income is continuous over
 * them. A pool above its kink has a convex kink (its rate falls steeply until our deposit brings it to the kink, then
 * gently), and Aave's curve turns convex far out, where our deposit is more than about twice the rest of the pool.
 */
export function segments(model: RateModel, from: number, to: number): IncomeSegment[] {
  if (model.kind === "fixed" || from === to) return [flat(supplyApr(model, from), from, to)];
  if (model.kind === "liquidity") {
    const { pool, fees, apr } = model;
    if (pool <= 0 || fees <= 0) return [flat(apr, from, to)];
    // The fees of a pool are to a position what its debt is to a lender: x · fees / (pool + x).
    const shared = { constant: apr, linear: 1, quadratic: 0, supplied: pool, borrowed: fees };
    return [{ from, to, shape: "concave", intercept: 0, ...shared }];
  }
  if (model.borrowed <= 0) return [flat(supplyApr(model, from), from, to)];
  const { supplied, borrowed, kink } = model;
  const out: IncomeSegment[] = [];
  let at = from;
  const full = Math.min(to, borrowed - supplied);
  if (full > at) {
    out.push(flat(supplyApr(model, at), at, full));
    at = full;
  }
  const crossing = kink > 0 ? Math.min(to, borrowed / kink - supplied) : to;
  if (crossing > at) {
    pushSide(out, model, { side: "above", from: at, to: crossing });
    at = crossing;
  }
  if (to > at) pushSide(out, model, { side: "below", from: at, to });
  return out;
}

/**
 * Whether income lies below its tangents for every position from 0 to `most`: a pool below its kink, where Aave's curve turns
 * convex only when we hold twice what the others do.
 */
export function isConcave(model: RateModel, most: number): boolean {
  if (model.kind === "fixed" || model.kind === "liquidity") return true;
  if (model.borrowed > model.kink * model.supplied) return false;
  return model.kind === "kinked-supply" || most <= 2 * model.supplied;
}

function flat(apr: number, from: number, to: number, intercept = 0): IncomeSegment {
  return { from, to, shape: "linear", intercept, constant: apr, linear: 0, quadratic: 0, supplied: 0, borrowed: 0 };
}

/**
 * With a = linear, b = quadratic, S = supplied, D = borrowed and z = S + x, income'' = (2D/z⁴) · ((bD − aS)·x − S(aS + 2bD)):
 * its sign is that of a line in x, so each stretch has at most one inflection.
 */
function pushSide(
  out: IncomeSegment[],
  model: PoolModel,
  { side, from, to }: { readonly side: "below" | "above"; readonly from: number; readonly to: number },
): void {
  const { supplied, borrowed } = model;
  const { constant, linear, quadratic } = rateCoefficients(model, side);
  if (quadratic === 0 && (linear === 0 || supplied === 0)) {
    // u · x is the constant D where nobody else supplies.
    out.push(flat(constant, from, to, linear * borrowed));
    return;
  }
  const rise = quadratic * borrowed - linear * supplied;
  const offset = supplied * (linear * supplied + 2 * quadratic * borrowed);
  const inflection = rise === 0 ? Number.POSITIVE_INFINITY : offset / rise;
  const cut = inflection > from && inflection < to ? inflection : to;
  for (let start = from, end = cut; ; start = cut, end = to) {
    const shape: SegmentShape = (rise * (start + end)) / 2 - offset > 0 ? "convex" : "concave";
    out.push({ from: start, to: end, shape, intercept: 0, constant, linear, quadratic, supplied, borrowed });
    if (end === to) return;
  }
}
