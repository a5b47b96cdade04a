// One market's history as columns, and the rate curve that it was known to have at any time. Made of rows alone: it knows
// no grid, no strategy, no file.
import { InputFailure } from "../config/failure";
import type { HistoryRow } from "../store/historyRecords";
import { fitCurve, ObservedModel, shapeOf, type CurveShape, type ObservedCurve } from "../venues/observedCurve";
import type { RateModel } from "../venues/rateModel";

const DAY = 86_400;
/** Simple rates are of a year of 365 days, in seconds: as Aave and Compound count. */
export const SECONDS_PER_YEAR = 365 * DAY;

/** A curve is fitted to so much of the past, at the beginning of each such period. */
const CURVE_WINDOW = 60 * DAY;
const CURVE_EVERY = 7 * DAY;

/** A supply rate above 10,000 % a year is no rate; the dearest in the history of small markets is 6,600 %. */
const MOST_RATE = 100;

/** What of a row a backtest reads. */
export type RateRow = Pick<HistoryRow, "observedAt" | "availableAt" | "suppliedUsd" | "borrowedUsd" | "supplyApr"> &
  Partial<Pick<HistoryRow, "borrowApr">>;

/** Rows in order of `availableAt`; what is missing in one is carried on from the row before. */
export class RateSeries {
  readonly shape: CurveShape;
  readonly length: number;
  readonly observedAt: Float64Array;
  readonly availableAt: Float64Array;
  /** Fraction a year. */
  readonly apr: Float64Array;
  /** USD; NaN: never said so far. */
  readonly supplied: Float64Array;
  /** USD; NaN: never said so far, or (of all rows) a venue that lends nothing out. */
  readonly borrowed: Float64Array;
  /** Fraction a year; NaN: not said. */
  readonly borrowApr: Float64Array;
  /** Whether the venue lends out what is supplied, so that a deposit lowers its rate. */
  readonly lends: boolean;
  readonly #utilisation: Float64Array;
  /** By period from the first row's on; null: not fitted yet. */
  readonly #curves: (ObservedCurve | undefined | null)[] = [];
  readonly #firstPeriod: number;

  /** @throws InputFailure `BACKTEST_RATE`, `BACKTEST_AMOUNT`. */
  constructor(
    readonly name: string,
    rows: readonly RateRow[],
  ) {
    this.shape = shapeOf(name);
    this.lends = rows.some(({ borrowedUsd }) => borrowedUsd !== null);
    const usable = usableRows(name, rows);
    const length = usable.length;
    this.length = length;
    this.observedAt = Float64Array.from(usable, (row) => row.observedAt);
    this.availableAt = Float64Array.from(usable, (row) => row.availableAt);
    this.apr = Float64Array.from(usable, (row) => row.supplyApr ?? NaN);
    this.borrowApr = Float64Array.from(usable, (row) => row.borrowApr ?? NaN);
    this.supplied = carriedOn(usable.map((row) => row.suppliedUsd));
    this.borrowed = carriedOn(usable.map((row) => row.borrowedUsd));
    this.#firstPeriod = Math.floor((this.observedAt[0] ?? 0) / CURVE_EVERY);
    this.#utilisation = this.borrowed.map((borrowed, row) => borrowed / (this.supplied[row] as number));
  }

  /** The rows again, as they were taken. */
  rows(): RateRow[] {
    const known = (value: number | undefined): number | null =>
      value === undefined || Number.isNaN(value) ? null : value;
    return Array.from({ length: this.length }, (_, row) => ({
      observedAt: this.observedAt[row] as number,
      availableAt: this.availableAt[row] as number,
      suppliedUsd: known(this.supplied[row]),
      borrowedUsd: known(this.borrowed[row]),
      supplyApr: this.apr[row] as number,
      ...(Number.isNaN(this.borrowApr[row]) ? {} : { borrowApr: this.borrowApr[row] as number }),
    }));
  }

  /** Share of the market that was lent out, as a row says. */
  utilisation(row: number): number {
    return this.#utilisation[row] as number;
  }

  /** Number of rows that were available at `at`. */
  knownAt(at: number): number {
    return countUpTo(this.availableAt, at);
  }

  /** Number of rows that were observed up to `at`. */
  observedBy(at: number): number {
    return countUpTo(this.observedAt, at);
  }

  /** The curve as it was known at the beginning of the period that `at` is in. */
  curveAt(at: number): ObservedCurve | undefined {
    const period = Math.floor(at / CURVE_EVERY) - this.#firstPeriod;
    if (period < 0) return undefined;
    const known = this.#curves[period];
    if (known !== null && period < this.#curves.length) return known;
    const begin = (period + this.#firstPeriod) * CURVE_EVERY;
    const curve = fitCurve(this.shape, {
      utilisation: this.#utilisation,
      apr: this.apr,
      from: this.observedBy(begin - CURVE_WINDOW),
      to: this.knownAt(begin),
    });
    while (this.#curves.length <= period) this.#curves.push(null);
    this.#curves[period] = curve;
    return curve;
  }

  /** The rate model of a row, to keep: what a decision that knows no later row takes for the present. */
  modelOf(row: number, priceTaker: boolean): RateModel {
    const apr = this.apr[row] as number;
    if (priceTaker || !this.lends) return { kind: "fixed", apr };
    const model = new ObservedModel(this.shape);
    const curve = this.curveAt(this.observedAt[row] as number);
    return { ...model.at(this.supplied[row] as number, this.borrowed[row] as number, apr, curve) };
  }
}

/** Rows that say a rate, but for news of the past: a row about an older state than the one before says nothing of now. */
function usableRows(name: string, rows: readonly RateRow[]): RateRow[] {
  let latest = -Infinity;
  return rows.filter((row) => {
    if (row.supplyApr === null || row.observedAt < latest) return false;
    latest = row.observedAt;
    check(name, row);
    return true;
  });
}

function check(name: string, { availableAt, supplyApr, suppliedUsd, borrowedUsd }: RateRow): void {
  const at = (column: string): string => `${name}: ${column} at available_at ${availableAt}`;
  if (supplyApr !== null && !(supplyApr >= 0 && supplyApr <= MOST_RATE)) {
    throw new InputFailure("BACKTEST_RATE", `${supplyApr} is no rate as a fraction a year (5 % is 0.05)`, {
      field: at("supply_apr"),
      remedy: "Correct the row, or leave the series out.",
    });
  }
  for (const [column, value] of [
    ["supplied_usd", suppliedUsd],
    ["borrowed_usd", borrowedUsd],
  ] as const) {
    if (value === null || value >= 0) continue;
    throw new InputFailure("BACKTEST_AMOUNT", `${value} is below zero`, {
      field: at(column),
      remedy: "Correct the row, or leave the series out.",
    });
  }
}

function carriedOn(values: readonly (number | null)[]): Float64Array {
  let last = NaN;
  return Float64Array.from(values, (value) => (last = value ?? last));
}

/** Number of leading values that are at most `bound`; the values ascend. */
function countUpTo(values: Float64Array, bound: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
