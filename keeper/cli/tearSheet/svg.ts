// Plots of a tear sheet as SVG that needs no script: colours by class, values of the ends in words beside the picture.
import { roundStep } from "../../serve/dashboard/scale";

const WIDTH = 900;
const LEFT = 76;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 22;
/** More points than a line has pixels say nothing. */
const MOST_POINTS = 1_200;

export interface Line {
  readonly name: string;
  /** Of the stylesheet: `c0`, `c1`, … */
  readonly colour: string;
  /** Unix seconds, ascending. */
  readonly times: ArrayLike<number>;
  /** NaN: nothing there. */
  readonly values: ArrayLike<number>;
}

export interface Plot {
  readonly title: string;
  readonly height?: number;
  /** `step`: between two ticks; enough digits to tell them apart. */
  readonly format: (value: number, step?: number) => string;
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

export function linePlot(lines: readonly Line[], { title, format, height = 240 }: Plot): string {
  const drawn = lines.map(thinned);
  const frame = frameOf(
    drawn.flatMap(({ times }) => times),
    drawn.flatMap(({ values }) => values),
    height,
  );
  const paths = drawn.map(({ colour, times, values }) => {
    let path = "";
    let pen = "M";
    values.forEach((value, k) => {
      if (!Number.isFinite(value)) {
        pen = "M";
        return;
      }
      path += `${pen}${place(frame.x(times[k] as number))} ${place(frame.y(value))}`;
      pen = "L";
    });
    return `<path class="line ${colour}" d="${path}"/>`;
  });
  const label = `${title}: ${lines.map((line) => `${line.name} ${format(lastOf(line))}`).join(", ")} at the end`;
  return picture(label, height, `${axes(frame, format)}${paths.join("")}`) + legend(lines);
}

/** Shares of a whole over time, one on top of the other, 0 to 1. */
export function stackPlot(lines: readonly Line[], { title, format, height = 180 }: Plot): string {
  const drawn = lines.map(thinned);
  const times = drawn[0]?.times ?? [];
  const frame = frameOf(times, [0, 1], height);
  const below = times.map(() => 0);
  const areas = drawn.map(({ colour, values }) => {
    const lower = [...below];
    values.forEach((value, k) => {
      below[k] = (below[k] as number) + (Number.isFinite(value) ? value : 0);
    });
    const point = (k: number, level: number): string =>
      `${place(frame.x(times[k] as number))} ${place(frame.y(level))}`;
    const up = times.map((_, k) => point(k, below[k] as number));
    const down = times.map((_, k) => point(k, lower[k] as number)).reverse();
    return `<path class="area ${colour}" d="M${[...up, ...down].join("L")}Z"/>`;
  });
  const label = `${title}: ${lines.map((line) => `${line.name} ${format(lastOf(line))}`).join(", ")} at the end`;
  return picture(label, height, `${areas.join("")}${axes(frame, format)}`) + legend(lines);
}

/** Over the highest bar, for its figure. */
const HEADROOM = 1.15;

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** Stands on the ground instead of where the last one ended. */
  readonly total: boolean;
}

/** What leads from the first total to the last. */
export function waterfallPlot(bars: readonly Bar[], { title, format, height = 200 }: Plot): string {
  let level = 0;
  const ends = bars.map(({ value, total }) => {
    const from = total ? 0 : level;
    level = from + value;
    return [from, level] as const;
  });
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, bars.length);
  const frame = frameOf([0, 1], [0, ...ends.flat().map((end) => end * HEADROOM)], height);
  const drawn = bars.map(({ name, value, total }, k) => {
    const [from, to] = ends[k] as readonly [number, number];
    const x = LEFT + (k + 0.15) * slot;
    const [top, bottom] = [frame.y(Math.max(from, to)), frame.y(Math.min(from, to))];
    const kind = total ? "total" : value < 0 ? "down" : "up";
    return `<rect class="${kind}" x="${place(x)}" y="${place(top)}" width="${place(0.7 * slot)}" height="${place(Math.max(1, bottom - top))}"/>
<text x="${place(x + 0.35 * slot)}" y="${place(Math.max(TOP + 9, top - 4))}" text-anchor="middle">${escaped(format(value))}</text>
<text x="${place(x + 0.35 * slot)}" y="${height - 6}" text-anchor="middle">${escaped(name)}</text>`;
  });
  const label = `${title}: ${bars.map(({ name, value }) => `${name} ${format(value)}`).join(", ")}`;
  return picture(label, height, drawn.join("\n"));
}

/** A bin of probabilities: what was said, how often it came, in how many cases. */
export interface Dot {
  readonly said: number;
  readonly came: number;
  readonly count: number;
}

const SHARE_TICKS = [0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1];
const DOT = { least: 2, most: 11 } as const;
const SQUARE = 320;

