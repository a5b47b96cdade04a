// How much the tail is disliked, by what the vault has been through: more after a fall, more while returns swing.
import { InputFailure } from "../config/failure";

export interface RiskTolerance {
  /** Kappa in quiet times. */
  readonly kappa: number;
  /** Volatility of returns in quiet times, a year. Above 0. */
  readonly usualVolatility: number;
  /** Fall from the highest share price at which kappa has doubled, 0 to 1. Above 0. */
  readonly drawdownToDouble: number;
  /** Kappa is never above so many times that of quiet times, nor below its inverse. At least 1. */
  readonly most: number;
}

/** What of a tolerance is the operator's to set beside kappa. */
export type ToleranceSettings = Omit<RiskTolerance, "kappa">;

/**
 * Kappa of the tail: kappa · (volatility / usual) · (1 + drawdown / drawdownToDouble), within a factor of `most`.
 * @param realised Volatility a year and drawdown (0 to 1) so far, from what was known at the time.
 */
export function kappaOf(
  tolerance: RiskTolerance,
  realised: { readonly volatility: number; readonly drawdown: number },
): number {
  const { kappa, usualVolatility, drawdownToDouble, most } = tolerance;
  const above = (value: number, least: number, field: string): void => {
    if (value >= least && value < Number.POSITIVE_INFINITY) return;
    throw new InputFailure("ALLOCATION_NUMBER", `${value} is not a number at or above ${least}`, {
      field,
      remedy: "Correct it.",
    });
  };
  above(kappa, 0, "kappa");
  above(usualVolatility, Number.MIN_VALUE, "usualVolatility");
  above(drawdownToDouble, Number.MIN_VALUE, "drawdownToDouble");
  above(most, 1, "most");
  above(realised.volatility, 0, "volatility");
  above(realised.drawdown, 0, "drawdown");
  const factor = (realised.volatility / usualVolatility) * (1 + realised.drawdown / drawdownToDouble);
  return kappa * Math.min(most, Math.max(1 / most, factor));
}
