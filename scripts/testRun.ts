// Runs one test suite in a process of its own and says what came of it. Knows no suite by name.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Suite } from "./testSuites";

export interface SuiteResult {
  readonly suite: string;
  readonly passed: number;
  readonly failed: readonly { readonly title: string; readonly reason: string }[];
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
}

export interface RunOptions {
  readonly root: string;
  /** A skip without a reason fails. */
  readonly strict: boolean;
  /** How long a process may stay after its last test before that counts as a failure. Default 20 s. */
  readonly lingerMs?: number;
  readonly limitMs?: number;
  /** Default: the terminal. A number: an open file. */
  readonly output?: "inherit" | "ignore" | number;
  readonly signal?: AbortSignal;
}

interface Line {
  readonly outcome: "passed" | "failed" | "skipped" | "end";
  readonly title: string;
  readonly reason: string;
}

const LINGER_MS = 20_000;
const POLL_MS = 250;
/** What `scripts/testReporter.cjs` says of a pending test that nobody explained. */
const NO_REASON = "no reason given";
const RAN_NONE = "ran no test";

/** The Python of the checkout's own environment, as `.ci/run` makes it; else the machine's. */
export function pythonOf(root: string): string {
  const own = path.join(root, ".venv", "bin", "python");
  return existsSync(own) ? own : "python3";
}

function commandOf(suite: Suite, files: readonly string[], root: string): readonly string[] {
  switch (suite.runner) {
    case "hardhat":
      return [process.execPath, "node_modules/hardhat/internal/cli/bootstrap.js", "test", "--no-compile", ...files];
    case "mocha":
      return [process.execPath, "node_modules/mocha/bin/mocha.js", "--reporter", "scripts/testReporter.cjs", ...files];
    case "forge":
      // It finds the files by itself: what forge compiles is a project.
      return [process.execPath, "-r", "tsx/cjs", "scripts/invariants/run.ts"];
    case "pytest":
      return [pythonOf(root), "-m", "pytest", "-q", "-p", "pytestReporter", "-p", "no:cacheprovider", ...files];
  }
}

function readLines(file: string): Line[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}

/**
 * Runs `files` as one suite. Never throws for what tests do: a crash, a time-out, a process that does not end after
 * its last test and a suite without any test each count as one failure.
 */
export async function runSuite(suite: Suite, files: readonly string[], options: RunOptions): Promise<SuiteResult> {
  const { root, strict } = options;
  // Without a file mocha would look for tests by itself, and find those of other suites.
  if (files.length === 0) {
    return { suite: suite.name, passed: 0, failed: [{ title: "the suite", reason: RAN_NONE }], skipped: [] };
  }
  if (suite.runner === "pytest") {
    const modules = ["numpy", "scipy", "pytest", ...(suite.modules ?? [])];
    const probe = spawnSync(pythonOf(root), ["-c", `import ${modules.join(", ")}`], { cwd: root });
    if (probe.status !== 0) {
      const reason = `no Python with ${modules.join(", ")} here: .ci/run makes one in .venv`;
      return { suite: suite.name, passed: 0, failed: [], skipped: files.map((title) => ({ title, reason })) };
    }
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), "tiller-test-"));
  const results = path.join(folder, "results.jsonl");
  try {
    const ending = await runProcess(commandOf(suite, files, root), results, {
      ...options,
      limitMs: options.limitMs ?? suite.limitMinutes * 60_000,
    });
    return judge(suite.name, readLines(results), ending, strict);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Ending =
  | { readonly kind: "exited"; readonly status: number | null; readonly by: string | null }
  | { readonly kind: "stopped"; readonly why: string };

async function runProcess(command: readonly string[], results: string, options: RunOptions): Promise<Ending> {
  const { root, signal } = options;
  const [program, ...args] = command;
  const child = spawn(program as string, args, {
    cwd: root,
    // A group of its own: what a suite leaves running ends with it.
    detached: true,
    stdio: ["ignore", options.output ?? "inherit", options.output ?? "inherit"],
    env: {
      ...process.env,
      TILLER_TEST_RESULTS: results,
      TILLER_PYTHON: pythonOf(root),
      PYTHONPATH: path.join(root, "scripts"),
      PYTHONDONTWRITEBYTECODE: "1",
    },
  });
  const pid = child.pid;
  let stopped: string | undefined;
  const stop = (why: string): void => {
    stopped ??= why;
    if (pid !== undefined) endGroup(pid);
  };
  const started = Date.now();
  let endedAt: number | undefined;
  const watch = setInterval(() => {
    if (endedAt === undefined && readLines(results).some((line) => line.outcome === "end")) endedAt = Date.now();
    if (endedAt !== undefined && Date.now() - endedAt > (options.lingerMs ?? LINGER_MS)) {
      stop("the process did not end after its last test: something was left open");
    } else if (Date.now() - started > (options.limitMs ?? Infinity)) {
      stop(`stopped after ${Math.round((Date.now() - started) / 1000)} s, its limit`);
    }
  }, POLL_MS);
  const abort = (): void => stop("interrupted");
  signal?.addEventListener("abort", abort);
  try {
    return await new Promise<Ending>((resolve) => {
      child.on("error", (error) => resolve({ kind: "stopped", why: `could not start ${program}: ${error.message}` }));
      child.on("exit", (status, by) =>
        resolve(stopped === undefined ? { kind: "exited", status, by } : { kind: "stopped", why: stopped }),
      );
    });
  } finally {
    clearInterval(watch);
    signal?.removeEventListener("abort", abort);
    if (pid !== undefined) endGroup(pid);
  }
}

function judge(suite: string, lines: readonly Line[], ending: Ending, strict: boolean): SuiteResult {
  const of = (outcome: Line["outcome"]): Line[] => lines.filter((line) => line.outcome === outcome);
  const failed = of("failed").map(({ title, reason }) => ({ title, reason }));
  const skipped: Line[] = [];
  for (const line of of("skipped")) {
    if (strict && line.reason === NO_REASON) failed.push({ title: line.title, reason: "skipped without a reason" });
    else skipped.push(line);
  }
  const passed = of("passed").length;
  const complete = of("end").length > 0;
  if (ending.kind === "stopped") failed.push({ title: "the suite", reason: ending.why });
  else if (!complete || (ending.status !== 0 && of("failed").length === 0)) {
    const how = ending.by === null ? `status ${ending.status}` : `signal ${ending.by}`;
    failed.push({ title: "the suite", reason: `ended with ${how}${complete ? "" : " before its last test"}` });
  } else if (passed + failed.length + skipped.length === 0) {
    failed.push({ title: "the suite", reason: RAN_NONE });
  }
  return { suite, passed, failed, skipped: skipped.map(({ title, reason }) => ({ title, reason })) };
}
