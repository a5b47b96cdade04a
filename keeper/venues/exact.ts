// From exact integers to doubles, rounded once.

/** Bits of a quotient that are computed: a double's 53, and enough below for the rounding. */
const QUOTIENT_BITS = 66;

/**
 * The double nearest to numerator / denominator. Converting both first would round three times, and numerators beyond
 * 2^53 are the rule here.
 */
export function ratio(numerator: bigint, denominator: bigint): number {
  if (numerator < 0n) return -ratio(-numerator, denominator);
  const shift = Math.max(0, QUOTIENT_BITS + bits(denominator) - bits(numerator));
  const shifted = numerator << BigInt(shift);
  const quotient = shifted / denominator;
  // What was cut off lies below the last bit: setting that keeps a tie from being rounded the wrong way.
  const sticky = shifted % denominator === 0n ? quotient : quotient | 1n;
  return Number(sticky) / 2 ** shift;
}

/** An amount in the asset's unit as a number of whole units. */
export function wholeUnits(amount: bigint, decimals: number): number {
  return ratio(amount, 10n ** BigInt(decimals));
}

function bits(value: bigint): number {
  return value.toString(2).length;
}
