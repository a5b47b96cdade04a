// The shapes of the rate models that the allocator, the forecasts, the decision and the backtest share. Amounts in
// whole units of the asset (USD for a stablecoin), rates as fractions a year, utilisation and kink in [0, 1].

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

export type RateModel = AaveModel | KinkedSupplyModel | FixedModel;
