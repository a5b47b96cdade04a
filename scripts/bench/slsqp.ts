// SciPy's SLSQP on allocation problems, where a Python with SciPy is there.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import type { AllocationProblem } from "../../keeper/allocate/problem";

const ROOT = path.join(__dirname, "../..");

export interface SlsqpRun {
  readonly ok: true;
  readonly version: string;
  /** Of each problem. */
  readonly seconds: readonly number[];
  /** Best objective of each problem; null where only one start was timed. */
  readonly values: readonly (number | null)[];
}

/**
 * Problems must be smooth: neither gas nor proportional costs.
 * @param starts 0: one start from equal weights, for its time; else so many, on all cores, with progress on stderr.
 */
export function slsqp(
  problems: readonly AllocationProblem[],
  starts = 0,
): SlsqpRun | { readonly ok: false; readonly why: string } {
  const own = path.join(ROOT, ".venv/bin/python");
  const python = process.env["PYTHON"] ?? (existsSync(own) ? own : "python3");
  const script = path.join(ROOT, "test/crosscheck/slsqp.py");
  const run = spawnSync(python, [script, ...(starts === 0 ? ["--time"] : ["--starts", String(starts)])], {
    ...{ input: JSON.stringify(problems), encoding: "utf8", maxBuffer: 2 ** 28 },
    stdio: ["pipe", "pipe", starts === 0 ? "ignore" : "inherit"],
  });
  if (run.error !== undefined) return { ok: false, why: `${python} is not there` };
  if (run.status !== 0) return { ok: false, why: `${python} has no numpy and scipy (.ci/requirements.txt)` };
  return { ok: true, ...(JSON.parse(run.stdout) as Omit<SlsqpRun, "ok">) };
}
