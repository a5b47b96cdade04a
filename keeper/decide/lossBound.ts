// What one plan may lose, as the operator and the vault have it.
import type { StrategyInput } from "./strategy";

const WAD = 10n ** 18n;
const BPS = 10_000n;

/** Rounding that a lending venue may keep on one move, in the asset's unit; the loss bound leaves room for it. */
export const DUST_PER_MOVE = 4n;

/** The stricter of the operator's bound and the vault's, in the asset's unit; never less than rounding comes to. */
export function maxLossOf({ snapshot, limits }: StrategyInput, base: bigint, moves: number): bigint {
  const lossBps = BigInt(Math.floor(limits.maxLossBps * 100));
  const own = (base * lossBps) / (BPS * 100n);
  const vaults = (base * snapshot.lossPerCall) / WAD;
  const bound = own < vaults ? own : vaults;
  const dust = DUST_PER_MOVE * BigInt(moves);
  return bound > dust ? bound : dust;
}
