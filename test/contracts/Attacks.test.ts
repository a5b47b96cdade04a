// What a stolen keeper key and its friends could try: one test a way, with what it cost depositors, the bound that held,
// and what it brought. The table is printed at the end.
import { impersonateAccount, loadFixture, mine, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { GAS, inOneBlock, nth } from "./bundle";
import {
  ALL,
  DAY,
  MAX,
  WAD,
  YEAR,
  deploySystem,
  deposit,
  guardOf,
  movesOf,
  rebalance,
  redeem,
  withdraw,
  type MoveOf,
  type System,
} from "./deployment";
import { POCKETS, bpsOf, study, tableOf, type Outcome } from "./study";

const outcomes: Outcome[] = [];
const UNIT = 10n ** 6n;
/** Of `defaultTerms`: what one plan may lose, what any day may, and what the full bucket holds. */
const PER_PLAN_BPS = 10;
const BUDGET_BPS = 100;
const BUCKET_BPS = 50;

after(() => {
  console.log(`\n${tableOf(outcomes, UNIT)}\n`);
});

/** 1,000,000 of Alice's, a day old, all idle. Venue 0 will be the friend's. */
async function funded(): Promise<System> {
  const system = await deploySystem({ venues: 3 });
  await deposit(system, system.alice, 1_000_000n * system.unit);
  await time.increase(DAY);
  return system;
}

/** As {@link funded}, 300,000 in venue 0 and 200,000 in venue 1, two days later. */
async function invested(): Promise<System> {
  const system = await funded();
  await rebalance(system, [
    [nth(system.adapters, 0), 300_000n * system.unit],
    [nth(system.adapters, 1), 200_000n * system.unit],
  ]);
  await time.increase(2n * DAY);
  await system.vault.accrue();
  await mine(1);
  return system;
}

/** An adapter that lies only about what it pays. */
async function addHostileAdapter(system: System, mask = 0n) {
  const { vault, token, owner } = system;
  const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
  const address = await adapter.getAddress();
  await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: mask });
  return adapter;
}

/** A plan's transaction, for {@link inOneBlock}. */
async function planOf(system: System, legs: readonly MoveOf[]) {
  const [moves, guard] = [await movesOf(legs), await guardOf(system)];
  return () => system.vault.connect(system.keeper).rebalance(moves, guard, GAS);
}

const depositTx = (system: System, who: HardhatEthersSigner, assets: bigint) => () =>
  system.vault.connect(who)["deposit(uint256,address)"](assets, who.address, GAS);
const withdrawTx = (system: System, who: HardhatEthersSigner, assets: bigint) => () =>
  system.vault.connect(who)["withdraw(uint256,address,address)"](assets, who.address, who.address, GAS);
const redeemTx = (system: System, who: HardhatEthersSigner, shares: bigint) => () =>
  system.vault.connect(who)["redeem(uint256,address,address)"](shares, who.address, who.address, GAS);
const inKindTx = (system: System, who: HardhatEthersSigner, shares: bigint) => () =>
  system.vault.connect(who).redeemInKind(shares, who.address, [], GAS);
const statusOf = (receipts: readonly { readonly status: number | null }[]) => receipts.map(({ status }) => status);

/** Venue 0 keeps 1 % of what comes in. Loses as much as one plan may now, or as is left of the budget. */
async function loseOnce(system: System): Promise<boolean> {
  const { vault } = system;
  const friend = nth(system.adapters, 0);
  if ((await friend.fairValue()) > 0n) await rebalance(system, [[friend, ALL]]);
  const base = await vault.limitBase();
  const [, , available] = await vault.lossBudget();
  const perPlan = await vault.lossPerCall();
  const share = available < perPlan ? available : perPlan;
  const amount = (share * base * 100n) / WAD;
  if (amount < 100n * UNIT) return false;
  await rebalance(system, [[friend, amount]]);
  return true;
}

