// What a bundle offers for its target block.

/** A full block raises the base fee by an eighth (EIP-1559). */
const MAX_RISE_NUMERATOR = 1125n;
const MAX_RISE_DENOMINATOR = 1000n;

export interface FeeLimits {
  /** Wei. */
  readonly maxFeePerGas: bigint;
  /** Wei. */
  readonly maxPriorityFeePerGas: bigint;
}

export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Highest base fee that a block `blocks` after one with `baseFeePerGas` can have, wei. */
export function highestBaseFee(baseFeePerGas: bigint, blocks: number): bigint {
  let fee = baseFeePerGas;
  for (let i = 0; i < blocks; i++) fee = (fee * MAX_RISE_NUMERATOR) / MAX_RISE_DENOMINATOR + 1n;
  return fee;
}

/**
 * Fees with which a transaction is valid in the next block however full this one was, as far as the ceiling allows.
 * @returns null when even an empty block would leave the base fee above the ceiling.
 */
export function feesFor(baseFeePerGas: bigint, limits: FeeLimits): Fees | null {
  const lowest = baseFeePerGas - baseFeePerGas / 8n;
  if (lowest > limits.maxFeePerGas) return null;
  const wanted = highestBaseFee(baseFeePerGas, 1) + limits.maxPriorityFeePerGas;
  const maxFeePerGas = wanted < limits.maxFeePerGas ? wanted : limits.maxFeePerGas;
  const maxPriorityFeePerGas = limits.maxPriorityFeePerGas < maxFeePerGas ? limits.maxPriorityFeePerGas : maxFeePerGas;
  return { maxFeePerGas, maxPriorityFeePerGas };
}
