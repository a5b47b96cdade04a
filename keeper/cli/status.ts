// `tiller status`: the vault as the chain shows it now, and what the keeper decided and sent.
import { Command } from "commander";
import pc from "picocolors";
import { currentSnapshot } from "../app/assemble";
import { withStore } from "../app/withStore";
import { statusView } from "../app/pageView";
import type { StatusView } from "../app/view";
import { loadAddresses } from "../config/addresses";
import { loadConfig } from "../config/load";
import { silent } from "../events/events";
import { marketWords, steadinessWord } from "../serve/dashboard/words";
import type { BreakerTrip } from "../store/breakerRecords";
import { amount, printJson, table } from "./printing";

interface StatusOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function statusCommand(): Command {
  return new Command("status")
    .description("the vault, its allocations, and the keeper's latest decisions")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action(async (options: StatusOptions) => {
      const config = loadConfig({ file: options.config, env: process.env });
      const addresses = loadAddresses(config.addresses);
      await withStore(config, silent, async (store) => {
        const { snapshot, trouble } = await currentSnapshot(config, { addresses, store, sink: silent });
        if (trouble !== null) process.stderr.write(`tiller: ${trouble}; showing the last stored block\n`);
        const view = await statusView(snapshot, store);
        const { symbol, decimals } = addresses.asset;
        if (options.json === true) printJson(view);
        else process.stdout.write(describe(view, await store.breaker.open(snapshot), { symbol, decimals }));
      });
    });
}

function describe(
  view: StatusView,
  tripped: readonly BreakerTrip[],
  asset: { readonly symbol: string; readonly decimals: number },
): string {
  const money = (units: string): string => amount(units, asset.decimals);
  const total = BigInt(view.totalAssets);
  const share = (units: bigint): string =>
    total === 0n ? "–" : `${(Number((units * 10_000n) / total) / 100).toFixed(2)} %`;
  const placed = view.allocations.reduce((sum, item) => sum + BigInt(item.assets), 0n);
  const rows = view.allocations.map((item) => [
    item.quarantined ? `${item.venue} ${pc.red("quarantined")}` : item.venue,
    money(item.assets),
    share(BigInt(item.assets)),
  ]);
  const idle = total - placed;
  const decisions = view.decisions
    .slice(0, 12)
    .map((item) => [item.id, stateColour(item.state), shortened(item.reason)]);
  return [
    `${pc.bold("vault")}         ${view.vault}  block ${view.block}  breaker ${view.breaker === "closed" ? pc.green("closed") : pc.red(view.breaker)}`,
    ...tripped.map(
      ({ cause, detail }) => `${pc.bold("keeper")}        ${pc.red("stopped itself")}: ${cause} (${detail})`,
    ),
    `${pc.bold("total assets")}  ${money(view.totalAssets)} ${asset.symbol}`,
    `${pc.bold("share price")}   ${view.sharePrice}`,
    ...shutBy(view),
    `${pc.bold("bundles")}       ${view.bundles.included} included, ${view.bundles.missed} missed`,
    "",
    table(
      ["venue", asset.symbol, "share"],
      [...rows, ["idle", money(idle.toString()), share(idle)]],
      [asset.symbol, "share"],
    ),
    ...poolLines(view, money),
    "",
    decisions.length === 0 ? "no decision yet" : table(["decision", "state", "reason"], decisions),
    "",
  ].join("\n");
}

/** Positions in pools of traders; nothing where there are none. */
function poolLines({ allocations }: StatusView, money: (units: string) => string): string[] {
  const rows = allocations.flatMap(({ venue, pool }) => {
    if (pool === undefined) return [];
    if (pool === null) return [[venue, pc.red("could not be read"), "–", "–", "–"]];
    const { steady, fairValue, exitValue, market } = pool;
    const word = steadinessWord(steady);
    return [
      [
        venue,
        steady ? pc.green(word) : pc.red(word),
        money(fairValue),
        money(exitValue),
        marketWords(market).join("; "),
      ],
    ];
  });
  const head = ["pool", "price", "fair value", "if it left now", "market"];
  return rows.length === 0 ? [] : ["", table(head, rows, ["fair value", "if it left now"])];
}

function shutBy({ allocations }: StatusView): string[] {
  const shut = allocations.filter(({ pool }) => pool?.shutsDeposits === true).map(({ venue }) => venue);
  if (shut.length === 0) return [];
  return [`${pc.bold("deposits")}      ${pc.red("shut")}: price away from fair in ${shut.join(", ")}`];
}

function stateColour(state: string): string {
  if (state === "included" || state === "final") return pc.green(state);
  if (state === "abandoned" || state === "reorged") return pc.red(state);
  return state;
}

function shortened(text: string): string {
  const width = Math.max(40, (process.stdout.columns ?? 120) - 36);
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
