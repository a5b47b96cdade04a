// `npm test`: builds, runs every suite (scripts/testSuites.ts) and ends with one line that counts over all of them.
//   npm test                        everything
//   npm test -- --suite keeper      one suite (may be repeated)
// CI=true: a skip that gives no reason fails.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { runSuite, type SuiteResult } from "./testRun";
import { assignFiles, BUILDS, SUITES } from "./testSuites";

const ROOT = path.join(__dirname, "..");

function fail(line: string, exitCode: number): never {
  console.error(line);
  process.exit(exitCode);
}

function chosenSuites(): readonly string[] {
  const names = SUITES.map((suite) => suite.name);
  try {
    const { values } = parseArgs({ options: { suite: { type: "string", multiple: true } } });
    const unknown = values.suite?.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`no suite is called ${unknown}`);
    return values.suite ?? names;
  } catch (error) {
    return fail(`${(error as Error).message}. Use --suite with one of: ${names.join(", ")}`, 2);
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

async function main(): Promise<void> {
  const chosen = chosenSuites();
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());

  const results: SuiteResult[] = [];
  const unbuilt = build();
  if (unbuilt.length > 0) results.push({ suite: "build", passed: 0, failed: unbuilt, skipped: [] });

  const { bySuite, unclaimed } = assignFiles(testFiles());
  if (unclaimed.length > 0) {
    const failed = unclaimed.map((title) => ({ title, reason: "no suite of scripts/testSuites.ts runs this file" }));
    results.push({ suite: "suites", passed: 0, failed, skipped: [] });
  }

  const claimed = [...bySuite.values()].flat();
  for (const suite of SUITES) {
    const files = bySuite.get(suite.name) ?? [];
    // A folder in which no suite finds a test is a suite that ran none.
    const empty =
      existsSync(path.join(ROOT, suite.folder)) && !claimed.some((file) => file.startsWith(`${suite.folder}/`));
    const present = files.length > 0 || (empty && suite.runner !== "pytest");
    if (!chosen.includes(suite.name) || !present || interrupted.signal.aborted) continue;
    console.log(`\n=== ${suite.name}`);
    const strict = process.env["CI"] === "true";
    results.push(await runSuite(suite, files, { root: ROOT, strict, signal: interrupted.signal }));
  }
  if (results.length === 0) {
    results.push({ suite: "suites", passed: 0, failed: [{ title: "all", reason: "no test was found" }], skipped: [] });
  }
  console.log(summary(results));
  process.exitCode = interrupted.signal.aborted ? 130 : results.some((result) => result.failed.length > 0) ? 1 : 0;
}

if (require.main === module) void main();
