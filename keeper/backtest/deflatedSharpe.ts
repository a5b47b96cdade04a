// How much of a Sharpe ratio is left when one knows that it is the best of many that were tried (Bailey and López de Prado,
// "The Deflated Sharpe Ratio", 2014).
import { normalCdf, normalQuantile } from "./normal";

const EULER = 0.577_215_664_901_532_9;

export interface Moments {
  readonly count: number;
  readonly mean: number;
  /** Of a population: divided by the count. */
  readonly deviation: number;
  readonly skewness: number;
  /** 3 for a normal distribution. */
  readonly kurtosis: number;
}

/** @param values At least one; without deviation skewness counts as 0 and kurtosis as 3. */
export function momentsOf(values: ArrayLike<number>): Moments {
  const count = values.length;
  if (count === 0) throw new RangeError("there is nothing to take the moments of");
  let sum = 0;
  for (let t = 0; t < count; t++) sum += values[t] as number;
  const mean = sum / count;
  let [second, third, fourth] = [0, 0, 0];
  for (let t = 0; t < count; t++) {
    const off = (values[t] as number) - mean;
    second += off ** 2;
    third += off ** 3;
    fourth += off ** 4;
  }
  const variance = second / count;
  const deviation = Math.sqrt(variance);
  if (deviation === 0) return { count, mean, deviation, skewness: 0, kurtosis: 3 };
  return { count, mean, deviation, skewness: third / count / deviation ** 3, kurtosis: fourth / count / variance ** 2 };
}

/** The Sharpe ratio that the best of `trials` without any skill is expected to have, given the variance of the trials' ratios. */
export function expectedBestSharpe(trials: number, variance: number): number {
  if (trials <= 1) return 0;
  const best = (1 - EULER) * normalQuantile(1 - 1 / trials) + EULER * normalQuantile(1 - 1 / (trials * Math.E));
  return Math.sqrt(variance) * best;
}

/**
 * Probability that the true Sharpe ratio is above `benchmark`, all ratios of one step (not of a year).
 * @param sharpe mean / deviation of the steps.
 */
export function probabilisticSharpe(
  sharpe: number,
  benchmark: number,
  { count, skewness, kurtosis }: Pick<Moments, "count" | "skewness" | "kurtosis">,
): number {
  const spread = 1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe ** 2;
  // No sample has moments for which this is not above 0; numbers that were made up may.
  if (!(spread > 0) || count < 2) return Number.NaN;
  return normalCdf(((sharpe - benchmark) * Math.sqrt(count - 1)) / Math.sqrt(spread));
}

/**
 * The probability that the best of all trials has any skill.
 *
 * @param returns Of each step of the best one, in excess of what it is compared with.
 * @param sharpes Of one step, of all trials that were made, this one among them.
 */
export function deflatedSharpe(returns: ArrayLike<number>, sharpes: readonly number[]): number {
  const moments = momentsOf(returns);
  if (moments.deviation === 0) return Number.NaN;
  const trials = sharpes.length;
  // The trials are a sample of all that might have been tried.
  const variance = (momentsOf(sharpes).deviation ** 2 * trials) / (trials - 1);
  return probabilisticSharpe(moments.mean / moments.deviation, expectedBestSharpe(trials, variance), moments);
}
