// What every suite on a fork does: start it, say what it stands on, give each test the same state, and at the end fail
// on what the fork could not answer, whatever the tests said.
import path from "node:path";
import type { Context, Suite } from "mocha";
import { assertForkSound, startFork, type Fork } from "../../scripts/fork/startFork";
import { chosenUpstream } from "../../scripts/fork/upstream";
import { skip } from "../skip";

export const USDC = 1_000_000n;
export const DAY = 86_400;

/** Starting a node and loading the state of a protocol over it, on a machine that does other things too. */
const TIMEOUT_MS = 120_000;

/** @param body Registers the tests; `fork()` is there once they run. */
export function describeOnFork(name: string, body: (fork: () => Fork) => void): Suite {
  return describe(`${name}, on a fork of ${standsOn()}`, function () {
    this.timeout(TIMEOUT_MS);
    let fork: Fork | undefined;
    let clean: unknown;

    before(async () => {
      fork = await startFork();
    });
    after(async () => {
      if (fork) assertForkSound(await fork.stop());
    });
    beforeEach(async () => {
      clean = await fork?.provider.send("evm_snapshot", []);
    });
    afterEach(async () => void (await fork?.provider.send("evm_revert", [clean])));

    body(() => {
      if (!fork) throw new Error("the fork is there once tests run");
      return fork;
    });
  });
}

/** Skips what needs Comet where the recorded state does not hold it. */
export async function skipWithoutComet(context: Context, fork: Fork): Promise<void> {
  if ((await fork.provider.getCode(fork.places.comet)) !== "0x") return;
  skip(context, `${fork.description} does not hold Comet: composite.json.gz does`);
}

/** What the forks of this run stand on, for titles. */
export function standsOn(): string {
  const choice = chosenUpstream();
  switch (choice.kind) {
    case "rpc":
      return `MAINNET_RPC_URL${choice.block === undefined ? "" : ` at block ${choice.block}`}`;
    case "tape":
      return `the recorded state ${path.basename(choice.file)}`;
    case "localnet":
      return "the local chain (neither MAINNET_RPC_URL nor TILLER_TAPE is set)";
  }
}
