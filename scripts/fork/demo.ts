// npm run fork:demo: the main job on a fork of what MAINNET_RPC_URL or TILLER_TAPE gives, else of the local chain.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command } from "commander";
import { exitWith } from "./commandLine";
import { keeperOnFork } from "./keeperOnFork";
import { assertForkSound, startFork } from "./startFork";
import { stopSignal } from "./stopSignal";
import { summarise } from "./tapeReport";

/** What a shell says of a command that Ctrl-C ended. */
const INTERRUPTED = 130;

const DEPOSIT = 1_000_000_000_000n;

const command = new Command("fork:demo")
  .description("Deploy, deposit, let the keeper land a rebalance, wait a month, withdraw: on a fork.")
  .option("--json", "print the outcome as JSON")
  .exitOverride();

async function demo({ json = false }: { readonly json?: boolean }): Promise<number> {
  // Ends what lies below, too: the nodes go with this process's exit.
  void stopSignal().then(() => process.exit(INTERRUPTED));
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-fork-"));
  const fork = await startFork({ relayMines: true });
  const say = (line: string): void => void (json || process.stdout.write(`${line}\n`));
  const story = await keeperOnFork(fork, { folder, deposit: DEPOSIT, say }).catch((error: unknown) => error);
  const report = await fork.stop();
  rmSync(folder, { recursive: true, force: true });
  if (report.tape !== null) say(summarise(report.tape));
  // What the fork could not answer explains whatever else went wrong.
  assertForkSound(report);
  if (story instanceof Error) throw story;
  const text = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value);
  if (json) process.stdout.write(`${JSON.stringify({ upstream: report.upstream, ...(story as object) }, text)}\n`);
  return 0;
}

void exitWith(() => {
  command.parse();
  return demo(command.opts());
});
