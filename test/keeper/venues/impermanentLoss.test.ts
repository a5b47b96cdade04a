// By numbers that follow from the formulas alone; test/contracts/adapters/impermanentLoss.test.ts has the pools' own.
import { expect } from "chai";
import { lossIfOthersFall, rangeLoss, stableSwapLoss } from "../../../keeper/venues/impermanentLoss";
import { curveAdapter, uniswapAdapter } from "../risk/pools";
import type { UniswapV3State } from "../../../keeper/venues/uniswapV3";

const WAD = 10n ** 18n;
const MILLION = 1_000_000n;
const pool = (balances: readonly bigint[], amplification: bigint) => ({
  ...{ balances: balances.map((whole) => whole * WAD), scales: [1n, 1n, 1n], amplification },
});

describe("impermanent loss", () => {
  it("of a range that is nearly all prices is 2√k / (1 + k) less than one", () => {
    const wide = uniswapAdapter({ held: 1n, tickLower: -800_000, tickUpper: 800_000 }).state as UniswapV3State;
    for (const k of [0.25, 0.5, 2, 4]) {
      expect(rangeLoss(wide, 1, Math.sqrt(k))).to.be.closeTo(1 - (2 * Math.sqrt(k)) / (1 + k), 1e-12);
    }
    expect(rangeLoss(wide, 1, 1)).to.equal(0);
  });

  it("of a range beyond its end is that of having sold all on the way", () => {
    const range = uniswapAdapter({ held: 1n, tickLower: -100, tickUpper: 100 }).state as UniswapV3State;
    const [end, far] = [1.0001 ** 50, 1.0001 ** 500];
    // √(1·end) for each of the first coin that was there.
    const first = 1 - 1 / end;
    const second = 1 - 1 / end;
    expect(rangeLoss(range, 1, far)).to.be.closeTo(1 - (end - 1 / end) / (first * far * far + second), 1e-12);
  });

  it("of the 3pool is nothing at the prices at which it trades, and the greater the more it is amplified, up to the whole fall", () => {
    expect(stableSwapLoss(pool([MILLION, MILLION, MILLION], 2_000n), [1, 1, 1])).to.be.below(1e-12);
    expect(stableSwapLoss(pool([MILLION, MILLION, MILLION], 2_000n), [7, 7, 7])).to.be.below(1e-12);
    // Lop-sided, and worth as much each: trading it even would have paid.
    expect(stableSwapLoss(pool([2n * MILLION, MILLION, MILLION], 2_000n), [1, 1, 1])).to.be.above(1e-6);
    const loss = (fall: number, amplification: bigint): number =>
      stableSwapLoss(pool([MILLION, MILLION, MILLION], amplification), [1, 1, 1 - fall]);
    // The more amplified, the more of the falling coin the pool is left with.
    const losses = [1n, 20n, 200n, 2_000n].map((amplification) => loss(0.03, amplification));
    expect([...losses].sort((a, b) => a - b)).to.deep.equal(losses);
    // Never more than the fall of what the other two coins were.
    for (const fall of [0.001, 0.01, 0.1, 0.5]) expect(loss(fall, 2_000n)).to.be.within(0, (fall * 2) / (3 - fall));
    expect(loss(0.5, 2_000n)).to.be.above(0.35);
    expect(() => stableSwapLoss(pool([1n, 1n, 1n], 2_000n), [1, 0, 1])).to.throw(RangeError);
    expect(stableSwapLoss(pool([0n, 0n, 0n], 2_000n), [1, 1, 0.9])).to.equal(0);
  });

  it("of an adapter is of its own coins' fall, either way round, and of none that is in no pool", () => {
    const held = { held: 10n ** 12n, tickLower: -50, tickUpper: 50 };
    const first = lossIfOthersFall(uniswapAdapter(held), 0.002) ?? NaN;
    expect(lossIfOthersFall(uniswapAdapter({ ...held, assetFirst: false }), 0.002)).to.be.closeTo(first, 1e-12);
    // Its paired coin is token1, of which there is more the dearer token0 is: the root goes up.
    const state = uniswapAdapter(held).state as UniswapV3State;
    expect(first).to.equal(rangeLoss(state, 1, 1 / Math.sqrt(0.998)));
    expect(first).to.be.above(1e-6);
    expect(lossIfOthersFall(uniswapAdapter({}), 0.01)).to.equal(null);
    const curve = curveAdapter({});
    expect(lossIfOthersFall(curve, 0.02)).to.be.above(lossIfOthersFall(curve, 0.01) ?? NaN);
    expect(lossIfOthersFall({ state: null }, 0.01)).to.equal(null);
  });
});
