// The rate model of a market of which only amounts and the rate paid were recorded: history says neither kinks nor slopes.
// Both protocols start at nothing lent out, nothing paid, and rise along one line to the kink and along a steeper one beyond;
// so the point that was observed gives the line below the kink, and where it lies above, what the market paid before says
// where the kink is. What our deposit does to the rate follows; it is right at no deposit to the last digit.
import type { RateModel } from "./rateModel";

/**
 * `aave`: what suppliers get of each unit that is lent out is the kinked line, so their rate is utilisation times it (Aave V2
 * and V3, Compound V2). `kinked-supply`: the supply rate is the kinked line itself (Compound V3). The first falls faster with
 * our deposit below the kink, so it is also what an unknown market is taken for.
 */
export type CurveShape = "aave" | "kinked-supply";

export function shapeOf(series: string): CurveShape {
  return /^(compound-v3|comet)\b/.test(series) ? "kinked-supply" : "aave";
}

/** What a market was seen to do: its line below the kink, and the utilisation up to which it was on it. */
export interface ObservedCurve {
  /** Rate of the line per utilisation, a year. */
  readonly slope: number;
  readonly kink: number;
}

/** One state of a market, without our position. Null: not known, or the venue lends nothing out. */
export interface ObservedState {
  readonly supplied: number;
  readonly borrowed: number | null;
  /** Fraction a year. */
  readonly supplyApr: number;
}

/** A rate this much above the line is beyond the kink; amounts and rates of one row are of moments that differ a little. */
const OFF_THE_LINE = 0.02;

/** The line is that of the lowest tenth of what was seen: a few rows that pay less than the market ever did are wrong. */
const LINE_QUANTILE = 0.1;

/** The kink is above nearly all that was seen on the line: the rest has amounts and rates of different moments. */
const KINK_QUANTILE = 0.99;

/** Fewer states say nothing of a line. */
const LEAST_STATES = 24;

/** States beyond the kink that are nearer to each other say nothing of the line's slope. */
const LEAST_SPREAD = 0.003;

/** Rise of the rate from kink to all lent out, a year, where it was never seen: what stablecoin markets in use have. */
const USUAL_RISE = 0.6;

/** Above this utilisation there is no stretch beyond the kink that a rate could rise over. */
const MOST_KINK = 0.99;

/** Of rows `from` … `to` − 1. */
export interface States {
  readonly utilisation: Float64Array;
  readonly apr: Float64Array;
  readonly from: number;
  readonly to: number;
}

/**
 * The curve behind states (utilisation, supply rate) of one market; undefined where too few are usable. States of before a
 * change of parameters are among them for as long as the caller remembers: then the line is the lower one, and what pays
 * more is taken for a market above its kink, which loses more by our deposit.
 */
export function fitCurve(
  shape: CurveShape,
  states: {
    readonly utilisation: Float64Array;
    readonly apr: Float64Array;
    readonly from: number;
    readonly to: number;
  },
): ObservedCurve | undefined {
  const slopes = new Float64Array(Math.max(0, states.to - states.from));
  let count = 0;
  for (let i = states.from; i < states.to; i += 1) {
    const slope = lineSlope(shape, states.utilisation[i] as number, states.apr[i] as number);
    if (slope > 0 && slope < Infinity) slopes[count++] = slope;
  }
  if (count < LEAST_STATES) return undefined;
  const slope = slopes.subarray(0, count).sort()[Math.floor(LINE_QUANTILE * count)] as number;
  const onLine = new Float64Array(count);
  let seen = 0;
  for (let i = states.from; i < states.to; i += 1) {
    const u = states.utilisation[i] as number;
    const own = lineSlope(shape, u, states.apr[i] as number);
    if (own > 0 && own <= slope * (1 + OFF_THE_LINE)) onLine[seen++] = u;
  }
  const kink = onLine.subarray(0, seen).sort()[Math.floor(KINK_QUANTILE * seen)] as number;
  return { slope, kink: Math.min(Math.max(kink, whereSteepLineMeets(shape, states, { slope, kink })), MOST_KINK) };
}

/**
 * Where the line of the states beyond the kink meets the one below it; 0 where too few are beyond, or too near each other, to
 * say. States close to the kink are rare, so the last one seen on the lower line is below it.
 */
