// Which part of the project may import which: the one list behind the lint rule `tiller/layers`.

/** Rooms of keeper/, top first. A room imports itself and rooms below it. */
export const KEEPER_ROOMS = [
  "cli",
  "serve",
  "app",
  "execute",
  "backtest",
  "decide",
  "allocate",
  "risk",
  "forecast",
  "mev",
  "arbitrage",
  "collect",
  "venues",
  "chain",
  "store",
  "events",
  "config",
];

/** Top folders of TypeScript that each top folder may import besides itself. `test` may import everything. */
export const FOLDERS = {
  keeper: ["typechain-types"],
  deploy: ["keeper", "typechain-types"],
  scripts: ["deploy", "keeper", "typechain-types"],
  "hardhat.config.ts": ["deploy"],
};

/** Benches measure on the problems that the tests prove on; nothing else outside test/ may import it. */
export const MAY_IMPORT_TESTS = ["scripts/bench"];

/** Contracts of these folders exist for tests and the local chain; their generated types too. */
export const TEST_CONTRACT_FOLDERS = ["test/models", "test/contracts"];

/** Outside test/, only what builds the local chain and gives money out on it may use them. */
export const MAY_USE_TEST_CONTRACTS = ["scripts/localnet", "scripts/start"];

/** File names that say nothing of what is inside. */
export const DRAWERS = ["utils", "util", "helpers", "helper", "types", "common", "misc"];
