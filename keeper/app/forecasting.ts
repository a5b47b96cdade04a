// Forecasts of the vault's venues by a trained model, in the loop: feeds it what was observed, keeps what it learns, runs challengers
// in its shadow, and falls back on the EWMA, loudly, whatever is wrong with it. A model never stops the keeper.
import { Failure } from "../config/failure";
import type { Forecast } from "../decide/strategy";
import type { Sink } from "../events/events";
import { CATCH_UP_SECONDS, LiveForecasts, type Answer } from "../forecast/liveForecasts";
import type { ServedModel } from "../forecast/onnxModel";
import { horizonNear } from "../forecast/served";
import type { HorizonForecast, SeriesState } from "../forecast/seriesForecast";
import type { ObservationRow, Store } from "../store/records";
import { failureOf } from "./keeper";
import type { ModelRegistry } from "./modelRegistry";
import { OutlookWatch } from "./outlookWatch";
import { addSeenRows, historyRowOf, type SeriesOfVenues } from "./seriesRows";

export interface ForecastingParts extends SeriesOfVenues {
  /** Of the allocation: the nearest horizon is the one that decides. */
  readonly horizonHours: number;
  readonly registry: ModelRegistry;
  readonly store: Store;
  readonly sink: Sink;
  /** False: nothing is stored, as in a dry run. */
  readonly persist: boolean;
}

type Wanted = Parameters<ModelRegistry["load"]>[0];

const HOUR = 3_600;
const DIGITS = 12;
const OUTLOOK = "outlook ";

export class Forecasting {
  readonly #parts: ForecastingParts;
  readonly #horizon: number;
  #live: LiveForecasts | null = null;
  #model: ServedModel | null = null;
  /** By hash: those that are asked. */
  readonly #files = new Map<string, ServedModel>();
  #lookedAt = -Infinity;
  readonly #outlook: OutlookWatch;
  #aheadAt = -Infinity;
  /** By what is in trouble: hash of a model that cannot be loaded, `served`, `answer HASH`, `forecasting`, `outlook …`. */
  readonly #troubles = new Map<string, string>();
  readonly #drifted = new Map<string, string>();

