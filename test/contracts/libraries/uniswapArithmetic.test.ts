// Our arithmetic of ticks and ranges against the genuine pool's, to the unit.
import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { generator } from "../bundle";
import { deployMarket, deployPool } from "../adapters/uniswapMarket";

const MAX_TICK = 887_272n;

/** Each power of two and its neighbours, both ends, and random ones. */
function ticksToAsk(): bigint[] {
  const random = generator(7n);
  const near = [0n, MAX_TICK - 1n];
  for (let power = 1n; power <= MAX_TICK; power *= 2n) near.push(power - 1n, power, power + 1n);
  for (let i = 0; i < 300; i++) near.push(random(MAX_TICK));
  return [...new Set(near.flatMap((tick) => [tick, -tick]))];
}

describe("TickPrice", () => {
  it("gives the least price at which a genuine pool is at the tick", async () => {
    const { probe, address } = await loadFixture(deployPool);
    const ticks = ticksToAsk().filter((tick) => tick > -MAX_TICK);
    for (let i = 0; i < ticks.length; i += 100) {
      const some = ticks.slice(i, i + 100);
      expect(await probe.poolsTicks.staticCall(address, some, 0n)).to.deep.equal(some);
      // One unit less is the tick below: nothing but the pool's own number passes both.
      expect(await probe.poolsTicks.staticCall(address, some, -1n)).to.deep.equal(some.map((tick) => tick - 1n));
    }
    expect(await probe.sqrtAt(0n)).to.equal(2n ** 96n);
  });

  it("ends where the pool's prices end", async () => {
    const { probe, address } = await loadFixture(deployPool);
    expect(await probe.bounds()).to.deep.equal([MAX_TICK, await probe.sqrtAt(-MAX_TICK), await probe.sqrtAt(MAX_TICK)]);
    expect(await probe.poolsTicks.staticCall(address, [-MAX_TICK], 0n)).to.deep.equal([-MAX_TICK]);
    expect(await probe.poolsTicks.staticCall(address, [MAX_TICK], -1n)).to.deep.equal([MAX_TICK - 1n]);
    for (const [tick, offset] of [
      [-MAX_TICK, -1n],
      [MAX_TICK, 0n],
    ] as const) {
      await expect(probe.poolsTicks.staticCall(address, [tick], offset)).to.be.revertedWithCustomError(
        probe,
        "PriceRefused",
      );
    }
  });

  it("knows no tick beyond", async () => {
    const { probe } = await loadFixture(deployPool);
    for (const tick of [MAX_TICK + 1n, -MAX_TICK - 1n, -(2n ** 23n)]) {
      await expect(probe.sqrtAt(tick)).to.be.revertedWithCustomError(probe, "TickOutOfRange").withArgs(tick);
    }
  });
});

describe("RangeAmounts", () => {
  it("gives what a genuine pool pays for liquidity, and no more liquidity than it gives for the amounts", async () => {
    const { probe, trader, pool } = await loadFixture(deployMarket);
    const random = generator(11n);
    for (let i = 0; i < 150; i++) {
      // At times of a range, of an edge, or anywhere.
      const [lower, width] = [random(4_000n) - 2_000n, 1n + random(random(2n) === 0n ? 10n : 3_000n)];
      const upper = lower + width;
      const price = [
        await probe.sqrtAt(lower),
        await probe.sqrtAt(upper),
        (await probe.sqrtAt(lower)) + random(2n ** 90n),
      ];
      await trader.push(price[Number(random(3n))] ?? 0n);
      const spot = (await pool.slot0()).sqrtPriceX96;
      const [paid0, paid1] = [random(10n ** (1n + random(12n))), random(10n ** (1n + random(12n)))];
      const liquidity = await probe.liquidityFor(paid0, paid1, lower, upper, spot);
      if (liquidity === 0n) continue;
      const cost = await trader.mint.staticCall(trader, lower, upper, liquidity);
      expect(cost[0]).to.be.at.most(paid0);
      expect(cost[1]).to.be.at.most(paid1);
      // The least bit more would cost too much of one of them.
      const more = await trader.mint.staticCall(trader, lower, upper, liquidity + 2n);
      expect(more[0] > paid0 || more[1] > paid1).to.equal(true);
      await trader.mint(trader, lower, upper, liquidity);
      const back = await trader.burn.staticCall(lower, upper, liquidity);
      expect(await probe.amounts(liquidity, lower, upper, spot)).to.deep.equal([back[0], back[1]]);
      await trader.burn(lower, upper, liquidity);
    }
  });
});
