// Runs the contract tests on a folder of artifacts, in a process of its own, until the first one fails.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { filesBelow } from "./sources";

export interface TrialOptions {
  readonly root: string;
  readonly artifacts: string;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

export type Trial =
  | { readonly outcome: "green" }
  | { readonly outcome: "red"; readonly test: string; readonly reason: string }
  | { readonly outcome: "timeout" }
  | { readonly outcome: "interrupted" };

/** Where a file's tests are not in the file of the same name. */
const TESTED_BY: readonly (readonly [RegExp, string])[] = [
  [/^contracts\/libraries\/AaveV3Reserve\.sol$/, "test/contracts/adapters/"],
  [/^contracts\/libraries\/(Authority|VaultState)\.sol$/, "test/contracts/libraries/Settings.test.ts"],
  [/^contracts\/libraries\/BreakerState\.sol$/, "test/contracts/libraries/Breaking.test.ts"],
  [/^contracts\/libraries\/(Accounting|BoundedRead)\.sol$/, "test/contracts/Vault.test.ts"],
  [/^contracts\/libraries\/TrustedRead\.sol$/, "test/contracts/libraries/Rebalancing.test.ts"],
  [/^contracts\/libraries\/RewardRelease\.sol$/, "test/contracts/RewardAuction.test.ts"],
  [/^contracts\/adapters\//, "test/contracts/adapters/"],
  [/^contracts\/breaker\//, "test/contracts/breaker/"],
];

/** All test files of the contracts: those of `mutated` first, then those that take long last. */
export function inOrder(tests: readonly string[], mutated: string): string[] {
  const twin = mutated.replace(/^contracts\//, "test/contracts/").replace(/\.sol$/, ".test.ts");
  const near = TESTED_BY.filter(([pattern]) => pattern.test(mutated)).map(([, prefix]) => prefix);
  const place = (test: string): number => {
    if (test === twin) return 0;
    if (near.some((prefix) => test.startsWith(prefix))) return 1;
    return test.endsWith("/RateBudget.test.ts") ? 3 : 2;
  };
  return [...tests].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

export const contractTests = (root: string): string[] => filesBelow(root, "test/contracts", ".test.ts");

interface Line {
  readonly outcome: string;
  readonly title?: string;
  readonly reason?: string;
}

function linesOf(file: string): Line[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

export async function runTests(tests: readonly string[], options: TrialOptions): Promise<Trial> {
  const { root, artifacts, limitMs, signal } = options;
  if (signal.aborted) return { outcome: "interrupted" };
  const results = `${artifacts}.results`;
  rmSync(results, { force: true });
  const hardhat = path.join(root, "node_modules", "hardhat", "internal", "cli", "bootstrap.js");
  const config = path.join(root, "test", "mutation", "hardhat.config.ts");
  const child = spawn(process.execPath, [hardhat, "--config", config, "test", "--no-compile", "--bail", ...tests], {
    cwd: root,
    env: { ...process.env, TILLER_MUTANT_ARTIFACTS: artifacts, TILLER_TEST_RESULTS: results },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2_000)));
  let late = false;
  const stop = (): void => void child.kill("SIGKILL");
  const timer = setTimeout(() => {
    late = true;
    stop();
  }, limitMs);
  signal.addEventListener("abort", stop, { once: true });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
  if (signal.aborted) return { outcome: "interrupted" };
  if (late) return { outcome: "timeout" };
  const lines = linesOf(results);
  const failed = lines.find(({ outcome }) => outcome === "failed");
  if (failed !== undefined) return { outcome: "red", test: failed.title ?? "", reason: failed.reason ?? "" };
  const ended = lines.some(({ outcome }) => outcome === "end") && lines.some(({ outcome }) => outcome === "passed");
  if (status === 0 && ended) return { outcome: "green" };
  return { outcome: "red", test: "the tests did not run", reason: complaint.trim() || `status ${status}` };
}
