// The exponentially weighted mean of a venue's past rate: the forecast that every model has to beat, and what is
// served while none does. Pure: history is passed in, with the time at which each number could have been known.

/** One observed rate. It holds from `observedAt` until the next observation. */
export interface RateObservation {
  /** Unix seconds of the state. */
  readonly observedAt: number;
  /** Unix seconds at which the number could have been known. */
  readonly availableAt: number;
  /** Fraction a year. */
  readonly apr: number;
}

export interface RateForecast {
  readonly model: "ewma" | "persistence";
  /** Mean rate expected over the horizon, fraction a year. */
  readonly apr: number;
  /** Seconds between the oldest observation used and the time of the forecast. */
  readonly historySeconds: number;
}

/** Decimal digits that a forecast keeps: the record holds the number exactly as it was used. */
const SIGNIFICANT_DIGITS = 12;

/**
 * Time-weighted EWMA that takes observations one by one: each rate counts for as long as it held, discounted by its age.
 * The weight of a stretch [a, b) is ∫ 2^(−(at − s)/halfLife) ds, so the result does not depend on how often the rate
 * was sampled. A reading costs the same however long the history is.
 */
export class RateEwma {
  readonly #decay: number;
  /** Of all before the last observation, discounted to its time. */
  #weighted = 0;
  #weight = 0;
  #first = NaN;
  #lastAt = NaN;
  #lastApr = NaN;
  #used = 0;

  constructor(options: { readonly halfLifeHours: number }) {
    this.#decay = Math.LN2 / (options.halfLifeHours * 3600);
  }

  /** Ignored: a rate that is not finite, and one that is older than what is known. Of two of one time the later one holds. */
  add(observedAt: number, apr: number): void {
    if (!Number.isFinite(apr) || observedAt < this.#lastAt) return;
    if (this.#used === 0) this.#first = observedAt;
    else {
      const lost = -Math.expm1(-this.#decay * (observedAt - this.#lastAt));
      const [kept, stretch] = [1 - lost, lost / this.#decay];
      this.#weighted = this.#weighted * kept + this.#lastApr * stretch;
      this.#weight = this.#weight * kept + stretch;
    }
    this.#lastAt = observedAt;
    this.#lastApr = apr;
    this.#used += 1;
  }

  /** @returns null without any observation; `persistence` where there is only one. `at`: not before the last one. */
  forecast(at: number): RateForecast | null {
    if (this.#used === 0) return null;
    const lost = -Math.expm1(-this.#decay * (at - this.#lastAt));
    const [kept, stretch] = [1 - lost, lost / this.#decay];
    const weight = this.#weight * kept + stretch;
    const apr = weight > 0 ? (this.#weighted * kept + this.#lastApr * stretch) / weight : this.#lastApr;
    return {
      model: this.#used > 1 ? "ewma" : "persistence",
      apr: Number(apr.toPrecision(SIGNIFICANT_DIGITS)),
      historySeconds: at - this.#first,
    };
  }
}

/**
 * {@link RateEwma} of what is known at `at`. Observations not yet available then, or with a rate that is not finite, are
 * ignored.
 *
 * @param observations Oldest first.
 * @returns null without any usable observation; `persistence` where only one is usable.
 */
export function ewmaForecast(
  observations: readonly RateObservation[],
  at: number,
  options: { readonly halfLifeHours: number },
): RateForecast | null {
  const ewma = new RateEwma(options);
  for (const { observedAt, availableAt, apr } of observations) {
    if (availableAt <= at && observedAt <= at) ewma.add(observedAt, apr);
  }
  return ewma.forecast(at);
}
