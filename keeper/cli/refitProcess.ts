// A refit as a process of its own, `tiller models refit --if-due --json`: the keeper's loop does not wait for it, its priority is
// below the keeper's, and it ends with the keeper, however that ends.
import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import type { RefitReport, StartRefit } from "../app/refitSchedule";

/** Less than a keeper takes to shut down: what is left of it by then is killed, and the next process begins it anew. */
const STOP_MS = 1_200;

/**
 * @param configFile As the keeper was given it; null: none was.
 * @param script Of `tiller`. Default: this process's own.
 */
export function refitProcess(configFile: string | null, script = process.argv[1] ?? ""): StartRefit {
  const config = configFile === null ? [] : ["--config", configFile];
  const words = [...process.execArgv, script, "models", "refit", "--if-due", "--json", ...config];
  return async (chainId, signal) => {
    const child = spawn(process.execPath, [...words, "--chain", String(chainId)], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    let [out, err] = ["", ""];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (err += text));
    const stop = (): void => {
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), STOP_MS).unref();
    };
    signal.addEventListener("abort", stop);
    try {
      if (child.pid !== undefined) lower(child.pid);
      const code = await new Promise<number | null>((resolve, reject) => {
        child.on("error", reject);
        child.on("close", resolve);
      });
      return code === 0 ? doneOf(out) : failedOf(err, code);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };
}

function doneOf(out: string): RefitReport {
  const { model, hash, servedHorizonsHours } = JSON.parse(out) as {
    model: string | null;
    hash: string;
    servedHorizonsHours: number[];
  };
  if (model === null) return { kind: "failed", code: "REFIT_RUNNING", message: "another process refitted meanwhile" };
  return { kind: "done", model, hash, horizonsHours: servedHorizonsHours };
}

function failedOf(err: string, code: number | null): RefitReport {
  const last = err.trim().split("\n").at(-1) ?? "";
  try {
    const { error } = JSON.parse(last) as { error: { code: string; message: string; remedy: string } };
    return { kind: "failed", code: error.code, message: `${error.message} ${error.remedy}` };
  } catch {
    return { kind: "failed", code: "REFIT_PROCESS", message: `its process ended with ${code ?? "a signal"}` };
  }
}

function lower(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    return;
  }
}
