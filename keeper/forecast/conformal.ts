// Between which bounds a rate will be, of one series and horizon: quantiles of past errors in units of a rolling scale, each
// moved a little whenever an error that has come true lies beyond it or not. Only errors of forecasts whose horizon is over are
// looked at, in the order in which they came true.
//
// Source: the update of adaptive conformal inference (Gibbs and Candès, "Adaptive Conformal Inference Under Distribution Shift",
// 2021) made on the quantile itself (Angelopoulos, Candès and Tibshirani, "Conformal PID Control for Time Series Prediction",
// 2023), so that a burst of misses widens the bounds without end. Over n errors the share beyond a bound is off by at most
// (how far the quantile moved) / (gain · n), whatever the series does.

/** Levels of the quantiles that are kept. */
export const LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/**
 * Quantiles of errors before there are any, in units of the scale. Rather too near: a bound that is missed moves out nineteen
 * times as fast as one that holds comes in.
 */
const FIRST_QUANTILES: readonly number[] = [-1, -0.3, 0, 0.3, 1];

export interface ConformalSettings {
  /** How far a quantile moves, in units of the scale. */
  readonly gain: number;
  /** Weights in the scale: of the mean absolute error, of the distance from the mean of late, of the deviation of a week. */
  readonly error: number;
  readonly distance: number;
  readonly deviation: number;
  /** Where a model says what error it expects, that and the mean absolute error alone; null: it is not asked. */
  readonly said: { readonly said: number; readonly error: number } | null;
}

/** A model's own word is worth more than what the rate did of late, but for a week, whose errors it knows least about. */
const SAID = { said: 1.5, error: 0.2 } as const;

/**
 * The longer the horizon, the later a miss is known and the longer it goes on: the less a single one may move. Rates of the next
 * hour are off by little whatever they did of late. Chosen on July 2023 to June 2025 of nine series of Aave and
 * Compound, with the mean of late as forecast.
 */
const SETTINGS: readonly { readonly upToHours: number; readonly settings: ConformalSettings }[] = [
  { upToHours: 2, settings: { gain: 0.03, error: 1, distance: 0.1, deviation: 0.1, said: SAID } },
  { upToHours: 12, settings: { gain: 0.06, error: 0.5, distance: 0.3, deviation: 0.3, said: SAID } },
  { upToHours: 48, settings: { gain: 0.05, error: 0.5, distance: 0.5, deviation: 0.5, said: SAID } },
  { upToHours: Infinity, settings: { gain: 0.01, error: 0.5, distance: 0.3, deviation: 0.3, said: null } },
];

/** Inner quantiles lie near each other, and are where most errors are: so much of the gain is theirs. */
const INNER_GAIN = 0.05;

/** Half-life of the mean absolute error, in hourly errors: 90 days. */
const ERROR_HALF_LIFE = 2_160;
const ERROR_SHARE = -Math.expm1(-Math.LN2 / ERROR_HALF_LIFE);

/** Fraction a year: no bound is nearer than what rounds to nothing. */
const LEAST_SCALE = 1e-5;

/** Forecasts whose truth is not known so long after their horizon is over are forgotten: the series is silent. */
const PATIENCE_SECONDS = 7 * 86_400;

const HOUR = 3_600;

/** What is known of a forecast when it is made; fractions a year. */
export interface Issue {
  /** Unix seconds. */
  readonly at: number;
  readonly point: number;
  /** Absolute distance of the rate now from its mean of late. */
  readonly distance: number;
  /** Standard deviation of the rate in the last week; NaN: not known. */
  readonly deviation: number;
  /** Absolute error that the model expects; NaN: it says none. */
  readonly said: number;
}

interface Pending {
  readonly at: number;
  readonly point: number;
  readonly scale: number;
  readonly quantiles: readonly number[];
}

/** All that is to be kept over a restart; plain JSON. */
export interface ConformalState {
  readonly quantiles: readonly number[];
  /** Mean absolute error; null: none came true yet. */
  readonly error: number | null;
  readonly errors: number;
  readonly pending: readonly Pending[];
}

export class Conformal {
  readonly #seconds: number;
  readonly #settings: ConformalSettings;
  #quantiles: number[];
  #error: number | null;
  #errors: number;
  #pending: Pending[];

