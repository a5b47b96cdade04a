// Whether one forecast is better than another by more than luck, where errors of neighbouring hours are the same errors.
// Sources: Diebold and Mariano, "Comparing Predictive Accuracy" (1995); Newey and West, "A Simple, Positive Semi-Definite,
// Heteroskedasticity and Autocorrelation Consistent Covariance Matrix" (1987); Holm, "A simple sequentially rejective multiple
// test procedure" (1979).
import { normalCdf } from "../normal";

/** A deviation that is less of the mean is that of numbers which are all the same. */
const ROUNDING = 1e-12;

/**
 * Mean of the differences over its standard error; null where there are too few, or all are the same but not zero.
 *
 * @param differences Loss of the one less loss of the other, in order of time.
 * @param lag Neighbours that errors are shared with: at least the horizon.
 */
export function dieboldMariano(differences: Float64Array, lag: number): number | null {
  const n = differences.length;
  if (n <= lag + 1) return null;
  let mean = 0;
  for (const difference of differences) mean += difference / n;
  const centred = differences.map((difference) => difference - mean);
  let variance = 0;
  for (let k = 0; k <= lag; k += 1) {
    let covariance = 0;
    for (let i = k; i < n; i += 1) covariance += (centred[i] as number) * (centred[i - k] as number);
    variance += (k === 0 ? 1 : 2 * (1 - k / (lag + 1))) * (covariance / n);
  }
  if (Math.sqrt(Math.max(0, variance)) > ROUNDING * Math.abs(mean)) return mean / Math.sqrt(variance / n);
  return mean === 0 ? 0 : null;
}

/** Probability of a statistic as far from zero by luck. */
export function twoSided(t: number): number {
  return 2 * normalCdf(-Math.abs(t));
}

/** Probabilities for as many tests as there are; null is not a test. */
export function holm(probabilities: readonly (number | null)[]): (number | null)[] {
  const tests = probabilities.flatMap((p, k) => (p === null ? [] : [{ p, k }])).sort((a, b) => a.p - b.p);
  const corrected: (number | null)[] = probabilities.map(() => null);
  let last = 0;
  tests.forEach(({ p, k }, rank) => {
    last = Math.max(last, Math.min(1, p * (tests.length - rank)));
    corrected[k] = last;
  });
  return corrected;
}