describe("Attacks: buying high from a friend, selling low to one", () => {
  it("one plan that buys high loses the bound of a plan, and a larger one nothing", async () => {
    const system = await loadFixture(invested);
    const { adapters, venues, unit, vault } = system;
    const attack = await study("one plan buys high", system, { attackers: [] });
    await nth(venues, 0).setFees(100n, 0n);
    await expect(rebalance(system, [[nth(adapters, 0), 101_000n * unit]])).to.be.revertedWithCustomError(
      vault,
      "LossExceeded",
    );
    await rebalance(system, [[nth(adapters, 0), 100_000n * unit]]);
    outcomes.push(await attack.close(PER_PLAN_BPS, "loss of one plan"));
  });

  it("one plan that sells low loses the bound of a plan, and a larger one nothing", async () => {
    const system = await loadFixture(funded);
    const { unit, vault } = system;
    const adapter = await addHostileAdapter(system);
    await rebalance(system, [[adapter, 100_000n * unit]]);
    const attack = await study("one plan sells low", system, { attackers: [], more: [adapter] });
    await adapter.setUnderpays(1_001n * unit);
    await expect(rebalance(system, [[adapter, -50_000n * unit]]))
      .to.be.revertedWithCustomError(vault, "LossExceeded")
      .withArgs(1_001n * unit, 1_000_001_000n);
    await adapter.setUnderpays(1_000n * unit);
    await rebalance(system, [[adapter, -50_000n * unit]]);
    outcomes.push(await attack.close(PER_PLAN_BPS, "loss of one plan"));
  });

  it("a burst of plans that buy high loses the bucket", async () => {
    const system = await loadFixture(funded);
    await nth(system.venues, 0).setFees(100n, 0n);
    const attack = await study("burst of plans that buy high", system, { attackers: [] });
    const since = await time.latest();
    let plans = 0;
    while (await loseOnce(system)) expect(++plans).to.be.lessThan(20);
    expect(plans).to.be.greaterThan(4);
    const refilled = (BUCKET_BPS * ((await time.latest()) - since)) / Number(DAY);
    outcomes.push(await attack.close(BUCKET_BPS + refilled, "half of the loss budget, and the refill of seconds"));
  });

  it("the worst sequence, a full bucket and then each refill, loses the loss budget in a window and no more", async function () {
    this.timeout(120_000);
    const system = await loadFixture(funded);
    const { vault } = system;
    await nth(system.venues, 0).setFees(100n, 0n);
    const attack = await study("full bucket, then every refill, for one window", system, { attackers: [] });
    const since = BigInt(await time.latest());
    const spent: { readonly at: number; readonly share: bigint }[] = [];
    let outcome: Outcome | undefined;
    for (let step = 0n; step <= 16n; step++) {
      const at = since + (step * DAY) / 8n;
      if (at > BigInt(await time.latest())) await time.increaseTo(at);
      if (step === 8n) outcome = await attack.close(BUDGET_BPS, "loss budget");
      while (await loseOnce(system));
    }
    for (const log of await vault.queryFilter(vault.filters.BudgetSpent(ethers.encodeBytes32String("lossBudget")))) {
      spent.push({ at: (await log.getBlock()).timestamp, share: log.args.share });
    }
    const most = spent
      .map(({ at }) => spent.filter((s) => s.at >= at && s.at <= at + Number(DAY)).reduce((t, s) => t + s.share, 0n))
      .reduce((a, b) => (a > b ? a : b));
    expect(most).to.be.at.most(WAD / 100n);
    expect(most).to.be.greaterThan(((WAD / 100n) * 9n) / 10n);
    if (outcome === undefined) throw new Error("the window did not end");
    expect(outcome.lossBps).to.be.greaterThan(80);
    outcomes.push(outcome);
  });

  it("an empty venue whose share price a friend has pushed costs the friend more than the vault", async () => {
    const system = await loadFixture(funded);
    const { vault, token, owner, bob, unit } = system;
    const venue = await (await ethers.getContractFactory("HostileVenue")).deploy(token);
    const adapter = await (await ethers.getContractFactory("ERC4626Adapter")).deploy(vault, venue);
    const address = await adapter.getAddress();
    await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    const all = { ...system, venues: [...system.venues, venue] };
    const attack = await study("empty venue with a pushed share price", all, { attackers: [bob], more: [adapter] });
    await token.connect(bob).approve(venue, MAX);
    await venue.connect(bob).deposit(1n, bob.address);
    await token.connect(bob).transfer(venue, 200_000n * unit);
    await expect(rebalance(system, [[adapter, 299_000n * unit]])).to.be.revertedWithCustomError(vault, "LossExceeded");
    await rebalance(system, [[adapter, 101_000n * unit]]);
    await venue.connect(bob).redeem(1n, bob.address, bob.address);
    const outcome = await attack.close(PER_PLAN_BPS, "loss of one plan");
    expect(outcome.gain).to.be.lessThan(0n);
    outcomes.push(outcome);
  });

  it("the rounding that is free for moves to idle is two units a move", async () => {
    const system = await loadFixture(funded);
    const { vault, owner, unit } = system;
    const adapter = await addHostileAdapter(system);
    await rebalance(system, [[adapter, 1_000n * unit]]);
    const attack = await study("1-wei moves to idle, each losing what rounding may", system, {
      attackers: [],
      more: [adapter],
    });
    await vault.connect(owner).setLossBudget(0n, DAY);
    await vault.connect(owner).setLossPerCall(0n);
    await adapter.setUnderpays(2n);
    for (let i = 0; i < 10; i++) await rebalance(system, [[adapter, -3n]]);
    expect(await vault.idle()).to.equal(999_001n * unit + 10n);
    const outcome = await attack.close(0.01, "2 units a move, for a transaction's gas");
    expect(outcome.gain).to.equal(20n);
    outcomes.push(outcome);
  });
});

