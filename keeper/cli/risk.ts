// `tiller risk`: what is known of each venue's risk, in numbers and in a word.
import { Command } from "commander";
import pc from "picocolors";
import { riskReport, type RiskReport } from "../app/riskReport";
import { loadConfig } from "../config/load";
import type { VenueRisk } from "../risk/assessment";
import { ADVICE_WORDS } from "../risk/composite";
import type { MarketRisk } from "../risk/marketRisk";
import { amount, printJson, table } from "./printing";

export function riskCommand(): Command {
  return new Command("risk")
    .description("scores, limits and what could leave of every venue, feeds, joint shocks and the keeper's breaker")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action(async (options: { readonly config?: string; readonly json?: boolean }) => {
      const report = await riskReport(loadConfig({ file: options.config, env: process.env }));
      if (options.json === true) printJson(jsonOf(report));
      else process.stdout.write(describe(report));
    });
}

function describe(report: RiskReport): string {
  const { snapshot, assessment, feeds, shocks, sharePrice, tripped } = report;
  const money = (units: bigint): string => amount(units, snapshot.assetDecimals, 0);
  const { vault } = assessment;
  const venues = assessment.venues.map((risk) => [
    risk.venue,
    risk.score.toFixed(1),
    ...partsOf(risk),
    percent(risk.held),
    percent(risk.limit),
    adviceColour(risk),
    money(risk.liquidity.now),
    risk.liquidity.position === 0n ? "" : duration(risk.liquidity.secondsIfShared),
    percent(risk.expectedLossApr),
    tailOf(risk.market),
  ]);
  const scores = ["score", "protocol", "liquidity", "oracle", "market"];
  const numbers = ["holds", "limit", "could leave", "rest in", "loss a year", "CVaR 99 % (1 h)"];
  const head = ["venue", ...scores, "holds", "limit", "", ...numbers.slice(2)];
  const lines = assessment.venues.flatMap(({ venue, protocol, oracle }) => [
    ...(protocol.unknown.length === 0 ? [] : [`${venue}: not known, taken for bad: ${protocol.unknown.join(", ")}`]),
    ...(oracle.trouble === null ? [] : [`${venue}: ${oracle.trouble}`]),
    ...(oracle.singleSource ? [`${venue}: a price that it hangs on has no second source`] : []),
  ]);
  const feedRows = feeds.map(({ subject, price, ageSeconds, heartbeatSeconds, venues: asking, ofAsset }) => [
    subject,
    price === null ? pc.red("none") : price.toFixed(4),
    ageSeconds === null ? "" : `${ageSeconds} s of ${heartbeatSeconds}`,
    [...(ofAsset ? ["the asset"] : []), ...asking].join(", "),
  ]);
  const causes = tripped.map(({ cause, detail }) => `${cause} (${detail})`).join(", ");
  return [
    `block ${snapshot.blockNumber}; the keeper's breaker is ${causes === "" ? pc.green("closed") : pc.red(`tripped: ${causes}`)}`,
    "",
    table(head, venues, [...scores, ...numbers]),
    "",
    ...lines,
    ...report.pools.map(
      ({ venue, falls }) =>
        `${venue}: less than its coins held would be worth, where its others fall: ${falls.map(({ fall, loss }) => `by ${percent(fall, 1)} ${percent(loss, 3)}`).join(", ")}`,
    ),
    `of ${money(vault.total)} could leave now ${money(vault.now)}; all of it ${vault.seconds === null ? "at no pace that was seen" : vault.seconds === 0 ? "now" : `in ${duration(vault.seconds)}`}`,
    `joint shocks: ${percent(shocks.expectedLoss)} of the vault a year expected, ${shocks.cvar.map(({ level, cvar }) => `CVaR ${percent(level)} ${percent(cvar)}`).join(", ")}`,
    `share price, hourly returns: ${tailOf(sharePrice)} (${sharePrice.returns} of them)`,
    "",
    ...outlookLines(report),
    feedRows.length === 0 ? "no price feed is known" : table(["feed", "price", "age", "asked by"], feedRows),
    "",
  ].join("\n");
}

/** What may come, a row an event and venue; what is not foretold is said once for each reason. */
function outlookLines({ outlook, outlookTroubles }: RiskReport): string[] {
  const told = outlook.filter((one) => one.class !== null);
  const rows = told.map(({ series, event, class: level, probability, usual, note }) => [
    ...[series, event.replaceAll("-", " "), level === "high" ? pc.red(level) : String(level)],
    ...[probability === null ? "–" : percent(probability), percent(usual), note ?? ""],
  ]);
  const untold = new Map<string, Set<string>>();
  for (const { series, note, class: level } of outlook) {
    if (level !== null || note === null) continue;
    untold.set(note, (untold.get(note) ?? new Set()).add(series));
  }
  return [
    ...(rows.length === 0
      ? []
      : [table(["venue", "may come", "", "probability", "usually", "note"], rows, ["probability", "usually"]), ""]),
    ...[...untold].map(([note, series]) => `nothing is foretold of ${[...series].join(", ")}: ${note}`),
    ...outlookTroubles,
    ...(untold.size + outlookTroubles.length > 0 ? [""] : []),
  ];
}

function partsOf({ parts }: VenueRisk): string[] {
  return [parts.protocol, parts.liquidity, parts.oracle, parts.market].map((part) =>
    part === null ? "–" : part.toFixed(0),
  );
}

function adviceColour({ advice }: VenueRisk): string {
  const words = ADVICE_WORDS[advice];
  return advice === "reduce" ? pc.red(words) : advice === "may-grow" ? pc.green(words) : words;
}

/** CVaR at 99 %, by history; a gain is below zero. */
function tailOf(market: MarketRisk | null): string {
  const tail = market?.tails.find(({ level }) => level === 0.99)?.historical ?? null;
  return tail === null ? "–" : percent(tail.cvar, 4);
}

function percent(fraction: number, digits = 2): string {
  return `${(100 * fraction).toFixed(digits)} %`;
}

function duration(seconds: number | null): string {
  if (seconds === null) return "no pace seen";
  if (seconds === 0) return "now";
  return seconds < 7_200 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}

function jsonOf({ snapshot, assessment, ...rest }: RiskReport): object {
  const { venues, vault: liquidity, scenarios } = assessment;
  return { vault: snapshot.vault, block: snapshot.blockNumber, venues, liquidity, scenarios, ...rest };
}
