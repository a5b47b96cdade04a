/** @jsxRuntime automatic */
// A line without axes: the shape of a series, drawn to the width of its place.

export interface SparkPoint {
  readonly at: number;
  readonly value: number;
}

const WIDTH = 1000;
const HEIGHT = 100;
/** Room for the stroke at the highest and lowest point. */
const MARGIN = 4;

export function Sparkline({ points, label }: { readonly points: readonly SparkPoint[]; readonly label: string }) {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) {
    return null;
  }
  const values = points.map(({ value }) => value);
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  const place = ({ at, value }: SparkPoint): string => {
    const x = ((at - first.at) / (last.at - first.at)) * WIDTH;
    const height = range === 0 ? 0.5 : (value - low) / range;
    return `${x.toFixed(1)},${(HEIGHT - MARGIN - height * (HEIGHT - 2 * MARGIN)).toFixed(1)}`;
  };
  const line = points.map(place).join(" ");
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polygon className="area" points={`0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
      <polyline className="line" points={line} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
