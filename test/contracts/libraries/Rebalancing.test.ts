// The keeper's only power: each check of `rebalance` with its own error, in the order that the contract promises.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import {
  ALL,
  DAY,
  DECISION,
  MAX,
  WAD,
  deploySystem,
  deposit,
  guardOf,
  movesOf,
  rebalance,
  withdraw,
  type MoveOf,
  type System,
} from "../deployment";
import { age, deployAdapter, deployMarket } from "../adapters/uniswapMarket";

/** A vault with 1,000,000 of Alice's, a day old, all limits wide unless a test narrows them. */
async function funded(): Promise<System> {
  const system = await deploySystem({ venues: 3 });
  await deposit(system, system.alice, 1_000_000n * system.unit);
  await time.increase(DAY);
  return system;
}

async function invested(): Promise<System> {
  const system = await funded();
  const [first, second] = system.adapters;
  await rebalance(system, [
    [first!, 300_000n * system.unit],
    [second!, 200_000n * system.unit],
  ]);
  await time.increase(2n * DAY);
  return system;
}

describe("Rebalancing: who, when, and the shape of a plan", () => {
  it("refuses a caller who is no keeper before anything else", async () => {
    const system = await loadFixture(funded);
    const guard = await guardOf(system, { nonce: 99n, deadline: 0n });
    await expect(system.vault.connect(system.stranger).rebalance([], guard))
      .to.be.revertedWithCustomError(system.vault, "NotKeeper")
      .withArgs(system.stranger.address);
  });

  it("while tripped, refuses moves into adapters before it looks at deadline and nonce, and lets moves to idle pass", async () => {
    const system = await loadFixture(invested);
    await system.vault.connect(system.guardian).guardianTrip(DAY);
    const until = (await time.latest()) + Number(DAY);
    await expect(rebalance(system, [[system.adapters[0]!, 1n]], { deadline: 0n, nonce: 0n }))
      .to.be.revertedWithCustomError(system.vault, "BreakerTripped")
      .withArgs(1, until);
    await expect(rebalance(system, [[system.adapters[0]!, ALL]])).to.emit(system.vault, "Rebalanced");
    expect(await system.adapters[0]!.fairValue()).to.equal(0n);
  });

  it("refuses a plan after its deadline, before it looks at the nonce", async () => {
    const system = await loadFixture(funded);
    const now = BigInt(await time.latest());
    await time.setNextBlockTimestamp(now + 10n);
    await expect(rebalance(system, [[system.adapters[0]!, 1n]], { deadline: now + 9n, nonce: 5n }))
      .to.be.revertedWithCustomError(system.vault, "DeadlinePassed")
      .withArgs(now + 9n, now + 10n);
  });

  it("accepts a plan at its deadline", async () => {
    const system = await loadFixture(funded);
    const now = BigInt(await time.latest());
    await time.setNextBlockTimestamp(now + 10n);
    await rebalance(system, [[system.adapters[0]!, system.unit]], { deadline: now + 10n });
  });

  it("refuses a plan twice: the nonce is used up by the first", async () => {
    const system = await loadFixture(funded);
    const guard = await guardOf(system);
    const moves = await movesOf([[system.adapters[0]!, system.unit]]);
    await system.vault.connect(system.keeper).rebalance(moves, guard);
    await expect(system.vault.connect(system.keeper).rebalance(moves, guard))
      .to.be.revertedWithCustomError(system.vault, "WrongNonce")
      .withArgs(0n, 1n);
  });

  it("counts nonces a keeper, so that one keeper cannot block another", async () => {
    const system = await loadFixture(funded);
    await system.vault.connect(system.owner).setKeeper(system.stranger.address, true);
    await rebalance(system, [[system.adapters[0]!, system.unit]]);
    const guard = await guardOf(system, { nonce: 0n });
    await system.vault.connect(system.stranger).rebalance(await movesOf([[system.adapters[1]!, 1n]]), guard);
    expect(await system.vault.nextNonce(system.stranger.address)).to.equal(1n);
  });

  it("ends every outstanding plan when a keeper is removed or the guardian acts", async () => {
    const system = await loadFixture(funded);
    await system.vault.connect(system.owner).setKeeper(system.stranger.address, true);
    const guard = await guardOf(system);
    await system.vault.connect(system.guardian).setKeeper(system.stranger.address, false);
    const plan = await movesOf([[system.adapters[0]!, 1n]]);
    await expect(system.vault.connect(system.keeper).rebalance(plan, guard))
      .to.be.revertedWithCustomError(system.vault, "WrongNonce")
      .withArgs(0n, 1n << 64n);
    await system.vault.connect(system.guardian).setDepositCap(5_000_000n * system.unit);
    expect(await system.vault.nextNonce(system.keeper.address)).to.equal(2n << 64n);
  });

  const shapes: [string, (system: System) => MoveOf[], string, (system: System) => Promise<unknown[]>][] = [
    ["no moves at all", () => [], "NoMoves", async () => []],
    ["a move of nothing", ({ adapters }) => [[adapters[0]!, 0n]], "EmptyMove", async () => [0n]],
    ["a withdrawal from an empty adapter", ({ adapters }) => [[adapters[2]!, ALL]], "EmptyMove", async () => [0n]],
    [
      "a withdrawal after a deposit",
      ({ adapters }) => [
        [adapters[2]!, 1n],
        [adapters[0]!, -1n],
      ],
      "UnorderedMove",
      async () => [1n],
    ],
    [
      "the same adapter twice",
      ({ adapters }) => [
        [adapters[0]!, -5n],
        [adapters[0]!, 5n],
      ],
      "DuplicateMove",
      async ({ adapters }) => [1n, await adapters[0]!.getAddress()],
    ],
    [
      "an adapter that is not the vault's",
      ({ vault }) => [[vault, 5n]],
      "UnknownAdapter",
      async ({ vault }) => [await vault.getAddress()],
    ],
    [
      "more than is idle",
      ({ adapters, unit }) => [[adapters[0]!, 500_002n * unit]],
      "IdleExceeded",
      async ({ unit }) => [500_002n * unit, 500_001n * unit],
    ],
  ];
  for (const [what, legs, error, args] of shapes) {
    it(`refuses ${what}`, async () => {
      const system = await loadFixture(invested);
      await expect(rebalance(system, legs(system)))
        .to.be.revertedWithCustomError(system.vault, error)
        .withArgs(...(await args(system)));
    });
  }

  it("puts nothing into an adapter in quarantine, and takes out of it", async () => {
    const system = await loadFixture(invested);
    await system.vault.connect(system.guardian).quarantine(system.adapters[0]!);
    await expect(rebalance(system, [[system.adapters[0]!, 1n]]))
      .to.be.revertedWithCustomError(system.vault, "AdapterQuarantined")
      .withArgs(await system.adapters[0]!.getAddress());
    await rebalance(system, [[system.adapters[0]!, ALL]]);
    expect(await system.vault.idle()).to.equal(800_001n * system.unit);
  });

  it("puts nothing into an adapter that cannot be read", async () => {
    const system = await loadFixture(invested);
    await system.venues[0]!.setBroken(true);
    await expect(rebalance(system, [[system.adapters[0]!, 1n]]))
      .to.be.revertedWithCustomError(system.vault, "AdapterUnreadable")
      .withArgs(await system.adapters[0]!.getAddress());
  });

  it("emits what replay and accounting need", async () => {
    const system = await loadFixture(funded);
    const legs: MoveOf[] = [
      [system.adapters[0]!, 10n * system.unit],
      [system.adapters[1]!, 5n * system.unit],
    ];
    const moves = await movesOf(legs);
    const hash = ethers.keccak256(
      ethers.AbiCoder.defaultAbiCoder().encode(
        ["tuple(address adapter,int256 assets,bytes data)[]"],
        [moves.map((move) => [move.adapter, move.assets, move.data])],
      ),
    );
    const total = 1_000_001n * system.unit;
    await expect(rebalance(system, legs))
      .to.emit(system.vault, "Rebalanced")
      .withArgs(system.keeper.address, 0n, DECISION, hash, total, total, 15n * system.unit, 0n)
      .and.to.emit(system.vault, "Allocated")
      .withArgs(await system.adapters[1]!.getAddress(), 5n * system.unit, 5n * system.unit);
  });

  it("refuses a plan after whose deposit the adapter cannot be read", async () => {
    const system = await loadFixture(funded);
    const [venue] = system.venues;
    await venue!.setCall(await venue!.getAddress(), venue!.interface.encodeFunctionData("setBroken", [true]));
    await expect(rebalance(system, [[system.adapters[0]!, system.unit]]))
      .to.be.revertedWithCustomError(system.vault, "AdapterUnreadable")
      .withArgs(await system.adapters[0]!.getAddress());
  });

  it("takes nothing out of an adapter that others have claims on while it cannot be read", async () => {
    const system = await loadFixture(invested);
    const first = await system.adapters[0]!.getAddress();
    await system.vault.connect(system.alice).redeemInKind(100_000n * WAD, system.alice.address, [first]);
    await system.venues[0]!.setBroken(true);
    await expect(rebalance(system, [[system.adapters[0]!, -system.unit]]))
      .to.be.revertedWithCustomError(system.vault, "AdapterUnreadable")
      .withArgs(first);
  });

  it("takes nothing of what an adapter gives away when the vault's part is worth nothing and claims are there", async () => {
    const system = await loadFixture(funded);
    const { vault, owner, alice, token, unit } = system;
    const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
    const address = await adapter.getAddress();
    await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await rebalance(system, [[adapter, 100_000n * unit]]);
    await vault.connect(alice).redeemInKind(500_000n * WAD, alice.address, [address]);
    await adapter.setValueOffset(-100_000n * unit);
    await adapter.setOverpays(unit);
    await expect(rebalance(system, [[adapter, ALL]]))
      .to.be.revertedWithCustomError(vault, "ClaimsImpaired")
      .withArgs(address, unit, 0n);
  });
});

