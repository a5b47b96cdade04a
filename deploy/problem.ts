// What a probe finds wrong with a venue.
import { getAddress, isAddress } from "ethers";

export interface Problem {
  /** Follows the venue's address: "is no Comet". */
  readonly what: string;
  /** Which of the venue's parameters it is about; the venue's own address where there is none. */
  readonly part?: string;
  /** What to do, where it is not to correct the venue's address. */
  readonly remedy?: string;
}

/** False of anything that is no address. */
export function sameAddress(a: unknown, b: string): boolean {
  return typeof a === "string" && isAddress(a) && isAddress(b) && getAddress(a) === getAddress(b);
}
