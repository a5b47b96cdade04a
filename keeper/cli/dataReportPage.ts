// The report of `tiller data report` as one HTML file that needs nothing else: a row and a plot for each series.
import type { DayPoint, SeriesReport } from "../collect/dataReport";
import { namesOf } from "../collect/quality";
import { utcDay } from "../collect/utcDay";

const WIDTH = 720;
const HEIGHT = 90;
/** Rates above this share of all days are cut off, and marked: else one day would flatten all others. */
const SHOWN = 0.995;

export function dataReportPage(reports: readonly SeriesReport[]): string {
  const total = reports.reduce((sum, { rows }) => sum + rows, 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tiller: data report</title>
<style>
:root { color-scheme: light dark; --line: #1d6f5a; --mark: #b3261e; --quiet: #5c6660; }
@media (prefers-color-scheme: dark) { :root { --line: #6fd3b5; --mark: #ff8a80; --quiet: #a3ada8; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 62rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .25rem; }
p { margin: .15rem 0; } .quiet { color: var(--quiet); }
svg { display: block; width: 100%; height: auto; max-width: ${WIDTH}px; }
path { fill: none; stroke: var(--line); stroke-width: 1.2; vector-effect: non-scaling-stroke; }
line.axis { stroke: var(--quiet); stroke-width: .5; } line.mark { stroke: var(--mark); stroke-width: 1.5; }
text { fill: var(--quiet); font: 10px system-ui, sans-serif; }
</style>
</head>
<body>
<h1>Data report</h1>
<p>${reports.length} series, ${total.toLocaleString("en-US")} rows. Each plot: mean supply rate of a day, percent a year;
red: days with a flag other than tiny, wound-down and stale.</p>
${reports.map(section).join("\n")}
</body>
</html>
`;
}

function section(one: SeriesReport): string {
  const flags = Object.entries(one.flags).map(([name, count]) => `${name} ${count.toLocaleString("en-US")}`);
  const holes = one.gaps === 1 ? "1 gap" : `${one.gaps} gaps`;
  const gaps = one.gaps === 0 ? "no gap" : `${holes}, longest ${Math.round(one.longestGapSeconds / 3_600)} h`;
  return `<section>
<h2>${escaped(one.series)}${one.chainId === 1 ? "" : ` (chain ${one.chainId})`}</h2>
<p>${one.rows.toLocaleString("en-US")} rows, ${utcDay(one.first)} to ${utcDay(one.last)}, ${gaps}, oldest state ${Math.round(one.oldestStateSeconds / 3_600)} h</p>
<p class="quiet">${flags.length === 0 ? "nothing flagged" : flags.join(", ")}</p>
${plot(one)}
</section>`;
}

function plot(one: SeriesReport): string {
  const rates = one.days.flatMap(({ supplyApr }) => (supplyApr === null ? [] : [supplyApr])).sort((a, b) => a - b);
  const top = Math.max(rates[Math.floor(rates.length * SHOWN)] ?? rates.at(-1) ?? 0, 1e-4);
  const span = Math.max(1, one.last - one.first);
  const x = (at: number): number => ((Math.max(at, one.first) - one.first) / span) * WIDTH;
  const y = (rate: number): number => HEIGHT - (Math.min(Math.max(rate, 0), top) / top) * (HEIGHT - 12);
  const marks = one.days.filter(({ flags }) => flags !== 0).map((point) => mark(point, x(point.at)));
  const label = `${one.series}: daily supply rate from ${utcDay(one.first)} to ${utcDay(one.last)}, up to ${percent(top)}`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT + 14}" role="img" aria-label="${escaped(label)}">
<line class="axis" x1="0" x2="${WIDTH}" y1="${HEIGHT}" y2="${HEIGHT}"/>
${marks.join("")}
<path d="${pathOf(one.days, x, y)}"/>
<text x="0" y="9">${percent(top)}</text><text x="0" y="${HEIGHT + 12}">${utcDay(one.first)}</text>
<text x="${WIDTH}" y="${HEIGHT + 12}" text-anchor="end">${utcDay(one.last)}</text>
</svg>`;
}

/** The line breaks where days are missing: nothing is drawn that was not there. */
function pathOf(days: readonly DayPoint[], x: (at: number) => number, y: (rate: number) => number): string {
  let [path, last] = ["", -Infinity];
  for (const { at, supplyApr } of days) {
    if (supplyApr === null) continue;
    path += `${at - last > 3 * 86_400 ? "M" : "L"}${x(at).toFixed(1)} ${y(supplyApr).toFixed(1)}`;
    last = at;
  }
  return path;
}

function mark({ at, flags }: DayPoint, place: number): string {
  const words = `${utcDay(at)}: ${namesOf(flags).join(", ")}`;
  return `<line class="mark" x1="${place.toFixed(1)}" x2="${place.toFixed(1)}" y1="${HEIGHT}" y2="${HEIGHT - 5}"><title>${words}</title></line>`;
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(2)} %`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
}
