// Whether a model still serves what it was trained for: how much of what it is asked lies where its training had next to nothing,
// and how far off it has been, beside its card and beside the baseline that would stand in for it. A model that is stood in
// for is asked on, so that it comes back by itself.
import type { BaseCard, Card } from "./card";
import { HORIZONS, OF_RATES, type FeatureSet } from "./features";

/** What was usual in training, by the features of the model's set and our horizons. */
export interface Norms {
  /** Between them were 98 of 100 values; infinite: nothing is known of the feature. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** 1: the feature was as good as always known. */
  readonly known: Uint8Array;
  /** Mean absolute error of forecasts that the model had not seen, fraction a year; NaN: not said. */
  readonly error: readonly number[];
}

/** A feature that was missing in fewer rows counts as unusual where it is missing. */
const SELDOM = 0.01;

/** Hours that are looked back on. */
const WINDOW = 168;
/** Fewer say nothing. */
const LEAST_HOURS = 24;
/** In training it is 2 of 100 values. From ten times as many on, a model is asked what it never learnt; until half of that again. */
const UNUSUAL = { begins: 0.2, ends: 0.1 } as const;

/** Half-life of the mean of errors, hours. */
const ERROR_HALF_LIFE = 168;
const ERROR_SHARE = -Math.expm1(-Math.LN2 / ERROR_HALF_LIFE);
const LEAST_ERRORS = 72;
/**
 * An error of so many times the card's, and of so many times what the baseline's would have been, is no bad week any more: weights
 * (mixture.ts) should have gone to the baselines long before. It ends when the baseline is no better.
 */
const ERROR_FACTOR = { card: 2, baseline: 1.2 } as const;
/** Of the range between the 1st and the 99th percentile, what may lie beyond either: calendars are thinned where models are trained. */
const MARGIN = 0.1;

/** @param card A model of risk has no errors of its own: only what it is asked can drift. */
export function normsOf(
  card: BaseCard & Partial<Pick<Card, "errorStats">>,
  { features }: FeatureSet = OF_RATES,
): Norms {
  const low = new Float64Array(features.length).fill(-Infinity);
  const high = new Float64Array(features.length).fill(Infinity);
  const known = new Uint8Array(features.length);
  features.forEach(({ name }, k) => {
    const stats = card.featureStats[name];
    if (stats === undefined || !card.features.some((one) => one.name === name)) return;
    if (stats.p01 !== null && stats.p99 !== null) {
      const margin = MARGIN * (stats.p99 - stats.p01);
      low[k] = stats.p01 - margin;
      high[k] = stats.p99 + margin;
    }
    known[k] = stats.nanShare < SELDOM ? 1 : 0;
  });
  return { low, high, known, error: HORIZONS.map((hours) => card.errorStats?.[String(hours)]?.mae ?? NaN) };
}

export interface WatchState {
  /** Unusual values of each of the last hours, oldest first. */
  readonly unusual: readonly number[];
  readonly drifted: boolean;
  /** By horizon. */
  readonly errors: readonly ErrorState[];
}

interface ErrorState {
  readonly model: number;
  readonly baseline: number;
  readonly count: number;
  readonly drifted: boolean;
}

const NO_ERRORS: ErrorState = { model: 0, baseline: 0, count: 0, drifted: false };

/** Of one series. */
export class ModelWatch {
  readonly #norms: Norms;
  readonly #features: number;
  readonly #unusual: number[];
  #drifted: boolean;
  readonly #errors: ErrorState[];

  constructor(norms: Norms, state?: WatchState) {
    this.#norms = norms;
    this.#features = norms.low.filter((low) => low > -Infinity).length;
    this.#unusual = [...(state?.unusual ?? [])];
    this.#drifted = state?.drifted ?? false;
    this.#errors = HORIZONS.map((_, h) => state?.errors[h] ?? NO_ERRORS);
  }

  state(): WatchState {
    return { unusual: [...this.#unusual], drifted: this.#drifted, errors: [...this.#errors] };
  }

  /** An hour's features. */
  see(features: Float64Array, row: number): void {
    const { low, high, known } = this.#norms;
    const width = low.length;
    let count = 0;
    for (let k = 0; k < width; k += 1) {
      const value = features[row * width + k] as number;
      if (Number.isNaN(value)) count += known[k] as number;
      else if (value < (low[k] as number) || value > (high[k] as number)) count += 1;
    }
    this.#unusual.push(count);
    if (this.#unusual.length > WINDOW) this.#unusual.shift();
    const share = this.unusualShare;
    if (share !== null) this.#drifted = share > (this.#drifted ? UNUSUAL.ends : UNUSUAL.begins);
  }

  /** What the error of a forecast with the model came to, and without it, fractions a year. */
  learn(horizon: number, errors: { readonly model: number; readonly baseline: number }): void {
    const last = this.#errors[horizon] ?? NO_ERRORS;
    const share = Math.max(ERROR_SHARE, 1 / (last.count + 1));
    const model = last.model + share * (errors.model - last.model);
    const baseline = last.baseline + share * (errors.baseline - last.baseline);
    const count = last.count + 1;
    const bound = Math.max(ERROR_FACTOR.card * (this.#norms.error[horizon] ?? NaN), ERROR_FACTOR.baseline * baseline);
    const drifted = last.drifted ? model > baseline : count >= LEAST_ERRORS && model > bound;
    this.#errors[horizon] = { model, baseline, count, drifted };
  }

  /** Share of values that training had next to none of; null: too little is known. */
  get unusualShare(): number | null {
    if (this.#unusual.length < LEAST_HOURS || this.#features === 0) return null;
    return this.#unusual.reduce((sum, count) => sum + count, 0) / (this.#unusual.length * this.#features);
  }

  /** Why the model is not to be asked at all, in words; null: it may be. */
  get strangeness(): string | null {
    if (!this.#drifted) return null;
    return `${percent(this.unusualShare ?? 0)} of what it is asked was unusual where it was trained`;
  }

  /** Why the model is stood in for, in words; null: it is not. */
  trouble(horizon: number): string | null {
    if (this.strangeness !== null) return this.strangeness;
    const one = this.#errors[horizon];
    if (one === undefined || !one.drifted) return null;
    return `its error is ${points(one.model)}, ${points(this.#norms.error[horizon] ?? NaN)} by its card, ${points(one.baseline)} without it`;
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function points(rate: number): string {
  return `${(100 * rate).toFixed(2)} points`;
}