  /** @param state Of before; absent: nothing is known. */
  constructor(
    readonly horizonHours: number,
    state?: ConformalState,
    settings: ConformalSettings = settingsOf(horizonHours),
  ) {
    this.#seconds = horizonHours * HOUR;
    this.#settings = settings;
    this.#quantiles = [...(state?.quantiles ?? FIRST_QUANTILES)];
    this.#error = state?.error ?? null;
    this.#errors = state?.errors ?? 0;
    this.#pending = [...(state?.pending ?? [])];
  }

  /** Errors that came true. */
  get errors(): number {
    return this.#errors;
  }

  state(): ConformalState {
    return {
      quantiles: [...this.#quantiles],
      error: this.#error,
      errors: this.#errors,
      pending: [...this.#pending],
    };
  }

  /**
   * Learns from every forecast whose horizon is over by `now` and whose truth is known.
   *
   * @param truth The mean rate over the horizon of a forecast made at `at`, as known at `now`; NaN: not known.
   */
  learn(now: number, truth: (at: number) => number): void {
    let learned = 0;
    for (const one of this.#pending) {
      if (one.at + this.#seconds > now) break;
      const came = truth(one.at);
      if (Number.isNaN(came) && one.at + this.#seconds + PATIENCE_SECONDS > now) break;
      if (!Number.isNaN(came)) this.#learn(one, came);
      learned += 1;
    }
    if (learned > 0) this.#pending.splice(0, learned);
  }

  /**
   * Bounds of a forecast, at {@link LEVELS}, none below zero: a supply rate is not.
   *
   * @param remember Whether its error is to be learned from. Forecasts that are remembered come in order of time.
   */
  bounds(issue: Issue, { remember }: { readonly remember: boolean }): number[] {
    const scale = this.scaleOf(issue);
    if (remember) {
      this.#pending.push({ at: issue.at, point: issue.point, scale, quantiles: [...this.#quantiles] });
    }
    // Each quantile moves by itself, the outer ones less than their own distance: inner ones that have crossed them give way.
    const [low, high] = [this.#quantiles[0] as number, this.#quantiles.at(-1) as number];
    const [least, most] = [Math.min(low, high), Math.max(low, high)];
    let last = least;
    return this.#quantiles.map((quantile, k) => {
      if (k > 0) last = k === LEVELS.length - 1 ? most : Math.min(most, Math.max(last, quantile));
      return Math.max(0, issue.point + scale * last);
    });
  }

  /** What errors are measured in. */
  scaleOf({ distance, deviation, said }: Issue): number {
    const bySaid = this.#settings.said;
    if (bySaid !== null && !Number.isNaN(said)) {
      return LEAST_SCALE + bySaid.said * said + bySaid.error * (this.#error ?? said);
    }
    const spread = Number.isNaN(deviation) ? distance : deviation;
    const known = this.#settings.distance * distance + this.#settings.deviation * spread;
    // Before an error is known, what the rate did of late stands for it.
    return LEAST_SCALE + known + this.#settings.error * (this.#error ?? Math.max(distance, spread));
  }

  #learn({ point, scale, quantiles }: Pending, came: number): void {
    const error = Math.abs(came - point);
    this.#error =
      this.#error === null
        ? error
        : this.#error + Math.max(ERROR_SHARE, 1 / (this.#errors + 1)) * (error - this.#error);
    this.#errors += 1;
    const score = (came - point) / scale;
    LEVELS.forEach((level, k) => {
      // Against the bound that was given then. Exactly on it is within, for a rate that stands still.
      const beyond = level < 0.5 ? score < (quantiles[k] as number) : score <= (quantiles[k] as number);
      const gain = this.#settings.gain * (k === 0 || k === LEVELS.length - 1 ? 1 : INNER_GAIN);
      this.#quantiles[k] = (this.#quantiles[k] as number) + gain * (level - (beyond ? 1 : 0));
    });
  }
}

function settingsOf(horizonHours: number): ConformalSettings {
  const found = SETTINGS.find(({ upToHours }) => horizonHours <= upToHours);
  if (found === undefined) throw new RangeError(`${horizonHours} is no horizon`);
  return found.settings;
}
