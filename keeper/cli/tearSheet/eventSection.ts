// Of the page that `tiller forecast evaluate --html` writes: what models of risk foretold beside what came.
import type { EventRow } from "../../backtest/forecasts/foretelling";
import { decimals, percent } from "../forecastWords";
import { reliabilityPlot } from "./svg";
import { percentage, tableOf } from "./tableOf";

/** Empty where nothing was foretold. */
export function eventSection(events: readonly EventRow[]): string {
  if (events.length === 0) return "";
  return `<section><h2>Events</h2>
<ul class="quiet">
<li>Every third fresh hour on which the event is not there already. Came: share of those after which it came; events: distinct ones, a day apart.</li>
<li>Skill of the Brier score: against how often the event came in the past of each series. Table, column: of utilisation, or of the rate over its EWMA, which nearly is the model of a collapse.</li>
<li>Apart: only rows with a day before them without the event. Told: events that were High before they came; false: runs of High without one.</li>
</ul>
${scores(events)}
${classes(events)}
${reliability(events)}</section>`;
}

function scores(events: readonly EventRow[]): string {
  const head = [
    ...["event", "series", "rows", "left out", "came", "events", "PR-AUC", "of the past", "table", "column"],
    ...["Brier skill", "table", "gain, Brier (95 %)", "apart: PR-AUC", "Brier skill", "told", "false alarms"],
  ];
  return tableOf(
    head,
    events.map((row) => [
      ...[row.event, row.series ?? "all", String(row.n), leftOut(row), percent(row.prevalence), String(row.events)],
      ...[row.model, row.climatology, row.table, row.rule].map((one) => decimals(one?.prAuc ?? null, 3)),
      ...[row.model, row.table].map((one) => decimals(one?.brierSkill ?? null, 3)),
      row.brierGain === null
        ? "–"
        : `${decimals(row.brierGain.mean, 4)} (${decimals(row.brierGain.low, 4)} to ${decimals(row.brierGain.high, 4)})`,
      decimals(row.declustered.model?.prAuc ?? null, 3),
      decimals(row.declustered.model?.brierSkill ?? null, 3),
      ...[`${row.alerts.eventsTold} of ${row.events}`, `${row.alerts.falseEpisodes} of ${row.alerts.episodes}`],
    ]),
  );
}

function leftOut({ left }: EventRow): string {
  const counts = Object.entries(left).filter(([, count]) => count > 0);
  return counts.length === 0 ? "–" : counts.map(([reason, count]) => `${count} ${reason}`).join(", ");
}

/** Of all series together, or of the one that there is. */
function pooledRows(events: readonly EventRow[]): EventRow[] {
  const names = [...new Set(events.map(({ event }) => event))];
  return names.flatMap((name) => events.find(({ event }) => event === name) ?? []);
}

function classes(events: readonly EventRow[]): string {
  const head = ["event", "class", "rows", "of the events' rows", "came"];
  const rows = pooledRows(events).flatMap((row) =>
    (["low", "medium", "high"] as const).map((name) => {
      const one = row.classes?.[name];
      const shares = [one?.share, one?.recall, one?.precision].map((share) => percent(share ?? null));
      return [row.event, name, ...shares];
    }),
  );
  return `<h3>By class</h3>\n${tableOf(head, rows)}`;
}

function reliability(events: readonly EventRow[]): string {
  const series = pooledRows(events).map(({ event, model }, k) => ({
    ...{ name: event, colour: `c${k}` },
    dots: (model?.reliability ?? []).map(({ forecast, observed, rows }) => ({
      ...{ said: forecast, came: observed, count: rows },
    })),
  }));
  const title = "Probability that was said, and share that came";
  const rows = pooledRows(events).flatMap(({ event, model }) =>
    (model?.reliability ?? []).map(({ forecast, observed, rows: count }) => [
      ...[event, percent(forecast), percent(observed), String(count)],
    ]),
  );
  return `<h3>${title}</h3>
${reliabilityPlot(series, { title, format: percentage })}
<details><summary>Numbers</summary>${tableOf(["event", "said", "came", "rows"], rows)}</details>`;
}
