// The forecasts of one series from hour to hour: by the model, weighed against the baselines by how near each has been, and by the
// baseline alone where the model is not to be trusted; with bounds that learn. All that changes from hour to hour is its state.
import { Conformal, type ConformalState } from "./conformal";
import { FEATURES, HORIZONS } from "./features";
import { Mixture, type MixtureState } from "./mixture";
import { ModelWatch, type WatchState } from "./modelWatch";
import { baselineOf, columnOf, fallbackOf, servedBy, type DeviationModel, type Points } from "./served";

const DEVIATION = columnOf("apr_sd_7d");
const BASELINE_NAMES = servedBy(null);

/** With fewer rows of history a model is not believed: nearly all that it takes is unknown. */
const LEAST_ROWS = 24;

/**
 * Of persistence, EWMA and the model, before it is known which of them a series follows, and what is slowly gone back to. Where
 * persistence is the baseline the model has to beat it at the series itself: there are series where it never does.
 */
const FIRST_WEIGHTS = HORIZONS.map((_, h) =>
  BASELINE_NAMES[h] === "persistence" ? [0.8, 0.02, 0.18] : [0.1, 0.1, 0.8],
);

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

/** A forecast that has come true. */
export interface CameTrue {
  readonly horizonHours: number;
  /** Unix seconds at which it was made. */
  readonly at: number;
  /** Mean rate over the horizon, fraction a year. */
  readonly came: number;
}

/** One row of what the models made of an hour. */
export interface Hour {
  /** Unix seconds. */
  readonly at: number;
  readonly features: Float64Array;
  readonly points: Points;
  /** Of both. */
  readonly row: number;
  /** Rows of the series that are known. */
  readonly known: number;
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
  readonly mixtures: readonly MixtureState[];
  readonly pending: readonly (readonly Said[])[];
}

/** What each forecaster said, until it is known which was nearest. */
interface Said {
  readonly at: number;
  /** By persistence, EWMA and the model. */
  readonly said: readonly number[];
  /** Their mean by the weights of then. */
  readonly mean: number;
  /** What would stand in for the model. */
  readonly baseline: number;
}

export class SeriesForecast {
  readonly #model: DeviationModel | null;
  readonly #conformal: readonly Conformal[];
  readonly #watch: ModelWatch | null;
  readonly #mixtures: readonly Mixture[];
  readonly #pending: readonly Said[][];
  #at: number;
  #cameTrue: CameTrue[] = [];

  /** @param state Of before; what was learnt of another model's errors is where this one's begin. */
  constructor(model: DeviationModel | null, state?: SeriesState) {
    this.#model = model;
    this.#conformal = HORIZONS.map((hours, h) => new Conformal(hours, state?.conformal[h]));
    const same = state !== undefined && state.model === (model?.hash ?? null) ? state : undefined;
    this.#watch = model?.norms == null ? null : new ModelWatch(model.norms, same?.watch ?? undefined);
    this.#mixtures = HORIZONS.map(
      (hours, h) => new Mixture(FIRST_WEIGHTS[h] as readonly number[], hours, same?.mixtures[h]),
    );
    this.#pending = HORIZONS.map((_, h) => [...(same?.pending[h] ?? [])]);
    this.#at = state?.at ?? -Infinity;
  }

  /** The last hour that was stepped; −Infinity: none. */
  get at(): number {
    return this.#at;
  }

  /** By the last step. */
  get cameTrue(): readonly CameTrue[] {
    return this.#cameTrue;
  }

  state(): SeriesState {
    return {
      model: this.#model?.hash ?? null,
      at: this.#at,
      conformal: this.#conformal.map((one) => one.state()),
      watch: this.#watch?.state() ?? null,
      mixtures: this.#mixtures.map((one) => one.state()),
      pending: this.#pending.map((waiting) => [...waiting]),
    };
  }

  /**
   * Learns what has come true by a whole hour, and forecasts. Hours come in order, each once.
   *
   * @param truth Mean rate over the `horizonHours` after `then`, as known at the hour; NaN: not known.
   */
  step(hour: Hour, truth: (then: number, horizonHours: number) => number): HorizonForecast[] {
    this.#at = hour.at;
    this.#cameTrue = [];
    // Of a series' first day next to nothing is known: that the model is not asked then is no word on what it is asked later.
    if (hour.known > LEAST_ROWS) this.#watch?.see(hour.features, hour.row);
    HORIZONS.forEach((hours, h) => {
      const known = new Map<number, number>();
      this.#conformal[h]?.learn(hour.at, (then) => {
        const came = truth(then, hours);
        known.set(then, came);
        if (!Number.isNaN(came)) this.#cameTrue.push({ horizonHours: hours, at: then, came });
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

  /** Who was how near, of the forecasts that just came true. */
  #judge(h: number, known: ReadonlyMap<number, number>): void {
    const waiting = this.#pending[h] as Said[];
    const newest = Math.max(...known.keys());
    while (waiting[0] !== undefined && waiting[0].at <= newest) {
      const { at, said, mean, baseline } = waiting.shift() as Said;
      const came = known.get(at) ?? NaN;
      if (Number.isNaN(came)) continue;
      this.#mixtures[h]?.learn(said, mean, came);
      this.#watch?.learn(h, { model: Math.abs(came - mean), baseline: Math.abs(came - baseline) });
    }
  }

  #forecasts(
    { at, features, points, row, known }: Hour,
    { remember }: { readonly remember: boolean },
  ): HorizonForecast[] {
    const apr = baselineOf("persistence", features, row);
    const ewma = baselineOf("ewma", features, row);
    const distance = Math.abs(apr - ewma);
    const deviation = features[row * FEATURES.length + DEVIATION] as number;
    return HORIZONS.map((horizonHours, h) => {
      const cell = row * HORIZONS.length + h;
      const byModel = points.byModel[cell] === 1 && known >= LEAST_ROWS;
      const baseline = fallbackOf(h, features, row);
      const said = [apr, ewma, points.point[cell] as number];
      const mean = byModel ? (this.#mixtures[h] as Mixture).mean(said) : baseline;
      if (byModel && remember) this.#pending[h]?.push({ at, said, mean, baseline });
      const trouble = byModel ? (this.#watch?.trouble(h) ?? null) : this.#silence(h, known);
      const point = trouble === null ? mean : baseline;
      const expected = byModel && trouble === null ? (points.scale[cell] as number) : NaN;
      const issue = { at, point, distance, deviation, said: expected };
      const bounds = (this.#conformal[h] as Conformal).bounds(issue, { remember });
      const by = byModel && trouble === null ? (this.#model?.name ?? "") : (BASELINE_NAMES[h] as string);
      return { horizonHours, by, point, bounds, trouble };
    });
  }

  #silence(h: number, known: number): string | null {
    if (this.#model?.serves[h] !== true) return null;
    return known < LEAST_ROWS ? "its history is shorter than a day" : "it answered with what is no number";
  }
}
