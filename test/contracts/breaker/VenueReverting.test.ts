// An adapter that cannot be read: not for a moment only, and not only until it is in quarantine.
import { loadFixture, mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { DAY, deploySystem, deposit, rebalance } from "../deployment";
import { HALF_AN_HOUR, armAndTrip, call, register, requireNotHolding } from "./proof";

async function watched() {
  const system = await deploySystem({ venues: 2 });
  await deposit(system, system.alice, 1_000_000n * system.unit);
  await time.increase(DAY);
  const [first, adapter] = system.adapters;
  const [, venue] = system.venues;
  if (first === undefined || adapter === undefined || venue === undefined) throw new Error("there are two venues");
  await rebalance(system, [
    [first, 300_000n * system.unit],
    [adapter, 200_000n * system.unit],
  ]);
  const condition = await (await ethers.getContractFactory("VenueReverting")).deploy();
  await register(system, condition);
  const attacker = await (await ethers.getContractFactory("OneTransaction")).deploy();
  return { system, vault: system.vault, adapter, venue, condition, attacker };
}

describe("VenueReverting", () => {
  it("trips on an adapter that was reported before, still cannot be read, and is not in quarantine yet", async () => {
    const { system, vault, adapter, venue, condition } = await loadFixture(watched);
    await requireNotHolding(system, condition);
    await venue.setBroken(true);
    await requireNotHolding(system, condition);
    await vault.reportUnreadable(adapter);
    expect(await condition.holds(vault)).to.equal(false);
    await mine();
    expect(await condition.holds(vault)).to.equal(true);
    await armAndTrip(system, condition);
    expect((await vault.adapter(adapter)).quarantined).to.equal(false);
  });

  it("trips on one that burns all gas", async () => {
    const { system, vault, adapter, venue, condition } = await loadFixture(watched);
    await venue.setBurnsGas(true);
    await vault.reportUnreadable(adapter, { gasLimit: 3_000_000 });
    await mine();
    await armAndTrip(system, condition);
  });

  it("is not armed in the block of the report", async () => {
    const { vault, adapter, venue, condition, attacker } = await loadFixture(watched);
    await venue.setBroken(true);
    const report = await call(vault, "reportUnreadable", [await adapter.getAddress()]);
    const arm = await call(vault, "arm", [await condition.getAddress()]);
    await expect(attacker.run([report, arm])).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
  });

  it("does not trip on one that can be read in between or at the end", async () => {
    const { system, vault, adapter, venue, condition } = await loadFixture(watched);
    await venue.setBroken(true);
    await vault.reportUnreadable(adapter);
    await mine();
    await vault.arm(condition);
    await time.increase(HALF_AN_HOUR);
    await venue.setBroken(false);
    await expect(vault.trip(condition)).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
    await vault.connect(system.stranger).reportUnreadable(adapter);
    await venue.setBroken(true);
    await expect(vault.trip(condition)).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
    await vault.disarm(condition);
  });

  it("is not prevented by the second report, which puts the adapter in quarantine", async () => {
    const { system, vault, adapter, venue, condition } = await loadFixture(watched);
    await venue.setBroken(true);
    await vault.reportUnreadable(adapter);
    await mine();
    await armAndTrip(system, condition, async () => {
      await mine(50);
      await vault.connect(system.keeper).reportUnreadable(adapter);
      expect(await vault.readFailureAt(adapter)).to.equal(0n);
    });
  });

  it("does not hold for an adapter in quarantine that can be read", async () => {
    const { system, vault, adapter, condition } = await loadFixture(watched);
    await vault.connect(system.guardian).quarantine(adapter);
    await mine();
    await requireNotHolding(system, condition);
  });

  it("forgets a report after a day", async () => {
    const { system, vault, adapter, venue, condition } = await loadFixture(watched);
    await venue.setBroken(true);
    await vault.reportUnreadable(adapter);
    await mine(7_200);
    expect(await condition.holds(vault)).to.equal(true);
    await mine();
    await requireNotHolding(system, condition);
  });

  it("reads ten adapters with the gas that the vault gives", async () => {
    const system = await deploySystem({ venues: 10, venueName: "HostileVenue" });
    const condition = await (await ethers.getContractFactory("VenueReverting")).deploy();
    await register(system, condition);
    for (const [index, venue] of system.venues.entries()) {
      const adapter = system.adapters[index];
      if (adapter === undefined) throw new Error("each venue has an adapter");
      await venue.setBroken(true);
      await system.vault.reportUnreadable(adapter);
      // Reports stand though nine of the ten can be read again.
      if (index < 9) await venue.setBroken(false);
    }
    await mine();
    await system.vault.arm(condition);
  });

  it("believes no failure for want of gas", async () => {
    const { vault, adapter, venue, condition } = await loadFixture(watched);
    await venue.setBroken(true);
    await vault.reportUnreadable(adapter);
    await mine();
    await venue.setBroken(false);
    await expect(condition.holds(vault, { gasLimit: 300_000 })).to.be.revertedWithCustomError(vault, "InsufficientGas");
  });
});
