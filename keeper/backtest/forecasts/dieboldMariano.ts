// Whether one forecast is better than another by more than luck, where errors of neighbouring hours are the same errors.
// Sources: Diebold and Mariano, "Comparing Predictive Accuracy" (1995); Newey and West, "A Simple, Positive Semi-Definite,
// Heteroskedasticity and Autocorrelation Consistent Covariance Matrix" (1987); Holm, "A simple sequentially rejective multiple
// test procedure" (1979); Kiefer and Vogelsang, "A New Asymptotic Theory for Heteroskedasticity-Autocorrelation Robust Tests" (2005).
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

/**
 * What the statistic exceeds with these probabilities where neither forecast is better: a cubic in the share of all hours that errors are
 * taken to be shared over (Kiefer and Vogelsang, table 1, Bartlett's kernel). At a share of zero it is the normal law's.
 */
const EXCEEDED: readonly { readonly luck: number; readonly cubic: readonly [number, number, number, number] }[] = [
  { luck: 0.1, cubic: [1.2816, 1.304, 0.5135, -0.3386] },
  { luck: 0.05, cubic: [1.6449, 2.1859, 0.3142, -0.3427] },
  { luck: 0.025, cubic: [1.96, 2.9694, 0.416, -0.5324] },
  { luck: 0.01, cubic: [2.3263, 4.1618, 0.5368, -0.906] },
];

/**
 * What {@link dieboldMariano} has to exceed to be luck less often than that, one-sided. Of a few weeks of forecasts of a week the normal
 * law knows nothing: equal forecasts exceed its 1.7 % in a quarter of all fortnights.
 *
 * @param luck At least a hundredth; the next probability below it that is tabulated counts.
 */
export function leastT(luck: number, { hours, lag }: { readonly hours: number; readonly lag: number }): number {
  const row = EXCEEDED.find((one) => one.luck <= luck * (1 + 1e-9));
  if (row === undefined) throw new RangeError(`no value is tabulated for a probability of ${luck}`);
  const share = Math.min(1, (lag + 1) / hours);
  const [a, b, c, d] = row.cubic;
  return a + b * share + c * share ** 2 + d * share ** 3;
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
