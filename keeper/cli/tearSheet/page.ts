// What `tiller backtest --html` writes: one file with everything in it, that opens without a network and runs no script.
import { parameterSource, sourceWords } from "../../backtest/catalogue";
import type { Comparison } from "../../backtest/compare";
import type { Market } from "../../backtest/market";
import type { Metrics } from "../../backtest/metrics";
import type { Run } from "../../backtest/run";
import type { Grid } from "../../backtest/truth";
import { utcDay } from "../../collect/utcDay";
import { escaped, linePlot, stackPlot, waterfallPlot, type Line } from "./svg";
import { STYLE } from "./style";

export interface TearSheet {
  readonly market: Market;
  /** Of runs that were recorded. */
  readonly comparison: Comparison;
  readonly capital: number;
  readonly dataHash: string;
  /** What the figures rest on, a sentence each: lag, gas, costs, whether deposits dilute, what was chosen in sample. */
  readonly assumptions: readonly string[];
}

const COLOURS = 10;
/** Of the k-th line; beyond the colours that there are, the same anew and broken. */
const colourOf = (k: number): string => (k < COLOURS ? `c${k}` : `c${k % COLOURS} again`);
/** Trades that are listed; the others are counted. */
const MOST_TRADES = 200;
const DAY = 86_400;
const ROLLING_DAYS = 30;

