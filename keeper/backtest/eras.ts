// Parts of the past in which the same markets were there to choose from: where a market begins, ends or is silent for long,
// another part begins.
import type { RateSeries } from "./series";

const DAY = 86_400;

/** A shorter part proves nothing, and a market that is there for less is left out. */
const LEAST_DAYS = 180;

/** From when until when something is known of a series, unix seconds. */
export interface Extent {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** A silence of longer than `maxGapSeconds` ends an extent, and the next row begins another. */
export function extentsOf({ name, availableAt, length }: RateSeries, maxGapSeconds: number): Extent[] {
  const extents: Extent[] = [];
  let first = 0;
  for (let row = 1; row <= length; row += 1) {
    const [before, at] = [availableAt[row - 1] as number, availableAt[row] ?? Infinity];
    if (at - before <= maxGapSeconds) continue;
    extents.push({ name, from: availableAt[first] as number, to: before });
    first = row;
  }
  return extents;
}

/** Whole days of UTC: unix seconds of the first midnight and of the last. */
export interface Era {
  readonly series: readonly string[];
  readonly from: number;
  readonly to: number;
}

/** Within [from, to], in order of time; only parts with at least two series. */
export function erasOf(
  extents: readonly Extent[],
  { from, to }: { readonly from: number; readonly to: number },
): Era[] {
  const within = extents.flatMap((one) => {
    const begin = Math.ceil(Math.max(one.from, from) / DAY);
    const end = Math.floor(Math.min(one.to, to) / DAY);
    return end - begin >= LEAST_DAYS ? [{ name: one.name, begin, end }] : [];
  });
  const bounds = [...new Set(within.flatMap(({ begin, end }) => [begin, end]))].sort((a, b) => a - b);
  return bounds.slice(1).flatMap((end, k) => {
    const begin = bounds[k] as number;
    const series = within.filter((one) => one.begin <= begin && one.end >= end).map(({ name }) => name);
    return series.length >= 2 && end - begin >= LEAST_DAYS ? [{ series, from: begin * DAY, to: end * DAY }] : [];
  });
}
