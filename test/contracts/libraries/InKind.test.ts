// The exit that needs nobody: a part of everything, as receipts or as claims.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { anyValue } from "@nomicfoundation/hardhat-chai-matchers/withArgs";
import { expect } from "chai";
import { ethers } from "hardhat";
import { ALL, DAY, WAD, deploySystem, deposit, rebalance, redeem, withdraw, type System } from "../deployment";

async function invested(): Promise<System> {
  const system = await deploySystem({ venues: 2 });
  await deposit(system, system.alice, 600_000n * system.unit);
  await deposit(system, system.bob, 400_000n * system.unit);
  await time.increase(DAY);
  await rebalance(system, [
    [system.adapters[0]!, 300_000n * system.unit],
    [system.adapters[1]!, 200_000n * system.unit],
  ]);
  await time.increase(DAY);
  await system.vault.accrue();
  return system;
}

async function claimsOf(system: System) {
  return ethers.getContractAt("Claims", await system.vault.claims());
}

/** What the receipts of venue `i` that `who` holds are worth. */
async function worth(system: System, i: number, who: string): Promise<bigint> {
  const venue = system.venues[i]!;
  return venue.convertToAssets(await venue.balanceOf(who));
}

describe("InKind", () => {
  it("pays a part of idle and of each position", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, token, unit } = system;
    const before = await token.balanceOf(alice.address);
    const price = await vault.sharePrice();
    await vault.connect(alice).redeemInKind(100_000n * WAD, alice.address, []);
    expect((await token.balanceOf(alice.address)) - before).to.be.within(49_999n * unit, 50_001n * unit);
    expect(await worth(system, 0, alice.address)).to.be.within(29_999n * unit, 30_000n * unit);
    expect(await worth(system, 1, alice.address)).to.be.within(19_999n * unit, 20_000n * unit);
    expect(await vault.totalAssets()).to.be.within(900_000n * unit, 900_002n * unit);
    expect(await vault.sharePrice()).to.be.at.least(price);
    expect(await vault.balanceOf(alice.address)).to.equal(500_000n * WAD);
    expect((await vault.adapter(system.adapters[0]!)).recorded).to.be.within(270_000n * unit, 270_002n * unit);
  });

  it("leaves a gain that still drips with those who stay", async () => {
    const system = await loadFixture(invested);
    const { vault, token, stranger, alice, bob, unit } = system;
    await token.connect(stranger).transfer(vault, 500_000n * unit);
    const before = await token.balanceOf(alice.address);
    await vault.connect(alice).redeemInKind(await vault.balanceOf(alice.address), alice.address, []);
    const got =
      (await token.balanceOf(alice.address)) -
      before +
      (await worth(system, 0, alice.address)) +
      (await worth(system, 1, alice.address));
    expect(got).to.be.within(599_900n * unit, 600_010n * unit);
    await time.increase(3n * 365n * DAY);
    expect(await vault.previewRedeem(await vault.balanceOf(bob.address))).to.be.greaterThan(899_000n * unit);
  });

  it("pays an adapter in quarantine raw, which is written off for everybody else", async () => {
    const system = await loadFixture(invested);
    const { vault, guardian, alice, unit, adapters, owner } = system;
    await vault.connect(guardian).quarantine(adapters[0]!);
    await vault.connect(alice).redeemInKind(await vault.balanceOf(alice.address), alice.address, []);
    expect(await worth(system, 0, alice.address)).to.be.within(179_999n * unit, 180_000n * unit);
    await vault.connect(owner).liftQuarantine(adapters[0]!);
    expect(await vault.totalAssets()).to.be.within(400_000n * unit, 400_002n * unit);
  });

  it("pays of an adapter in quarantine no more than its part of what was written off: a gain that waited in it stays", async () => {
    const system = await loadFixture(invested);
    const { vault, token, guardian, alice, stranger, bob, unit, adapters, venues, owner } = system;
    // 100,000 that drip: the write-off of 400,000 takes only 300,000 off what is accounted.
    await token.connect(stranger).transfer(venues[0]!, 100_000n * unit);
    await vault.connect(guardian).quarantine(adapters[0]!);
    expect((await vault.writtenOff())[0]).to.be.within(299_980n * unit, 300_001n * unit);
    await vault.connect(alice).redeemInKind(await vault.balanceOf(alice.address), alice.address, []);
    expect(await worth(system, 0, alice.address)).to.be.within(179_980n * unit, 180_001n * unit);
    // Of 400,000 in the venue 180,000 are gone; of what was recorded, 300,000 before the gain, the same part.
    expect((await vault.adapter(adapters[0]!)).recorded).to.be.within(164_990n * unit, 165_020n * unit);
    await vault.connect(owner).liftQuarantine(adapters[0]!);
    expect(await vault.totalAssets()).to.be.within(399_980n * unit, 400_020n * unit);
    await time.increase(3n * 365n * DAY);
    expect(await vault.previewRedeem(await vault.balanceOf(bob.address))).to.be.greaterThan(499_900n * unit);
  });

  it("turns what is skipped or refused into a transferable claim, set apart from total assets", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, bob, venues, adapters, unit, stranger } = system;
    const claims = await claimsOf(system);
    const [a0, a1] = [await adapters[0]!.getAddress(), await adapters[1]!.getAddress()];
    await venues[1]!.setTransfersBroken(true);
    await vault.connect(alice).redeemInKind(await vault.balanceOf(alice.address), alice.address, [a0]);
    const skipped = await claims.balanceOf(alice.address, BigInt(a0));
    const refused = await claims.balanceOf(alice.address, BigInt(a1));
    expect(skipped).to.be.greaterThan(0n);
    expect(refused).to.be.greaterThan(0n);
    expect(await vault.totalAssets()).to.be.within(400_000n * unit, 400_002n * unit);
    expect(await adapters[0]!.fairValue()).to.equal(300_000n * unit);

    // The others' money is theirs: Bob leaves in full without touching what is claimed.
    const most = await vault.maxWithdraw(bob.address);
    expect(most).to.be.within(399_999n * unit, 400_000n * unit);
    await redeem(system, bob, await vault.balanceOf(bob.address));
    expect(await adapters[0]!.fairValue()).to.be.within(179_999n * unit, 181_000n * unit);

    await claims.connect(alice).transfer(stranger.address, BigInt(a0), skipped);
    await expect(vault.connect(alice).redeemClaim(a0, 1n, alice.address))
      .to.be.revertedWithCustomError(vault, "ClaimTooLarge")
      .withArgs(1n, 0n);
    await vault.connect(stranger).redeemClaim(a0, skipped / 2n, stranger.address);
    await vault.connect(stranger).redeemClaim(a0, skipped - skipped / 2n, stranger.address);
    expect(await worth(system, 0, stranger.address)).to.be.within(179_998n * unit, 180_001n * unit);

    await expect(vault.connect(alice).redeemClaim(a1, refused, alice.address)).to.be.revertedWithCustomError(
      venues[1]!,
      "Broken",
    );
    expect(await claims.balanceOf(alice.address, BigInt(a1))).to.equal(refused);
    await venues[1]!.setTransfersBroken(false);
    await vault.connect(alice).redeemClaim(a1, refused, alice.address);
    expect(await worth(system, 1, alice.address)).to.be.within(119_998n * unit, 120_001n * unit);
    expect((await vault.adapter(a1)).totalUnits).to.equal(0n);
    await expect(vault.connect(alice).redeemClaim(a1, 0n, alice.address)).to.be.revertedWithCustomError(
      vault,
      "ClaimTooLarge",
    );
  });

  it("keeps a claim's worth, and the vault's, through deposits into and withdrawals from the venue", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, bob, adapters, unit } = system;
    const claims = await claimsOf(system);
    const a0 = await adapters[0]!.getAddress();
    await vault.connect(alice).redeemInKind(300_000n * WAD, alice.address, [a0]);
    const units = await claims.balanceOf(alice.address, BigInt(a0));
    const claimed = async () => {
      const record = await vault.adapter(a0);
      return ((await adapters[0]!.fairValue()) * record.claimUnits) / record.totalUnits;
    };
    expect(await claimed()).to.be.within(89_999n * unit, 90_001n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapters[0]!, -100_000n * unit]]);
    expect(await claimed()).to.be.within(89_999n * unit, 90_001n * unit);
    await rebalance(system, [[adapters[0]!, 150_000n * unit]]);
    expect(await claimed()).to.be.within(89_999n * unit, 90_001n * unit);
    await rebalance(system, [[adapters[0]!, ALL]]);
    expect(await claimed()).to.be.within(89_999n * unit, 90_001n * unit);
    expect(await adapters[0]!.fairValue()).to.be.within(89_999n * unit, 90_001n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapters[0]!, 150_000n * unit]]);
    expect(await claimed()).to.be.within(89_999n * unit, 90_001n * unit);
    await vault.accrue();
    expect(await vault.totalAssets()).to.be.within(700_000n * unit, 700_002n * unit);
    await withdraw(system, bob, 390_000n * unit);
    expect(await claimed()).to.be.within(89_999n * unit, 90_001n * unit);
    await vault.connect(alice).redeemClaim(a0, units, alice.address);
    expect(await worth(system, 0, alice.address)).to.be.within(89_999n * unit, 90_001n * unit);
    expect(await vault.totalAssets()).to.be.within(310_000n * unit, 310_002n * unit);
  });

  it("a withdrawal that the venue underpays is the vault's loss and none of the claims'", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, owner, unit } = system;
    const adapter = await (
      await ethers.getContractFactory("HostileAdapter")
    ).deploy(vault, await system.token.getAddress());
    const address = await adapter.getAddress();
    const terms = { adapter: address, absoluteCap: 2n ** 119n, relativeCap: WAD, groupMask: 0n };
    await vault.connect(owner).addAdapter(terms);
    await rebalance(system, [[adapter, 200_000n * unit]]);
    await vault.connect(alice).redeemInKind(500_000n * WAD, alice.address, [address]);
    const claimed = async () => {
      const record = await vault.adapter(address);
      return ((await adapter.fairValue()) * record.claimUnits) / record.totalUnits;
    };
    const before = await claimed();
    expect(before).to.be.within(99_999n * unit, 100_000n * unit);
    await time.increase(DAY);
    await adapter.setUnderpays(490n * unit);
    const base = await vault.limitBase();
    await expect(rebalance(system, [[adapter, -50_000n * unit]]))
      .to.emit(vault, "BudgetSpent")
      .withArgs(ethers.encodeBytes32String("lossBudget"), (490n * unit * WAD + base - 1n) / base, anyValue);
    expect(await claimed()).to.be.within(before, before + 1n);
  });

  it("no plan takes of a position what belongs to claims, whatever the venue charges", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, owner, unit } = system;
    const adapter = await (
      await ethers.getContractFactory("HostileAdapter")
    ).deploy(vault, await system.token.getAddress());
    const address = await adapter.getAddress();
    const terms = { adapter: address, absoluteCap: 2n ** 119n, relativeCap: WAD, groupMask: 0n };
    await vault.connect(owner).addAdapter(terms);
    await rebalance(system, [[adapter, 200_000n * unit]]);
    await vault.connect(alice).redeemInKind(500_000n * WAD, alice.address, [address]);
    await time.increase(DAY);
    // Besides what it pays: all of the vault's part is asked for, so the charge can only come from the claims.
    await adapter.setCharges(10n * unit);
    await expect(rebalance(system, [[adapter, ALL]])).to.be.revertedWithCustomError(vault, "ClaimsImpaired");
    await rebalance(system, [[adapter, -50_000n * unit]]);
  });

  it("the price of those who stay does not move when a venue fails in the block of their accrual", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, venues } = system;
    const options = { gasLimit: 10_000_000 };
    const price = await vault.sharePrice();
    const shares = 300_000n * WAD;
    await ethers.provider.send("evm_setAutomine", [false]);
    await vault.accrue(options);
    await venues[0]!.setBroken(true);
    await vault.connect(alice).redeemInKind(shares, alice.address, [], options);
    const rest = await vault
      .connect(alice)
      ["redeem(uint256,address,address)"](shares / 3n, alice.address, alice.address, options);
    await ethers.provider.send("evm_mine", []);
    await ethers.provider.send("evm_setAutomine", [true]);
    const paid = (await rest.wait())!.logs
      .map((log) => vault.interface.parseLog(log))
      .find((log) => log?.name === "Withdraw")!.args["assets"] as bigint;
    expect(paid).to.be.at.most((price * (shares / 3n)) / WAD / WAD + 1n);
  });

  it("pays who enters and leaves nothing of a venue that failed in the same block, though a gain waits", async () => {
    const system = await loadFixture(invested);
    const { vault, token, venues, bob, stranger, unit } = system;
    const options = { gasLimit: 10_000_000 };
    await token.connect(stranger).transfer(vault, 300_000n * unit);
    const before = await token.balanceOf(bob.address);
    const held = await vault.balanceOf(bob.address);
    const entered = 1_000_000n * unit;
    const bought = await vault.previewDeposit(entered);
    await ethers.provider.send("evm_setAutomine", [false]);
    await vault.accrue(options);
    await venues[0]!.setBroken(true);
    await vault.connect(bob)["deposit(uint256,address)"](entered, bob.address, options);
    await vault.connect(bob).redeemInKind((bought * 999_999n) / 1_000_000n, bob.address, [], options);
    await ethers.provider.send("evm_mine", []);
    await ethers.provider.send("evm_setAutomine", [true]);
    expect(await vault.balanceOf(bob.address)).to.be.within(held, held + bought / 100_000n);
    await venues[0]!.setBroken(false);
    const got = (await token.balanceOf(bob.address)) - before;
    const worths = (await worth(system, 0, bob.address)) + (await worth(system, 1, bob.address));
    expect(got + worths).to.be.at.most(10n * unit);
  });

  it("a claim bears the venue's losses and earns its gains", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, adapters, venues, unit } = system;
    const claims = await claimsOf(system);
    const a0 = await adapters[0]!.getAddress();
    await vault.connect(alice).redeemInKind(300_000n * WAD, alice.address, [a0]);
    await venues[0]!.lose(150_000n * unit);
    await vault.connect(alice).redeemClaim(a0, await claims.balanceOf(alice.address, BigInt(a0)), alice.address);
    expect(await worth(system, 0, alice.address)).to.be.within(44_998n * unit, 45_002n * unit);
  });

  it("works tripped, in quarantine and with a venue that cannot be read", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, guardian, venues, adapters, unit } = system;
    await vault.connect(guardian).guardianTrip(DAY);
    await vault.connect(guardian).quarantine(adapters[0]!);
    await venues[1]!.setBroken(true);
    await venues[0]!.setTransfersBroken(true);
    await vault.connect(alice).redeemInKind(await vault.balanceOf(alice.address), alice.address, []);
    expect(await worth(system, 1, alice.address).catch(() => 0n)).to.be.greaterThan(119_000n * unit);
    const claims = await claimsOf(system);
    expect(await claims.balanceOf(alice.address, BigInt(await adapters[0]!.getAddress()))).to.be.greaterThan(0n);
  });

  it("refuses to skip what it does not know, and more shares than are held", async () => {
    const { vault, alice } = await loadFixture(invested);
    await expect(vault.connect(alice).redeemInKind(WAD, alice.address, [alice.address])).to.be.revertedWithCustomError(
      vault,
      "UnknownAdapter",
    );
    const held = await vault.balanceOf(alice.address);
    await expect(vault.connect(alice).redeemInKind(held + 1n, alice.address, [])).to.be.revertedWithCustomError(
      vault,
      "ERC20InsufficientBalance",
    );
  });

  it("does not turn a payment into a claim for want of gas", async () => {
    const { vault, alice } = await loadFixture(invested);
    await expect(
      vault.connect(alice).redeemInKind(WAD, alice.address, [], { gasLimit: 900_000n }),
    ).to.be.revertedWithCustomError(vault, "InsufficientGas");
  });

  it("only the vault makes and unmakes claims", async () => {
    const system = await loadFixture(invested);
    const claims = await claimsOf(system);
    await expect(claims.connect(system.owner).mint(system.alice.address, system.alice.address, 1n))
      .to.be.revertedWithCustomError(claims, "NotVault")
      .withArgs(system.owner.address);
    await expect(claims.burn(system.alice.address, system.alice.address, 1n)).to.be.revertedWithCustomError(
      claims,
      "NotVault",
    );
    expect(await claims.vault()).to.equal(await system.vault.getAddress());
  });

  it("a claim of a removed adapter stays redeemable", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, adapters, guardian, owner } = system;
    const a0 = await adapters[0]!.getAddress();
    await vault.connect(alice).redeemInKind(300_000n * WAD, alice.address, [a0]);
    await vault.connect(guardian).quarantine(a0);
    await vault.connect(owner).removeAdapter(a0);
    const claims = await claimsOf(system);
    await vault.connect(alice).redeemClaim(a0, await claims.balanceOf(alice.address, BigInt(a0)), alice.address);
    expect(await worth(system, 0, alice.address)).to.be.greaterThan(89_000n * system.unit);
  });

  it("gives a second leaver its part of what is the vault's, as receipts or as a claim", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, bob, adapters, unit } = system;
    const claims = await claimsOf(system);
    const [a0, a1] = [await adapters[0]!.getAddress(), await adapters[1]!.getAddress()];
    await vault.connect(alice).redeemInKind(300_000n * WAD, alice.address, [a0, a1]);
    await vault.connect(bob).redeemInKind(200_000n * WAD, bob.address, [a1]);
    expect(await worth(system, 0, bob.address)).to.be.within(59_999n * unit, 60_001n * unit);
    await vault.connect(bob).redeemClaim(a1, await claims.balanceOf(bob.address, BigInt(a1)), bob.address);
    expect(await worth(system, 1, bob.address)).to.be.within(39_999n * unit, 40_001n * unit);
    for (const adapter of [a0, a1]) {
      await vault
        .connect(alice)
        .redeemClaim(adapter, await claims.balanceOf(alice.address, BigInt(adapter)), alice.address);
    }
    expect(await worth(system, 0, alice.address)).to.be.within(89_999n * unit, 90_001n * unit);
    expect(await worth(system, 1, alice.address)).to.be.within(59_999n * unit, 60_001n * unit);
    expect(await vault.totalAssets()).to.be.within(500_000n * unit, 500_003n * unit);
  });

  it("pays nothing for no shares", async () => {
    const { vault, alice, adapters } = await loadFixture(invested);
    await expect(vault.connect(alice).redeemInKind(0n, alice.address, [])).not.to.emit(vault, "PaidInKind");
    await expect(vault.connect(alice).redeemInKind(0n, alice.address, [await adapters[0]!.getAddress()])).not.to.emit(
      vault,
      "PaidInKind",
    );
  });

  it("takes nothing from those whose claims are all of a position, though it cannot be read", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, bob, adapters, venues, unit } = system;
    const claims = await claimsOf(system);
    const a0 = await adapters[0]!.getAddress();
    await vault.connect(alice).redeemInKind(300_000n * WAD, alice.address, [a0]);
    await rebalance(system, [[adapters[0]!, ALL]]);
    await venues[0]!.setBroken(true);
    await vault.connect(bob).redeemInKind(100_000n * WAD, bob.address, []);
    await venues[0]!.setBroken(false);
    const { totalUnits } = await vault.adapter(a0);
    const held = await claims.balanceOf(bob.address, BigInt(a0));
    expect((held * (await adapters[0]!.fairValue())) / totalUnits).to.be.at.most(unit / 100n);
  });

  it("works with an adapter in quarantine that cannot be read either", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, guardian, adapters, venues, unit } = system;
    await vault.connect(guardian).quarantine(adapters[0]!);
    await venues[0]!.setBroken(true);
    await vault.connect(alice).redeemInKind(100_000n * WAD, alice.address, []);
    await venues[0]!.setBroken(false);
    expect(await worth(system, 0, alice.address)).to.be.within(29_999n * unit, 30_001n * unit);
  });

  it("makes no claim for shares too few for a unit of one", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, token, adapters, unit } = system;
    const a0 = await adapters[0]!.getAddress();
    await token.mint(alice.address, 2n * 10n ** 9n * unit);
    await deposit(system, alice, 2n * 10n ** 9n * unit);
    await vault.connect(alice).redeemInKind(1n, alice.address, [a0]);
    expect((await vault.adapter(a0)).totalUnits).to.equal(0n);
  });

  it("takes nothing of a position with claims on it for shares too few for a unit of the vault's", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, bob, token, adapters, unit } = system;
    const a0 = await adapters[0]!.getAddress();
    await vault.connect(alice).redeemInKind(300_000n * WAD, alice.address, [a0]);
    await token.mint(alice.address, 2n * 10n ** 9n * unit);
    await deposit(system, alice, 2n * 10n ** 9n * unit);
    const before = await vault.adapter(a0);
    const exit = vault.connect(bob).redeemInKind(1n, bob.address, []);
    await expect(exit)
      .to.emit(vault, "PaidInKind")
      .withArgs(await adapters[1]!.getAddress(), bob.address, anyValue, 0n);
    const paid = (await (await exit).wait())!.logs
      .map((log) => vault.interface.parseLog(log))
      .filter((log) => log?.name === "PaidInKind");
    expect(paid.map((log) => log?.args["adapter"] as string)).to.deep.equal([await adapters[1]!.getAddress()]);
    expect(await vault.adapter(a0)).to.deep.equal(before);
  });
});
