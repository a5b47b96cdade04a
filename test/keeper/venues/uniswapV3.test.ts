// Numbers by hand from the white paper's formulas; the snapshot of the real lens has the genuine pool's.
import { expect } from "chai";
import {
  arbitrageLoss,
  feeApr,
  feeIndex,
  pairedPart,
  uniswapCost,
  uniswapModel,
  valueOfLiquidity,
  variance,
  withoutUs,
  type UniswapV3State,
} from "../../../keeper/venues/uniswapV3";

const Q96 = 2n ** 96n;
const Q128 = 2n ** 128n;
const YEAR = 31_536_000;
const USDC = 10n ** 6n;
const TICK = Math.log(1.0001);

/** Both coins of 6 decimals at a price of one, a range of 10 ticks to either side. */
function state(change: Partial<UniswapV3State> = {}): UniswapV3State {
  return {
    kind: "uniswap-v3",
    sqrtPrice: Q96,
    meanTick: 0,
    meanTicks: [0, 0, 0, 0, 0, 0, 0, 0],
    windowSeconds: 1_800,
    liquidity: 10n ** 15n,
    held: 0n,
    tickLower: 0,
    tickUpper: 0,
    halfWidth: 10,
    feeGrowthAsset: 0n,
    feeGrowthPaired: 0n,
    cash: 20_000_000n * USDC,
    pairedDecimals: 6,
    feePips: 100,
    assetFirst: true,
    tickSpacing: 1,
    oracleBound: 60,
    assetDollars: 10n ** 18n,
    pairedDollars: 10n ** 18n,
    slippage: 10n ** 15n,
    steady: true,
    ...change,
  };
}

/** Square root of a price that many ticks away, times 2^96. */
const rootAt = (ticks: number): bigint => BigInt(Math.round(Math.exp((ticks * TICK) / 2) * 2 ** 52)) * 2n ** 44n;

/** Of a unit of liquidity in [−10, 10] at a price of one: 2 · (1 − 1.0001^−5) of either coin together. */
const UNIT_VALUE = 2 * (1 - Math.exp(-5 * TICK));

