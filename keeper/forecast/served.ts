// What is expected of a rate, by horizon: the one code that forecasts, in the keeper and where its forecasts are scored. Without a
// model it is what models are measured against: persistence over hours, the mean of late over days.
import { FEATURES, HORIZONS } from "./features";

/** What a horizon is forecast by where no model is better. Measured: keeper/forecast/README.md. */
const BASELINES: readonly Baseline[] = HORIZONS.map((hours) => (hours < 24 ? "persistence" : "ewma"));

export type Baseline = "ewma" | "persistence";

const APR = columnOf("apr");
const EWMA = columnOf("ewma_24h");

/** Forecasts of several rows of features, by row and then by horizon. */
export interface Points {
  /** Mean rate over the horizon, fraction a year. */
  readonly point: Float64Array;
  /** Absolute error that is expected, as the model says; NaN: it says none. */
  readonly scale: Float64Array;
}

/** A model that corrects the mean of late. */
export interface DeviationModel {
  readonly name: string;
  /** SHA-256 of the file, hex. */
  readonly hash: string;
  /** By horizon: whether the model beat the baselines there, and so is served. */
  readonly serves: readonly boolean[];
  /** Shape [rows, horizons]: `deviation` from `ewma_24h`, `scale` of the error. Fails rather than answer with NaN. */
  run(
    features: Float64Array,
    rows: number,
  ): Promise<{ readonly deviation: Float64Array; readonly scale: Float64Array }>;
}

export function columnOf(name: string): number {
  const column = FEATURES.findIndex((feature) => feature.name === name);
  if (column < 0) throw new RangeError(`there is no feature ${name}`);
  return column;
}

/** Who forecasts each horizon. */
export function servedBy(model: DeviationModel | null): string[] {
  return BASELINES.map((baseline, h) => (model?.serves[h] === true ? model.name : baseline));
}

/** The baselines' own forecasts of one row. */
export function baselineOf(which: Baseline, features: Float64Array, row: number): number {
  return features[row * FEATURES.length + (which === "ewma" ? EWMA : APR)] as number;
}

/** The served baseline of a horizon. */
export function fallbackOf(horizon: number, features: Float64Array, row: number): number {
  return baselineOf(BASELINES[horizon] ?? "ewma", features, row);
}

/**
 * @param features Rows of {@link FEATURES}.
 * @param model Null: the baselines.
 */
export async function forecastRows(features: Float64Array, model: DeviationModel | null): Promise<Points> {
  const rows = features.length / FEATURES.length;
  const point = new Float64Array(rows * HORIZONS.length);
  const scale = new Float64Array(rows * HORIZONS.length).fill(NaN);
  const said = model === null || rows === 0 ? null : await model.run(features, rows);
  for (let row = 0; row < rows; row += 1) {
    for (let h = 0; h < HORIZONS.length; h += 1) {
      const k = row * HORIZONS.length + h;
      if (said === null || model?.serves[h] !== true) {
        point[k] = fallbackOf(h, features, row);
        continue;
      }
      point[k] = baselineOf("ewma", features, row) + (said.deviation[k] as number);
      scale[k] = said.scale[k] as number;
    }
  }
  return { point, scale };
}
