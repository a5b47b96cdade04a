// The breaker and quarantine: who may stop what, for how long, and that no exit is ever stopped.
import { loadFixture, mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { anyValue } from "@nomicfoundation/hardhat-chai-matchers/withArgs";
import { expect } from "chai";
import { ethers } from "hardhat";
import { ALL, DAY, MAX, WAD, deploySystem, deposit, rebalance, redeem, withdraw, type System } from "../deployment";

const MINUTE = 60n;

async function invested(): Promise<System> {
  const system = await deploySystem({ venues: 2 });
  await deposit(system, system.alice, 1_000_000n * system.unit);
  await time.increase(DAY);
  await rebalance(system, [
    [system.adapters[0]!, 300_000n * system.unit],
    [system.adapters[1]!, 200_000n * system.unit],
  ]);
  await time.increase(DAY);
  return system;
}

async function armed() {
  const system = await invested();
  const condition = await (await ethers.getContractFactory("SwitchCondition")).deploy();
  const address = await condition.getAddress();
  await system.vault.connect(system.owner).setCondition(address, true);
  return { system, condition, address, vault: system.vault };
}

async function trippedByProof() {
  const parts = await armed();
  await parts.condition.set(true, false);
  await parts.vault.arm(parts.address);
  await time.increase(30n * MINUTE);
  await parts.vault.trip(parts.address);
  return parts;
}

describe("Breaking: a guardian's trip", () => {
  it("closes entry, leaves exits open, and ends by itself", async () => {
    const system = await loadFixture(invested);
    const { vault, guardian, alice, unit } = system;
    await vault.connect(guardian).guardianTrip(7n * DAY);
    const until = BigInt(await time.latest()) + 7n * DAY;
    expect(await vault.breaker()).to.deep.equal([1n, until]);
    expect(await vault.maxDeposit(alice.address)).to.equal(0n);
    const least = (await vault.totalSupply()) / 10n ** 12n / 100n;
    for (const enter of [
      deposit(system, alice, unit),
      vault.connect(alice)["mint(uint256,address)"](WAD, alice.address),
    ]) {
      await expect(enter)
        .to.be.revertedWithCustomError(vault, "DepositsClosed")
        .withArgs(1n, until, false, (await vault.accountedAssets())[0], least);
    }
    await withdraw(system, alice, 600_000n * unit);
    await redeem(system, alice, WAD);
    await vault.connect(alice).redeemInKind(WAD, alice.address, []);
    await time.increaseTo(until);
    expect(await vault.breaker()).to.deep.equal([0n, 0n]);
    await deposit(system, alice, unit);
  });

  it("lasts seven days at most, and cannot be renewed back to back", async () => {
    const { vault, guardian, owner } = await loadFixture(invested);
    await expect(vault.connect(guardian).guardianTrip(7n * DAY + 1n))
      .to.be.revertedWithCustomError(vault, "TripTooLong")
      .withArgs(7n * DAY + 1n, 7n * DAY);
    await expect(vault.connect(guardian).guardianTrip(0n)).to.be.revertedWithCustomError(vault, "TripTooLong");
    await expect(vault.connect(owner).guardianTrip(1n)).to.be.revertedWithCustomError(vault, "NotGuardian");
    await vault.connect(guardian).guardianTrip(2n * DAY);
    const until = BigInt(await time.latest()) + 2n * DAY;
    await expect(vault.connect(guardian).guardianTrip(DAY))
      .to.be.revertedWithCustomError(vault, "AlreadyTripped")
      .withArgs(1n, until);
    const from = await vault.guardianTripFrom();
    await time.increase(2n * DAY);
    await expect(vault.connect(guardian).guardianTrip(DAY)).to.be.revertedWithCustomError(vault, "TripTooSoon");
    await time.setNextBlockTimestamp(from - 1n);
    await expect(vault.connect(guardian).guardianTrip(DAY))
      .to.be.revertedWithCustomError(vault, "TripTooSoon")
      .withArgs(from - 1n, from);
    await vault.connect(guardian).guardianTrip(DAY);
  });

  it("is ended early by the timelock only", async () => {
    const { vault, guardian, owner } = await loadFixture(invested);
    await expect(vault.connect(owner).resetBreaker()).to.be.revertedWithCustomError(vault, "NotTripped");
    await vault.connect(guardian).guardianTrip(DAY);
    await expect(vault.connect(guardian).resetBreaker()).to.be.revertedWithCustomError(vault, "NotOwner");
    await vault.connect(owner).resetBreaker();
    expect((await vault.breaker())[0]).to.equal(0n);
    expect(await vault.breakerResetAt()).to.equal(BigInt(await time.latest()));
  });
});

describe("Breaking: a proven trip", () => {
  it("needs a registered condition that holds when armed and still holds half an hour later", async () => {
    const { vault, condition, address, system } = await loadFixture(armed);
    await expect(vault.arm(system.alice.address)).to.be.revertedWithCustomError(vault, "UnknownCondition");
    await expect(vault.arm(address)).to.be.revertedWithCustomError(vault, "ConditionNotHolding").withArgs(address);
    await condition.set(true, true);
    await expect(vault.arm(address)).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
    await condition.set(true, false);
    await expect(vault.trip(address)).to.be.revertedWithCustomError(vault, "NotArmed").withArgs(address);
    await vault.connect(system.stranger).arm(address);
    const armedAt = BigInt(await time.latest());
    await expect(vault.arm(address)).to.be.revertedWithCustomError(vault, "AlreadyArmed").withArgs(address, armedAt);
    await time.setNextBlockTimestamp(armedAt + 30n * MINUTE - 1n);
    await expect(vault.trip(address))
      .to.be.revertedWithCustomError(vault, "OutsideTripWindow")
      .withArgs(armedAt + 30n * MINUTE - 1n, armedAt + 30n * MINUTE, armedAt + DAY);
    await condition.set(false, false);
    await expect(vault.trip(address)).to.be.revertedWithCustomError(vault, "ConditionNotHolding");
    await condition.set(true, false);
    await vault.connect(system.stranger).trip(address);
    expect(await vault.breaker()).to.deep.equal([2n, 0n]);
    await expect(vault.trip(address)).to.be.revertedWithCustomError(vault, "AlreadyTripped").withArgs(2n, 0n);
  });

  it("is not made by an old arming", async () => {
    const { vault, condition, address } = await loadFixture(armed);
    await condition.set(true, false);
    await vault.arm(address);
    await time.increase(DAY + 1n);
    await expect(vault.trip(address)).to.be.revertedWithCustomError(vault, "OutsideTripWindow");
    await vault.arm(address);
  });

  it("is disarmed by anyone while the condition does not hold", async () => {
    const { vault, condition, address, system } = await loadFixture(armed);
    await expect(vault.disarm(address)).to.be.revertedWithCustomError(vault, "NotArmed").withArgs(address);
    await condition.set(true, false);
    await vault.arm(address);
    await expect(vault.disarm(address)).to.be.revertedWithCustomError(vault, "ConditionHolding").withArgs(address);
    await condition.set(false, false);
    await vault.connect(system.stranger).disarm(address);
    expect(await vault.condition(address)).to.deep.equal([true, 0n]);
    await vault.connect(system.owner).setCondition(address, false);
    await expect(vault.disarm(address)).to.be.revertedWithCustomError(vault, "UnknownCondition").withArgs(address);
    await expect(vault.connect(system.owner).setCondition(address, false))
      .to.be.revertedWithCustomError(vault, "Unchanged")
      .withArgs(ethers.encodeBytes32String("condition"));
    await expect(vault.connect(system.owner).setCondition(ethers.ZeroAddress, true)).to.be.revertedWithCustomError(
      vault,
      "ZeroAddress",
    );
  });

  it("does not end by itself, not even over a guardian's, and is reset by the timelock only", async () => {
    const { vault, system } = await loadFixture(trippedByProof);
    await time.increase(30n * DAY);
    expect((await vault.breaker())[0]).to.equal(2n);
    await expect(vault.connect(system.guardian).guardianTrip(DAY))
      .to.be.revertedWithCustomError(vault, "AlreadyTripped")
      .withArgs(2n, 0n);
    await expect(vault.connect(system.guardian).resetBreaker()).to.be.revertedWithCustomError(vault, "NotOwner");
    await vault.connect(system.owner).resetBreaker();
    await deposit(system, system.alice, 1n);
  });

  it("overrides a guardian's trip", async () => {
    const { vault, condition, address, system } = await loadFixture(armed);
    await condition.set(true, false);
    await vault.connect(system.guardian).guardianTrip(DAY);
    await vault.arm(address);
    await time.increase(30n * MINUTE);
    await vault.trip(address);
    await time.increase(2n * DAY);
    expect((await vault.breaker())[0]).to.equal(2n);
  });

  it("cannot be judged with too little gas", async () => {
    const { vault, condition, address } = await loadFixture(armed);
    await condition.set(true, false);
    await vault.arm(address);
    await expect(vault.disarm(address, { gasLimit: 500_000n })).to.be.revertedWithCustomError(vault, "InsufficientGas");
  });

  it("lets anyone bring what an exact venue can pay to idle", async () => {
    const { vault, system } = await loadFixture(trippedByProof);
    const { adapters, venues, unit, stranger } = system;
    await venues[0]!.setLiquidity(100_000n * unit);
    await expect(vault.connect(stranger).emergencyExit(adapters[0]!))
      .to.emit(vault, "EmergencyExit")
      .withArgs(await adapters[0]!.getAddress(), 100_000n * unit, (await vault.accountedAssets())[0]);
    expect(await vault.idle()).to.equal(600_001n * unit);
    expect(await vault.totalAssets()).to.be.within(1_000_000n * unit, 1_000_001n * unit);
    await venues[0]!.setLiquidity(0n);
    await expect(vault.emergencyExit(adapters[0]!)).to.be.revertedWithCustomError(vault, "EmptyMove");
    await expect(vault.emergencyExit(stranger.address)).to.be.revertedWithCustomError(vault, "UnknownAdapter");
  });

  it("does not so without proof", async () => {
    const { vault, system } = await loadFixture(armed);
    const [adapter] = system.adapters;
    await expect(vault.emergencyExit(adapter!)).to.be.revertedWithCustomError(vault, "NotTripped").withArgs(0n);
    await vault.connect(system.guardian).guardianTrip(DAY);
    await expect(vault.emergencyExit(adapter!)).to.be.revertedWithCustomError(vault, "NotTripped").withArgs(1n);
  });

  it("does not so from a venue that is not exact", async () => {
    const { vault, system } = await loadFixture(trippedByProof);
    const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, system.token);
    await adapter.setExact(false);
    const address = await adapter.getAddress();
    await vault
      .connect(system.owner)
      .addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await expect(vault.emergencyExit(address)).to.be.revertedWithCustomError(vault, "NotExact").withArgs(address);
  });

  it("takes what an emergency exit loses off the price, in a block that has accrued already", async () => {
    const { vault, system } = await loadFixture(trippedByProof);
    const { adapters, venues, unit } = system;
    const lose = venues[0]!.interface.encodeFunctionData("lose", [50_000n * unit]);
    await venues[0]!.setCall(await venues[0]!.getAddress(), lose);
    await venues[0]!.setLiquidity(100_000n * unit);
    const before = await vault.totalAssets();
    const [, , after] = await vault.multicall.staticCall([
      vault.interface.encodeFunctionData("accrue"),
      vault.interface.encodeFunctionData("emergencyExit", [await adapters[0]!.getAddress()]),
      vault.interface.encodeFunctionData("totalAssets"),
    ]);
    expect(before - BigInt(after!)).to.be.within(49_999n * unit, 50_001n * unit);
  });

  it("takes nothing in an emergency from a position that others have claims on while its worth is not known", async () => {
    const { vault, system, condition } = await loadFixture(armed);
    const { alice, owner, token, unit } = system;
    const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
    const address = await adapter.getAddress();
    await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await rebalance(system, [[adapter, 100_000n * unit]]);
    await vault.connect(alice).redeemInKind(500_000n * WAD, alice.address, [address]);
    await condition.set(true, false);
    await vault.arm(condition);
    await time.increase(30n * MINUTE);
    await vault.trip(condition);
    await adapter.setReads(1n);
    await expect(vault.emergencyExit(address)).to.be.revertedWithCustomError(vault, "EmptyMove");
    await adapter.setReads(0n);
    await vault.emergencyExit(address);
    expect(await adapter.fairValue()).to.be.within(49_999n * unit, 50_001n * unit);
  });
});

