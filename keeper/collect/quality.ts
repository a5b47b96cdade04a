// What is odd in a series of rates: flagged and kept, never dropped; who reads it chooses. Each flag is decided from the row
// and from earlier ones alone, so that it was known when the row was.
import type { HistoryRow, HistoryStore, SeriesName } from "../store/historyRecords";

/** Bits of `HistoryRow.flags`. Stored: a bit keeps its meaning for good. */
export const FLAGS = {
  /** A supply or borrow rate that compounds to more than 200 % a year. */
  "apy-over-200": 1,
  /** Far from the series' last 168 rows, by a robust z-score: a spike, true or not. Not said of a change of parameters. */
  outlier: 2,
  /** An amount or a rate below zero. */
  negative: 4,
  /** More lent out than there is. */
  "over-utilised": 8,
  /** The growth index is below the one before. */
  "index-down": 16,
  /** The state is older than {@link STALE_SECONDS}: nothing happened, or nothing was seen. */
  stale: 32,
  /** Something is lent out, at no rate. */
  "zero-borrow-rate": 64,
  /**
   * The rate jumped at an unchanged utilisation: the protocol's parameters were changed, or the source took rate and
   * amounts at different moments (of which there are some in public data of Compound).
   */
  "parameter-change": 128,
  /** Less than {@link TINY_USD} is supplied: a market that begins, whose rates are of a few accounts. */
  tiny: 256,
  /** Less than {@link WOUND_DOWN_SHARE} of the most that the market ever held. */
  "wound-down": 512,
  /** A rate that the source should have and did not give. */
  "missing-rate": 1024,
} as const;

export type Flag = keyof typeof FLAGS;

/** APY e^r − 1 above 2. */
const APR_OF_APY_200 = Math.log(3);
export const STALE_SECONDS = 6 * 3_600;
export const TINY_USD = 100_000;
export const WOUND_DOWN_SHARE = 0.02;

/** Rows that "lately" means: a week of hours. */
const WINDOW = 168;
/** Fewer say nothing of what is usual. */
const LEAST_WINDOW = 24;
/** Deviations of the median, at least a tenth of the median and a tenth of a point; rates have spikes by nature. */
const OUTLIER_Z = 10;
/** A deviation of normally distributed values in units of their standard deviation. */
const NORMAL_MAD = 1.4826;
const LEAST_DEVIATION_SHARE = 0.1;
const LEAST_DEVIATION = 0.001;

/** No rate curve in use is steeper than this much rate per utilisation (Aave's 300 % over the last tenth is 30). */
const STEEPEST_CURVE = 40;
const LEAST_PARAMETER_JUMP = 0.002;

export function namesOf(flags: number): Flag[] {
  return (Object.keys(FLAGS) as Flag[]).filter((name) => (flags & FLAGS[name]) !== 0);
}

/** The rows with their flags. `before`: what is stored of the series up to the first of them. */
export function withFlags(before: readonly HistoryRow[], rows: readonly HistoryRow[]): HistoryRow[] {
  const quality = new SeriesQuality();
  for (const row of before) quality.flagsOf(row);
  return rows.map((row) => ({ ...row, flags: quality.flagsOf(row) }));
}

/** What flags of rows after `before` (unix seconds of `availableAt`) depend on: all of the series up to there. */
export async function rowsBefore(store: HistoryStore, series: SeriesName, before: number): Promise<HistoryRow[]> {
  const rows: HistoryRow[] = [];
  for await (const page of store.history(series, { to: before - 1 })) rows.push(...page);
  return rows;
}

/** Reads a series row by row, oldest first. */
export class SeriesQuality {
  readonly #usual = new RollingMedian(WINDOW);
  #last: HistoryRow | null = null;
  #most = 0;

