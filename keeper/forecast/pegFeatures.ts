// The features of the price of a pair of dollars at a moment: the one code that makes them, for training sets and for the keeper that
// serves. A feature at t is made of what was known at t and at the whole hours before it, of a week at most, and of nothing
// else: a state counts from its `available_at` on, whether it was read once an hour or at every block.
import { FRAMES, LOOKBACK_SECONDS, type Feature, type FeatureSet } from "./features";

const HOUR = 3_600;
const LOOKBACK_HOURS = LOOKBACK_SECONDS / HOUR;

/** A pair has lost its peg where its price is farther from 1 than that; as where models are trained (ml/tillerml/pegs.py). */
export const DEPEGGED = 0.0015;

const frame = (hours: number): string => (hours === 168 ? "7d" : `${hours}h`);

const NOW: readonly Feature[] = [
  { name: "deviation", unit: "1", what: "price of the first coin in the second, less 1" },
  { name: "distance", unit: "1", what: "its absolute value" },
  { name: "liquidity", unit: "ln", what: "ln of liquidity in range, whole coins, at least 1" },
  { name: "liquidity_less_mean_7d", unit: "ln", what: "liquidity now less its mean of the last 7d" },
  { name: "depeg_age", unit: "h", what: "since the distance was last over 15 bps; 168 for not in 7d" },
  { name: "age", unit: "h", what: "age of the state that is known" },
];

const CHANGES: readonly ((hours: string) => Feature)[] = [
  (w) => ({ name: `deviation_change_${w}`, unit: "1", what: `deviation now less that of ${w} ago` }),
  (w) => ({ name: `distance_change_${w}`, unit: "1", what: `distance now less that of ${w} ago` }),
  (w) => ({ name: `liquidity_change_${w}`, unit: "ln", what: `liquidity now less that of ${w} ago` }),
];

/** Of the last hour there are but two states. */
const MOMENTS: readonly ((hours: string) => Feature)[] = [
  (w) => ({ name: `distance_mean_${w}`, unit: "1", what: `distance, mean of now and each hour of the last ${w}` }),
  (w) => ({ name: `distance_most_${w}`, unit: "1", what: `greatest of them` }),
  (w) => ({ name: `deviation_sd_${w}`, unit: "1", what: `standard deviation of the deviation over them` }),
];

/** In the order of a matrix's columns. What cannot be known (a frame that begins before the pair) is NaN. */
export const PEG_FEATURES: readonly Feature[] = [
  ...NOW,
  ...FRAMES.flatMap((hours) => [...CHANGES, ...(hours === 1 ? [] : MOMENTS)].map((of) => of(frame(hours)))),
];

/** Raised with every change of what a feature is: a model serves only the version that it was trained on. */
export const PEG_FEATURE_VERSION = 1;

/** Of prices of pairs of dollars. */
export const OF_PEGS: FeatureSet = { features: PEG_FEATURES, version: PEG_FEATURE_VERSION };

/** Decimals of the two coins of a pair, in the pool's order. */
export type Decimals = readonly [number, number];

const LN_TICK = Math.log(1.0001);

/**
 * How far a pool's price is from one dollar for another, as a fraction: below zero the first coin is the cheaper one. Of the lower end
 * of the tick, which is a hundredth of a percent wide.
 */
export function deviationOf(tick: number, [first, second]: Decimals): number {
  return Math.expm1(tick * LN_TICK + (first - second) * Math.LN10);
}

/** What a pool said at a moment. */
export interface PegState {
  /** Unix seconds. */
  readonly observedAt: number;
  readonly availableAt: number;
  readonly tick: number;
  /** In range, as the pool counts it. */
  readonly liquidity: number;
}

/** A pair as columns; states are added oldest first. One that is older than what is held says nothing. */
export class PegColumns {
  readonly availableAt: number[] = [];
  readonly observedAt: number[] = [];
  readonly deviation: number[] = [];
  /** ln. */
  readonly liquidity: number[] = [];

  constructor(private readonly decimals: Decimals) {}

  get length(): number {
    return this.availableAt.length;
  }

