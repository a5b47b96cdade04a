// Returns of equal periods, from what was observed at any times: of an index (a share price, a venue's growth index), or of
// a rate.

export interface Point {
  /** Unix seconds. */
  readonly at: number;
  readonly value: number;
}

const YEAR_SECONDS = 31_536_000;

/** A stretch without any observation that is longer than this many periods belongs to no return. */
const LONGEST_GAP = 3;

/**
 * Growth of an index over each period of `seconds`, as fractions. At the end of a period the index is what was last
 * observed; a period at whose ends nothing newer than {@link LONGEST_GAP} periods is known gives no return.
 * @param points Oldest first.
 */
export function indexReturns(points: readonly Point[], seconds: number): number[] {
  const grid = gridOf(points, seconds);
  const returns: number[] = [];
  for (let k = 1; k < grid.length; k += 1) {
    const [before, now] = [grid[k - 1], grid[k]];
    if (before == null || now == null || before.value <= 0) continue;
    returns.push(now.value / before.value - 1);
  }
  return returns;
}

/** What a rate (fraction a year) has paid over each period, taking it to hold from one observation to the next. */
export function rateReturns(points: readonly Point[], seconds: number): number[] {
  return gridOf(points, seconds)
    .slice(0, -1)
    .flatMap((point) => (point === null ? [] : [(point.value * seconds) / YEAR_SECONDS]));
}

/** The last point at or before each multiple of `seconds`; null where that is too old. */
function gridOf(points: readonly Point[], seconds: number): (Point | null)[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [];
  const grid: (Point | null)[] = [];
  let next = 0;
  for (let at = Math.ceil(first.at / seconds) * seconds; at <= last.at; at += seconds) {
    while ((points[next + 1]?.at ?? Infinity) <= at) next += 1;
    const point = points[next] ?? first;
    grid.push(at - point.at <= LONGEST_GAP * seconds ? point : null);
  }
  return grid;
}
