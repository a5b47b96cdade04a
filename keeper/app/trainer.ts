// The Python that trains (`ml/`), as a process of its own: it gets a data set and a folder, no secret, one thread of low
// priority, and ends with whoever started it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants, setPriority } from "node:os";
import path from "node:path";
import { InputFailure, WorldFailure } from "../config/failure";

const ML = path.join(__dirname, "..", "..", "ml");
/** Where ml/README.md has its Python set up. */
export const TRAINER_PYTHON = path.join(ML, ".venv", "bin", "python");
/** Variables of ours that it needs; keys and addresses of databases are not among them. */
const PASSED_ON = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH"];
/** Of `ml/tillerml/__main__.py`: it said why. */
const REFUSED = 3;
const CHECK_MS = 120_000;
const KILL_MS = 2_000;
/** Characters of what it says that are kept. */
const MOST_SAID = 8_000;
const MOST_MESSAGE = 400;
const REMEDY =
  "Set it up with `python3 -m venv ml/.venv && ml/.venv/bin/pip install -r ml/requirements.txt`, or name another.";

export interface TrainingOptions {
  readonly python: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** A line of what it says. */
  readonly progress?: ((line: string) => void) | undefined;
}

/**
 * Whether that Python can train.
 * @throws InputFailure `REFIT_PYTHON`; the reason of `signal`.
 */
export async function checkTrainer(python: string, signal: AbortSignal): Promise<void> {
  if (python.includes(path.sep) && !existsSync(python)) throw noPython(`there is no ${python}`);
  const { status, last } = await run(["--help"], { python, timeoutMs: CHECK_MS, signal });
  if (status !== 0) throw noPython(`it cannot run the trainer: ${last}`);
}

/**
 * Judges and fits a model of rates on a data set.
 *
 * @param out Folder of the model, named as it is.
 * @throws InputFailure `REFIT_PYTHON`; WorldFailure `REFIT_REFUSED` (too little history, a leak), `REFIT_TIMEOUT`,
 * `REFIT_TRAINER`; the reason of `signal`.
 */
export async function train(dataset: string, out: string, options: TrainingOptions): Promise<void> {
  const { status, last } = await run(["refit", dataset, "--out", out, "--while-stdin"], options);
  if (status === 0) return;
  if (status === REFUSED) {
    throw new WorldFailure("REFIT_REFUSED", last, { remedy: "What is served stays; the next refit tries again." });
  }
  const ended = typeof status === "string" ? `was ended by ${status}` : `ended with status ${status}`;
  throw new WorldFailure("REFIT_TRAINER", `the trainer ${ended}: ${last}`, {
    remedy:
      "Run tiller models refit by hand to see what it says; a process that is killed is often one without memory.",
  });
}

interface Ended {
  /** Or the signal that ended it. */
  readonly status: number | NodeJS.Signals;
  readonly last: string;
}

async function run(args: readonly string[], options: TrainingOptions): Promise<Ended> {
  const { python, timeoutMs, signal, progress } = options;
  signal.throwIfAborted();
  const child = spawn(python, ["-m", "tillerml", ...args], { env: environment(), stdio: ["pipe", "ignore", "pipe"] });
  const late = AbortSignal.timeout(timeoutMs);
  const kill = (): void => {
    child.kill();
    setTimeout(() => child.kill("SIGKILL"), KILL_MS).unref();
  };
  const stop = AbortSignal.any([signal, late]);
  stop.addEventListener("abort", kill);
  if (child.pid !== undefined) lower(child.pid);
  // It ends when this does, and says so by itself.
  child.stdin.on("error", () => undefined);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-MOST_SAID);
    for (const line of text.split("\n")) if (line.trim() !== "") progress?.(line);
  });
  try {
    const ended = await new Promise<Ended>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, by) => resolve({ status: code ?? by ?? "SIGKILL", last: lastLine(said) }));
    });
    signal.throwIfAborted();
    if (late.aborted) {
      throw new WorldFailure("REFIT_TIMEOUT", `training took longer than ${timeoutMs / 60_000} minutes`, {
        field: "forecast.refit.mostMinutes",
        remedy: "Allow it more.",
      });
    }
    return ended;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "EACCES") throw noPython(`${python} cannot be started (${code})`);
    throw error;
  } finally {
    stop.removeEventListener("abort", kill);
  }
}

/** One thread: the keeper's decisions come first. */
function environment(): NodeJS.ProcessEnv {
  const passed = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return {
    ...(Object.fromEntries(passed) as NodeJS.ProcessEnv),
    ...{ PYTHONPATH: ML, PYTHONDONTWRITEBYTECODE: "1", OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  };
}

/** What may not be asked for is done without. */
function lower(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    return;
  }
}

function lastLine(said: string): string {
  return said.trim().split("\n").at(-1)?.trim().slice(0, MOST_MESSAGE) || "it said nothing";
}

function noPython(message: string): InputFailure {
  return new InputFailure("REFIT_PYTHON", message, { field: "forecast.refit.python", remedy: REMEDY });
}
