// A walk forward through recorded hours with the code that serves: at each hour a forecast and its bounds, from what was known
// then. Intervals learn as they would have live: from errors that had come true.
import type { SeriesColumns } from "../../forecast/features";
import { FEATURES, HORIZONS, targetAt } from "../../forecast/features";
import { Conformal, LEVELS } from "../../forecast/conformal";
import { baselineOf, columnOf, fallbackOf, forecastRows, type DeviationModel } from "../../forecast/served";
import { HOUR, type Hours } from "./hours";

const DEVIATION = columnOf("apr_sd_7d");

/** By hour and horizon; `bounds` besides by level. */
export interface Walk {
  readonly point: Float64Array;
  readonly bounds: Float64Array;
  /** 1: the model that serves this horizon was trained on the hour, or on what came of it. */
  readonly seen: Uint8Array;
}

export interface WalkModel extends DeviationModel {
  /** Unix seconds. */
  readonly trainWindow: { readonly from: number; readonly to: number };
}

/** Hours that a model answers at a time. */
const BATCH = 4_096;

/** @param columns Of the series that `hours` are of. */
export async function walk(hours: Hours, columns: SeriesColumns, model: WalkModel | null): Promise<Walk> {
  const { count, from, features } = hours;
  const width = HORIZONS.length;
  const point = new Float64Array(count * width);
  const seen = new Uint8Array(count * width);
  const bounds = new Float64Array(count * width * LEVELS.length);
  for (let begin = 0; begin < count; begin += BATCH) {
    const end = Math.min(count, begin + BATCH);
    const rows = features.subarray(begin * FEATURES.length, end * FEATURES.length);
    // A model need not be asked about hours that it was trained on at every horizon.
    const isKnown = HORIZONS.every((_, h) => isSeen(model, h, from + (end - 1) * HOUR) || model?.serves[h] !== true);
    point.set((await forecastRows(rows, isKnown ? null : model)).point, begin * width);
  }
  HORIZONS.forEach((horizon, h) => {
    const conformal = new Conformal(horizon);
    for (let k = 0; k < count; k += 1) {
      const at = from + k * HOUR;
      const cell = k * width + h;
      if (isSeen(model, h, at)) {
        seen[cell] = 1;
        // What a model makes of what it was trained on is too good to learn widths from.
        point[cell] = fallbackOf(h, features, k);
      }
      const known = hours.known[k] as number;
      conformal.learn(at, (then) => {
        const row = (then - from) / HOUR;
        return targetAt(columns, then, horizon, hours.known[row] as number, known);
      });
      const apr = baselineOf("persistence", features, k);
      const issue = {
        ...{ at, point: point[cell] as number },
        distance: Math.abs(apr - baselineOf("ewma", features, k)),
        deviation: features[k * FEATURES.length + DEVIATION] as number,
      };
      bounds.set(conformal.bounds(issue, { remember: true }), cell * LEVELS.length);
    }
  });
  return { point, bounds, seen };
}

function isSeen(model: WalkModel | null, h: number, at: number): boolean {
  if (model === null || model.serves[h] !== true) return false;
  const { from, to } = model.trainWindow;
  return at < to && at + (HORIZONS[h] as number) * HOUR > from;
}
