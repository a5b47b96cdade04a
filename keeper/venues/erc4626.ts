// ERC-4626 savings: the yield is the growth of the index (assets a share), and nothing else; no rate that a vault
// advertises is believed.
import { ratio } from "./exact";

const SECONDS_PER_YEAR = 31_536_000;

export interface IndexSample {
  /** Unix seconds. */
  readonly at: number;
  /** Any scale, the same in both samples. */
  readonly index: bigint;
}

/**
 * Simple rate a year between two samples; negative after a loss. Null where no time passed or there was no index.
 */
export function growthApr(before: IndexSample, after: IndexSample): number | null {
  const seconds = after.at - before.at;
  if (seconds <= 0 || before.index <= 0n) return null;
  return (ratio(after.index - before.index, before.index) * SECONDS_PER_YEAR) / seconds;
}