  constructor(parts: ForecastingParts) {
    this.#parts = parts;
    this.#horizon = horizonNear(parts.horizonHours);
    this.#outlook = new OutlookWatch(parts.registry.folder, parts.sink, {
      chainId: parts.chainId,
      history: parts.store.history,
    });
  }

  /**
   * The forecasts with the model's in place of the EWMA's where it serves.
   *
   * @param ewma What the keeper forecasts without it.
   * @param seen Of this block; `decimals` of the vault's asset.
   * @param at Unix seconds: what is used was known by then.
   */
  async serve(
    ewma: readonly Forecast[],
    seen: { readonly observations: readonly ObservationRow[]; readonly decimals: number },
    at: number,
  ): Promise<Forecast[]> {
    try {
      const live = await this.#refresh(seen.decimals, at);
      for (const row of seen.observations) {
        live.add(row.venue, [historyRowOf(row, { decimals: seen.decimals, assetUsd: this.#parts.assetUsd })]);
      }
      const answer = await live.at(at);
      for (const hash of live.models) {
        const subject = `answer ${hash}`;
        if (answer.failed.has(hash)) this.#tell(subject, failureOf(answer.failed.get(hash)));
        else this.#over(subject);
      }
      this.#tellDrift(answer);
      await this.#keep(answer, live, at);
      await this.#lookAhead(live, at);
      this.#over("forecasting");
      return ewma.map((forecast) => this.#served(forecast, answer));
    } catch (error) {
      // The database's own failures are told by whoever needs it for more than this.
      this.#tell("forecasting", failureOf(error));
      return [...ewma];
    }
  }

  /** At every hour: who is served, and who would like to be. @returns what they forecast with. */
  async #refresh(decimals: number, at: number): Promise<LiveForecasts> {
    const hour = Math.floor(at / HOUR);
    if (this.#live !== null && hour <= this.#lookedAt) return this.#live;
    const { registry, store, sink } = this.#parts;
    if (this.#parts.persist) await registry.register();
    const champion = await store.models.champion();
    const challengers = (await registry.list()).filter(
      ({ status, folder }) => status === "challenger" && folder !== null,
    );
    const [model, ...shadow] = await this.#loaded([champion, ...challengers]);
    if (champion !== null) this.#over("served");
    else this.#tell("served", { code: "MODEL_NONE", message: "no trained model is served: the EWMA is" });

    const fresh = new LiveForecasts(
      model ?? null,
      shadow.filter((one) => one !== null),
    );
    const isSame = this.#live?.models.join() === fresh.models.join();
    const live = this.#live !== null && isSame ? this.#live : await this.#started(fresh, { decimals, at });
    this.#live = live;
    const before = this.#model?.hash;
    this.#model = model ?? null;
    this.#lookedAt = hour;
    if (this.#model !== null && this.#model.hash !== before) {
      const { name, hash, card } = this.#model;
      sink.emit({ name: "model.served", model: name, hash, horizonsHours: card.servedHorizonsHours });
    }
    return live;
  }

  /** At every hour: what may come of the venues. Whatever is wrong with that, rates are forecast. */
  async #lookAhead(live: LiveForecasts, at: number): Promise<void> {
    const hour = Math.floor(at / HOUR);
    if (hour <= this.#aheadAt) return;
    this.#aheadAt = hour;
    const troubles = new Map<string, unknown>();
    try {
      for (const [folder, failure] of await this.#outlook.look(live, at)) troubles.set(OUTLOOK + folder, failure);
    } catch (error) {
      troubles.set(OUTLOOK, error);
    }
    for (const subject of [...this.#troubles.keys()]) {
      if (subject.startsWith(OUTLOOK) && !troubles.has(subject)) this.#over(subject);
    }
    for (const [subject, error] of troubles) this.#tell(subject, failureOf(error));
  }

  /** In their order; null where there is none, and where it cannot be loaded, which is tried again at the next hour. */
  async #loaded(wanted: readonly (Wanted | null)[]): Promise<(ServedModel | null)[]> {
    const before = new Map(this.#files);
    this.#files.clear();
    return Promise.all(
      wanted.map(async (one) => {
        if (one === null) return null;
        try {
          const model = before.get(one.hash) ?? (await this.#parts.registry.load(one));
          this.#files.set(one.hash, model);
          this.#over(one.hash);
          return model;
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          this.#tell(one.hash, failureOf(error));
          return null;
        }
      }),
    );
  }

  /** With what was seen before, by whoever saw it, and what was learnt from it. */
  async #started(live: LiveForecasts, of: { readonly decimals: number; readonly at: number }): Promise<LiveForecasts> {
    const { chainId, venues, store } = this.#parts;
    await addSeenRows(live, this.#parts, of);
    for (const venue of venues) {
      for (const modelHash of live.models) {
        const state = await store.models.state({ chainId, series: venue, modelHash });
        const known = state === null ? null : (JSON.parse(state) as SeriesState);
        if (known !== null && known.at > of.at - CATCH_UP_SECONDS && known.at <= of.at)
          live.restore(venue, modelHash, known);
      }
    }
    return live;
  }

  #served(forecast: Forecast, { now }: Answer): Forecast {
    const found = now.get(forecast.venue)?.[this.#horizon];
    const model = this.#model;
    if (found === undefined || model === null || found.by !== model.name) return forecast;
    const [low, high] = [found.bounds[0] as number, found.bounds.at(-1) as number];
    return {
      ...forecast,
      ...{ model: model.name, apr: rounded(found.point) },
      ...(forecast.frames === undefined
        ? {}
        : { frames: framesOf(forecast.frames, now.get(forecast.venue) ?? [], model.name) }),
      trained: {
        ...{ hash: model.hash, horizonHours: found.horizonHours },
        ...{ low: rounded(low), high: rounded(high) },
      },
    };
  }

  async #keep({ made, cameTrue }: Answer, live: LiveForecasts, now: number): Promise<void> {
    const { chainId, store, persist } = this.#parts;
    if (!persist || (made.length === 0 && cameTrue.length === 0)) return;
    const rows = made
      .filter(({ model }) => model !== "")
      .flatMap(({ series, model, at, horizons, baselines }) =>
        horizons.map((one, h) => ({
          ...{ chainId, series, horizonHours: one.horizonHours, madeAt: at, modelHash: model },
          ...{
            served: model === this.#model?.hash,
            live: now - at < HOUR,
            point: one.point,
            baseline: baselines[h] as number,
          },
          ...{ low: one.bounds[0] as number, high: one.bounds.at(-1) as number },
        })),
      );
    await store.models.addForecasts(rows);
    await store.models.comeTrue(
      cameTrue.map(({ series, horizonHours, at, came }) => ({ chainId, series, horizonHours, madeAt: at, came })),
    );
    await store.models.saveStates(
      live.states().map(({ series, model, at, state }) => ({
        ...{ chainId, series, modelHash: model, at },
        state: JSON.stringify(state),
      })),
    );
  }

  /** Once for each series and horizon, and once when it is over. */
  #tellDrift({ now }: Answer): void {
    const { sink } = this.#parts;
    for (const [series, horizons] of now) {
      for (const { horizonHours, trouble } of horizons) {
        const key = `${series} ${horizonHours}`;
        const before = this.#drifted.get(key);
        if (trouble !== null && before === undefined) {
          sink.emit({ name: "model.distrusted", series, horizonHours, reason: trouble });
        } else if (trouble === null && before !== undefined) {
          sink.emit({ name: "model.trusted", series, horizonHours });
        }
        if (trouble === null) this.#drifted.delete(key);
        else this.#drifted.set(key, trouble);
      }
    }
  }

  /** Once, until something else is wrong with it or nothing is. */
  #tell(subject: string, { code, message }: { readonly code: string; readonly message: string }): void {
    const trouble = `${code} ${message}`;
    if (this.#troubles.get(subject) === trouble) return;
    this.#troubles.set(subject, trouble);
    this.#parts.sink.emit({ name: "model.trouble", code, message });
  }

  #over(subject: string): void {
    this.#troubles.delete(subject);
  }
}

/** Rates over the time frames: the model's where it serves them. */
function framesOf(
  frames: NonNullable<Forecast["frames"]>,
  horizons: readonly HorizonForecast[],
  model: string,
): NonNullable<Forecast["frames"]> {
  return frames.map(({ hours, apr }) => {
    const one = horizons.find(({ horizonHours }) => horizonHours === hours);
    return { hours, apr: one === undefined || one.by !== model ? apr : rounded(one.point) };
  });
}

/** As it is recorded and used: no more digits than the record keeps. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(DIGITS));
}