  add(states: readonly PegState[]): void {
    const [first, second] = this.decimals;
    const unit = 10 ** ((first + second) / 2);
    for (const { observedAt, availableAt, tick, liquidity } of states) {
      if (availableAt < (this.availableAt.at(-1) ?? 0) || observedAt < (this.observedAt.at(-1) ?? 0)) continue;
      this.availableAt.push(availableAt);
      this.observedAt.push(observedAt);
      this.deviation.push(deviationOf(tick, this.decimals));
      // There are hours in which nobody offers anything at the price.
      this.liquidity.push(Math.log(Math.max(1, liquidity / unit)));
    }
  }

  /** Number of states known at `at`. `from`: a number that is known not to be too great, for walks forward in time. */
  knownAt(at: number, from = 0): number {
    let known = from;
    while (known < this.length && (this.availableAt[known] as number) <= at) known += 1;
    return known;
  }
}

/** Running sums over the hours of a frame, of differences from now: no digits are lost where a price stands still. */
interface Sums {
  distance: number;
  most: number;
  difference: number;
  squares: number;
  liquidity: number;
}

/**
 * Writes the features of a pair at `at` into `out` from `offset` on.
 *
 * @param of.known States that were available at `at`, at least 1: {@link PegColumns.knownAt}.
 */
export function writePegFeatures(
  pair: PegColumns,
  { at, known }: { readonly at: number; readonly known: number },
  out: Float64Array,
  offset: number,
): void {
  const last = known - 1;
  const deviation = pair.deviation[last] as number;
  const liquidity = pair.liquidity[last] as number;
  const distance = Math.abs(deviation);
  const sums: Sums = { distance: 0, most: 0, difference: 0, squares: 0, liquidity: 0 };
  let [depegAge, k] = [LOOKBACK_HOURS, offset + NOW.length];
  let [row, hour] = [last, 0];
  for (const hours of FRAMES) {
    for (; hour <= hours; hour += 1) {
      const then = at - hour * HOUR;
      while (row >= 0 && (pair.availableAt[row] as number) > then) row -= 1;
      if (row < 0) break;
      const value = pair.deviation[row] as number;
      if (Math.abs(value) > DEPEGGED) depegAge = Math.min(depegAge, hour);
      sums.distance += Math.abs(value) - distance;
      sums.most = Math.max(sums.most, Math.abs(value));
      sums.difference += value - deviation;
      sums.squares += (value - deviation) ** 2;
      sums.liquidity += (pair.liquidity[row] as number) - liquidity;
    }
    // A young pair has no frame that it does not fill.
    const isWhole = row >= 0;
    out[k++] = isWhole ? deviation - (pair.deviation[row] as number) : NaN;
    out[k++] = isWhole ? distance - Math.abs(pair.deviation[row] as number) : NaN;
    out[k++] = isWhole ? liquidity - (pair.liquidity[row] as number) : NaN;
    if (hours === 1) continue;
    const mean = sums.difference / (hours + 1);
    out[k++] = isWhole ? distance + sums.distance / (hours + 1) : NaN;
    out[k++] = isWhole ? sums.most : NaN;
    out[k++] = isWhole ? Math.sqrt(Math.max(0, sums.squares / (hours + 1) - mean * mean)) : NaN;
  }
  const isWhole = row >= 0;
  out[offset] = deviation;
  out[offset + 1] = distance;
  out[offset + 2] = liquidity;
  out[offset + 3] = isWhole ? -sums.liquidity / (LOOKBACK_HOURS + 1) : NaN;
  out[offset + 4] = depegAge;
  out[offset + 5] = (at - (pair.observedAt[last] as number)) / HOUR;
}

/**
 * @param moments Unix seconds, oldest first; those at which nothing was known yet have no row.
 * @returns rows of {@link PEG_FEATURES}.
 */
export function pegFeaturesAt(pair: PegColumns, moments: readonly number[]): Float64Array {
  const told = moments.filter((at) => at >= (pair.availableAt[0] ?? Infinity));
  const features = new Float64Array(told.length * PEG_FEATURES.length);
  let known = 0;
  told.forEach((at, row) => {
    known = pair.knownAt(at, known);
    writePegFeatures(pair, { at, known }, features, row * PEG_FEATURES.length);
  });
  return features;
}
