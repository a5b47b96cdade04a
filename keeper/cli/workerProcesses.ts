// Further processes of the same program that share its work, and how they end: with their parent, however it ends.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

const STOP_PATIENCE_MS = 10_000;

export interface WorkerProcesses {
  /** Lets each end its chunk; resolves when all are gone. */
  stop(): Promise<void>;
}

/** Starts `count` processes of this program with other arguments. One that dies is not replaced: the rest does its work. */
export function startWorkers(count: number, argv: readonly string[]): WorkerProcesses {
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, [...process.execArgv, process.argv[1] ?? "", ...argv], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    }),
  );
  // One that cannot be started is one that died.
  for (const child of children) child.on("error", () => undefined);
  return { stop: async () => void (await Promise.all(children.map(end))) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, "exit");
  if (child.connected) child.disconnect();
  const impatience = setTimeout(() => child.kill("SIGKILL"), STOP_PATIENCE_MS);
  await gone;
  clearTimeout(impatience);
}

/** For a worker: raised with `signal`, and, with `reason`, when the process that started this one is gone. */
export function endWithParent(signal: AbortSignal, reason?: Error): AbortSignal {
  if (!process.connected) return signal;
  const orphaned = new AbortController();
  process.once("disconnect", () => orphaned.abort(reason));
  // Listening alone would keep this process from ending.
  process.channel?.unref();
  return AbortSignal.any([signal, orphaned.signal]);
}
