import { getAddress, isAddress } from "ethers";

/** False of anything that is no address. */
export function sameAddress(a: unknown, b: string): boolean {
  return typeof a === "string" && isAddress(a) && isAddress(b) && getAddress(a) === getAddress(b);
}
