// Real development nodes for the relay's tests, each on a port of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { HDNodeWallet, JsonRpcProvider } from "ethers";
import { LOCAL_MNEMONIC } from "../../../deploy/networks/localAccounts";

const ROOT = path.resolve(__dirname, "../../..");
const CHAIN_ID = 31337;

export interface TestNode {
  readonly url: string;
  readonly provider: JsonRpcProvider;
  stop(): Promise<void>;
}

export function startAnvil(): Promise<TestNode> {
  const program = path.join(ROOT, "node_modules/.bin/anvil");
  const flags = [
    "--port",
    "0",
    "--order",
    "fifo",
    "--no-mining",
    "--prune-history",
    "256",
    "--transaction-block-keeper",
    "2000",
    "--mnemonic",
    LOCAL_MNEMONIC,
  ];
  return start(
    spawn(program, [...flags, "--chain-id", String(CHAIN_ID)], { cwd: ROOT, detached: true }),
    /Listening on (\S+)/,
  );
}

export function startHardhat(): Promise<TestNode> {
  const program = path.join(ROOT, "node_modules/hardhat/internal/cli/cli.js");
  const child = spawn(process.execPath, [program, "node", "--hostname", "127.0.0.1", "--port", "0"], {
    cwd: ROOT,
    detached: true,
    env: { ...process.env, TILLER_RELAY_MINES: "1", HARDHAT_DISABLE_TELEMETRY_PROMPT: "true" },
  });
  return start(child, /server at http:\/\/(\S+?)\//);
}

const accounts = HDNodeWallet.fromPhrase(LOCAL_MNEMONIC, undefined, "m/44'/60'/0'/0");

/** The account with this index of the local mnemonic, for signing only. */
export function account(index: number): HDNodeWallet {
  return accounts.deriveChild(index);
}

async function start(child: ChildProcess, listening: RegExp): Promise<TestNode> {
  const address = await new Promise<string>((resolve, reject) => {
    let seen = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      seen = (seen + chunk.toString()).slice(-20_000);
      const found = listening.exec(seen)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the node ended with ${code} before it listened: ${seen}`)));
  });
  child.stdout?.removeAllListeners("data").resume();
  child.stderr?.resume();
  const url = `http://${address}`;
  const provider = new JsonRpcProvider(url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1 });
  return {
    url,
    provider,
    async stop() {
      provider.destroy();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      // npm's anvil is a script around the program: the whole group has to go.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await ended;
    },
  };
}
