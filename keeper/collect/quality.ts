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
    if ([suppliedUsd, borrowedUsd, supplyApr, borrowApr].some((value) => value !== null && value < 0)) {
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
    const { median, deviation } = this.#usual.read();
    const scale = Math.max(NORMAL_MAD * deviation, LEAST_DEVIATION_SHARE * Math.abs(median), LEAST_DEVIATION);
    return Math.abs(value - median) > OUTLIER_Z * scale;
  }
}

function above(value: number | null, bound: number): boolean {
  return value !== null && value > bound;
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
  readonly #length: number;
  readonly #sorted: number[] = [];
  readonly #queue: number[] = [];

  constructor(length: number) {
    this.#length = length;
  }

  get size(): number {
    return this.#queue.length;
  }

  clear(): void {
    this.#sorted.length = 0;
    this.#queue.length = 0;
  }

  add(value: number): void {
    if (this.#queue.length === this.#length) {
      const oldest = this.#queue.shift() as number;
      this.#sorted.splice(this.#placeOf(oldest), 1);
    }
    this.#queue.push(value);
    this.#sorted.splice(this.#placeOf(value), 0, value);
  }

  read(): { readonly median: number; readonly deviation: number } {
    const sorted = this.#sorted;
    const middle = sorted.length >> 1;
    const median = sorted[middle] as number;
    // Deviations grow to both sides of the median: the middle one is found by walking outwards.
    let [below, over, deviation] = [middle - 1, middle, 0];
    for (let taken = 0; taken <= middle; taken += 1) {
      const down = below >= 0 ? median - (sorted[below] as number) : Infinity;
      const up = over < sorted.length ? (sorted[over] as number) - median : Infinity;
      deviation = Math.min(down, up);
      if (down < up) below -= 1;
      else over += 1;
    }
    return { median, deviation };
  }

  #placeOf(value: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
