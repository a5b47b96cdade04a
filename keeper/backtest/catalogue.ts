// The strategies that a backtest knows, by the names that a person gives them.
import { InputFailure } from "../config/failure";
import type { Knowledge } from "./market";
import type { Strategy } from "./strategy";
import { hold } from "./strategies/hold";
import { ewmaForecasts, live, type Forecasts, type LiveLimits } from "./strategies/live";
import { periodic, PERIODIC, PERIODIC_NAMES } from "./strategies/periodic";
import { WALK_FORWARD } from "./walkForward";

export interface CatalogueOptions {
  /** Series of the market, in its order. */
  readonly venues: readonly string[];
  /** Of the live decision. */
  readonly limits: LiveLimits;
  readonly halfLifeHours: number;
  /** Forecasts of a trained model; absent: there is none. */
  readonly ml?: ((knowledge: Knowledge) => Forecasts) | undefined;
  /** Of a series at a time, 0 to 1. Default: none is known to differ. */
  readonly protocolRisk?: ((series: string, at: number) => number) | undefined;
}

/**
 * Where a strategy's parameters come from. Whoever set them may have known the very history that they are run on: figures of
 * those that are `as set` are in sample, those chosen `by the past` of each fold alone are not, and a hold has none.
 */
export type ParameterSource = "none" | "as set" | "by the past";

export function parameterSource(name: string): ParameterSource {
  if (name === WALK_FORWARD) return "by the past";
  return name.startsWith(HOLD) ? "none" : "as set";
}

/** As a table has it. */
export function sourceWords(source: ParameterSource): string {
  return source === "as set" ? "as set (in sample)" : source === "none" ? "none" : "by each fold's past";
}

const HOLD = "hold:";

/** Every strategy that can run on these series by itself; `ml` and `walk-forward`, which need more, are not among them. */
export function namesOf(venues: readonly string[]): string[] {
  return [...venues.map((series) => `${HOLD}${series}`), ...PERIODIC_NAMES, "ewma"];
}

/** @throws InputFailure `BACKTEST_STRATEGY`, `MODEL_NOT_SERVED`. */
export function strategyOf(name: string, options: CatalogueOptions): Strategy {
  const { venues, limits, halfLifeHours, ml, protocolRisk } = options;
  const known = PERIODIC_NAMES.find((one) => one === name);
  if (known !== undefined) return periodic(known, PERIODIC, protocolRisk);
  if (name === "ewma") return live(name, limits, ewmaForecasts(halfLifeHours));
  if (name === "ml" && ml !== undefined) return live(name, limits, ml);
  if (name === "ml") {
    throw new InputFailure("MODEL_NOT_SERVED", "there is no trained model to test", {
      field: "--strategy",
      remedy: "Name ewma, which the keeper decides on without a model, or give --models.",
    });
  }
  const series = name.startsWith(HOLD) ? name.slice(HOLD.length) : undefined;
  const venue = series === undefined ? -1 : venues.indexOf(series);
  if (series !== undefined && venue >= 0) return hold(series, venue);
  throw new InputFailure(
    "BACKTEST_STRATEGY",
    series === undefined ? `there is no strategy ${JSON.stringify(name)}` : `${series} is not among the series`,
    { field: "--strategy", remedy: `Name one of: ${[...namesOf(venues), WALK_FORWARD].join(", ")}.` },
  );
}
