// Events that hurt a lender, hour by hour of a recorded series, and lost pegs of a recorded price: which hours a model of risk is asked
// about, and what came. The same definitions as where those models are trained and scored (ml/tillerml/risk.py, pegs.py,
// dataset.py), which a cross-check holds.
import { FEATURES, HORIZONS } from "../../forecast/features";
import { ILLIQUID, type LenderEvent } from "../../forecast/riskModel";
import { columnOf } from "../../forecast/served";
import { DEPEGGED, OF_PEGS, PEG_FEATURES } from "../../forecast/pegFeatures";
import { HOUR, type AskedHours, type Hours } from "./hours";

export interface RiskEvent {
  readonly kind: LenderEvent;
  /** How far ahead it is asked for. */
  readonly horizonHours: number;
}

/** By hour of the series, 0 or 1. */
export interface EventHours {
  /** It comes strictly after the hour, within the horizon. */
  readonly happens: Uint8Array;
  /** What comes of it is known, and it is not there already. */
  readonly asked: Uint8Array;
  /** The same, and it was not there in the {@link QUIET_HOURS} before either: of each crisis the first hours. */
  readonly quiet: Uint8Array;
  /** The hour's state is of the hour that ended. */
  readonly fresh: Uint8Array;
  /** The reserve is past its first weeks and not wound down, and its rate now and of the next hour is known; of a price always. */
  readonly usable: Uint8Array;
  /** The one column that nearly is the model: utilisation, the rate over its EWMA, a price's distance from 1; float32 as it is seen. */
  readonly rule: Float32Array;
}

/** Hours without the event between two events. */
export const QUIET_HOURS = 24;
/** Of the rate now: a mean of less is a collapse. */
const COLLAPSED = 0.5;
/** Below it rates jump with single deposits. */
const LEAST_SUPPLIED_USD = 1e7;
const FRESH_HOURS = 1;
/** Added to the EWMA before it divides, fraction a year: a float32. */
const RATIO_FLOOR = Math.fround(0.005);

const [APR, EWMA, UTILISATION, SUPPLIED, AGE] = ["apr", "ewma_24h", "utilisation", "supplied", "age"].map((name) =>
  columnOf(name),
) as [...[number, number, number, number, number]];

const [DISTANCE, PRICE_AGE] = ["distance", "age"].map((name) => columnOf(name, OF_PEGS)) as [number, number];

/** @param hours Up to the event's horizon after the last hour that is looked at. */
export function eventHours(hours: Hours, event: RiskEvent): EventHours {
  const { count, features, targets } = hours;
  const [width, horizons] = [FEATURES.length, HORIZONS.length];
  const feature = (k: number, column: number): number => features[k * width + column] as number;
  const out = emptyHours(count);
  for (let k = 0; k < count; k += 1) {
    const isKnown = Number.isFinite(feature(k, APR)) && Number.isFinite(targets[k * horizons]);
    out.usable[k] = isKnown && feature(k, SUPPLIED) > Math.log(LEAST_SUPPLIED_USD) ? 1 : 0;
    out.fresh[k] = Math.fround(feature(k, AGE)) < FRESH_HOURS ? 1 : 0;
    out.rule[k] =
      event.kind === "apr-collapse"
        ? Math.fround(feature(k, APR)) / Math.fround(Math.fround(feature(k, EWMA)) + RATIO_FLOOR)
        : feature(k, UTILISATION);
  }
  if (event.kind === "apr-collapse") {
    const horizon = HORIZONS.findIndex((horizonHours) => horizonHours === event.horizonHours);
    for (let k = 0; k < count; k += 1) {
      const [came, apr] = [targets[k * horizons + horizon] ?? NaN, feature(k, APR)];
      out.happens[k] = came < COLLAPSED * apr ? 1 : 0;
      out.asked[k] = out.quiet[k] = Number.isFinite(came) && apr > 0 ? 1 : 0;
    }
    return out;
  }
  const used = Float64Array.from({ length: count }, (_, k) => feature(k, UTILISATION));
  markAbove(out, used, { above: ILLIQUID, horizonHours: event.horizonHours });
  return out;
}

/** That a price is too far from 1 at some hour of the horizon. */
export function depegHours({ count, features }: AskedHours, horizonHours: number): EventHours {
  const out = emptyHours(count);
  const feature = (k: number, column: number): number => features[k * PEG_FEATURES.length + column] as number;
  out.usable.fill(1);
  for (let k = 0; k < count; k += 1) {
    out.fresh[k] = Math.fround(feature(k, PRICE_AGE)) < FRESH_HOURS ? 1 : 0;
    out.rule[k] = feature(k, DISTANCE);
  }
  const distance = Float64Array.from({ length: count }, (_, k) => feature(k, DISTANCE));
  markAbove(out, distance, { above: DEPEGGED, horizonHours });
  return out;
}

function emptyHours(count: number): EventHours {
  return {
    ...{ happens: new Uint8Array(count), asked: new Uint8Array(count), quiet: new Uint8Array(count) },
    ...{ fresh: new Uint8Array(count), usable: new Uint8Array(count), rule: new Float32Array(count) },
  };
}

/** The event is that a column is above something. */
function markAbove(
  out: EventHours,
  values: Float64Array,
  { above, horizonHours }: { readonly above: number; readonly horizonHours: number },
): void {
  const ahead = greatest(values, horizonHours);
  const past = greatest(values, QUIET_HOURS + 1);
  for (let k = 0; k + horizonHours < values.length; k += 1) {
    out.happens[k] = (ahead[k + horizonHours] as number) > above ? 1 : 0;
    out.asked[k] = (values[k] as number) <= above ? 1 : 0;
    out.quiet[k] = out.asked[k] === 1 && (past[k] as number) <= above ? 1 : 0;
  }
}

/** By place: the greatest of the last `length` values up to it; −∞ where none of them is a number. */
function greatest(values: Float64Array, length: number): Float64Array {
  const out = new Float64Array(values.length);
  // Places of values that none after them has reached yet, greatest first.
  const waiting = new Int32Array(values.length);
  let [begin, end] = [0, 0];
  for (let k = 0; k < values.length; k += 1) {
    const value = values[k] as number;
    if (!Number.isNaN(value)) {
      while (end > begin && (values[waiting[end - 1] as number] as number) <= value) end -= 1;
      waiting[end] = k;
      end += 1;
    }
    while (begin < end && (waiting[begin] as number) <= k - length) begin += 1;
    out[k] = begin < end ? (values[waiting[begin] as number] as number) : -Infinity;
  }
  return out;
}

/** Hours that are learnt from and scored: neighbours say the same. */
const THIN = 3;

/** Whether an hour of the clock is one of those. */
export function isThin(at: number): boolean {
  return Math.floor(at / HOUR) % THIN === 0;
}
