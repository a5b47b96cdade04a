// Sky's savings: the protocol mints the interest, by a rate a second that governance sets and that nobody's money moves.
// The rate in force is taken, not the growth of the index, which is the same number late: it needs two samples, and after
// a change of the rate it is a mean of the old and the new. The contract whose code mints by this rate is the one that is
// asked for it, so that here, unlike for other ERC-4626 vaults, it is no promise.
import type { VenueState } from "../chain/snapshot";
import { ratio } from "./exact";
import type { FixedModel } from "./rateModel";

export type SkySavingsState = Extract<VenueState, { kind: "sky-savings" }>;

const RAY = 10n ** 27n;
const WAD_PER_BPS = 10n ** 14n;
const SECONDS_PER_YEAR = 31_536_000n;

/** Simple rate a year, as all rates here: 4.5 % a year compounded by the second is 4.4017 %. */
export function skyApr({ ratePerSecond }: Pick<SkySavingsState, "ratePerSecond">): number {
  return ratio((ratePerSecond - RAY) * SECONDS_PER_YEAR, RAY);
}

export function skyModel(state: Pick<SkySavingsState, "ratePerSecond">): FixedModel {
  return { kind: "fixed", apr: skyApr(state) };
}

/**
 * What entering and leaving again costs, basis points of the amount. All of it is borne on entering, since a position is
 * valued net of the fee on leaving.
 */
export function skyCostBps({ tin, tout }: Pick<SkySavingsState, "tin" | "tout">): number {
  return ratio(tin + tout, WAD_PER_BPS);
}
