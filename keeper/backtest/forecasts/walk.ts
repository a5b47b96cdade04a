// A walk forward through recorded hours with the code that serves: at each hour a forecast and its bounds, from what was known
// then. Intervals learn as they would have live: from errors that had come true.
import type { SeriesColumns } from "../../forecast/features";
import { FEATURES, HORIZONS, targetAt } from "../../forecast/features";
import { LEVELS } from "../../forecast/conformal";
import { forecastRows, type DeviationModel, type Points } from "../../forecast/served";
import { SeriesForecast } from "../../forecast/seriesForecast";
import { HOUR, type Hours } from "./hours";

/** By hour and horizon; `bounds` besides by level. */
export interface Walk {
  readonly point: Float64Array;
  readonly bounds: Float64Array;
  /** 1: the model that serves this horizon was trained on the hour, or on what came of it. */
  readonly seen: Uint8Array;
  /** 1: the model was to serve, and was stood in for. */
  readonly stoodIn: Uint8Array;
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
  const cells = count * HORIZONS.length;
  const walked: Walk = {
    point: new Float64Array(cells),
    bounds: new Float64Array(cells * LEVELS.length),
    seen: new Uint8Array(cells),
    stoodIn: new Uint8Array(cells),
  };
  const series = new SeriesForecast(model);
  for (let begin = 0; begin < count; begin += BATCH) {
    const end = Math.min(count, begin + BATCH);
    const rows = features.subarray(begin * FEATURES.length, end * FEATURES.length);
    for (let k = begin; k < end; k += 1) {
      HORIZONS.forEach((_, h) => {
        walked.seen[k * HORIZONS.length + h] = isSeen(model, h, from + k * HOUR) ? 1 : 0;
      });
    }
    const seen = walked.seen.subarray(begin * HORIZONS.length, end * HORIZONS.length);
    const points = await unseen(rows, seen, model);
    for (let row = 0; row < end - begin; row += 1) {
      const k = begin + row;
      const known = hours.known[k] as number;
      const made = series.step({ at: from + k * HOUR, features: rows, points, row }, (then, horizon) => {
        return targetAt(columns, then, horizon, hours.known[(then - from) / HOUR] as number, known);
      });
      made.forEach(({ point, bounds, trouble }, h) => {
        const cell = k * HORIZONS.length + h;
        walked.point[cell] = point;
        walked.bounds.set(bounds, cell * LEVELS.length);
        walked.stoodIn[cell] = trouble !== null && walked.seen[cell] === 0 ? 1 : 0;
      });
    }
  }
  return walked;
}

/** The model's forecasts, but of hours that it was trained on: those are too good to learn widths from, or to judge it by. */
async function unseen(rows: Float64Array, seen: Uint8Array, model: WalkModel | null): Promise<Points> {
  const baseline = await forecastRows(rows, null);
  if (model === null || seen.every((mark, cell) => mark === 1 || model.serves[cell % HORIZONS.length] !== true)) {
    return baseline;
  }
  const points = await forecastRows(rows, model);
  seen.forEach((mark, cell) => {
    if (mark === 0) return;
    points.point[cell] = baseline.point[cell] as number;
    points.byModel[cell] = 0;
  });
  return points;
}

function isSeen(model: WalkModel | null, h: number, at: number): boolean {
  if (model === null || model.serves[h] !== true) return false;
  const { from, to } = model.trainWindow;
  return at < to && at + (HORIZONS[h] as number) * HOUR > from;
}
