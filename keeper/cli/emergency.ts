// `tiller emergency close-all`: every position to idle as one bundle. Shown and simulated first; then asked for.
import { Command } from "commander";
import pc from "picocolors";
import { closeAll, rehearseClosing, type Closed, type Rehearsal } from "../app/emergency";
import { loadConfig } from "../config/load";
import { silent } from "../events/events";
import { confirm } from "./confirm";
import { stopOnSignal } from "./interrupted";
import { amount, printJson, table } from "./printing";

interface CloseAllOptions {
  readonly config?: string;
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const WORD = "close-all";

export function emergencyCommand(): Command {
  const close = new Command(WORD)
    .description("all positions to idle as one bundle, and the keeper stopped until `tiller breaker reset`")
    .option("--dry-run", "show what would be sent, simulated, and stop there")
    .option("--reason <text>", "why; kept with the trip", "closed by hand")
    .option("--yes", "do not ask")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action(async (options: CloseAllOptions) => {
      const config = loadConfig({ file: options.config, env: process.env });
      const json = options.json === true;
      const run = {
        ...{ env: process.env, sink: silent, signal: stopOnSignal() },
        reason: options.reason?.trim() || "closed by hand",
      };
      const rehearsed = await rehearseClosing(config, run);
      if (!json) process.stdout.write(describe(rehearsed));
      if (options.dryRun === true) {
        if (json) printJson({ wouldClose: jsonOf(rehearsed), closed: null });
        return;
      }
      const what = "All that can leave goes to idle, and the keeper stops until it is reset.";
      await confirm({ what, word: WORD, yes: options.yes === true });
      const closed = await closeAll(config, rehearsed, run);
      if (json) printJson({ wouldClose: jsonOf(rehearsed), closed });
      else process.stdout.write(describeClosed(closed));
    });
  return new Command("emergency").description("what is done by hand when something is wrong").addCommand(close);
}

function describe({ block, plan, hold, stays, rehearsal, assetDecimals }: Rehearsal): string {
  const money = (units: bigint): string => amount(units, assetDecimals);
  const rows = [
    ...(plan?.moves ?? []).map(({ venue, assets, all }) => [venue, all ? "all" : "part", money(-assets), ""]),
    ...stays.map(({ venue, assets, why }) => [venue, pc.red("stays"), money(assets), why]),
  ];
  const outcome = ((): string => {
    if (plan === null) return `nothing would be sent: ${hold?.reason ?? "there is no plan"}`;
    if (rehearsal === null || rehearsal.transaction === null)
      return "nothing would be sent now: the base fee is over the ceiling";
    const { simulation, targetBlock, transaction } = rehearsal;
    return simulation.kind === "succeeds"
      ? `one bundle for block ${targetBlock}, gas up to ${transaction.gasLimit}; simulated at block ${block}, it succeeds`
      : `simulated at block ${block}, it ${pc.red("reverts")}: ${simulation.reason}`;
  })();
  const list = rows.length === 0 ? "no positions" : table(["venue", "", "amount", "why"], rows, ["amount"]);
  return `${list}\n\n${outcome}\n`;
}

function describeClosed(closed: Closed | null): string {
  const after = "the keeper stays stopped: tiller breaker status, tiller breaker reset --reason …";
  if (closed === null) return `nothing could go to idle; ${after}\n`;
  const by = closed.by === "running-keeper" ? "the keeper that runs" : "this process";
  return `closed by ${by} in block ${closed.block}, transaction ${closed.txHash}\n  ${closed.reason}\n${after}\n`;
}

function jsonOf({ block, plan, hold, stays, rehearsal }: Rehearsal): object {
  return { block, moves: plan?.moves ?? [], stays, reason: plan?.reason ?? hold?.reason ?? null, wouldSend: rehearsal };
}
