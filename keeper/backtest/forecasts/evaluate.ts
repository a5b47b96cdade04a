// Scores of the served forecasts over a folder of recorded series, whoever wrote them.
import { setImmediate as immediately } from "node:timers/promises";
import { utcDay } from "../../collect/utcDay";
import { InputFailure } from "../../config/failure";
import { assetOf, HORIZONS, type SeriesColumns } from "../../forecast/features";
import type { RiskModel } from "../../forecast/riskModel";
import { servedBy, type DeviationModel } from "../../forecast/served";
import { isOfPrices, readPrices, readRows, seriesIn } from "../readSeries";
import { Foretelling, type EventRow } from "./foretelling";
import { columnsOf, HOUR, hoursBetween, hoursOf, type AskedHours, type Hours } from "./hours";
import { priceHoursOf } from "./priceHours";
import { scoresOf, withHolm, type ScoreRow } from "./scores";
import { walk, type Walk } from "./walk";

export interface EvaluateOptions {
  readonly folder: string;
  /** Of rates; and pools' prices of one dollar in another, which are scored for depegs alone. */
  readonly series: readonly string[];
  /** Unix seconds: forecasts are made at whole hours from the first to the last, both included. */
  readonly from: number;
  readonly to: number;
  /** Null: the baselines. */
  readonly model: DeviationModel | null;
  /** Of events, one each. */
  readonly risk: readonly RiskModel[];
  /** Of the resampling behind the intervals. */
  readonly seed: number;
  /** Unix seconds: rows of later are refused. */
  readonly now: number;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, of: number) => void;
}

export interface Evaluation {
  /** By series, in the order asked for, and by horizon. */
  readonly rows: readonly ScoreRow[];
  /** By event, all series together and each. */
  readonly events: readonly EventRow[];
  /** SHA-256 over the rows of the series and of those of the same assets in the folder, which features compare with. */
  readonly dataHash: string;
  /** Of the prices; null: there are none. */
  readonly pricesHash: string | null;
  readonly walks: readonly { readonly hours: Hours; readonly walked: Walk }[];
}

/** Intervals have so much of the history before the span to learn from. */
const WARM_UP_SECONDS = 365 * 86_400;
/** Two hours cannot tell two forecasts apart. */
const LEAST_ROWS = 2;

/**
 * @throws InputFailure `BACKTEST_SERIES`, `IMPORT_…` as {@link readRows}; `EVALUATION_SPAN`, `EVALUATION_SHORT`.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { folder, model, from, to, signal } = options;
  const [named, series] = [options.series.filter(isOfPrices), options.series.filter((name) => !isOfPrices(name))];
  if (to <= from) {
    throw new InputFailure("EVALUATION_SPAN", "is not after --from", { field: "--to", remedy: "Name a later end." });
  }
  const { rows, dataHash } = await readRows(folder, withPeers(folder, series), { now: options.now, signal });
  const all = new Map([...rows].map(([name, read]) => [name, columnsOf(read)]));
  const walks: { readonly hours: Hours; readonly walked: Walk }[] = [];
  const scores: ScoreRow[] = [];
  const foretelling = new Foretelling(options.risk, { from, to });
  // What is said of events without a model is learnt from all of the past.
  const reach = options.risk.length === 0 ? from - WARM_UP_SECONDS : -Infinity;
  for (const name of series) {
    const columns = all.get(name) as SeriesColumns;
    const known = hoursOf(name, all, { from: reach, to: to + foretelling.horizonHours * HOUR });
    const scored = known === null ? null : hoursBetween(known, { from: from - WARM_UP_SECONDS, to });
    const hours = inSpan(name, scored, { columns, from });
    if (known !== null) await foretelling.add(known);
    const walked = await walk(hours, columns, model);
    walks.push({ hours, walked });
    scores.push(...scoresOf(hours, walked, { from, to, served: servedBy(model), seed: options.seed }));
    options.progress?.(walks.length, options.series.length);
    await immediately();
    signal?.throwIfAborted();
  }
  const { prices, dataHash: pricesHash } = await readPrices(folder, named, options);
  for (const [name, columns] of prices) {
    const hours = priceHoursOf(name, columns, to + foretelling.horizonHours * HOUR);
    if (!reaches(hours, from)) throw notInSpan(name, columns.availableAt);
    await foretelling.addPrice(hours);
  }
  options.progress?.(options.series.length, options.series.length);
  return { rows: withHolm(scores), events: foretelling.rows(options.seed), dataHash, pricesHash, walks };
}

/** What features of a series look at: all series of its asset that the folder has, as where they were trained. */
function withPeers(folder: string, series: readonly string[]): string[] {
  const assets = new Set(series.map(assetOf));
  return [
    ...series,
    ...seriesIn(folder).filter((name) => assets.has(assetOf(name)) && !series.includes(name) && !isOfPrices(name)),
  ];
}

/** @throws InputFailure `EVALUATION_SPAN`, `EVALUATION_SHORT`. */
function inSpan(
  name: string,
  hours: Hours | null,
  { columns, from }: { readonly columns: SeriesColumns; readonly from: number },
): Hours {
  if (columns.length < LEAST_ROWS) {
    throw new InputFailure(
      "EVALUATION_SHORT",
      `has ${columns.length} row${columns.length === 1 ? "" : "s"} with a rate`,
      {
        field: `--series ${name}`,
        remedy: "Give a history with several hours.",
      },
    );
  }
  if (!reaches(hours, from)) throw notInSpan(name, columns.availableAt);
  return hours;
}

function reaches<T extends AskedHours>(hours: T | null, from: number): hours is T {
  return hours !== null && hours.from + (hours.count - 1) * HOUR >= from;
}

function notInSpan(name: string, availableAt: readonly number[]): InputFailure {
  const dates = `${day(availableAt[0])} to ${day(availableAt.at(-1))}`;
  return new InputFailure("EVALUATION_SPAN", `${name} has rows from ${dates}, and none in the span`, {
    field: "--from",
    remedy: "Name a span that the series is in, or leave the series out.",
  });
}

function day(seconds: number | undefined): string {
  return seconds === undefined ? "never" : utcDay(seconds);
}

/** Of all scored hours of all series: what the served forecast's MAE is under each baseline's, by horizon. */
export function pooled(
  rows: readonly ScoreRow[],
): { horizonHours: number; n: number; underPersistence: number | null; underEwma: number | null }[] {
  return HORIZONS.map((horizonHours) => {
    const scored = rows.filter((row) => row.horizonHours === horizonHours && row.n > 0);
    const sum = (of: (row: ScoreRow) => number | null): number =>
      scored.reduce((total, row) => total + row.n * (of(row) ?? 0), 0);
    const served = sum((row) => row.maeServed);
    const under = (base: number): number | null => (base > 0 ? 1 - served / base : null);
    return {
      horizonHours,
      n: scored.reduce((total, { n }) => total + n, 0),
      underPersistence: under(sum((row) => row.maePersistence)),
      underEwma: under(sum((row) => row.maeEwma)),
    };
  });
}
