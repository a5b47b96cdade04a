// The main job on a fork, from an empty block to money paid out: the vault is deployed, a depositor enters, the keeper
// (its own process, database and all) lands one rebalance as a bundle through the local relay, a month goes by, and the
// depositor leaves with everything.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { MaxUint256, type HDNodeWallet } from "ethers";
import type { AddressFile } from "../../keeper/config/addressFile";
import { WorldFailure } from "../../keeper/config/failure";
import type { ConfigInput } from "../../keeper/config/schema";
import { IERC20__factory, Vault__factory } from "../../typechain-types";
import { localWallet } from "../../deploy/networks/localWallet";
import { startRelay } from "../relay/relay";
import { deployOnFork } from "./deployOnFork";
import type { Fork } from "./startFork";

const ROOT = path.resolve(__dirname, "../..");
const BLOCK_MS = 2_000;
const SECONDS_PER_BLOCK = 12;
const KEEPER_TIMEOUT_MS = 120_000;
const MOST_RUNS = 3;
const MONTH_SECONDS = 30 * 86_400;

export interface StoryOptions {
  /** For the address file, the keeper's config and its database. Must exist. */
  readonly folder: string;
  /** What the depositor brings, 6 decimals. */
  readonly deposit: bigint;
  readonly say?: (line: string) => void;
}

/** Of what `tiller run --once --json` prints. */
export interface KeeperDecision {
  readonly action: "rebalance" | "hold";
  readonly reason: string;
  readonly state: string;
}

/** Amounts have USDC's 6 decimals. */
export interface Story {
  readonly addresses: AddressFile;
  /** The keeper's decisions, one a run. */
  readonly keeper: readonly KeeperDecision[];
  /** Rebalances that the vault logged. */
  readonly landed: readonly { readonly block: number; readonly hash: string; readonly moved: bigint }[];
  /** aUSDC of the vault's Aave adapter, after the rebalance and a month later. */
  readonly aUsdc: { readonly placed: bigint; readonly grown: bigint };
  /** What the depositor got back for all shares. */
  readonly paid: bigint;
}

/**
 * @param fork Started with `relayMines`: blocks are the relay's while the keeper runs.
 * @throws WorldFailure KEEPER_FAILED if the keeper does not end with 0; Failure as deployment and relay do.
 */
export async function keeperOnFork(
  fork: Fork,
  { folder, deposit, say = () => undefined }: StoryOptions,
): Promise<Story> {
  const { provider, places } = fork;
  const depositor = localWallet("depositor").connect(provider);
  const usdc = IERC20__factory.connect(places.usdc, depositor);
  const addressFile = path.join(folder, "addresses.json");

  say(`fork       ${fork.description}`);
  const addresses = await deployOnFork(fork, addressFile);
  const vault = Vault__factory.connect(addresses.vault, depositor);
  say(`vault      ${addresses.vault}`);

  await fork.fundUsdc(depositor.address, deposit);
  await mining(fork, async () => {
    await (await usdc.approve(addresses.vault, MaxUint256)).wait();
    await (await vault["deposit(uint256,address)"](deposit, depositor.address)).wait();
  });
  // The vault's limits are shares of what it held before a block: a plan counts on the deposit from the next one.
  await fork.increaseTime(SECONDS_PER_BLOCK);
  say(`deposit    ${units(deposit)} USDC`);

  const keeper = await runKeeper(fork, { folder, addressFile });
  for (const { action, reason } of keeper) say(`keeper     ${action}: ${reason}`);
  const events = await vault.queryFilter(vault.filters.Rebalanced(), fork.block + 1);
  const landed = events.map(({ blockNumber, transactionHash, args }) => ({
    block: blockNumber,
    hash: transactionHash,
    moved: args.moved,
  }));
  for (const { block, hash, moved } of landed) say(`rebalance  ${units(moved)} USDC in block ${block}, ${hash}`);

  const aave = addresses.adapters.find(({ kind }) => kind === "aave-v3")?.adapter ?? addresses.vault;
  const receipt = IERC20__factory.connect(places.aUsdc, provider);
  const placed = await receipt.balanceOf(aave);
  await fork.increaseTime(MONTH_SECONDS);
  const grown = await receipt.balanceOf(aave);
  say(`aUSDC      ${units(placed)}, after 30 days ${units(grown)}`);

  const paid = await mining(fork, () => leave(fork, vault.connect(depositor), depositor));
  say(`withdrawn  ${units(paid)} USDC for all shares`);
  return { addresses, keeper, landed, aUsdc: { placed, grown }, paid };
}

