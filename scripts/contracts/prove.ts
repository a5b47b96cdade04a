// `npm run prove`: the steps of the proof of test/halmos/, for all numbers, by halmos (symbolic execution and z3), on what
// forge builds of them. Seconds. halmos is installed by `.ci/run`, or by `pip install halmos==0.3.3`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

const ROOT = path.join(__dirname, "../..");
const FOLDER = "test/halmos";
const OUT = "out/halmos";
const SOLVER_TIMEOUT_MS = 120_000;

const own = path.join(ROOT, ".venv/bin/halmos");
const run = spawnSync(
  existsSync(own) ? own : "halmos",
  ["--forge-build-out", OUT, "--solver-timeout-assertion", `${SOLVER_TIMEOUT_MS}`],
  {
    cwd: ROOT,
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: `${path.join(ROOT, "node_modules/.bin")}${path.delimiter}${process.env["PATH"] ?? ""}`,
      // Only what is proven is compiled, apart from what the fuzzer runs.
      ...Object.fromEntries(["SRC", "TEST", "SCRIPT"].map((key) => [`FOUNDRY_${key}`, FOLDER])),
      FOUNDRY_OUT: OUT,
      FOUNDRY_CACHE_PATH: "cache_forge/halmos",
    },
  },
);
if (run.error !== undefined) process.stderr.write("no halmos here: pip install halmos==0.3.3\n");
process.exitCode = run.status ?? 1;
