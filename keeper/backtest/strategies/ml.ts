// Forecasts of the served model for a backtest: the walk that `tiller forecast evaluate` scores, over the rows of the market, made
// ahead because a model answers many rows at once. At each step the last whole hour that was known counts.
import type { UnflaggedRow } from "../../collect/canonicalHistory";
import { assetOf, HORIZONS, type SeriesColumns } from "../../forecast/features";
import { horizonNear, type DeviationModel } from "../../forecast/served";
import { columnsOf, HOUR, hoursOf } from "../forecasts/hours";
import { walk } from "../forecasts/walk";
import type { Knowledge, Market } from "../market";
import { readRows, seriesIn } from "../readSeries";
import type { RateSeries } from "../series";
import type { Forecasts } from "./live";

/** What bounds and weights learn from before the first step. */
const WARM_UP_SECONDS = 180 * 86_400;

/**
 * @param of `folder`: of the market's files, whose other series of the same assets features compare with.
 * @throws InputFailure `IMPORT_…` as `readRows`.
 */
export async function mlForecasts(
  { knowledge, grid }: Market,
  of: { readonly model: DeviationModel; readonly folder: string; readonly horizonHours: number },
): Promise<(knowledge: Knowledge) => Forecasts> {
  const { series } = knowledge;
  const assets = new Set(series.map(({ name }) => assetOf(name)));
  const others = seriesIn(of.folder).filter(
    (name) => assets.has(assetOf(name)) && series.every((one) => one.name !== name),
  );
  const to = grid.from + grid.steps * grid.stepSeconds;
  const { rows } = await readRows(of.folder, others, { now: Infinity });
  const all = new Map([
    ...series.map((one) => [one.name, columnsOf(rowsOf(one))] as const),
    ...[...rows].map(([name, read]) => [name, columnsOf(read)] as const),
  ]);
  const horizon = horizonNear(of.horizonHours);
  const walks: { readonly from: number; readonly points: Float64Array }[] = [];
  for (const { name } of series) {
    const hours = hoursOf(name, all, { from: grid.from - WARM_UP_SECONDS, to });
    if (hours === null) {
      walks.push({ from: to, points: new Float64Array(0) });
      continue;
    }
    const { point } = await walk(hours, all.get(name) as SeriesColumns, of.model);
    const points = Float64Array.from({ length: hours.count }, (_, k) => point[k * HORIZONS.length + horizon] as number);
    walks.push({ from: hours.from, points });
  }
  return () =>
    (venue, { knownAt }) => {
      const one = walks[venue];
      if (one === undefined) throw new RangeError(`no venue ${venue}`);
      // After its last row a series is as it was known last.
      const hour = Math.min(one.points.length - 1, Math.floor((knownAt - one.from) / HOUR));
      return one.points[hour] ?? NaN;
    };
}

function rowsOf(series: RateSeries): UnflaggedRow[] {
  return series.rows().map((row) => ({
    ...{ ...row, borrowApr: row.borrowApr ?? null, index: null, flags: 0 },
    ...{ block: 0, blockHash: null, source: series.name },
  }));
}
