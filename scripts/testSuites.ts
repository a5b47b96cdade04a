// Every test of the project belongs to exactly one of these suites, by its folder. `npm test` begins them in this order,
// the longest first, each in a process of its own. A folder that does not exist is a suite that this checkout does not have.

/**
 * `hardhat`: mocha inside Hardhat's runtime. `mocha`: plain mocha. Files: every `*.test.ts` below `folder`. `forge`: the
 * fuzzer over every `*.t.sol` there, each invariant one test (`scripts/invariants/run.ts`).
 */
export interface Suite {
  readonly name: string;
  readonly folder: string;
  readonly runner: "hardhat" | "mocha" | "pytest" | "forge";
  /** After so long the suite is stopped and counts as failed. Several times what it takes on two cores. */
  readonly limitMinutes: number;
  /** Of a pytest suite: modules that it needs beside NumPy, SciPy and pytest. */
  readonly modules?: readonly string[];
}

/** Where two folders hold a file, the longer one has it; `test_*.py` files go to the pytest suite of their folder. */
export const SUITES: readonly Suite[] = [
  { name: "keeper", folder: "test/keeper", runner: "mocha", limitMinutes: 28 },
  { name: "contracts", folder: "test/contracts", runner: "hardhat", limitMinutes: 16 },
  { name: "invariants", folder: "test/invariants", runner: "forge", limitMinutes: 16 },
  { name: "e2e", folder: "test/e2e", runner: "mocha", limitMinutes: 18 },
  { name: "tooling", folder: "test/scripts", runner: "mocha", limitMinutes: 8 },
  { name: "deploy", folder: "test/deploy", runner: "mocha", limitMinutes: 14 },
  { name: "localnet", folder: "test/scripts/localnet", runner: "mocha", limitMinutes: 12 },
  { name: "fork-tooling", folder: "test/scripts/fork", runner: "mocha", limitMinutes: 8 },
  { name: "relay", folder: "test/scripts/relay", runner: "mocha", limitMinutes: 8 },
  { name: "fork", folder: "test/fork", runner: "mocha", limitMinutes: 14 },
  { name: "crosscheck", folder: "test/crosscheck", runner: "mocha", limitMinutes: 5 },
  { name: "crosscheck-python", folder: "test/crosscheck", runner: "pytest", limitMinutes: 5 },
  { name: "ml", folder: "test/ml", runner: "pytest", limitMinutes: 5, modules: ["xgboost", "onnx", "onnxruntime"] },
];

/** What the tests use of the build, by the scripts of package.json. */
export const BUILDS = ["build:contracts", "build:page"] as const;

const isMocha = (file: string): boolean => file.endsWith(".test.ts");
const isForge = (file: string): boolean => file.endsWith(".t.sol");
const isPytest = (file: string): boolean => /(^|\/)test_[^/]*\.py$/.test(file);

type Kind = "mocha" | "pytest" | "forge";
const runnerKind = ({ runner }: Suite): Kind => (runner === "hardhat" ? "mocha" : runner);
const kindOf = (file: string): Kind | undefined =>
  isMocha(file) ? "mocha" : isPytest(file) ? "pytest" : isForge(file) ? "forge" : undefined;

/**
 * Deals the files (paths from the root, `/` between folders) out to the suites.
 * @returns files of each suite by its name, and the test files that no suite would run.
 */
export function assignFiles(
  files: readonly string[],
  suites: readonly Suite[] = SUITES,
): { bySuite: Map<string, string[]>; unclaimed: string[] } {
  const bySuite = new Map<string, string[]>(suites.map((suite) => [suite.name, []]));
  const unclaimed: string[] = [];
  for (const file of [...files].sort()) {
    const kind = kindOf(file);
    if (kind === undefined) continue;
    const owner = suites
      .filter((suite) => runnerKind(suite) === kind && file.startsWith(`${suite.folder}/`))
      .sort((a, b) => b.folder.length - a.folder.length)[0];
    if (owner === undefined) unclaimed.push(file);
    else bySuite.get(owner.name)?.push(file);
  }
  return { bySuite, unclaimed };
}
