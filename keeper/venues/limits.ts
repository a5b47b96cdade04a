// What a venue takes and pays now, and why not more: for decisions and for people.
import type { AdapterSnapshot } from "../chain/snapshot";

export type VenueRestriction =
  "unreadable" | "quarantined" | "inactive" | "frozen" | "paused" | "at its supply cap" | "short of cash";

export interface VenueLimits {
  /** Asset's unit. Zero when a deposit is out of the question. */
  readonly maxDeposit: bigint;
  /** Asset's unit, our position and the venue's cash considered. */
  readonly maxWithdraw: bigint;
  readonly restrictions: readonly VenueRestriction[];
}

/** The adapter's own limits, tightened by what the vault refuses besides: no deposit into a quarantined adapter. */
export function limitsOf(adapter: AdapterSnapshot): VenueLimits {
  if (!adapter.readable || adapter.state === null) {
    return { maxDeposit: 0n, maxWithdraw: adapter.maxWithdraw, restrictions: ["unreadable"] };
  }
  const restrictions = restrictionsOf(adapter);
  return {
    maxDeposit: adapter.quarantined ? 0n : adapter.maxDeposit,
    maxWithdraw: adapter.maxWithdraw,
    restrictions,
  };
}

function restrictionsOf(adapter: AdapterSnapshot): VenueRestriction[] {
  const { state } = adapter;
  const found: VenueRestriction[] = [];
  if (adapter.quarantined) found.push("quarantined");
  if (state?.kind === "aave-v3") {
    if (!state.active) found.push("inactive");
    if (state.frozen) found.push("frozen");
    if (state.paused) found.push("paused");
    if (state.supplyCap > 0n && state.aTokenSupply >= state.supplyCap) found.push("at its supply cap");
  }
  if (state?.kind === "compound-v3" && (state.supplyPaused || state.withdrawPaused)) found.push("paused");
  if (adapter.maxWithdraw < adapter.fairValue) found.push("short of cash");
  return found;
}
