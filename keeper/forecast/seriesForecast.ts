// The forecasts of one series from hour to hour: by the model where it is to be trusted, by the baseline where it is not, with
// bounds that learn. All that changes from hour to hour is its state.
import { Conformal, type ConformalState } from "./conformal";
import { FEATURES, HORIZONS } from "./features";
import { ModelWatch, type WatchState } from "./modelWatch";
import { baselineOf, columnOf, fallbackOf, servedBy, type DeviationModel, type Points } from "./served";

const DEVIATION = columnOf("apr_sd_7d");
const BASELINE_NAMES = servedBy(null);

export interface HorizonForecast {
  readonly horizonHours: number;
  /** The model's name, `ewma` or `persistence`. */
  readonly by: string;
  /** Fraction a year. */
  readonly point: number;
  /** At `LEVELS` of conformal.ts. */
  readonly bounds: readonly number[];
  /** Why the model is stood in for, in words; null: it is not, or there is none. */
  readonly trouble: string | null;
}

/** One row of what the models made of an hour. */
export interface Hour {
  /** Unix seconds. */
  readonly at: number;
  readonly features: Float64Array;
  readonly points: Points;
  /** Of both. */
  readonly row: number;
}

/** Plain JSON. */
export interface SeriesState {
  /** Hash of the model whose errors these are; null: of the baselines. */
  readonly model: string | null;
  /** Unix seconds of the last hour. */
  readonly at: number;
  /** By horizon. */
  readonly conformal: readonly ConformalState[];
  readonly watch: WatchState | null;
  readonly pending: readonly (readonly Twin[])[];
}

/** A forecast of the model beside the baseline's, until it is known which was nearer. */
interface Twin {
  readonly at: number;
  readonly model: number;
  readonly baseline: number;
}

export class SeriesForecast {
  readonly #model: DeviationModel | null;
  readonly #conformal: readonly Conformal[];
  readonly #watch: ModelWatch | null;
  readonly #pending: readonly Twin[][];
  #at: number;

  /** @param state Of before; what was learnt of another model's errors is where this one's begin. */
  constructor(model: DeviationModel | null, state?: SeriesState) {
    this.#model = model;
    this.#conformal = HORIZONS.map((hours, h) => new Conformal(hours, state?.conformal[h]));
    const same = state !== undefined && state.model === (model?.hash ?? null) ? state : undefined;
    this.#watch = model?.norms == null ? null : new ModelWatch(model.norms, same?.watch ?? undefined);
    this.#pending = HORIZONS.map((_, h) => [...(same?.pending[h] ?? [])]);
    this.#at = state?.at ?? -Infinity;
  }

  /** The last hour that was stepped; −Infinity: none. */
  get at(): number {
    return this.#at;
  }

  state(): SeriesState {
    return {
      model: this.#model?.hash ?? null,
      at: this.#at,
      conformal: this.#conformal.map((one) => one.state()),
      watch: this.#watch?.state() ?? null,
      pending: this.#pending.map((twins) => [...twins]),
    };
  }

  /**
   * Learns what has come true by a whole hour, and forecasts. Hours come in order, each once.
   *
   * @param truth Mean rate over the `horizonHours` after `then`, as known at the hour; NaN: not known.
   */
  step(hour: Hour, truth: (then: number, horizonHours: number) => number): HorizonForecast[] {
    this.#at = hour.at;
    this.#watch?.see(hour.features, hour.row);
    HORIZONS.forEach((hours, h) => {
      const known = new Map<number, number>();
      this.#conformal[h]?.learn(hour.at, (then) => {
        const came = truth(then, hours);
        known.set(then, came);
        return came;
      });
      this.#judge(h, known);
    });
    return this.#forecasts(hour, { remember: true });
  }

  /** What a step would forecast between two whole hours; nothing is learnt. */
  look(hour: Hour): HorizonForecast[] {
    return this.#forecasts(hour, { remember: false });
  }

  /** The model's errors and the baseline's, of the forecasts that just came true. */
  #judge(h: number, known: ReadonlyMap<number, number>): void {
    const twins = this.#pending[h] as Twin[];
    const newest = Math.max(...known.keys());
    while (twins[0] !== undefined && twins[0].at <= newest) {
      const { at, model, baseline } = twins.shift() as Twin;
      const came = known.get(at) ?? NaN;
      if (Number.isNaN(came)) continue;
      this.#watch?.learn(h, { model: Math.abs(came - model), baseline: Math.abs(came - baseline) });
    }
  }

  #forecasts({ at, features, points, row }: Hour, { remember }: { readonly remember: boolean }): HorizonForecast[] {
    const apr = baselineOf("persistence", features, row);
    const distance = Math.abs(apr - baselineOf("ewma", features, row));
    const deviation = features[row * FEATURES.length + DEVIATION] as number;
    return HORIZONS.map((horizonHours, h) => {
      const cell = row * HORIZONS.length + h;
      const [said, byModel] = [points.point[cell] as number, points.byModel[cell] === 1];
      const baseline = byModel ? fallbackOf(h, features, row) : said;
      if (byModel && remember && this.#watch !== null) this.#pending[h]?.push({ at, model: said, baseline });
      const trouble = byModel ? (this.#watch?.trouble(h) ?? null) : this.#silence(h);
      const point = trouble === null ? said : baseline;
      const bounds = (this.#conformal[h] as Conformal).bounds({ at, point, distance, deviation }, { remember });
      const by = byModel && trouble === null ? (this.#model?.name ?? "") : (BASELINE_NAMES[h] as string);
      return { horizonHours, by, point, bounds, trouble };
    });
  }

  #silence(h: number): string | null {
    return this.#model?.serves[h] === true ? "it was not asked, or answered with what is no number" : null;
  }
}
