// What is expected of a rate, by horizon: the one code that forecasts, in the keeper and where its forecasts are scored. Without a
// model it is what models are measured against: persistence over hours, the mean of late over days.
import { FEATURES, HORIZONS, OF_RATES, type FeatureSet } from "./features";
import type { Norms } from "./modelWatch";

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
  /** 1: by the model; 0: by the baseline. */
  readonly byModel: Uint8Array;
  /** Rows that the model cannot be asked about, or answered with what is no number: the baseline stands in. */
  readonly refused: number;
}

/** A model that corrects the mean of late. */
export interface DeviationModel {
  readonly name: string;
  /** SHA-256 of the file, hex. */
  readonly hash: string;
  /** Of its training, to see drift by; null: nothing is known. */
  readonly norms: Norms | null;
  /** Unix seconds: rows whose target lies in it were seen. */
  readonly trainWindow: { readonly from: number; readonly to: number };
  /** By horizon: whether the model beat the baselines there, and so is served. */
  readonly serves: readonly boolean[];
  /** Shape [rows, horizons]: `deviation` from `ewma_24h`, and `scale`: the absolute error that is expected. */
  run(
    features: Float64Array,
    rows: number,
  ): Promise<{ readonly deviation: Float64Array; readonly scale: Float64Array }>;
}

export function columnOf(name: string, { features }: FeatureSet = OF_RATES): number {
  const column = features.findIndex((feature) => feature.name === name);
  if (column < 0) throw new RangeError(`there is no feature ${name}`);
  return column;
}

/** Place of the horizon that is nearest to so many hours, by ratio. */
export function horizonNear(hours: number): number {
  const distance = (one: number): number => Math.abs(Math.log(one / hours));
  return HORIZONS.reduce((best, one, h) => (distance(one) < distance(HORIZONS[best] as number) ? h : best), 0);
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
  const byModel = new Uint8Array(rows * HORIZONS.length);
  const said = model === null || rows === 0 ? null : await model.run(features, rows);
  let refused = 0;
  for (let row = 0; row < rows; row += 1) {
    let isRefused = false;
    const usable = said !== null && isUsable(features, row);
    for (let h = 0; h < HORIZONS.length; h += 1) {
      const k = row * HORIZONS.length + h;
      const [deviation, error] = [said?.deviation[k] ?? NaN, said?.scale[k] ?? NaN];
      const wanted = said !== null && model?.serves[h] === true;
      if (wanted && usable && Number.isFinite(deviation) && Number.isFinite(error) && error > 0) {
        // No supply rate is below zero.
        point[k] = Math.max(0, baselineOf("ewma", features, row) + deviation);
        scale[k] = error;
        byModel[k] = 1;
        continue;
      }
      point[k] = fallbackOf(h, features, row);
      isRefused ||= wanted;
    }
    if (isRefused) refused += 1;
  }
  return { point, scale, byModel, refused };
}

/**
 * {@link forecastRows} of hours that the model may be judged by: those that it was trained on are the baseline's, for what a model
 * makes of them is too good to learn widths or weights from.
 *
 * @param at Unix seconds of each row.
 */
export async function forecastUnseen(
  features: Float64Array,
  at: (row: number) => number,
  model: DeviationModel | null,
): Promise<Points> {
  const baseline = await forecastRows(features, null);
  const seen = baseline.byModel.map((_, cell) =>
    isSeen(model, cell % HORIZONS.length, at(Math.floor(cell / HORIZONS.length))) ? 1 : 0,
  );
  const isAsked = seen.some((mark, cell) => mark === 0 && model?.serves[cell % HORIZONS.length] === true);
  if (!isAsked) return baseline;
  const points = await forecastRows(features, model);
  seen.forEach((mark, cell) => {
    if (mark === 0) return;
    points.point[cell] = baseline.point[cell] as number;
    points.byModel[cell] = 0;
  });
  return points;
}

/** Whether a model that serves a horizon was trained on an hour, or on what came of it. */
export function isSeen(model: DeviationModel | null, horizon: number, at: number): boolean {
  if (model === null || model.serves[horizon] !== true) return false;
  const { from, to } = model.trainWindow;
  return at < to && at + (HORIZONS[horizon] as number) * 3_600 > from;
}

/** A model is asked about what cannot be known (NaN), but not without a rate, and not about what overflowed. */
function isUsable(features: Float64Array, row: number): boolean {
  const begin = row * FEATURES.length;
  if (Number.isNaN(features[begin + APR]) || Number.isNaN(features[begin + EWMA])) return false;
  for (let k = begin; k < begin + FEATURES.length; k += 1) {
    if (Math.abs(features[k] as number) === Infinity) return false;
  }
  return true;
}
