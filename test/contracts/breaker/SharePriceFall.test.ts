// A fall of the share price: from which reference, by which samples, and who can neither make nor prevent the proof.
import { loadFixture, mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { ZeroAddress } from "ethers";
import { DAY, WAD, deploySystem, deposit, rebalance, redeem } from "../deployment";
import { HALF_AN_HOUR, MINUTE, armAndTrip, call, inOneBlock, register, requireNotHolding } from "./proof";

const BOUND = WAD / 100n;

async function watched() {
  const system = await deploySystem({ venues: 1 });
  const { vault, unit } = system;
  await deposit(system, system.alice, 1_000_000n * unit);
  await time.increase(DAY);
  const [adapter] = system.adapters;
  const [venue] = system.venues;
  if (adapter === undefined || venue === undefined) throw new Error("the system has a venue");
  await rebalance(system, [[adapter, 500_000n * unit]]);
  const condition = await (await ethers.getContractFactory("SharePriceFall")).deploy(BOUND);
  await register(system, condition);
  await condition.observe(vault);
  const attacker = await (await ethers.getContractFactory("OneTransaction")).deploy();
  return { system, vault, unit, venue, adapter, condition, attacker };
}

/** 2 % of the vault are lost and sampled. */
async function fallen() {
  const parts = await watched();
  await parts.venue.lose(20_000n * parts.unit);
  await parts.condition.observe(parts.vault);
  await mine();
  return parts;
}

describe("SharePriceFall", () => {
  it("trips by a fall beyond the bound that was sampled before arming and again before tripping", async () => {
    const { system, vault, condition } = await loadFixture(fallen);
    expect(await condition.holds(vault)).to.equal(true);
    await armAndTrip(system, condition, () => condition.observe(vault));
  });

  it("does not hold for a fall of the bound or less", async () => {
    const { system, vault, unit, venue, condition } = await loadFixture(watched);
    await venue.lose(9_990n * unit);
    await condition.observe(vault);
    await mine();
    await requireNotHolding(system, condition);
    await venue.lose(20n * unit);
    await condition.observe(vault);
    await mine();
    expect(await condition.holds(vault)).to.equal(true);
  });

  it("is not armed in the transaction or the block in which the price fell", async () => {
    const { vault, unit, venue, condition, attacker } = await loadFixture(watched);
    const lose = await call(venue, "lose", [20_000n * unit]);
    const observe = await call(condition, "observe", [await vault.getAddress()]);
    const arm = await call(vault, "arm", [await condition.getAddress()]);
    await expect(attacker.run([lose, observe, arm])).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
    await expect(attacker.run([observe, lose, observe, arm])).to.be.revertedWithCustomError(
      vault,
      "ConditionNotHolding",
    );
    await inOneBlock(
      () => attacker.run([lose, observe], { gasLimit: 5_000_000 }),
      () => attacker.run([observe], { gasLimit: 5_000_000 }),
    );
    // Of the block before it knows the sound price still, in the one after it no longer.
    expect(await condition.holds(vault)).to.equal(false);
    await mine();
    expect(await condition.holds(vault)).to.equal(true);
  });

  it("does not trip by the sample that armed it", async () => {
    const { system, vault, condition } = await loadFixture(fallen);
    await vault.arm(condition);
    await time.increase(HALF_AN_HOUR);
    await expect(vault.trip(condition)).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
    await vault.connect(system.stranger).disarm(condition);
  });

  it("takes no sample older than 15 minutes", async () => {
    const { vault, condition } = await loadFixture(fallen);
    const { latest } = await condition.observations(vault);
    await time.increaseTo(latest.takenAt + 15n * MINUTE);
    expect(await condition.holds(vault)).to.equal(true);
    await time.increase(1n);
    expect(await condition.holds(vault)).to.equal(false);
  });

  it("does not hold once what was lost has come back, also where the last sample is of before", async () => {
    const { system, vault, unit, venue, condition } = await loadFixture(fallen);
    await system.token.mint(await venue.getAddress(), 30_000n * unit);
    // A gain drips in at 50 % a year at most.
    await time.increase(20n * DAY);
    await condition.observe(vault);
    await mine();
    await requireNotHolding(system, condition);

    await system.vault.connect(system.owner).setMaxRate(2n * WAD);
    await venue.lose(20_000n * unit);
    await condition.observe(vault);
    await system.token.mint(await venue.getAddress(), 30_000n * unit);
    await time.increase(14n * MINUTE);
    expect(await condition.holds(vault)).to.equal(true);
  });

  it("looks at the last accrual besides the sample", async () => {
    const { vault, unit, venue, condition, system } = await loadFixture(watched);
    await venue.lose(10_001n * unit);
    await condition.observe(vault);
    await mine();
    expect(await condition.holds(vault)).to.equal(true);
    await system.token.mint(await venue.getAddress(), 100n * unit);
    await time.increase(14n * MINUTE);
    await vault.accrue();
    await requireNotHolding(system, condition);
  });

  it("cannot be prevented by who accrues and observes first in each block", async () => {
    const { system, vault, condition } = await loadFixture(fallen);
    const spam = () => condition.connect(system.keeper).observe(vault, { gasLimit: 3_000_000 });
    const accrue = () => vault.connect(system.keeper).accrue({ gasLimit: 3_000_000 });
    for (let i = 0; i < 3; i++) await inOneBlock(accrue, spam, spam);
    const address = await condition.getAddress();
    await inOneBlock(accrue, spam, () => vault.connect(system.stranger).arm(address, { gasLimit: 3_000_000 }));
    await time.increase(HALF_AN_HOUR);
    await inOneBlock(accrue, spam);
    await inOneBlock(accrue, spam, () => vault.connect(system.stranger).trip(address, { gasLimit: 3_000_000 }));
    expect((await vault.breaker())[0]).to.equal(2n);
  });

  it("keeps the highest price since the reset, whatever was deposited, withdrawn or donated", async () => {
    const { system, vault, unit, venue, condition } = await loadFixture(watched);
    const first = (await condition.observations(vault)).mark.price;
    await system.token.mint(await venue.getAddress(), 100_000n * unit);
    await condition.observe(vault);
    const donated = (await condition.observations(vault)).mark.price;
    expect(donated - first).to.be.lessThan(first / 1_000_000n);
    await time.increase(10n * DAY);
    await condition.observe(vault);
    const later = (await condition.observations(vault)).mark.price;
    expect(later).to.be.greaterThan((first * 101n) / 100n);
    await deposit(system, system.bob, 5_000_000n * unit);
    await redeem(system, system.bob, await vault.balanceOf(system.bob.address));
    await condition.observe(vault);
    expect((await condition.observations(vault)).mark.price).to.be.closeTo(later, later / 1_000n);
    await venue.lose(200_000n * unit);
    const high = (await condition.observations(vault)).mark.price;
    await condition.observe(vault);
    expect((await condition.observations(vault)).mark.price).to.equal(high);
  });

  it("is rebased by a reset: what fell before does not count again", async () => {
    const { system, vault, unit, venue, condition } = await loadFixture(fallen);
    await armAndTrip(system, condition, () => condition.observe(vault));
    const reset = () => vault.connect(system.owner).resetBreaker({ gasLimit: 1_000_000 });
    const observe = () => condition.observe(vault, { gasLimit: 1_000_000 });
    // An observation in the block of the reset, before or after it, is of before.
    await inOneBlock(observe, reset, observe);
    await mine();
    await requireNotHolding(system, condition);
    await observe();
    await mine();
    await requireNotHolding(system, condition);
    const { mark } = await condition.observations(vault);
    expect(mark.since).to.be.greaterThan(await vault.breakerResetAt());
    await venue.lose(11_000n * unit);
    await observe();
    await mine();
    expect(await condition.holds(vault)).to.equal(true);
  });

  it("does not hold after a reset by what was observed before it", async () => {
    const { system, vault, condition } = await loadFixture(fallen);
    await vault.connect(system.guardian).guardianTrip(DAY);
    expect(await condition.holds(vault)).to.equal(true);
    await vault.connect(system.owner).resetBreaker();
    await mine();
    await requireNotHolding(system, condition);
  });

  it("judges nothing while an adapter does not count, and what did not come back once it does again", async () => {
    const { system, vault, unit, venue, condition } = await loadFixture(watched);
    await venue.setBroken(true);
    await condition.observe(vault);
    await mine();
    await requireNotHolding(system, condition);
    expect((await condition.observations(vault)).latest.price).to.equal(
      (await condition.observations(vault)).mark.price,
    );
    await venue.lose(20_000n * unit);
    await venue.setBroken(false);
    await condition.observe(vault);
    await mine();
    expect(await condition.holds(vault)).to.equal(true);
    await venue.setBroken(true);
    await vault.accrue();
    await requireNotHolding(system, condition);
  });

  it("knows nothing before an observation, and forgets when it is not registered", async () => {
    const { system, vault, condition } = await loadFixture(fallen);
    await vault.connect(system.owner).setCondition(condition, false);
    await expect(condition.observe(vault))
      .to.emit(condition, "Forgotten")
      .withArgs(await vault.getAddress());
    await vault.connect(system.owner).setCondition(condition, true);
    await requireNotHolding(system, condition);
    await expect(condition.observe(vault)).to.emit(condition, "Observed");
    await mine();
    await requireNotHolding(system, condition);
  });

  it("refuses to observe in the middle of a call to the vault", async () => {
    const token = await (await ethers.getContractFactory("HostileToken")).deploy();
    const system = await deploySystem({ venues: 0, token });
    const condition = await (await ethers.getContractFactory("SharePriceFall")).deploy(BOUND);
    await register(system, condition);
    await deposit(system, system.alice, 1_000n * system.unit);
    const { target, data } = await call(condition, "observe", [await system.vault.getAddress()]);
    await token.setHook(system.bob.address, target, data);
    await system.vault.connect(system.alice).redeemInKind(WAD, system.bob.address, []);
    expect(await token.lastSuccess()).to.equal(false);
    expect((await condition.observations(system.vault)).latest.takenAt).to.equal(0n);
  });

  it("keeps what a poser says apart from every vault", async () => {
    const { vault, condition } = await loadFixture(watched);
    const before = await condition.observations(vault);
    const poser = await (await ethers.getContractFactory("PosingVault")).deploy();
    const { target, data } = await call(condition, "observe", [await vault.getAddress()]);
    await condition.observe(poser);
    await poser.set(1n, ZeroAddress, "0x");
    await condition.observe(poser);
    await mine();
    expect(await condition.holds(poser)).to.equal(true);
    expect(await condition.holds(vault)).to.equal(false);
    expect(await condition.observations(vault)).to.deep.equal(before);
    await poser.set(1n, target, data);
    await condition.observe(poser);
    expect((await condition.observations(vault)).mark.price).to.be.closeTo(before.mark.price, 10n ** 13n);
  });

  it("refuses a bound of nothing, or of everything", async () => {
    const factory = await ethers.getContractFactory("SharePriceFall");
    for (const bound of [0n, WAD]) {
      await expect(factory.deploy(bound))
        .to.be.revertedWithCustomError(factory, "BoundOutOfRange")
        .withArgs(bound, WAD);
    }
  });
});
