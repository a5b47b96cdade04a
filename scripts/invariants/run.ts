// Runs the Solidity invariants of test/invariants with Foundry's fuzzer and says what was called how often.
//   npm run test:invariants                   the depth of CI
//   npm run test:invariants:long              more than a million calls
//   … -- --runs 100 --depth 200 --seed 0x5 --match gain --threads 1
// Forge begins every invariant of a contract with the same random numbers, so that all of them would see the same calls.
// Here they are dealt out to groups, a process and a seed each; since every invariant asserts all laws, each call of each
// group counts for all of them.
import { createHash } from "node:crypto";
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { parseReport, type Outcome } from "./report";

const ROOT = path.join(__dirname, "..", "..");
const FORGE = path.join(ROOT, "node_modules", ".bin", "forge");
const FOLDER = "test/invariants";

/** In each invariant and vault; a group's seed makes what its invariants see. */
const DEPTHS = { short: { runs: 2, depth: 64, groups: 6 }, long: { runs: 27, depth: 256, groups: 38 } } as const;

interface Options {
  readonly runs: number;
  readonly depth: number;
  readonly groups: number;
  readonly seed: string;
  readonly threads: number;
  readonly match: RegExp;
}

function options(): Options {
  const { values } = parseArgs({
    options: {
      long: { type: "boolean", default: false },
      runs: { type: "string" },
      depth: { type: "string" },
      seed: { type: "string" },
      threads: { type: "string" },
      match: { type: "string", default: "" },
    },
  });
  const depths = values.long ? DEPTHS.long : DEPTHS.short;
  return {
    runs: Number(values.runs ?? depths.runs),
    depth: Number(values.depth ?? depths.depth),
    groups: depths.groups,
    seed: values.seed ?? seedOfConfiguration(),
    threads: Number(values.threads ?? Math.min(2, os.availableParallelism())),
    match: new RegExp(values.match),
  };
}

function seedOfConfiguration(): string {
  const seed = /^seed = "(0x[0-9a-f]+)"$/m.exec(readFileSync(path.join(ROOT, "foundry.toml"), "utf8"))?.[1];
  if (seed === undefined) throw new Error("foundry.toml names no seed under [fuzz]");
  return seed;
}

function forgeOf(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(FORGE, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`forge ${args.join(" ")} ended with status ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** Names of all tests, those that every contract has once. */
function testNames(): string[] {
  const list = JSON.parse(forgeOf(["test", "--list", "--json"])) as Record<string, Record<string, string[]>>;
  const names = Object.entries(list)
    .filter(([file]) => file.startsWith(`${FOLDER}/`))
    .flatMap(([, contracts]) => Object.values(contracts).flat());
  return [...new Set(names)].sort();
}

/** A group's tests in every contract that has them. */
async function campaign(
  names: readonly string[],
  { runs, depth, seed }: Options,
  failures: string,
): Promise<Outcome[]> {
  const own = `0x${createHash("sha256")
    .update(`${seed} ${names.join(" ")}`)
    .digest("hex")}`;
  const args = ["test", "--json", "--threads", "1", "--match-test", `^(${names.join("|")})\\b`, "--fuzz-seed", own];
  const child = spawn(FORGE, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      FOUNDRY_INVARIANT_RUNS: String(runs),
      FOUNDRY_INVARIANT_DEPTH: String(depth),
      FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR: path.join(failures, names[0] ?? ""),
    },
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (err += chunk));
  await new Promise<void>((resolve) => child.on("close", () => resolve()));
  const outcomes = parseReport(out);
  const silent = names.filter((name) => !outcomes.some((outcome) => outcome.name === name));
  return [
    ...outcomes,
    ...silent.map((name) => ({ name, contract: "-", failure: `forge said nothing of it: ${err}`, calls: [] })),
  ];
}

function print(outcomes: readonly Outcome[]): void {
  const laws = new Table({ head: ["invariant", "vaults", "runs", "calls", "reverts", ""] });
  const total = { runs: 0, calls: 0, reverts: 0 };
  for (const name of [...new Set(outcomes.map((outcome) => outcome.name))]) {
    const of = outcomes.filter((outcome) => outcome.name === name);
    const sum = { runs: 0, calls: 0, reverts: 0 };
    for (const { counts } of of) {
      sum.runs += counts?.runs ?? 0;
      sum.calls += counts?.calls ?? 0;
      sum.reverts += counts?.reverts ?? 0;
    }
    total.runs += sum.runs;
    total.calls += sum.calls;
    total.reverts += sum.reverts;
    const verdict = of.every(({ failure }) => failure === undefined) ? "holds" : "BROKEN";
    laws.push([name, of.length, sum.runs, sum.calls, sum.reverts, verdict]);
  }
  laws.push(["all", "", total.runs, total.calls, total.reverts, ""]);
  console.log(laws.toString());

  const handlers = new Map<string, { calls: number; reverts: number }>();
  for (const { handler, calls, reverts } of outcomes.flatMap((outcome) => outcome.calls)) {
    const sum = handlers.get(handler) ?? { calls: 0, reverts: 0 };
    handlers.set(handler, { calls: sum.calls + calls, reverts: sum.reverts + reverts });
  }
  const table = new Table({ head: ["handler", "calls", "reverts"] });
  for (const [handler, { calls, reverts }] of [...handlers].sort()) table.push([handler, calls, reverts]);
  console.log(table.toString());
}

/** Counts for `npm test`, as the reporters of the other runners: an invariant is one test, over all vaults. */
function note(name: string, outcomes: readonly Outcome[]): void {
  const file = process.env["TILLER_TEST_RESULTS"];
  if (file === undefined) return;
  const failed = outcomes.find(({ failure }) => failure !== undefined);
  const line = failed
    ? { outcome: "failed", title: name, reason: `${failed.contract}: ${(failed.failure ?? "").split("\n", 1)[0]}` }
    : { outcome: "passed", title: name };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

function groupsOf(names: readonly string[], count: number): string[][] {
  const groups: string[][] = Array.from({ length: Math.min(count, names.length) }, () => []);
  names.forEach((name, i) => groups[i % groups.length]?.push(name));
  return groups;
}

async function main(): Promise<void> {
  const chosen = options();
  forgeOf(["build", "--quiet"]);
  const names = testNames().filter((name) => chosen.match.test(name));
  const failures = mkdtempSync(path.join(os.tmpdir(), "tiller-invariants-"));
  const outcomes: Outcome[] = [];
  const waiting = groupsOf(names, chosen.groups);
  const worker = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      const all = await campaign(group, chosen, failures);
      outcomes.push(...all);
      for (const name of group) {
        const found = all.filter((outcome) => outcome.name === name);
        note(name, found);
        const calls = found.reduce((sum, { counts }) => sum + (counts?.calls ?? 0), 0);
        const verdict = found.every(({ failure }) => failure === undefined) ? "holds" : "BROKEN";
        console.log(`${verdict.padEnd(6)} ${name}${calls > 0 ? ` (${calls} calls)` : ""}`);
        for (const { contract, failure } of found) {
          if (failure !== undefined) console.log(`       of ${contract}: ${failure.replaceAll("\n", "\n         ")}`);
        }
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: chosen.threads }, worker));
  } finally {
    rmSync(failures, { recursive: true, force: true });
  }
  outcomes.sort((a, b) => a.name.localeCompare(b.name));
  print(outcomes);
  const file = process.env["TILLER_TEST_RESULTS"];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ outcome: "end" })}\n`);
  process.exitCode = outcomes.length > 0 && outcomes.every(({ failure }) => failure === undefined) ? 0 : 1;
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
