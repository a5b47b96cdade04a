// The keeper's models of impermanent loss and of loss to arbitrage against pools on the chain, over random ways of the price: the
// genuine bytecode of Uniswap V3, and the 3pool's model, which is held to the genuine pool to the wei.
import { expect } from "chai";
import { ethers } from "hardhat";
import { stableSwapLoss, rangeLoss } from "../../../keeper/venues/impermanentLoss";
import { arbitrageLoss, LN_TICK, type UniswapV3State } from "../../../keeper/venues/uniswapV3";
import { seeded } from "../../../scripts/bench/randomProblems";
import { nth } from "../bundle";
import { openMarket, UNITS } from "./threePoolMarket";
import { put, withAdapter, type Held, type MarketOptions } from "./uniswapMarket";

const Q96 = 2 ** 96;
const YEAR_SECONDS = 31_536_000;

/** What a model needs to know of a range that is held; the rest means nothing to it. */
function rangeOf(held: Held, range: { readonly lower: bigint; readonly upper: bigint }): UniswapV3State {
  return {
    ...{ kind: "uniswap-v3", sqrtPrice: 2n ** 96n, meanTick: 0, meanTicks: [0, 0], windowSeconds: 1_800 },
    ...{ liquidity: 1n, held: 1n, tickLower: Number(range.lower), tickUpper: Number(range.upper), halfWidth: 0 },
    ...{ feeGrowthAsset: 0n, feeGrowthPaired: 0n, cash: 0n, pairedDecimals: 6, feePips: 100, tickSpacing: 1 },
    ...{ assetFirst: held.options.assetFirst, oracleBound: 60, assetDollars: 1n, pairedDollars: 1n },
    ...{ slippage: 0n, steady: true },
  };
}

/** Coins of a large position of the trader's own, as the pool would pay them now, and the square root of its price. */
async function asked(held: Held, at: { lower: bigint; upper: bigint; liquidity: bigint }) {
  const [amount0, amount1] = await held.trader.burn.staticCall(at.lower, at.upper, at.liquidity);
  const { sqrtPriceX96 } = await held.pool.slot0();
  return { amount0: Number(amount0), amount1: Number(amount1), root: Number(sqrtPriceX96) / Q96 };
}

