#!/usr/bin/env node
// What forge calls as its Solidity compiler: the `solc` package of npm, so that nothing is downloaded and the tests are
// compiled by what compiles the contracts. Understands `--version` and `--standard-json`, which is all that forge asks.
"use strict";

const { readFileSync } = require("node:fs");
const solc = require("solc");

if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else if (process.argv.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
} else {
  console.error("Only --version and --standard-json are understood.");
  process.exitCode = 1;
}
