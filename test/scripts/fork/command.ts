// Runs a command of scripts/fork as an operator does, and sees what they see.
import { spawn } from "node:child_process";
import path from "node:path";

const ROOT = path.resolve(__dirname, "../../..");

export interface Ended {
  /** Exit status; a signal's name if one ended it. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** Settles when stdout matches; fails if the command ends first. */
  output(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export function runCommand(script: "serve" | "record", args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const { MAINNET_RPC_URL: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ["-r", "tsx/cjs", `scripts/fork/${script}.ts`, ...args], {
    cwd: ROOT,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const waiting: (() => void)[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
    for (const look of waiting) look();
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code, signal) => resolve({ code: code ?? signal ?? "?", stdout, stderr })),
  );
  return {
    ended,
    signal: (name) => void child.kill(name),
    output: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stdout);
          if (match) resolve(match);
        };
        waiting.push(look);
        look();
        void ended.then((end) => reject(new Error(`ended with ${end.code}: ${end.stdout}${end.stderr}`)));
      }),
  };
}
