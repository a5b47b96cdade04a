// One process of the local system: its log file, its lines, its end. Started in a process group of its own, so that
// Ctrl-C in a terminal reaches only the supervisor, which stops the parts in order.
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

export interface ChildOptions {
  readonly name: string;
  /** TypeScript entry, relative to the root of the project. */
  readonly script: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFolder: string;
  /** Every line, of both streams: logs are written to stderr. */
  readonly onLine: (line: string) => void;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it has ended, with the last line of stderr that is no log line. */
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly lastError: string;
  }>;
  /** SIGINT, then SIGKILL if that was not enough; resolves when it is gone. */
  stop(patienceMs: number): Promise<void>;
}

const ROOT = path.join(__dirname, "..", "..");

export function startChild(options: ChildOptions): Child {
  mkdirSync(options.logFolder, { recursive: true });
  const log = createWriteStream(path.join(options.logFolder, `${options.name}.log`), { flags: "a" });
  const child: ChildProcess = spawn(
    process.execPath,
    [
      "-r",
      path.join(__dirname, "endsWithParent.cjs"),
      "-r",
      "tsx/cjs",
      path.join(ROOT, options.script),
      ...options.args,
    ],
    { cwd: ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...options.env } },
  );
  let lastError = "";
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      log.write(`${line}\n`);
      // A log line is JSON; what is not is what a command says when it fails.
      if (stream === child.stderr && !line.startsWith("{")) lastError = line;
      options.onLine(line);
    });
  }
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null; lastError: string }>((resolve) => {
    child.once("error", (error) => resolve({ code: 1, signal: null, lastError: error.message }));
    child.once("close", (code, signal) => {
      log.end();
      resolve({ code, signal, lastError });
    });
  });
  return {
    name: options.name,
    pid: child.pid ?? -1,
    ended,
    async stop(patienceMs) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGINT");
      const kill = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      await ended;
      clearTimeout(kill);
    },
  };
}
