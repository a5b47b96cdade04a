// The Uniswap V3 adapter in a genuine pool: what it promises to the vault, the pool's own accounting to the unit, and the
// ways of the pool that it must cope with.
import {
  impersonateAccount,
  loadFixture,
  setBalance,
  takeSnapshot,
  time,
} from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { GAS, generator } from "../bundle";
import { ALL, MAX, WAD, deploySystem, deposit, rebalance } from "../deployment";
import {
  BLOCK,
  CARDINALITY,
  HEARTBEAT,
  PAR,
  Q96,
  WINDOW,
  age,
  deployAdapter,
  deployMarket,
  meanTick,
  priceAway,
  put,
  sorted,
  squareRoot,
  toAssets,
  withAdapter,
  type Held,
  type MarketOptions,
} from "./uniswapMarket";

const WHOLE = 1_000_000n;

/** Either order of the coins, decimals either way, another tier of fees, and a coin that answers nothing. */
const MARKETS: readonly (readonly [string, MarketOptions])[] = [
  ["asset first", {}],
  ["asset second", { assetFirst: false }],
  ["paired coin of 18 decimals, asset second", { assetFirst: false, pairedDecimals: 18 }],
  ["paired coin of 18 decimals, asset first, fee of 0.05 %", { pairedDecimals: 18, feePips: 500n, spacing: 10n }],
  ["asset of 18 decimals, paired coin like Tether's", { assetDecimals: 18, tether: true }],
];

const asUsual = () => withAdapter();

async function entered(): Promise<Held> {
  const held = await withAdapter();
  await put(held, WHOLE * held.unit);
  return held;
}

/** Entered, and traded through: fees are owed and spot is not where it was. */
async function traded(): Promise<Held> {
  const held = await entered();
  await trade(held, 3n, 30);
  return held;
}

/** Seeded random trades, some of which leave the range, a block apart. */
async function trade(held: Held, seed: bigint, times: number, each?: (i: number) => Promise<void>) {
  const random = generator(seed);
  for (let i = 0; i < times; i++) {
    const spot = (await held.pool.slot0()).tick;
    // Pulled back to the middle, or it would walk off.
    const step = random(61n) - 30n;
    const target = held.middle + ((spot - held.middle) * 3n) / 4n + (step === 0n ? 31n : step) * held.options.spacing;
    await time.setNextBlockTimestamp((await time.latest()) + BLOCK);
    // Inside of the tick, so that no two in a row are the same price.
    await held.trader.push((await held.probe.sqrtAt(target)) + BigInt(i + 1), GAS);
    await each?.(i);
  }
}

async function asAdapter(held: Held) {
  await impersonateAccount(held.address);
  await setBalance(held.address, 10n ** 18n);
  return held.whole.connect(await ethers.getSigner(held.address)) as typeof held.whole;
}

const balances = async (held: Held, who: string): Promise<[bigint, bigint]> => [
  await held.asset.balanceOf(who),
  await held.paired.balanceOf(who),
];

const near = (value: bigint, share: bigint) => [value - value / share, value + value / share] as const;

