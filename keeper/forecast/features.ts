// The features of a series at a moment: the one code that makes them, for training sets and for the keeper that serves.
// A feature at t is made of rows with `available_at` ≤ t, of at most a week and the row before it, and of nothing else: so the
// last bit is the same whether years or a week of history were loaded, and whatever comes later.
import { FLAGS } from "../collect/quality";
import type { HistoryRow } from "../store/historyRecords";

const HOUR = 3_600;
/** Time frames, hours. */
export const FRAMES = [1, 4, 24, 168] as const;
/** Seconds of history that features look back on, beside the row that was in force at its begin. */
export const LOOKBACK_SECONDS = 168 * HOUR;
/** What the targets average over, hours. */
export const HORIZONS = [1, 4, 24, 168] as const;

const EWMA_DECAY = Math.LN2 / (24 * HOUR);

export interface Feature {
  readonly name: string;
  readonly unit: string;
  readonly what: string;
}

const frame = (hours: number): string => (hours === 168 ? "7d" : `${hours}h`);

const OF_A_FRAME: readonly ((hours: string) => Feature)[] = [
  (w) => ({ name: `apr_mean_${w}`, unit: "fraction a year", what: `supply rate, mean by time over ${w}` }),
  (w) => ({ name: `apr_least_${w}`, unit: "fraction a year", what: `least supply rate of the last ${w}` }),
  (w) => ({ name: `apr_most_${w}`, unit: "fraction a year", what: `greatest supply rate of the last ${w}` }),
  (w) => ({ name: `apr_sd_${w}`, unit: "fraction a year", what: `standard deviation by time over ${w}` }),
  (w) => ({ name: `apr_change_${w}`, unit: "fraction a year", what: `supply rate now less that of ${w} ago` }),
  (w) => ({ name: `utilisation_mean_${w}`, unit: "1", what: `borrowed over supplied, mean by time over ${w}` }),
  (w) => ({ name: `utilisation_change_${w}`, unit: "1", what: `utilisation now less that of ${w} ago` }),
  (w) => ({ name: `supplied_change_${w}`, unit: "ln", what: `ln of supplied now over supplied ${w} ago` }),
  (w) => ({ name: `borrowed_change_${w}`, unit: "ln", what: `ln of borrowed now over borrowed ${w} ago` }),
];

const NOW: readonly Feature[] = [
  { name: "apr", unit: "fraction a year", what: "supply rate now" },
  { name: "borrow_apr", unit: "fraction a year", what: "borrow rate now" },
  { name: "utilisation", unit: "1", what: "borrowed over supplied now" },
  { name: "supplied", unit: "ln USD", what: "ln of supplied, at least 1 USD" },
  { name: "cash", unit: "ln USD", what: "ln of what could leave now, at least 1 USD" },
  { name: "ewma_24h", unit: "fraction a year", what: "supply rate, weighted by half-lives of 24 h over the last 7 d" },
  { name: "apr_less_ewma", unit: "fraction a year", what: "supply rate now less that mean" },
  {
    name: "borrow_slope_7d",
    unit: "fraction a year",
    what: "range of borrow rates over range of utilisations, last 7 d",
  },
  { name: "age", unit: "h", what: "age of the state that is known" },
  { name: "rows_7d", unit: "1", what: "rows that became available in the last 7 d" },
  { name: "parameters_age", unit: "h", what: "since the last row flagged parameter-change; 168 for none in 7 d" },
  { name: "outlier", unit: "0 or 1", what: "the row is flagged outlier" },
  { name: "spread_mean", unit: "fraction a year", what: "supply rate less the mean of other series of the asset" },
  { name: "spread_best", unit: "fraction a year", what: "supply rate less the best of other series of the asset" },
  { name: "hour_sin", unit: "1", what: "time of day, UTC" },
  { name: "hour_cos", unit: "1", what: "time of day, UTC" },
  { name: "day_sin", unit: "1", what: "time of the week" },
  { name: "day_cos", unit: "1", what: "time of the week" },
];

/** In the order of a matrix's columns. What cannot be known (a frame that begins before the series) is NaN. */
export const FEATURES: readonly Feature[] = [
  ...NOW,
  ...FRAMES.flatMap((hours) => OF_A_FRAME.map((of) => of(frame(hours)))),
];

/** Raised with every change of what a feature is: a model serves only the version that it was trained on. */
export const FEATURE_VERSION = 1;

/** What models of one kind are asked with: rows of these, in this order. */
export interface FeatureSet {
  readonly features: readonly Feature[];
  readonly version: number;
}

/** Of rates, and of what may come of a lender. */
export const OF_RATES: FeatureSet = { features: FEATURES, version: FEATURE_VERSION };

/** What series have in common whose rates compete: the asset, the last word of their name. */
export function assetOf(series: string): string {
  return series.slice(series.lastIndexOf("-") + 1);
}

/** A series as columns; rows are added oldest first. A rate that is missing carries the one before on. */
export class SeriesColumns {
  readonly availableAt: number[] = [];
  readonly observedAt: number[] = [];
  readonly apr: number[] = [];
  readonly borrowApr: number[] = [];
  readonly supplied: number[] = [];
  readonly borrowed: number[] = [];
  readonly flags: number[] = [];

