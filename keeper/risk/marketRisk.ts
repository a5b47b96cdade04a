// Value at risk and its conditional mean, of a series of returns: as history has it, and by the Cornish–Fisher expansion of
// the normal quantile in skewness and excess kurtosis (Cornish and Fisher 1938; the mean beyond the quantile in closed form,
// by the integrals of Hermite polynomials). The expansion is a quantile only where it rises everywhere: its domain is
// checked (Maillard 2012), and outside of it the historical figure stands in its place and says so.
//
// Of a book that only lends these are next to meaningless: its returns are almost never negative, so all are below zero.
// They are shown because they are asked for, and they speak where a pool of coins is held.

/** Levels with the normal quantile of each. */
const QUANTILE = { 0.95: 1.6448536269514722, 0.99: 2.3263478740408408 } as const;

export type RiskLevel = keyof typeof QUANTILE;
export const RISK_LEVELS = [0.95, 0.99] as const satisfies readonly RiskLevel[];

export interface Tail {
  /** Loss that is not exceeded with the level's probability, as a fraction of the position; below zero: a gain. */
  readonly var: number;
  /** Mean loss in the worst cases, of probability 1 − level. */
  readonly cvar: number;
}

export interface Moments {
  readonly mean: number;
  /** Of the population, as skewness and excess kurtosis are. */
  readonly deviation: number;
  readonly skewness: number;
  readonly excessKurtosis: number;
}

export interface MarketRisk {
  readonly returns: number;
  readonly moments: Moments;
  readonly tails: readonly {
    readonly level: RiskLevel;
    /** Null: too few returns for one of them to lie in the tail. */
    readonly historical: Tail | null;
    readonly cornishFisher: (Tail & { readonly by: "expansion" | "history" }) | null;
  }[];
}

/** @param returns Of equal periods, as fractions; in any order. */
export function marketRisk(returns: readonly number[]): MarketRisk {
  const moments = momentsOf(returns);
  const rising = isMonotone(moments.skewness, moments.excessKurtosis);
  return {
    returns: returns.length,
    moments,
    tails: RISK_LEVELS.map((level) => {
      const historical = historicalTail(returns, level);
      if (historical === null) return { level, historical: null, cornishFisher: null };
      const cornishFisher = rising
        ? { ...cornishFisherTail(moments, level), by: "expansion" as const }
        : { ...historical, by: "history" as const };
      return { level, historical, cornishFisher };
    }),
  };
}

/**
 * VaR is the least loss at which the empirical distribution reaches the level (NumPy's `inverted_cdf`), CVaR the minimum of
 * a + E[(loss − a)⁺] / (1 − level) (Rockafellar and Uryasev 2000), which for samples splits the atom at the quantile.
 * @returns null where less than one sample lies beyond the quantile.
 */
export function historicalTail(returns: readonly number[], level: RiskLevel): Tail | null {
  const beyond = (1 - level) * returns.length;
  // 20 · (1 − 0.95) is one, however it is rounded.
  if (beyond < 1 - 1e-9) return null;
  const losses = Float64Array.from(returns, (value) => -value).sort();
  const place = Math.ceil(level * losses.length - 1e-9) - 1;
  const quantile = losses[place] ?? NaN;
  let over = 0;
  for (let k = place + 1; k < losses.length; k += 1) over += (losses[k] ?? 0) - quantile;
  return { var: quantile, cvar: quantile + over / beyond };
}

export function momentsOf(returns: readonly number[]): Moments {
  const n = returns.length;
  if (n === 0) return { mean: 0, deviation: 0, skewness: 0, excessKurtosis: 0 };
  const mean = returns.reduce((sum, value) => sum + value, 0) / n;
  let [second, third, fourth] = [0, 0, 0];
  for (const value of returns) {
    const off = value - mean;
    second += off ** 2;
    third += off ** 3;
    fourth += off ** 4;
  }
  const variance = second / n;
  // What differs by rounding only has no shape.
  if (variance <= (1e-12 * mean) ** 2) return { mean, deviation: 0, skewness: 0, excessKurtosis: 0 };
  return {
    mean,
    deviation: Math.sqrt(variance),
    skewness: third / n / variance ** 1.5,
    excessKurtosis: fourth / n / variance ** 2 - 3,
  };
}

/**
 * Whether z + (z² − 1)·S/6 + (z³ − 3z)·K/24 − (2z³ − 5z)·S²/36 rises for every z: its derivative, a quadratic in z, must
 * have no sign but plus.
 */
export function isMonotone(skewness: number, excessKurtosis: number): boolean {
  const [s, k] = [skewness, excessKurtosis];
  const square = k / 8 - s ** 2 / 6;
  const constant = 1 - k / 8 + (5 * s ** 2) / 36;
  if (square <= 0) return square === 0 && s === 0 && constant >= 0;
  return (s / 3) ** 2 - 4 * square * constant <= 0;
}

/** Meaningful where {@link isMonotone}. */
export function cornishFisherTail({ mean, deviation, skewness, excessKurtosis }: Moments, level: RiskLevel): Tail {
  const [s, k] = [skewness, excessKurtosis];
  const z = -QUANTILE[level];
  const bent = z + ((z ** 2 - 1) * s) / 6 + ((z ** 3 - 3 * z) * k) / 24 - ((2 * z ** 3 - 5 * z) * s ** 2) / 36;
  const density = Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI);
  const shape = 1 + (z * s) / 6 + ((z ** 2 - 1) * k) / 24 - ((2 * z ** 2 - 1) * s ** 2) / 36;
  return { var: -(mean + deviation * bent), cvar: -mean + (deviation * density * shape) / (1 - level) };
}
