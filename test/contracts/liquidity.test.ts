// What the vault asks of venues whose price a trade moves: adapters that are not exact.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { ALL, DAY, MAX, WAD, deploySystem, deposit, rebalance, redeem, withdraw, type System } from "./deployment";

const HONEST = 0;
const REVERTS = 1;
const BURNS_GAS = 2;
const NOTHING = 3;
const BOMB = 4;
const HUGE = 5;

/** 1,000,001 in the vault: 300,000 in an exact venue, 400,000 in a pool, the rest idle. */
async function invested() {
  const system = await deploySystem({ venues: 1 });
  const { vault, token, owner, unit } = system;
  const pool = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, await token.getAddress());
  await pool.setExact(false);
  const adapter = await pool.getAddress();
  await vault.connect(owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
  await deposit(system, system.alice, 1_000_000n * unit);
  await time.increase(DAY);
  await rebalance(system, [
    [system.adapters[0]!, 300_000n * unit],
    [pool, 400_000n * unit],
  ]);
  await time.increase(DAY);
  await vault.accrue();
  await time.increase(60n);
  return { ...system, system, pool, adapter };
}

async function available(system: System): Promise<bigint> {
  return (await system.vault.lossBudget())[2];
}

/** WAD share of what the vault's limits are shares of, rounded up. */
function share(amount: bigint, base: bigint): bigint {
  return (amount * WAD + base - 1n) / base;
}

describe("Pools: entry", () => {
  it("is shut while a pool's price is away from fair value, and exits are open", async () => {
    const { system, vault, alice, bob, pool, adapter, unit } = await loadFixture(invested);
    expect(await vault.maxDeposit(bob.address)).to.be.greaterThan(0n);
    await pool.setSteady(false, HONEST);
    expect(await vault.maxDeposit(bob.address)).to.equal(0n);
    expect(await vault.maxMint(bob.address)).to.equal(0n);
    await expect(deposit(system, bob, unit))
      .to.be.revertedWithCustomError(vault, "VenueUnsteady")
      .withArgs(adapter);
    await expect(vault.connect(bob)["mint(uint256,address)"](WAD, bob.address))
      .to.be.revertedWithCustomError(vault, "VenueUnsteady")
      .withArgs(adapter);
    await withdraw(system, alice, 100n * unit);
    await redeem(system, alice, WAD);
    await vault.connect(alice).redeemInKind(WAD, alice.address, []);
    await pool.setSteady(true, HONEST);
    await deposit(system, bob, unit);
  });

  for (const [name, how] of [
    ["reverts", REVERTS],
    ["burns all gas", BURNS_GAS],
    ["answers nothing", NOTHING],
    ["answers without end", BOMB],
    ["answers what is no bool", HUGE],
  ] as const) {
    it(`is shut while a pool that is asked ${name}`, async () => {
      const { system, vault, bob, pool, unit } = await loadFixture(invested);
      await pool.setSteady(true, how);
      expect(await vault.maxDeposit(bob.address)).to.equal(0n);
      await expect(deposit(system, bob, unit)).to.be.revertedWithCustomError(vault, "VenueUnsteady");
    });
  }

  it("asks no pool that holds less than a ten-thousandth of the total", async () => {
    const { system, vault, alice, bob, pool, unit } = await loadFixture(invested);
    await pool.setSteady(false, HONEST);
    const total = await vault.totalAssets();
    await rebalance(system, [[pool, -(await pool.fairValue()) + total / 10_000n + 1n]]);
    expect(await vault.maxDeposit(bob.address)).to.equal(0n);
    await expect(deposit(system, bob, unit)).to.be.revertedWithCustomError(vault, "VenueUnsteady");
    await rebalance(system, [[pool, -2n]]);
    expect(await vault.maxDeposit(bob.address)).to.be.greaterThan(0n);
    await deposit(system, bob, unit);
    await withdraw(system, alice, unit * 10n);
    await expect(deposit(system, bob, unit)).to.be.revertedWithCustomError(vault, "VenueUnsteady");
  });

  it("goes by what is recorded of a pool: what strangers send to an empty one shuts nothing until it is refreshed", async () => {
    const { system, vault, bob, stranger, pool, adapter, token, unit } = await loadFixture(invested);
    await rebalance(system, [[pool, ALL]]);
    await pool.setSteady(false, HONEST);
    await token.connect(stranger).transfer(adapter, 1_000n * unit);
    expect(await vault.maxDeposit(bob.address)).to.be.greaterThan(0n);
    await deposit(system, bob, unit);
    await vault.refresh(adapter);
    expect(await vault.maxDeposit(bob.address)).to.equal(0n);
    await expect(deposit(system, bob, unit)).to.be.revertedWithCustomError(vault, "VenueUnsteady");
  });

  it("asks pools only, and none that is gone", async () => {
    const { system, vault, owner, bob, pool, adapter, adapters, unit } = await loadFixture(invested);
    await pool.setSteady(false, HONEST);
    await expect(deposit(system, bob, unit)).to.be.revertedWithCustomError(vault, "VenueUnsteady");
    await rebalance(system, [[pool, ALL]]);
    await vault.connect(owner).removeAdapter(adapter);
    await deposit(system, bob, unit);
    await rebalance(system, [[adapters[0]!, ALL]]);
    await vault.connect(owner).removeAdapter(adapters[0]!);
    await deposit(system, bob, unit);
  });
});