describe("UniswapV3Adapter: what every adapter promises", () => {
  it("says what it is", async () => {
    const held = await loadFixture(asUsual);
    const { adapter, asset, paired, vault } = held;
    expect(await adapter.kind()).to.equal(ethers.encodeBytes32String("uniswap-v3"));
    expect(await adapter.exact()).to.equal(false);
    expect(await adapter.vault()).to.equal(vault.address);
    expect(await adapter.asset()).to.equal(await asset.getAddress());
    expect(await adapter.venue()).to.equal(held.poolAddress);
    expect(await adapter.receipt()).to.equal(await paired.getAddress());
    expect(await adapter.halfWidth()).to.equal(50n);
    expect(await adapter.window()).to.equal(WINDOW);
    expect(await adapter.slippage()).to.equal(5n * 10n ** 15n);
    expect([await adapter.spotBound(), await adapter.oracleBound()]).to.deep.equal([10n, 50n]);
    expect(await adapter.assetFeed()).to.equal(await held.assetFeed.getAddress());
    expect(await adapter.pairedFeed()).to.equal(await held.pairedFeed.getAddress());
    expect([await adapter.assetHeartbeat(), await adapter.pairedHeartbeat()]).to.deep.equal([HEARTBEAT, HEARTBEAT]);
  });

  it("takes orders from its vault only", async () => {
    const { adapter, stranger } = await loadFixture(entered);
    const as = adapter.connect(stranger);
    for (const call of [
      () => as.deposit(0n, "0x"),
      () => as.withdraw(0n, "0x"),
      () => as.redeemInKind(1n, 1n, stranger.address),
    ]) {
      await expect(call()).to.be.revertedWithCustomError(adapter, "NotVault").withArgs(stranger.address);
    }
  });

  for (const [name, options] of MARKETS) {
    it(`enters, leaves in part and whole, and leaves nothing behind (${name})`, async () => {
      const held = await withAdapter(options);
      const { adapter, asset, paired, vault, unit } = held;
      const start = await asset.balanceOf(vault.address);
      const fee = (WHOLE * unit * held.options.feePips) / 2n / 10n ** 6n;
      await put(held, WHOLE * unit);
      // Half is traded, at the pool's fee and its own effect on the price.
      const value = await adapter.fairValue();
      const given = start - (await asset.balanceOf(vault.address));
      expect(given).to.be.greaterThan((WHOLE * unit * 98n) / 100n);
      expect(given - value).to.be.within((fee * 9n) / 10n, fee + given / 10_000n);
      const { liquidity, lower, upper } = await adapter.position();
      expect(upper - lower).to.equal(100n * held.options.spacing);
      expect((lower + upper) / 2n).to.equal(held.middle);

      await adapter.connect(vault).withdraw(given / 4n, "0x");
      const [low, high] = near((liquidity * 3n) / 4n, 500n);
      expect((await adapter.position()).liquidity).to.be.within(low, high);
      const paid = (await asset.balanceOf(vault.address)) - (start - given);
      expect(paid).to.be.within(...near(given / 4n, 500n));

      await adapter.connect(vault).withdraw(MAX, "0x");
      expect(start - (await asset.balanceOf(vault.address))).to.be.within(fee, 2n * fee + given / 5_000n);
      expect(await adapter.fairValue()).to.equal(0n);
      expect(await adapter.exitValue()).to.equal(0n);
      expect(await adapter.maxWithdraw()).to.equal(0n);
      expect(await balances(held, held.address)).to.deep.equal([0n, 0n]);
      expect([await adapter.tickLower(), await adapter.tickUpper()]).to.deep.equal([0n, 0n]);
      const key = ethers.solidityPackedKeccak256(["address", "int24", "int24"], [held.address, lower, upper]);
      const left = await held.pool.positions(key);
      expect([left.liquidity, left.tokensOwed0, left.tokensOwed1]).to.deep.equal([0n, 0n, 0n]);
      for (const token of [asset, paired]) expect(await token.allowance(held.address, held.poolAddress)).to.equal(0n);
      expect(await adapter.connect(vault).withdraw.staticCall(MAX, "0x")).to.equal(0n);
    });

    it(`is worth the coins that the range holds at the fair price, valued at it (${name})`, async () => {
      const held = await withAdapter(options);
      const { adapter, probe } = held;
      await put(held, WHOLE * held.unit);
      // Chainlink holds the paired coin for dearer than the pool does, and then for cheaper.
      for (const answer of [PAR + PAR / 1_000n, PAR - PAR / 1_000n]) {
        await held.pairedFeed.push(answer);
        const { liquidity, lower, upper, fees0, fees1 } = await adapter.position();
        const ratio = held.options.assetFirst ? [PAR, answer] : [answer, PAR];
        const units = held.options.assetFirst ? [held.pairedUnit, held.unit] : [held.unit, held.pairedUnit];
        const oracle = squareRoot(
          ((ratio[0] ?? 0n) * (units[0] ?? 0n) * Q96 * Q96) / ((ratio[1] ?? 0n) * (units[1] ?? 0n)),
        );
        const mean = await probe.sqrtAt(await meanTick(held));
        const dearer = answer > PAR;
        const fair = dearer ? mean : oracle;
        const amounts = await probe.amounts(liquidity, lower, upper, fair);
        const [amount, paired] = sorted(held, [amounts[0] + fees0, amounts[1] + fees1]);
        const idle = await balances(held, held.address);
        expect(await adapter.fairValue()).to.equal(amount + idle[0] + toAssets(held, paired + idle[1], fair));
      }
    });

    it(`pays in kind its part of liquidity, fees and what lies here, rounded down (${name})`, async () => {
      const held = await withAdapter(options);
      const { adapter, vault, stranger, whole } = held;
      await put(held, WHOLE * held.unit);
      await trade(held, 5n, 10);
      await held.trader.send(held.asset, held.address, 1_001n);
      await held.trader.send(held.paired, held.address, 7_003n);
      const { liquidity, lower, upper, fees0, fees1 } = await adapter.position();
      const idle = await balances(held, held.address);
      const burned = (await (await asAdapter(held)).getFunction("burn").staticCall(lower, upper, liquidity / 3n)) as [
        bigint,
        bigint,
      ];
      const [amount, paired] = sorted(held, [burned[0], burned[1]] as const);
      const [fees, pairedFees] = sorted(held, [fees0, fees1] as const);
      expect(await adapter.connect(vault).redeemInKind.staticCall(1n, 3n, stranger.address)).to.equal(liquidity / 3n);
      await adapter.connect(vault).redeemInKind(1n, 3n, stranger.address);
      expect(await balances(held, stranger.address)).to.deep.equal([
        amount + (fees + idle[0]) / 3n,
        paired + (pairedFees + idle[1]) / 3n,
      ]);
      expect((await adapter.position()).liquidity).to.equal(liquidity - liquidity / 3n);
      // Nothing of nothing, and then all the rest.
      await adapter.connect(vault).redeemInKind(0n, 3n, stranger.address);
      await adapter.connect(vault).redeemInKind(1n, 1n, stranger.address);
      expect(await balances(held, held.address)).to.deep.equal([0n, 0n]);
      expect(await adapter.tickUpper()).to.equal(0n);
      expect(((await whole.getFunction("slot0")()) as { unlocked: boolean }).unlocked).to.equal(true);
    });
  }

  it("pays in kind wherever spot is, with dead feeds, and while it takes and pays nothing else", async () => {
    const held = await loadFixture(traded);
    const { adapter, vault, stranger } = held;
    await held.trader.push(await priceAway(held, -2_000n));
    await held.pairedFeed.push(0n);
    await time.increase(30 * 86_400);
    expect(await adapter.steady()).to.equal(false);
    await expect(adapter.fairValue()).to.be.revertedWithCustomError(adapter, "PriceStale");
    expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
    await adapter.connect(vault).redeemInKind(1n, 2n, stranger.address);
    // The paired coin is the cheap one: the range holds nothing else.
    expect(await held.paired.balanceOf(stranger.address)).to.be.greaterThan((WHOLE * held.unit * 49n) / 100n);
  });

  it("costs the vault's reads less than they are given", async () => {
    const held = await loadFixture(entered);
    // Every observation is written, so that the search for the window is a long one.
    await trade(held, 9n, CARDINALITY + 10);
    for (const name of ["fairValue", "exitValue", "maxWithdraw", "steady"] as const) {
      const gas = await ethers.provider.estimateGas({
        to: held.address,
        data: held.adapter.interface.encodeFunctionData(name as "fairValue"),
      });
      expect(gas, name).to.be.lessThan(name === "fairValue" ? 250_000n : 400_000n);
    }
    const inKind = held.adapter.connect(held.vault).redeemInKind;
    expect(await inKind.estimateGas(1n, 3n, held.stranger.address)).to.be.lessThan(500_000n);
  });
});