describe("Breaking: quarantine", () => {
  it("writes the adapter off at once and closes entry; lifted, it counts again at once", async () => {
    const system = await loadFixture(invested);
    const { vault, guardian, owner, adapters, alice, bob, unit } = system;
    const before = await vault.totalAssets();
    await expect(vault.connect(guardian).quarantine(adapters[0]!)).to.emit(vault, "Quarantined");
    expect(await vault.totalAssets()).to.equal(before - 300_000n * unit);
    expect(await vault.maxDeposit(bob.address)).to.equal(0n);
    expect(await vault.maxMint(bob.address)).to.equal(0n);
    await expect(deposit(system, bob, unit))
      .to.be.revertedWithCustomError(vault, "DepositsClosed")
      .withArgs(0n, 0n, true, before - 300_000n * unit, (await vault.totalSupply()) / 10n ** 12n / 100n);
    expect((await vault.writtenOff())[0]).to.equal(300_000n * unit);
    await withdraw(system, alice, 100_000n * unit);
    await expect(vault.connect(guardian).quarantine(adapters[0]!)).to.be.revertedWithCustomError(
      vault,
      "AdapterQuarantined",
    );
    await vault.connect(owner).liftQuarantine(adapters[0]!);
    expect(await vault.totalAssets()).to.be.within(before - 100_000n * unit, before - 100_000n * unit + unit);
    expect(await vault.writtenOff()).to.deep.equal([0n, false]);
    await deposit(system, bob, unit);
    await expect(vault.connect(owner).liftQuarantine(adapters[0]!))
      .to.be.revertedWithCustomError(vault, "NotQuarantined")
      .withArgs(await adapters[0]!.getAddress());
  });

  it("counts less again when less is there, and drips what is above", async () => {
    const system = await loadFixture(invested);
    const { vault, guardian, owner, adapters, venues, unit, token, stranger } = system;
    await vault.connect(guardian).quarantine(adapters[0]!);
    await venues[0]!.lose(150_000n * unit);
    await vault.connect(guardian).quarantine(adapters[1]!);
    await token.connect(stranger).transfer(venues[1]!, 400_000n * unit);
    expect(await vault.totalAssets()).to.be.within(500_001n * unit, 500_002n * unit);
    await vault.connect(owner).liftQuarantine(adapters[0]!);
    expect(await vault.totalAssets()).to.be.within(650_000n * unit, 650_002n * unit);
    await vault.connect(owner).liftQuarantine(adapters[1]!);
    // 300,000 + 200,000 were written off, 150,000 came back before: the rest of the right, and no more, counts now.
    expect(await vault.totalAssets()).to.be.within(1_000_000n * unit, 1_000_002n * unit);
  });

  it("is only the guardian's or the timelock's, and an unknown adapter's never", async () => {
    const { vault, keeper, guardian, adapters, alice } = await loadFixture(invested);
    await expect(vault.connect(keeper).quarantine(adapters[0]!)).to.be.revertedWithCustomError(
      vault,
      "NotGuardianOrOwner",
    );
    await expect(vault.connect(guardian).quarantine(alice.address))
      .to.be.revertedWithCustomError(vault, "UnknownAdapter")
      .withArgs(alice.address);
  });

  it("is anyone's after two failed reads, far enough apart", async () => {
    const system = await loadFixture(invested);
    const { vault, stranger, adapters, venues } = system;
    const by = vault.connect(stranger);
    await expect(by.reportUnreadable(adapters[0]!))
      .to.be.revertedWithCustomError(vault, "StillReadable")
      .withArgs(await adapters[0]!.getAddress(), await adapters[0]!.fairValue());
    await venues[0]!.setBroken(true);
    await by.reportUnreadable(adapters[0]!);
    const first = await vault.readFailureAt(adapters[0]!);
    await mine(48);
    await expect(by.reportUnreadable(adapters[0]!))
      .to.be.revertedWithCustomError(vault, "ReportTooEarly")
      .withArgs(first + 49n, first + 50n);
    await expect(by.reportUnreadable(adapters[0]!)).to.emit(vault, "Quarantined");
    await expect(by.reportUnreadable(adapters[0]!)).to.be.revertedWithCustomError(vault, "AdapterQuarantined");
    expect(await vault.readFailureAt(adapters[0]!)).to.equal(0n);
  });

  it("a read that works between clears the first report, and an old report does not count", async () => {
    const { vault, adapters, venues } = await loadFixture(invested);
    await venues[0]!.setBroken(true);
    await vault.reportUnreadable(adapters[0]!);
    await venues[0]!.setBroken(false);
    await expect(vault.reportUnreadable(adapters[0]!)).to.emit(vault, "ReadFailureCleared");
    await venues[0]!.setBroken(true);
    await vault.reportUnreadable(adapters[0]!);
    await mine(7_201);
    await expect(vault.reportUnreadable(adapters[0]!)).to.emit(vault, "ReadFailureReported");
  });

  it("cannot be had by bringing too little gas", async () => {
    const { vault, adapters } = await loadFixture(invested);
    await expect(vault.reportUnreadable(adapters[0]!, { gasLimit: 300_000n })).to.be.revertedWithCustomError(
      vault,
      "InsufficientGas",
    );
  });

  for (const reads of ["Reverts", "BurnsGas", "Nothing", "Bomb", "Huge"]) {
    it(`an adapter whose read ${reads.toLowerCase()} counts for nothing and stops nobody`, async () => {
      const system = await loadFixture(invested);
      const { vault, owner, alice, unit } = system;
      const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, system.token);
      const address = await adapter.getAddress();
      await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
      await time.increase(60n);
      await rebalance(system, [[adapter, 100_000n * unit]]);
      await adapter.setReads(["Honest", "Reverts", "BurnsGas", "Nothing", "Bomb", "Huge"].indexOf(reads));
      expect(await vault.totalAssets()).to.equal(900_001n * unit);
      await withdraw(system, alice, 700_000n * unit);
      await rebalance(system, [[adapter, ALL]]);
      expect(await vault.idle()).to.be.at.least(100_000n * unit);
      await expect(vault.refresh(address)).to.be.revertedWithCustomError(vault, "AdapterUnreadable");
    });
  }

  it("an adapter that burns all gas on an exit is skipped", async () => {
    const system = await loadFixture(invested);
    const { vault, owner, alice, unit, adapters } = system;
    const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, system.token);
    const address = await adapter.getAddress();
    await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await vault.connect(owner).setQueue([address, await adapters[0]!.getAddress(), await adapters[1]!.getAddress()]);
    await time.increase(60n);
    await rebalance(system, [[adapter, 100_000n * unit]]);
    await adapter.setBurnsGasOnExit(true);
    await withdraw(system, alice, 600_000n * unit);
    const call = vault.connect(alice)["withdraw(uint256,address,address)"];
    await expect(call(100_000n * unit, alice.address, alice.address, { gasLimit: 1_200_000n }))
      .to.be.revertedWithCustomError(vault, "InsufficientGas")
      .withArgs(anyValue, 1_530_000n);
  });

  it("refreshes a recorded value, and its groups, by anyone", async () => {
    const system = await loadFixture(invested);
    const { vault, venues, adapters, unit, stranger } = system;
    await venues[0]!.lose(100_000n * unit);
    await vault.connect(stranger).refresh(adapters[0]!);
    expect((await vault.adapter(adapters[0]!)).recorded).to.equal(await adapters[0]!.fairValue());
    expect(await vault.groupAllocation(0n)).to.equal((await adapters[0]!.fairValue()) + 200_000n * unit);
  });
});
