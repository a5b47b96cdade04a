// The rates that forecasts are made of, in memory: read once from the store, then grown by each tick, so that a tick
// does not read days of rows again. Holds what the store holds; a restart gives the same forecasts.
import { ewmaForecast, type RateObservation } from "../forecast/ewma";
import type { Forecast } from "./strategy";
import { halfLifeOf, TIME_FRAMES } from "./timeFrames";
import type { ObservationRow } from "../store/records";

/** History older than this many half-lives weighs under 1 % and is dropped. */
const HALF_LIVES_KEPT = 7;

/** Seconds of history that a forecast with this half-life reads. */
export function lookbackSeconds(halfLifeHours: number): number {
  return HALF_LIVES_KEPT * halfLifeHours * 3600;
}

export class RateHistory {
  private readonly series = new Map<string, RateObservation[]>();
  private readonly halfLifeHours: number;

  constructor(options: { readonly halfLifeHours: number }) {
    this.halfLifeHours = options.halfLifeHours;
  }

  /** Rows of any venue, oldest first; rows that are not newer than what is held are ignored. */
  add(rows: readonly ObservationRow[]): void {
    for (const row of rows) {
      const apr = row.supplyAprWithoutUs;
      if (apr === null) continue;
      const series = this.series.get(row.venue) ?? [];
      this.series.set(row.venue, series);
      const last = series.at(-1);
      if (last !== undefined && row.observedAt <= last.observedAt) continue;
      // The mean is weighted by time: a repeated rate adds nothing but memory. The newest stays, as "now".
      const before = series.at(-2);
      if (last !== undefined && before?.apr === last.apr && last.apr === apr) series.pop();
      series.push({ observedAt: row.observedAt, availableAt: row.availableAt, apr });
      this.prune(series, row.observedAt);
    }
  }

  /** A forecast for each venue that has been observed by `at`. */
  forecasts(venues: readonly string[], at: number): Forecast[] {
    return venues.flatMap((venue) => {
      const known = (this.series.get(venue) ?? []).filter((observation) => observation.availableAt <= at);
      const forecast = ewmaForecast(known, at, { halfLifeHours: this.halfLifeHours });
      const current = known.at(-1);
      if (forecast === null || current === undefined) return [];
      return [{ venue, currentApr: current.apr, ...forecast, frames: this.frames(known, at, forecast.apr) }];
    });
  }

  /** The same mean of less of the past for shorter times. */
  private frames(known: readonly RateObservation[], at: number, apr: number): NonNullable<Forecast["frames"]> {
    return TIME_FRAMES.map((hours) => {
      const halfLifeHours = halfLifeOf(hours, this.halfLifeHours);
      if (halfLifeHours === this.halfLifeHours) return { hours, apr };
      const from = at - lookbackSeconds(halfLifeHours);
      const first = known.findLastIndex(({ observedAt }) => observedAt < from);
      return { hours, apr: ewmaForecast(known.slice(Math.max(0, first)), at, { halfLifeHours })?.apr ?? apr };
    });
  }

  private prune(series: RateObservation[], now: number): void {
    const oldest = now - lookbackSeconds(this.halfLifeHours);
    let drop = 0;
    while (drop < series.length - 2 && (series[drop + 1]?.observedAt ?? now) < oldest) drop += 1;
    if (drop > 0) series.splice(0, drop);
  }
}