describe("UniswapV3Adapter: the pool's own accounting", () => {
  for (const [name, options] of [MARKETS[0], MARKETS[3]] as typeof MARKETS) {
    it(`over a thousand random trades, fees and impermanent loss are the pool's, to the unit (${name})`, async function () {
      this.timeout(600_000);
      const held = await withAdapter(options);
      const { adapter, pool, probe } = held;
      // Another lends from what will be the upper edge, with spot over it: growth inside of the range begins under zero.
      const edge = held.middle + 50n * held.options.spacing;
      await held.trader.push(await probe.sqrtAt(edge + 5n));
      await held.trader.mint(held.trader, edge, edge + 50n * held.options.spacing, held.depth.liquidity);
      for (const tick of [edge + 20n, edge - 20n]) await held.trader.push(await probe.sqrtAt(tick));
      // Inside of the tick: at its very edge, coming from above, the pool is of the tick below.
      await held.trader.push(held.par + 10n);
      await age(held, 3_600);
      await put(held, WHOLE * held.unit);
      const { lower, upper, liquidity } = await adapter.position();
      expect(upper).to.equal(edge);
      const key = ethers.solidityPackedKeccak256(["address", "int24", "int24"], [held.address, lower, upper]);
      const start = (await pool.slot0()).sqrtPriceX96;
      const entry = await probe.amounts(liquidity, lower, upper, start);
      const idle = await balances(held, held.address);
      // Of the second market's fees the factory's owner takes a fourth and a tenth.
      if (options.feePips) await held.whole.getFunction("setFeeProtocol")(4, 10);
      const first = await time.latestBlock();
      let outside = 0;
      let losses = 0;
      await trade(held, 1n, 1_000, async (i) => {
        if (i % 25 !== 24) return;
        const { sqrtPriceX96: spot, tick } = await pool.slot0();
        if (tick < lower || tick >= upper) outside++;
        const snapshot = await takeSnapshot();
        const said = await adapter.position();
        const asPool = await asAdapter(held);
        // The pool counts the fees, and says what it owes.
        await asPool.getFunction("burn")(lower, upper, 0n);
        const owed = await pool.positions(key);
        expect([said.fees0, said.fees1]).to.deep.equal([owed.tokensOwed0, owed.tokensOwed1]);
        expect(await adapter.position()).to.deep.equal(said);
        const burned = (await asPool.getFunction("burn").staticCall(lower, upper, liquidity)) as [bigint, bigint];
        const ours = await probe.amounts(liquidity, lower, upper, spot);
        expect([ours[0], ours[1]]).to.deep.equal([burned[0], burned[1]]);
        // Impermanent loss: the coins of the entry against those of now, at the price of now.
        const [then, now] = [entry, ours].map((amounts) => {
          const [amount, paired] = sorted(held, [amounts[0], amounts[1]] as const);
          return amount + toAssets(held, paired, spot);
        }) as [bigint, bigint];
        expect(now).to.be.at.most(then);
        if (then > now) losses++;
        // All of it is what an exit in kind pays.
        const poolHas = [await held.asset.balanceOf(held.poolAddress), await held.paired.balanceOf(held.poolAddress)];
        await adapter.connect(held.vault).redeemInKind(1n, 1n, held.stranger.address);
        const [amount, paired] = sorted(held, [burned[0] + owed.tokensOwed0, burned[1] + owed.tokensOwed1] as const);
        expect(await balances(held, held.stranger.address)).to.deep.equal([amount + idle[0], paired + idle[1]]);
        expect(await held.asset.balanceOf(held.poolAddress)).to.equal((poolHas[0] ?? 0n) - amount);
        await snapshot.restore();
      });
      expect(await held.whole.queryFilter("Swap", first + 1)).to.have.lengthOf(1_000);
      // Both kinds of moments were asked, and fees came.
      expect(outside).to.be.within(1, 39);
      expect(losses).to.equal(40);
      const end = await adapter.position();
      expect(end.fees0).to.be.greaterThan(held.options.assetFirst ? held.unit : 0n);
      expect(end.fees1).to.be.greaterThan(0n);
    });
  }

  it("an exit pays what the coins fetch, fees included, and fair value is its floor", async () => {
    const held = await loadFixture(traded);
    const { adapter, asset, vault, trader } = held;
    await trader.push(held.par);
    await age(held, 3_600);
    const [fair, exit] = [await adapter.fairValue(), await adapter.exitValue()];
    const { fees0, fees1, liquidity, lower, upper } = await adapter.position();
    expect(fees0 + fees1).to.be.greaterThan(10n * held.unit);
    const coins = await held.probe.amounts(liquidity, lower, upper, held.par);
    const [amount, paired] = sorted(held, [coins[0] + fees0, coins[1] + fees1] as const);
    const sold = toAssets(held, paired + (await held.paired.balanceOf(held.address)), held.par);
    expect(exit).to.equal(amount + (sold * (10n ** 6n - held.options.feePips)) / 10n ** 6n);
    const before = await asset.balanceOf(vault.address);
    await adapter.connect(vault).withdraw(MAX, "0x");
    const paid = (await asset.balanceOf(vault.address)) - before;
    expect(exit).to.be.at.most(fair);
    // What is over the exit's value is the trade's effect on the price.
    expect(paid).to.be.within(exit - exit / 2_000n, exit);
  });

  it("fees are put to work by the next entry, and the range stays", async () => {
    const held = await loadFixture(traded);
    await held.trader.push(held.par);
    await age(held, 3_600);
    const before = await held.adapter.position();
    const value = await held.adapter.fairValue();
    await put(held, 1_000n * held.unit);
    const after = await held.adapter.position();
    expect([after.lower, after.upper]).to.deep.equal([before.lower, before.upper]);
    expect([after.fees0, after.fees1]).to.not.deep.equal([before.fees0, before.fees1]);
    expect(after.fees0 + after.fees1).to.be.lessThan((before.fees0 + before.fees1) / 100n);
    expect(await held.adapter.fairValue()).to.be.within(
      value + 990n * held.unit - 60n * held.unit,
      value + 1_000n * held.unit,
    );
  });
});

