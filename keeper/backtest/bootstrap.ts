// How far a mean may be luck: moving blocks of the series are drawn anew, so that days which go together stay together.
// Source: Künsch, "The jackknife and the bootstrap for general stationary observations" (1989).

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 1_000;
const COVERAGE = 0.95;

/** Excess over a hold lasts for weeks: a block has to be longer than what goes together. */
const LEAST_BLOCK = 14;

/** Fewer blocks than this hold no information on how means vary. */
const LEAST_BLOCKS = 4;

/**
 * Mean of daily values and the interval that holds 95 of 100 means of resampled ones; null where there is too little.
 *
 * @param scale What mean and ends are multiplied by.
 */
export function meanInterval(
  values: Float64Array,
  { seed, scale }: { readonly seed: number; readonly scale: number },
): Interval | null {
  const n = values.length;
  const block = Math.max(LEAST_BLOCK, Math.ceil(Math.cbrt(n)));
  if (n < LEAST_BLOCKS * block) return null;
  const upTo = new Float64Array(n + 1);
  for (let i = 0; i < n; i += 1) upTo[i + 1] = (upTo[i] as number) + (values[i] as number);
  const random = seeded(seed);
  const means = new Float64Array(RESAMPLES);
  for (let r = 0; r < RESAMPLES; r += 1) {
    let sum = 0;
    for (let left = n; left > 0; left -= block) {
      const length = Math.min(block, left);
      const begin = Math.floor(random() * (n - length + 1));
      sum += (upTo[begin + length] as number) - (upTo[begin] as number);
    }
    means[r] = sum / n;
  }
  means.sort();
  const at = (quantile: number): number => (means[Math.round(quantile * (RESAMPLES - 1))] as number) * scale;
  return { mean: ((upTo[n] as number) / n) * scale, low: at((1 - COVERAGE) / 2), high: at((1 + COVERAGE) / 2) };
}

/** mulberry32: the same numbers on every machine. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
