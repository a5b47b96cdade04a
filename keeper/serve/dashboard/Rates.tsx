/** @jsxRuntime automatic */
// The rate of each venue over time. One chart; a table beneath names the lines and gives the values, of now or of the
// moment under the pointer (or chosen with the arrow keys).
import { useMemo, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { PageView } from "../../app/view";
import { percentText } from "./amounts";
import { nearestIndex, rateScale, timeTicks, type RateScale } from "./scale";
import { clockText, dayText, spanText, timeText } from "./times";

/** Inner coordinates of the plot; stretched to its place, so only lines go in there. */
const PLOT = 1000;
/** Height of the drawing in CSS pixels: labels and dots need a scale that is not stretched. */
const HEIGHT = 248;
const TOP = 18;
const BOTTOM = 26;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;
const DAY = 86_400;

interface Series {
  readonly venue: string;
  /** Index of the venue in the allocation: its colour and dash. */
  readonly index: number;
  readonly times: readonly number[];
  readonly aprs: readonly number[];
}

export function Rates({ view }: { readonly view: PageView }) {
  const series = useMemo(() => seriesOf(view), [view]);
  const moments = useMemo(() => [...new Set(series.flatMap(({ times }) => times))].sort((a, b) => a - b), [series]);
  const [cursorAt, setCursorAt] = useState<number | null>(null);
  const from = moments[0];
  const to = moments.at(-1);

  if (from === undefined || to === undefined || to <= from) {
    return (
      <section className="panel" aria-labelledby="rates">
        <h2 id="rates">Rates over time</h2>
        <p className="empty">Too few readings to draw yet. The keeper takes one every block.</p>
      </section>
    );
  }

  // A cursor that has scrolled out of the window is no cursor.
  const cursor = cursorAt !== null && cursorAt >= from && cursorAt <= to ? cursorAt : null;
  const scale = rateScale(series.flatMap(({ aprs }) => aprs));
  const choose = (at: number | undefined): void => setCursorAt(at ?? null);
  const onPointer = (event: PointerEvent<HTMLElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const at = from + ((event.clientX - left) / width) * (to - from);
    choose(moments[nearestIndex(moments, at)]);
  };
  const onKey = (event: KeyboardEvent<HTMLElement>): void => {
    const here = cursor === null ? moments.length - 1 : nearestIndex(moments, cursor);
    const stride = event.shiftKey ? Math.max(1, Math.round(moments.length / 10)) : 1;
    const next = { ArrowLeft: here - stride, ArrowRight: here + stride, Home: 0, End: moments.length - 1 }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      choose(moments[Math.min(moments.length - 1, Math.max(0, next))]);
    } else if (event.key === "Escape") {
      choose(undefined);
    }
  };

  const shownAt = cursor ?? to;
  return (
    <section className="panel" aria-labelledby="rates">
      <div className="title">
        <h2 id="rates">Rates over time</h2>
        <p className="note">{cursor === null ? `Last ${spanText(to - from)}` : timeText(cursor)}</p>
      </div>
      <div className="rates">
        <div
          className="plot"
          role="slider"
          tabIndex={0}
          aria-label="Moment in the chart of rates"
          aria-orientation="horizontal"
          aria-valuemin={from}
          aria-valuemax={to}
          aria-valuenow={shownAt}
          aria-valuetext={`${timeText(shownAt)}: ${series.map((line) => `${line.venue} ${valueText(line, shownAt)}`).join(", ")}`}
          onPointerMove={onPointer}
          onPointerDown={onPointer}
          onPointerLeave={() => choose(undefined)}
          onKeyDown={onKey}
          onBlur={() => choose(undefined)}
        >
          <Chart series={series} scale={scale} from={from} to={to} cursor={cursor} />
        </div>
        <table className="legend">
          <caption className="hidden">Supply rate of each venue, a year</caption>
          <thead>
            <tr>
              <th scope="col">Venue</th>
              <th scope="col" className="number">
                {cursor === null ? "Now" : "Then"}
              </th>
              <th scope="col" className="number">
                Low
              </th>
              <th scope="col" className="number">
                High
              </th>
            </tr>
          </thead>
          <tbody>
            {series.map((line) => (
              <tr key={line.venue}>
                <th scope="row">
                  <svg className="key" viewBox="0 0 28 8" aria-hidden="true">
                    <line className={`stroke series-${line.index % 10}`} x1="1" x2="27" y1="4" y2="4" />
                  </svg>
                  {line.venue}
                </th>
                <td className="number">{valueText(line, shownAt)}</td>
                <td className="number">{percentText(Math.min(...line.aprs))}</td>
                <td className="number">{percentText(Math.max(...line.aprs))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface ChartProps {
  readonly series: readonly Series[];
  readonly scale: RateScale;
  readonly from: number;
  readonly to: number;
  readonly cursor: number | null;
}

function Chart({ series, scale, from, to, cursor }: ChartProps) {
  const { step, ticks } = timeTicks(from, to);
  const share = (at: number): number => (at - from) / (to - from);
  const height = (apr: number): number => (scale.max - apr) / (scale.max - scale.min);
  const y = (apr: number): number => TOP + height(apr) * PLOT_HEIGHT;
  const percent = (at: number): string => `${(share(at) * 100).toFixed(3)}%`;
  return (
    <svg className="chart" width="100%" height={HEIGHT} aria-hidden="true">
      {scale.ticks.map((apr) => (
        <line key={apr} className="grid" x1="0" x2="100%" y1={y(apr).toFixed(1)} y2={y(apr).toFixed(1)} />
      ))}
      {ticks.map((at) => (
        <text key={at} className="tick" x={percent(at)} y={HEIGHT - 7} textAnchor="middle">
          {step >= DAY || at % DAY === 0 ? dayText(at) : clockText(at)}
        </text>
      ))}
      <svg
        x="0"
        y={TOP}
        width="100%"
        height={PLOT_HEIGHT}
        viewBox={`0 0 ${PLOT} ${PLOT}`}
        preserveAspectRatio="none"
        overflow="visible"
      >
        {series.map(({ venue, index, times, aprs }) => (
          <polyline
            key={venue}
            className={`stroke series-${index % 10}`}
            vectorEffect="non-scaling-stroke"
            points={times
              .map((at, i) => `${(share(at) * PLOT).toFixed(1)},${(height(aprs[i] ?? 0) * PLOT).toFixed(1)}`)
              .join(" ")}
          />
        ))}
      </svg>
      {scale.ticks.map((apr) => (
        <text key={apr} className="tick value" x="0" y={(y(apr) - 5).toFixed(1)}>
          {percentText(apr, scale.places)}
        </text>
      ))}
      {cursor !== null && (
        <>
          <line className="cursor" x1={percent(cursor)} x2={percent(cursor)} y1={TOP} y2={TOP + PLOT_HEIGHT} />
          {series.map((line) => {
            const apr = valueAt(line, cursor);
            return apr === null ? null : (
              <circle
                key={line.venue}
                className={`point series-${line.index % 10}`}
                cx={percent(cursor)}
                cy={y(apr)}
                r="4"
              />
            );
          })}
        </>
      )}
    </svg>
  );
}

function seriesOf({ rates, allocations }: PageView): Series[] {
  return rates
    .filter(({ points }) => points.length > 0)
    .map(({ venue, points }, position) => {
      const index = allocations.findIndex((allocation) => allocation.venue === venue);
      return {
        venue,
        index: index === -1 ? allocations.length + position : index,
        times: points.map(({ at }) => at),
        aprs: points.map(({ apr }) => apr),
      };
    });
}

/** The reading nearest to `at`. */
function valueAt({ times, aprs }: Series, at: number): number | null {
  return aprs[nearestIndex(times, at)] ?? null;
}

function valueText(series: Series, at: number): string {
  const apr = valueAt(series, at);
  return apr === null ? "—" : percentText(apr);
}
