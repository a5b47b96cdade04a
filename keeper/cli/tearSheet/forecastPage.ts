// What `tiller forecast evaluate --html` writes: the scores, and for each series and horizon what was forecast beside what came. One
// file that opens without a network and runs no script.
import { pooled, type EvaluateOptions, type Evaluation } from "../../backtest/forecasts/evaluate";
import { HOUR, type Hours } from "../../backtest/forecasts/hours";
import type { ScoreRow } from "../../backtest/forecasts/scores";
import type { Walk } from "../../backtest/forecasts/walk";
import { utcDay } from "../../collect/utcDay";
import { LEVELS } from "../../forecast/conformal";
import { HORIZONS } from "../../forecast/features";
import { decimals, horizon, percent } from "../forecastWords";
import { STYLE } from "./style";
import { eventSection } from "./eventSection";
import { escaped, linePlot, type Line } from "./svg";
import { percentage, tableOf } from "./tableOf";

/** Shorter horizons are nearly what is paid now: their scores say all. */
const LEAST_PLOTTED_HOURS = 24;
const COVERAGE_DAYS = 30;

export function forecastPage(result: Evaluation, { from, to, model }: EvaluateOptions): string {
  const days = `${utcDay(from)} to ${utcDay(to)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tiller: forecasts, ${days}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Forecasts</h1>
<p>${days}, every hour, from what was known then; ${escaped(model === null ? "no model: the baselines are served" : `model ${model.name}`)}.</p>
<ul class="quiet">
<li>Errors are of the mean supply rate over the horizon, percentage points a year. Skill: against the better of persistence and EWMA.</li>
<li>DM t: above 2 the served forecast is better than that baseline by more than luck; p is corrected for all rows together.</li>
<li>Left out: hours that only repeat an older state, hours that the model was trained on, hours whose rate is not known yet.</li>
</ul>
<p class="quiet">Data SHA-256 ${escaped(result.dataHash)}${model === null ? "" : `; model SHA-256 ${escaped(model.hash)}`}</p>
${scores(result.rows)}
${together(result.rows)}
<h2>How often bounds held</h2>
${reliability(result.rows)}
${eventSection(result.events)}
${result.walks.map(({ hours, walked }) => section(hours, walked, { from, to })).join("\n")}
</body>
</html>
`;
}

function scores(rows: readonly ScoreRow[]): string {
  const head = [
    ...[
      "series",
      "horizon",
      "hours",
      "left out",
      "persistence",
      "EWMA",
      "served",
      "by",
      "skill",
      "gain, points (95 %)",
    ],
    ...["DM t", "p", "held by 90 % bounds", "width", "worst 30 days", "worst 90 days", "CRPS"],
  ];
  return tableOf(
    head,
    rows.map((row) => [
      ...[
        row.series,
        horizon(row.horizonHours),
        String(row.n),
        String(row.left.seen + row.left.stale + row.left.unknown),
      ],
      ...[row.maePersistence, row.maeEwma, row.maeServed].map((value) => decimals(value, 3)),
      ...[row.n > 0 && row.stoodIn > 0 ? `${row.served}, ${row.stoodIn} hours not` : row.served, percent(row.skill)],
      row.gainPp === null
        ? "–"
        : `${decimals(row.gainPp.mean, 3)} (${decimals(row.gainPp.low, 3)} to ${decimals(row.gainPp.high, 3)})`,
      ...[decimals(row.dmT, 1), decimals(row.dmPHolm, 3), percent(row.coverage), decimals(row.widthPp, 2)],
      ...[percent(row.worst30dCoverage), percent(row.worst90dCoverage), decimals(row.crps, 3)],
    ]),
  );
}

function together(rows: readonly ScoreRow[]): string {
  const lines = pooled(rows).map(
    ({ horizonHours, n, underPersistence, underEwma }) =>
      `${horizon(horizonHours)}, ${n.toLocaleString("en-US")} hours: the error is ${percent(underPersistence)} under persistence's and ${percent(underEwma)} under the EWMA's`,
  );
  return `<ul>${lines.map((text) => `<li>${text}</li>`).join("")}</ul>`;
}

function reliability(rows: readonly ScoreRow[]): string {
  const head = ["series", "horizon", ...LEVELS.map((level) => `rates below the ${100 * level} % bound`)];
  return tableOf(
    head,
    rows
      .filter(({ n }) => n > 0)
      .map((row) => [
        ...[row.series, horizon(row.horizonHours)],
        ...row.reliability.map(({ observed }) => percent(observed)),
      ]),
  );
}

function section(hours: Hours, walked: Walk, span: { readonly from: number; readonly to: number }): string {
  const first = Math.max(0, Math.ceil((span.from - hours.from) / HOUR));
  const last = Math.min(hours.count - 1, Math.floor((span.to - hours.from) / HOUR));
  const numbers = Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first + k);
  const plots = HORIZONS.flatMap((horizonHours, h) =>
    horizonHours < LEAST_PLOTTED_HOURS ? [] : [plotsOf(hours, walked, { h, horizonHours, numbers })],
  );
  return `<section><h2>${escaped(hours.name)}</h2>\n${plots.join("\n")}</section>`;
}

function plotsOf(
  hours: Hours,
  walked: Walk,
  of: { readonly h: number; readonly horizonHours: number; readonly numbers: readonly number[] },
): string {
  const times = of.numbers.map((k) => hours.from + k * HOUR);
  const cell = (k: number): number => k * HORIZONS.length + of.h;
  const bound = (k: number, level: number): number => walked.bounds[cell(k) * LEVELS.length + level] as number;
  const line = (name: string, colour: string, value: (k: number) => number): Line => ({
    ...{ name, colour, times },
    values: of.numbers.map(value),
  });
  const came = (k: number): number => hours.targets[cell(k)] as number;
  const rates = [
    line("lower bound", "c4", (k) => bound(k, 0)),
    line("upper bound", "c4", (k) => bound(k, LEVELS.length - 1)),
    line("came", "c0", came),
    line("served", "c5", (k) => walked.point[cell(k)] as number),
  ];
  const title = `Mean rate of the next ${horizon(of.horizonHours)}`;
  const held = of.numbers.map((k) => {
    const rate = came(k);
    if (Number.isNaN(rate) || hours.fresh[k] === 0) return NaN;
    return rate >= bound(k, 0) && rate <= bound(k, LEVELS.length - 1) ? 1 : 0;
  });
  const coverage = { name: `held, last ${COVERAGE_DAYS} days`, colour: "c2", times, values: rolling(held) };
  return `<h3>${title}</h3>
${linePlot(rates, { title, format: percentage })}
${linePlot([coverage], { title: `Share held by the 90 % bounds, ${horizon(of.horizonHours)}`, format: percentage, height: 120 })}`;
}

/** Means of the last days, of the values that are numbers. */
function rolling(values: readonly number[]): number[] {
  const window = COVERAGE_DAYS * 24;
  let [sum, count] = [0, 0];
  return values.map((value, k) => {
    const leaving = k >= window ? (values[k - window] as number) : NaN;
    if (!Number.isNaN(value)) [sum, count] = [sum + value, count + 1];
    if (!Number.isNaN(leaving)) [sum, count] = [sum - leaving, count - 1];
    return k >= window && count > 0 ? sum / count : NaN;
  });
}
