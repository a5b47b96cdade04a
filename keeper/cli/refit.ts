// `tiller models refit`: a model of rates fitted on what is stored, registered as a challenger.
import { Command } from "commander";
import path from "node:path";
import { registryOf } from "../app/modelRegistry";
import { withStore } from "../app/withStore";
import { REFITS_SEEN, refit, refitDueAt } from "../app/refit";
import { TRAINER_PYTHON } from "../app/trainer";
import { InputFailure, WorldFailure } from "../config/failure";
import { loadConfig, type Config } from "../config/load";
import { silent } from "../events/events";
import type { Store } from "../store/records";
import { untilInterrupted } from "./interrupted";
import { chainIdOf } from "./optionValues";
import { printJson } from "./printing";
import { endWithParent } from "./workerProcesses";

interface RefitOptions {
  readonly ifDue?: boolean;
  readonly chain: string;
  readonly config?: string;
  readonly json?: boolean;
}

export function refitCommand(): Command {
  return new Command("refit")
    .description("fit a model on what is stored and let it run in the shadow; nothing is served by this")
    .option("--if-due", "only where forecast.refit.everyDays have passed since the last one")
    .option("--chain <id>", "chain whose series are trained on", "1")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action(async (options: RefitOptions) => {
      const config = loadConfig({ file: options.config, env: process.env, offline: true });
      const chainId = chainIdOf(options.chain);
      const everyDays = options.ifDue === true ? scheduled(config) : null;
      await untilInterrupted(
        (stop) =>
          withStore(config, silent, async (store) => {
            const dueAt = everyDays === null ? 0 : refitDueAt(await store.refits.list(chainId, REFITS_SEEN), everyDays);
            if (dueAt > Date.now() / 1_000) sayNotDue(dueAt, options);
            else await fit(config, store, { ...options, chainId, signal: endWithParent(stop, keeperGone()) });
          }),
        "no model was made of it",
      );
    });
}

async function fit(
  config: Config,
  store: Store,
  options: { readonly chainId: number; readonly signal: AbortSignal; readonly json?: boolean },
): Promise<void> {
  const { chainId, signal, json = false } = options;
  const { python = TRAINER_PYTHON, mostMinutes, keepDays } = config.forecast.refit;
  const done = await refit({
    ...{ store, registry: registryOf(config, store), chainId, python, mostMinutes, keepDays, signal },
    work: path.join(config.dataDir, `refit-${chainId}`),
    ...(json ? {} : { progress: (line: string) => void process.stderr.write(`${line}\n`) }),
  });
  if (json) return printJson(done);
  const { model, isNew, hash, servedHorizonsHours: hours, deleted } = done;
  const was = isNew ? "fitted, and runs in the shadow" : "is there already: nothing was stored since";
  const serves = hours.length === 0 ? "beats the baselines nowhere" : `would serve ${hours.join(", ")} h`;
  const gone = deleted.length === 0 ? "" : `deleted, never served: ${deleted.join(", ")}\n`;
  process.stdout.write(`${model} ${was}; ${serves}; model ${hash.slice(0, 16)}\n${gone}`);
}

function scheduled({ forecast }: Config): number {
  if (forecast.refit.everyDays !== undefined) return forecast.refit.everyDays;
  throw new InputFailure("REFIT_UNSCHEDULED", "is absent, so that no refit is ever due", {
    field: "forecast.refit.everyDays",
    remedy: "Set it, or leave out --if-due.",
  });
}

function keeperGone(): WorldFailure {
  return new WorldFailure("REFIT_ORPHANED", "the keeper that wanted it ended", { remedy: "The next one tries again." });
}

function sayNotDue(dueAt: number, { json }: RefitOptions): void {
  const at = new Date(dueAt * 1_000).toISOString();
  if (json === true) printJson({ model: null, dueAt });
  else process.stdout.write(`not due before ${at}\n`);
}
