// The breaker's state as of now: a guardian's trip is over in its last second without a call of anybody's, a proven one never is.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { DAY, deploySystem, deposit, type System } from "../deployment";

const [CLOSED, GUARDIANS, PROVEN] = [0n, 1n, 2n];

const opened = (): Promise<System> => deploySystem({ venues: 1 });

describe("BreakerState", () => {
  it("is closed at first, until nothing", async () => {
    const { vault } = await loadFixture(opened);
    expect(await vault.breaker()).to.deep.equal([CLOSED, 0n]);
  });

  it("is the guardian's until the second that was said, and closed in that second", async () => {
    const system = await loadFixture(opened);
    const { vault, guardian, alice, unit } = system;
    await vault.connect(guardian).guardianTrip(DAY);
    const until = BigInt(await time.latest()) + DAY;
    expect(await vault.breaker()).to.deep.equal([GUARDIANS, until]);
    const before = await ethers.provider.send("evm_snapshot", []);
    await time.setNextBlockTimestamp(until - 1n);
    await expect(deposit(system, alice, unit)).to.be.revertedWithCustomError(vault, "DepositsClosed");
    await ethers.provider.send("evm_revert", [before]);
    await time.setNextBlockTimestamp(until);
    await deposit(system, alice, unit);
    expect(await vault.breaker()).to.deep.equal([CLOSED, 0n]);
  });

  it("is proven for as long as nobody resets it", async () => {
    const { vault, owner, stranger } = await loadFixture(opened);
    const condition = await (await ethers.getContractFactory("SwitchCondition")).deploy();
    await vault.connect(owner).setCondition(condition, true);
    await condition.set(true, false);
    await vault.connect(stranger).arm(condition);
    await time.increase(1_800n);
    await vault.connect(stranger).trip(condition);
    expect(await vault.breaker()).to.deep.equal([PROVEN, 0n]);
    await time.increase(3_650n * DAY);
    expect(await vault.breaker()).to.deep.equal([PROVEN, 0n]);
    await vault.connect(owner).resetBreaker();
    expect(await vault.breaker()).to.deep.equal([CLOSED, 0n]);
  });
});
