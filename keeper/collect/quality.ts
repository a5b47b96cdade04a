// What is odd in a series of rates: flagged and kept, never dropped; who reads it chooses. Each flag is decided from the row
// and from earlier ones alone, so that it was known when the row was.
import { UNJUDGED, type HistoryRow, type HistoryStore, type SeriesName } from "../store/historyRecords";
import { RateCurve, type Standing } from "./rateCurve";
import { RollingMedian } from "./rollingMedian";

/** Bits of `HistoryRow.flags`. Stored: a bit keeps its meaning for good. */
export const FLAGS = {
  /** A supply or borrow rate that compounds to more than 200 % a year. */
  "apy-over-200": 1,
  /** Far from the series' last 168 rows, by a robust z-score: a spike, true or not. Not said of a rate off its curve. */
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
   * The rate has been another at the same utilisation for three states now, this one the third: the protocol's parameters were
   * changed.
   */
  "parameter-change": 128,
  /** Less than {@link TINY_USD} is supplied: a market that begins, whose rates are of a few accounts. */
  tiny: 256,
  /** Less than {@link WOUND_DOWN_SHARE} of the most that the market ever held. */
  "wound-down": 512,
  /** A rate that the source should have and did not give. */
  "missing-rate": 1024,
  /**
   * The rate is not what the rows of late had at this utilisation: it is of another moment than the amounts, as in some hours
   * of public data of Compound. Or it is one of the first two under new parameters: which, only later rows say.
   */
  misaligned: 2048,
  /** Of a sweep of long ago that goes on: nothing of the above was worked out yet, nor the rate of an index. */
  unjudged: UNJUDGED,
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
  readonly #curve = new RateCurve();
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
    const standing = this.#standingOf(row);
    if (standing === "changed") {
      flags |= FLAGS["parameter-change"];
      // What was usual under the old parameters says nothing of the new ones.
      this.#usual.clear();
    } else if (standing === "off") {
      flags |= FLAGS.misaligned;
    } else if (supplyApr !== null && this.#isFar(supplyApr)) {
      flags |= FLAGS.outlier;
    }
    if (supplyApr !== null) this.#usual.add(supplyApr);
    this.#last = row;
    return flags;
  }

  /** By the borrow rate, which is what a curve gives; a savings rate has no utilisation, and is set. */
  #standingOf(row: HistoryRow): Standing {
    const { borrowApr, observedAt } = row;
    const utilisation = utilisationOf(row);
    // No rate at all is not one of a curve: it has a flag of its own.
    if (utilisation === null || borrowApr === null || borrowApr === 0) return "on";
    return this.#curve.standingOf({ utilisation, rate: borrowApr, observedAt });
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
