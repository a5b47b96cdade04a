// What people are told of positions in pools of traders, by numbers worked out by hand.
import { expect } from "chai";
import { poolPosition, type CurveMarket, type RangeMarket } from "../../../keeper/venues/poolPosition";
import { adapters } from "../decide/vaultSnapshot";
import { curveAdapter, uniswapAdapter } from "../risk/pools";

const WAD = 10n ** 18n;
const Q96 = 2n ** 96n;
const USDC = 10n ** 6n;

type UniswapChange = Parameters<typeof uniswapAdapter>[0];

const VAULT = { assetDecimals: 6, accountedAssets: 1_000_000n * USDC };

function range(change: UniswapChange): RangeMarket {
  const market = poolPosition(uniswapAdapter(change), VAULT)?.market;
  if (market?.kind !== "uniswap-v3") throw new Error("it is a range");
  return market;
}

describe("where positions in pools of traders stand", () => {
  it("is told of pools only, and not of one that could not be read", () => {
    for (const adapter of adapters()) expect(poolPosition(adapter, VAULT)).to.equal(undefined);
    expect(poolPosition(curveAdapter({}, { state: null }), VAULT)).to.equal(null);
    expect(poolPosition(uniswapAdapter({}, { state: null }), VAULT)).to.equal(null);
  });

  it("carries both values and whether anything goes in or out", () => {
    const values = { fairValue: 250_000n * USDC, exitValue: 249_900n * USDC };
    for (const steady of [true, false]) {
      for (const adapter of [curveAdapter({ steady }, values), uniswapAdapter({ steady }, values)]) {
        expect(poolPosition(adapter, VAULT)).to.include({
          steady,
          fairValue: "250000000000",
          exitValue: "249900000000",
        });
      }
    }
  });

  it("keeps deposits shut where it is not steady and holds a ten-thousandth of the vault", () => {
    const shuts = (steady: boolean, counted: bigint): boolean | undefined =>
      poolPosition(curveAdapter({ steady }, { counted }), VAULT)?.shutsDeposits;
    expect([shuts(false, 100n * USDC), shuts(false, 100n * USDC - 1n), shuts(true, 900_000n * USDC)]).to.deep.equal([
      ...[true, false, false],
    ]);
  });

  it("says of Curve's pool how much of it is the asset, whatever the coins' decimals", () => {
    const of = curveAdapter({ balances: [1_000_000n * WAD, 3_000_000n * USDC, 6_000_000n * USDC] });
    const market = poolPosition(of, VAULT)?.market as CurveMarket;
    expect(market.assetShare).to.be.closeTo(0.3, 1e-15);
    expect(market.virtualPrice).to.equal(1.03);
    const empty = poolPosition(curveAdapter({ balances: [0n, 0n, 0n] }), VAULT)?.market as CurveMarket;
    expect(empty.assetShare).to.equal(0);
  });

  it("says the paired coin's price in the asset, whichever comes first and whatever their decimals", () => {
    // Half the root: the first coin costs a quarter of the second.
    expect(range({ sqrtPrice: Q96 / 2n }).spot).to.be.closeTo(4, 1e-12);
    expect(range({ sqrtPrice: Q96 / 2n, assetFirst: false }).spot).to.be.closeTo(0.25, 1e-15);
    // DAI, 18 decimals, at two USDC each: 2e6 units for 1e18, either way round.
    const root = BigInt(Math.round(Math.sqrt(5e11) * 2 ** 20)) * 2n ** 76n;
    expect(range({ sqrtPrice: root, pairedDecimals: 18 }).spot).to.be.closeTo(2, 1e-9);
    const mirror = { sqrtPrice: (Q96 * Q96) / root, pairedDecimals: 18, assetFirst: false };
    expect(range(mirror).spot).to.be.closeTo(2, 1e-9);
    expect(range({ meanTick: 100 }).mean).to.be.closeTo(1.0001 ** -100, 1e-12);
    expect(range({ pairedDollars: (99n * WAD) / 100n }).oracle).to.be.closeTo(0.99, 1e-15);
    expect(range({ pairedDollars: 0n }).oracle).to.equal(null);
  });

  it("says the bounds of a range from low to high, and whether the price is in it", () => {
    const held = { held: 10n ** 12n, tickLower: -10, tickUpper: 30 };
    const first = range(held).range;
    expect(first?.low).to.be.closeTo(1.0001 ** -30, 1e-12);
    expect(first?.high).to.be.closeTo(1.0001 ** 10, 1e-12);
    const second = range({ ...held, assetFirst: false }).range;
    expect(second?.low).to.be.closeTo(1.0001 ** -10, 1e-12);
    expect(second?.high).to.be.closeTo(1.0001 ** 30, 1e-12);
    expect(first?.inRange).to.equal(true);
    // At par, ten ticks from one bound and thirty from the other: about three quarters, by the amounts of the white paper.
    const [a, b] = [1.0001 ** -5, 1.0001 ** 15];
    const [amount0, amount1] = [1 - 1 / b, 1 - a];
    expect(first?.pairedShare).to.be.closeTo(amount1 / (amount0 + amount1), 1e-9);
    expect(second?.pairedShare).to.be.closeTo(amount0 / (amount0 + amount1), 1e-9);

    const above = range({ ...held, sqrtPrice: (Q96 * 1_002n) / 1_000n }).range;
    expect(above).to.include({ inRange: false, pairedShare: 1 });
    expect(range({}).range).to.equal(null);
  });
});
