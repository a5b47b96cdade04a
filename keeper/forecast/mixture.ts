// How much each forecaster of one series and horizon is to be believed: weights that move towards those that would have been nearer
// to what came. A model that is trained for all series is thereby fitted to each, and to the regime, without training.
//
// Source: exponentiated gradient (Kivinen and Warmuth, "Exponentiated Gradient versus Gradient Descent for Linear Predictors",
// 1997) on the absolute error of the mean that was given, with a small share that is dealt out anew at each step, so that none is
// lost for good (Herbster and Warmuth, "Tracking the Best Expert", 1998). Errors come late, and in order.

/**
 * How fast weights move, per error in units of the mean error: the sooner an error is known, the faster. For a day and a week any
 * rate between 0.005 and 0.02 does about as well.
 */
const RATES: readonly { readonly upToHours: number; readonly rate: number }[] = [
  { upToHours: 12, rate: 0.05 },
  { upToHours: Infinity, rate: 0.01 },
];
/** Of all weight, what goes back to the first weights at each error: half of it in a quarter of a year of hours. */
const SHARE = 3e-4;
/** Of the mean error of all forecasters, which steps are measured in. */
const SCALE_SHARE = 0.002;
/** In units of the mean error: one spike is one lesson. */
const MOST_STEP = 5;

/** Plain JSON. */
export interface MixtureState {
  readonly weights: readonly number[];
  /** Mean absolute error of all forecasters; null: none is known yet. */
  readonly scale: number | null;
}

export class Mixture {
  readonly #first: readonly number[];
  readonly #rate: number;
  #weights: number[];
  #scale: number | null;

  /** @param first Weights before any error is known; they sum to 1. */
  constructor(first: readonly number[], horizonHours: number, state?: MixtureState) {
    this.#first = first;
    this.#rate = RATES.find(({ upToHours }) => horizonHours <= upToHours)?.rate ?? 0;
    this.#weights = [...(state?.weights.length === first.length ? state.weights : first)];
    this.#scale = state?.scale ?? null;
  }

  state(): MixtureState {
    return { weights: [...this.#weights], scale: this.#scale };
  }

  /** @param said By forecaster. */
  mean(said: readonly number[]): number {
    return this.#weights.reduce((sum, weight, k) => sum + weight * (said[k] as number), 0);
  }

  /**
   * @param said By forecaster, of one forecast whose truth is known now.
   * @param given Their mean, as it was given then.
   */
  learn(said: readonly number[], given: number, came: number): void {
    const error = said.reduce((sum, one) => sum + Math.abs(one - came), 0) / said.length;
    this.#scale = this.#scale === null ? error : this.#scale + SCALE_SHARE * (error - this.#scale);
    const scale = this.#scale;
    if (!(scale > 0)) return;
    // Of |given − came|: whoever said more than was given draws it up.
    const side = Math.sign(given - came);
    const moved = this.#weights.map((weight, k) => {
      const step = (side * ((said[k] as number) - given)) / scale;
      return weight * Math.exp(-this.#rate * Math.max(-MOST_STEP, Math.min(MOST_STEP, step)));
    });
    const sum = moved.reduce((total, weight) => total + weight, 0);
    this.#weights = moved.map((weight, k) => (1 - SHARE) * (weight / sum) + SHARE * (this.#first[k] as number));
  }
}
