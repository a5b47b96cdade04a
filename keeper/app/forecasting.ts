// Forecasts of the vault's venues by a trained model, in the loop: feeds it what was observed, keeps what it learns, runs challengers
// in its shadow, and falls back on the EWMA, loudly, whatever is wrong with it. A model never stops the keeper.
import { Failure } from "../config/failure";
import type { Forecast } from "../decide/strategy";
import type { Sink } from "../events/events";
import { CATCH_UP_SECONDS, KEPT_SECONDS, LiveForecasts, type Answer } from "../forecast/liveForecasts";
import type { ServedModel } from "../forecast/onnxModel";
import { horizonNear } from "../forecast/served";
import type { HorizonForecast, SeriesState } from "../forecast/seriesForecast";
import type { HistoryRow } from "../store/historyRecords";
import type { ObservationRow, Store } from "../store/records";
import { failureOf } from "./keeper";
import type { ModelRegistry } from "./modelRegistry";

export interface ForecastingParts {
  readonly chainId: number;
  /** Ids of the vault's venues, which name their series. */
  readonly venues: readonly string[];
  /** Of the allocation: the nearest horizon is the one that decides. */
  readonly horizonHours: number;
  /** Of the vault's asset. */
  readonly assetUsd: number;
  readonly registry: ModelRegistry;
  readonly store: Store;
  readonly sink: Sink;
  /** False: nothing is stored, as in a dry run. */
  readonly persist: boolean;
}

type Wanted = Parameters<ModelRegistry["load"]>[0];

const HOUR = 3_600;
const DIGITS = 12;

export class Forecasting {
  readonly #parts: ForecastingParts;
  readonly #horizon: number;
  #live: LiveForecasts | null = null;
  #model: ServedModel | null = null;
  /** By hash: those that are asked. */
  readonly #files = new Map<string, ServedModel>();
  #lookedAt = -Infinity;
  /** By what is in trouble: hash of a model that cannot be loaded, `served`, `answer HASH`, `forecasting`. */
  readonly #troubles = new Map<string, string>();
  readonly #drifted = new Map<string, string>();

  constructor(parts: ForecastingParts) {
    this.#parts = parts;
    this.#horizon = horizonNear(parts.horizonHours);
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
      await this.#refresh(seen.decimals, at);
      if (this.#live === null) return [...ewma];
      for (const row of seen.observations) this.#live.add(row.venue, [this.#rowOf(row, seen.decimals)]);
      const answer = await this.#live.at(at);
      for (const hash of this.#live.models) {
        const subject = `answer ${hash}`;
        if (answer.failed.has(hash)) this.#tell(subject, failureOf(answer.failed.get(hash)));
        else this.#over(subject);
      }
      this.#tellDrift(answer);
      await this.#keep(answer);
      this.#over("forecasting");
      return ewma.map((forecast) => this.#served(forecast, answer));
    } catch (error) {
      // The database's own failures are told by whoever needs it for more than this.
      this.#tell("forecasting", failureOf(error));
      return [...ewma];
    }
  }

  /** At every hour: who is served, and who would like to be. */
  async #refresh(decimals: number, at: number): Promise<void> {
    const hour = Math.floor(at / HOUR);
    if (hour <= this.#lookedAt) return;
    const { registry, store, sink } = this.#parts;
    if (this.#parts.persist) await registry.register();
    const champion = await store.models.champion();
    const challengers = (await registry.list()).filter(
      ({ status, folder }) => status === "challenger" && folder !== null,
    );
    const [model, ...shadow] = await this.#loaded([champion, ...challengers]);
    if (champion !== null) this.#over("served");
    else this.#tell("served", { code: "MODEL_NONE", message: "no trained model is served: the EWMA is" });

    const live =
      champion === null && challengers.length === 0
        ? null
        : new LiveForecasts(
            model ?? null,
            shadow.filter((one) => one !== null),
          );
    if (this.#live?.models.join() !== live?.models.join()) {
      this.#live = live === null ? null : await this.#started(live, { decimals, at });
    }
    const before = this.#model?.hash;
    this.#model = model ?? null;
    this.#lookedAt = hour;
    if (this.#model === null || this.#model.hash === before) return;
    const { name, hash, card } = this.#model;
    sink.emit({ name: "model.served", model: name, hash, horizonsHours: card.servedHorizonsHours });
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

  /** What was seen before, by whoever saw it: the keeper's own observations, and before them what was collected or imported. */
  async #started(live: LiveForecasts, of: { readonly decimals: number; readonly at: number }): Promise<LiveForecasts> {
    const { chainId, venues, store } = this.#parts;
    const from = of.at - KEPT_SECONDS;
    const own = await store.hourlyObservations({ chainId, from, knownBy: of.at });
    for (const venue of venues) {
      const rows = own.filter((row) => row.venue === venue);
      const first = rows.find(({ supplyAprWithoutUs }) => supplyAprWithoutUs !== null)?.availableAt ?? of.at + 1;
      for await (const page of store.history.history({ chainId, name: venue }, { from, to: first - 1 })) {
        live.add(venue, page);
      }
      live.add(
        venue,
        rows.map((row) => this.#rowOf(row, of.decimals)),
      );
      for (const modelHash of live.models) {
        const state = await store.models.state({ chainId, series: venue, modelHash });
        const known = state === null ? null : (JSON.parse(state) as SeriesState);
        if (known !== null && known.at > of.at - CATCH_UP_SECONDS && known.at <= of.at)
          live.restore(venue, modelHash, known);
      }
    }
    return live;
  }

  /** As the venue would be without us, like what models are trained on. */
  #rowOf(row: ObservationRow, decimals: number): HistoryRow {
    const usd = (amount: string | null): number | null =>
      amount === null ? null : (Number(amount) / 10 ** decimals) * this.#parts.assetUsd;
    const [supplied, ours] = [usd(row.supplied), usd(row.vaultAssets) ?? 0];
    return {
      ...{ observedAt: row.observedAt, availableAt: row.availableAt, block: row.blockNumber, blockHash: row.blockHash },
      ...{ source: row.source, suppliedUsd: supplied === null ? null : Math.max(0, supplied - ours) },
      ...{ borrowedUsd: usd(row.borrowed), supplyApr: row.supplyAprWithoutUs, borrowApr: row.borrowApr },
      ...{ index: row.index ?? null, flags: 0 },
    };
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

  async #keep({ made, cameTrue }: Answer): Promise<void> {
    const { chainId, store, persist } = this.#parts;
    if (!persist || this.#live === null || (made.length === 0 && cameTrue.length === 0)) return;
    const rows = made
      .filter(({ model }) => model !== "")
      .flatMap(({ series, model, at, horizons, baselines }) =>
        horizons.map((one, h) => ({
          ...{ chainId, series, horizonHours: one.horizonHours, madeAt: at, modelHash: model },
          ...{ served: model === this.#model?.hash, point: one.point, baseline: baselines[h] as number },
          ...{ low: one.bounds[0] as number, high: one.bounds.at(-1) as number },
        })),
      );
    await store.models.addForecasts(rows);
    await store.models.comeTrue(
      cameTrue.map(({ series, horizonHours, at, came }) => ({ chainId, series, horizonHours, madeAt: at, came })),
    );
    await store.models.saveStates(
      this.#live.states().map(({ series, model, at, state }) => ({
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
