// A plot of days as SVG, for reports that are one HTML file: a line, marks below it, and the bounds in words.
import { utcDay } from "../collect/utcDay";

export const PLOT_WIDTH = 720;
const HEIGHT = 90;
/** Values above this share of all days are cut off: else one day would flatten all others. */
const SHOWN = 0.995;
/** The line breaks where days are missing: nothing is drawn that was not there. */
const BREAK_SECONDS = 3 * 86_400;

export interface PlotDay {
  /** Unix seconds of its begin. */
  readonly at: number;
  readonly value: number | null;
  /** What is odd of it, in words; empty: nothing, and no mark. */
  readonly odd: string;
}

export interface PlotOptions {
  /** What is shown of what. */
  readonly label: string;
  /** Unix seconds: the plot's span. */
  readonly first: number;
  readonly last: number;
  /** The least that the plot is high for, so that nothing is not drawn as much. */
  readonly least: number;
  readonly words: (value: number) => string;
}

export function plotOfDays(days: readonly PlotDay[], options: PlotOptions): string {
  const { first, last, words } = options;
  const values = days.flatMap(({ value }) => (value === null ? [] : [value])).sort((a, b) => a - b);
  const top = Math.max(values[Math.floor(values.length * SHOWN)] ?? values.at(-1) ?? 0, options.least);
  const span = Math.max(1, last - first);
  const x = (at: number): number => ((Math.max(at, first) - first) / span) * PLOT_WIDTH;
  const y = (value: number): number => HEIGHT - (Math.min(Math.max(value, 0), top) / top) * (HEIGHT - 12);
  const marks = days.filter(({ odd }) => odd !== "").map(({ at, odd }) => mark(`${utcDay(at)}: ${odd}`, x(at)));
  const label = `${options.label} from ${utcDay(first)} to ${utcDay(last)}, up to ${words(top)}`;
  return `<svg viewBox="0 0 ${PLOT_WIDTH} ${HEIGHT + 14}" role="img" aria-label="${escaped(label)}">
<line class="axis" x1="0" x2="${PLOT_WIDTH}" y1="${HEIGHT}" y2="${HEIGHT}"/>
${marks.join("")}
<path d="${pathOf(days, x, y)}"/>
<text x="0" y="9">${words(top)}</text><text x="0" y="${HEIGHT + 12}">${utcDay(first)}</text>
<text x="${PLOT_WIDTH}" y="${HEIGHT + 12}" text-anchor="end">${utcDay(last)}</text>
</svg>`;
}

function pathOf(days: readonly PlotDay[], x: (at: number) => number, y: (value: number) => number): string {
  let [path, last] = ["", -Infinity];
  for (const { at, value } of days) {
    if (value === null) continue;
    path += `${at - last > BREAK_SECONDS ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    last = at;
  }
  return path;
}

function mark(words: string, place: number): string {
  return `<line class="mark" x1="${place.toFixed(1)}" x2="${place.toFixed(1)}" y1="${HEIGHT}" y2="${HEIGHT - 5}"><title>${escaped(words)}</title></line>`;
}

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
}