describe("Rebalancing: loss", () => {
  /** Venue 0 keeps 1 % of a deposit, venue 1 keeps 1 % of a withdrawal. */
  async function lossy(): Promise<System> {
    const system = await invested();
    await system.venues[0]!.setFees(100n, 0n);
    return system;
  }

  it("bounds the loss of a call by the vault's own bound, whatever the keeper allows", async () => {
    const system = await loadFixture(lossy);
    const { vault, unit, adapters } = system;
    // The fee stays with nobody of ours: 1 % of 200,000 is 2,000; the bound is 0.1 % of 1,000,001.
    await expect(rebalance(system, [[adapters[0]!, 200_000n * unit]])).to.be.revertedWithCustomError(
      vault,
      "LossExceeded",
    );
    await expect(rebalance(system, [[adapters[0]!, 90_000n * unit]])).to.emit(vault, "Rebalanced");
  });

  it("bounds the loss of a call by the keeper's stricter bound", async () => {
    const system = await loadFixture(lossy);
    await expect(
      rebalance(system, [[system.adapters[0]!, 90_000n * system.unit]], { maxLoss: 899n * system.unit }),
    ).to.be.revertedWithCustomError(system.vault, "LossExceeded");
    await rebalance(system, [[system.adapters[0]!, 90_000n * system.unit]], { maxLoss: 901n * system.unit });
  });

  it("never nets a loss with a gain of the same plan", async () => {
    const system = await loadFixture(lossy);
    const { adapters, unit, token, venues, stranger } = system;
    // A friend gives venue 1 enough to pay a gain on the way out that is greater than the loss on the way in.
    await token.connect(stranger).transfer(venues[1]!, 5_000n * unit);
    await expect(
      rebalance(system, [
        [adapters[1]!, ALL],
        [adapters[0]!, 200_000n * unit],
      ]),
    ).to.be.revertedWithCustomError(system.vault, "LossExceeded");
  });

  it("never nets a loss with what strangers sent to the adapter, which comes in all the same", async () => {
    const system = await loadFixture(lossy);
    const { vault, adapters, unit, token, stranger } = system;
    await token.connect(stranger).transfer(adapters[0]!, 5_000n * unit);
    await expect(rebalance(system, [[adapters[0]!, 200_000n * unit]])).to.be.revertedWithCustomError(
      vault,
      "LossExceeded",
    );
    const idle = await vault.idle();
    const receipt = await (await rebalance(system, [[adapters[0]!, 90_000n * unit]])).wait();
    const log = receipt!.logs.map((l) => vault.interface.parseLog(l)).find((l) => l?.name === "Rebalanced")!;
    expect(log.args["lost"]).to.be.within(899n * unit, 901n * unit);
    expect(await vault.idle()).to.equal(idle - 85_000n * unit);
    expect(await token.balanceOf(adapters[0]!)).to.equal(0n);
  });

  it("counts as moved and lost what leaves the vault beside a deposit", async () => {
    const system = await loadFixture(funded);
    const { adapters, venues, vault, token, unit } = system;
    const data = token.interface.encodeFunctionData("burn", [await vault.getAddress(), 5n]);
    await venues[0]!.setCall(token, data);
    await rebalance(system, [[adapters[0]!, 100_000n * unit]]);
    const [plan] = (await vault.queryFilter(vault.filters.Rebalanced())).slice(-1);
    expect([plan?.args.lost, plan?.args.moved]).to.deep.equal([5n, 100_000n * unit + 5n]);
  });

  it("takes no gift for a loss that comes back from a pool's adapter with less than it", async () => {
    const market = await deployMarket();
    const system = await deploySystem({ venues: 0, token: market.asset });
    const { vault, owner, alice, token, unit } = system;
    // Its trade of an entry ends a tick away: of what lies there more is left over than the plan brings.
    const adapter = await deployAdapter(market, { spotBound: 1n }, vault);
    await vault.connect(owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
    await deposit(system, alice, 2_000_000n * unit);
    await age(market, Number(DAY));
    await vault.accrue();
    await age(market, 60);
    await token.mint(adapter, 1_600_000n * unit);
    const [idle, had] = [await vault.idle(), await adapter.fairValue()];
    const [given, slippage] = [1_000n * unit, await adapter.slippage()];
    await rebalance(system, [[adapter, given]]);
    const back = (await vault.idle()) - idle + given;
    expect(back).to.be.greaterThan(500n * given);
    // A hundredth of a percent of what went into the pool: its fee and the way of a tick.
    const lost = had + given - back - (await adapter.fairValue());
    expect(lost).to.be.within(1n, ((had + given - back) * slippage) / WAD / 50n);
    const [plan] = (await vault.queryFilter(vault.filters.Rebalanced())).slice(-1);
    expect([plan?.args.lost, plan?.args.moved]).to.deep.equal([lost, given]);
  });

  it("adds up the losses of all moves, also when a later one loses nothing or gains", async () => {
    const system = await loadFixture(lossy);
    const { vault, adapters, unit } = system;
    const receipt = await (
      await rebalance(system, [
        [adapters[0]!, 50_000n * unit],
        [adapters[1]!, 50_000n * unit],
        [adapters[2]!, 50_000n * unit],
      ])
    ).wait();
    const log = receipt!.logs.map((l) => vault.interface.parseLog(l)).find((l) => l?.name === "Rebalanced")!;
    // 1 % of 50,000 is kept by venue 0; what is left is worth a little less for the shares that it bought too.
    expect(log.args["lost"]).to.be.within(499n * unit, 1_000n * unit);
    expect(log.args["assetsBefore"] - log.args["assetsAfter"]).to.equal(log.args["lost"]);
    expect(log.args["moved"]).to.equal(150_000n * unit);
  });

  it("charges a loss on the way out as well", async () => {
    const system = await loadFixture(invested);
    const adapter = await (
      await ethers.getContractFactory("HostileAdapter")
    ).deploy(system.vault, await system.token.getAddress());
    const address = await adapter.getAddress();
    const terms = { adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n };
    await system.vault.connect(system.owner).addAdapter(terms);
    await rebalance(system, [[adapter, 1_000n * system.unit]]);
    await adapter.setUnderpays(100n * system.unit);
    // It says that it paid all; the vault measures.
    const [, , before] = await system.vault.lossBudget();
    await rebalance(system, [[adapter, -1_000n * system.unit]]);
    const total = 1_000_001n * system.unit;
    const share = (100n * system.unit * WAD + total - 1n) / total;
    const [, , after] = await system.vault.lossBudget();
    expect(after).to.equal(before - share);
  });

  it("spends the loss budget and then refuses, though each call is within its own bound", async () => {
    const system = await loadFixture(lossy);
    const { vault, adapters, unit } = system;
    const [limit] = await vault.lossBudget();
    let spent = 0n;
    for (let i = 0; ; i++) {
      expect(i).to.be.lessThan(20);
      const before = await vault.totalAssets();
      try {
        await rebalance(system, [[adapters[0]!, 90_000n * unit]]);
      } catch (error) {
        expect(String(error)).to.match(/LossBudgetExceeded/);
        const [, , available] = await vault.lossBudget();
        await expect(rebalance(system, [[adapters[0]!, 90_000n * unit]]))
          .to.be.revertedWithCustomError(vault, "LossBudgetExceeded")
          .withArgs(
            (asked: bigint) => asked > 8n * 10n ** 14n,
            (left: bigint) => left >= available && left < 9n * 10n ** 14n,
          );
        break;
      }
      spent += before - (await vault.totalAssets());
      await rebalance(system, [[adapters[0]!, -80_000n * unit]]);
    }
    expect(spent).to.be.greaterThan(0n);
    expect(spent).to.be.at.most((limit * 1_000_001n * unit) / WAD);
    // Half of the limit is the bucket.
    expect(spent).to.be.at.most((limit * 1_000_001n * unit) / WAD / 2n + unit);
  });

  it("lets a plan that only moves to idle lose a venue's rounding with an exhausted loss budget, and no more", async () => {
    const system = await loadFixture(invested);
    const { vault, owner, token, unit } = system;
    const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
    const address = await adapter.getAddress();
    await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await rebalance(system, [[adapter, 1_000n * unit]]);
    await vault.connect(owner).setLossBudget(0n, DAY);
    await vault.connect(owner).setLossPerCall(0n);
    await adapter.setUnderpays(3n);
    await expect(rebalance(system, [[adapter, -100n]]))
      .to.be.revertedWithCustomError(vault, "LossExceeded")
      .withArgs(3n, 0n);
    await adapter.setUnderpays(2n);
    await expect(
      rebalance(system, [
        [adapter, -100n],
        [system.adapters[0]!, 100n],
      ]),
    ).to.be.revertedWithCustomError(vault, "LossExceeded");
    await expect(rebalance(system, [[adapter, -100n]], { maxLoss: 1n }))
      .to.be.revertedWithCustomError(vault, "LossExceeded")
      .withArgs(2n, 1n);
    await rebalance(system, [[adapter, -100n]]);
    await expect(rebalance(system, [[adapter, ALL]])).to.emit(vault, "BudgetSpent");
  });

  it("takes a loss off the price in the same block, for whoever leaves after the plan", async () => {
    const system = await loadFixture(lossy);
    const { vault, adapters, unit, alice, keeper } = system;
    const plan = await movesOf([[adapters[0]!, 90_000n * unit]]);
    const guard = await guardOf(system);
    const price = await vault.sharePrice();
    await ethers.provider.send("evm_setAutomine", [false]);
    const first = await vault.accrue();
    const second = await vault.connect(keeper).rebalance(plan, guard, { gasLimit: 3_000_000 });
    const third = await vault
      .connect(alice)
      ["redeem(uint256,address,address)"](WAD, alice.address, alice.address, { gasLimit: 3_000_000 });
    await ethers.provider.send("evm_mine", []);
    await ethers.provider.send("evm_setAutomine", [true]);
    const blocks = await Promise.all([first, second, third].map(async (tx) => (await tx.wait())!.blockNumber));
    expect(new Set(blocks).size).to.equal(1);
    const paid = (await third.wait())!.logs
      .map((log) => vault.interface.parseLog(log))
      .find((log) => log?.name === "Withdraw")!.args["assets"] as bigint;
    expect(paid).to.be.lessThan(price / WAD);
  });

  it("takes a loss off the price although a gain waits, so that who is here when it happens bears it", async () => {
    const system = await loadFixture(lossy);
    const { vault, token, adapters, unit, stranger } = system;
    await token.connect(stranger).transfer(vault, 100_000n * unit);
    await vault.accrue();
    await time.increase(1n);
    const [before] = await vault.accountedAssets();
    await rebalance(system, [[adapters[0]!, 90_000n * unit]]);
    expect((await vault.accountedAssets())[0]).to.equal(before - 900n * unit);
    await vault.accrue();
    // Half of the total a year, for some seconds.
    expect(await vault.totalAssets()).to.be.within(before - 900n * unit, before - 899n * unit);
  });
});

describe("Rebalancing: turnover, caps, idle", () => {
  it("charges what goes into adapters, not what comes out", async () => {
    const system = await loadFixture(invested);
    const [, , before] = await system.vault.turnoverBudget();
    await rebalance(system, [[system.adapters[0]!, -100_000n * system.unit]]);
    expect((await system.vault.turnoverBudget())[2]).to.equal(before);
    await rebalance(system, [[system.adapters[2]!, 100_000n * system.unit]]);
    const share = (100_000n * system.unit * WAD + 1_000_001n * system.unit - 1n) / (1_000_001n * system.unit);
    expect((await system.vault.turnoverBudget())[2]).to.equal(before - share);
  });

  it("refuses what the turnover budget does not hold", async () => {
    const system = await loadFixture(invested);
    await system.vault.connect(system.owner).setTurnoverBudget(WAD / 10n, DAY);
    await expect(rebalance(system, [[system.adapters[2]!, 60_000n * system.unit]])).to.be.revertedWithCustomError(
      system.vault,
      "TurnoverBudgetExceeded",
    );
    await rebalance(system, [[system.adapters[2]!, 50_000n * system.unit]]);
    await expect(rebalance(system, [[system.adapters[2]!, 100n * system.unit]])).to.be.revertedWithCustomError(
      system.vault,
      "TurnoverBudgetExceeded",
    );
    await time.increase(DAY / 2n);
    await rebalance(system, [[system.adapters[2]!, 24_000n * system.unit]]);
  });

  it("moves to idle with an exhausted turnover budget", async () => {
    const system = await loadFixture(invested);
    await system.vault.connect(system.guardian).setTurnoverBudget(0n, DAY);
    await rebalance(system, [[system.adapters[0]!, ALL]]);
  });

  it("refuses an adapter above its absolute cap", async () => {
    const system = await loadFixture(invested);
    const cap = 300_000n * system.unit;
    await system.vault.connect(system.guardian).setAbsoluteCap(system.adapters[0]!, cap);
    await expect(rebalance(system, [[system.adapters[0]!, 1n]]))
      .to.be.revertedWithCustomError(system.vault, "AbsoluteCapExceeded")
      .withArgs(await system.adapters[0]!.getAddress(), cap + 1n, cap);
  });

  it("refuses an adapter above its relative cap, and lets one that is over it shrink", async () => {
    const system = await loadFixture(invested);
    await system.vault.connect(system.guardian).setRelativeCap(system.adapters[0]!, WAD / 10n);
    await expect(rebalance(system, [[system.adapters[0]!, 1n]])).to.be.revertedWithCustomError(
      system.vault,
      "RelativeCapExceeded",
    );
    await rebalance(system, [
      [system.adapters[0]!, -1_000n * system.unit],
      [system.adapters[1]!, 1_000n * system.unit],
    ]);
  });

  it("refuses a group above its cap, members that the plan does not touch included", async () => {
    const system = await loadFixture(invested);
    await system.vault.connect(system.guardian).setGroupCap(0n, (6n * WAD) / 10n);
    const cap = (6n * 1_000_001n * system.unit) / 10n;
    await expect(rebalance(system, [[system.adapters[2]!, 100_001n * system.unit]]))
      .to.be.revertedWithCustomError(system.vault, "GroupCapExceeded")
      .withArgs(0n, 600_001n * system.unit, cap);
    await rebalance(system, [[system.adapters[2]!, 100_000n * system.unit]]);
  });

  it("does not refuse for a group's member that lost since it was last recorded", async () => {
    const system = await loadFixture(invested);
    await system.vault.connect(system.guardian).setGroupCap(0n, WAD / 2n);
    await system.venues[0]!.lose(150_000n * system.unit);
    await system.vault.accrue();
    await time.increase(60n);
    await rebalance(system, [[system.adapters[2]!, 60_000n * system.unit]]);
    expect(await system.vault.groupAllocation(0n)).to.be.within(410_000n * system.unit, 410_002n * system.unit);
  });

  it("keeps what a group's member was worth when it can no longer be read, less what came out of it", async () => {
    const system = await loadFixture(invested);
    const { vault, adapters, unit, owner } = system;
    const blind = await (
      await ethers.getContractFactory("HostileAdapter")
    ).deploy(vault, await system.token.getAddress());
    const adapter = await blind.getAddress();
    await vault.connect(owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
    await rebalance(system, [[blind, 100_000n * unit]]);
    await time.increase(DAY);
    await vault.connect(system.guardian).setGroupCap(0n, (6n * WAD) / 10n);
    await blind.setReads(1);
    await expect(rebalance(system, [[blind, -1n * unit]]))
      .to.emit(vault, "Allocated")
      .withArgs(adapter, -1n * unit, 99_999n * unit);
    expect(await vault.groupAllocation(0n)).to.equal(599_999n * unit);
    await expect(rebalance(system, [[adapters[2]!, 50_000n * unit]])).to.be.revertedWithCustomError(
      vault,
      "GroupCapExceeded",
    );
  });

  it("keeps a group's sum right when depositors leave through its members", async () => {
    const system = await loadFixture(invested);
    await withdraw(system, system.alice, 600_000n * system.unit);
    const sum = (await system.adapters[0]!.fairValue()) + (await system.adapters[1]!.fairValue());
    expect(await system.vault.groupAllocation(0n)).to.equal(sum);
  });

  it("refuses to lower idle below the minimum, and allows a plan that does not lower it", async () => {
    const system = await loadFixture(invested);
    await system.vault.connect(system.guardian).setMinimumIdle(WAD / 2n);
    await expect(rebalance(system, [[system.adapters[2]!, 1_000n * system.unit]]))
      .to.be.revertedWithCustomError(system.vault, "IdleTooLow")
      .withArgs((await system.vault.idle()) - 1_000n * system.unit, (await system.vault.limitBase()) / 2n);
    await withdraw(system, system.alice, 400_000n * system.unit);
    await time.increase(60n);
    await rebalance(system, [
      [system.adapters[0]!, -1_000n * system.unit],
      [system.adapters[2]!, 1_000n * system.unit],
    ]);
  });

  it("counts nothing that came in during the same block as idle: it may leave in it again", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, keeper, unit } = system;
    await vault.connect(system.guardian).setMinimumIdle((3n * WAD) / 10n);
    const guard = await guardOf(system);
    const plan = await movesOf([[system.adapters[2]!, 300_000n * unit]]);
    const options = { gasLimit: 3_000_000 };
    await ethers.provider.send("evm_setAutomine", [false]);
    await vault.connect(alice)["deposit(uint256,address)"](1_000_000n * unit, alice.address, options);
    const planned = await vault.connect(keeper).rebalance(plan, guard, options);
    await ethers.provider.send("evm_mine", []);
    await ethers.provider.send("evm_setAutomine", [true]);
    expect((await ethers.provider.getTransactionReceipt(planned.hash))?.status).to.equal(0);
    await expect(vault.connect(keeper).rebalance(plan, guard)).to.emit(vault, "Rebalanced");
  });

  it("takes limits as shares of an earlier block's total: a deposit in the same block widens nothing", async () => {
    const system = await loadFixture(funded);
    const { vault, alice, keeper, adapters, unit } = system;
    await vault.connect(system.guardian).setRelativeCap(adapters[0]!, WAD / 10n);
    const guard = await guardOf(system);
    const plan = await movesOf([[adapters[0]!, 110_000n * unit]]);
    await ethers.provider.send("evm_setAutomine", [false]);
    const options = { gasLimit: 3_000_000 };
    await vault.connect(alice)["deposit(uint256,address)"](100_000_000n * unit, alice.address, options);
    const bundled = await vault.connect(keeper).rebalance(plan, guard, options);
    await vault
      .connect(alice)
      ["withdraw(uint256,address,address)"](100_000_000n * unit, alice.address, alice.address, options);
    await ethers.provider.send("evm_mine", []);
    await ethers.provider.send("evm_setAutomine", [true]);
    const receipt = await ethers.provider.getTransactionReceipt(bundled.hash);
    expect(receipt!.status).to.equal(0);
    expect(await adapters[0]!.fairValue()).to.equal(0n);
  });

  it("takes limits as shares of not more than today's total: an exit before the plan narrows them", async () => {
    const system = await loadFixture(funded);
    const { vault, alice, keeper, adapters, unit } = system;
    await vault.connect(system.guardian).setRelativeCap(adapters[0]!, WAD / 10n);
    const guard = await guardOf(system);
    const plan = await movesOf([[adapters[0]!, 90_000n * unit]]);
    await ethers.provider.send("evm_setAutomine", [false]);
    const options = { gasLimit: 3_000_000 };
    await vault
      .connect(alice)
      ["withdraw(uint256,address,address)"](500_000n * unit, alice.address, alice.address, options);
    const bundled = await vault.connect(keeper).rebalance(plan, guard, options);
    await ethers.provider.send("evm_mine", []);
    await ethers.provider.send("evm_setAutomine", [true]);
    expect((await ethers.provider.getTransactionReceipt(bundled.hash))!.status).to.equal(0);
  });

  it("asks nothing of a group that the adapter is not in", async () => {
    const system = await deploySystem({
      venues: 2,
      terms: {
        groups: ["first", "second"].map((name) => ({ name: ethers.encodeBytes32String(name), relativeCap: WAD / 2n })),
      },
      adapterTerms: (index) => ({ groupMask: index === 1 ? 2n : 1n }),
    });
    const { vault, adapters, alice, guardian, unit } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapters[0]!, 400_000n * unit]]);
    await vault.connect(guardian).setGroupCap(0n, WAD / 10n);
    await rebalance(system, [[adapters[1]!, 300_000n * unit]]);
    await expect(rebalance(system, [[adapters[0]!, 1n]])).to.be.revertedWithCustomError(vault, "GroupCapExceeded");
  });

  it("counts a group's own members only, and one that cannot be read as it was last recorded", async () => {
    const system = await deploySystem({
      venues: 3,
      terms: {
        groups: ["first", "second"].map((name) => ({ name: ethers.encodeBytes32String(name), relativeCap: WAD / 2n })),
      },
      adapterTerms: (index) => ({ groupMask: index === 2 ? 2n : 1n }),
    });
    const { vault, adapters, venues, alice, unit } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [
      [adapters[0]!, 400_000n * unit],
      [adapters[2]!, 300_000n * unit],
    ]);
    await time.increase(DAY);
    await venues[0]!.setBroken(true);
    const cap = (await vault.limitBase()) / 2n;
    await expect(rebalance(system, [[adapters[1]!, 150_000n * unit]]))
      .to.be.revertedWithCustomError(vault, "GroupCapExceeded")
      .withArgs(0n, 550_000n * unit, cap);
    await venues[0]!.setBroken(false);
    await venues[0]!.lose(100_000n * unit);
    await vault.accrue();
    await time.increase(60n);
    await rebalance(system, [[adapters[1]!, 140_000n * unit]]);
    expect(await vault.groupAllocation(1n)).to.equal(300_000n * unit);
  });
});
