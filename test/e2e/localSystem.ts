// A local chain with protocols, vault and a deposit, and a relay beside it, in a folder of its own: what the tests of the
// whole system start from. Real anvil, real contracts, the real relay; the keeper is started by each test.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { JsonRpcProvider, Network } from "ethers";
import { COLLECT_EVERY_SECONDS } from "../../keeper/config/schema";
import type { ConfigInput } from "../../keeper/config/schema";
import { IVault__factory } from "../../typechain-types";
import { LOCAL_CHAIN_ID, startLocalChain, type LocalChain } from "../../scripts/localnet/anvil";
import { startRelay, type Relay } from "../../scripts/relay/relay";
import { localKeeperKey, prepareGenesis, type Genesis } from "../../scripts/start/genesis";

export const ROOT = path.join(__dirname, "..", "..");

export interface LocalSystem {
  readonly folder: string;
  readonly chain: LocalChain;
  readonly genesis: Genesis;
  readonly relay: Relay;
  readonly provider: JsonRpcProvider;
  /** Writes a config whose data folder is `name` below the system's, and returns its file. */
  configure(name: string, change?: ConfigInput): string;
  stop(): Promise<void>;
}

export async function startLocalSystem(options: {
  readonly blockMs: number;
  readonly secondsPerBlock: number;
}): Promise<LocalSystem> {
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-e2e-"));
  const chain = await startLocalChain({ folder: path.join(folder, "localnet"), port: 0 });
  const genesis = await prepareGenesis(chain.url, path.join(folder, "localnet"), () => undefined);
  const relay = await startRelay({ nodeUrl: chain.url, port: 0, ...options });
  const network = Network.from(LOCAL_CHAIN_ID);
  const provider = new JsonRpcProvider(chain.url, network, {
    staticNetwork: network,
    cacheTimeout: -1,
    pollingInterval: 100,
  });
  return {
    folder,
    chain,
    genesis,
    relay,
    provider,
    configure(name, change = {}) {
      const file = path.join(folder, `${name}.config.json`);
      const config: ConfigInput = {
        dataDir: path.join(folder, name),
        chain: { rpcUrls: [chain.url], pollMs: 50, finalityBlocks: 2 },
        addresses: genesis.addressFile,
        relays: [{ name: "local", url: relay.url }],
        collect: { everySeconds: Math.max(COLLECT_EVERY_SECONDS, options.secondsPerBlock) },
        limits: { cooldownSeconds: 0, deadlineSeconds: 20 * options.secondsPerBlock },
        serve: { port: 0 },
        // Nobody reports prices here unless a test does: after a day of the chain every feed is stale.
        risk: { breaker: { off: ["oracle"] } },
        ...change,
      };
      writeFileSync(file, JSON.stringify(config));
      return file;
    },
    async stop() {
      await relay.stop();
      provider.destroy();
      await chain.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Environment of a keeper's process: the local key, and nothing of the developer's own settings. */
export function keeperEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, TILLER_KEEPER_KEY: localKeeperKey(), ...extra };
  for (const name of ["RPC_URL", "MAINNET_RPC_URL", "DATABASE_URL", "TILLER_CONFIG", "TILLER_PORT"]) delete env[name];
  return env;
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a TypeScript entry of the project. */
export function startScript(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = keeperEnvironment(),
): { readonly process: ChildProcess; readonly finished: Promise<Finished> } {
  const child = spawn(process.execPath, ["-r", "tsx/cjs", path.join(ROOT, script), ...args], { cwd: ROOT, env });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { process: child, finished };
}

/** `tiller …` to its end. */
export function tiller(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Finished> {
  return startScript("keeper/cli/main.ts", args, env).finished;
}

export interface Landed {
  readonly decision: string;
  readonly nonce: bigint;
  readonly block: number;
  readonly txHash: string;
}

/** Every rebalance that the vault logged, from the chain. */
export async function landedRebalances(
  system: Pick<LocalSystem, "provider" | "genesis">,
  fromBlock = 0,
): Promise<Landed[]> {
  const vault = IVault__factory.connect(system.genesis.addresses.vault, system.provider);
  const events = await vault.queryFilter(vault.filters.Rebalanced(), fromBlock);
  return events.map((event) => ({
    decision: event.args.decision,
    nonce: event.args.nonce,
    block: event.blockNumber,
    txHash: event.transactionHash,
  }));
}
