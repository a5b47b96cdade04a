// `npm run coverage`: solidity-coverage over the contracts' unit tests, and then every statement and branch of contracts/
// that they do not run, by line; fails where there is one that contracts/README.md (Coverage) does not name.
// `.solcover.js` says which tests are left out, and why.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.join(__dirname, "../..");
// A bar in a table is written with a backslash.
const README = readFileSync(path.join(ROOT, "contracts/README.md"), "utf8").replaceAll("\\|", "|");

interface FileCoverage {
  readonly s: Readonly<Record<string, number>>;
  readonly statementMap: Readonly<Record<string, { readonly start: { readonly line: number } }>>;
  readonly b: Readonly<Record<string, readonly number[]>>;
  readonly branchMap: Readonly<Record<string, { readonly line: number }>>;
}

/** Lines that hold something that did not run. */
function linesOf(coverage: FileCoverage): number[] {
  const statements = Object.entries(coverage.s)
    .filter(([, times]) => times === 0)
    .map(([key]) => coverage.statementMap[key]?.start.line);
  const branches = Object.entries(coverage.b)
    .filter(([, times]) => times.includes(0))
    .map(([key]) => coverage.branchMap[key]?.line);
  return [...new Set([...statements, ...branches])].filter((line) => line !== undefined).sort((a, b) => a - b);
}

function main(): void {
  const run = spawnSync("npx", ["hardhat", "coverage", "--testfiles", "test/contracts/**/*.test.ts"], {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, SOLIDITY_COVERAGE: "true" },
  });
  process.exitCode = run.status ?? 1;
  const all = JSON.parse(readFileSync(path.join(ROOT, "coverage.json"), "utf8")) as Record<string, FileCoverage>;
  for (const [file, coverage] of Object.entries(all)) {
    const source = readFileSync(file, "utf8").split("\n");
    for (const line of linesOf(coverage)) {
      const text = (source[line - 1] ?? "").trim();
      const named = README.includes(`\`${text}\``);
      if (!named) process.exitCode = 1;
      process.stdout.write(`${named ? "named   " : "not run "} ${path.relative(ROOT, file)}:${line}  ${text}\n`);
    }
  }
}

main();
