// The concave envelope of a venue's gain over the horizon: the tightest concave curve on or above it. Gas (a spike at
// the amount held now), a pool above its kink and Aave's far convex stretch make the gain itself not concave; over the
// envelope water-filling is exact, and branch and bound closes what is left between the two.
import { supplyApr, type RateModel } from "../venues/rateModel";
import { segments, type IncomeSegment } from "../venues/incomeSegments";
import { Arc, type ArcTerms } from "./arc";

/** What a venue brings to the problem, bounds already narrowed to what can hold. Amounts in USD. */
export interface VenueTerms {
  readonly model: RateModel;
  readonly current: number;
  readonly least: number;
  readonly most: number;
  /** Fraction a year. */
  readonly expectedLossApr: number;
  /** Fraction of the amount moved. */
  readonly costRate: number;
  /** Cost of the square of the amount moved, per USD. */
  readonly bend: number;
  readonly gasUsd: number;
  readonly years: number;
}

/** Part of a venue's range; `stay`: the amount held now, free of gas, is in it. */
interface Domain {
  readonly from: number;
  readonly to: number;
  readonly stay: boolean;
}

interface Part {
  readonly segment: IncomeSegment;
  readonly terms: ArcTerms;
  readonly from: number;
  readonly to: number;
}

/** Steps of the search for a common tangent; Newton needs about six, bisection inside its bracket the rest. */
const MAX_TANGENT_STEPS = 100;

/** Where a convex stretch is cut by branching, no nearer to its ends than this share of its width. */
const LEAST_CUT = 0.1;

/** A venue's gain over the horizon: income less expected loss and the cost of the change. */
export class VenueCurve {
  private readonly parts: Part[] = [];
  readonly whole: Domain;

  constructor(readonly venue: VenueTerms) {
    const { model, current, least, most, expectedLossApr, costRate, bend, gasUsd, years } = venue;
    const loss = -years * expectedLossApr;
    const move = { years, bend, centre: current };
    const below = { ...move, slope: loss + costRate, constant: -costRate * current - gasUsd };
    const above = { ...move, slope: loss - costRate, constant: costRate * current - gasUsd };
    for (const segment of segments(model, least, most)) {
      const { from, to } = segment;
      if (current > from && current < to) {
        this.parts.push({ segment, terms: below, from, to: current });
        this.parts.push({ segment, terms: above, from: current, to });
      } else {
        this.parts.push({ segment, terms: to <= current ? below : above, from, to });
      }
    }
    this.whole = { from: least, to: most, stay: current >= least && current <= most };
  }

  /** Gain over the horizon of holding x, USD. */
  value(x: number): number {
    const { model, current, expectedLossApr, costRate, bend, gasUsd, years } = this.venue;
    const held = years * x * (supplyApr(model, x) - expectedLossApr);
    const way = Math.abs(x - current);
    return x === current ? held : held - costRate * way - bend * way * way - gasUsd;
  }

  /** The pieces on a domain, in order of the amount, ready for the hull. */
  arcs({ from, to, stay }: Domain): Arc[] {
    const { current, gasUsd } = this.venue;
    if (from === to && from === current && stay) return [this.staying()];
    const spike = stay && gasUsd > 0;
    const out: Arc[] = [];
    let last: Arc | undefined;
    let stayed = !spike;
    for (const { segment, terms, from: partFrom, to: partTo } of this.parts) {
      const start = Math.max(partFrom, from);
      const end = Math.min(partTo, to);
      if (start > end || (start === end && from !== to)) continue;
      if (!stayed && start >= current) {
        out.push((last = this.staying()));
        stayed = true;
      }
      if (segment.shape !== "convex") {
        // The end of a convex stretch is the first point of this piece.
        if (last !== undefined && last.from === start && last.to === start && !(spike && start === current)) out.pop();
        out.push((last = new Arc(segment, terms, start, end)));
        continue;
      }
      // Nothing inside a convex stretch is ever best, at any price: its ends stand for it.
      if (last?.to !== start) out.push((last = new Arc(segment, terms, start, start)));
      if (end !== start) out.push((last = new Arc(segment, terms, end, end)));
    }
    if (!stayed) out.push(this.staying());
    return out;
  }

