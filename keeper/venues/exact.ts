// From exact integers to doubles, rounded once.

const SCALE = 10n ** 30n;
const EXACT = 2n ** 53n;

/**
 * numerator / denominator as a double, within 1e-15 relative for quotients above 1e-15: converting both to doubles
 * first would round three times, and numerators beyond 2^53 are the rule here.
 */
export function ratio(numerator: bigint, denominator: bigint): number {
  const quotient = numerator / denominator;
  if (quotient > EXACT || quotient < -EXACT) return Number(quotient);
  return Number((numerator * SCALE) / denominator) / Number(SCALE);
}

/** An amount in the asset's unit as a number of whole units. */
export function wholeUnits(amount: bigint, decimals: number): number {
  return ratio(amount, 10n ** BigInt(decimals));
}