describe("a range of Uniswap V3", () => {
  it("is worth what its liquidity holds of both coins", () => {
    expect(valueOfLiquidity(state())).to.be.closeTo(UNIT_VALUE, 1e-12);
    expect(valueOfLiquidity(state({ assetFirst: false }))).to.be.closeTo(UNIT_VALUE, 1e-12);
    expect(pairedPart(state())).to.be.closeTo(0.5, 1e-9);
    // At the upper end all of it is token1, at the lower end token0.
    const up = { sqrtPrice: rootAt(10), tickLower: -10, tickUpper: 10 };
    expect(pairedPart(state({ ...up, assetFirst: true }))).to.be.closeTo(1, 1e-9);
    expect(pairedPart(state({ ...up, assetFirst: false }))).to.be.closeTo(0, 1e-9);
  });

  it("counts the fees of both coins at par, whatever their decimals", () => {
    const both = { feeGrowthAsset: 5n * Q128, feeGrowthPaired: 7n * Q128 };
    expect(feeIndex(state(both), 6)).to.equal(12n * Q128 + 1n);
    expect(feeIndex(state(), 6)).to.equal(1n);
    expect(feeIndex(state({ ...both, feeGrowthPaired: 7n * 10n ** 12n * Q128, pairedDecimals: 18 }), 6)).to.equal(
      12n * Q128 + 1n,
    );
  });

  it("earns what a unit of liquidity was paid, of what it is worth, a year", () => {
    const before = { at: 0, index: 0n };
    // A thousandth of the position's worth in a day.
    const paid = BigInt(Math.round(UNIT_VALUE * 1e-3 * 2 ** 52)) * 2n ** 76n;
    expect(feeApr(state(), before, { at: 86_400, index: paid })).to.be.closeTo(0.365, 1e-9);
    expect(feeApr(state(), before, { at: 0, index: paid })).to.equal(null);
    expect(feeApr(state(), { at: 0, index: 1n }, { at: 12, index: 0n })).to.equal(null);
    const outside = { tickLower: 100, tickUpper: 120 };
    expect(feeApr(state(outside), before, { at: 86_400, index: paid })).to.equal(0);
  });

  it("would have earned more for others without us: by our part of the liquidity", () => {
    const ours = { held: 25n * 10n ** 13n, tickLower: -10, tickUpper: 10 };
    expect(withoutUs(state(ours), 0.03)).to.be.closeTo(0.04, 1e-15);
    expect(withoutUs(state({ ...ours, tickLower: 100, tickUpper: 120 }), 0.03)).to.equal(0.03);
    expect(withoutUs(state(), 0.03)).to.equal(0.03);
  });

  it("loses to arbitrage by the variance of the price: σ²/4 · √p of a unit of liquidity", () => {
    // One tick up and down by turns: the mean square step is one tick's, of means 2/3 of σ²·window.
    const moving = state({ meanTicks: [1, 0, 1, 0, 1, 0, 1, 0], meanTick: 1 });
    const sigma2 = ((TICK * TICK) / (2 / 3)) * (YEAR / 1_800);
    expect(variance(moving)).to.be.closeTo(sigma2, 1e-12);
    expect(arbitrageLoss({ ...moving, meanTick: 0 })).to.be.closeTo(sigma2 / 4 / UNIT_VALUE, 1e-9);
    expect(arbitrageLoss(state())).to.equal(0);
    expect(arbitrageLoss({ ...moving, tickLower: 100, tickUpper: 120 })).to.equal(0);
  });

  it("takes spot's way from the mean where the pool remembers no more than one window", () => {
    const short = state({ meanTicks: [], meanTick: -3 });
    expect(variance(short)).to.be.closeTo(3 * 9 * TICK * TICK * (YEAR / 1_800), 1e-9);
  });

  it("agrees on the loss with a random walk that is arbitraged at every step", () => {
    // A position that is rebalanced against a price that moves by ±1/4 tick a minute: what it loses against holding
    // its amounts, step by step, is the loss versus rebalancing.
    const [low, high] = [Math.exp(-5 * TICK), Math.exp(5 * TICK)];
    const worth = (root: number): { x: number; y: number } => ({ x: 1 / root - 1 / high, y: root - low });
    const delta = TICK / 4;
    let lost = 0;
    for (const way of [1, -1]) {
      const [from, to] = [1, Math.exp((way * delta) / 2)];
      const [a, b] = [worth(from), worth(to)];
      lost += (a.x * to * to + a.y - (b.x * to * to + b.y)) / 2;
    }
    const perYear = (lost / UNIT_VALUE) * (YEAR / 60);
    const sigma2 = delta * delta * (YEAR / 60);
    expect(perYear).to.be.closeTo(sigma2 / 4 / UNIT_VALUE, perYear * 1e-3);
  });

  it("is a model of others' liquidity as if all of it lay in our range", () => {
    const ours = state({ held: 25n * 10n ** 13n, tickLower: -10, tickUpper: 10 });
    const { kind, pool, fees, apr } = uniswapModel(ours, 6, 0.04);
    expect([kind, apr]).to.deep.equal(["liquidity", 0]);
    expect(pool).to.be.closeTo(750_000_000 * UNIT_VALUE, 1);
    expect(fees).to.be.closeTo(0.04 * pool, 1e-6);
    const moving = uniswapModel({ ...ours, meanTicks: [1, 0, 1, 0] }, 6, 0.04);
    expect(moving.apr).to.be.closeTo(-arbitrageLoss({ ...ours, meanTicks: [1, 0, 1, 0] }), 1e-15);
    expect(moving.fees / moving.pool + moving.apr).to.be.closeTo(0.04, 1e-12);
  });

  it("costs the pool's fee on the half that is traded, and the way that the trade pushes the price", () => {
    const { costBps, impactBpsPerMillion } = uniswapCost(state(), 6);
    // 0.01 % of a half; q²/L with q half a million and L 1e9 whole coins: 250 USDC of a million.
    expect(costBps).to.be.closeTo(0.5, 1e-6);
    expect(impactBpsPerMillion).to.be.closeTo(2.5, 1e-6);
    expect(uniswapCost(state({ assetFirst: false }), 6).impactBpsPerMillion).to.be.closeTo(2.5, 1e-6);
    expect(uniswapCost(state({ liquidity: 0n }), 6).impactBpsPerMillion).to.equal(0);
  });
});