  get length(): number {
    return this.availableAt.length;
  }

  add(rows: readonly HistoryRow[]): void {
    for (const row of rows) {
      if (row.supplyApr === null) continue;
      this.availableAt.push(row.availableAt);
      this.observedAt.push(row.observedAt);
      this.apr.push(row.supplyApr);
      this.borrowApr.push(row.borrowApr ?? NaN);
      this.supplied.push(row.suppliedUsd ?? NaN);
      this.borrowed.push(row.borrowedUsd ?? NaN);
      this.flags.push(row.flags);
    }
  }

  dropLast(): void {
    for (const column of this.#columns) column.pop();
  }

  /** @param count Rows that are forgotten. */
  dropFirst(count: number): void {
    for (const column of this.#columns) column.splice(0, count);
  }

  /** Of the last row. */
  flagLast(flags: number): void {
    if (this.length > 0) this.flags[this.length - 1] = flags;
  }

  get #columns(): number[][] {
    const { availableAt, observedAt, apr, borrowApr, supplied, borrowed, flags } = this;
    return [availableAt, observedAt, apr, borrowApr, supplied, borrowed, flags];
  }

  /** Number of rows known at `at`. `from`: a number that is known not to be too great, for walks forward in time. */
  knownAt(at: number, from = 0): number {
    let known = from;
    while (known < this.length && (this.availableAt[known] as number) <= at) known += 1;
    return known;
  }
}

/** Rates of the other series of the asset at the same moment, as known then. */
export interface Peers {
  readonly mean: number;
  readonly best: number;
}

/** The rate that a series is known to pay at `at`; NaN when it was not heard of for a week, or never. */
export function currentRate(series: SeriesColumns, known: number, at: number): number {
  if (known === 0 || at - (series.availableAt[known - 1] as number) > LOOKBACK_SECONDS) return NaN;
  return series.apr[known - 1] as number;
}

/** @param rates Of the other series of the asset, in the order of their names; NaN counts as absent. */
export function peersOf(rates: Iterable<number>): Peers {
  let [sum, count, best] = [0, 0, NaN];
  for (const rate of rates) {
    if (Number.isNaN(rate)) continue;
    sum += rate;
    count += 1;
    best = Number.isNaN(best) ? rate : Math.max(best, rate);
  }
  return { mean: count === 0 ? NaN : sum / count, best };
}

/**
 * Writes the features of a series at `at` into `out` from `offset` on.
 *
 * @param known Rows that were available at `at`, at least 1: {@link SeriesColumns.knownAt}.
 */
export function writeFeatures(
  series: SeriesColumns,
  of: { readonly at: number; readonly known: number; readonly peers: Peers },
  out: Float64Array,
  offset: number,
): void {
  const { at, known, peers } = of;
  const last = known - 1;
  const apr = series.apr[last] as number;
  const utilisation = utilisationAt(series, last);
  const past = lookBack(series, last, at);
  const supplied = series.supplied[last] as number;
  const borrowed = series.borrowed[last] as number;
  let k = offset;
  out[k++] = apr;
  out[k++] = series.borrowApr[last] as number;
  out[k++] = utilisation;
  out[k++] = logUsd(supplied);
  out[k++] = logUsd(supplied - borrowed);
  out[k++] = past.ewma;
  out[k++] = apr - past.ewma;
  out[k++] = past.slope;
  out[k++] = (at - (series.observedAt[last] as number)) / HOUR;
  out[k++] = past.rows;
  out[k++] = past.parametersAge;
  out[k++] = ((series.flags[last] as number) & FLAGS.outlier) === 0 ? 0 : 1;
  out[k++] = apr - peers.mean;
  out[k++] = apr - peers.best;
  const [ofDay, ofWeek] = [(2 * Math.PI * (at % 86_400)) / 86_400, (2 * Math.PI * (at % 604_800)) / 604_800];
  out[k++] = Math.sin(ofDay);
  out[k++] = Math.cos(ofDay);
  out[k++] = Math.sin(ofWeek);
  out[k++] = Math.cos(ofWeek);
  for (const { mean, least, most, sd, utilisationMean, before } of past.frames) {
    out[k++] = mean;
    out[k++] = least;
    out[k++] = most;
    out[k++] = sd;
    out[k++] = before < 0 ? NaN : apr - (series.apr[before] as number);
    out[k++] = utilisationMean;
    out[k++] = before < 0 ? NaN : utilisation - utilisationAt(series, before);
    out[k++] = before < 0 ? NaN : logUsd(supplied) - logUsd(series.supplied[before] as number);
    out[k++] = before < 0 ? NaN : logUsd(borrowed) - logUsd(series.borrowed[before] as number);
  }
}

interface FramePast {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
  readonly sd: number;
  readonly utilisationMean: number;
  /** Row that was in force at the frame's begin; −1: the series is younger. */
  readonly before: number;
}

interface Past {
  readonly frames: readonly FramePast[];
  readonly ewma: number;
  readonly slope: number;
  readonly rows: number;
  readonly parametersAge: number;
}

/**
 * One walk from the newest known row back to the one that was in force a week before. A row's rate holds from its
 * `observedAt` to that of the next known one; the newest holds still.
 */
function lookBack(series: SeriesColumns, last: number, at: number): Past {
  const { observedAt, availableAt, borrowApr, flags } = series;
  const apr = series.apr;
  const now = apr[last] as number;
  const frames: FramePast[] = [];
  // Sums over [begin of the row, at], of differences from now: no digits are lost where a rate stands still.
  let [sum, squares, utilisation, least, most] = [0, 0, 0, now, now];
  let [weighted, weight, upTo] = [0, 0, 1];
  let [lowU, highU, lowB, highB] = [Infinity, -Infinity, Infinity, -Infinity];
  let [rows, parametersAge] = [0, LOOKBACK_SECONDS / HOUR];
  let end = at;
  for (let row = last; row >= 0 && frames.length < FRAMES.length; row -= 1) {
    const begin = observedAt[row] as number;
    const rate = apr[row] as number;
    const difference = rate - now;
    const used = utilisationAt(series, row);
    // Every frame that begins within this row ends here.
    while (frames.length < FRAMES.length) {
      const hours = FRAMES[frames.length] as number;
      const start = at - hours * HOUR;
      if (begin > start) break;
      const held = Math.max(0, end - start);
      const mean = (sum + difference * held) / (hours * HOUR);
      const spread = (squares + difference * difference * held) / (hours * HOUR) - mean * mean;
      frames.push({
        mean: now + mean,
        least: held > 0 ? Math.min(least, rate) : least,
        most: held > 0 ? Math.max(most, rate) : most,
        sd: Math.sqrt(Math.max(0, spread)),
        utilisationMean: (utilisation + used * held) / (hours * HOUR),
        before: row,
      });
    }
    const held = Math.max(0, end - Math.max(begin, at - LOOKBACK_SECONDS));
    if (held > 0) {
      sum += difference * held;
      squares += difference * difference * held;
      utilisation += used * held;
      least = Math.min(least, rate);
      most = Math.max(most, rate);
      const downTo = Math.exp(-EWMA_DECAY * (at - (end - held)));
      weighted += (upTo - downTo) * difference;
      weight += upTo - downTo;
      upTo = downTo;
      end = begin;
    }
    if ((availableAt[row] as number) > at - LOOKBACK_SECONDS) {
      rows += 1;
      const rateOfDebt = borrowApr[row] as number;
      if (!Number.isNaN(rateOfDebt) && !Number.isNaN(used)) {
        [lowU, highU] = [Math.min(lowU, used), Math.max(highU, used)];
        [lowB, highB] = [Math.min(lowB, rateOfDebt), Math.max(highB, rateOfDebt)];
      }
      if (((flags[row] as number) & FLAGS["parameter-change"]) !== 0) {
        parametersAge = Math.min(parametersAge, (at - (availableAt[row] as number)) / HOUR);
      }
    }
  }
  // A young series has no frame that it does not fill.
  while (frames.length < FRAMES.length) frames.push(UNKNOWN);
  return {
    frames,
    ewma: weight > 0 ? now + weighted / weight : now,
    slope: highU - lowU > LEAST_RANGE ? (highB - lowB) / (highU - lowU) : NaN,
    rows,
    parametersAge,
  };
}

/** Of utilisation: below it a slope says nothing. */
const LEAST_RANGE = 1e-3;

const UNKNOWN: FramePast = { mean: NaN, least: NaN, most: NaN, sd: NaN, utilisationMean: NaN, before: -1 };

function utilisationAt(series: SeriesColumns, row: number): number {
  const supplied = series.supplied[row] as number;
  return supplied > 0 ? (series.borrowed[row] as number) / supplied : NaN;
}

function logUsd(amount: number): number {
  return Math.log(Math.max(1, amount));
}

/**
 * Mean supply rate over (at, at + hours], by time, of the rates that turned out to be in force: what a deposit would have
 * earned. NaN where the series ends before.
 *
 * @param rows Leading rows that are looked at: those that were available when the answer is used.
 */
export function targetAt(
  series: SeriesColumns,
  at: number,
  hours: number,
  known: number,
  rows: number = series.length,
): number {
  const end = at + hours * HOUR;
  if ((series.availableAt[rows - 1] ?? 0) < end) return NaN;
  let [sum, from] = [0, at];
  // The first row that holds at `at` may be known only later.
  let row = Math.max(0, known - 1);
  while (row + 1 < rows && (series.observedAt[row + 1] as number) <= at) row += 1;
  const first = series.apr[row] as number;
  while (from < end) {
    const next = row + 1 < rows ? Math.min(end, series.observedAt[row + 1] as number) : end;
    if (next > from) {
      sum += ((series.apr[row] as number) - first) * (next - from);
      from = next;
    }
    row += 1;
  }
  return first + sum / (hours * HOUR);
}
