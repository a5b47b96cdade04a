// Forecasts of the served model for a backtest: the walk that `tiller forecast evaluate` scores, over the rows of the market, made
// ahead because a model answers many rows at once. At each step the last whole hour that was known counts. As in the keeper, each
// time frame has the model's own word where the model speaks for it, and the EWMA's of the live decision where not.
import type { UnflaggedRow } from "../../collect/canonicalHistory";
import { assetOf, HORIZONS, type SeriesColumns } from "../../forecast/features";
import { horizonNear, type DeviationModel } from "../../forecast/served";
import { columnsOf, HOUR, hoursOf, type Hours } from "../forecasts/hours";
import { walk } from "../forecasts/walk";
import type { Knowledge, Market } from "../market";
import { readRows, seriesIn } from "../readSeries";
import type { RateSeries } from "../series";
import { ewmaForecasts, type Forecasts } from "./live";

/** What bounds and weights learn from before the first step. */
const WARM_UP_SECONDS = 180 * 86_400;

export interface MlOptions {
  readonly model: DeviationModel;
  /** Of the market's files, whose other series of the same assets features compare with. */
  readonly folder: string;
  /** Of the live decision. */
  readonly horizonHours: number;
  readonly halfLifeHours: number;
  /** Unix seconds: rows from after it are refused. */
  readonly now: number;
  readonly signal?: AbortSignal | undefined;
}

/** By hour from `from`, and by horizon; NaN: the model does not speak. */
interface Spoken {
  readonly from: number;
  readonly points: Float64Array;
}

/** Series beside the market's that features looked at. */
export interface Peers {
  readonly series: readonly string[];
  /** SHA-256 over their rows, as of the market's. */
  readonly dataHash: string;
}

export interface MlForecasts {
  readonly forecasts: (knowledge: Knowledge) => Forecasts;
  readonly peers: Peers;
}

/** @throws InputFailure `IMPORT_…` as `readRows`. */
export async function mlForecasts({ knowledge, grid }: Market, of: MlOptions): Promise<MlForecasts> {
  const { series } = knowledge;
  const assets = new Set(series.map(({ name }) => assetOf(name)));
  const others = seriesIn(of.folder).filter(
    (name) => assets.has(assetOf(name)) && series.every((one) => one.name !== name),
  );
  const to = grid.from + grid.steps * grid.stepSeconds;
  const { rows, dataHash } = await readRows(of.folder, others, { now: of.now, signal: of.signal });
  const all = new Map([
    ...series.map((one) => [one.name, columnsOf(rowsOf(one))] as const),
    ...[...rows].map(([name, read]) => [name, columnsOf(read)] as const),
  ]);
  const spoken: Spoken[] = [];
  for (const { name } of series) {
    const hours = hoursOf(name, all, { from: grid.from - WARM_UP_SECONDS, to });
    spoken.push(hours === null ? { from: to, points: new Float64Array(0) } : await spokenIn(hours, all, of.model));
  }
  const decides = horizonNear(of.horizonHours);
  const forecasts = (known: Knowledge): Forecasts => {
    const ewma = ewmaForecasts(of.halfLifeHours)(known);
    return (venue, now, hours) => {
      const one = spoken[venue];
      if (one === undefined) throw new RangeError(`no venue ${venue}`);
      const horizon = hours === undefined ? decides : HORIZONS.findIndex((frame) => frame === hours);
      // After its last row a series is as it was known last.
      const hour = Math.min(one.points.length / HORIZONS.length - 1, Math.floor((now.knownAt - one.from) / HOUR));
      const point = horizon < 0 || hour < 0 ? NaN : (one.points[hour * HORIZONS.length + horizon] as number);
      // Asked always: it takes the rows in their order.
      const mean = ewma(venue, now, hours);
      return Number.isNaN(point) ? mean : point;
    };
  };
  return { forecasts, peers: { series: others, dataHash } };
}

async function spokenIn(hours: Hours, all: ReadonlyMap<string, SeriesColumns>, model: DeviationModel): Promise<Spoken> {
  const { point, byModel } = await walk(hours, all.get(hours.name) as SeriesColumns, model);
  return { from: hours.from, points: point.map((rate, cell) => (byModel[cell] === 1 ? rate : NaN)) };
}

function rowsOf(series: RateSeries): UnflaggedRow[] {
  return series.rows().map((row) => ({
    ...{ ...row, borrowApr: row.borrowApr ?? null, index: null, flags: 0 },
    ...{ block: 0, blockHash: null, source: series.name },
  }));
}
