// `npm run prove`: the proofs of test/halmos/, for all numbers: of the contracts' code by halmos (symbolic execution) on what
// forge builds of them, and what follows of that by z3 over whole numbers. Half a minute. halmos, and z3 with it, is installed
// by `.ci/run`, or by `pip install halmos==0.3.3`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

const ROOT = path.join(__dirname, "../..");
const FOLDER = "test/halmos";
const LAWS = `${FOLDER}/share_laws.py`;
const OUT = "out/halmos";
const SOLVER_TIMEOUT_MS = 120_000;

/** The project's own Python environment where there is one, else what is on the path. */
const tool = (name: string, otherwise: string): string => {
  const own = path.join(ROOT, ".venv/bin", name);
  return existsSync(own) ? own : otherwise;
};

const code = spawnSync(
  tool("halmos", "halmos"),
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
if (code.error !== undefined) process.stderr.write("no halmos here: pip install halmos==0.3.3\n");
const laws = spawnSync(tool("python", "python3"), [LAWS], { cwd: ROOT, stdio: "inherit" });
process.exitCode = (code.status ?? 1) || (laws.status ?? 1);
