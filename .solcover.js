// `npm run coverage`: the contracts' own unit tests over contracts/, without what has no code of its own.
//
// Studies are left out, by their titles: tests that ask how much comes of many attacks, trades or states, and run no line
// that the tests of single behaviours do not run. Instrumented, each step of the EVM is a call of JavaScript; they alone
// would take longer than all the rest.
const STUDIES = [
  // Attacks.test.ts, liquidityAttacks.test.ts: whole vaults, days of plans and pushes.
  "^Attacks",
  // erc4626Properties.test.ts: each property in each state.
  "^ERC-4626 properties",
  // RateBudget.test.ts: hundreds of random plans against each window.
  "^RateBudget (no window exceeds the turnover limit, over|a keeper who wants to lose money)",
  // uniswapArithmetic.test.ts: a thousand ticks and random ranges against the genuine pool.
  "^TickPrice gives the least price",
  "^RangeAmounts gives what a genuine pool pays",
  // curve3Pool.test.ts: trades of every size before each move; random states of the pool.
  "^Curve3PoolAdapter: floors bound the loss of moves between",
  "^Curve3PoolAdapter: floors let out and in what",
  // uniswapV3.test.ts, uniswapV3Attacks.test.ts: a thousand random trades; pushes through thousands of ticks; random dust.
  "^UniswapV3Adapter: the pool's own accounting over a thousand",
  "^UniswapV3Adapter: who may be believed no push in one transaction",
  "^UniswapV3Adapter: what strangers give no dust",
];

const HALF_AN_HOUR = 1_800_000;

module.exports = {
  skipFiles: ["interfaces"],
  istanbulReporter: ["text", "json"],
  // What is left is slow as well, and a test that was given up would go on beside the next one.
  onCompileComplete: ({ mocha }) =>
    Object.assign(mocha, { timeout: HALF_AN_HOUR, grep: new RegExp(STUDIES.join("|")), invert: true }),
};
