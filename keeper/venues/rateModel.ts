// The rate models that the allocator, the forecasts, the decision and the backtest share: what a venue pays after our
// own deposit x. Amounts in whole units of the asset (USD for a stablecoin), rates as fractions a year, utilisation and
// kink in [0, 1]. Pure maths: it knows no chain, and holds the debt fixed while our deposit changes.
import type { LiquidityModel } from "./liquidity";

/** Aave V3: borrow rate piecewise linear in utilisation U = borrowed / (supplied + x); supply = borrow · U · (1 − reserveFactor). */
export interface AaveModel {
  readonly kind: "aave";
  /** Cash plus debt, without our position. */
  readonly supplied: number;
  readonly borrowed: number;
  readonly base: number;
  readonly slope1: number;
  /** Added over the whole stretch from kink to U = 1. */
  readonly slope2: number;
  readonly kink: number;
  readonly reserveFactor: number;
}

/** Compound V3: the supply rate is a kinked line in utilisation itself. */
export interface KinkedSupplyModel {
  readonly kind: "kinked-supply";
  readonly supplied: number;
  readonly borrowed: number;
  readonly base: number;
  /** Per unit of utilisation, a year. */
  readonly slopeLow: number;
  readonly slopeHigh: number;
  readonly kink: number;
}

/** A savings rate that our size does not move. */
export interface FixedModel {
  readonly kind: "fixed";
  readonly apr: number;
}

export type RateModel = AaveModel | KinkedSupplyModel | FixedModel | LiquidityModel;

/** Models of a pool whose rate follows its utilisation. */
export type PoolModel = AaveModel | KinkedSupplyModel;

/**
 * On one stretch of utilisation every model's income is x · (constant + u · (linear + quadratic · u)) with
 * u = borrowed / (supplied + x): the one form that the allocator solves in closed form.
 */
export interface RateCoefficients {
  readonly constant: number;
  readonly linear: number;
  readonly quadratic: number;
}

/**
 * Share of the pool that is lent out once we hold x, in [0, 1]. Above 1 (more debt than supply: part of our money could
 * not leave) it counts as 1, and an empty pool as 0.
 */
export function utilisation(model: PoolModel, x: number): number {
  if (model.borrowed <= 0) return 0;
  const pool = model.supplied + x;
  return model.borrowed >= pool ? 1 : model.borrowed / pool;
}

/** Coefficients of the supply rate on the stretch below (or at) the kink, or above it. */
export function rateCoefficients(model: PoolModel, side: "below" | "above"): RateCoefficients {
  if (model.kind === "kinked-supply") {
    if (side === "below") return { constant: model.base, linear: model.slopeLow, quadratic: 0 };
    return {
      constant: model.base + (model.slopeLow - model.slopeHigh) * model.kink,
      linear: model.slopeHigh,
      quadratic: 0,
    };
  }
  const kept = 1 - model.reserveFactor;
  if (side === "below") {
    // A kink at 0 leaves no stretch below it; only u = 0 is there, where the borrow rate is the base.
    const slope = model.kink > 0 ? model.slope1 / model.kink : 0;
    return { constant: 0, linear: kept * model.base, quadratic: kept * slope };
  }
  const slope = model.kink < 1 ? model.slope2 / (1 - model.kink) : 0;
  return {
    constant: 0,
    linear: kept * (model.base + model.slope1 - slope * model.kink),
    quadratic: kept * slope,
  };
}

/** What a borrower pays at our deposit x, fraction a year. Compound's borrow curve is not part of its supply model. */
export function borrowApr(model: AaveModel, x: number): number {
  return borrowAprAt(model, utilisation(model, x));
}

/** What the venue pays on our deposit x, x included in the pool, fraction a year. */
export function supplyApr(model: RateModel, x: number): number {
  if (model.kind === "fixed") return model.apr;
  if (model.kind === "liquidity") return model.apr + (model.pool > 0 ? model.fees / (model.pool + x) : 0);
  return supplyAprAt(model, utilisation(model, x));
}

/** x · supplyApr(x), asset units a year. */
export function income(model: RateModel, x: number): number {
  return x * supplyApr(model, x);
}

/**
 * What one more unit would earn a year, our effect on the whole position included: the right derivative of `income`.
 * At a kink the left derivative differs; `segments` has both.
 */
export function marginalIncome(model: RateModel, x: number): number {
  if (model.kind === "fixed") return model.apr;
  if (model.kind === "liquidity") {
    const all = model.pool + x;
    return model.apr + (model.pool > 0 ? (model.fees / all) * (model.pool / all) : 0);
  }
  const pool = model.supplied + x;
  if (model.borrowed <= 0 || model.borrowed > pool) return supplyApr(model, x);
  const u = model.borrowed / pool;
  const ours = model.supplied / pool;
  const { constant, linear, quadratic } = rateCoefficients(model, u > model.kink ? "above" : "below");
  return constant + linear * u * ours + quadratic * u * u * (2 * ours - 1);
}

/**
 * The model whose supply APR at our position x0 is `apr`, by changing what is borrowed: turns a forecast of a rate into
 * a curve. Clamped to what the curve can pay (nothing borrowed … all lent out). A model whose rate does not depend on
 * utilisation, or an empty pool, comes back unchanged; a fixed model takes the APR; of a pool of traders the fees change,
 * and a rate below what it pays without any becomes its rate at every size.
 */
export function impliedModel(model: RateModel, apr: number, x0: number): RateModel {
  if (model.kind === "fixed") return { kind: "fixed", apr };
  if (model.kind === "liquidity") {
    const fees = (apr - model.apr) * (model.pool + x0);
    return model.pool <= 0 || fees < 0 ? { ...model, fees: 0, apr: Math.min(apr, 0) } : { ...model, fees };
  }
  const pool = model.supplied + x0;
  if (supplyApr(model, x0) === apr) return model;
  const most = supplyAprAt(model, 1);
  if (pool <= 0 || most <= supplyAprAt(model, 0)) return model;
  if (apr >= most) return { ...model, borrowed: pool };
  const atKink = supplyAprAt(model, model.kink);
  const u = utilisationAt(rateCoefficients(model, apr > atKink ? "above" : "below"), apr);
  return { ...model, borrowed: Math.min(1, Math.max(0, u)) * pool };
}

function borrowAprAt(model: AaveModel, u: number): number {
  if (u > model.kink) return model.base + model.slope1 + (model.slope2 * (u - model.kink)) / (1 - model.kink);
  return model.kink > 0 ? model.base + (model.slope1 * u) / model.kink : model.base;
}

function supplyAprAt(model: PoolModel, u: number): number {
  if (model.kind === "aave") return borrowAprAt(model, u) * u * (1 - model.reserveFactor);
  const below = model.base + model.slopeLow * Math.min(u, model.kink);
  return u > model.kink ? below + model.slopeHigh * (u - model.kink) : below;
}

/** The larger root of constant + linear·u + quadratic·u² = apr, in the form that does not cancel. */
function utilisationAt({ constant, linear, quadratic }: RateCoefficients, apr: number): number {
  const wanted = apr - constant;
  if (quadratic === 0) return linear === 0 ? 0 : wanted / linear;
  const root = Math.sqrt(Math.max(0, linear * linear + 4 * quadratic * wanted));
  if (root === 0) return 0;
  return linear >= 0 ? (2 * wanted) / (linear + root) : (root - linear) / (2 * quadratic);
}