function whereSteepLineMeets(shape: CurveShape, states: States, { slope, kink }: ObservedCurve): number {
  const beyond: { readonly u: number; readonly value: number }[] = [];
  for (let i = states.from; i < states.to; i += 1) {
    const [u, apr] = [states.utilisation[i] as number, states.apr[i] as number];
    if (u > kink && u <= 1 && lineSlope(shape, u, apr) > slope * (1 + OFF_THE_LINE)) {
      beyond.push({ u, value: shape === "aave" ? apr / u : apr });
    }
  }
  if (beyond.length < LEAST_STATES) return 0;
  beyond.sort((a, b) => a.u - b.u);
  // Through the middle of the lower half and that of the upper one: a few wrong states do not turn it.
  const half = beyond.length >> 1;
  const [near, far] = [middleOf(beyond.slice(0, half)), middleOf(beyond.slice(half))];
  const steep = (far.value - near.value) / (far.u - near.u);
  if (!(far.u - near.u > LEAST_SPREAD && steep > slope)) return 0;
  const meet = (steep * near.u - near.value) / (steep - slope);
  return meet < near.u ? meet : 0;
}

function middleOf(points: readonly { readonly u: number; readonly value: number }[]): { u: number; value: number } {
  const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number;
  return { u: median(points.map(({ u }) => u)), value: median(points.map(({ value }) => value)) };
}

/** Slope of the line from nothing through a state; NaN or 0 of a state without a rate or utilisation. */
function lineSlope(shape: CurveShape, utilisation: number, apr: number): number {
  const u = utilisation > 1 ? 1 : utilisation;
  return shape === "aave" ? apr / (u * u) : apr / u;
}

/** A rate model whose numbers are written anew for each state: of one market, over a long history. */
export class ObservedModel {
  readonly #pool;
  readonly #fixed = { kind: "fixed" as const, apr: 0 };
  readonly #shared = { kind: "liquidity" as const, pool: 0, fees: 0, apr: 0 };

  constructor(readonly shape: CurveShape) {
    this.#pool =
      shape === "aave"
        ? { kind: shape, supplied: 0, borrowed: 0, base: 0, slope1: 0, slope2: 0, kink: 0, reserveFactor: 0 }
        : { kind: shape, supplied: 0, borrowed: 0, base: 0, slopeLow: 0, slopeHigh: 0, kink: 0 };
  }

  /** The model at a state. The object is the next call's too: {@link observedModel} makes one to keep. */
  at(supplied: number, borrowed: number, apr: number, curve: ObservedCurve | undefined): RateModel {
    if (Number.isNaN(borrowed)) {
      this.#fixed.apr = apr;
      return this.#fixed;
    }
    if (!(borrowed > 0) || !(supplied > 0)) {
      // A rate without anything lent out fits no curve: what is paid is shared with us.
      this.#shared.pool = Math.max(0, supplied);
      this.#shared.fees = apr * this.#shared.pool;
      return this.#shared;
    }
    const u = Math.min(1, borrowed / supplied);
    const pool = this.#pool;
    const own = lineSlope(this.shape, u, apr);
    const above = curve !== undefined && u > curve.kink && own > curve.slope * (1 + OFF_THE_LINE);
    const slope = above ? curve.slope : own;
    const kink = above ? curve.kink : Math.max(u, curve?.kink ?? 0);
    // Of the kinked line, at the state: what suppliers get of each unit lent out, or their rate itself.
    const value = this.shape === "aave" ? apr / u : apr;
    const steep = above ? (value - slope * kink) / (u - kink) : USUAL_RISE / Math.max(1 - kink, 1 - MOST_KINK);
    pool.supplied = supplied;
    pool.borrowed = borrowed;
    pool.kink = kink;
    if (pool.kind === "aave") {
      // Net of what the protocol keeps, so that the rate that borrowers pay need not be known.
      pool.slope1 = slope * kink;
      pool.slope2 = steep * (1 - kink);
    } else {
      pool.slopeLow = slope;
      pool.slopeHigh = steep;
    }
    return pool;
  }
}

/** The rate model of one state, to keep. */
export function observedModel(shape: CurveShape, state: ObservedState, curve: ObservedCurve | undefined): RateModel {
  const { supplied, borrowed, supplyApr } = state;
  return { ...new ObservedModel(shape).at(supplied, borrowed ?? NaN, supplyApr, curve) };
}