  flagsOf(row: HistoryRow): number {
    const { suppliedUsd, borrowedUsd, supplyApr, borrowApr } = row;
    let flags = 0;
    if (above(supplyApr, APR_OF_APY_200) || above(borrowApr, APR_OF_APY_200)) flags |= FLAGS["apy-over-200"];
    if (below(suppliedUsd, 0) || below(borrowedUsd, 0) || below(supplyApr, 0) || below(borrowApr, 0)) {
      flags |= FLAGS.negative;
    }
    if (above(utilisationOf(row), 1 + 1e-9)) flags |= FLAGS["over-utilised"];
    if (indexFell(this.#last, row)) flags |= FLAGS["index-down"];
    if (row.availableAt - row.observedAt > STALE_SECONDS) flags |= FLAGS.stale;
    if (above(borrowedUsd, 0) && (borrowApr === 0 || supplyApr === 0)) flags |= FLAGS["zero-borrow-rate"];
    // Of an index, the rate is its growth, which the first sight does not show.
    if ((supplyApr === null && row.index === null) || (borrowApr === null && borrowedUsd !== null)) {
      flags |= FLAGS["missing-rate"];
    }
    if (suppliedUsd !== null) {
      if (suppliedUsd < TINY_USD) flags |= FLAGS.tiny;
      this.#most = Math.max(this.#most, suppliedUsd);
      if (suppliedUsd < WOUND_DOWN_SHARE * this.#most) flags |= FLAGS["wound-down"];
    }
    if (this.#last !== null && parametersChanged(this.#last, row)) {
      flags |= FLAGS["parameter-change"];
      // What was usual under the old parameters says nothing of the new ones.
      this.#usual.clear();
    } else if (supplyApr !== null && this.#isFar(supplyApr)) {
      flags |= FLAGS.outlier;
    }
    if (supplyApr !== null) this.#usual.add(supplyApr);
    this.#last = row;
    return flags;
  }

  #isFar(value: number): boolean {
    if (this.#usual.size < LEAST_WINDOW) return false;
    const median = this.#usual.median();
    const distance = Math.abs(value - median);
    const least = Math.max(LEAST_DEVIATION_SHARE * Math.abs(median), LEAST_DEVIATION);
    // Most rows are within the least bound, whatever the deviation is, which takes longer to find.
    if (distance <= OUTLIER_Z * least) return false;
    return distance > OUTLIER_Z * Math.max(NORMAL_MAD * this.#usual.deviation(), least);
  }
}

function above(value: number | null, bound: number): boolean {
  return value !== null && value > bound;
}

function below(value: number | null, bound: number): boolean {
  return value !== null && value < bound;
}

function utilisationOf({ suppliedUsd, borrowedUsd }: HistoryRow): number | null {
  return suppliedUsd !== null && borrowedUsd !== null && suppliedUsd > 0 ? borrowedUsd / suppliedUsd : null;
}

function indexFell(last: HistoryRow | null, row: HistoryRow): boolean {
  return last !== null && last.index !== null && row.index !== null && BigInt(row.index) < BigInt(last.index);
}

/** Of a pool's rate curve, so of the borrow rate; a savings rate has no utilisation, and is set. */
function parametersChanged(last: HistoryRow, row: HistoryRow): boolean {
  const moved = utilisationMove(last, row);
  return moved !== null && moved < 0.01 && rateMove(last, row) > LEAST_PARAMETER_JUMP + STEEPEST_CURVE * moved;
}

function utilisationMove(last: HistoryRow | null, row: HistoryRow): number | null {
  const [before, after] = [last === null ? null : utilisationOf(last), utilisationOf(row)];
  return before === null || after === null ? null : Math.abs(after - before);
}

function rateMove(last: HistoryRow, row: HistoryRow): number {
  return last.borrowApr === null || row.borrowApr === null ? 0 : Math.abs(row.borrowApr - last.borrowApr);
}

/** Median and median deviation of the last `length` values, kept in order. */
class RollingMedian {
  readonly #queue: Float64Array;
  readonly #sorted: Float64Array;
  #size = 0;
  /** Where the next value goes in the queue. */
  #next = 0;

  constructor(length: number) {
    this.#queue = new Float64Array(length);
    this.#sorted = new Float64Array(length);
  }

  get size(): number {
    return this.#size;
  }

  clear(): void {
    this.#size = 0;
    this.#next = 0;
  }

  add(value: number): void {
    const sorted = this.#sorted;
    if (this.#size === this.#queue.length) {
      const place = this.#placeOf(this.#queue[this.#next] as number);
      sorted.copyWithin(place, place + 1, this.#size);
      this.#size -= 1;
    }
    this.#queue[this.#next] = value;
    this.#next = (this.#next + 1) % this.#queue.length;
    const place = this.#placeOf(value);
    sorted.copyWithin(place + 1, place, this.#size);
    sorted[place] = value;
    this.#size += 1;
  }

  median(): number {
    return this.#sorted[this.#size >> 1] as number;
  }

  deviation(): number {
    const [sorted, middle, median] = [this.#sorted, this.#size >> 1, this.median()];
    // Deviations grow to both sides of the median: the middle one is found by walking outwards.
    let [before, after, deviation] = [middle - 1, middle, 0];
    for (let taken = 0; taken <= middle; taken += 1) {
      const down = before >= 0 ? median - (sorted[before] as number) : Infinity;
      const up = after < this.#size ? (sorted[after] as number) - median : Infinity;
      deviation = Math.min(down, up);
      if (down < up) before -= 1;
      else after += 1;
    }
    return deviation;
  }

  #placeOf(value: number): number {
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
