// The curve that gives a pool its borrow rate for its utilisation, as the rows of late show it: whether a new row is of it. One
// row alone does not tell a new curve from a rate and amounts of different moments. A new curve lasts, and it is said once it has.
import { RollingMedian } from "./rollingMedian";

/**
 * `off`: not of the curve. `changed`: the third state in a row that is not, and the three are of one curve, from now on the
 * curve.
 */
export type Standing = "on" | "off" | "changed";

export interface RatePoint {
  /** What is lent out of what there is. */
  readonly utilisation: number;
  /** Fraction a year; not zero. */
  readonly rate: number;
  /** Unix seconds of the state: a row that repeats the one before says nothing new. */
  readonly observedAt: number;
}

/** States that "of late" means: a week, where something happens every hour. */
const WINDOW = 168;
/** States off the curve, one after the other, that make another one: two would make one of single hours, four come later. */
const LASTING = 3;

/** No curve in use is steeper than this much rate per utilisation (Aave's 300 % over the last tenth is 30). */
const STEEPEST = 40;
/** Rates that differ by less are taken for equal; the changes of parameters that histories show are of twice that and more. */
const LEAST_MOVE = 0.002;
/**
 * By how much utilisation may be another than the one that the rate was set for: treasury and stable debt count in one and not
 * in the other, and interest accrues. Where the curve is steep that is more than the least move.
 */
const UTILISATION_ERROR = 5e-4;

/** Two utilisations that are the same, for what the rate does between them. */
const SAME_UTILISATION = 1e-4;
/**
 * Rates of a source that makes a year of the day's blocks move though nothing happens, by a quarter of a percent from hour to
 * hour and up to this many times as much over days. Other sources' do not.
 */
const JITTERS = 15;
/** Fewer moves say nothing of what is usual. */
const LEAST_MOVES = 24;

export class RateCurve {
  readonly #jitter = new RollingMedian(WINDOW);
  #curve = new CurvePoints();
  /** The states since the last one on the curve, as far as they are of one curve. */
  #suspects = new CurvePoints();
  #last: RatePoint | null = null;
  #standing: Standing = "on";

  /** Of the next row of a series, oldest first. */
  standingOf(point: RatePoint): Standing {
    const last = this.#last;
    if (last?.observedAt === point.observedAt) return this.#standing === "off" ? "off" : "on";
    this.#last = point;
    if (last !== null && Math.abs(point.utilisation - last.utilisation) < SAME_UTILISATION) {
      this.#jitter.add(Math.abs(point.rate / last.rate - 1));
    }
    return (this.#standing = this.#judge(point));
  }

  #judge(point: RatePoint): Standing {
    const jitter = this.#jitter.size < LEAST_MOVES ? 0 : this.#jitter.median();
    const tolerance = LEAST_MOVE + JITTERS * jitter * Math.abs(point.rate);
    if (this.#curve.allows(point, tolerance)) {
      this.#curve.add(point);
      this.#dropSuspects();
      return "on";
    }
    if (!this.#suspects.allows(point, tolerance)) this.#dropSuspects();
    this.#suspects.add(point);
    if (this.#suspects.size < LASTING) return "off";
    this.#curve = this.#suspects;
    this.#suspects = new CurvePoints();
    return "changed";
  }

  #dropSuspects(): void {
    if (this.#suspects.size > 0) this.#suspects = new CurvePoints();
  }
}

/** The last points, in order of utilisation, of equal ones the older first. */
class CurvePoints {
  readonly #utilisations = new Float64Array(WINDOW);
  readonly #rates = new Float64Array(WINDOW);
  /** Utilisations in order of time; `#next` is where the next one goes. */
  readonly #queue = new Float64Array(WINDOW);
  #next = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add({ utilisation, rate }: RatePoint): void {
    const [utilisations, rates] = [this.#utilisations, this.#rates];
    // The place of the oldest, or a new one at the end, is moved to where the point belongs.
    let place = this.#size < WINDOW ? this.#size++ : this.#placeOf(this.#queue[this.#next] as number);
    const size = this.#size;
    this.#queue[this.#next] = utilisation;
    this.#next = (this.#next + 1) % WINDOW;
    for (; place + 1 < size && (utilisations[place + 1] as number) <= utilisation; place += 1) {
      utilisations[place] = utilisations[place + 1] as number;
      rates[place] = rates[place + 1] as number;
    }
    for (; place > 0 && (utilisations[place - 1] as number) > utilisation; place -= 1) {
      utilisations[place] = utilisations[place - 1] as number;
      rates[place] = rates[place - 1] as number;
    }
    utilisations[place] = utilisation;
    rates[place] = rate;
  }

  /** Whether a curve that never falls and is nowhere steeper than {@link STEEPEST} passes by the point and its neighbours. */
  allows({ utilisation, rate }: RatePoint, tolerance: number): boolean {
    return this.#touches(utilisation, rate, tolerance) || this.#isBetween(utilisation, rate, tolerance);
  }

  /** By the nearest on either side, the newest of equal ones. */
  #touches(utilisation: number, rate: number, tolerance: number): boolean {
    const [below, above] = [this.#below(utilisation), this.#above(utilisation)];
    if (below >= 0) {
      const rise = rate - (this.#rates[below] as number);
      const run = utilisation - (this.#utilisations[below] as number);
      if (rise < -tolerance || rise > STEEPEST * run + tolerance) return false;
    }
    if (above < this.#size) {
      const rise = (this.#rates[above] as number) - rate;
      const run = (this.#utilisations[above] as number) - utilisation;
      if (rise < -tolerance || rise > STEEPEST * run + tolerance) return false;
    }
    return true;
  }

  /** By the nearest whose utilisation is another for certain; false unless there is one on either side. */
  #isBetween(utilisation: number, rate: number, tolerance: number): boolean {
    const below = this.#below(utilisation - UTILISATION_ERROR);
    const above = this.#above(utilisation + UTILISATION_ERROR);
    if (below < 0 || above >= this.#size) return false;
    const [least, most] = [this.#rates[below] as number, this.#rates[above] as number];
    return rate >= least - tolerance && rate <= most + tolerance;
  }

  /** Place of the greatest utilisation that is at most this one; −1: of none. */
  #below(utilisation: number): number {
    return this.#placeAfter(utilisation) - 1;
  }

  /** Place of the least utilisation that is at least this one; the size: of none. */
  #above(utilisation: number): number {
    const place = this.#placeAfter(utilisation);
    if (place > 0 && this.#utilisations[place - 1] === utilisation) return place - 1;
    return place === this.#size ? place : this.#placeAfter(this.#utilisations[place] as number) - 1;
  }

  /** Place of the first that is at least this. */
  #placeOf(utilisation: number): number {
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#utilisations[middle] as number) < utilisation) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Place of the first that is above this. */
  #placeAfter(utilisation: number): number {
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#utilisations[middle] as number) <= utilisation) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
