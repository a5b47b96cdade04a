// What there is of each series and what is odd in it.
import type { HistoryRow, HistoryStore, SeriesInfo } from "../store/historyRecords";
import { FLAGS, namesOf, type Flag } from "./quality";

export interface SeriesReport {
  readonly chainId: number;
  readonly series: string;
  readonly rows: number;
  /** Unix seconds of `availableAt`. */
  readonly first: number;
  readonly last: number;
  /** Median time between two rows. */
  readonly stepSeconds: number;
  /** Steps of more than three usual ones; where rows come with events, and so at no usual step, of more than a day besides. */
  readonly gaps: number;
  readonly longestGapSeconds: number;
  /** Greatest age of a state when its row was known: states repeat while nothing happens. */
  readonly oldestStateSeconds: number;
  /** Rows with each flag; those that none has are left out. */
  readonly flags: Readonly<Partial<Record<Flag, number>>>;
  /** Rows with any. */
  readonly flagged: number;
  /** Median supply rate, fraction a year; null without any. */
  readonly medianSupplyApr: number | null;
  readonly days: readonly DayPoint[];
}

/** A day of a series, UTC. */
export interface DayPoint {
  readonly at: number;
  /** Mean over the day's rows; null without any. */
  readonly supplyApr: number | null;
  readonly suppliedUsd: number | null;
  /** Flags of any of its rows, but for those that say what the market is and not what a row is. */
  readonly flags: number;
}

const DAY_SECONDS = 86_400;
const GAP_STEPS = 3;
/** A series is on a grid where that many of its steps are hardly longer than the median one. */
const GRID_SHARE = 0.9;
const GRID_TOLERANCE = 1.5;

/** Flags that last for as long as a market is small: shown in the table, and no mark on a plot. */
const STATES = FLAGS.tiny | FLAGS["wound-down"] | FLAGS.stale;

/** One series after the other, each read in pages: as much memory as the longest takes. */
export async function* dataReport(
  store: HistoryStore,
  wanted: (series: SeriesInfo) => boolean = () => true,
): AsyncGenerator<SeriesReport, void, void> {
  for (const series of await store.series()) {
    if (series.rows === 0 || !wanted(series)) continue;
    const rows: HistoryRow[] = [];
    for await (const page of store.history(series)) rows.push(...page);
    yield { chainId: series.chainId, series: series.name, ...reportOf(rows) };
  }
}

/** @param rows At least one, oldest first. */
export function reportOf(rows: readonly HistoryRow[]): Omit<SeriesReport, "chainId" | "series"> {
  const steps = rows.slice(1).map(({ availableAt }, k) => availableAt - (rows[k] as HistoryRow).availableAt);
  const stepSeconds = medianOf(steps) ?? 0;
  const least = leastGap(steps, stepSeconds);
  const gaps = steps.filter((step) => step > least);
  const flags: Partial<Record<Flag, number>> = {};
  let [flagged, oldest] = [0, 0];
  for (const row of rows) {
    oldest = Math.max(oldest, row.availableAt - row.observedAt);
    if (row.flags === 0) continue;
    flagged += 1;
    for (const name of namesOf(row.flags)) flags[name] = (flags[name] ?? 0) + 1;
  }
  return {
    rows: rows.length,
    first: (rows[0] as HistoryRow).availableAt,
    last: (rows.at(-1) as HistoryRow).availableAt,
    stepSeconds,
    gaps: gaps.length,
    longestGapSeconds: gaps.reduce((a, b) => Math.max(a, b), 0),
    oldestStateSeconds: oldest,
    flags,
    flagged,
    medianSupplyApr: medianOf(rows.flatMap(({ supplyApr }) => (supplyApr === null ? [] : [supplyApr]))),
    days: daysOf(rows),
  };
}

/** Of rows that come with events a quiet day is no hole; on a grid it is one, however short the grid's step. */
function leastGap(steps: readonly number[], usual: number): number {
  const onGrid = steps.filter((step) => step <= GRID_TOLERANCE * usual).length >= GRID_SHARE * steps.length;
  return Math.max(GAP_STEPS * usual, onGrid ? 0 : DAY_SECONDS);
}

function daysOf(rows: readonly HistoryRow[]): DayPoint[] {
  const days: DayPoint[] = [];
  let from = 0;
  while (from < rows.length) {
    const at = dayOf(rows[from] as HistoryRow);
    let to = from;
    while (to < rows.length && dayOf(rows[to] as HistoryRow) === at) to += 1;
    const ofDay = rows.slice(from, to);
    const rates = ofDay.flatMap(({ supplyApr }) => (supplyApr === null ? [] : [supplyApr]));
    days.push({
      at,
      supplyApr: rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
      suppliedUsd: (ofDay.at(-1) as HistoryRow).suppliedUsd,
      flags: ofDay.reduce((bits, row) => bits | row.flags, 0) & ~STATES,
    });
    from = to;
  }
  return days;
}

function dayOf({ availableAt }: HistoryRow): number {
  return availableAt - (availableAt % DAY_SECONDS);
}

function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
