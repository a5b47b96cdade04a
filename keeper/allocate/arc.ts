// One piece of a venue's gain over the horizon as a function of the amount held there: a point, a straight line or a
// strictly concave curve on [from, to]. It answers the one question that water-filling asks: at a price per unit of
// money, how much does this piece want?
import type { IncomeSegment } from "../venues/incomeSegments";

/** How a segment of income a year becomes gain over the horizon: scaled, with a cost per unit and a constant added. */
export interface ArcTerms {
  readonly years: number;
  /** Added to the slope, per unit held (expected loss, proportional cost). */
  readonly slope: number;
  /** Added once (gas, the cost's constant part). */
  readonly constant: number;
  /** Taken off for the square of the way from `centre`, the amount held now: what a move's own size costs. */
  readonly bend: number;
  readonly centre: number;
}

/** Newton's method on a monotone cubic ends in four to six steps; bisection inside the bracket needs at most 60. */
const MAX_STEPS = 60;

export class Arc {
  readonly from: number;
  readonly to: number;
  readonly valueFrom: number;
  readonly valueTo: number;
  /** Slope at the left end (+∞ for a point) and the right end (−∞ for a point): the prices at which the ends are left. */
  readonly slopeFrom: number;
  readonly slopeTo: number;
  readonly curved: boolean;
  private readonly terms: ArcTerms;
  private readonly segment: IncomeSegment;

  constructor(segment: IncomeSegment, terms: ArcTerms, from: number, to: number) {
    this.segment = segment;
    this.terms = terms;
    this.from = from;
    this.to = to;
    this.valueFrom = this.value(from);
    if (from === to) {
      this.curved = false;
      this.valueTo = this.valueFrom;
      this.slopeFrom = Number.POSITIVE_INFINITY;
      this.slopeTo = Number.NEGATIVE_INFINITY;
      return;
    }
    this.valueTo = this.value(to);
    this.slopeFrom = this.slope(from);
    // Rounding must not make a concave piece look convex.
    this.slopeTo = Math.min(this.slopeFrom, this.slope(to));
    this.curved = (segment.shape === "concave" || terms.bend > 0) && this.slopeTo < this.slopeFrom;
  }

  /** Gain over the horizon at x, in the money's unit. */
  value(x: number): number {
    const { segment, terms } = this;
    const u = segment.borrowed > 0 ? segment.borrowed / (segment.supplied + x) : 0;
    const rate = segment.constant + u * (segment.linear + segment.quadratic * u);
    const way = x - terms.centre;
    return terms.constant + x * terms.slope - terms.bend * way * way + terms.years * (segment.intercept + x * rate);
  }

  slope(x: number): number {
    const { segment, terms } = this;
    const own = terms.slope - 2 * terms.bend * (x - terms.centre);
    if (segment.borrowed <= 0) return own + terms.years * segment.constant;
    const pool = segment.supplied + x;
    const u = segment.borrowed / pool;
    const theirs = segment.supplied / pool;
    const rate = segment.constant + u * (segment.linear * theirs + segment.quadratic * u * (2 * theirs - 1));
    return own + terms.years * rate;
  }

  /** Derivative of `slope`, ≤ 0 on a curve. */
  curvature(x: number): number {
    const { segment, terms } = this;
    if (segment.borrowed <= 0) return -2 * terms.bend;
    const pool = segment.supplied + x;
    const u = segment.borrowed / pool;
    const theirs = segment.supplied / pool;
    return (
      -2 * terms.bend +
      ((-2 * terms.years * u) / pool) * (segment.linear * theirs + segment.quadratic * u * (3 * theirs - 1))
    );
  }

  /** The least amount that maximises value(x) − price·x on this piece. */
  least(price: number): number {
    if (price >= this.slopeFrom) return this.from;
    if (price < this.slopeTo) return this.to;
    return this.curved ? this.solve(price) : this.to;
  }

  /** The largest amount that maximises value(x) − price·x on this piece. */
  most(price: number): number {
    if (price > this.slopeFrom) return this.from;
    if (price <= this.slopeTo) return this.to;
    return this.curved ? this.solve(price) : this.from;
  }

  /**
   * slope(x) = price on a curve. In s = supplied / (supplied + x), our neighbours' share, the slope is the cubic
   * 2bρ²·s³ + (aρ − bρ²)·s² + constant with ρ = borrowed / supplied, increasing in s on a concave piece.
   */
  private solve(price: number): number {
    const { segment, terms } = this;
    if (terms.bend > 0) return this.descend(price);
    const S = segment.supplied;
    const ratio = segment.borrowed / S;
    const wanted = (price - terms.slope) / terms.years - segment.constant;
    if (segment.quadratic === 0) {
      const share = Math.sqrt(wanted / (segment.linear * ratio));
      return clamp(S / share - S, this.from, this.to);
    }
    const c3 = 2 * segment.quadratic * ratio * ratio;
    const c2 = segment.linear * ratio - c3 / 2;
    let low = S / (S + this.to);
    let high = S / (S + this.from);
    const fraction = (price - this.slopeTo) / (this.slopeFrom - this.slopeTo);
    let s = Math.sqrt(low * low + fraction * (high * high - low * low));
    for (let step = 0; step < MAX_STEPS; step++) {
      const residual = (c3 * s + c2) * s * s - wanted;
      if (residual > 0) high = s;
      else low = s;
      let next = s - residual / ((3 * c3 * s + 2 * c2) * s);
      if (!(next > low && next < high)) next = (low + high) / 2;
      const change = Math.abs(next - s);
      s = next;
      if (change <= 1e-15 * s) break;
    }
    return clamp(S / s - S, this.from, this.to);
  }

  /** slope(x) = price where no form of it solves: Newton's method, kept inside what is known to hold the answer. */
  private descend(price: number): number {
    let low = this.from;
    let high = this.to;
    let x = low + ((high - low) * (this.slopeFrom - price)) / (this.slopeFrom - this.slopeTo);
    for (let step = 0; step < MAX_STEPS; step++) {
      const residual = this.slope(x) - price;
      if (residual > 0) low = x;
      else high = x;
      let next = x - residual / this.curvature(x);
      if (!(next > low && next < high)) next = (low + high) / 2;
      const change = Math.abs(next - x);
      x = next;
      if (change <= 1e-15 * x) break;
    }
    return clamp(x, this.from, this.to);
  }
}

function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}
