// What is odd in files of pools: each flag, and nothing of what is sound.
import { expect } from "chai";
import { flagsOfSwap, reportOfStates, type PoolFlag, type SwapFlag } from "../../../keeper/collect/poolFileReport";
import { POOL_DAY, POOL_STATE } from "../../../keeper/collect/poolFiles";
import type { DescribedPool, PoolStateRow, SampledSwap } from "../../../keeper/store/poolFileRecords";

const HOUR = 3_600;
const DAY = 86_400;
/** Midnight. */
const START = 1_700_006_400;
const ADDRESS = `0x${"1".repeat(40)}`;

const row = (source: string, at: number, state: object): PoolStateRow => ({
  ...{ chainId: 1, source, subject: "a", block: null, observedAt: at, availableAt: at, state: JSON.stringify(state) },
});
const SOUND = { tick: "-1", liquidity: "1000" };
/** Hours, of which each has something else in place. */
const hours = (...states: object[]): PoolStateRow[] =>
  states.map((state, k) => row(POOL_STATE, START + k * HOUR, { ...SOUND, ...state }));
const SOUND_DAY = {
  open: "2",
  high: "2.2",
  low: "1.9",
  close: "2.1",
  token0_price: "2.1",
  tvl_usd: "1e6",
  volume_usd: "5e5",
};
const days = (...states: object[]): PoolStateRow[] =>
  states.map((state, k) => row(POOL_DAY, START + (k + 1) * DAY, { ...SOUND_DAY, ...state }));

describe("the report of a pool's file", () => {
  const cases: [string, PoolStateRow[], Partial<Record<PoolFlag, number>>][] = [
    ["moments that move a little", hours({}, { tick: "99" }, { liquidity: "10000" }), {}],
    ["a moment without liquidity, and one after", hours({}, { liquidity: "0" }, {}), { "no-liquidity": 1 }],
    ["a price that moves by over 1 %", hours({}, { tick: "100" }, { tick: "100" }), { jump: 1 }],
    ["liquidity that grows more than tenfold", hours({}, { liquidity: "10001" }), { jump: 1 }],
    ["a state of six hours", hours({}, {}, {}, {}, {}, {}, {}), {}],
    ["a state of eight hours", hours({}, {}, {}, {}, {}, {}, {}, {}, {}, { tick: "0" }), { unmoved: 2 }],
    ["sound days", days({}, { tvl_usd: "2e6" }), {}],
    ["a day without a trade", days({ volume_usd: "0" }), { "no-trade": 1 }],
    ["a small pool", days({ tvl_usd: "99999" }), { tiny: 1 }],
    ["a pool that is traded eleven times over", days({ volume_usd: "1.1e7" }), { turnover: 1 }],
    ["value that halves", days({}, { tvl_usd: "499999" }), { jump: 1 }],
    ["a price of nothing", days({ open: "0", low: "0" }), { "impossible-price": 1 }],
    ["a close above the day's high", days({ high: "2.05" }), { "impossible-price": 1 }],
    ["a bad tick up, and one down", days({ high: "3e38" }, { low: "0.1" }), { "impossible-price": 2 }],
    ["a close of another moment", days({ token0_price: "2.3" }), { "price-apart": 1 }],
  ];
  for (const [what, rows, flags] of cases) {
    it(`says ${Object.keys(flags).join() || "nothing"} of ${what}`, () => {
      const report = reportOfStates(rows);
      expect(report.flags).to.deep.equal(flags);
      expect(report.flagged).to.equal(Object.values(flags).reduce((sum, count) => sum + count, 0));
    });
  }

  it("has the span, the holes and a value a day: mean liquidity of moments, volume of days", () => {
    const moments = [0, 1, 2, 23, 24].map((hour) =>
      row(POOL_STATE, START + hour * HOUR, { tick: String(hour), liquidity: String(100 + hour) }),
    );
    const ofMoments = reportOfStates(moments);
    expect(ofMoments).to.include({ rows: 5, first: START, last: START + DAY, stepSeconds: HOUR, shows: "liquidity" });
    expect(ofMoments).to.include({ gaps: 1, longestGapSeconds: 21 * HOUR });
    expect(ofMoments.days).to.deep.equal([
      { at: START, value: 106.5, flags: [] },
      { at: START + DAY, value: 124, flags: [] },
    ]);
    const ofDays = reportOfStates(days({}, { volume_usd: "0" }, { volume_usd: "" }));
    expect(ofDays).to.include({ first: START, last: START + 2 * DAY, gaps: 0, shows: "volume-usd" });
    expect(ofDays.days).to.deep.equal([
      { at: START, value: 5e5, flags: [] },
      { at: START + DAY, value: 0, flags: ["no-trade"] },
      { at: START + 2 * DAY, value: null, flags: [] },
    ]);
  });
});

describe("a swap of a file", () => {
  const OF_TICKS: SampledSwap = {
    ...{ chainId: 1, block: 1, txIndex: 0, logIndex: 0, txHash: "0x", observedAt: 0, availableAt: 0, source: "file" },
    ...{ sender: ADDRESS, recipient: null, pool: ADDRESS, protocol: "v3", amount0: "-5", amount1: "7" },
    // Between ticks 256061 and 256062, as a swap of block 14,029,313 left a pool.
    ...{ sqrtPriceX96: "28767776933404916248702295315204096", liquidity: "9", tick: 256_061 },
    ...{ reserve0: null, reserve1: null, gasPriceWei: "1", tipWei: "0" },
  };
  const of = (over: Partial<SampledSwap>): SampledSwap => ({ ...OF_TICKS, ...over });
  const reserves = { protocol: "v2", sqrtPriceX96: null, liquidity: null, tick: null } as const;
  const POOL: DescribedPool = {
    ...{ chainId: 1, pool: ADDRESS, source: "file", protocol: "v3", token0: ADDRESS, token1: ADDRESS, feePips: 500 },
    ...{ tickSpacing: 10, decimals0: 6, decimals1: 18 },
  };
  const cases: [string, SampledSwap, SwapFlag[], DescribedPool?][] = [
    ["one of a pool with ticks", OF_TICKS, []],
    ["one that ends on a tick's own price, from above", of({ sqrtPriceX96: String(2n ** 96n), tick: -1 }), []],
    ["a tick too low", of({ tick: 256_060 }), ["tick-off"]],
    ["a tick too high", of({ tick: 256_062 }), ["tick-off"]],
    ["a bundle's", of({ gasPriceWei: "0" }), ["no-gas-price"]],
    ["one that only gives", of({ amount1: "-7" }), ["one-sided"]],
    ["one that keeps the product", of({ ...reserves, reserve0: "95", reserve1: "107" }), []],
    ["one that takes too much", of({ ...reserves, reserve0: "95", reserve1: "150" }), ["product-fell"]],
    ["one of a pool of unknown coins", OF_TICKS, ["undescribed"], { ...POOL, decimals1: null }],
  ];
  for (const [what, swap, flags, pool] of cases) {
    it(`has ${flags.join() || "no flag"}: ${what}`, () => {
      expect(flagsOfSwap(swap, pool ?? POOL)).to.deep.equal(flags);
    });
  }

  it("is undescribed where no file has its pool", () => {
    expect(flagsOfSwap(OF_TICKS, undefined)).to.deep.equal(["undescribed"]);
  });
});