describe("Attacks: churn and grinding", () => {
  it("round trips through a venue's fee are bounded by the turnover that a window holds", async () => {
    const system = await loadFixture(funded);
    const { vault } = system;
    const adapter = nth(system.adapters, 0);
    await nth(system.venues, 0).setFees(1n, 0n);
    const attack = await study("round trips through a fee of 1 bp, for one window", system, { attackers: [] });
    const since = BigInt(await time.latest());
    let trips = 0;
    for (let hours = 0n; hours < 24n; hours += 3n) {
      if (hours > 0n) await time.increaseTo(since + hours * 3_600n);
      for (;;) {
        const [, , available] = await vault.turnoverBudget();
        const [base, idle] = [await vault.limitBase(), await vault.idle()];
        const wish = (available * base) / WAD;
        const amount = wish < idle ? wish : idle;
        if (amount < base / 100n) break;
        await rebalance(system, [[adapter, amount]]);
        await rebalance(system, [[adapter, ALL]]);
        trips++;
      }
    }
    expect(trips).to.be.greaterThan(5);
    outcomes.push(await attack.close(4, "turnover budget × the fee"));
  });

  it("an emptied turnover budget costs nothing and stops no move to idle", async () => {
    const system = await loadFixture(invested);
    const { vault, adapters, unit } = system;
    const attack = await study("emptying the turnover budget", system, { attackers: [] });
    await vault.connect(system.guardian).setTurnoverBudget((4n * WAD) / 10n, DAY);
    await rebalance(system, [[nth(adapters, 2), 200_000n * unit]]);
    await expect(rebalance(system, [[nth(adapters, 2), 1_000n * unit]])).to.be.revertedWithCustomError(
      vault,
      "TurnoverBudgetExceeded",
    );
    await rebalance(system, [
      [nth(adapters, 0), ALL],
      [nth(adapters, 1), ALL],
      [nth(adapters, 2), ALL],
    ]);
    expect(await vault.idle()).to.equal(1_000_001n * unit);
    outcomes.push(await attack.close(0, "moves to idle are free"));
  });
});

describe("Attacks: donating and skimming", () => {
  it("a donation that hides a loss costs the donor what it hides", async () => {
    const system = await loadFixture(invested);
    const { token, bob, adapters, venues, unit } = system;
    const attack = await study("a loss hidden behind a donation", system, { attackers: [bob] });
    await nth(venues, 0).setFees(100n, 0n);
    // The adapter hands on what strangers sent it, within the move that is measured.
    await token.connect(bob).transfer(nth(adapters, 0), 500n * unit);
    await rebalance(system, [[nth(adapters, 0), 150_000n * unit]]);
    outcomes.push(await attack.close(PER_PLAN_BPS, "loss of one plan"));
  });

  it("who donates to the vault does not get it back by having entered before", async () => {
    const system = await loadFixture(invested);
    const { token, vault, bob, unit } = system;
    const attack = await study("entering, donating, leaving", system, { attackers: [bob] });
    await deposit(system, bob, 9_000_000n * unit);
    await token.connect(bob).transfer(vault, 10_000n * unit);
    await redeem(system, bob, await vault.balanceOf(bob.address));
    const outcome = await attack.close(0, "maxRate");
    expect(outcome.gain).to.be.lessThan(-9_999n * unit);
    outcomes.push(outcome);
  });

  it("who enters for one block of a waiting gain gets what maxRate gives to all of that block", async () => {
    const system = await loadFixture(invested);
    const { token, vault, stranger, bob, unit } = system;
    await token.connect(stranger).transfer(vault, 100_000n * unit);
    await vault.accrue();
    const attack = await study("100 × the vault enters for one block of a dripping gain", system, { attackers: [bob] });
    await deposit(system, bob, 100_000_000n * unit);
    await time.increase(11n);
    const since = (await vault.accountedAssets())[2];
    await redeem(system, bob, await vault.balanceOf(bob.address));
    const seconds = BigInt(await time.latest()) - since;
    const dripped = (101_000_000n * unit * WAD * seconds) / (2n * YEAR * WAD);
    outcomes.push(await attack.close(bpsOf(dripped, 1_100_000n * unit), "maxRate × what entered × the time"));
  });

  it("who buys at the accounted price gets nothing of a dripping gain by leaving in kind", async () => {
    const system = await loadFixture(invested);
    const { token, vault, venues, stranger, bob, unit } = system;
    await token.connect(stranger).transfer(nth(venues, 0), 100_000n * unit);
    await vault.accrue();
    const attack = await study("in kind against a dripping gain", system, { attackers: [bob] });
    await inOneBlock([depositTx(system, bob, 1_000_000n * unit)]);
    const shares = await vault.balanceOf(bob.address);
    await vault.connect(bob).redeemInKind(shares, bob.address, []);
    const outcome = await attack.close(0.01, "in kind is scaled; maxRate × seconds");
    expect(outcome.gain).to.be.at.most(unit);
    outcomes.push(outcome);
  });
});

