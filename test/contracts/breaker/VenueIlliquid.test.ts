// A venue that is lent out: proved by what its borrowers were charged, which no flash loan can feign or hide.
import { loadFixture, mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { DAY, MAX, WAD, YEAR, deploySystem, deposit, rebalance, type MoveOf, type System } from "../deployment";
import { HALF_AN_HOUR, MINUTE, armAndTrip, call, inOneBlock, register, requireNotHolding } from "./proof";

const RAY = 10n ** 27n;
const LEAST_RATE = (WAD * 30n) / 100n;
const LENT_OUT = (WAD * 60n) / 100n;
const USUAL = (WAD * 5n) / 100n;
const POSITION = 300_000n;

async function withAdapter(system: System, adapter: MoveOf[0]): Promise<void> {
  await system.vault.connect(system.owner).addAdapter({
    adapter: await adapter.getAddress(),
    absoluteCap: MAX,
    relativeCap: WAD,
    groupMask: 1n,
  });
  await deposit(system, system.alice, 1_000_000n * system.unit);
  await time.increase(DAY);
  await rebalance(system, [[adapter, POSITION * system.unit]]);
}

/** A position in Aave, whose debt index is at the hands of the test. */
async function aave() {
  const system = await deploySystem({ venues: 0 });
  const { token, vault, unit } = system;
  const pool = await (await ethers.getContractFactory("SmallAavePool")).deploy(token);
  const aToken = await ethers.getContractAt("SmallAaveToken", await pool.aToken());
  const adapter = await (
    await ethers.getContractFactory("AaveV3Adapter")
  ).deploy(vault, pool, token, ethers.ZeroAddress);
  await withAdapter(system, adapter);
  const factory = await ethers.getContractFactory("AaveV3Illiquid");
  const condition = await factory.deploy(adapter, LEAST_RATE, WAD);
  await register(system, condition);
  const attacker = await (await ethers.getContractFactory("OneTransaction")).deploy();
  /** Time in which borrowers are charged at `rate`. */
  const passes = async (seconds: bigint, rate: bigint) => {
    const index = await pool.debtIndex();
    await time.increase(seconds - 1n);
    await pool.setIndices(RAY, index + (index * rate * seconds) / (WAD * YEAR), 0n);
  };
  const cash = POSITION * unit;
  const lendOut = () => aToken.pay(system.bob.address, cash);
  const repay = () => token.connect(system.bob).transfer(aToken, cash);
  /** `calls`, while all of the cash is out on a flash loan. */
  const drained = async (calls: Awaited<ReturnType<typeof call>>[]) => {
    const out = await call(aToken, "pay", [await attacker.getAddress(), cash]);
    const back = await call(token, "transfer", [await aToken.getAddress(), cash]);
    return attacker.run([out, ...calls, back]);
  };
  return {
    system,
    vault,
    token,
    unit,
    pool,
    aToken,
    adapter,
    factory,
    condition,
    attacker,
    passes,
    cash,
    lendOut,
    repay,
    drained,
  };
}

/** Half an hour after it was lent out, a shortage seen. */
async function lentOut() {
  const parts = await aave();
  await parts.lendOut();
  await parts.condition.observe();
  await parts.passes(HALF_AN_HOUR, LENT_OUT);
  return parts;
}

describe("VenueIlliquid: a reserve of Aave V3", () => {
  it("trips after half an hour at the top of the curve before arming, and another before tripping", async () => {
    const { system, vault, condition, passes } = await loadFixture(lentOut);
    expect(await condition.holds(vault)).to.equal(true);
    expect((await condition.averageRate())[1]).to.be.closeTo(LENT_OUT, LENT_OUT / 1_000n);
    await armAndTrip(system, condition, async () => {
      await passes(2n, LENT_OUT * 900n);
      await condition.observe();
    });
  });

  it("does not trip by a flash loan that drains it at arming and again at tripping", async () => {
    const { vault, condition, passes, drained } = await loadFixture(aave);
    const observe = await call(condition, "observe");
    const arm = await call(vault, "arm", [await condition.getAddress()]);
    await drained([observe]);
    await passes(HALF_AN_HOUR, USUAL);
    expect(await condition.shortAt()).to.be.greaterThan(0n);
    await expect(drained([observe, arm])).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
    await expect(drained([arm])).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
  });

  it("does not trip by a flash loan once the venue had half an hour to recover from what was true", async () => {
    const { vault, condition, passes, drained, repay } = await loadFixture(lentOut);
    await vault.arm(condition);
    await repay();
    await condition.observe();
    await passes(HALF_AN_HOUR, USUAL);
    const observe = await call(condition, "observe");
    const trip = await call(vault, "trip", [await condition.getAddress()]);
    await expect(drained([observe, trip])).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
    await vault.disarm(condition);
  });

  it("cannot be refuted by a flash loan that fills it", async () => {
    const { system, vault, token, condition, aToken, attacker, cash } = await loadFixture(lentOut);
    await vault.arm(condition);
    const address = await attacker.getAddress();
    const borrow = await call(token, "mint", [address, 10n * cash]);
    const fill = await call(token, "transfer", [await aToken.getAddress(), 10n * cash]);
    const empty = await call(aToken, "pay", [address, 10n * cash]);
    const observe = await call(condition, "observe");
    const disarm = await call(vault, "disarm", [await condition.getAddress()]);
    await attacker.run([borrow, fill, observe, empty]);
    expect(await condition.holds(vault)).to.equal(true);
    await expect(attacker.run([borrow, fill, disarm, empty]))
      .to.be.revertedWithCustomError(vault, "ConditionHolding")
      .withArgs(await condition.getAddress());
    await expect(attacker.run([borrow, fill, observe, disarm])).to.be.revertedWithCustomError(
      vault,
      "ConditionHolding",
    );
    expect((await vault.condition(condition))[1]).to.be.greaterThan(0n);
    expect(await vault.isKeeper(system.keeper.address)).to.equal(true);
  });

  it("cannot be prevented by who observes in every block", async () => {
    const { system, vault, condition, passes } = await loadFixture(aave);
    const { lendOut } = await loadFixture(aave);
    await lendOut();
    const spam = () => condition.connect(system.keeper).observe({ gasLimit: 1_000_000 });
    await spam();
    for (let i = 0; i < 60; i++) {
      await passes(5n * MINUTE, LENT_OUT);
      await inOneBlock(spam, spam);
      // In the block itself of a shortage it waits for the next.
      await mine();
      if (i >= 6) expect(await condition.holds(vault), `after ${5 * i} minutes`).to.equal(true);
    }
    await inOneBlock(spam, () => vault.arm(condition, { gasLimit: 2_000_000 }));
    for (let i = 0; i < 6; i++) {
      await passes(5n * MINUTE, LENT_OUT);
      await spam();
    }
    await mine();
    await inOneBlock(spam, () => vault.trip(condition, { gasLimit: 2_000_000 }));
    expect((await vault.breaker())[0]).to.equal(2n);
  });

  it("takes new checkpoints only when the last is half an hour old, and keeps that", async () => {
    const { condition, passes } = await loadFixture(aave);
    await condition.observe();
    const first = await condition.newer();
    await passes(HALF_AN_HOUR - 1n, USUAL);
    expect(await condition.averageRate()).to.deep.equal([false, 0n]);
    await time.setNextBlockTimestamp(first.takenAt + HALF_AN_HOUR);
    await expect(condition.observe()).to.emit(condition, "CheckpointTaken");
    expect(await condition.older()).to.deep.equal(first);
    expect((await condition.averageRate())[0]).to.equal(true);
    await expect(condition.observe()).to.not.emit(condition, "CheckpointTaken");
  });

  it("judges by no checkpoint and by no shortage of more than 90 minutes ago", async () => {
    const { system, vault, condition, passes } = await loadFixture(lentOut);
    const { takenAt } = await condition.newer();
    const shortAt = await condition.shortAt();
    expect(shortAt).to.equal(takenAt);
    await passes(60n * MINUTE - 10n, LENT_OUT);
    await time.increaseTo(takenAt + 90n * MINUTE);
    expect(await condition.holds(vault)).to.equal(true);
    expect((await condition.averageRate())[0]).to.equal(true);
    await time.increase(1n);
    expect((await condition.averageRate())[0]).to.equal(false);
    await requireNotHolding(system, condition);
  });

  it("does not hold for a venue that is dear but can pay, nor any longer than 90 minutes after it could not", async () => {
    const { system, vault, condition, passes, lendOut, repay } = await loadFixture(aave);
    await condition.observe();
    await passes(HALF_AN_HOUR, LENT_OUT);
    await condition.observe();
    expect((await condition.averageRate())[1]).to.be.greaterThan(LEAST_RATE);
    await requireNotHolding(system, condition);
    await lendOut();
    await expect(condition.observe())
      .to.emit(condition, "ShortageSeen")
      .withArgs(0n, POSITION * system.unit);
    // Not in the block in which it was seen.
    expect(await condition.holds(vault)).to.equal(false);
    await mine();
    expect(await condition.holds(vault)).to.equal(true);
    await repay();
    for (let i = 0; i < 3; i++) {
      await passes(HALF_AN_HOUR, LENT_OUT);
      await condition.observe();
    }
    expect((await condition.averageRate())[1]).to.be.greaterThan(LEAST_RATE);
    await requireNotHolding(system, condition);
  });

  it("asks for the least rate, and for the stated share of the position", async () => {
    const { system, vault, factory, adapter, condition, passes, aToken, cash } = await loadFixture(aave);
    const half = await factory.deploy(adapter, LEAST_RATE, WAD / 2n);
    await aToken.pay(system.bob.address, cash / 2n);
    await condition.observe();
    await half.observe();
    expect([await condition.shortAt(), await half.shortAt()].map((at) => at > 0n)).to.deep.equal([true, false]);
    await aToken.pay(system.bob.address, 1n);
    await half.observe();
    expect(await half.shortAt()).to.be.greaterThan(0n);
    await passes(HALF_AN_HOUR, LEAST_RATE - WAD / 100n);
    expect(await condition.holds(vault)).to.equal(false);
    await passes(HALF_AN_HOUR, LEAST_RATE + (WAD * 2n) / 100n);
    expect(await condition.holds(vault)).to.equal(true);
  });

  it("sees no shortage where there is no position", async () => {
    const { system, condition, adapter } = await loadFixture(aave);
    await rebalance(system, [[adapter, -(POSITION * system.unit)]]);
    await condition.observe();
    expect(await condition.shortAt()).to.equal(0n);
  });

  it("holds for the adapter's vault only, whoever asks", async () => {
    const { vault, condition, system } = await loadFixture(lentOut);
    const poser = await (await ethers.getContractFactory("PosingVault")).deploy();
    expect(await condition.holds(poser)).to.equal(false);
    expect(await condition.holds(system.stranger.address)).to.equal(false);
    expect(await condition.holds(vault)).to.equal(true);
  });

  it("does not hold when the reserve cannot be read, for a revert is no proof", async () => {
    const { vault, condition, adapter, pool } = await loadFixture(lentOut);
    await pool.misbehave(0n, false, true);
    // What the pool would pay cannot be known: `maxWithdraw` says nothing, which is a shortage, and the rate stands.
    expect(await adapter.maxWithdraw()).to.equal(0n);
    expect(await condition.holds(vault)).to.equal(true);
    await pool.setIndices(RAY, 0n, 0n);
    await expect(condition.holds(vault)).to.be.revertedWithPanic(0x11);
    await expect(vault.arm(condition)).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
  });

  it("refuses an adapter of another kind, no rate, and shares that are none", async () => {
    const { factory, adapter } = await loadFixture(aave);
    const other = await ethers.getContractFactory("CompoundV3Illiquid");
    await expect(other.deploy(adapter, LEAST_RATE, WAD))
      .to.be.revertedWithCustomError(other, "AdapterOfOtherKind")
      .withArgs(
        await adapter.getAddress(),
        ethers.encodeBytes32String("aave-v3"),
        ethers.encodeBytes32String("compound-v3"),
      );
    await expect(factory.deploy(adapter, 0n, WAD)).to.be.revertedWithCustomError(factory, "NoLeastRate");
    for (const share of [0n, WAD + 1n]) {
      await expect(factory.deploy(adapter, LEAST_RATE, share))
        .to.be.revertedWithCustomError(factory, "ShareOutOfRange")
        .withArgs(share, WAD);
    }
  });
});

describe("VenueIlliquid: a Comet", () => {
  /** Its borrowers pay 4.4 % a year. */
  async function comet() {
    const system = await deploySystem({ venues: 0 });
    const venue = await (await ethers.getContractFactory("SmallComet")).deploy(system.token);
    const adapter = await (
      await ethers.getContractFactory("CompoundV3Adapter")
    ).deploy(system.vault, venue, ethers.ZeroAddress);
    await withAdapter(system, adapter);
    const rate = (await venue.getBorrowRate(await venue.getUtilization())) * YEAR;
    const factory = await ethers.getContractFactory("CompoundV3Illiquid");
    const condition = await factory.deploy(adapter, rate, WAD);
    await register(system, condition);
    return { system, venue, adapter, rate, factory, condition };
  }

  it("counts the interest since Comet's last accrual at the rate of now", async () => {
    const { system, venue, condition, rate } = await loadFixture(comet);
    await system.token.burn(venue, POSITION * system.unit);
    await condition.observe();
    await requireNotHolding(system, condition);
    await time.increase(HALF_AN_HOUR);
    // Interest is simple since Comet's last accrual, which was a day ago.
    const [ok, found] = await condition.averageRate();
    expect([ok, found >= (rate * 999n) / 1_000n && found <= (rate * 1_001n) / 1_000n]).to.deep.equal([true, true]);
  });

  it("does not hold below the least rate", async () => {
    const { system, venue, adapter, rate, factory } = await loadFixture(comet);
    const [low, high] = [
      await factory.deploy(adapter, rate - WAD / 1_000n, WAD),
      await factory.deploy(adapter, rate + WAD / 1_000n, WAD),
    ];
    await system.token.burn(venue, POSITION * system.unit);
    await low.observe();
    await high.observe();
    await register(system, low);
    await time.increase(HALF_AN_HOUR);
    expect([await low.holds(system.vault), await high.holds(system.vault)]).to.deep.equal([true, false]);
    await armAndTrip(system, low);
  });

  it("takes the index as it is in the block of an accrual", async () => {
    const { system, venue, condition } = await loadFixture(comet);
    await inOneBlock(
      () => venue.setBorrowIndex(2n * 10n ** 15n, { gasLimit: 100_000 }),
      () => condition.connect(system.bob).observe({ gasLimit: 1_000_000 }),
    );
    expect((await condition.newer()).index).to.equal(2n * 10n ** 15n);
  });
});