  /** What is held now, as a point: its own income, no cost. */
  private staying(): Arc {
    const { model, current, years, expectedLossApr } = this.venue;
    const [segment] = segments(model, current, current);
    if (segment === undefined) throw new RangeError("a venue without an income segment");
    return new Arc(
      segment,
      { years, slope: -years * expectedLossApr, constant: 0, bend: 0, centre: 0 },
      current,
      current,
    );
  }

  /** Ends of the pieces strictly between two amounts. */
  boundaryNear(x: number, low: number, high: number): number | undefined {
    let best: number | undefined;
    for (const { from } of this.parts) {
      if (from > low && from < high && (best === undefined || Math.abs(from - x) < Math.abs(best - x))) best = from;
    }
    return best;
  }
}

/** The envelope of a venue's gain over one domain, and how to split that domain where the envelope is not the gain. */
export class Envelope {
  readonly arcs: Arc[] = [];
  /** Price at which arc j takes over from arc j − 1, descending; the first is +∞. */
  readonly starts: number[] = [];
  /** Prices at which the amount wanted jumps: bridges over a gap, and straight lines. */
  readonly jumps: number[] = [];

  constructor(
    readonly curve: VenueCurve,
    readonly domain: Domain = curve.whole,
  ) {
    const hasSpike = curve.venue.gasUsd > 0;
    const { current } = curve.venue;
    for (const arc of curve.arcs(domain)) this.add(arc, hasSpike ? current : Number.NaN);
    for (let j = 0; j < this.arcs.length; j++) {
      const arc = this.arcs[j] as Arc;
      const start = this.starts[j] as number;
      if (!arc.curved && arc.from < arc.to) this.jumps.push(arc.slopeFrom);
      if (j > 0 && arc.least(start) > (this.arcs[j - 1] as Arc).most(start)) this.jumps.push(start);
    }
  }

  /** The least amount wanted at a price. */
  least(price: number): number {
    const { starts, arcs } = this;
    let j = arcs.length - 1;
    while (j > 0 && price >= (starts[j] as number)) j--;
    return (arcs[j] as Arc).least(price);
  }

  /** The largest amount wanted at a price. */
  most(price: number): number {
    return this.arcAt(price).most(price);
  }

  /** max over the domain of gain − price·x. */
  surplus(price: number): number {
    const arc = this.arcAt(price);
    const x = arc.most(price);
    const value = x === arc.to ? arc.valueTo : x === arc.from ? arc.valueFrom : arc.value(x);
    return value - price * x;
  }

  /** How fast the amount wanted falls with the price; 0 where it is pinned. */
  response(price: number, x: number): number {
    const arc = this.arcAt(price);
    if (!arc.curved || x <= arc.from || x >= arc.to) return 0;
    return 1 / arc.curvature(x);
  }

  /** The envelope's own value, slope and curvature at x; outside the domain nothing is worth having. */
  at(x: number): { readonly value: number; readonly slope: number; readonly curvature: number } {
    const { arcs, starts } = this;
    for (let j = 0; j < arcs.length; j++) {
      const arc = arcs[j] as Arc;
      const start = starts[j] as number;
      const low = j === 0 ? arc.from : arc.least(start);
      const before = arcs[j - 1];
      if (x < low && before === undefined) break;
      if (x < low && before !== undefined) {
        const touch = before.most(start);
        return { value: before.value(touch) + start * (x - touch), slope: start, curvature: 0 };
      }
      const next = starts[j + 1];
      const high = next === undefined ? arc.to : arc.most(next);
      if (x <= high) {
        return { value: arc.value(x), slope: arc.slope(x), curvature: arc.curved ? arc.curvature(x) : 0 };
      }
    }
    return { value: Number.NEGATIVE_INFINITY, slope: 0, curvature: 0 };
  }

  /** Amounts at which the envelope goes over from one piece or bridge to the next. */
  ends(): number[] {
    const { arcs, starts } = this;
    return arcs.flatMap((arc, j) => {
      const next = starts[j + 1];
      return [j === 0 ? arc.from : arc.least(starts[j] as number), next === undefined ? arc.to : arc.most(next)];
    });
  }

