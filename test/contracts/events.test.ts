// What the vault's events say of who did what for whom: state that is rebuilt from them hangs on each field.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { anyValue } from "@nomicfoundation/hardhat-chai-matchers/withArgs";
import { expect } from "chai";
import { ethers } from "hardhat";
import { DAY, WAD, deploySystem, deposit, rebalance } from "./deployment";

async function invested() {
  const system = await deploySystem({ venues: 2 });
  await deposit(system, system.alice, 1_000_000n * system.unit);
  await time.increase(DAY);
  await rebalance(system, [
    [system.adapters[0]!, 300_000n * system.unit],
    [system.adapters[1]!, 200_000n * system.unit],
  ]);
  return { ...system, system };
}

describe("the vault's events", () => {
  it("name who pays in and who gets the shares", async () => {
    const { vault, alice, stranger, unit } = await loadFixture(invested);
    await expect(vault.connect(alice)["deposit(uint256,address)"](5n * unit, stranger.address))
      .to.emit(vault, "Deposit")
      .withArgs(alice.address, stranger.address, 5n * unit, 5n * WAD);
  });

  it("name who asked for an exit, who is paid and whose shares they were", async () => {
    const { vault, alice, bob, stranger, unit } = await loadFixture(invested);
    await vault.connect(alice).approve(bob.address, 5n * WAD);
    const exit = vault.connect(bob)["withdraw(uint256,address,address)"](5n * unit, stranger.address, alice.address);
    await expect(exit)
      .to.emit(vault, "Withdraw")
      .withArgs(bob.address, stranger.address, alice.address, 5n * unit, 5n * WAD);
  });

  it("say of an exit in kind what was paid of each adapter, and what became a claim", async () => {
    const { vault, alice, stranger, adapters } = await loadFixture(invested);
    const [paid, skipped] = [await adapters[0]!.getAddress(), await adapters[1]!.getAddress()];
    const exit = vault.connect(alice).redeemInKind(100_000n * WAD, stranger.address, [skipped]);
    const isPositive = (value: bigint): boolean => value > 0n;
    await expect(exit).to.emit(vault, "PaidInKind").withArgs(paid, stranger.address, isPositive, 0n);
    await expect(exit).to.emit(vault, "PaidInKind").withArgs(skipped, stranger.address, 0n, isPositive);
    await expect(exit)
      .to.emit(vault, "RedeemedInKind")
      .withArgs(alice.address, stranger.address, 100_000n * WAD, anyValue, anyValue);
  });

  it("say until when the guardian tripped, that no condition did, and that nothing is left after a reset", async () => {
    const { vault, guardian, owner } = await loadFixture(invested);
    const until = BigInt(await time.latest()) + 1n + DAY;
    await time.setNextBlockTimestamp(until - DAY);
    await expect(vault.connect(guardian).guardianTrip(DAY))
      .to.emit(vault, "BreakerChanged")
      .withArgs(1n, until, ethers.ZeroAddress);
    await expect(vault.connect(owner).resetBreaker())
      .to.emit(vault, "BreakerChanged")
      .withArgs(0n, 0n, ethers.ZeroAddress);
  });

  it("say of each first limit that there was none before", async () => {
    const { vault } = await loadFixture(invested);
    const creation = await vault.deploymentTransaction()!.wait();
    const limits = (await vault.queryFilter(vault.filters.LimitChanged())).filter(
      (log) => log.blockNumber === creation!.blockNumber,
    );
    expect(limits.map((log) => ethers.decodeBytes32String(log.args.field))).to.have.members([
      "managementFee",
      "performanceFee",
      "maxRate",
      "depositCap",
      "minimumIdle",
      "lossPerCall",
    ]);
    for (const { args } of limits) expect(args.previous).to.equal(0n);
  });

  it("say of a cap whose it is, beside the adapter's other caps", async () => {
    const { vault, guardian, adapters } = await loadFixture(invested);
    const [first, second] = [await adapters[0]!.getAddress(), await adapters[1]!.getAddress()];
    await vault.connect(guardian).setRelativeCap(second, WAD / 2n);
    await vault.connect(guardian).setRelativeCap(first, WAD / 3n);
    const { absoluteCap } = await vault.adapter(first);
    await expect(vault.connect(guardian).setAbsoluteCap(first, 7n))
      .to.emit(vault, "AdapterCapsChanged")
      .withArgs(first, 7n, WAD / 3n, 1n, guardian.address);
    expect(absoluteCap).to.be.greaterThan(7n);
    await expect(vault.connect(guardian).setRelativeCap(second, WAD / 4n))
      .to.emit(vault, "AdapterCapsChanged")
      .withArgs(second, absoluteCap, WAD / 4n, 1n, guardian.address);
  });
});
