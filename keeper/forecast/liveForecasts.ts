// The forecasts of several series as time goes on: by the model that is served and, in its shadow, by those that would like to be.
// Rows come in, forecasts come out; whole hours that passed between two questions are caught up with, each from what was known
// then. It knows no store and no clock.
import type { HistoryRow } from "../store/historyRecords";
import {
  FEATURES,
  HORIZONS,
  LOOKBACK_SECONDS,
  OF_RATES,
  currentRate,
  peersOf,
  targetAt,
  writeFeatures,
  type SeriesColumns,
} from "./features";
import { HourlySeries } from "./hourlySeries";
import { outlooks, type Outlook, type SeriesFeatures } from "./outlook";
import type { RiskModel } from "./riskModel";
import { fallbackOf, forecastUnseen, type DeviationModel } from "./served";
import { SeriesForecast, type CameTrue, type HorizonForecast, type SeriesState } from "./seriesForecast";

const HOUR = 3_600;

/** So far back hours are caught up with: bounds and weights learn from a month. */
export const CATCH_UP_SECONDS = 30 * 86_400;
/** What of the past is needed for the first of them: features look back a week, a truth is awaited two. */
export const KEPT_SECONDS = CATCH_UP_SECONDS + 3 * LOOKBACK_SECONDS;

const FIRST_DAY_SECONDS = 24 * HOUR;

export interface Made {
  readonly series: string;
  /** Hash of the model; empty: none. */
  readonly model: string;
  /** Unix seconds, a whole hour. */
  readonly at: number;
  readonly horizons: readonly HorizonForecast[];
  /** By horizon: the baseline's own. */
  readonly baselines: readonly number[];
}

export interface Answer {
  /** By series, of the model that is served, for now; a series that was not heard of for a week has none. */
  readonly now: ReadonlyMap<string, readonly HorizonForecast[]>;
  /** Of the whole hours since the last question, by every model. */
  readonly made: readonly Made[];
  readonly cameTrue: readonly (CameTrue & { readonly series: string })[];
  /** Models that failed, with why. */
  readonly failed: ReadonlyMap<string, unknown>;
}

/** A model and what it knows of each series. */
interface Contender {
  readonly model: DeviationModel | null;
  readonly series: Map<string, SeriesForecast>;
}

export class LiveForecasts {
  readonly #rows = new Map<string, HourlySeries>();
  readonly #contenders: readonly Contender[];

  /** @param served Null: the baselines. @param shadow Asked beside it. */
  constructor(served: DeviationModel | null, shadow: readonly DeviationModel[] = []) {
    this.#contenders = [served, ...shadow].map((model) => ({ model, series: new Map() }));
  }

  /** Hashes of the models, the one that is served first; empty: none. */
  get models(): string[] {
    return this.#contenders.map(hashOf);
  }

  /** Rows of one series, oldest first. */
  add(series: string, rows: readonly HistoryRow[]): void {
    const held = this.#rows.get(series) ?? new HourlySeries();
    this.#rows.set(series, held);
    for (const row of rows) held.add(row);
  }

  /** What an earlier process learnt. */
  restore(series: string, model: string, state: SeriesState): void {
    const contender = this.#contenders.find((one) => hashOf(one) === model);
    contender?.series.set(series, new SeriesForecast(contender.model, state));
  }

