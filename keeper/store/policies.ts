// For how long each table that grows is kept, and into which buckets its rows are rolled up.
import type { PartitionedTable } from "./partitions";

const DAY_SECONDS = 86_400;

/** Null: for good. Whole months are dropped, once their last day is older. */
export const KEPT_SECONDS: Readonly<Record<PartitionedTable, number | null>> = {
  // Forecasts are trained on years, and an hourly series is a megabyte a year.
  history: null,
  // Whole states, for audits of what was collected; what series need of them is in history.
  readings: 400 * DAY_SECONDS,
  pool_events: null,
};

/** Of what models said and know, by the hour it is about. Which were served when is kept for good. */
export const MODELS_KEPT_SECONDS = {
  // A challenger is judged on the months since its training, the breaker on the last 30 days.
  model_forecasts: 400 * DAY_SECONDS,
  // One that was not stepped for 30 days is begun anew (CATCH_UP_SECONDS of forecast/liveForecasts.ts).
  forecast_states: 60 * DAY_SECONDS,
} as const;

/** Five minutes, an hour, a day. */
export const BUCKET_SECONDS = [300, 3_600, DAY_SECONDS] as const;