describe("Pools: exits of depositors", () => {
  it("never sell a pool's position: what idle and exact venues cannot pay leaves in kind", async () => {
    const { system, vault, alice, pool, token, unit } = await loadFixture(invested);
    expect(await vault.maxWithdraw(alice.address)).to.equal(600_001n * unit);
    await expect(withdraw(system, alice, 600_001n * unit + 1n))
      .to.be.revertedWithCustomError(vault, "InsufficientLiquidity")
      .withArgs(600_001n * unit + 1n, 600_001n * unit);
    await withdraw(system, alice, 600_001n * unit);
    expect(await pool.fairValue()).to.equal(400_000n * unit);
    const before = await token.balanceOf(alice.address);
    await vault.connect(alice).redeemInKind(await vault.balanceOf(alice.address), alice.address, []);
    expect((await token.balanceOf(alice.address)) - before).to.be.within(399_998n * unit, 400_000n * unit);
  });
});

describe("Pools: a fall since the last record", () => {
  it("is charged to the loss budget by the next plan that touches the pool", async () => {
    const { system, vault, pool, unit } = await loadFixture(invested);
    const before = await available(system);
    await pool.setValueOffset(-2_000n * unit);
    const base = await vault.limitBase();
    await expect(rebalance(system, [[pool, 1_000n * unit]])).to.emit(vault, "BudgetSpent");
    expect(await available(system)).to.equal(before - share(2_000n * unit, base));
    // It is charged once.
    const charged = await available(system);
    await rebalance(system, [[pool, 1_000n * unit]]);
    expect(await available(system)).to.be.at.least(charged);
  });

  it("may use the budget up, refuses nothing by itself, and then leaves no room for a loss of a plan", async () => {
    const { system, vault, pool, unit } = await loadFixture(invested);
    await pool.setValueOffset(-50_000n * unit);
    await rebalance(system, [[pool, -1_000n * unit]]);
    expect(await available(system)).to.equal(0n);
    await rebalance(system, [[pool, -1_000n * unit]]);
    await pool.setUnderpays(10n * unit);
    await expect(rebalance(system, [[pool, -1_000n * unit]])).to.be.revertedWithCustomError(
      vault,
      "LossBudgetExceeded",
    );
  });

  it("is charged by a refresh, by whom ever, and when a group's members are read", async () => {
    const { system, vault, stranger, guardian, pool, adapters, unit } = await loadFixture(invested);
    const first = await available(system);
    await pool.setValueOffset(-1_000n * unit);
    const base = await vault.limitBase();
    await vault.connect(stranger).refresh(pool);
    expect(await available(system)).to.equal(first - share(1_000n * unit, base));
    await time.increase(DAY);
    await pool.setValueOffset(-3_000n * unit);
    await vault.accrue();
    await time.increase(60n);
    const second = await available(system);
    await vault.connect(guardian).setGroupCap(0n, (7_005n * WAD) / 10_000n);
    await rebalance(system, [[adapters[0]!, 1_000n * unit]]);
    expect(await available(system)).to.be.lessThan(second - share(1_999n * unit, base));
  });

  it("is of pools only, not of exact venues, nor of what is in quarantine, and a rise charges nothing", async () => {
    const { system, vault, guardian, venues, pool, adapters, unit } = await loadFixture(invested);
    const before = await available(system);
    await venues[0]!.lose(1_000n * unit);
    await vault.refresh(adapters[0]!);
    await rebalance(system, [[adapters[0]!, 1_000n * unit]]);
    await pool.setValueOffset(5_000n * unit);
    await vault.refresh(pool);
    expect(await available(system)).to.equal(before);
    await vault.connect(guardian).quarantine(pool);
    await pool.setValueOffset(0n);
    await rebalance(system, [[pool, -1_000n * unit]]);
    expect(await available(system)).to.equal(before);
  });

  it("counts the vault's part only, where there are claims", async () => {
    const { system, vault, alice, pool, adapter, unit } = await loadFixture(invested);
    await vault.connect(alice).redeemInKind((await vault.balanceOf(alice.address)) / 2n, alice.address, [adapter]);
    const before = await available(system);
    const base = await vault.limitBase();
    await pool.setValueOffset(-2_000n * unit);
    await vault.refresh(pool);
    expect(before - (await available(system))).to.be.within(share(999n * unit, base), share(1_001n * unit, base));
  });
});