/** A vault with 2,000,000 of Alice's and Bob's, and the adapter in it. */
async function inVault() {
  const market = await deployMarket();
  const system = await deploySystem({ venues: 0, token: market.asset });
  const adapter = await deployAdapter(market, {}, system.vault);
  await system.vault.connect(system.owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
  for (const who of [system.alice, system.bob]) await deposit(system, who, WHOLE * system.unit);
  await age(market, 3_600);
  const held = {
    ...market,
    adapter,
    address: await adapter.getAddress(),
    poolAddress: market.address,
    vault: system.alice,
  };
  return { system, held, adapter };
}

describe("UniswapV3Adapter in a vault", () => {
  it("is entered and left by the keeper's plans, at a loss within the call's bound", async () => {
    const { system, held, adapter } = await loadFixture(inVault);
    const { vault, unit } = system;
    const before = await vault.totalAssets();
    await rebalance(system, [[adapter, WHOLE * unit]]);
    expect(await adapter.fairValue()).to.be.within((WHOLE * unit * 999n) / 1_000n, WHOLE * unit);
    await trade(held, 17n, 20);
    await held.trader.push(held.par);
    await age(held, 3_600);
    await rebalance(system, [[adapter, -300_000n * unit]]);
    await rebalance(system, [[adapter, ALL]]);
    expect(await adapter.fairValue()).to.equal(0n);
    expect(await held.asset.balanceOf(vault)).to.be.within(before - before / 1_000n, before + before / 1_000n);
  });

  it("pays an exit in kind in both coins, and the rest is worth what it was to who stays", async () => {
    const { system, held, adapter } = await loadFixture(inVault);
    const { vault, alice, unit } = system;
    await rebalance(system, [[adapter, WHOLE * unit]]);
    await vault.accrue();
    const price = await vault.sharePrice();
    const value = await adapter.fairValue();
    const paired = await held.paired.balanceOf(alice.address);
    await vault.connect(alice).redeemInKind(await vault.balanceOf(alice.address), alice.address, []);
    expect((await held.paired.balanceOf(alice.address)) - paired).to.be.greaterThan(value / 5n);
    expect(await adapter.fairValue()).to.be.within(value / 2n - unit, value / 2n + unit);
    await vault.accrue();
    expect(await vault.sharePrice()).to.be.at.least(price);
  });

  it("who buys shares by the lower price and leaves in kind takes no more than the position's part of the bound", async () => {
    const { system, held, adapter } = await loadFixture(inVault);
    const { vault, stranger, unit } = system;
    await rebalance(system, [[adapter, WHOLE * unit]]);
    await age(held, 3_600);
    // Chainlink is as far under the market as is still steady.
    await held.pairedFeed.push((PAR * 9_955n) / 10_000n);
    expect(await adapter.steady()).to.equal(true);
    const worth = async () =>
      (await held.asset.balanceOf(stranger.address)) +
      toAssets(held, await held.paired.balanceOf(stranger.address), (await held.pool.slot0()).sqrtPriceX96);
    const before = await worth();
    await deposit(system, stranger, 200n * WHOLE * unit);
    await vault.connect(stranger).redeemInKind(await vault.balanceOf(stranger.address), stranger.address, []);
    // 45 ticks, of a position that is half of the coin at their beginning and nearly whole at their end.
    const gained = (await worth()) - before;
    expect(gained).to.be.within((WHOLE * unit * 30n) / 10_000n, (WHOLE * unit * 36n) / 10_000n);
  });

  it("closes the vault to entry while a feed is stale and money is in it, and not before", async () => {
    const { system, held, adapter } = await loadFixture(inVault);
    const { vault, bob, unit } = system;
    await time.increase(30 * 86_400);
    await expect(adapter.exitValue()).to.be.revertedWithCustomError(adapter, "PriceStale");
    expect(await adapter.fairValue()).to.equal(0n);
    await deposit(system, bob, unit);
    await age(held, 60);
    await rebalance(system, [[adapter, WHOLE * unit]]);
    await time.increase(30 * 86_400);
    expect(await vault.maxDeposit(bob.address)).to.equal(0n);
    await age(held, 60);
    await vault.accrue();
    expect(await vault.maxDeposit(bob.address)).to.be.greaterThan(0n);
  });
});