  /** Domain split in two so that x is no longer between two pieces; undefined where the envelope is the gain at x. */
  split(x: number): readonly [Envelope, Envelope] | undefined {
    const bridge = this.bridgeAt(x);
    if (bridge === undefined) return undefined;
    const { low, high } = bridge;
    const { from, to, stay } = this.domain;
    const { current, gasUsd } = this.curve.venue;
    if (stay && gasUsd > 0 && current >= low && current <= high) {
      const stayLeft = current < high;
      return [this.over({ from, to: current, stay: stayLeft }), this.over({ from: current, to, stay: !stayLeft })];
    }
    const margin = LEAST_CUT * (high - low);
    const cut = this.curve.boundaryNear(x, low, high) ?? Math.min(high - margin, Math.max(low + margin, x));
    if (!(cut > low && cut < high)) return undefined;
    return [
      this.over({ from, to: cut, stay: stay && current <= cut }),
      this.over({ from: cut, to, stay: stay && current > cut }),
    ];
  }

  private over(domain: Domain): Envelope {
    return new Envelope(this.curve, domain);
  }

  private arcAt(price: number): Arc {
    const { starts, arcs } = this;
    let j = arcs.length - 1;
    while (j > 0 && price > (starts[j] as number)) j--;
    return arcs[j] as Arc;
  }

  private bridgeAt(x: number): { low: number; high: number } | undefined {
    for (let j = 1; j < this.arcs.length; j++) {
      const start = this.starts[j] as number;
      const low = (this.arcs[j - 1] as Arc).most(start);
      const high = (this.arcs[j] as Arc).least(start);
      if (x > low && x < high) return { low, high };
    }
    return undefined;
  }

  /** Upper hull, as for lines: a piece that the next one overtakes before it comes into its own never shows. */
  private add(arc: Arc, spikeAt: number): void {
    const { arcs, starts } = this;
    for (;;) {
      const top = arcs[arcs.length - 1];
      if (top === undefined) {
        arcs.push(arc);
        starts.push(Number.POSITIVE_INFINITY);
        return;
      }
      const start = tangent(top, arc, spikeAt);
      if (start === Number.NEGATIVE_INFINITY) return;
      if (start < (starts[starts.length - 1] as number)) {
        arcs.push(arc);
        starts.push(start);
        return;
      }
      arcs.pop();
      starts.pop();
    }
  }
}

/** Slope of the line that touches both pieces from above, `left` first: the price at which `right` takes over. */
function tangent(left: Arc, right: Arc, spikeAt: number): number {
  if (left.to === right.from) {
    // The only jump in value is at the spike; elsewhere pieces meet.
    if (left.to !== spikeAt && left.slopeTo >= right.slopeFrom) return left.slopeTo;
    if (left.from === left.to && left.valueTo <= right.valueFrom) return Number.POSITIVE_INFINITY;
    if (right.from === right.to && right.valueFrom <= left.valueTo) return Number.NEGATIVE_INFINITY;
  }
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  let price = (right.valueTo - left.valueFrom) / (right.to - left.from);
  for (let step = 0; step < MAX_TANGENT_STEPS; step++) {
    const a = left.most(price);
    const b = right.least(price);
    const valueA = left.value(a);
    const valueB = right.value(b);
    const lead = valueB - valueA - price * (b - a);
    if (lead === 0) break;
    if (lead > 0) low = price;
    else high = price;
    // The line through both points of contact is Newton's step.
    let next: number;
    if (b > a) next = (valueB - valueA) / (b - a);
    else if (lead > 0) next = (right.valueFrom - left.valueFrom) / (right.from - left.from);
    else next = (right.valueTo - left.valueTo) / (right.to - left.to);
    if (!(next > low && next < high)) {
      if (low === Number.NEGATIVE_INFINITY || high === Number.POSITIVE_INFINITY) break;
      next = (low + high) / 2;
    }
    if (Math.abs(next - price) <= 1e-15 * Math.abs(next)) {
      price = next;
      break;
    }
    price = next;
  }
  return price;
}
