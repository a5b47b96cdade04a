// What the same calls cost in a leading vault of this kind: adapters of its own to ERC-4626 vaults, but no bound on
// loss, no budgets, no breaker. Measured once in the set-up of measure.ts; and what this vault aims at.
import type { Venues } from "./measure";

export const MARKS: Readonly<Record<string, Readonly<Partial<Record<Venues, number>>>>> = {
  "deposit, existing holder, to idle": { 1: 98_099, 3: 141_523, 5: 184_947 },
  "first deposit": { 1: 115_199, 3: 158_623, 5: 202_047 },
  "withdraw from idle": { 1: 93_946, 3: 137_370, 5: 180_794 },
  "withdraw through one venue": { 1: 139_467, 3: 182_891, 5: 226_316 },
  "rebalance of two legs": { 1: 149_514, 3: 202_916, 5: 246_340 },
  "share transfer": { 1: 39_394, 3: 39_394, 5: 39_394 },
};

/** Most that a deposit may cost more for each further venue. */
export const SLOPE_AIM = 17_000;

/** Most of the mark that a plan of two legs may cost at N = 5. */
export const TWO_LEGS_AIM = 0.7;