  states(): { readonly series: string; readonly model: string; readonly at: number; readonly state: SeriesState }[] {
    return this.#contenders.flatMap((contender) =>
      [...contender.series]
        .filter(([, one]) => one.at > 0)
        .map(([series, one]) => ({ series, model: hashOf(contender), at: one.at, state: one.state() })),
    );
  }

  /** @param now Unix seconds; not before that of the last question. All series are asked about in one run of each model. */
  async at(now: number): Promise<Answer> {
    const moments = this.#moments(now);
    const features = this.#features(moments);
    const failed = new Map<string, unknown>();
    const made: Made[] = [];
    const cameTrue = new Map<string, CameTrue & { readonly series: string }>();
    let answer: ReadonlyMap<string, readonly HorizonForecast[]> = new Map();
    for (const contender of this.#contenders) {
      const ask = (model: DeviationModel | null) => forecastUnseen(features, (row) => moments[row]?.at ?? 0, model);
      const points = await ask(contender.model).catch((error: unknown) => {
        failed.set(hashOf(contender), error);
        return ask(null);
      });
      const looked = new Map<string, readonly HorizonForecast[]>();
      moments.forEach(({ series, at, isNow, rows }, row) => {
        const one = this.#forecastOf(contender, series);
        const hour = { at, features, points, row, known: rows };
        if (isNow) {
          looked.set(series, one.look(hour));
          return;
        }
        if (at <= one.at) return;
        const horizons = one.step(hour, (then, hours) => this.#truth(series, { then, hours, now: at }));
        const baselines = HORIZONS.map((_, h) => fallbackOf(h, features, row));
        made.push({ series, model: hashOf(contender), at, horizons, baselines });
        for (const came of one.cameTrue) cameTrue.set(`${series} ${came.horizonHours} ${came.at}`, { series, ...came });
      });
      if (contender === this.#contenders[0]) answer = looked;
    }
    for (const rows of this.#rows.values()) rows.forget(now - KEPT_SECONDS);
    return { now: answer, made, cameTrue: [...cameTrue.values()], failed };
  }

  /** What may come of every series that was heard of within a week. @param now Unix seconds. @throws as {@link outlooks}. */
  async outlook(now: number, models: readonly RiskModel[]): Promise<readonly Outlook[]> {
    const asked: SeriesFeatures[] = [];
    for (const [series, rows] of this.#rows) {
      const known = rows.knownAt(now);
      if (Number.isNaN(currentRate(rows.columns, known, now))) continue;
      // Of its first day next to nothing is known, which is no word on what comes after.
      const begin = Math.max(now - LOOKBACK_SECONDS, (rows.columns.availableAt[0] as number) + FIRST_DAY_SECONDS);
      const hours: number[] = [];
      for (let at = Math.floor(now / HOUR) * HOUR; at > begin; at -= HOUR) hours.unshift(at);
      const past = hours.map((at) => ({ series, at, rows: rows.knownAt(at) }));
      asked.push({
        ...{ series, now: this.#features([{ series, at: now, rows: known }]), past: this.#features(past) },
      });
    }
    return outlooks(OF_RATES, asked, models);
  }

  /** Whole hours that a series has still to be stepped through by any model, in order, and then now. */
  #moments(now: number): { series: string; at: number; isNow: boolean; rows: number }[] {
    const moments: { series: string; at: number; isNow: boolean; rows: number }[] = [];
    for (const [series, rows] of this.#rows) {
      const first = rows.columns.availableAt[0];
      if (first === undefined) continue;
      const stepped = this.#contenders.map((one) => this.#forecastOf(one, series).at);
      const from = Math.max(
        Math.min(...stepped) + HOUR,
        Math.ceil(Math.max(first, now - CATCH_UP_SECONDS) / HOUR) * HOUR,
      );
      for (let at = from; at <= now; at += HOUR) {
        const known = rows.knownAt(at);
        if (known > 0) moments.push({ series, at, isNow: false, rows: known });
      }
      const known = rows.knownAt(now);
      const isHeard = !Number.isNaN(currentRate(rows.columns, known, now));
      if (isHeard) moments.push({ series, at: now, isNow: true, rows: known });
    }
    return moments;
  }

  /**
   * Peers are the other lenders: what is forecast for one vault is of one asset, and models have learnt from lenders alone. What a pool of
   * traders or a savings vault pays is another thing.
   */
  #features(moments: readonly { readonly series: string; readonly at: number; readonly rows: number }[]): Float64Array {
    const out = new Float64Array(moments.length * FEATURES.length);
    const names = [...this.#rows.keys()].sort();
    moments.forEach(({ series, at, rows: known }, row) => {
      const rates = names
        .filter((name) => name !== series)
        .map((name) => {
          const { columns, known: last } = this.#knownOf(name, at);
          return Number.isNaN(columns.borrowed[last - 1] ?? NaN) ? NaN : currentRate(columns, last, at);
        });
      const { columns } = this.#rows.get(series) as HourlySeries;
      writeFeatures(columns, { at, known, peers: peersOf(rates) }, out, row * FEATURES.length);
    });
    return out;
  }

  #knownOf(series: string, at: number): { readonly columns: SeriesColumns; readonly known: number } {
    const rows = this.#rows.get(series) as HourlySeries;
    return { columns: rows.columns, known: rows.knownAt(at) };
  }

  #truth(series: string, of: { readonly then: number; readonly hours: number; readonly now: number }): number {
    const rows = this.#rows.get(series) as HourlySeries;
    const then = rows.knownAt(of.then);
    // What was in force then may be forgotten by now.
    return then === 0 ? NaN : targetAt(rows.columns, of.then, of.hours, then, rows.knownAt(of.now));
  }

  #forecastOf(contender: Contender, series: string): SeriesForecast {
    const known = contender.series.get(series) ?? new SeriesForecast(contender.model);
    contender.series.set(series, known);
    return known;
  }
}

function hashOf({ model }: Contender): string {
  return model?.hash ?? "";
}
