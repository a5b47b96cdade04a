// `npm test`: builds, runs every suite (scripts/testSuites.ts) and ends with one line that counts over all of them.
//   npm test                        everything
//   npm test -- --suite keeper      one suite (may be repeated)
//   npm test -- --jobs 1            one suite after the other, as they come; default: two at a time, each shown when it ends
// CI=true: a skip that gives no reason fails.
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { runSuite, type SuiteResult } from "./testRun";
import { assignFiles, BUILDS, SUITES, type Suite } from "./testSuites";

const ROOT = path.join(__dirname, "..");

function fail(line: string, exitCode: number): never {
  console.error(line);
  process.exit(exitCode);
}

interface Chosen {
  readonly suites: readonly string[];
  readonly jobs: number;
}

/** A suite waits as much as it works: two fill two cores. */
const JOBS = Math.min(2, os.availableParallelism());

function chosen(): Chosen {
  const names = SUITES.map((suite) => suite.name);
  try {
    const { values } = parseArgs({
      options: { suite: { type: "string", multiple: true }, jobs: { type: "string", default: String(JOBS) } },
    });
    const unknown = values.suite?.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`no suite is called ${unknown}`);
    const jobs = Number(values.jobs);
    if (!Number.isSafeInteger(jobs) || jobs < 1) throw new Error(`${values.jobs} is no number of jobs`);
    return { suites: values.suite ?? names, jobs };
  } catch (error) {
    return fail(`${(error as Error).message}. Use --suite with one of: ${names.join(", ")}; --jobs with 1, 2, …`, 2);
  }
}

function testFiles(): string[] {
  return readdirSync(path.join(ROOT, "test"), { recursive: true, encoding: "utf8" }).map(
    (file) => `test/${file.split(path.sep).join("/")}`,
  );
}

/** @returns what could not be built. */
function build(): SuiteResult["failed"] {
  return BUILDS.flatMap((script) => {
    const { status } = spawnSync("npm", ["run", "--silent", script], {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
    });
    return status === 0 ? [] : [{ title: `npm run ${script}`, reason: `ended with status ${status}` }];
  });
}

/** The end of the report: what was skipped, what failed, the counts. */
export function summary(results: readonly SuiteResult[]): string {
  const lines: string[] = [""];
  for (const { suite, passed, failed, skipped } of results) {
    lines.push(`${suite.padEnd(20)} ${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  }
  const list = (heading: string, key: "skipped" | "failed"): void => {
    const found = results.flatMap((result) => result[key].map((test) => ({ ...test, suite: result.suite })));
    if (found.length === 0) return;
    lines.push("", heading);
    for (const { suite, title, reason } of found) lines.push(`  ${suite}: ${title}\n      ${reason}`);
  };
  list("Skipped, and why:", "skipped");
  list("Failed:", "failed");
  const total = (count: (result: SuiteResult) => number): number => results.reduce((sum, r) => sum + count(r), 0);
  const [passed, failed, skipped] = [
    total((r) => r.passed),
    total((r) => r.failed.length),
    total((r) => r.skipped.length),
  ];
  return [...lines, "", `${passed} passed, ${failed} failed, ${skipped} skipped`].join("\n");
}

/** Runs one suite with its output held back, and shows it whole. */
async function runHeld(suite: Suite, files: readonly string[], signal: AbortSignal): Promise<SuiteResult> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "tiller-suite-"));
  const file = path.join(folder, "output");
  const output = openSync(file, "w");
  try {
    return await runSuite(suite, files, { root: ROOT, strict: STRICT, signal, output });
  } finally {
    closeSync(output);
    process.stdout.write(`\n=== ${suite.name}\n${readFileSync(file, "utf8")}`);
    rmSync(folder, { recursive: true, force: true });
  }
}

const STRICT = process.env["CI"] === "true";

async function main(): Promise<void> {
  const { suites: names, jobs } = chosen();
  const interrupted = new AbortController();
  const { signal } = interrupted;
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort());

  const results: SuiteResult[] = [];
  const unbuilt = build();
  if (unbuilt.length > 0) results.push({ suite: "build", passed: 0, failed: unbuilt, skipped: [] });

  const { bySuite, unclaimed } = assignFiles(testFiles());
  if (unclaimed.length > 0) {
    const failed = unclaimed.map((title) => ({ title, reason: "no suite of scripts/testSuites.ts runs this file" }));
    results.push({ suite: "suites", passed: 0, failed, skipped: [] });
  }

  const claimed = [...bySuite.values()].flat();
  const wanted = SUITES.filter((suite) => {
    const files = bySuite.get(suite.name) ?? [];
    // A folder in which no suite finds a test is a suite that ran none.
    const empty =
      existsSync(path.join(ROOT, suite.folder)) && !claimed.some((file) => file.startsWith(`${suite.folder}/`));
    return names.includes(suite.name) && (files.length > 0 || (empty && suite.runner !== "pytest"));
  });
  const held = jobs > 1 && wanted.length > 1;
  if (held) console.log(`\n${wanted.length} suites, ${jobs} at a time; each is shown when it ends`);
  const done = new Map<Suite, SuiteResult>();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let suite = wanted[next++]; suite !== undefined && !signal.aborted; suite = wanted[next++]) {
      const files = bySuite.get(suite.name) ?? [];
      if (!held) console.log(`\n=== ${suite.name}`);
      const run = held ? runHeld(suite, files, signal) : runSuite(suite, files, { root: ROOT, strict: STRICT, signal });
      done.set(suite, await run);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  results.push(...wanted.flatMap((suite) => done.get(suite) ?? []));
  if (results.length === 0) {
    results.push({ suite: "suites", passed: 0, failed: [{ title: "all", reason: "no test was found" }], skipped: [] });
  }
  console.log(summary(results));
  process.exitCode = signal.aborted ? 130 : results.some((result) => result.failed.length > 0) ? 1 : 0;
}

if (require.main === module) void main();
