// What the venues have in common whose providers share the fees of trades: the share falls as the position grows, fees come
// when somebody trades, and moving in and out is itself a trade.

/**
 * A position x beside others' `pool` earns fees · x / (pool + x) a year, and x · apr besides. Amounts in whole units of the
 * asset, rates as fractions a year. A pool without others shares nothing: nobody knows what it would earn.
 */
export interface LiquidityModel {
  readonly kind: "liquidity";
  readonly pool: number;
  /** What traders pay to all that provide, a year. */
  readonly fees: number;
  /** What a position earns whatever its size; below zero: what it loses to arbitrage. */
  readonly apr: number;
}

/** What moving an amount d costs, of d: costBps + impactBpsPerMillion · d / 1e6 basis points. */
export interface MoveCost {
  readonly costBps: number;
  readonly impactBpsPerMillion: number;
}

/** After so long a rate counts a third of what it did. */
const MEMORY_SECONDS = 86_400;

/**
 * The model that pays `apr` to the first unit beside `pool`.
 * @param lost What of a position arbitrage takes a year, as a fraction: the part that more of us does not dilute.
 */
export function liquidityModel(of: {
  readonly pool: number;
  readonly apr: number;
  readonly lost: number;
}): LiquidityModel {
  const { pool, apr, lost } = of;
  const gross = apr + lost;
  if (pool <= 0 || gross <= 0) return { kind: "liquidity", pool: Math.max(0, pool), fees: 0, apr: Math.min(apr, 0) };
  return { kind: "liquidity", pool, fees: gross * pool, apr: 0 - lost };
}

/**
 * Income of trades comes in lumps: most blocks have none, and one has all of a day's. So the rate that is said to be paid
 * now is the mean of the past, older parts weighted less: e^(−age / {@link MEMORY_SECONDS}). What was before the first
 * observation counts as nothing, so that one lucky block is not taken for a rate.
 *
 * @param previous Null at the first sight.
 * @param grown Rate over the time between, fraction a year.
 */
export function trailingApr(previous: number | null, grown: number, seconds: number): number {
  const kept = Math.exp(-seconds / MEMORY_SECONDS);
  return kept * (previous ?? 0) + (1 - kept) * grown;
}
