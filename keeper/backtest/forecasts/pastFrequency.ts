// What is said of events without a model, by how often they came before: the climatology of a series, and a table of one column.
// As in ml/tillerml/risk.py.

/** Rows of the past, of several series. */
export interface PastRows {
  /** Number of the series. */
  readonly series: ArrayLike<number>;
  /** The one column. */
  readonly rule: ArrayLike<number>;
  readonly happens: ArrayLike<number>;
}

/** Rows' worth by which a series is drawn to all of them, and a bin. */
const DRAWN = { series: 100, bin: 20 } as const;

/** Finer at the top, where events are. */
const LEVELS = [
  ...Array.from({ length: 11 }, (_, k) => ((k + 1) * 0.9) / 11),
  ...[0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998],
];

/** @param otherwise Share of rows that an event comes after, where there is no past. @returns by number of the series. */
export function climatologyOf(past: PastRows, otherwise: number): (series: number) => number {
  const all = tally(past.happens);
  const overall = all.count === 0 ? otherwise : all.hits / all.count;
  return (series) => {
    const { hits, count } = tally(past.happens, (row) => past.series[row] === series);
    return (hits + DRAWN.series * overall) / (count + DRAWN.series);
  };
}

/** @returns by value of the column; null where there is no past. */
export function tableOf({ rule, happens }: PastRows): ((value: number) => number) | null {
  const all = tally(happens);
  if (all.count === 0) return null;
  const known = Float64Array.from(rule).filter(Number.isFinite).sort();
  const edges = [...new Set(LEVELS.map((level) => Math.fround(quantile(known, level))))].sort((a, b) => a - b);
  const [hits, counts] = [new Float64Array(edges.length + 1), new Float64Array(edges.length + 1)];
  for (let row = 0; row < happens.length; row += 1) {
    const bin = binOf(edges, rule[row] as number);
    counts[bin] = (counts[bin] as number) + 1;
    hits[bin] = (hits[bin] as number) + (happens[row] as number);
  }
  const overall = all.hits / all.count;
  const frequency = counts.map((count, bin) => ((hits[bin] as number) + DRAWN.bin * overall) / (count + DRAWN.bin));
  return (value) => frequency[binOf(edges, value)] as number;
}

/** How many edges a value has reached. */
export function binOf(edges: readonly number[], value: number): number {
  const above = edges.findIndex((edge) => value < edge);
  return above < 0 ? edges.length : above;
}

function tally(happens: ArrayLike<number>, counts: (row: number) => boolean = () => true): Tally {
  let [hits, count] = [0, 0];
  for (let row = 0; row < happens.length; row += 1) {
    if (!counts(row)) continue;
    count += 1;
    hits += happens[row] as number;
  }
  return { hits, count };
}

interface Tally {
  readonly hits: number;
  readonly count: number;
}

/** Between neighbours in a straight line, with NumPy's rounding of float32 values. @param sorted Ascending, at least one. */
function quantile(sorted: Float64Array, level: number): number {
  const place = level * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  const [share, apart] = [place - Math.floor(place), Math.fround(high - low)];
  return share < 0.5 ? low + apart * share : high - apart * (1 - share);
}
