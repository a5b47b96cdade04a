// The 3pool's arithmetic by what it must be whatever the numbers; test/fork/curveRates.test.ts holds it to the genuine one.
import { expect } from "chai";
import {
  assetsFor,
  curveCost,
  curveModel,
  entryLoss,
  exitLoss,
  invariant,
  receiptPrice,
  receiptsFor,
  type Curve3PoolState,
} from "../../../keeper/venues/curve3pool";
import { seeded } from "../../../scripts/bench/randomProblems";

const WAD = 10n ** 18n;
const USDC = 10n ** 6n;
const SCALES = [1n, 10n ** 12n, 10n ** 12n] as const;

function pool(balances: readonly [bigint, bigint, bigint], change: Partial<Curve3PoolState> = {}): Curve3PoolState {
  const units = balances.map((balance, k) => (balance * WAD) / (SCALES[k] ?? 1n));
  return {
    kind: "curve-3pool",
    virtualPrice: WAD,
    receipts: invariant(
      balances.map((balance) => balance * WAD),
      2_000n,
    ),
    held: 0n,
    balances: units,
    scales: [...SCALES],
    amplification: 2_000n,
    fee: 1_000_000n,
    place: 1,
    dollars: [100_000_000n, 100_000_000n, 100_000_000n],
    slippage: WAD / 1_000n,
    steady: true,
    ...change,
  };
}

const EVEN = pool([60_000_000n, 60_000_000n, 60_000_000n]);
/** The sum of both balances of a move is what leaves the pool a little lop-sided. */
const SKEWED = pool([64_080_000n, 64_950_000n, 50_920_000n]);

describe("Curve's 3pool", () => {
  it("has the sum of equal balances as its invariant, and less of unequal ones", () => {
    expect(invariant([WAD, WAD, WAD], 2_000n)).to.equal(3n * WAD);
    expect(invariant([0n, 0n, 0n], 2_000n)).to.equal(0n);
    const skewed = invariant([64n * WAD, 65n * WAD, 51n * WAD], 2_000n);
    expect(skewed < 180n * WAD && skewed > 179_99n * 10n ** 16n).to.equal(true);
    // Without amplification it is the product's: 3 · ∛(1·1·8) = 6 for a constant product.
    const product = invariant([WAD, WAD, 8n * WAD], 1n);
    expect(product > 6n * WAD && product < 10n * WAD).to.equal(true);
  });

  it("charges about half of the fee for a small deposit of one coin, and the same again on the way out", () => {
    const assets = 10_000n * USDC;
    const lost = Number(entryLoss(EVEN, assets)) / Number(assets);
    expect(lost * 1e4).to.be.within(0.49, 0.52);
    expect((Number(exitLoss(EVEN, assets)) / Number(assets)) * 1e4).to.be.within(0.49, 0.52);
  });

  it("never gives back more than was put in, over random pools and amounts", () => {
    const random = seeded(11);
    for (let i = 0; i < 200; i++) {
      const side = (): bigint => BigInt(Math.floor(1e6 * 10 ** (2 * random())));
      const state = pool([side(), side(), side()], { place: Math.floor(random() * 3) });
      const scale = state.scales[state.place] ?? 1n;
      const assets = (BigInt(Math.floor(10 ** (2 + 5 * random()))) * WAD) / scale;
      const receipts = receiptsFor(state, assets);
      const after: Curve3PoolState = {
        ...state,
        balances: state.balances.map((balance, k) => (k === state.place ? balance + assets : balance)),
        receipts: state.receipts + receipts,
      };
      const back = assetsFor(after, receipts);
      // Half of the fee each way at the least, and never more than both fees and the curve.
      expect(back < assets, `${i}: ${back} of ${assets}`).to.equal(true);
    }
  });

  it("asks more of who deposits the coin that there is too much of, and pays who brings what is missing", () => {
    const assets = 1_000_000n * USDC;
    expect(entryLoss(SKEWED, assets) > entryLoss(EVEN, assets)).to.equal(true);
    expect(entryLoss({ ...SKEWED, place: 2 }, assets) < entryLoss(EVEN, assets)).to.equal(true);
    expect(exitLoss({ ...SKEWED, place: 2 }, assets) > exitLoss(EVEN, assets)).to.equal(true);
  });

  it("is worth what its worst coin is worth, and no more than one of the asset", () => {
    const price = (dollars: readonly bigint[]): bigint => receiptPrice({ ...EVEN, virtualPrice: 2n * WAD, dollars });
    expect(price([100n, 100n, 100n])).to.equal(2n * WAD);
    expect(price([99n, 100n, 101n])).to.equal((198n * WAD) / 100n);
    expect(price([101n, 100n, 101n])).to.equal(2n * WAD);
    expect(price([100n, 0n, 100n])).to.equal(0n);
  });

  it("is a model of others' money: fees that we share, at the rate observed", () => {
    const held = { ...EVEN, held: EVEN.receipts / 4n };
    expect(curveModel(held, 6, 0.02)).to.deep.equal({
      ...{ kind: "liquidity", pool: 135_000_000, fees: 2_700_000, apr: 0 },
    });
  });

  it("costs a line and a bend that meet the exact cost of small and large moves", () => {
    const { costBps, impactBpsPerMillion } = curveCost(SKEWED, 6);
    for (const whole of [10_000n, 3_000_000n]) {
      const assets = whole * USDC;
      const bps = costBps + (impactBpsPerMillion * Number(whole)) / 1e6;
      const dearer = Math.max(Number(entryLoss(SKEWED, assets)), Number(exitLoss(SKEWED, assets)));
      expect(bps / ((dearer / Number(assets)) * 1e4), `${whole}`).to.be.within(0.95, 1.1);
    }
    expect(costBps).to.be.within(0.4, 1.5);
  });

  it("refuses no empty pool, which costs and pays nothing", () => {
    const empty = pool([0n, 0n, 0n]);
    expect(curveCost(empty, 6)).to.deep.equal({ costBps: 0, impactBpsPerMillion: 0 });
    expect(curveModel(empty, 6, 0.1)).to.deep.include({ pool: 0, fees: 0 });
  });
});
