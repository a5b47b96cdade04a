// What strangers, a stolen keeper's key, the market and dead feeds can do to the Uniswap V3 adapter in a genuine pool. In
// one transaction means: pushed there, asked, pushed back, with all the capital that the tokens have.
import { impersonateAccount, loadFixture, setBalance, setCode, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { ethers } from "hardhat";
import { GAS, generator, inOneBlock } from "../bundle";
import { DAY, MAX, WAD } from "../deployment";
import {
  BLOCK,
  CARDINALITY,
  HEARTBEAT,
  PAR,
  WINDOW,
  age,
  choiceOf,
  deployAdapter,
  deployMarket,
  deployPool,
  meanTick,
  priceAway,
  put,
  sorted,
  toAssets,
  withAdapter,
  type Choice,
  type Held,
  type Market,
} from "./uniswapMarket";

const WHOLE = 1_000_000n;
const REVERSED = { assetFirst: false } as const;
const BOTH = [
  ["asset first", {}],
  ["asset second", REVERSED],
] as const;

const asUsual = () => withAdapter();

async function entered(): Promise<Held> {
  const held = await withAdapter();
  await put(held, WHOLE * held.unit);
  return held;
}

async function enteredReversed(): Promise<Held> {
  const held = await withAdapter(REVERSED);
  await put(held, WHOLE * held.unit);
  return held;
}

/** An adapter whose vault is the stranger's own contract: what it may do as the vault, it does between its pushes. */
async function ownVault() {
  const market = await deployMarket();
  const adapter = await deployAdapter(market, {}, market.trader);
  const held = { ...market, adapter, address: await adapter.getAddress(), poolAddress: market.address };
  return { ...held, whole: market.whole };
}

/** What the adapter answers in the middle of one transaction that pushes spot and pushes it back. */
async function askedWhilePushed(held: Held, price: bigint, name: "fairValue" | "exitValue" | "steady" | "position") {
  const data = held.adapter.interface.encodeFunctionData(name as "fairValue");
  const [ok, answer, paid0, paid1] = await held.trader.pushAndCall.staticCall(price, held.address, data);
  if (!ok) throw new Error(`${name} reverted`);
  return { values: held.adapter.interface.decodeFunctionResult(name as "fairValue", answer), paid0, paid1 };
}

/** The oracle's, the pool's and the mean price go there together, and stay. */
async function marketMoves(held: Held, ticks: bigint): Promise<void> {
  const price = await priceAway(held, ticks);
  await held.trader.push(price);
  await held.pairedFeed.push(answerAt(ticks));
  await age(held, Number(WINDOW) + 60);
}

/** Chainlink's answer on the paired coin so many ticks over par. */
const answerAt = (ticks: bigint) => BigInt(Math.round(Number(PAR) * 1.0001 ** Number(ticks)));

describe("UniswapV3Adapter: who may be believed", () => {
  for (const [name, options] of BOTH) {
    it(`no push in one transaction moves fair value, but for the fees that it pays (${name})`, async () => {
      const held = await withAdapter(options);
      await put(held, WHOLE * held.unit);
      const { adapter, probe } = held;
      const before = await adapter.fairValue();
      const fees = await adapter.position();
      const random = generator(21n);
      // As far as the gas of a block goes.
      const prices = [
        await probe.sqrtAt(-100_000n),
        await probe.sqrtAt(100_000n),
        await priceAway(held, 50n),
        await priceAway(held, -51n),
      ];
      for (let i = 0; i < 12; i++) prices.push(await priceAway(held, random(10_000n) - 5_000n));
      for (const price of prices) {
        const { values } = await askedWhilePushed(held, price, "fairValue");
        const now = (await askedWhilePushed(held, price, "position")).values[0] as unknown as typeof fees;
        const [amount, paired] = sorted(held, [now.fees0 - fees.fees0, now.fees1 - fees.fees1] as const);
        const paidFees = amount + toAssets(held, paired, held.par);
        expect(values[0] - before).to.be.within(paidFees - 2n, paidFees + 2n);
        // Half of a million and its part of the way, at a hundredth of a per cent.
        expect(paidFees).to.be.lessThan((WHOLE * held.unit) / 5_000n);
        const exit = (await askedWhilePushed(held, price, "exitValue")).values[0];
        expect(exit).to.be.at.most(values[0]);
      }
    });

    it(`wherever spot is, the coins behind the position are worth no less at the fair price (${name})`, async () => {
      const held = await withAdapter(options);
      await put(held, WHOLE * held.unit);
      const { adapter, probe } = held;
      const { liquidity, lower, upper } = await adapter.position();
      const fair = await probe.amounts(liquidity, lower, upper, held.par);
      const [amount, paired] = sorted(held, [fair[0], fair[1]] as const);
      const least = amount + toAssets(held, paired, held.par);
      for (let ticks = -70n; ticks <= 70n; ticks += 5n) {
        const coins = await probe.amounts(liquidity, lower, upper, await priceAway(held, ticks));
        const [amountThen, pairedThen] = sorted(held, [coins[0], coins[1]] as const);
        const worth = amountThen + toAssets(held, pairedThen, held.par);
        expect(worth).to.be.at.least(least - 2n);
        if (ticks === 50n || ticks === -50n) expect(worth).to.be.greaterThan(least + (WHOLE * held.unit) / 1_000n);
      }
    });

    it(`takes the lower price of the paired coin, Chainlink's or the pool's mean, at edges and beyond (${name})`, async () => {
      const held = await withAdapter(options);
      await put(held, WHOLE * held.unit);
      const { adapter, probe } = held;
      const { liquidity, lower, upper } = await adapter.position();
      const at = async (price: bigint) => {
        const coins = await probe.amounts(liquidity, lower, upper, price);
        const [amount, paired] = sorted(held, [coins[0], coins[1]] as const);
        const idle = await held.paired.balanceOf(held.address);
        return amount + toAssets(held, paired + idle, price);
      };
      const atMean = async () => at(await probe.sqrtAt(await meanTick(held)));
      for (const ticks of [30n, 49n, 51n, 200n]) {
        // The mean is at par. Chainlink's dearer paired coin adds nothing; a cheaper one counts at once.
        await held.pairedFeed.push(answerAt(ticks));
        // The mean is believed no further from Chainlink than 50 ticks.
        const believed = ticks < 50n ? await atMean() : await at(await priceAway(held, ticks - 50n));
        const error = ticks < 50n ? 0n : believed / 10n ** 7n;
        expect(await adapter.fairValue(), `dearer by ${ticks}`).to.be.within(believed - error, believed + error);
        await held.pairedFeed.push(answerAt(-ticks));
        const value = await adapter.fairValue();
        const expected = await at(await priceAway(held, -ticks));
        expect(value, `cheaper by ${ticks}`).to.be.within(
          expected - expected / 10n ** 7n,
          expected + expected / 10n ** 7n,
        );
        expect(value).to.be.lessThan(await atMean());
      }
    });

    it(`believes the mean no further from Chainlink than the bound (${name})`, async () => {
      const held = await withAdapter(options);
      await put(held, WHOLE * held.unit);
      const { adapter } = held;
      // The pool alone goes down, and stays there.
      await held.trader.push(await priceAway(held, -40n));
      await age(held, Number(WINDOW) + 60);
      const near = await adapter.fairValue();
      await held.trader.push(await priceAway(held, -50n));
      await age(held, Number(WINDOW) + 60);
      const atBound = await adapter.fairValue();
      expect(atBound).to.be.lessThan(near);
      await held.trader.push(await priceAway(held, -2_900n));
      await age(held, Number(WINDOW) + 60);
      const { fees0, fees1 } = await adapter.position();
      expect(await adapter.fairValue()).to.be.within(atBound, atBound + fees0 + fees1);
      expect(await adapter.steady()).to.equal(false);
    });
  }

  it("held for blocks, the pool's price costs more than it moves, and never adds to fair value but fees", async () => {
    const held = await loadFixture(entered);
    const { adapter, trader, probe } = held;
    const oracleValue = await adapter.fairValue();
    for (const ticks of [-3_000n, 3_000n]) {
      for (const blocks of [1, 3, 10]) {
        const [amount, paired] = [await held.asset.balanceOf(trader), await held.paired.balanceOf(trader)];
        const start = (await held.pool.slot0()).sqrtPriceX96;
        const before = await adapter.fairValue();
        await trader.push(await priceAway(held, ticks));
        await time.increase(BLOCK * blocks);
        const pushed = await adapter.fairValue();
        const lowest = await probe.sqrtAt(0n);
        await trader.push(start);
        // Nobody traded against it meanwhile: the least that it can cost.
        const cost =
          amount -
          (await held.asset.balanceOf(trader)) +
          toAssets(held, paired - (await held.paired.balanceOf(trader)), lowest);
        expect(cost).to.be.greaterThan(20_000n * held.unit);
        const moved = pushed - before;
        if (ticks > 0n) expect(moved).to.be.within(0n, (WHOLE * held.unit) / 5_000n);
        // The bound of 50 ticks, on no more than the position.
        else expect(-moved).to.be.within(-(WHOLE * held.unit) / 5_000n, (oracleValue * 50n) / 10_000n);
        expect(cost).to.be.greaterThan(moved < 0n ? -moved : moved);
        await age(held, 2 * Number(WINDOW));
      }
    }
  });

  it("an exit in kind at a pushed price costs those who stay nothing", async () => {
    const held = await loadFixture(ownVault);
    const { adapter, trader, asset, unit } = held;
    await trader.send(asset, held.address, WHOLE * unit);
    const act = (price: bigint, name: string, args: readonly unknown[]) =>
      trader.pushAndCall(price, held.address, adapter.interface.encodeFunctionData(name as "deposit", args as never));
    await act(held.par, "deposit", [WHOLE * unit, "0x"]);
    const before = await adapter.fairValue();
    for (const ticks of [-400n, 400n]) {
      const left = await adapter.fairValue();
      await act(await priceAway(held, ticks), "redeemInKind", [1n, 4n, held.stranger.address]);
      expect(await adapter.fairValue()).to.be.at.least((left * 3n) / 4n);
    }
    expect(await adapter.fairValue()).to.be.within((before * 9n) / 16n, (before * 9n) / 16n + 200n * unit);
  });
});

describe("UniswapV3Adapter: steadiness", () => {
  for (const [name, fixture] of [
    ["asset first", entered],
    ["asset second", enteredReversed],
  ] as const) {
    it(`neither enters nor leaves while spot is over the bound away from the mean, either way (${name})`, async () => {
      const held = await loadFixture(fixture);
      const { adapter, vault, trader, probe, pool } = held;
      // In the middle of a tick: a price at its very edge is, going down, already of the tick below.
      const half = ((await probe.sqrtAt(1n)) - 2n ** 96n) / 2n;
      const seen = [0, 0];
      for (const offset of [8n, 9n, 10n, 11n, 12n, 13n].flatMap((ticks) => [ticks, -ticks])) {
        await trader.push((await probe.sqrtAt(held.middle + offset)) + half);
        const off = (await pool.slot0()).tick - (await meanTick(held));
        const within = off <= 10n && off >= -10n;
        seen[within ? 1 : 0]!++;
        expect(await adapter.steady(), `${off} ticks off`).to.equal(within);
        // Over the bound by one, the time of a transaction may be enough to be within it.
        if (off === 11n || off === -11n) continue;
        if (within) {
          expect(await adapter.maxDeposit()).to.equal(2n ** 128n - 1n);
          expect(await adapter.maxWithdraw()).to.equal(await adapter.exitValue());
          continue;
        }
        expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
        await held.asset.connect(vault).transfer(adapter, held.unit);
        const { tick } = await pool.slot0();
        for (const move of [
          () => adapter.connect(vault).deposit(held.unit, "0x"),
          () => adapter.connect(vault).withdraw(held.unit, "0x"),
          () => adapter.connect(vault).withdraw(MAX, "0x"),
        ]) {
          // The mean follows by the second: the bounds are ten ticks around it, and spot is out of them.
          let least = 0n;
          await expect(move())
            .to.be.revertedWithCustomError(adapter, "Unsteady")
            .withArgs(
              tick,
              (from: bigint) => {
                least = from;
                return tick < from || tick > from + 20n;
              },
              (to: bigint) => to === least + 20n,
            );
        }
      }
      expect(Math.min(...seen)).to.be.at.least(4);
    });

    it(`neither enters nor leaves while Chainlink is over the bound away from the mean, either way (${name})`, async () => {
      const held = await loadFixture(fixture);
      const { adapter, vault } = held;
      for (const side of [1n, -1n]) {
        await held.pairedFeed.push(answerAt(side * 49n));
        expect(await adapter.steady()).to.equal(true);
        await held.pairedFeed.push(answerAt(side * 52n));
        expect(await adapter.steady()).to.equal(false);
        await held.asset.connect(vault).transfer(adapter, held.unit);
        const mean = await meanTick(held);
        const [least, most] = [await held.probe.sqrtAt(mean - 50n), await held.probe.sqrtAt(mean + 50n)];
        for (const move of [
          () => adapter.connect(vault).deposit(held.unit, "0x"),
          () => adapter.connect(vault).withdraw(MAX, "0x"),
        ]) {
          await expect(move())
            .to.be.revertedWithCustomError(adapter, "Unsteady")
            .withArgs((oracle: bigint) => oracle < least || oracle > most, least, most);
        }
        // Of both coins the ratio counts.
        await held.assetFeed.push(answerAt(side * 52n));
        expect(await adapter.steady()).to.equal(true);
        await held.assetFeed.push(PAR);
        await held.pairedFeed.push(PAR);
      }
    });
  }

  it("refuses what follows a push in the same block, and takes it again when spot is back", async () => {
    const held = await loadFixture(entered);
    const { adapter, vault, trader, asset, unit } = held;
    await asset.connect(vault).transfer(adapter, unit);
    const away = await priceAway(held, 500n);
    const receipts = await inOneBlock([
      () => trader.push(away, GAS),
      () => adapter.connect(vault).deposit(unit, "0x", GAS),
      () => adapter.connect(vault).withdraw(MAX, "0x", GAS),
      () => trader.push(held.par, GAS),
      () => adapter.connect(vault).withdraw(MAX, "0x", GAS),
    ]);
    expect(receipts.map((receipt) => receipt.status)).to.deep.equal([1, 0, 0, 1, 1]);
  });

  it("values, enters and leaves by no answer that is stale, from the future or not positive", async () => {
    const held = await loadFixture(entered);
    const { adapter, vault } = held;
    for (const feed of [held.assetFeed, held.pairedFeed]) {
      const now = BigInt(await time.latest());
      await feed.pushAt(PAR, now - HEARTBEAT + 3_600n);
      expect(await adapter.steady()).to.equal(true);
      for (const [answer, updatedAt, error] of [
        [PAR, now - HEARTBEAT - 1n, "PriceStale"],
        [PAR, now + 3_600n, "PriceStale"],
        [0n, now, "PriceNotPositive"],
        [-1n, now, "PriceNotPositive"],
      ] as const) {
        await feed.pushAt(answer, updatedAt);
        expect(await adapter.steady()).to.equal(false);
        expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
        for (const call of [
          () => adapter.fairValue(),
          () => adapter.exitValue(),
          () => adapter.connect(vault).deposit(0n, "0x"),
          () => adapter.connect(vault).withdraw(1n, "0x"),
        ]) {
          await expect(call()).to.be.revertedWithCustomError(adapter, error);
        }
      }
      await feed.push(PAR);
    }
  });

  it("values, enters and leaves by no feed that is gone", async () => {
    const held = await loadFixture(entered);
    const { adapter, vault } = held;
    for (const feed of [held.pairedFeed, held.assetFeed]) {
      await setCode(await feed.getAddress(), "0x");
      for (const call of [
        () => adapter.fairValue(),
        () => adapter.connect(vault).deposit(0n, "0x"),
        () => adapter.connect(vault).withdraw(1n, "0x"),
      ]) {
        await expect(call())
          .to.be.revertedWithCustomError(adapter, "PriceUnreadable")
          .withArgs(await feed.getAddress());
      }
    }
    await adapter.connect(vault).redeemInKind(1n, 1n, held.stranger.address);
    expect(await adapter.fairValue()).to.equal(0n);
  });

  it("has no value where the pool has forgotten the window, and says which", async () => {
    // Remembers one price: that of its last trade, or of its beginning.
    const parts = await deployPool();
    await parts.whole.getFunction("initialize")(parts.par);
    await time.increase(120);
    for (const feed of [parts.assetFeed, parts.pairedFeed]) await feed.push(PAR);
    const adapter = await deployAdapter(parts, { window: 60n, minimumCardinality: 1 });
    await parts.asset.mint(adapter, 1n);
    expect(await adapter.fairValue()).to.equal(1n);
    const { trader, asset, paired, probe, unit } = parts;
    for (const coin of [asset, paired]) await coin.mint(trader, 10n ** 12n * unit);
    await trader.mint(trader, -100n, 100n, 10n ** 12n);
    await trader.push(await probe.sqrtAt(1n));
    await expect(adapter.fairValue()).to.be.revertedWithCustomError(adapter, "WindowNotCovered").withArgs(60n);
    expect([await adapter.steady(), await adapter.maxWithdraw()]).to.deep.equal([false, 0n]);
    await adapter.connect(parts.vault).redeemInKind(1n, 1n, parts.stranger.address);
    expect(await asset.balanceOf(parts.stranger.address)).to.be.greaterThan(0n);
  });

  it("moves nothing in the middle of another's call to the pool, and says so", async () => {
    const held = await withAdapter({ hostile: true });
    await put(held, WHOLE * held.unit);
    const token = await ethers.getContractAt("HostileToken", await held.paired.getAddress());
    // An adapter that answers to the token, with something to withdraw.
    const own = await deployAdapter(held, {}, token);
    await token.mint(own, 1n);
    await token.setHook(held.trader, own, own.interface.encodeFunctionData("withdraw", [1n, "0x"]));
    await held.trader.push(await priceAway(held, -1n));
    expect(await token.lastSuccess()).to.equal(false);
    expect(await token.lastAnswer()).to.equal(own.interface.encodeErrorResult("PoolLocked", [held.poolAddress]));
  });

  it("is not steady in the middle of another's call to the pool", async () => {
    const held = await withAdapter({ hostile: true });
    await put(held, WHOLE * held.unit);
    const token = await ethers.getContractAt("HostileToken", await held.paired.getAddress());
    await token.setHook(held.trader, held.address, held.adapter.interface.encodeFunctionData("steady"));
    // The trader pays in the pool's callback.
    await held.trader.push(await priceAway(held, -1n));
    expect(BigInt(await token.lastAnswer())).to.equal(0n);
    expect(await token.lastSuccess()).to.equal(true);
    expect(await held.adapter.steady()).to.equal(true);
  });
});

describe("UniswapV3Adapter: floors", () => {
  it("within the bounds, a sandwich around an entry or an exit takes no more than the slippage", async () => {
    const held = await loadFixture(entered);
    const { adapter, vault, trader, asset, unit } = held;
    const size = 200_000n * unit;
    for (const ticks of [-9n, 9n]) {
      const away = await priceAway(held, ticks);
      for (const call of ["deposit", "withdraw"] as const) {
        if (call === "deposit") await asset.connect(vault).transfer(adapter, size);
        const total = async () => (await asset.balanceOf(vault.address)) + (await adapter.fairValue());
        const before = await total();
        const receipts = await inOneBlock([
          () => trader.push(away, GAS),
          () => adapter.connect(vault)[call](size, "0x", GAS),
          () => trader.push(held.par, GAS),
        ]);
        expect(receipts.map((receipt) => receipt.status)).to.deep.equal([1, 1, 1]);
        expect(before - (await total())).to.be.lessThan((size * 5n) / 1_000n);
        await age(held, 2 * Number(WINDOW));
      }
    }
  });

  it("refuses an entry and an exit that lose more than the slippage", async () => {
    // A pool in which nearly nobody else is.
    const held = await loadFixture(entered);
    const { adapter, vault, trader, depth, unit } = held;
    await trader.burn(depth.lower, depth.upper, (depth.liquidity * 9_999n) / 10_000n);
    const value = await adapter.fairValue();
    const floor = value - (value * 5n) / 1_000n - 8n;
    const refused = expect(adapter.connect(vault).withdraw(MAX, "0x")).to.be.revertedWithCustomError(
      adapter,
      "FloorMissed",
    );
    await refused.withArgs(
      (received: bigint) => received < floor,
      (bound: bigint) => bound - floor >= 0n && bound - floor <= 1n,
    );
    // Little by little it is left all the same, or at once in kind.
    await adapter.connect(vault).withdraw(1_000n * unit, "0x");
    await adapter.connect(vault).redeemInKind(1n, 1n, held.stranger.address);
    expect(await held.paired.balanceOf(held.stranger.address)).to.be.greaterThan((WHOLE * unit * 4n) / 10n);
  });

  it("of an entry that is mostly given back, only what was used may lose by the slippage", async () => {
    const held = await loadFixture(entered);
    const { trader, vault, asset, depth, unit } = held;
    await trader.burn(depth.lower, depth.upper, (depth.liquidity * 9_999n) / 10_000n);
    const size = WHOLE * unit;
    const before = await asset.balanceOf(vault.address);
    // The trade ends where spot is as far from the mean as is steady. About 80 of 240,000 are lost, which is less than a
    // hundredth of a per cent of the million, and more than that of what was used.
    const strict = await deployAdapter(held, { slippage: 10n ** 14n });
    await asset.connect(vault).transfer(strict, size);
    await expect(strict.connect(vault).deposit(size, "0x")).to.be.revertedWithCustomError(strict, "FloorMissed");
    const lenient = await deployAdapter(held, { slippage: 10n ** 15n });
    await asset.connect(vault).transfer(lenient, size);
    await lenient.connect(vault).deposit(size, "0x");
    const used = before - size - (await asset.balanceOf(vault.address));
    expect(used).to.be.within(200_000n * unit, 300_000n * unit);
    expect(used - (await lenient.fairValue())).to.be.within(used / 10n ** 4n, used / 10n ** 3n);
    expect(await lenient.steady()).to.equal(true);
  });

  it("the caller's own minimum is nothing or one word", async () => {
    const { adapter, vault, asset, unit } = await loadFixture(entered);
    await asset.connect(vault).transfer(adapter, 1_000n * unit);
    for (const length of [1, 31, 33, 64]) {
      const data = ethers.hexlify(new Uint8Array(length));
      const as = adapter.connect(vault);
      for (const move of [() => as.deposit(1_000n * unit, data), () => as.withdraw(2_000n * unit, data)]) {
        await expect(move()).to.be.revertedWithCustomError(adapter, "MalformedData").withArgs(length, 32);
      }
    }
  });

  it("the caller's own minimum only narrows", async () => {
    const held = await loadFixture(entered);
    const { adapter, vault, asset, unit } = held;
    const encode = (minimum: bigint) => ethers.AbiCoder.defaultAbiCoder().encode(["uint256"], [minimum]);
    const pays = await adapter.connect(vault).withdraw.staticCall(1_000n * unit, "0x");
    await expect(adapter.connect(vault).withdraw(1_000n * unit, encode(pays + 1n)))
      .to.be.revertedWithCustomError(adapter, "FloorMissed")
      .withArgs(pays, pays + 1n);
    await adapter.connect(vault).withdraw(1_000n * unit, encode(pays));
    await asset.connect(vault).transfer(adapter, 1_000n * unit);
    await expect(adapter.connect(vault).deposit(1_000n * unit, encode(1_000n * unit)))
      .to.be.revertedWithCustomError(adapter, "FloorMissed")
      .withArgs((received: bigint) => received > 999n * unit && received < 1_000n * unit, 1_000n * unit);
    await adapter.connect(vault).deposit(1_000n * unit, encode(999n * unit));
    await expect(adapter.connect(vault).withdraw(unit, "0x01")).to.be.reverted;
    // No minimum is low enough for one who allows no loss at all.
    const strict = await deployAdapter(held, { slippage: 0n });
    await asset.connect(vault).transfer(strict, 1_000n * unit);
    for (const data of ["0x", encode(0n)]) {
      await expect(strict.connect(vault).deposit(1_000n * unit, data)).to.be.revertedWithCustomError(
        strict,
        "FloorMissed",
      );
    }
  });

  it("pays no less than it is asked for but what the trade costs, and everything to who asks for more than it is worth", async () => {
    const held = await loadFixture(entered);
    const { adapter, vault, unit } = held;
    const value = await adapter.fairValue();
    for (const assets of [1n, 7n, 1_000n, unit, 1_234n * unit]) {
      const paid = await adapter.connect(vault).withdraw.staticCall(assets, "0x");
      expect(paid).to.be.within(assets - assets / 5_000n - 4n, assets + assets / 5_000n);
    }
    expect(await adapter.connect(vault).withdraw.staticCall(0n, "0x")).to.equal(0n);
    const all = await adapter.connect(vault).withdraw.staticCall(MAX, "0x");
    expect(await adapter.connect(vault).withdraw.staticCall(value + 1n, "0x")).to.equal(all);
    await adapter.connect(vault).withdraw(value + 1n, "0x");
    expect(await adapter.fairValue()).to.equal(0n);
  });
});

describe("UniswapV3Adapter: callbacks", () => {
  it("answers nobody outside of its own calls, the pool neither", async () => {
    const held = await loadFixture(entered);
    const { adapter, stranger } = held;
    await held.asset.connect(held.vault).transfer(adapter, held.unit);
    await impersonateAccount(held.poolAddress);
    await setBalance(held.poolAddress, WAD);
    for (const caller of [stranger, await ethers.getSigner(held.poolAddress)]) {
      for (const call of [
        () => adapter.connect(caller).uniswapV3MintCallback(1n, 1n, "0x"),
        () => adapter.connect(caller).uniswapV3SwapCallback(1n, -1n, "0x"),
      ]) {
        await expect(call()).to.be.revertedWithCustomError(adapter, "UnexpectedCallback").withArgs(caller.address);
      }
    }
  });

  it("answers nobody but the pool in the middle of its own calls", async () => {
    const held = await withAdapter({ hostile: true });
    const { adapter, vault } = held;
    await put(held, WHOLE * held.unit);
    const token = await ethers.getContractAt("HostileToken", await held.paired.getAddress());
    for (const [callback, act] of [
      // The paired coin comes out of a trade, then goes into the pool; at an exit it is sold.
      ["uniswapV3MintCallback", () => put(held, 1_000n * held.unit)],
      ["uniswapV3SwapCallback", () => adapter.connect(vault).withdraw(1_000n * held.unit, "0x")],
    ] as const) {
      await token.setHook(
        held.address,
        held.address,
        adapter.interface.encodeFunctionData(callback as "uniswapV3MintCallback", [1n, 1n, "0x"]),
      );
      await act();
      expect(await token.lastSuccess()).to.equal(false);
      expect(adapter.interface.parseError(await token.lastAnswer())?.args[0]).to.equal(await token.getAddress());
    }
  });
});

describe("UniswapV3Adapter: what strangers give", () => {
  it("counts coins that lie here, gives the asset back at the next entry and uses the paired coin", async () => {
    const held = await loadFixture(entered);
    const { adapter, trader, vault, asset, paired, unit } = held;
    const value = await adapter.fairValue();
    await trader.send(asset, held.address, 500n * unit);
    await trader.send(paired, held.address, 400n * unit);
    expect(await adapter.fairValue()).to.be.within(value + 900n * unit - 1n, value + 900n * unit + 1n);
    await put(held, 1_000n * unit);
    expect(await asset.balanceOf(held.address)).to.equal(0n);
    expect(await paired.balanceOf(held.address)).to.be.lessThan(2n * unit);
    expect(await adapter.fairValue()).to.be.within(value + 1_890n * unit, value + 1_900n * unit);
    expect(await asset.balanceOf(vault.address)).to.be.greaterThan(0n);
  });

  it("more of the paired coin than an entry needs stays, counts, and is sold by the exit", async () => {
    const held = await loadFixture(entered);
    const { adapter, trader, vault, asset, paired, unit } = held;
    await trader.send(paired, held.address, 50_000n * unit);
    const value = await adapter.fairValue();
    await put(held, 1_000n * unit);
    expect(await paired.balanceOf(held.address)).to.be.within(48_000n * unit, 49_500n * unit);
    expect(await adapter.fairValue()).to.be.within(value + 999n * unit, value + 1_000n * unit);
    const before = await asset.balanceOf(vault.address);
    await adapter.connect(vault).withdraw(MAX, "0x");
    expect((await asset.balanceOf(vault.address)) - before).to.be.greaterThan((WHOLE + 50_000n) * unit);
    expect(await paired.balanceOf(held.address)).to.equal(0n);
  });

  it("liquidity that a stranger adds to the position is the vault's, and leaves with it", async () => {
    const held = await loadFixture(entered);
    const { adapter, trader, vault } = held;
    const { lower, upper, liquidity } = await adapter.position();
    const value = await adapter.fairValue();
    await trader.mint(held.address, lower, upper, liquidity);
    expect(await adapter.fairValue()).to.be.within((value * 199n) / 100n, (value * 201n) / 100n);
    await adapter.connect(vault).withdraw(MAX, "0x");
    expect((await adapter.position()).liquidity).to.equal(0n);
  });

  it("liquidity in a range that was left ties the next entry to nothing", async () => {
    const held = await loadFixture(entered);
    const { adapter, trader, vault } = held;
    const old = await adapter.position();
    await adapter.connect(vault).withdraw(MAX, "0x");
    await trader.mint(held.address, old.lower, old.upper, 1_000n);
    expect(await adapter.fairValue()).to.equal(0n);
    await marketMoves(held, 40n);
    const mean = (await held.pool.slot0()).tick;
    const chosen = expect(put(held, WHOLE * held.unit)).to.emit(adapter, "RangeChosen");
    await chosen.withArgs(mean - 50n, mean + 50n, mean);
    const now = await adapter.position();
    expect([now.lower, now.upper]).to.deep.equal([mean - 50n, mean + 50n]);
  });

  for (const [name, options] of [
    ["6 and 6", {}],
    ["6 and 18", { pairedDecimals: 18, assetFirst: false }],
    ["18 and 6", { assetDecimals: 18 }],
  ] as const) {
    it(`no dust keeps it from being left whole, or from being entered with little (decimals ${name})`, async () => {
      const held = await withAdapter(options);
      const { adapter, trader, vault } = held;
      const random = generator(31n);
      const [assetGrain, pairedGrain] = [held.unit / 10n ** 6n, held.pairedUnit / 10n ** 6n];
      for (let i = 0; i < 60; i++) {
        if (i % 3 === 0) {
          await trader.send(held.paired, held.address, random(60n) * pairedGrain + random(3n));
          await trader.send(held.asset, held.address, random(60n) * assetGrain + random(3n));
        } else await put(held, (20n + random(3_000n)) * assetGrain + random(3n));
        await adapter.connect(vault).withdraw(MAX, "0x");
        expect(await adapter.fairValue()).to.equal(0n);
        expect(await held.paired.balanceOf(held.address)).to.equal(0n);
      }
    });
  }

  it("what is worth less than a unit of the asset leaves with an exit, and pays nothing", async () => {
    const held = await withAdapter({ pairedDecimals: 18, assetFirst: false });
    const { adapter, trader, vault, asset, paired } = held;
    for (const assets of [MAX, 1n]) {
      await trader.send(paired, held.address, 10n ** 11n);
      expect(await adapter.fairValue()).to.equal(0n);
      const before = await asset.balanceOf(vault.address);
      expect(await adapter.connect(vault).withdraw.staticCall(assets, "0x")).to.equal(0n);
      await adapter.connect(vault).withdraw(assets, "0x");
      expect(await paired.balanceOf(held.address)).to.equal(0n);
      expect(await asset.balanceOf(vault.address)).to.equal(before);
    }
  });
});

describe("UniswapV3Adapter: ranges", () => {
  it("is one coin beyond the range: worth it, added to, and left", async () => {
    const held = await loadFixture(entered);
    const { adapter, vault, asset, paired, unit, probe } = held;
    for (const ticks of [60n, -60n]) {
      await marketMoves(held, ticks);
      expect(await adapter.steady()).to.equal(true);
      const { lower, upper, liquidity } = await adapter.position();
      const coins = await probe.amounts(liquidity, lower, upper, (await held.pool.slot0()).sqrtPriceX96);
      const [amount, other] = sorted(held, [coins[0], coins[1]] as const);
      // A paired coin that became dearer was sold; one that became cheaper was bought.
      expect(ticks > 0n ? other : amount).to.equal(0n);
      const value = await adapter.fairValue();
      const before = await asset.balanceOf(vault.address);
      await put(held, 1_000n * unit);
      const used = before - (await asset.balanceOf(vault.address));
      expect(used).to.be.greaterThan(990n * unit);
      expect(await adapter.fairValue()).to.be.within(value + used - unit, value + used + 60n * unit);
      await marketMoves(held, -ticks);
    }
    await marketMoves(held, -60n);
    await adapter.connect(vault).withdraw(MAX, "0x");
    expect([await asset.balanceOf(held.address), await paired.balanceOf(held.address)]).to.deep.equal([0n, 0n]);
  });

  it("is worth by the fair price what lies at the very edges", async () => {
    const held = await loadFixture(entered);
    const { adapter, trader, probe, pool } = held;
    const { lower, upper, liquidity } = await adapter.position();
    const fair = await adapter.fairValue();
    for (const tick of [lower, upper, lower - 1n, upper - 1n]) {
      await trader.push(await probe.sqrtAt(tick));
      const { sqrtPriceX96 } = await pool.slot0();
      const coins = await probe.amounts(liquidity, lower, upper, sqrtPriceX96);
      if (tick === upper) expect(coins[0]).to.equal(0n);
      if (tick <= lower) expect(coins[1]).to.equal(0n);
      // In the same second; later the mean follows.
      const { fees0, fees1 } = await adapter.position();
      expect(await adapter.exitValue()).to.be.at.most(await adapter.fairValue());
      expect(await adapter.fairValue()).to.be.within(fair - fair / 10_000n, fair + fees0 + fees1);
      await trader.push(held.par);
      await age(held, 2 * Number(WINDOW));
    }
  });

  it("an entry whose own trade leaves the range is counted by the tick that it left behind", async () => {
    const market = await deployMarket();
    const adapter = await deployAdapter(market, { halfWidth: 1n, slippage: 10n ** 16n });
    const held = { ...market, adapter, address: await adapter.getAddress(), poolAddress: market.address };
    await market.asset.mint(market.vault, 100n * WHOLE * market.unit);
    // So that fees have grown on both sides of the range.
    for (const ticks of [20n, -40n, 20n]) await held.trader.push(await priceAway(held, ticks));
    await held.trader.push(held.par);
    await age(held, 3_600);
    const before = await held.asset.balanceOf(held.vault);
    await put(held, 2n * WHOLE * held.unit);
    const given = before - (await held.asset.balanceOf(held.vault));
    const { tick } = await held.pool.slot0();
    const { lower, upper } = await adapter.position();
    expect(tick < lower || tick >= upper).to.equal(true);
    expect(await adapter.fairValue()).to.be.within(given - given / 1_000n, given);
  });

  it("is centred on the multiple of the spacing nearest to the mean", async () => {
    const held = await withAdapter({ feePips: 500n, spacing: 10n });
    const { adapter, vault, probe } = held;
    for (const [tick, middle] of [
      [4n, 0n],
      [5n, 10n],
      [14n, 10n],
      [-5n, 0n],
      [-6n, -10n],
      [-16n, -20n],
    ] as const) {
      await held.trader.push((await probe.sqrtAt(tick)) + 10n ** 20n);
      await age(held, Number(WINDOW) + 60);
      await put(held, 1_000n * held.unit);
      const { lower, upper } = await adapter.position();
      expect((lower + upper) / 2n, `at ${tick}`).to.equal(middle);
      await adapter.connect(vault).withdraw(MAX, "0x");
    }
  });

  for (const [name, options] of BOTH) {
    it(`enters no pool in which nobody lends at spot, or next to nobody (${name})`, async () => {
      const held = await withAdapter(options);
      const { trader, depth, asset, vault, adapter } = held;
      await asset.connect(vault).transfer(adapter, WHOLE * held.unit);
      for (const left of [1n, 0n]) {
        await trader.burn(depth.lower, depth.upper, (await held.pool.liquidity()) - left);
        await expect(adapter.connect(vault).deposit(WHOLE * held.unit, "0x")).to.be.revertedWithCustomError(
          adapter,
          "NoLiquidity",
        );
      }
    });
  }

  it("refuses amounts that are too small for any liquidity", async () => {
    const held = await loadFixture(asUsual);
    await held.asset.connect(held.vault).transfer(held.adapter, 1n);
    await expect(held.adapter.connect(held.vault).deposit(1n, "0x"))
      .to.be.revertedWithCustomError(held.adapter, "NoLiquidity")
      .withArgs(1n, 0n);
  });
});

describe("UniswapV3Adapter: what is not registered", () => {
  const refused = async (market: Market, over: Partial<Choice>, error: string, args: readonly unknown[]) => {
    const factory = await ethers.getContractFactory("UniswapV3Adapter");
    await expect(deployAdapter(market, over), error)
      .to.be.revertedWithCustomError(factory, error)
      .withArgs(...args);
  };

  it("a pool that the factory does not know, and one of other tokens", async () => {
    const market = await loadFixture(deployMarket);
    const other = await deployPool();
    const factory = await ethers.getContractFactory("UniswapV3Adapter");
    const choice = choiceOf(market);
    await expect(factory.deploy(market.vault, other.factoryAddress, market.address, market.asset, choice))
      .to.be.revertedWithCustomError(factory, "NotFactorysPool")
      .withArgs(market.address, ZeroAddress);
    await expect(factory.deploy(market.vault, market.factoryAddress, market.address, other.asset, choice))
      .to.be.revertedWithCustomError(factory, "AssetNotInPool")
      .withArgs(await other.asset.getAddress(), await market.asset.getAddress(), await market.paired.getAddress());
  });

  it("a width off the spacing", async () => {
    const market = await deployMarket({ feePips: 500n, spacing: 10n });
    for (const halfWidth of [0n, -10n, 15n, 887_280n]) {
      await refused(market, { halfWidth }, "HalfWidthOffSpacing", [halfWidth, 10n]);
    }
  });

  it("a pool that keeps too few observations, or does not reach over the window", async () => {
    const market = await loadFixture(deployMarket);
    await refused(market, { minimumCardinality: CARDINALITY + 1 }, "TooFewObservations", [
      CARDINALITY,
      CARDINALITY + 1,
    ]);
    await refused(market, { window: 30n * DAY }, "WindowNotCovered", [30n * DAY]);
    await refused(market, { window: 0n }, "WindowNotCovered", [0n]);
  });

  it("bounds that bound nothing, and feeds that are none", async () => {
    const market = await loadFixture(deployMarket);
    await refused(market, { slippage: WAD / 10n + 1n }, "SlippageOutOfBounds", [WAD / 10n + 1n, WAD / 10n]);
    for (const bound of [0n, 1_001n, -1n]) {
      await refused(market, { spotBound: bound }, "BoundOutOfBounds", [bound, 1_000n]);
      await refused(market, { oracleBound: bound }, "BoundOutOfBounds", [bound, 1_000n]);
    }
    for (const feed of ["assetFeed", "pairedFeed"] as const) {
      await refused(market, { [feed]: market.stranger.address }, "NoFeed", [market.stranger.address]);
    }
    await refused(market, { assetHeartbeat: 0n }, "NoHeartbeat", [await market.assetFeed.getAddress()]);
    await refused(market, { pairedHeartbeat: 0n }, "NoHeartbeat", [await market.pairedFeed.getAddress()]);
    await deployAdapter(market, { slippage: WAD / 10n, spotBound: 1n, oracleBound: 1_000n });
  });
});
