// The report of `tiller data report` as one HTML file that needs nothing else: a row and a plot for each series and pool.
import type { SeriesReport } from "../collect/dataReport";
import type { PoolFileReport, SwapReport } from "../collect/poolFileReport";
import type { PoolReport } from "../collect/poolReport";
import { namesOf } from "../collect/quality";
import { utcDay } from "../collect/utcDay";
import { PLOT_WIDTH, escaped, plotOfDays } from "./reportPlot";

/** A supply rate; a count of anything. */
const LEAST_RATE = 1e-4;
const LEAST_COUNT = 1;

export interface DataReports {
  readonly series: readonly SeriesReport[];
  /** Events that were collected. */
  readonly pools: readonly PoolReport[];
  readonly poolFiles: readonly PoolFileReport[];
  readonly swaps: readonly SwapReport[];
}

export function dataReportPage({ series, pools, poolFiles, swaps }: DataReports): string {
  const total = series.reduce((sum, { rows }) => sum + rows, 0);
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
svg { display: block; width: 100%; height: auto; max-width: ${PLOT_WIDTH}px; }
path { fill: none; stroke: var(--line); stroke-width: 1.2; vector-effect: non-scaling-stroke; }
line.axis { stroke: var(--quiet); stroke-width: .5; } line.mark { stroke: var(--mark); stroke-width: 1.5; }
text { fill: var(--quiet); font: 10px system-ui, sans-serif; }
</style>
</head>
<body>
<h1>Data report</h1>
<p>${series.length} series, ${total.toLocaleString("en-US")} rows. Each plot: mean supply rate of a day, percent a year;
red: days with a flag other than tiny, wound-down and stale.</p>
${series.map(section).join("\n")}
${pools.map(poolSection).join("\n")}
${poolFiles.map(fileSection).join("\n")}
${swaps.map(swapSection).join("\n")}
</body>
</html>
`;
}

function section(one: SeriesReport): string {
  const { first, last } = one;
  const days = one.days.map(({ at, supplyApr, flags }) => ({ at, value: supplyApr, odd: namesOf(flags).join(", ") }));
  const label = `${one.series}: daily supply rate`;
  return `<section>
<h2>${escaped(one.series)}${ofChain(one)}</h2>
<p>${counted(one.rows, "row")}, ${utcDay(first)} to ${utcDay(last)}, ${gapsOf(one)}, oldest state ${Math.round(one.oldestStateSeconds / 3_600)} h</p>
${flagged(one.flags)}
${plotOfDays(days, { label, first, last, least: LEAST_RATE, words: (rate) => `${(100 * rate).toFixed(2)} %` })}
</section>`;
}

/** What was collected of a pool: of its first coin, what was sold on each day, in the coin's unit. */
function poolSection(one: PoolReport): string {
  const days = one.traded.map(({ at, sold }) => ({ at, value: Number(sold[0] ?? 0), odd: "" }));
  const [first, last] = [days[0]?.at, days.at(-1)?.at];
  const label = `${one.source} ${one.pool}: sold of the first coin a day, in its unit,`;
  return `<section>
<h2>Events of ${escaped(one.source)} ${escaped(one.pool)}${ofChain(one)}</h2>
<p>blocks ${one.fromBlock} to ${one.toBlock}, ${one.missingBlocks === 0 ? "none missing" : `${one.missingBlocks} missing`},
${counted(one.events, "event")}, ${counted(one.swaps, "swap")} on ${counted(one.days, "day")}; sold of each coin: ${one.sold.join(", ")}</p>
${first === undefined || last === undefined ? "" : `<p class="quiet">plot: sold of the first coin a day, in its unit</p>\n${plotOfDays(days, { label, first, last, least: LEAST_COUNT, words: inPowers })}`}
</section>`;
}

function fileSection(one: PoolFileReport): string {
  const { first, last } = one;
  const days = one.days.map(({ at, value, flags }) => ({ at, value, odd: flags.join(", ") }));
  const shown = one.shows === "volume-usd" ? "volume a day, USD" : "mean liquidity in range of a day";
  return `<section>
<h2>${escaped(one.subject)}${ofChain(one)}</h2>
<p>${counted(one.rows, "row")}, ${utcDay(first)} to ${utcDay(last)}, ${gapsOf(one)}</p>
${flagged(one.flags)}
<p class="quiet">plot: ${shown}</p>
${plotOfDays(days, { label: `${one.subject}: ${shown},`, first, last, least: LEAST_COUNT, words: inPowers })}
</section>`;
}

function swapSection(one: SwapReport): string {
  return `<section>
<h2>Sampled swaps${ofChain(one)}</h2>
<p>${counted(one.swaps, "swap")} (${one.byProtocol.v2} v2, ${one.byProtocol.v3} v3) of ${counted(one.transactions, "transaction")} in ${counted(one.pools, "pool")},
${counted(one.blocks, "block")} between ${one.fromBlock} and ${one.toBlock}; no times: between ${utcDay(one.first)} and ${utcDay(one.last)}</p>
${flagged(one.flags)}
</section>`;
}

function flagged(flags: Readonly<Partial<Record<string, number>>>): string {
  const words = Object.entries(flags).map(([name, count]) => `${name} ${(count ?? 0).toLocaleString("en-US")}`);
  return `<p class="quiet">${words.length === 0 ? "nothing flagged" : words.join(", ")}</p>`;
}

function gapsOf({ gaps, longestGapSeconds }: { readonly gaps: number; readonly longestGapSeconds: number }): string {
  return gaps === 0 ? "no gap" : `${counted(gaps, "gap")}, longest ${Math.round(longestGapSeconds / 3_600)} h`;
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}

function ofChain({ chainId }: { readonly chainId: number }): string {
  return chainId === 1 ? "" : ` (chain ${chainId})`;
}

function inPowers(value: number): string {
  return value < 1e6 ? Math.round(value).toLocaleString("en-US") : value.toExponential(2);
}
