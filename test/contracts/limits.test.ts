// What `max*` say where a unit decides, and in the middle of a call.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { DAY, deploySystem, deposit, rebalance, redeem } from "./deployment";

async function invested() {
  const system = await deploySystem({ venues: 1 });
  await deposit(system, system.alice, 1_000_000n * system.unit);
  await time.increase(DAY);
  await rebalance(system, [[system.adapters[0]!, 500_000n * system.unit]]);
  return { ...system, system };
}

describe("limits of deposits and exits", () => {
  it("count the shares that can be redeemed down when a single unit of the assets cannot be paid", async () => {
    const { system, vault, alice, venues } = await loadFixture(invested);
    const claim = await vault.maxWithdraw(alice.address);
    expect(await vault.maxRedeem(alice.address)).to.equal(await vault.balanceOf(alice.address));
    await venues[0]!.setLiquidity(claim - (await vault.idle()) - 1n);
    expect(await vault.maxWithdraw(alice.address)).to.equal(claim - 1n);
    const most = await vault.maxRedeem(alice.address);
    expect(most).to.be.lessThan(await vault.balanceOf(alice.address));
    expect(most).to.be.greaterThan(0n);
    await redeem(system, alice, most);
  });

  it("are zero in the middle of a call, when nobody can enter or leave", async () => {
    const { system, vault, alice, venues, adapters } = await loadFixture(invested);
    const venue = venues[0]!;
    for (const limit of ["maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"] as const) {
      expect(await vault[limit](alice.address), limit).to.be.greaterThan(0n);
      await venue.setCall(vault, vault.interface.encodeFunctionData(limit as "maxRedeem", [alice.address]));
      await rebalance(system, [[adapters[0]!, -system.unit]]);
      expect([await venue.callSucceeded(), BigInt(await venue.callAnswer())], limit).to.deep.equal([true, 0n]);
    }
  });

  it("leave no room above the cap", async () => {
    const { vault, alice, guardian } = await loadFixture(invested);
    await vault.connect(guardian).setDepositCap((await vault.totalAssets()) - 5n);
    expect(await vault.maxDeposit(alice.address)).to.equal(0n);
    expect(await vault.maxMint(alice.address)).to.equal(0n);
  });

  it("let no share more be minted than they say, at a price that is no whole number", async () => {
    const { vault, alice, guardian, venues, unit } = await loadFixture(invested);
    await venues[0]!.lose(333_331n * unit + 1n);
    await vault.accrue();
    await vault.connect(guardian).setDepositCap((await vault.totalAssets()) + 1_000n * unit);
    const most = await vault.maxMint(alice.address);
    expect(most).to.be.greaterThan(0n);
    await expect(vault.connect(alice)["mint(uint256,address)"](most + 1n, alice.address))
      .to.be.revertedWithCustomError(vault, "DepositCapExceeded")
      .withArgs(most + 1n, most);
    await vault.connect(alice)["mint(uint256,address)"](most, alice.address);
  });
});
