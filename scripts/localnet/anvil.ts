// The local chain's node: anvil from npm on a saved state. It makes no blocks by itself; the relay does.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import path from "node:path";
import { LOCAL_MNEMONIC } from "../../deploy/networks/localAccounts";
import { WorldFailure } from "../../keeper/config/failure";
import { callNode, genesisHashAt } from "./jsonRpc";
import { findRunningNode, isAlive, removeNote, stopProcess, writeNote } from "./runningNode";
import { keepBackup, prepareStateFile, stateFileIn } from "./stateFile";

export const LOCAL_CHAIN_ID = 31337;

const ACCOUNTS = 12;
/** Enough WETH for the market's borrowers to carry a mainnet-like reserve on their own. */
const ETHER_PER_ACCOUNT = 1_000_000;
/** Mainnet's since November 2025. */
const BLOCK_GAS_LIMIT = 60_000_000;
/** Blocks back that a call can be pinned to. Unbounded, anvil writes a megabyte to disk for each block. */
const STATES_KEPT = 256;
/** Blocks whose transactions and logs are kept. The state file, written each second, grows by 20 kB for each. */
const TRANSACTION_BLOCKS_KEPT = 2000;
const STARTUP_PATIENCE_MS = 20_000;
const LOG_FILE = "anvil.log";

export interface LocalChain {
  readonly url: string;
  readonly pid: number;
  /** True when the chain began with this start: nothing is deployed on it. */
  readonly fresh: boolean;
  readonly genesisHash: string;
  /** Saves the state and ends the node; resolves when it is gone. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the local chain kept in `folder`, or takes over the node that a killed earlier run left there. Port 0 takes a
 * free one. The state is saved each second and at {@link LocalChain.stop}.
 * @throws WorldFailure LOCALNET_STATE_CORRUPT, LOCALNET_PORT_TAKEN, LOCALNET_NO_ANVIL, LOCALNET_NOT_STARTED
 */
export async function startLocalChain(options: {
  readonly folder: string;
  readonly port: number;
}): Promise<LocalChain> {
  const folder = path.resolve(options.folder);
  mkdirSync(folder, { recursive: true });

  const left = findRunningNode(folder, stateFileIn(folder));
  if (left !== null) {
    const url = urlOf(left.port);
    const wanted = options.port === 0 || options.port === left.port;
    if (wanted && (await genesisHashAt(url)) === left.genesisHash) {
      return handle(folder, { url, pid: left.pid, fresh: false, genesisHash: left.genesisHash });
    }
    await stopProcess(left.pid);
  }
  removeNote(folder);

  const saved = prepareStateFile(folder);
  const port = options.port === 0 ? await freePort() : await requireFree(options.port);
  const pid = spawnAnvil(folder, port);
  const url = urlOf(port);
  const genesisHash = await waitUntilUp(folder, url, pid);
  writeNote(folder, { pid, port, genesisHash });
  return handle(folder, { url, pid, fresh: !saved, genesisHash });
}

function handle(folder: string, node: Omit<LocalChain, "stop">): LocalChain {
  const endBackup = keepBackup(folder);
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      endBackup();
      await stopProcess(node.pid);
      removeNote(folder);
    })();
    return stopping;
  };
  return { ...node, stop };
}

function spawnAnvil(folder: string, port: number): number {
  const log = openSync(path.join(folder, LOG_FILE), "w");
  try {
    const child = spawn(
      anvilBinary(),
      [
        ...["--host", "127.0.0.1", "--port", String(port), "--chain-id", String(LOCAL_CHAIN_ID)],
        ...["--mnemonic", LOCAL_MNEMONIC, "--accounts", String(ACCOUNTS), "--balance", String(ETHER_PER_ACCOUNT)],
        ...["--state", stateFileIn(folder), "--state-interval", "1"],
        ...["--prune-history", String(STATES_KEPT), "--transaction-block-keeper", String(TRANSACTION_BLOCKS_KEPT)],
        // The relay decides the order inside a block and when there is one.
        ...["--order", "fifo", "--no-mining"],
        ...["--hardfork", "osaka", "--enable-tx-gas-limit", "--gas-limit", String(BLOCK_GAS_LIMIT)],
        "--quiet",
      ],
      // A group of its own: Ctrl-C in a terminal reaches the launcher, which stops the node last.
      { detached: true, stdio: ["ignore", log, log] },
    );
    child.unref();
    // A spawn error shows as a process that is not there.
    child.on("error", () => undefined);
    return child.pid ?? -1;
  } finally {
    closeSync(log);
  }
}

/** @throws WorldFailure LOCALNET_NO_ANVIL */
export function anvilBinary(): string {
  const arch = { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch;
  const name = process.platform === "win32" ? "anvil.exe" : "anvil";
  try {
    // Resolved from the wrapper package, whose optional dependency the binary is.
    const wrapper = createRequire(require.resolve("@foundry-rs/anvil/package.json"));
    return wrapper.resolve(`@foundry-rs/anvil-${process.platform}-${arch}/bin/${name}`);
  } catch (cause) {
    throw new WorldFailure("LOCALNET_NO_ANVIL", `npm has installed no anvil for ${process.platform}/${process.arch}`, {
      remedy:
        "Run `npm ci` without --omit=optional; on a platform that @foundry-rs/anvil does not build for, use a fork.",
      cause,
    });
  }
}

async function waitUntilUp(folder: string, url: string, pid: number): Promise<string> {
  const end = Date.now() + STARTUP_PATIENCE_MS;
  while (Date.now() < end && isAlive(pid)) {
    const genesisHash = await genesisHashAt(url);
    if (genesisHash !== null) {
      // Whatever answers must be the node just started: its chain id, and it still running.
      const chainId = Number(await callNode(url, "eth_chainId", []));
      if (chainId === LOCAL_CHAIN_ID && isAlive(pid)) return genesisHash;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const said = readFileSync(path.join(folder, LOG_FILE), "utf8").trim().split("\n").at(-1)?.slice(0, 200) ?? "";
  if (isAlive(pid)) await stopProcess(pid);
  throw new WorldFailure("LOCALNET_NOT_STARTED", `anvil did not start${said === "" ? "" : `: ${said}`}`, {
    remedy: `See ${path.join(folder, LOG_FILE)}; if it cannot load its state, remove the folder ${folder} to begin a new chain.`,
  });
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

function freePort(): Promise<number> {
  return listenOnce(0);
}

async function requireFree(port: number): Promise<number> {
  try {
    return await listenOnce(port);
  } catch (cause) {
    throw new WorldFailure("LOCALNET_PORT_TAKEN", `port ${port} of 127.0.0.1 is in use by another program`, {
      field: "port",
      remedy: "Stop that program, or choose another port (0 takes a free one).",
      cause,
    });
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const taken = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(taken));
    });
  });
}
