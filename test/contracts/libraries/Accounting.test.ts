// What the vault is worth, where claims and failing reads meet.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { DAY, MAX, WAD, YEAR, deploySystem, deposit, rebalance, withdraw } from "../deployment";

/** Half a million with an adapter that does as told; half of that belongs to a claim. */
async function halfClaimed() {
  const system = await deploySystem({ venues: 0 });
  const { vault, token, alice, bob, owner, unit } = system;
  const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
  const address = await adapter.getAddress();
  await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
  await deposit(system, alice, 500_000n * unit);
  await deposit(system, bob, 500_000n * unit);
  await time.increase(DAY);
  await rebalance(system, [[adapter, 500_000n * unit]]);
  await vault.connect(alice).redeemInKind(500_000n * WAD, alice.address, [address]);
  await time.increase(DAY);
  /** What the claim is worth. */
  const claimed = async (): Promise<bigint> => {
    const { claimUnits, totalUnits } = await vault.adapter(address);
    return ((await adapter.fairValue()) * claimUnits) / totalUnits;
  };
  return { ...system, system, adapter, claimed };
}

describe("Accounting", () => {
  it("gives a claim on a worthless position nothing of what the vault puts in afterwards", async () => {
    const { system, vault, adapter, claimed, unit } = await loadFixture(halfClaimed);
    const before = await vault.totalAssets();
    await adapter.setValueOffset(-(await adapter.fairValue()));
    await rebalance(system, [[adapter, 50_000n * unit]]);
    expect(await adapter.fairValue()).to.equal(50_000n * unit);
    expect(await claimed()).to.equal(0n);
    expect((await vault.adapter(adapter)).recorded).to.be.within(50_000n * unit - 1n, 50_000n * unit);
    expect(await vault.totalAssets()).to.be.within(before - 250_001n * unit, before - 249_999n * unit);
  });

  it("keeps a claim's worth through an exit after which the position cannot be read", async () => {
    const system = await deploySystem({ venues: 1 });
    const { vault, alice, bob, unit } = system;
    const [adapter, venue] = [system.adapters[0]!, system.venues[0]!];
    await deposit(system, alice, 500_000n * unit);
    await deposit(system, bob, 500_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapter, 500_000n * unit]]);
    await vault.connect(alice).redeemInKind(500_000n * WAD, alice.address, [await adapter.getAddress()]);
    await venue.setCall(venue, venue.interface.encodeFunctionData("setBroken", [true]));
    await withdraw(system, bob, 300_000n * unit);
    expect(await venue.broken()).to.equal(true);
    await venue.setBroken(false);
    const { claimUnits, totalUnits } = await vault.adapter(adapter);
    expect(await adapter.fairValue()).to.be.within(449_999n * unit, 450_001n * unit);
    const claimed = ((await adapter.fairValue()) * claimUnits) / totalUnits;
    expect(claimed).to.be.within(249_999n * unit, 250_001n * unit);
  });

  it("remembers the price after the performance fee as the highest that was paid for", async () => {
    const system = await deploySystem({ venues: 0, terms: { performanceFee: WAD / 5n, maxRate: WAD } });
    const { vault, token, alice, stranger, unit } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await token.connect(stranger).transfer(vault, 100_000n * unit);
    await time.increase(YEAR);
    await vault.accrue();
    const price = await vault.sharePrice();
    expect(await vault.highWaterMark()).to.equal(price);
    // The fee is not taken twice: what is left of the gain is below the mark.
    await time.increase(DAY);
    await expect(vault.accrue()).to.not.emit(vault, "Transfer");
    expect(await vault.sharePrice()).to.equal(price);
  });

  it("rounds up what is recorded of an adapter when a part of it leaves in kind", async () => {
    const { vault, adapter, bob } = await loadFixture(halfClaimed);
    await vault.accrue();
    const { recorded } = await vault.adapter(adapter);
    // Too few shares for a unit of the position, but for a unit of its claims.
    await vault.connect(bob).redeemInKind(1_000n, bob.address, []);
    expect((await vault.adapter(adapter)).recorded).to.equal(recorded);
  });
});
