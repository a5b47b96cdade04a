// Aave V3 rates to the last digit, with the protocol's own roundings (WadRayMath, PercentageMath: half up), and the rate
// model of a reserve. Source: aave-v3-core, DefaultReserveInterestRateStrategy.sol (3.0) and
// DefaultReserveInterestRateStrategyV2.sol (3.1 and later).
import type { VenueState } from "../chain/snapshot";
import { ratio, wholeUnits } from "./exact";
import type { AaveModel } from "./rateModel";

export type AaveV3State = Extract<VenueState, { kind: "aave-v3" }>;

export const RAY = 10n ** 27n;
const HALF_RAY = RAY / 2n;
const WAD_TO_RAY = 10n ** 9n;
const PERCENTAGE_FACTOR = 10_000n;

/** Rounds half up. */
export const rayMul = (a: bigint, b: bigint): bigint => (a * b + HALF_RAY) / RAY;
const rayDiv = (a: bigint, b: bigint): bigint => (a * RAY + b / 2n) / b;
const percentMul = (value: bigint, bps: bigint): bigint => (value * bps + PERCENTAGE_FACTOR / 2n) / PERCENTAGE_FACTOR;

/** Amounts and curve of a reserve, amounts in the asset's unit, rates RAY a year. */
export type AaveReserve = Pick<
  AaveV3State,
  "cash" | "borrowed" | "baseRate" | "slope1" | "slope2" | "optimalUsage" | "reserveFactorBps"
>;

/**
 * `averaged` (3.0): the supply side earns the debt-weighted mean of stable and variable rate, which rounds twice even
 * when all debt is variable. `direct` (3.1 and later, without stable debt): it earns the variable rate itself. They
 * differ by at most half of 1e18 / debt in the asset's unit, in RAY.
 */
export type AaveGeneration = "averaged" | "direct";

export interface AaveRates {
  /** RAY. */
  readonly usage: bigint;
  /** RAY a year. */
  readonly variableBorrowRate: bigint;
  /** RAY a year. */
  readonly liquidityRate: bigint;
}

/** The rates that the reserve's strategy computes for this cash and debt. Without debt: the base rate, and nothing. */
export function aaveRates(reserve: AaveReserve, generation: AaveGeneration = "direct"): AaveRates {
  const { borrowed, baseRate, slope1, slope2, optimalUsage } = reserve;
  if (borrowed === 0n) return { usage: 0n, variableBorrowRate: baseRate, liquidityRate: 0n };
  const usage = rayDiv(borrowed, reserve.cash + borrowed);
  const variableBorrowRate =
    usage > optimalUsage
      ? baseRate + slope1 + rayMul(slope2, rayDiv(usage - optimalUsage, RAY - optimalUsage))
      : baseRate + rayDiv(rayMul(slope1, usage), optimalUsage);
  const weight = borrowed * WAD_TO_RAY;
  const earned = generation === "averaged" ? rayDiv(rayMul(weight, variableBorrowRate), weight) : variableBorrowRate;
  const liquidityRate = percentMul(rayMul(earned, usage), PERCENTAGE_FACTOR - reserve.reserveFactorBps);
  return { usage, variableBorrowRate, liquidityRate };
}

/**
 * The same reserve without `ours`: less cash, and where the cash would not suffice (our money funds borrowers) none.
 */
export function aaveWithout(reserve: AaveReserve, ours: bigint): AaveReserve {
  return { ...reserve, cash: reserve.cash > ours ? reserve.cash - ours : 0n };
}

/** The reserve's rate model without our position, amounts in whole units of the asset. */
export function aaveModel(reserve: AaveReserve, ours: bigint, decimals: number): AaveModel {
  return {
    kind: "aave",
    supplied: wholeUnits(reserve.cash + reserve.borrowed - ours, decimals),
    borrowed: wholeUnits(reserve.borrowed, decimals),
    base: ratio(reserve.baseRate, RAY),
    slope1: ratio(reserve.slope1, RAY),
    slope2: ratio(reserve.slope2, RAY),
    kink: ratio(reserve.optimalUsage, RAY),
    reserveFactor: ratio(reserve.reserveFactorBps, PERCENTAGE_FACTOR),
  };
}
