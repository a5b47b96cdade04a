// What entries and exits of a range bring, by what must hold whatever the numbers; minimum.test.ts has the genuine pool's.
import { expect } from "chai";
import type { AdapterSnapshot } from "../../../keeper/chain/snapshot";
import { uniswapCost, type UniswapV3State } from "../../../keeper/venues/uniswapV3";
import { entryValue, exitPaid } from "../../../keeper/venues/uniswapMoves";
import { seeded } from "../../../scripts/bench/randomProblems";

const Q96 = 2n ** 96n;
const WAD = 10n ** 18n;
const TICK = Math.log(1.0001);
const MILLION = 1e12;

const rootAt = (ticks: number): bigint => BigInt(Math.round(Math.exp((ticks * TICK) / 2) * 2 ** 52)) * 2n ** 44n;

function state(change: Partial<UniswapV3State> = {}): UniswapV3State {
  return {
    ...{ kind: "uniswap-v3", sqrtPrice: Q96, meanTick: 0, meanTicks: [], windowSeconds: 1_800 },
    ...{ liquidity: 10n ** 17n, held: 0n, tickLower: 0, tickUpper: 0, halfWidth: 10, tickSpacing: 1 },
    ...{ feeGrowthAsset: 0n, feeGrowthPaired: 0n, cash: 0n, pairedDecimals: 6, feePips: 100, assetFirst: true },
    ...{ oracleBound: 60, assetDollars: WAD, pairedDollars: WAD, slippage: WAD / 1_000n, steady: true },
    ...change,
  };
}

/** The same pool with its coins in the other order. */
function mirrored(of: UniswapV3State): UniswapV3State {
  return {
    ...of,
    assetFirst: !of.assetFirst,
    sqrtPrice: (Q96 * Q96) / of.sqrtPrice,
    ...{ meanTick: -of.meanTick, tickLower: -of.tickUpper, tickUpper: -of.tickLower },
  };
}

const adapter = (fairValue: bigint, exitValue = fairValue): AdapterSnapshot =>
  ({ fairValue, exitValue, counted: fairValue }) as AdapterSnapshot;

const entered = (of: UniswapV3State, assets = MILLION): number => entryValue(of, assets, 6) ?? NaN;
const lostBps = (of: UniswapV3State, assets = MILLION): number => (1 - entered(of, assets) / assets) * 1e4;

describe("moves of a range of Uniswap V3", () => {
  it("bring the same whichever coin comes first", () => {
    const random = seeded(9);
    for (let i = 0; i < 200; i++) {
      const at = (most: number): number => Math.round((2 * random() - 1) * most);
      const ticks = at(8);
      const of = state({
        ...{
          sqrtPrice: rootAt(ticks + random() * 0.9),
          meanTick: ticks,
          liquidity: BigInt(Math.round(1e15 + 1e17 * random())),
        },
        ...{ held: 10n ** 14n, tickLower: -12, tickUpper: 9 },
        ...{ assetDollars: WAD + BigInt(at(1e15)), pairedDollars: WAD + BigInt(at(1e15)) },
      });
      const assets = 1e9 + 3e12 * random();
      expect(entered(of, assets) / entered(mirrored(of), assets)).to.be.closeTo(1, 1e-9);
      const whole = adapter(10n ** 12n, 999n * 10n ** 9n);
      const [paid, other] = [of, mirrored(of)].map((one) => exitPaid(whole, one, 0.7) ?? NaN);
      expect((paid ?? 0) / (other ?? 1)).to.be.closeTo(1, 1e-9);
    }
  });

  it("lose the pool's fee on the traded half, and twice what their own way costs", () => {
    const deep = state({ liquidity: 10n ** 24n });
    expect(lostBps(deep)).to.be.closeTo(0.5, 0.001);
    const own = uniswapCost(state(), 6);
    expect(lostBps(state()) - lostBps(deep)).to.be.closeTo(2 * own.impactBpsPerMillion, 0.02 * own.impactBpsPerMillion);
    const paid = (of: UniswapV3State): number => exitPaid(adapter(10n ** 12n), of, 1) ?? NaN;
    const way = ((paid(deep) - paid(state())) / MILLION) * 1e4;
    expect(way).to.be.closeTo(2 * own.impactBpsPerMillion, 0.02 * own.impactBpsPerMillion);
    // Its own liquidity does not stand in the way of what leaves with it.
    const half = state({ ...{ liquidity: 2n * 10n ** 17n, held: 10n ** 17n }, ...{ tickLower: -10, tickUpper: 10 } });
    expect(paid(half)).to.be.closeTo(paid(state({ tickLower: -10, tickUpper: 10 })), 1);
  });

  it("are valued at the feeds' price, or at the mean's where the paired coin is worth less by that, up to the bound", () => {
    const deep = { liquidity: 10n ** 24n };
    const cheaper = (bps: number): bigint => WAD - (WAD * BigInt(bps)) / 10_000n;
    const par = lostBps(state(deep));
    // Half of it is in the paired coin, and that coin's fall turns more of the range into it.
    expect(lostBps(state({ ...deep, pairedDollars: cheaper(2) })) - par).to.be.within(1, 1.2);
    expect(lostBps(state({ ...deep, assetDollars: cheaper(-2) })) - par).to.be.within(1, 1.2);
    // Dearer by the feeds than by the mean: the mean counts, at which it is entered.
    expect(lostBps(state({ ...deep, pairedDollars: cheaper(-3) }))).to.be.closeTo(par, 0.01);
    // A mean that says less than the feeds counts, and no further than the bound.
    const low = { ...deep, tickLower: -10, tickUpper: 10 };
    const by = (meanTick: number, oracleBound = 60): number => lostBps(state({ ...low, meanTick, oracleBound })) - par;
    // Where the asset is token0, a cheaper paired coin is a higher tick.
    expect(by(2)).to.be.within(1, 1.2);
    expect(by(-2)).to.be.closeTo(0, 0.01);
    expect(by(4, 2)).to.be.closeTo(by(2), 0.01);
  });

  it("go into the range that the adapter would choose: around the tick of the spacing that is nearest to the mean", () => {
    const on = (change: Partial<UniswapV3State>): number => lostBps(state({ liquidity: 10n ** 20n, ...change }));
    const wide = { halfWidth: 20, tickSpacing: 10, sqrtPrice: rootAt(0) };
    for (const [meanTick, middle] of [
      [4, 0],
      [5, 10],
      [-5, 0],
      [-6, -10],
    ] as const) {
      const chosen = on({ ...wide, meanTick });
      expect(chosen, `${meanTick}`).to.equal(on({ ...wide, meanTick, tickLower: middle - 20, tickUpper: middle + 20 }));
    }
  });

  it("are not foretold without a feed's answer or others' liquidity", () => {
    for (const change of [{ assetDollars: 0n }, { pairedDollars: 0n }, { liquidity: 0n }]) {
      expect(entryValue(state(change), MILLION, 6)).to.equal(null);
    }
    const alone = state({ ...{ liquidity: 10n ** 17n, held: 10n ** 17n }, ...{ tickLower: -10, tickUpper: 10 } });
    expect(exitPaid(adapter(10n ** 12n), alone, 1)).to.equal(null);
    expect(exitPaid(adapter(10n ** 12n), alone, 0.5)).to.not.equal(null);
    // Out of its range it is not in the way, and all of it is one coin.
    const out = { ...alone, sqrtPrice: rootAt(-11) };
    expect(exitPaid(adapter(10n ** 12n, 9n * 10n ** 11n), out, 1)).to.equal(9e11);
  });
});
