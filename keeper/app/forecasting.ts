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

const HOUR = 3_600;
const DIGITS = 12;

export class Forecasting {
  readonly #parts: ForecastingParts;
  readonly #horizon: number;
  #live: LiveForecasts | null = null;
  #model: ServedModel | null = null;
  /** Hash of the champion as the registry had it last; undefined: it was not asked yet. */
  #champion: string | null | undefined;
  #lookedAt = -Infinity;
  #trouble: string | null = null;
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
      for (const error of answer.failed.values()) this.#tell(failureOf(error));
      if (answer.failed.size === 0 && this.#model !== null) this.#trouble = null;
      this.#tellDrift(answer);
      await this.#keep(answer);
      return ewma.map((forecast) => this.#served(forecast, answer));
    } catch (error) {
      // The database's own failures are told by whoever needs it for more than this.
      this.#tell(failureOf(error));
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
    const wanted = [champion?.hash ?? "", ...challengers.map(({ hash }) => hash)];
    const isSame = this.#champion === (champion?.hash ?? null) && this.#live?.models.join() === wanted.join();
    if (isSame) {
      this.#lookedAt = hour;
      return;
    }
    this.#champion = champion?.hash ?? null;
    this.#model = null;
    if (champion === null) {
      this.#tell({ code: "MODEL_NONE", message: "no trained model is served: the EWMA is" });
      if (challengers.length === 0) {
        this.#live = null;
        this.#lookedAt = hour;
        return;
      }
    } else {
      this.#model = await registry.load(champion).catch((error: unknown) => this.#refused(error));
    }
    const shadow = await Promise.all(
      challengers.map((one) => registry.load(one).catch((error: unknown) => this.#refused(error))),
    );
    this.#live = await this.#started(
      new LiveForecasts(
        this.#model,
        shadow.filter((one) => one !== null),
      ),
      { decimals, at },
    );
    this.#lookedAt = hour;
    if (this.#model === null) return;
    this.#trouble = null;
    const { name, hash, card } = this.#model;
    sink.emit({ name: "model.served", model: name, hash, horizonsHours: card.servedHorizonsHours });
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

  #refused(error: unknown): null {
    if (!(error instanceof Failure)) throw error;
    this.#tell(failureOf(error));
    return null;
  }

  /** Once, until something else is wrong or nothing is. */
  #tell({ code, message }: { readonly code: string; readonly message: string }): void {
    const trouble = `${code} ${message}`;
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    this.#parts.sink.emit({ name: "model.trouble", code, message });
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
