// Recorded series as the hours at which the keeper would have forecast them: features as known then, and what came of it.
import type { UnflaggedRow } from "../../collect/canonicalHistory";
import { withFlags } from "../../collect/quality";
import {
  FEATURES,
  HORIZONS,
  SeriesColumns,
  assetOf,
  currentRate,
  peersOf,
  targetAt,
  writeFeatures,
} from "../../forecast/features";

export const HOUR = 3_600;

/** What a model is asked about at whole hours, from `from` on, one after the other. */
export interface AskedHours {
  readonly name: string;
  /** Unix seconds of the first hour. */
  readonly from: number;
  readonly count: number;
  /** By hour: those of the model's set. */
  readonly features: Float64Array;
}

/** Of a series of rates: {@link FEATURES}. */
export interface Hours extends AskedHours {
  /** By hour and horizon: the mean rate that came, NaN where the history ends before. */
  readonly targets: Float64Array;
  /** By hour: rows of the series that were available then. */
  readonly known: Int32Array;
  /** By hour, 1: the state is newer than the one that was known an hour before. */
  readonly fresh: Uint8Array;
}

export function columnsOf(rows: readonly UnflaggedRow[]): SeriesColumns {
  const columns = new SeriesColumns();
  columns.add(withFlags([], rows));
  return columns;
}

/**
 * @param all Of every series of the folder that says something of another, by name.
 * @param span Unix seconds of whole hours, both included; an hour before a series begins is left out.
 * @returns null where no row of the series lies in the span.
 */
export function hoursOf(
  name: string,
  all: ReadonlyMap<string, SeriesColumns>,
  span: { readonly from: number; readonly to: number },
): Hours | null {
  const columns = all.get(name);
  const first = columns?.availableAt[0];
  const last = columns?.availableAt.at(-1);
  if (columns === undefined || first === undefined || last === undefined) return null;
  const from = Math.ceil(Math.max(span.from, first) / HOUR) * HOUR;
  const to = Math.floor(Math.min(span.to, last) / HOUR) * HOUR;
  if (from > to) return null;
  const count = (to - from) / HOUR + 1;
  const hours: Hours = {
    ...{ name, from, count },
    features: new Float64Array(count * FEATURES.length),
    targets: new Float64Array(count * HORIZONS.length).fill(NaN),
    known: new Int32Array(count),
    fresh: new Uint8Array(count),
  };
  const rivals = [...all]
    .filter(([other]) => other !== name && assetOf(other) === assetOf(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, series]) => rateWalk(series));
  for (let k = 0; k < count; k += 1) {
    const at = from + k * HOUR;
    const rows = columns.knownAt(at, k === 0 ? 0 : (hours.known[k - 1] as number));
    hours.known[k] = rows;
    hours.fresh[k] = isFresh(columns, rows, at) ? 1 : 0;
    const peers = peersOf(rivals.map((rateAt) => rateAt(at)));
    writeFeatures(columns, { at, known: rows, peers }, hours.features, k * FEATURES.length);
    HORIZONS.forEach((horizon, h) => {
      hours.targets[k * HORIZONS.length + h] = targetAt(columns, at, horizon, rows);
    });
  }
  return hours;
}

/** Those of the hours that lie in a span, copied: unix seconds of whole hours, both included; null where none does. */
export function hoursBetween(hours: Hours, span: { readonly from: number; readonly to: number }): Hours | null {
  const { name, from, count, features, targets, known, fresh } = hours;
  const begin = Math.max(0, Math.ceil((span.from - from) / HOUR));
  const end = Math.min(count, Math.floor((span.to - from) / HOUR) + 1);
  if (begin >= end) return null;
  return {
    ...{ name, from: from + begin * HOUR, count: end - begin },
    features: features.slice(begin * FEATURES.length, end * FEATURES.length),
    targets: targets.slice(begin * HORIZONS.length, end * HORIZONS.length),
    known: known.slice(begin, end),
    fresh: fresh.slice(begin, end),
  };
}

/** The rate of a series as it was known, asked for forward in time. */
function rateWalk(columns: SeriesColumns): (at: number) => number {
  let known = 0;
  return (at) => {
    known = columns.knownAt(at, known);
    return currentRate(columns, known, at);
  };
}

/** A row that only repeats an older state says nothing of how good a forecast was. */
function isFresh(columns: SeriesColumns, known: number, at: number): boolean {
  const last = known - 1;
  if ((columns.availableAt[last] as number) <= at - HOUR) return false;
  let before = last - 1;
  while (before >= 0 && (columns.availableAt[before] as number) > at - HOUR) before -= 1;
  return before < 0 || (columns.observedAt[last] as number) > (columns.observedAt[before] as number);
}
