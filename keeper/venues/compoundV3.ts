// Compound V3 (Comet) rates to the last digit, with the protocol's own roundings (down), and the rate model of a market.
// Source: compound-finance/comet, Comet.sol: getUtilization, getSupplyRate, getBorrowRate,
// accruedInterestIndices, mulFactor.
import type { VenueState } from "../chain/snapshot";
import { ratio, wholeUnits } from "./exact";
import type { KinkedSupplyModel } from "./rateModel";

export type CompoundV3State = Extract<VenueState, { kind: "compound-v3" }>;

/** Comet's FACTOR_SCALE, and ours. */
export const WAD = 10n ** 18n;

/** Comet's own year: 365 days. */
export const SECONDS_PER_YEAR = 31_536_000n;

export type CometMarket = Pick<
  CompoundV3State,
  | "supplied"
  | "borrowed"
  | "supplyKink"
  | "supplyBasePerSecond"
  | "supplySlopeLowPerSecond"
  | "supplySlopeHighPerSecond"
>;

const mulFactor = (value: bigint, factor: bigint): bigint => (value * factor) / WAD;

/** Share of the supply that is lent out, WAD; above 1 where reserves fund borrowers. */
export function cometUtilization(market: Pick<CometMarket, "supplied" | "borrowed">): bigint {
  return market.supplied <= 0n ? 0n : (market.borrowed * WAD) / market.supplied;
}

/** One of Comet's two curves over utilisation, WAD a second. */
export interface CometCurve {
  readonly kink: bigint;
  readonly base: bigint;
  readonly slopeLow: bigint;
  readonly slopeHigh: bigint;
}

/** The curve's rate at a utilisation, WAD a second: as `getSupplyRate` and `getBorrowRate`. */
export function cometRate({ kink, base, slopeLow, slopeHigh }: CometCurve, utilization: bigint): bigint {
  if (utilization <= kink) return base + mulFactor(slopeLow, utilization);
  return base + mulFactor(slopeLow, kink) + mulFactor(slopeHigh, utilization - kink);
}

/** What suppliers earn at a utilisation, WAD a second. */
export function cometSupplyRate(market: CometMarket, utilization: bigint): bigint {
  const { supplyKink: kink, supplyBasePerSecond: base } = market;
  const { supplySlopeLowPerSecond: slopeLow, supplySlopeHighPerSecond: slopeHigh } = market;
  return cometRate({ kink, base, slopeLow, slopeHigh }, utilization);
}

/** An index `seconds` after it was stored: Comet's `accruedInterestIndices`. */
export function cometAccrued(index: bigint, ratePerSecond: bigint, seconds: bigint): bigint {
  return index + mulFactor(index, ratePerSecond * seconds);
}

/** Fraction a year of a rate of Comet's. */
export function cometApr(ratePerSecond: bigint): number {
  return ratio(ratePerSecond * SECONDS_PER_YEAR, WAD);
}

/** The market's rate model without our position, amounts in whole units of the asset, rates a year. */
export function cometModel(market: CometMarket, ours: bigint, decimals: number): KinkedSupplyModel {
  return {
    kind: "kinked-supply",
    supplied: wholeUnits(market.supplied - ours, decimals),
    borrowed: wholeUnits(market.borrowed, decimals),
    base: cometApr(market.supplyBasePerSecond),
    slopeLow: cometApr(market.supplySlopeLowPerSecond),
    slopeHigh: cometApr(market.supplySlopeHighPerSecond),
    kink: ratio(market.supplyKink, WAD),
  };
}
