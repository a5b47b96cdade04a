// `hardhat node` as a child process, forking an upstream on this machine. EDR, its engine, panics when the upstream
// answers an error in the middle of a transaction: the child aborts, or hangs with its port open. So nothing here waits
// without a limit, and how the child ended is kept.
import { spawn, type ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { WorldFailure } from "../../keeper/config/failure";

const ROOT = path.resolve(__dirname, "../..");
const START_TIMEOUT_MS = 90_000;
const PROBE_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
/** Enough of the child's last words to say why it ended. */
const KEPT_OUTPUT = 8_000;

export interface HardhatNodeOptions {
  readonly upstreamUrl: string;
  readonly chainId: number;
  readonly block: number;
  /** True: blocks are made by `evm_mine` only, transactions keep the order in which they came. False: one block each. */
  readonly relayMines: boolean;
}

export class HardhatNode {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly lastWords: () => string,
    private readonly upstreamUrl: string,
  ) {}

  /** @throws WorldFailure if the node ends, or does not listen in time. */
  static async start(options: HardhatNodeOptions): Promise<HardhatNode> {
    forgetForkCache(options.upstreamUrl);
    const cli = path.join(path.dirname(require.resolve("hardhat/package.json")), "internal/cli/bootstrap.js");
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      TILLER_FORK_URL: options.upstreamUrl,
      TILLER_FORK_CHAIN_ID: String(options.chainId),
      TILLER_FORK_BLOCK: String(options.block),
      HARDHAT_DISABLE_TELEMETRY_PROMPT: "true",
    };
    // The address of a live node may hold a key, and this process has no use for it.
    delete env["MAINNET_RPC_URL"];
    delete env["TILLER_RELAY_MINES"];
    if (options.relayMines) env["TILLER_RELAY_MINES"] = "1";
    const child = spawn(process.execPath, [cli, "node", "--hostname", "127.0.0.1", "--port", "0"], {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const kill = (): void => void child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));

    let output = "";
    const url = await new Promise<string>((resolve, reject) => {
      const fail = (reason: string): void => {
        child.kill("SIGKILL");
        reject(
          new WorldFailure("FORK_START", `the forking node did not start: ${reason}`, {
            field: "hardhat node",
            remedy: "Look at what the upstream refused; a recorded state holds only what was recorded.",
          }),
        );
      };
      const timer = setTimeout(() => fail(`not listening after ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
      const collect = (chunk: Buffer): void => {
        output = (output + chunk.toString("utf8")).slice(-KEPT_OUTPUT);
        const started = /Started HTTP and WebSocket JSON-RPC server at (http:\/\/[^\s/]+)/.exec(output);
        if (!started?.[1]) return;
        clearTimeout(timer);
        resolve(started[1]);
      };
      child.stdout?.on("data", collect);
      child.stderr?.on("data", collect);
      child.once("error", (error) => fail(error.message));
      child.once("exit", (code, signal) => {
        clearTimeout(timer);
        fail(`it ended with ${signal ?? `code ${code}`}: ${firstError(output)}`);
      });
    });
    return new HardhatNode(child, url, () => output, options.upstreamUrl);
  }

  /** Why the node is not in order, or undefined if it still answers. */
  async trouble(): Promise<string | undefined> {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null || signalCode !== null) {
      return `the forking node ended by itself with ${signalCode ?? `code ${exitCode}`}: ${firstError(this.lastWords())}`;
    }
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_blockNumber", params: [] }),
        signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      });
      const body = (await response.json()) as { result?: unknown };
      return typeof body.result === "string" ? undefined : "the forking node no longer answers eth_blockNumber";
    } catch {
      return `the forking node did not answer within ${PROBE_TIMEOUT_MS / 1000} s: ${firstError(this.lastWords())}`;
    }
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await Promise.race([ended, pause(STOP_TIMEOUT_MS, undefined, { ref: false })]);
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await ended;
    }
    forgetForkCache(this.upstreamUrl);
  }
}

/** Hardhat keeps answers of an upstream by host and port; ports are used again, by other chains. */
function forgetForkCache(upstreamUrl: string): void {
  const { hostname, port } = new URL(upstreamUrl);
  rmSync(path.join(ROOT, "cache/hardhat-network-fork/rpc_cache", `${hostname}_${port}`), {
    recursive: true,
    force: true,
  });
}

function firstError(output: string): string {
  const line = output.split("\n").find((text) => /error|panicked|Error/.test(text));
  return (line ?? output.split("\n").at(-1) ?? "").trim().slice(0, 300) || "it said nothing";
}