/**
 * The keeper as an operator's timer would run it: one decision, carried out to its end, and again while it holds. The
 * rate of an ERC-4626 vault shows only between two looks at it.
 */
async function runKeeper(
  fork: Fork,
  at: { readonly folder: string; readonly addressFile: string },
): Promise<KeeperDecision[]> {
  const relay = await startRelay({
    nodeUrl: fork.url,
    port: 0,
    blockMs: BLOCK_MS,
    secondsPerBlock: SECONDS_PER_BLOCK,
  });
  try {
    const dataDir = path.join(at.folder, "keeper");
    mkdirSync(dataDir, { recursive: true });
    const config: ConfigInput = {
      dataDir,
      // A fork answers a first read of a slot only after its upstream did.
      chain: { rpcUrls: [fork.url], pollMs: 100, finalityBlocks: 2, requestTimeoutMs: 30_000 },
      addresses: at.addressFile,
      relays: [{ name: "local", url: relay.url }],
      limits: { cooldownSeconds: 0 },
      serve: { port: 0 },
    };
    const file = path.join(at.folder, "config.json");
    writeFileSync(file, JSON.stringify(config));
    const decisions: KeeperDecision[] = [];
    do decisions.push(await tillerRunOnce(file));
    while (decisions.at(-1)?.action === "hold" && decisions.length < MOST_RUNS);
    return decisions;
  } finally {
    await relay.stop();
  }
}

function tillerRunOnce(config: string): Promise<KeeperDecision> {
  const env: NodeJS.ProcessEnv = { ...process.env, TILLER_KEEPER_KEY: localWallet("keeper").privateKey };
  // The keeper is to see the fork only.
  for (const name of ["RPC_URL", "MAINNET_RPC_URL", "DATABASE_URL", "TILLER_CONFIG", "TILLER_PORT"]) delete env[name];
  return new Promise((resolve, reject) => {
    const args = ["-r", "tsx/cjs", "keeper/cli/main.ts", "run", "--once", "--json", "--config", config];
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGTERM"), KEEPER_TIMEOUT_MS);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      if (code === 0) return resolve(JSON.parse(stdout) as KeeperDecision);
      const last = stderr.trim().split("\n").at(-1) ?? "";
      reject(
        new WorldFailure("KEEPER_FAILED", `the keeper ended with ${code ?? "a signal"}: ${last.slice(0, 500)}`, {
          remedy: "Run `tiller run --once` on the fork by hand to see more.",
        }),
      );
    });
  });
}

/** @returns what was paid. */
async function leave(
  fork: Fork,
  vault: ReturnType<typeof Vault__factory.connect>,
  depositor: HDNodeWallet,
): Promise<bigint> {
  const usdc = IERC20__factory.connect(fork.places.usdc, depositor);
  const before = await usdc.balanceOf(depositor.address);
  const shares = await vault.balanceOf(depositor.address);
  await (await vault["redeem(uint256,address,address)"](shares, depositor.address, depositor.address)).wait();
  return (await usdc.balanceOf(depositor.address)) - before;
}

/** Each transaction makes a block while `work` goes on; the relay must not be making any. */
async function mining<T>(fork: Fork, work: () => Promise<T>): Promise<T> {
  await fork.provider.send("evm_setAutomine", [true]);
  try {
    return await work();
  } finally {
    await fork.provider.send("evm_setAutomine", [!fork.relayMines]);
  }
}

const units = (amount: bigint): string =>
  (Number(amount) / 1e6).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
