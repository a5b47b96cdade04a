// `tiller run`: the keeper with its page, until Ctrl-C; or, with --once, one decision.
import { Command } from "commander";
import pc from "picocolors";
import { LiveView } from "../app/liveView";
import { runFromConfig, type RunResult, type RunWatcher } from "../app/run";
import { WorldFailure } from "../config/failure";
import { loadConfig, type Config } from "../config/load";
import type { Sink } from "../events/events";
import type { DryRun } from "../execute/dryRun";
import { logSink } from "../events/logSink";
import { startServer, type RunningServer } from "../serve/server";
import { stopOnSignal } from "./interrupted";
import { amount, printJson, table } from "./printing";
import { refitProcess } from "./refitProcess";

/** So long after Ctrl-C the process ends, whatever still hangs. */
const SHUTDOWN_PATIENCE_MS = 1_900;

interface RunCommandOptions {
  readonly config?: string;
  readonly once?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function runCommand(): Command {
  return new Command("run")
    .description("run the keeper: watch, decide, send bundles, serve the page")
    .option("--config <file>", "config file")
    .option("--once", "one decision, carried out to its end, without the page")
    .option("--dry-run", "decide like a live keeper, without a key; send nothing")
    .option("--json", "log as JSON; with --once, the outcome as one JSON document")
    .action(async (options: RunCommandOptions) => {
      const config = loadConfig({ file: options.config, env: process.env });
      const once = options.once === true;
      const dryRun = options.dryRun === true;
      const format = options.json === true || !process.stderr.isTTY ? "json" : config.log.format;
      const sink = logSink({ level: once && config.log.level === "info" ? "silent" : config.log.level, format });
      const stopping = stopOnSignal({ patienceMs: SHUTDOWN_PATIENCE_MS });
      const watcher = once ? {} : pageWatcher(config, sink);
      const refit = refitProcess(config.file);
      const of = { env: process.env, once, dryRun, sink, signal: stopping, watcher, refit };
      const result = await runFromConfig(config, of);
      if (once) report(result, { json: options.json === true });
    });
}

/** Serves the page for as long as the run lasts. */
function pageWatcher(config: Config, sink: Sink): RunWatcher {
  let view: LiveView | null = null;
  let server: RunningServer | null = null;
  return {
    async ready({ addresses, store }) {
      view = new LiveView(addresses, store);
      await view.load();
      server = await startServer({ ...config.serve, source: view, sink });
    },
    state: (state) => view?.note({ state }),
    tick: (tick) => view?.tick(tick),
    trouble: (trouble) => view?.note({ trouble }),
    closing: async () => server?.close(),
  };
}

function report(result: RunResult, options: { readonly json: boolean }): void {
  const { tick, intent } = result;
  if (tick === null || tick.outcome.action === "busy") {
    throw new WorldFailure("RUN_STOPPED", "no decision was made", { remedy: "Run it again." });
  }
  const { outcome, snapshot } = tick;
  const plan = outcome.action === "rebalance" ? outcome.plan : null;
  const rehearsal = outcome.action === "rebalance" ? outcome.rehearsal : null;
  const summary = {
    decision: outcome.decision.id,
    action: outcome.action,
    reason: outcome.action === "rebalance" ? outcome.plan.reason : outcome.hold.reason,
    state: intent?.state ?? (plan === null ? "held" : "dry-run"),
    stateReason: intent?.reason ?? null,
    block: snapshot.blockNumber,
    moves:
      plan?.moves.map(({ venue, assets, all, minimum }) => ({
        ...{ venue, assets: assets.toString(), all, minimum: minimum.toString() },
      })) ?? [],
    includedBlock: intent?.includedBlock ?? null,
    txHash: intent?.txHash ?? null,
    wouldSend: rehearsal,
  };
  if (options.json) printJson(summary);
  else {
    process.stdout.write(
      `${pc.bold(summary.action)} ${summary.decision} at block ${summary.block}: ${summary.state}\n`,
    );
    process.stdout.write(`  ${summary.reason}\n`);
    if (plan !== null) {
      const rows = plan.moves.map((move) => [move.venue, amount(move.assets, snapshot.assetDecimals)]);
      process.stdout.write(`\n${table(["venue", "moved"], rows, ["moved"])}\n`);
    }
    if (rehearsal !== null) process.stdout.write(`\n${describeRehearsal(rehearsal)}\n`);
    if (summary.txHash !== null)
      process.stdout.write(`\n  block ${summary.includedBlock}, transaction ${summary.txHash}\n`);
  }
  if (intent?.state === "abandoned") {
    throw new WorldFailure("PLAN_ABANDONED", `the plan was given up: ${intent.reason ?? "no reason stored"}`, {
      remedy: "Nothing was changed on the chain; the next run decides anew.",
    });
  }
}

function describeRehearsal({ targetBlock, transaction, simulation }: DryRun): string {
  if (transaction === null) return "nothing would be sent: the base fee is over the ceiling";
  const outcome = simulation.kind === "succeeds" ? "succeeds" : `reverts: ${simulation.reason}`;
  return [
    `would be sent for block ${targetBlock}; simulated, it ${outcome}`,
    `  to ${String(transaction.to)}, nonce ${transaction.nonce ?? 0}, gas ${transaction.gasLimit}, fee ${transaction.maxFeePerGas} wei`,
    `  ${transaction.data ?? ""}`,
  ].join("\n");
}