describe("Pools: the guardian's exit", () => {
  async function tripped() {
    const fixture = await invested();
    await fixture.vault.connect(fixture.guardian).guardianTrip(DAY);
    return fixture;
  }

  it("takes money out of a pool to idle while tripped, and asks for no less than said", async () => {
    const { vault, guardian, pool, adapter, unit } = await loadFixture(tripped);
    const idle = await vault.idle();
    const epoch = await vault.planEpoch();
    const total = await vault.totalAssets();
    await expect(vault.connect(guardian).guardianExit(pool, 100_000n * unit, 99_000n * unit))
      .to.emit(vault, "EmergencyExit")
      .withArgs(adapter, 100_000n * unit, total);
    expect(await vault.idle()).to.equal(idle + 100_000n * unit);
    expect((await vault.adapter(pool)).recorded).to.equal(300_000n * unit);
    expect(await vault.planEpoch()).to.equal(epoch + 1n);
    await pool.setUnderpays(2n * unit);
    await expect(vault.connect(guardian).guardianExit(pool, 1_000n * unit, 999n * unit))
      .to.be.revertedWithCustomError(vault, "BoundMissed")
      .withArgs(998n * unit, 999n * unit);
    await pool.setUnderpays(0n);
    await vault.connect(guardian).guardianExit(pool, MAX, 0n);
    expect(await pool.fairValue()).to.equal(0n);
  });

  it("loses no more than a budget of its own, and takes it off total assets", async () => {
    const { system, vault, guardian, pool, unit } = await loadFixture(tripped);
    const losses = await available(system);
    const base = await vault.limitBase();
    const total = await vault.totalAssets();
    const [limit, window, first] = await vault.emergencyBudget();
    expect([limit, window, first]).to.deep.equal([WAD / 50n, 7n * DAY, WAD / 100n]);
    await pool.setCharges(6_000n * unit);
    await vault.connect(guardian).guardianExit(pool, 50_000n * unit, 0n);
    const [, , left] = await vault.emergencyBudget();
    expect(left).to.equal(first - share(6_000n * unit, base));
    expect(await vault.totalAssets()).to.equal(total - 6_000n * unit);
    await expect(vault.connect(guardian).guardianExit(pool, 50_000n * unit, 0n))
      .to.be.revertedWithCustomError(vault, "EmergencyBudgetExceeded")
      .withArgs(
        (asked: bigint) => asked > 6n * 10n ** 15n,
        (room: bigint) => room >= left && room < left + 10n ** 13n,
      );
    expect(await available(system)).to.equal(losses);
  });

  it("is the guardian's, while tripped, of a pool that can be read, and of something", async () => {
    const { vault, guardian, keeper, owner, stranger, pool, adapters, unit } = await loadFixture(invested);
    const exit = (who = guardian, adapter: unknown = pool, assets = unit) =>
      vault.connect(who).guardianExit(adapter as string, assets, 0n);
    await expect(exit()).to.be.revertedWithCustomError(vault, "NotTripped").withArgs(0n);
    await vault.connect(guardian).guardianTrip(DAY);
    for (const who of [keeper, owner, stranger]) {
      await expect(exit(who)).to.be.revertedWithCustomError(vault, "NotGuardian").withArgs(who.address);
    }
    await expect(exit(guardian, adapters[0]!))
      .to.be.revertedWithCustomError(vault, "IsExact")
      .withArgs(await adapters[0]!.getAddress());
    await expect(exit(guardian, stranger.address))
      .to.be.revertedWithCustomError(vault, "UnknownAdapter")
      .withArgs(stranger.address);
    await expect(exit(guardian, pool, 0n))
      .to.be.revertedWithCustomError(vault, "EmptyMove")
      .withArgs(0n);
    await pool.setUnderpays(unit);
    await expect(exit()).to.be.revertedWithCustomError(vault, "EmptyMove").withArgs(0n);
    await pool.setUnderpays(0n);
    await pool.setReads(REVERTS);
    await expect(exit()).to.be.revertedWithCustomError(vault, "AdapterUnreadable");
    await pool.setReads(HONEST);
    await exit();
  });

  it("works after a proven trip too, and never takes what belongs to claims", async () => {
    const { vault, alice, guardian, pool, adapter, unit } = await loadFixture(tripped);
    await vault.connect(alice).redeemInKind((await vault.balanceOf(alice.address)) / 2n, alice.address, [adapter]);
    await vault.connect(guardian).guardianExit(pool, MAX, 0n);
    expect(await pool.fairValue()).to.be.within(199_999n * unit, 200_001n * unit);
    const claims = await ethers.getContractAt("Claims", await vault.claims());
    const held = await claims.balanceOf(alice.address, BigInt(adapter));
    await vault.connect(alice).redeemClaim(adapter, held, alice.address);
    expect(await pool.fairValue()).to.be.at.most(1n);
  });
});