/** Shares beside shares; on the diagonal what was said is what came. By square roots: seldom things take up as much room as likely ones. */
export function reliabilityPlot(
  series: readonly { readonly name: string; readonly colour: string; readonly dots: readonly Dot[] }[],
  { title, format, height = SQUARE }: Plot,
): string {
  const side = height - TOP - BOTTOM;
  const x = (share: number): number => LEFT + Math.sqrt(share) * side;
  const y = (share: number): number => height - BOTTOM - Math.sqrt(share) * side;
  const most = Math.max(1, ...series.flatMap(({ dots }) => dots.map(({ count }) => count)));
  const grid = SHARE_TICKS.map((tick) => {
    const [across, up] = [place(x(tick)), place(y(tick))];
    const text = escaped(format(tick, 0.01));
    return `<line class="grid" x1="${LEFT}" x2="${place(x(1))}" y1="${up}" y2="${up}"/><text x="${LEFT - 6}" y="${place(y(tick) + 3)}" text-anchor="end">${text}</text><text x="${across}" y="${height - 6}" text-anchor="middle">${text}</text>`;
  });
  const diagonal = `<line class="grid" x1="${place(x(0))}" y1="${place(y(0))}" x2="${place(x(1))}" y2="${place(y(1))}"/>`;
  const dots = series.flatMap(({ name, colour, dots: own }) =>
    own.map(({ said, came, count }) => {
      const radius = Math.max(DOT.least, DOT.most * Math.sqrt(count / most));
      const words = `${name}: said ${format(said, 0.001)}, came ${format(came, 0.001)}, ${count} rows`;
      return `<circle class="area ${colour}" cx="${place(x(said))}" cy="${place(y(came))}" r="${place(radius)}"><title>${escaped(words)}</title></circle>`;
    }),
  );
  return picture(title, height, `${grid.join("")}${diagonal}${dots.join("")}`) + legend(series);
}

interface Thinned {
  readonly colour: string;
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** Of each stretch the last value: what a curve of states shows. */
function thinned({ colour, times, values }: Line): Thinned {
  const every = Math.max(1, Math.ceil(times.length / MOST_POINTS));
  const kept: number[] = [];
  for (let k = 0; k < times.length; k += every) kept.push(k);
  if (times.length > 0 && kept.at(-1) !== times.length - 1) kept.push(times.length - 1);
  return { colour, times: kept.map((k) => times[k] as number), values: kept.map((k) => values[k] as number) };
}

interface Frame {
  readonly height: number;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  readonly step: number;
  x(time: number): number;
  y(value: number): number;
}

function frameOf(times: readonly number[], values: readonly number[], height: number): Frame {
  const from = least(times);
  const to = Math.max(from + 1, -least(times.map((time) => -time)));
  const finite = values.filter(Number.isFinite);
  const low = finite.length === 0 ? 0 : least(finite);
  const high = finite.length === 0 ? 1 : -least(finite.map((value) => -value));
  const step = roundStep((high - low || Math.abs(high) || 1) / 4);
  const bottom = Math.floor(low / step + 1e-9) * step;
  const top = Math.max(Math.ceil(high / step - 1e-9) * step, bottom + step);
  const ticks = Array.from({ length: Math.round((top - bottom) / step) + 1 }, (_, k) => bottom + k * step);
  return {
    ...{ height, from, to, ticks, step },
    x: (time) => LEFT + ((time - from) / (to - from)) * (WIDTH - LEFT - RIGHT),
    y: (value) => height - BOTTOM - ((value - bottom) / (top - bottom)) * (height - TOP - BOTTOM),
  };
}

/** Not `Math.min(...)`, which a long history would overflow. */
function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), values[0] ?? 0);
}

function axes(frame: Frame, format: Plot["format"]): string {
  const levels = frame.ticks.map(
    (tick) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${place(frame.y(tick))}" y2="${place(frame.y(tick))}"/><text x="${LEFT - 6}" y="${place(frame.y(tick) + 3)}" text-anchor="end">${escaped(format(tick, frame.step))}</text>`,
  );
  const days = monthTicks(frame).map(
    (tick) =>
      `<text x="${place(frame.x(tick))}" y="${frame.height - 6}" text-anchor="middle">${new Date(tick * 1000).toISOString().slice(0, frame.to - frame.from > 60 * 86_400 ? 7 : 10)}</text>`,
  );
  return [...levels, ...days].join("");
}

const MOST_DATES = 9;

/** Begins of months, or of days where there are few: as many as fit, away from the edges. */
function monthTicks({ from, to }: Frame): number[] {
  const months = (to - from) / (30.4 * 86_400);
  const ticks: number[] = [];
  if (months < 2) {
    const days = Math.max(1, Math.ceil((to - from) / 86_400 / MOST_DATES));
    for (let at = Math.ceil(from / 86_400) * 86_400; at <= to; at += days * 86_400) ticks.push(at);
  } else {
    const every = [1, 2, 3, 6, 12, 24, 60].find((count) => months / count <= MOST_DATES) ?? 120;
    const begin = new Date(from * 1000);
    for (let month = begin.getUTCFullYear() * 12; ; month += every) {
      const at = Date.UTC(Math.floor(month / 12), month % 12) / 1000;
      if (at > to) break;
      if (at >= from) ticks.push(at);
    }
  }
  return ticks.filter((at) => at - from > 0.03 * (to - from) && to - at > 0.04 * (to - from));
}

function picture(label: string, height: number, inside: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(label)}">${inside}</svg>`;
}

function legend(lines: readonly Pick<Line, "name" | "colour">[]): string {
  const items = lines.map(({ name, colour }) => `<span class="key ${colour}">${escaped(name)}</span>`);
  return `<p class="legend">${items.join(" ")}</p>`;
}

function lastOf({ values }: Line): number {
  return values[values.length - 1] ?? Number.NaN;
}

function place(value: number): string {
  return String(Math.round(value * 10) / 10);
}
