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
 * Time-weighted EWMA at `at`: each rate counts for as long as it held, discounted by its age.
 * The weight of a stretch [a, b) is ∫ 2^(−(at − s)/halfLife) ds, so the result does not depend on how often the rate
 * was sampled. Observations not yet available at `at`, or with a rate that is not finite, are ignored.
 *
 * @param observations Oldest first.
 * @returns null without any usable observation; `persistence` where only one is usable.
 */
export function ewmaForecast(
  observations: readonly RateObservation[],
  at: number,
  options: { readonly halfLifeHours: number },
): RateForecast | null {
  const decay = Math.LN2 / (options.halfLifeHours * 3600);
  let weighted = 0;
  let weight = 0;
  let first: number | null = null;
  let last: RateObservation | null = null;
  let used = 0;
  for (const observation of observations) {
    if (observation.availableAt > at || observation.observedAt > at || !Number.isFinite(observation.apr)) continue;
    if (last !== null) {
      const stretch = stretchWeight(last.observedAt, observation.observedAt, at, decay);
      weighted += stretch * last.apr;
      weight += stretch;
    }
    first ??= observation.observedAt;
    last = observation;
    used += 1;
  }
  if (last === null || first === null) return null;
  const stretch = stretchWeight(last.observedAt, at, at, decay);
  weighted += stretch * last.apr;
  weight += stretch;
  const apr = weight > 0 ? weighted / weight : last.apr;
  return {
    model: used > 1 ? "ewma" : "persistence",
    apr: Number(apr.toPrecision(SIGNIFICANT_DIGITS)),
    historySeconds: at - first,
  };
}

function stretchWeight(from: number, to: number, at: number, decay: number): number {
  return to > from ? (Math.exp(-decay * (at - to)) - Math.exp(-decay * (at - from))) / decay : 0;
}
