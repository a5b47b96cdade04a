// A thread of a sweep as the process that started it sees it.
import path from "node:path";
import { Worker } from "node:worker_threads";
import type { Parameters } from "./parameters";
import type { SweepRoom } from "./sweepWorker";
import type { Trial } from "./trial";

/** A thread does not inherit the loader of TypeScript that its process registered by itself. */
const TYPESCRIPT = ["-r", require.resolve("tsx/cjs")];

export interface Thread {
  readonly worker: Worker;
  /** Rejected where it cannot read the history. */
  readonly ready: Promise<unknown>;
  ask(task: { index: number; parameters: Parameters }, signal: AbortSignal | undefined): Promise<Trial>;
}

export function startThread(room: SweepRoom): Thread {
  const worker = new Worker(path.join(__dirname, "sweepWorker.ts"), { workerData: room, execArgv: TYPESCRIPT });
  let settle: { resolve(value: unknown): void; reject(reason: unknown): void } | null = null;
  let broken: unknown = null;
  worker.on("message", (message) => settle?.resolve(message));
  worker.on("error", (error) => {
    broken = error;
    settle?.reject(error);
  });
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      if (broken !== null) reject(broken as Error);
    });
  const ready = next();
  ready.catch(() => undefined);
  return {
    worker,
    ready,
    async ask(task, signal) {
      await ready;
      signal?.throwIfAborted();
      const answer = next();
      worker.postMessage(task);
      return (await unlessAborted(answer, signal)) as Trial;
    },
  };
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
