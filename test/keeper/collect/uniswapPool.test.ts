import { expect } from "chai";
import { AbiCoder, getAddress } from "ethers";
import type { LocatingStep } from "../../../keeper/collect/locate";
import type { BlockMoment, ChainCollector } from "../../../keeper/collect/reading";
import { locateUniswapPool } from "../../../keeper/collect/uniswapPool";

const at: BlockMoment = { chainId: 1, number: 7, hash: `0x${"ab".repeat(32)}`, timestamp: 1_750_000_000 };
const coder = AbiCoder.defaultAbiCoder();
const encoded = (types: readonly string[], values: readonly unknown[]): string => coder.encode(types, values);
const [TOKEN0, TOKEN1] = ["a0", "a1"].map((digits) => getAddress(`0x${digits.repeat(20)}`));

/** v3-core, TickMath.sol: the price at a tick is 1.0001^tick, its root times 2^96. */
const sqrtPriceAt = (tick: number): bigint => BigInt(Math.round(Math.sqrt(1.0001 ** tick) * 2 ** 48)) << 48n;

const pool = ((): ChainCollector => {
  const tokens = locateUniswapPool({ subject: "pool", pool: `0x${"b0".repeat(20)}` });
  const constants = [["address"], ["address"], ["uint24"], ["int24"]].map((types, place) =>
    encoded(types, [[TOKEN0, TOKEN1, 500, 10][place]]),
  );
  const decimals = tokens.next(constants) as LocatingStep;
  return decimals.next([6, 18].map((value) => encoded(["uint8"], [value]))) as ChainCollector;
})();

interface Given {
  readonly sqrtPrice?: bigint;
  readonly tick?: number;
  readonly feeGrowth?: bigint;
  /** Sums of the tick then and now, or the whole answer. */
  readonly observed?: readonly [bigint, bigint] | string | null;
}

function read({ sqrtPrice, tick = 100, feeGrowth = 1n, observed = null }: Given) {
  const price = sqrtPrice ?? sqrtPriceAt(tick) + (1n << 60n);
  const slot0 = ["uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool"];
  const uint = (value: bigint): string => encoded(["uint256"], [value]);
  return pool.decode(
    [
      encoded(slot0, [price, tick, 3, 10, 20, 0x54, true]),
      uint(77n),
      uint(feeGrowth),
      uint(2n),
      uint(3n),
      uint(4n),
      Array.isArray(observed) ? encoded(["int56[]", "uint160[]"], [observed, [1n, 2n]]) : (observed as string | null),
    ],
    at,
  );
}

describe("the state of a Uniswap V3 pool", () => {
  it("keeps every digit, also of fees that have grown over 2^128", () => {
    const { state, rates } = read({ feeGrowth: 2n ** 256n - 1n });
    expect(state).to.deep.include({
      ...{ tokens: [TOKEN0, TOKEN1], decimals: [6, 18], feePips: 500, tickSpacing: 10, tick: 100, observations: 10 },
      ...{ feeGrowthGlobal0X128: String(2n ** 256n - 1n), balances: ["3", "4"], liquidity: "77", feeProtocol: 0x54 },
    });
    expect(rates).to.equal(null);
  });

  it("has the mean tick over half an hour, rounded down, where the pool remembers so long", () => {
    const mean = (then: bigint, now: bigint) => read({ observed: [then, now] }).state["meanTick"];
    expect(mean(0n, 1_800n * 7n)).to.equal(7);
    expect(mean(0n, 1_800n * 7n - 1n)).to.equal(6);
    expect(mean(5n, 5n - 1_800n * 7n)).to.equal(-7);
    expect(mean(5n, 4n - 1_800n * 7n)).to.equal(-8);
    expect(read({ observed: null }).state["meanTick"]).to.equal(null);
  });

  it("takes no other shape for the mean", () => {
    const one = encoded(["int56[]", "uint160[]"], [[5n], [1n, 2n]]);
    const swapped = encoded(["uint160[]", "int56[]", "uint256"], [[1n, 2n, 3n], [5n, 6n], 7n]);
    for (const observed of [one, swapped, [0n, 1_800n * 900_000n] as const]) {
      expect(() => read({ observed }))
        .to.throw(/observe/)
        .with.property("code", "SOURCE_GARBAGE");
    }
  });

  it("takes the price of a swap that ended on a tick from above, one tick below", () => {
    // Rounded up, as the pool's own table is.
    expect(read({ sqrtPrice: sqrtPriceAt(101) + (1n << 48n), tick: 100 }).state["tick"]).to.equal(100);
    expect(read({ sqrtPrice: sqrtPriceAt(-300_000), tick: -300_001 }).state["tick"]).to.equal(-300_001);
  });

  const never: [string, Given][] = [
    ["of a pool that nobody initialised", { sqrtPrice: 0n, tick: 0 }],
    ["another tick's", { sqrtPrice: sqrtPriceAt(102), tick: 100 }],
    ["the tick's above", { sqrtPrice: sqrtPriceAt(99), tick: 100 }],
    ["beyond the last tick", { sqrtPrice: 2n ** 160n - 1n, tick: 887_272 }],
    ["below the first tick", { sqrtPrice: 4_295_128_738n, tick: -887_272 }],
  ];
  for (const [what, given] of never) {
    it(`has no price that is ${what}`, () => {
      expect(() => read(given))
        .to.throw(/the price/)
        .with.property("code", "SOURCE_GARBAGE");
    });
  }
});
