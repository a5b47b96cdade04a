// Rows of trained models, and the repository that keeps them. Times are unix seconds, rates fractions a year.

export type ModelStatus = "challenger" | "champion" | "retired";

export interface ModelRow {
  /** SHA-256 of its model.onnx, hex. */
  readonly hash: string;
  readonly name: string;
  /** JSON, as it was when the model was registered. */
  readonly card: string;
  readonly status: ModelStatus;
  readonly registeredAt: number;
}

export interface ModelChange {
  readonly kind: "shipped" | "promoted" | "rolled-back";
  /** Served from then on; null: the EWMA. */
  readonly hash: string | null;
  readonly previous: string | null;
  readonly reason: string;
  /** JSON: what the change rests on; null: nothing. */
  readonly scores: string | null;
  readonly changedAt: number;
}

/** What a model said of a series at a whole hour. */
export interface ModelForecastRow {
  readonly chainId: number;
  readonly series: string;
  readonly horizonHours: number;
  readonly madeAt: number;
  readonly modelHash: string;
  /** Whether decisions rested on it; else it was in the shadow. */
  readonly served: boolean;
  /** Said within the hour; else the hour was caught up with later. */
  readonly live: boolean;
  readonly point: number;
  readonly low: number;
  readonly high: number;
  readonly baseline: number;
}

export interface CameTrue {
  readonly chainId: number;
  readonly series: string;
  readonly horizonHours: number;
  readonly madeAt: number;
  /** Mean rate over the horizon. */
  readonly came: number;
}

/** What a challenger and the champion said of one series and hour, and what came; rates as fractions a year. */
export interface ForecastPair {
  readonly series: string;
  readonly horizonHours: number;
  /** Unix seconds. */
  readonly madeAt: number;
  readonly challenger: number;
  readonly low: number;
  readonly high: number;
  readonly champion: number;
  readonly came: number;
}

export interface SeriesKey {
  readonly chainId: number;
  readonly series: string;
  /** Empty: no model. */
  readonly modelHash: string;
}

/** Every method is one transaction. */
export interface ModelStore {
  /** @returns false where the hash is known: nothing changed. */
  register(model: Pick<ModelRow, "hash" | "name" | "card">): Promise<boolean>;
  /** Oldest first. */
  all(): Promise<ModelRow[]>;
  champion(): Promise<ModelRow | null>;
  /**
   * Serves a model, or none; the one before is retired.
   * @returns false where it is served already: nothing changed.
   */
  serve(hash: string | null, change: Pick<ModelChange, "kind" | "reason" | "scores">): Promise<boolean>;
  /** Newest first. */
  changes(limit: number): Promise<ModelChange[]>;

  /** Rows that are there stay as they are. */
  addForecasts(rows: readonly ModelForecastRow[]): Promise<void>;
  /** Of every model. */
  comeTrue(rows: readonly CameTrue[]): Promise<void>;
  /** Oldest first; `champion` null: against the baseline. Only of hours from `from` on, of which it is known what came. */
  pairs(of: { challenger: string; champion: string | null; from: number }): Promise<ForecastPair[]>;
  /**
   * What decisions rested on at whole hours from `from` on, oldest first: of a model that was served, said within the hour, and not
   * stood in for by the baseline.
   */
  served(of: {
    readonly chainId: number;
    readonly series: string;
    readonly horizonHours: number;
    readonly from: number;
  }): Promise<{ readonly madeAt: number; readonly point: number }[]>;

  saveStates(states: readonly (SeriesKey & { readonly state: string; readonly at: number })[]): Promise<void>;
  state(of: SeriesKey): Promise<string | null>;

  /** Forgets what policies.ts no longer keeps. @param now Unix seconds. @returns how many rows. */
  prune(now: number): Promise<number>;
}
