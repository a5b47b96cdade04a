// The owner: a delay that cannot be cut below a day, and a guardian who cancels all but its own replacement.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { DAY } from "./deployment";

const NONE = ethers.ZeroHash;

async function deploy() {
  const [deployer, proposer, guardian, stranger, next] = await ethers.getSigners();
  const factory = await ethers.getContractFactory("VaultTimelock");
  const timelock = await factory.deploy(DAY, [proposer!.address], [proposer!.address], guardian!.address);
  const replace = timelock.interface.encodeFunctionData("setGuardian", [next!.address]);
  return {
    deployer: deployer!,
    proposer: proposer!,
    guardian: guardian!,
    stranger: stranger!,
    next: next!,
    factory,
    timelock,
    replace,
  };
}

describe("VaultTimelock", () => {
  it("has no delay below a day, at the start or later", async () => {
    const { factory, proposer, guardian, timelock } = await loadFixture(deploy);
    await expect(factory.deploy(DAY - 1n, [], [], guardian.address))
      .to.be.revertedWithCustomError(factory, "DelayTooShort")
      .withArgs(DAY - 1n, DAY);
    await expect(factory.deploy(DAY, [], [], ethers.ZeroAddress)).to.be.revertedWithCustomError(
      factory,
      "ZeroGuardian",
    );
    const self = await timelock.getAddress();
    for (const [delay, works] of [
      [DAY - 1n, false],
      [3n * DAY, true],
    ] as const) {
      const data = timelock.interface.encodeFunctionData("updateDelay", [delay]);
      await timelock.connect(proposer).schedule(self, 0n, data, NONE, NONE, DAY);
      await time.increase(DAY);
      const run = timelock.connect(proposer).execute(self, 0n, data, NONE, NONE);
      if (works) await run;
      else await expect(run).to.be.revertedWithCustomError(timelock, "DelayTooShort");
    }
    expect(await timelock.getMinDelay()).to.equal(3n * DAY);
    await expect(timelock.connect(proposer).updateDelay(9n * DAY)).to.be.revertedWithCustomError(
      timelock,
      "TimelockUnauthorizedCaller",
    );
  });

  it("gives the deployer nothing", async () => {
    const { timelock, deployer } = await loadFixture(deploy);
    for (const role of ["PROPOSER_ROLE", "EXECUTOR_ROLE", "CANCELLER_ROLE"]) {
      expect(await timelock.hasRole(ethers.id(role), deployer.address)).to.equal(false);
    }
    expect(await timelock.hasRole(NONE, deployer.address)).to.equal(false);
  });

  it("lets the guardian cancel an operation, and leaves it no role behind", async () => {
    const { timelock, proposer, guardian, stranger } = await loadFixture(deploy);
    const args = [stranger.address, 0n, "0x12345678", NONE, NONE] as const;
    await timelock.connect(proposer).schedule(...args, DAY);
    const id = await timelock.hashOperation(...args);
    await expect(timelock.connect(stranger).cancel(id)).to.be.revertedWithCustomError(
      timelock,
      "AccessControlUnauthorizedAccount",
    );
    await timelock.connect(guardian).cancel(id);
    expect(await timelock.isOperation(id)).to.equal(false);
    expect(await timelock.hasRole(ethers.id("CANCELLER_ROLE"), guardian.address)).to.equal(false);
    await expect(timelock.connect(guardian).cancel(id)).to.be.revertedWithCustomError(
      timelock,
      "TimelockUnexpectedOperationState",
    );
  });

  it("does not let the guardian cancel its own replacement; a proposer may", async () => {
    const { timelock, proposer, guardian, replace, next } = await loadFixture(deploy);
    const self = await timelock.getAddress();
    const args = [self, 0n, replace, NONE, NONE] as const;
    await timelock.connect(proposer).schedule(...args, DAY);
    const id = await timelock.hashOperation(...args);
    await expect(timelock.connect(guardian).cancel(id))
      .to.be.revertedWithCustomError(timelock, "ReplacementNotCancellable")
      .withArgs(id);
    await timelock.connect(proposer).cancel(id);
    await timelock.connect(proposer).schedule(...args, DAY);
    await time.increase(DAY);
    await timelock.connect(proposer).execute(...args);
    expect(await timelock.guardian()).to.equal(next.address);
    await expect(timelock.connect(proposer).setGuardian(next.address)).to.be.revertedWithCustomError(
      timelock,
      "TimelockUnauthorizedCaller",
    );
  });

  it("does not let anything hide behind a replacement in a batch", async () => {
    const { timelock, proposer, guardian, replace, stranger } = await loadFixture(deploy);
    const self = await timelock.getAddress();
    const hidden = [[self, stranger.address], [0n, 0n], [replace, "0x12345678"], NONE, NONE] as const;
    await timelock.connect(proposer).scheduleBatch([...hidden[0]], [...hidden[1]], [...hidden[2]], NONE, NONE, DAY);
    const id = await timelock.hashOperationBatch([...hidden[0]], [...hidden[1]], [...hidden[2]], NONE, NONE);
    await timelock.connect(guardian).cancel(id);

    const both = [
      [self, stranger.address],
      [0n, 0n],
      [replace, replace],
    ] as const;
    await timelock.connect(proposer).scheduleBatch([...both[0]], [...both[1]], [...both[2]], NONE, NONE, DAY);
    const pure = await timelock.hashOperationBatch([...both[0]], [...both[1]], [...both[2]], NONE, NONE);
    await expect(timelock.connect(guardian).cancel(pure)).to.be.revertedWithCustomError(
      timelock,
      "ReplacementNotCancellable",
    );
    await timelock.connect(proposer).scheduleBatch([], [], [], NONE, NONE, DAY);
    await timelock.connect(guardian).cancel(await timelock.hashOperationBatch([], [], [], NONE, NONE));
  });

  it("leaves a guardian who is a canceller as well that role", async () => {
    const { factory, proposer, stranger } = await loadFixture(deploy);
    const timelock = await factory.deploy(DAY, [proposer.address], [], proposer.address);
    const args = [stranger.address, 0n, "0x12345678", NONE, NONE] as const;
    await timelock.connect(proposer).schedule(...args, DAY);
    await timelock.connect(proposer).cancel(await timelock.hashOperation(...args));
    expect(await timelock.hasRole(ethers.id("CANCELLER_ROLE"), proposer.address)).to.equal(true);
  });
});