describe("Attacks: caps and idle", () => {
  it("no order, no group member and no flash loan grows an adapter over its caps", async () => {
    const system = await loadFixture(invested);
    const { vault, guardian, adapters, bob, unit } = system;
    const [first, second, third] = [nth(adapters, 0), nth(adapters, 1), nth(adapters, 2)];
    const attack = await study("adapter over its caps by order, group, flash loan", system, { attackers: [bob] });
    await vault.connect(guardian).setRelativeCap(first, (3n * WAD) / 10n);
    await vault.connect(guardian).setGroupCap(0n, (6n * WAD) / 10n);
    const cap = (3n * 1_000_001n * unit) / 10n;
    const groupCap = (6n * 1_000_001n * unit) / 10n;
    await expect(rebalance(system, [[first, unit]]))
      .to.be.revertedWithCustomError(vault, "RelativeCapExceeded")
      .withArgs(await first.getAddress(), 300_001n * unit, cap);
    const shrinkAfter: readonly MoveOf[] = [
      [first, 50_000n * unit],
      [first, -50_000n * unit],
    ];
    await expect(rebalance(system, shrinkAfter)).to.be.revertedWithCustomError(vault, "UnorderedMove").withArgs(1n);
    await expect(
      rebalance(system, [
        [second, -10_000n * unit],
        [third, 110_001n * unit],
      ]),
    )
      .to.be.revertedWithCustomError(vault, "GroupCapExceeded")
      .withArgs(0n, 600_001n * unit, groupCap);
    const receipts = await inOneBlock([
      depositTx(system, bob, 100_000_000n * unit),
      await planOf(system, [[first, 10_000n * unit]]),
      withdrawTx(system, bob, 99_999_999n * unit),
    ]);
    expect(statusOf(receipts)).to.deep.equal([1, 0, 1]);
    expect(await first.fairValue()).to.equal(300_000n * unit);
    outcomes.push(await attack.close(0, "caps are shares of an earlier block's total"));
  });

  it("what depositors take out leaves an adapter over its cap, where it may only shrink", async () => {
    const system = await loadFixture(invested);
    const { vault, guardian, adapters, alice, bob, unit } = system;
    const first = nth(adapters, 0);
    const attack = await study("adapter over its cap by withdrawals", system, { attackers: [bob] });
    await vault.connect(guardian).setRelativeCap(first, (3n * WAD) / 10n);
    await withdraw(system, alice, 400_000n * unit);
    await deposit(system, alice, 400_000n * unit);
    await withdraw(system, alice, 400_000n * unit);
    await mine(1);
    await expect(rebalance(system, [[first, 1n]]))
      .to.be.revertedWithCustomError(vault, "RelativeCapExceeded")
      .withArgs(await first.getAddress(), 300_000n * unit + 1n, (3n * 600_001n * unit) / 10n);
    await rebalance(system, [[first, -1n]]);
    await deposit(system, alice, 400_000n * unit);
    outcomes.push(await attack.close(0, "cap, for what grows"));
  });

  it("a friend who has been in since an earlier block widens relative caps while in, and absolute caps never", async () => {
    const system = await loadFixture(funded);
    const { vault, guardian, adapters, bob, unit } = system;
    const third = nth(adapters, 2);
    const attack = await study("relative cap widened by a friend's deposit a block before", system, {
      attackers: [bob],
    });
    await vault.connect(guardian).setRelativeCap(third, WAD / 10n);
    await vault.connect(guardian).setAbsoluteCap(third, 400_000n * unit);
    await deposit(system, bob, 9_000_000n * unit);
    await mine(1);
    await expect(rebalance(system, [[third, 400_001n * unit]]))
      .to.be.revertedWithCustomError(vault, "AbsoluteCapExceeded")
      .withArgs(await third.getAddress(), 400_001n * unit, 400_000n * unit);
    await rebalance(system, [[third, 400_000n * unit]]);
    await redeem(system, bob, await vault.balanceOf(bob.address));
    // Four tenths of what is left, under a relative cap of one: what a relative cap is worth against capital.
    expect(await third.fairValue()).to.equal(400_000n * unit);
    outcomes.push(await attack.close(0, "absolute cap, turnover budget"));
  });

  it("idle drained behind a flash loan leaves every depositor an exit through the venues", async () => {
    const system = await loadFixture(funded);
    const { vault, guardian, adapters, alice, bob, unit } = system;
    const attack = await study("idle drained behind a flash loan", system, { attackers: [bob] });
    await vault.connect(guardian).setMinimumIdle(WAD / 2n);
    await expect(rebalance(system, [[nth(adapters, 0), 900_000n * unit]])).to.be.revertedWithCustomError(
      vault,
      "IdleTooLow",
    );
    const receipts = await inOneBlock([
      depositTx(system, bob, 10_000_000n * unit),
      await planOf(system, [[nth(adapters, 0), 1_000_000n * unit]]),
      withdrawTx(system, bob, 10_000_000n * unit),
    ]);
    expect(statusOf(receipts)).to.deep.equal([1, 1, 1]);
    expect(await vault.idle()).to.equal(unit);
    expect(await vault.maxWithdraw(alice.address)).to.be.at.least(1_000_000n * unit - 1n);
    await withdraw(system, alice, 500_000n * unit);
    await deposit(system, alice, 500_000n * unit);
    outcomes.push(await attack.close(0, "exits go through the venues"));
  });
});

