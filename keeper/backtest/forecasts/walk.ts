// A walk forward through recorded hours with the code that serves: at each hour a forecast and its bounds, from what was known
// then. Intervals learn as they would have live: from errors that had come true.
import type { SeriesColumns } from "../../forecast/features";
import { FEATURES, HORIZONS, targetAt } from "../../forecast/features";
import { LEVELS } from "../../forecast/conformal";
import { forecastUnseen, isSeen, type DeviationModel } from "../../forecast/served";
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
  /** 1: the forecast is the model's. */
  readonly byModel: Uint8Array;
}

/** Hours that a model answers at a time. */
const BATCH = 4_096;

/** @param columns Of the series that `hours` are of. */
export async function walk(hours: Hours, columns: SeriesColumns, model: DeviationModel | null): Promise<Walk> {
  const { count, from, features } = hours;
  const cells = count * HORIZONS.length;
  const walked: Walk = {
    point: new Float64Array(cells),
    bounds: new Float64Array(cells * LEVELS.length),
    seen: new Uint8Array(cells),
    stoodIn: new Uint8Array(cells),
    byModel: new Uint8Array(cells),
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
    const points = await forecastUnseen(rows, (row) => from + (begin + row) * HOUR, model);
    for (let row = 0; row < end - begin; row += 1) {
      const k = begin + row;
      const known = hours.known[k] as number;
      const made = series.step({ at: from + k * HOUR, features: rows, points, row, known }, (then, horizon) => {
        return targetAt(columns, then, horizon, hours.known[(then - from) / HOUR] as number, known);
      });
      made.forEach(({ point, bounds, trouble, by }, h) => {
        const cell = k * HORIZONS.length + h;
        walked.point[cell] = point;
        walked.bounds.set(bounds, cell * LEVELS.length);
        walked.byModel[cell] = by === model?.name ? 1 : 0;
        walked.stoodIn[cell] = trouble !== null && walked.seen[cell] === 0 ? 1 : 0;
      });
    }
  }
  return walked;
}
