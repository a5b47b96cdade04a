// All contracts compiled together, once: what the optimiser makes of one depends on what is compiled with it, and Slither
// reads every build that lies there. A build that is whole is left as it is.
//   node -r tsx/cjs scripts/contracts/compileWhole.ts
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

const ROOT = path.join(__dirname, "../..");
const BUILDS = path.join(ROOT, "artifacts/build-info");

/** @throws Error when the compiler fails. */
export function compileWhole(): void {
  // What is up to date stays; what changed makes a second build beside the first.
  compile([]);
  if (existsSync(BUILDS) && readdirSync(BUILDS).length === 1) return;
  compile(["--force"]);
  // Builds of before lie there still.
  if (readdirSync(BUILDS).length === 1) return;
  hardhat(["clean"]);
  compile([]);
}

function compile(options: readonly string[]): void {
  hardhat(["compile", "--quiet", ...options]);
}

function hardhat(words: readonly string[]): void {
  const run = spawnSync("npx", ["hardhat", ...words], { cwd: ROOT, stdio: "inherit" });
  if (run.status !== 0) throw new Error(`hardhat ${words.join(" ")} failed`);
}

if (require.main === module) compileWhole();