describe("Attacks: bundles around a deposit", () => {
  it("deposit, losing plan, withdrawal in one block: the base is the earlier block's, and the friend bears its part", async () => {
    const system = await loadFixture(funded);
    const { vault, adapters, venues, bob, unit } = system;
    await nth(venues, 0).setFees(100n, 0n);
    await vault.accrue();
    const attack = await study("deposit, losing plan, withdrawal in one block", system, { attackers: [bob] });
    const shares = 9_000_000n * WAD;
    const greedy = await inOneBlock([
      depositTx(system, bob, 9_000_000n * unit),
      await planOf(system, [[nth(adapters, 0), 200_000n * unit]]),
      redeemTx(system, bob, shares),
    ]);
    expect(statusOf(greedy)).to.deep.equal([1, 0, 1]);
    const modest = await inOneBlock([
      depositTx(system, bob, 9_000_000n * unit),
      await planOf(system, [[nth(adapters, 0), 100_000n * unit]]),
      redeemTx(system, bob, shares),
    ]);
    expect(statusOf(modest)).to.deep.equal([1, 1, 1]);
    const outcome = await attack.close(PER_PLAN_BPS, "loss of one plan");
    expect(outcome.lossBps).to.be.lessThan(1.1);
    outcomes.push(outcome);
  });

  it("withdrawal, losing plan, deposit in one block: the base is what is left", async () => {
    const system = await loadFixture(funded);
    const { vault, adapters, venues, bob, unit } = system;
    await deposit(system, bob, 1_000_000n * unit);
    await nth(venues, 0).setFees(100n, 0n);
    await vault.accrue();
    const attack = await study("withdrawal, losing plan, deposit in one block", system, { attackers: [bob] });
    const shares = await vault.balanceOf(bob.address);
    const receipts = await inOneBlock([
      redeemTx(system, bob, shares),
      await planOf(system, [[nth(adapters, 0), 150_000n * unit]]),
      depositTx(system, bob, 1_000_000n * unit),
    ]);
    expect(statusOf(receipts)).to.deep.equal([1, 0, 1]);
    const again = await vault.balanceOf(bob.address);
    const modest = await inOneBlock([
      redeemTx(system, bob, again),
      await planOf(system, [[nth(adapters, 0), 100_000n * unit]]),
      depositTx(system, bob, 1_000_000n * unit),
    ]);
    expect(statusOf(modest)).to.deep.equal([1, 1, 1]);
    outcomes.push(await attack.close(PER_PLAN_BPS, "loss of one plan, of what is left"));
  });
});