export function tearSheetPage(sheet: TearSheet): string {
  const { market, comparison, capital, dataHash } = sheet;
  const { grid, venues } = market;
  const best = [...comparison.strategies].sort(([, a], [, b]) => b.metrics.apy - a.metrics.apy);
  const runs = best.map(([name, { run, metrics }], k) => ({ ...{ name, run, metrics }, colour: colourOf(k) }));
  const hold = runs.find(({ name }) => name === `hold:${comparison.bestHold.series}`)?.run;
  const times = momentsOf(grid);
  const days = `${utcDay(grid.from)} to ${utcDay(grid.from + grid.steps * grid.stepSeconds)}`;
  const lines = (of: (run: Run) => ArrayLike<number>): Line[] =>
    runs.map(({ name, colour, run }) => ({ name, colour, times, values: of(run) }));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tiller: backtest, ${escaped(days)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Backtest</h1>
<p>${escaped(venues.join(", "))}; ${days}; ${usd(capital)} at the begin; ${grid.steps.toLocaleString("en-US")} steps of ${duration(grid.stepSeconds)}.</p>
<ul class="quiet">${sheet.assumptions.map((text) => `<li>${escaped(text)}</li>`).join("")}</ul>
<p class="quiet">Data SHA-256 ${escaped(dataHash)}</p>
${figures(runs, comparison)}
<h2>Value</h2>
${linePlot(
  lines(({ equity }) => equity),
  { title: "Value, USD", format: usd },
)}
<h2>Fall from the highest value so far</h2>
${linePlot(
  lines(({ equity }) => drawdowns(equity)),
  { title: "Drawdown", format: percent, height: 140 },
)}
${hold === undefined ? "" : excessPlot(runs, hold, grid)}
<h2>Rates</h2>
${linePlot(rateLines(market), { title: "Mean supply rate of a day, a year, without our deposit", format: percent })}
${runs
  .filter(({ run }) => run.trades.length > 0)
  .map((one) => strategySection(one, sheet))
  .join("\n")}
</body>
</html>
`;
}

interface Shown {
  readonly name: string;
  readonly colour: string;
  readonly run: Run;
  readonly metrics: Metrics;
}

function figures(runs: readonly Shown[], { ceiling, bestHold }: Comparison): string {
  const head = [
    "strategy",
    "parameters",
    "return",
    "APY",
    "over the best hold, a year",
    "95 % interval",
    "captured",
    "worst fall",
  ];
  const more = ["Sharpe of the excess", "days won", "moves", "moved", "costs"];
  const rows = runs.map(({ name, metrics }) => [
    ...[name, sourceWords(parameterSource(name)), percent(metrics.totalReturn), percent(metrics.apy)],
    metrics.excess === null ? "–" : percent(metrics.excess.mean),
    metrics.excess === null ? "–" : `${percent(metrics.excess.low)} to ${percent(metrics.excess.high)}`,
    metrics.captureRatio === null ? "–" : percent(metrics.captureRatio),
    percent(metrics.maxDrawdown),
    ...[metrics.sharpe, metrics.winRate].map((value, k) =>
      value === null ? "–" : k === 0 ? value.toFixed(2) : percent(value),
    ),
    ...[String(metrics.moves), usd(metrics.turnoverUsd), usd(metrics.costsUsd)],
  ]);
  const bound = ceiling.exact
    ? "exact: the best switching in hindsight"
    : `an upper bound; a plan that knew everything reached ${percent(ceiling.feasible.apy)}`;
  rows.push([
    "ceiling",
    "known afterwards (in sample)",
    percent(ceiling.totalReturn),
    percent(ceiling.apy),
    ...Array<string>(9).fill(""),
  ]);
  return `<div class="wide"><table>
<thead><tr>${[...head, ...more].map((text) => `<th>${escaped(text)}</th>`).join("")}</tr></thead>
<tbody>${rows.map((row) => `<tr>${row.map((text, k) => (k === 0 ? `<th>${escaped(text)}</th>` : `<td>${escaped(text)}</td>`)).join("")}</tr>`).join("\n")}</tbody>
</table></div>
<p class="quiet">Best hold: ${escaped(bestHold.series)}, ${percent(bestHold.apy)} a year, known only afterwards (in sample). Ceiling: ${escaped(bound)}. Captured: (strategy − best hold) / (ceiling − best hold).</p>`;
}

function excessPlot(runs: readonly Shown[], hold: Run, grid: Grid): string {
  const every = Math.max(1, Math.round(DAY / grid.stepSeconds));
  const span = ROLLING_DAYS * every;
  const ends: number[] = [];
  for (let k = span; k <= grid.steps; k += every) ends.push(k);
  if (ends.length < 2) return "";
  const times = ends.map((k) => grid.from + k * grid.stepSeconds);
  const grown = ({ equity }: Run, k: number): number => (equity[k] as number) / (equity[k - span] as number) - 1;
  const lines = runs
    .filter(({ run }) => run !== hold)
    .map(({ name, colour, run }) => ({
      ...{ name, colour, times },
      values: ends.map((k) => ((grown(run, k) - grown(hold, k)) * 365) / ROLLING_DAYS),
    }));
  if (lines.length === 0) return "";
  const title = `Over the best hold, a year, in the last ${ROLLING_DAYS} days`;
  return `<h2>${title}</h2>\n${linePlot(lines, { title, format: percent })}`;
}

function rateLines({ venues, truth, grid }: Market): Line[] {
  const every = Math.max(1, Math.round(DAY / grid.stepSeconds));
  const starts: number[] = [];
  for (let k = 0; k + every <= grid.steps; k += every) starts.push(k);
  const perYear = (365 * DAY) / (every * grid.stepSeconds);
  return venues.map((name, v) => ({
    ...{ name, colour: colourOf(v) },
    times: starts.map((k) => grid.from + k * grid.stepSeconds),
    values: starts.map((k) => {
      let sum = 0;
      for (let step = k; step < k + every; step += 1) sum += truth[v]?.growth[step] ?? NaN;
      return sum * perYear;
    }),
  }));
}

function strategySection({ name, run }: Shown, { market, capital }: TearSheet): string {
  const { grid, venues } = market;
  const earned = (run.equity[grid.steps] ?? capital) - capital;
  const gas = run.trades.reduce((sum, { gasUsd }) => sum + gasUsd, 0);
  const fees = run.trades.reduce((sum, { feesUsd }) => sum + feesUsd, 0);
  const bars = [
    { name: "interest", value: earned + gas + fees, total: true },
    { name: "gas", value: -gas, total: false },
    { name: "costs in proportion", value: -fees, total: false },
    { name: "earned", value: earned, total: true },
  ];
  return `<section>
<h2>${escaped(name)}</h2>
${
  run.holdings.length === 0
    ? ""
    : stackPlot(holdingLines(run, { grid, venues }), { title: "Share of each venue", format: percent })
}
${waterfallPlot(bars, { title: "From interest to what is left, USD", format: usd })}
${trades(run, grid)}
</section>`;
}

function holdingLines(run: Run, { grid, venues }: { readonly grid: Grid; readonly venues: readonly string[] }): Line[] {
  const times = Array.from({ length: grid.steps }, (_, k) => grid.from + k * grid.stepSeconds);
  return venues.map((name, v) => ({
    ...{ name, colour: colourOf(v), times },
    values: times.map((_, k) => (run.holdings[k * venues.length + v] ?? 0) / (run.equity[k] ?? 1)),
  }));
}

function trades(run: Run, grid: Grid): string {
  const at = (step: number): string =>
    `${new Date((grid.from + step * grid.stepSeconds) * 1000).toISOString().slice(0, 16).replace("T", " ")}`;
  const rows = run.trades
    .slice(0, MOST_TRADES)
    .map(
      ({ step, decided, movedUsd, moves, gasUsd, feesUsd, partial, reason }) =>
        `<tr><td>${at(decided)}</td><td>${at(step)}</td><td>${usd(movedUsd)}</td><td>${moves}</td><td>${usd(gasUsd + feesUsd)}</td><td class="text">${escaped(reason ?? "")}${partial ? " (in part: the venue lacked cash)" : ""}</td></tr>`,
    );
  const left = run.trades.length - rows.length;
  const also = [
    ...(left > 0 ? [`${left} more trades`] : []),
    ...(run.waited > 0 ? [`an order waited for cash at ${run.waited} steps`] : []),
    ...(run.refused > 0 ? [`${run.refused} orders would have cost more than they moved and were not sent`] : []),
  ];
  return `<details><summary>${run.trades.length} trades</summary><div class="wide"><table>
<thead><tr><th>decided</th><th>traded</th><th>moved</th><th>moves</th><th>cost</th><th class="text">why</th></tr></thead>
<tbody>${rows.join("\n")}</tbody>
</table></div>${also.length > 0 ? `<p class="quiet">${escaped(also.join("; "))}.</p>` : ""}</details>`;
}

function momentsOf({ from, stepSeconds, steps }: Grid): Float64Array {
  return Float64Array.from({ length: steps + 1 }, (_, k) => from + k * stepSeconds);
}

function drawdowns(equity: Float64Array): Float64Array {
  let peak = 0;
  return equity.map((value) => {
    peak = Math.max(peak, value);
    return value / peak - 1;
  });
}

function duration(seconds: number): string {
  return seconds % 3_600 === 0 ? `${seconds / 3_600} h` : `${seconds / 60} min`;
}

function percent(share: number, step = 1e-4): string {
  const places = Math.min(8, Math.max(0, -Math.floor(Math.log10(step * 100) + 1e-9)));
  return `${(100 * share).toFixed(places)} %`;
}

function usd(amount: number): string {
  const digits = Math.abs(amount) < 100 ? 2 : 0;
  return `${amount < 0 ? "−" : ""}$${Math.abs(amount).toLocaleString("en-US", { maximumFractionDigits: digits })}`;
}
