// Hardhat compiles, tests, forks and deploys. The compiler is the `solc` package of npm: nothing is downloaded.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { subtask, type HardhatUserConfig } from "hardhat/config";
import {
  TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD,
  TASK_COMPILE_SOLIDITY_GET_SOURCE_PATHS,
  TASK_COMPILE_SOLIDITY_LOG_COMPILATION_ERRORS,
} from "hardhat/builtin-tasks/task-names";
import "@nomicfoundation/hardhat-ethers";
import "@nomicfoundation/hardhat-chai-matchers";
import "@typechain/hardhat";
import "hardhat-gas-reporter";
import "solidity-coverage";
import { LOCAL_MNEMONIC } from "./deploy/networks/localAccounts";

const SOLC_VERSION = "0.8.28";

/** Contracts that only tests and the local chain deploy live outside `contracts/`. */
const EXTRA_SOURCES = ["test/models", "test/contracts/hostile"];

subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async (args: { solcVersion: string }, _hre, runSuper) => {
  if (args.solcVersion !== SOLC_VERSION) return runSuper();
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- solc is CommonJS without types
  const compiler = require("solc") as { version(): string };
  return {
    compilerPath: require.resolve("solc/soljson.js"),
    isSolcJs: true,
    version: SOLC_VERSION,
    longVersion: compiler.version(),
  };
});

/** "Transient storage … is used": about OpenZeppelin's reentrancy guard, which is what it is for. */
const EXPECTED_WARNINGS = ["2394"];

interface SolcOutput {
  readonly errors?: readonly { readonly errorCode?: string }[];
}

subtask(
  TASK_COMPILE_SOLIDITY_LOG_COMPILATION_ERRORS,
  (args: { output: SolcOutput; quiet: boolean }, _hre, runSuper) => {
    const errors = (args.output.errors ?? []).filter(({ errorCode }) => !EXPECTED_WARNINGS.includes(errorCode ?? ""));
    return runSuper({ ...args, output: { ...args.output, errors } });
  },
);

subtask(TASK_COMPILE_SOLIDITY_GET_SOURCE_PATHS, async (_args, hre, runSuper) => {
  const own = (await runSuper()) as string[];
  const extra = EXTRA_SOURCES.map((folder) => path.join(hre.config.paths.root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".sol"))
        .map((file) => path.join(folder, file)),
    );
  return [...own, ...extra];
});

const forkUrl = process.env["TILLER_FORK_URL"];
// Without a number Hardhat forks some blocks below the head, which a recorded state does not have.
const forkBlock = process.env["TILLER_FORK_BLOCK"];
const chainId = Number(process.env["TILLER_FORK_CHAIN_ID"] ?? (forkUrl ? 1 : 31337));

const TRANSACTION_GAS_LIMIT = 2 ** 24;

const config: HardhatUserConfig = {
  solidity: {
    version: SOLC_VERSION,
    settings: {
      evmVersion: "cancun",
      // Instrumented for coverage, the contracts compile by the older pipeline only.
      viaIR: process.env["SOLIDITY_COVERAGE"] === undefined,
      optimizer: { enabled: true, runs: 200 },
      // For `npm run layout:check`; Hardhat adds what it needs itself.
      outputSelection: { "*": { "*": ["storageLayout"] } },
    },
  },
  networks: {
    hardhat: {
      chainId,
      accounts: { mnemonic: LOCAL_MNEMONIC, count: 12 },
      ...(forkUrl ? { forking: { url: forkUrl, ...(forkBlock ? { blockNumber: Number(forkBlock) } : {}) } } : {}),
      // EDR estimates gas by halving between what was used and the block's limit, and fails where that is over the
      // limit of a transaction (EIP-7825): so the two are the same where anybody's wallet may estimate.
      ...(forkUrl ? { blockGasLimit: TRANSACTION_GAS_LIMIT } : {}),
      // A relay makes the blocks of a fork that a keeper runs on; unit tests mine by themselves.
      ...(process.env["TILLER_RELAY_MINES"]
        ? { mining: { auto: false, interval: 0, mempool: { order: "fifo" } } }
        : {}),
    },
  },
  typechain: { outDir: "typechain-types", target: "ethers-v6" },
  gasReporter: { enabled: process.env["REPORT_GAS"] !== undefined, offline: true },
  // `npm test` counts over all suites by the lines that this reporter writes.
  mocha: {
    timeout: 120_000,
    reporter: process.env["TILLER_TEST_RESULTS"] ? path.join(__dirname, "scripts", "testReporter.cjs") : "spec",
  },
};

export default config;
