// `tiller replay ID`: recomputes a decision from its stored record, byte for byte, and checks that what was (or was to
// be) executed carries its hash.
import { Command } from "commander";
import { withStore } from "../app/withStore";
import { InputFailure } from "../config/failure";
import { loadConfig } from "../config/load";
import { decide } from "../decide/decide";
import { replay } from "../decide/record";
import { decodeRebalance, encodePlan } from "../execute/encode";
import { silent } from "../events/events";
import { printJson } from "./printing";

interface ReplayOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function replayCommand(): Command {
  return new Command("replay")
    .description("recompute a stored decision and compare it byte for byte")
    .argument("<id>", "the decision's id, as `tiller status` shows it")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action(async (id: string, options: ReplayOptions) => {
      const config = loadConfig({ file: options.config, env: process.env });
      await withStore(config, silent, async (store) => {
        const decision = await store.decision(id);
        if (decision === null) {
          throw new InputFailure("DECISION_UNKNOWN", `there is no decision ${id}`, {
            field: "ID",
            remedy: "`tiller status` lists the decisions.",
          });
        }
        const { output, recomputed } = replay(decision.record, decision.recordHash, decide);
        checkColumns(decision, { id: recomputed.id, action: output.action, reason: output.reason });
        const intent = decision.intentId === null ? null : await store.intent(decision.intentId);
        if (intent !== null && output.action === "rebalance")
          checkCalldata(intent.calldata, encodePlan(output, recomputed.hash));
        const result = {
          id,
          action: output.action,
          reason: output.reason,
          recordHash: recomputed.hash,
          equal: true,
          calldata: intent === null ? null : "equal",
          state: decision.state,
          txHash: decision.txHash,
        };
        if (options.json === true) printJson(result);
        else process.stdout.write(describe(result));
      });
    });
}

/** The columns that people read are copies of the record: they must not tell another story. */
function checkColumns(
  stored: { readonly id: string; readonly action: string; readonly reason: string },
  recorded: { readonly id: string; readonly action: string; readonly reason: string },
): void {
  for (const column of ["id", "action", "reason"] as const) {
    if (stored[column] === recorded[column]) continue;
    throw new InputFailure("RECORD_ALTERED", `the stored ${column} is not the record's`, {
      field: column,
      remedy: "The row was changed after it was written: restore it from a backup and find out who wrote to the table.",
    });
  }
}

function checkCalldata(stored: string, recomputed: string): void {
  if (stored === recomputed) return;
  const decision = decodeRebalance(stored)?.guard.decision ?? "nothing readable";
  throw new InputFailure(
    "CALLDATA_DIFFERS",
    `the stored intent is not the recomputed plan (it commits to ${decision})`,
    {
      field: "intent.calldata",
      remedy: "The intent was changed after it was written, or another version of Tiller wrote it.",
    },
  );
}

function describe(result: {
  id: string;
  action: string;
  reason: string;
  recordHash: string;
  state: string;
  txHash: string | null;
  calldata: string | null;
}): string {
  const lines = [
    `decision ${result.id}: ${result.action} (${result.state})`,
    `  ${result.reason}`,
    `  recomputed byte for byte; record hash ${result.recordHash}`,
  ];
  if (result.calldata !== null) lines.push("  the intent's calldata is the recomputed plan");
  if (result.txHash !== null) lines.push(`  transaction ${result.txHash}`);
  return `${lines.join("\n")}\n`;
}