describe("Impermanent loss: the keeper's model and the pools", () => {
  const markets: readonly (readonly [string, MarketOptions])[] = [
    ["asset first", {}],
    ["paired coin of 18 decimals, asset second", { assetFirst: false, pairedDecimals: 18 }],
  ];
  for (const [name, options] of markets) {
    it(`of a range is what the genuine pool's coins of then and now differ by, in the range and out of it (${name})`, async () => {
      const held = await withAdapter(options);
      await put(held, 1_000n * held.unit);
      // Beside the adapter's range one of the trader's as wide, so large that no coin's last unit matters.
      const { lower, upper } = await held.adapter.position();
      const at = { lower, upper, liquidity: 10n ** 22n };
      await held.trader.mint(held.trader, at.lower, at.upper, at.liquidity);
      const then = await asked(held, at);
      const state = rangeOf(held, at);
      const random = seeded(17);
      let [outside, most] = [0, 0];
      for (let i = 0; i < 60; i += 1) {
        const tick = held.middle + BigInt(Math.round((2 * random() - 1) * 80));
        await held.trader.push((await held.probe.sqrtAt(tick)) + BigInt(i + 1));
        const now = await asked(held, at);
        const price = now.root ** 2;
        const [kept, left] = [then, now].map(({ amount0, amount1 }) => amount0 * price + amount1) as [number, number];
        const loss = 1 - left / kept;
        expect(rangeLoss(state, then.root, now.root), `${tick}`).to.be.closeTo(loss, 1e-11);
        if (tick < lower || tick >= upper) outside += 1;
        most = Math.max(most, loss);
      }
      expect(outside).to.be.within(10, 50);
      expect(most).to.be.above(1e-3);
    });
  }

  it("to arbitrage over a long way of small steps is what the genuine pool's coins lose step by step", async () => {
    const held = await withAdapter();
    await put(held, 1_000n * held.unit);
    const { lower, upper } = await held.adapter.position();
    const at = { lower, upper, liquidity: 10n ** 22n };
    await held.trader.mint(held.trader, at.lower, at.upper, at.liquidity);
    const random = seeded(23);
    let before = await asked(held, at);
    const worth = before.amount0 * before.root ** 2 + before.amount1;
    let [lost, squares] = [0, 0];
    for (let i = 0; i < 200; i += 1) {
      const spot = Number((await held.pool.slot0()).tick - held.middle);
      const step = Math.round((2 * random() - 1) * 6) - Math.round(spot / 5);
      await held.trader.push((await held.probe.sqrtAt(held.middle + BigInt(spot + step))) + BigInt(i + 1));
      const now = await asked(held, at);
      // Against whoever holds the same coins and trades them at each step's new price.
      lost += (before.amount0 - now.amount0) * now.root ** 2 + (before.amount1 - now.amount1);
      squares += (2 * Math.log(now.root / before.root)) ** 2;
      before = now;
    }
    // The same sum of squares over a year, as two means that far apart say it.
    const meanTicks = [Math.sqrt((2 / 3) * squares) / LN_TICK, 0];
    const state: UniswapV3State = { ...rangeOf(held, at), meanTicks, windowSeconds: YEAR_SECONDS };
    const { sqrtPriceX96 } = await held.pool.slot0();
    const said = arbitrageLoss({ ...state, sqrtPrice: sqrtPriceX96 });
    expect(lost / worth).to.be.above(1e-4);
    expect(said / (lost / worth)).to.be.within(0.98, 1.02);
  });

  it("of the 3pool is what its balances of then and now differ by, at the prices at which it trades then", async () => {
    // Without a fee, so that nothing but the loss is in the balances.
    const { pool } = await openMarket(nth(await ethers.getSigners(), 0), { terms: [2_000n, 0n, 0n] });
    const scales = UNITS.map((unit) => 10n ** 18n / unit);
    const read = async (): Promise<bigint[]> => Promise.all([0, 1, 2].map((k) => pool.balances(k)));
    const random = seeded(29);
    const from = await read();
    let most = 0;
    for (let i = 0; i < 40; i += 1) {
      const [into, out] = [Math.floor(random() * 3), 1 + Math.floor(random() * 2)];
      const paid = BigInt(Math.floor(10 ** (6 + 1.6 * random()))) * nth(UNITS, into);
      await pool.exchange(into, (into + out) % 3, paid, 0n);
      const balances = await read();
      // What a hundred-thousandth of a coin's balance fetches in the first one, from either side.
      const prices = await Promise.all(
        balances.map(async (balance, k) => {
          if (k === 0) return 1;
          const part = balance / 100_000n;
          const fetched = await pool.get_dy(k, 0, part);
          const asked = await pool.get_dy(0, k, fetched);
          const whole = (amount: bigint, place: number): number => Number(amount * nth(scales, place)) / 1e18;
          return Math.sqrt((whole(fetched, 0) / whole(part, k)) * (whole(fetched, 0) / whole(asked, k)));
        }),
      );
      const worth = (of: readonly bigint[]): number =>
        of.reduce((sum, balance, k) => sum + (Number(balance * nth(scales, k)) / 1e18) * (prices[k] as number), 0);
      const loss = 1 - worth(balances) / worth(from);
      const said = stableSwapLoss({ balances: from, scales, amplification: await pool.A() }, prices);
      expect(said, `after ${i + 1} trades`).to.be.closeTo(loss, 1e-6 + 1e-3 * loss);
      most = Math.max(most, loss);
    }
    expect(most).to.be.above(1e-3);
  });
});
