// What Aave pays for holding aTokens, on its way through the adapter to the auction: who may fetch it, where it can go, and
// that a rewards contract that fails, lies, calls back or reaches for the position hurts nobody but who called it.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { DAY, MAX, WAD, deploySystem, deposit, rebalance, redeem, withdraw } from "../deployment";

const COIN = 10n ** 18n;
/** Of the reward, a second, for all holders of the aToken. */
const EMISSION = COIN / 1_000n;
/** The adapter holds one part of so many. */
const HOLDERS = 4n;

/** A vault with 100,000 in Aave, which pays a reward; others hold three times as much. */
async function scene() {
  const system = await deploySystem({ venues: 1 });
  const { vault, token, owner, alice, deployer, unit } = system;
  const feeds = await ethers.getContractFactory("PriceFeedModel");
  const assetFeed = await feeds.deploy(deployer.address, 8, "asset / USD", 10n ** 8n);
  const auctions = await ethers.getContractFactory("RewardAuction");
  const auction = await auctions.deploy(vault, token, assetFeed, 90_000n, []);
  const pool = await (await ethers.getContractFactory("SmallAavePool")).deploy(token);
  const aToken = await ethers.getContractAt("SmallAaveToken", await pool.aToken());
  const factory = await ethers.getContractFactory("AaveV3Adapter");
  const source = await factory.deploy(vault, pool, token, auction);
  const reward = await (await ethers.getContractFactory("PlainToken")).deploy(18);
  const rewards = await (await ethers.getContractFactory("AaveRewardsModel")).deploy(deployer.address);
  await aToken.setRewards(rewards, true);

  const adapter = await source.getAddress();
  await vault.connect(owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
  await deposit(system, alice, 1_000_000n * unit);
  await rebalance(system, [[source, 100_000n * unit]]);
  await token.connect(deployer).approve(pool, MAX);
  await pool.supply(token, (HOLDERS - 1n) * 100_000n * unit, deployer.address, 0);
  await reward.mint(rewards, 1_000_000n * COIN);
  return { ...system, system, auctions, auction, assetFeed, pool, aToken, factory, source, adapter, reward, rewards };
}

/** A day of rewards is owed. */
async function owed() {
  const parts = await scene();
  const { aToken, reward, rewards } = parts;
  const end = BigInt(await time.latest()) + 1n + DAY;
  await rewards.configure(aToken, reward, EMISSION, end);
  await time.increase(2n * DAY);
  return { ...parts, due: (EMISSION * DAY) / HOLDERS };
}

/** The same with a rewards contract that does as told. */
async function hostile() {
  const parts = await owed();
  const bad = await (await ethers.getContractFactory("HostileRewards")).deploy();
  await parts.aToken.setRewards(bad, false);
  return { ...parts, bad };
}

const PAYS = 0n;
const LIES = 1n;
const REVERTS = 2n;
const BURNS_GAS = 3n;
const ANSWERS_AT_LENGTH = 4n;

describe("AaveV3Adapter: rewards", () => {
  it("are fetched by anybody, to the adapter, and leave it for the auction and nobody else", async () => {
    const { source, adapter, reward, rewards, aToken, auction, vault, keeper, stranger, due } = await loadFixture(owed);
    expect(await rewards.getUserRewards([aToken], adapter, reward)).to.equal(due);
    await expect(source.connect(stranger).claimRewards(reward))
      .to.emit(source, "RewardsClaimed")
      .withArgs(await reward.getAddress(), await rewards.getAddress(), due);
    expect(await reward.balanceOf(adapter)).to.equal(due);
    await source.connect(keeper).releaseRewards(reward);
    expect(await reward.balanceOf(auction)).to.equal(due);
    for (const none of [adapter, keeper.address, stranger.address, await vault.getAddress()]) {
      expect(await reward.balanceOf(none)).to.equal(0n);
    }
    // Asked again there is nothing more.
    expect(await source.claimRewards.staticCall(reward)).to.equal(0n);
    await source.claimRewards(reward);
    expect(await source.releaseRewards.staticCall(reward)).to.equal(0n);
  });

  it("are those of the whole time, whatever went in and out meanwhile", async () => {
    const { system, source, reward, rewards, aToken, unit, due } = await loadFixture(scene).then(async (parts) => {
      const start = BigInt(await time.latest()) + 1n;
      await parts.rewards.configure(parts.aToken, parts.reward, EMISSION, start + 2n * DAY);
      // For one day a quarter, for the next a half.
      await time.setNextBlockTimestamp(start + DAY);
      await rebalance(parts.system, [[parts.source, 200_000n * parts.unit]]);
      await time.increaseTo(start + 3n * DAY);
      return { ...parts, due: (EMISSION * DAY) / 4n + (EMISSION * DAY) / 2n };
    });
    await rebalance(system, [[source, -300_000n * unit]]);
    expect(await rewards.getUserRewards([aToken], source, reward)).to.equal(due);
    expect(await source.claimRewards.staticCall(reward)).to.equal(due);
  });

  it("of a token that Aave cannot pay keep no other back", async () => {
    const { source, adapter, reward, rewards, aToken, due } = await loadFixture(owed);
    const dry = await (await ethers.getContractFactory("PlainToken")).deploy(18);
    await rewards.configure(aToken, dry, EMISSION, BigInt(await time.latest()) + DAY);
    await time.increase(DAY);
    await expect(source.claimRewards(dry)).to.be.revertedWithCustomError(dry, "ERC20InsufficientBalance");
    await source.claimRewards(reward);
    expect(await reward.balanceOf(adapter)).to.equal(due);
  });

  it("in aTokens count where they are, as a gain that drips, and in the asset come in with the next deposit", async () => {
    const { system, source, adapter, pool, aToken, rewards, token, vault, unit } = await loadFixture(scene);
    const now = BigInt(await time.latest());
    await pool.supply(token, 500n * unit, rewards, 0);
    await token.mint(rewards, 300n * unit);
    await rewards.configure(aToken, aToken, unit, now + 1_000n);
    await rewards.configure(aToken, token, unit, now + 1_000n);
    await time.increase(DAY);
    await vault.accrue();
    const [position, total, due] = [
      await source.fairValue(),
      await vault.totalAssets(),
      await rewards.getUserRewards([aToken], adapter, aToken),
    ];
    expect(due).to.be.greaterThan(200n * unit);
    await source.claimRewards(aToken);
    await source.claimRewards(token);
    expect(await source.fairValue()).to.equal(position + due);
    // Two seconds at a rate of 50 % a year, of 1,000,000: 3 cents.
    expect((await vault.totalAssets()) - total).to.be.within(1n, unit / 30n);
    for (const kept of [aToken, token]) {
      await expect(source.releaseRewards(kept)).to.be.revertedWithCustomError(source, "NotAReward");
    }
    const lying = await token.balanceOf(adapter);
    expect(lying).to.be.greaterThan(200n * unit);
    const idle = await vault.idle();
    await rebalance(system, [[source, unit]]);
    expect(await token.balanceOf(adapter)).to.equal(0n);
    expect(await vault.idle()).to.equal(idle - unit + lying);
  });

  it("stay with Aave where no auction was named, and no auction of another vault or asset is taken", async () => {
    const { factory, vault, pool, token, reward, auctions, assetFeed, stranger } = await loadFixture(owed);
    const without = await factory.deploy(vault, pool, token, ethers.ZeroAddress);
    await expect(without.claimRewards(reward)).to.be.revertedWithCustomError(without, "NoAuction");
    await expect(without.releaseRewards(reward)).to.be.revertedWithCustomError(without, "NoAuction");
    for (const wrong of [
      await auctions.deploy(stranger.address, token, assetFeed, 90_000n, []),
      await auctions.deploy(vault, reward, assetFeed, 90_000n, []),
    ]) {
      await expect(factory.deploy(vault, pool, token, wrong))
        .to.be.revertedWithCustomError(factory, "WrongAuction")
        .withArgs(await wrong.getAddress(), await wrong.vault(), await wrong.asset());
    }
  });

  it("are asked of whom the aToken names at that moment, or of nobody", async () => {
    const { source, adapter, aToken, reward, rewards, deployer, due } = await loadFixture(owed);
    const next = await (await ethers.getContractFactory("AaveRewardsModel")).deploy(deployer.address);
    await reward.mint(next, COIN * 1_000n);
    await aToken.setRewards(next, true);
    await next.configure(aToken, reward, EMISSION, BigInt(await time.latest()) + 1n + DAY);
    await time.increase(2n * DAY);
    await source.claimRewards(reward);
    expect(await reward.balanceOf(adapter)).to.equal(due);
    // What the first one still owes is there when Aave names it again.
    await aToken.setRewards(rewards, true);
    await source.claimRewards(reward);
    expect(await reward.balanceOf(adapter)).to.equal(2n * due);
    for (const nobody of [ethers.ZeroAddress, deployer.address]) {
      await aToken.setRewards(nobody, false);
      await expect(source.claimRewards(reward)).to.be.revertedWithCustomError(source, "NoRewards").withArgs(nobody);
    }
  });
});

describe("AaveV3Adapter: a rewards contract that does harm", () => {
  it("that says it paid is not believed: what came is counted", async () => {
    const { source, bad, reward, adapter } = await loadFixture(hostile);
    await bad.set(LIES, 5n * COIN);
    await expect(source.claimRewards(reward))
      .to.emit(source, "RewardsClaimed")
      .withArgs(await reward.getAddress(), await bad.getAddress(), 0n);
    await bad.set(PAYS, 5n * COIN);
    await source.claimRewards(reward);
    expect(await reward.balanceOf(adapter)).to.equal(5n * COIN);
    expect(await source.claimRewards.staticCall(reward)).to.equal(5n * COIN);
    // It was asked by the adapter, for the adapter.
    expect([await bad.lastCaller(), await bad.lastReceiver()]).to.deep.equal([adapter, adapter]);
  });

  for (const [what, mode] of [
    ["reverts", REVERTS],
    ["burns all gas", BURNS_GAS],
    ["answers at length", ANSWERS_AT_LENGTH],
  ] as const) {
    it(`that ${what} stops neither the release of what lies there, nor a plan, nor an exit`, async () => {
      const { system, source, bad, reward, auction, alice, vault, unit } = await loadFixture(hostile);
      await bad.set(mode, 0n);
      const call = source.claimRewards(reward, { gasLimit: 3_000_000n });
      await (mode === ANSWERS_AT_LENGTH ? call : expect(call).to.be.reverted);
      await reward.mint(source, COIN);
      await source.releaseRewards(reward);
      expect(await reward.balanceOf(auction)).to.equal(COIN);
      await vault.accrue();
      await rebalance(system, [[source, 1_000n * unit]]);
      await rebalance(system, [[source, -1_000n * unit]]);
      await withdraw(system, alice, 950_000n * unit);
      await redeem(system, alice, await vault.balanceOf(alice.address));
      expect(await source.fairValue()).to.be.at.most(2n * unit);
    });
  }

  it("that reaches for the position, the asset or the reward itself is undone", async () => {
    const { source, adapter, bad, aToken, token, reward, unit } = await loadFixture(hostile);
    await token.mint(adapter, 9n);
    await reward.mint(adapter, 9n);
    await bad.set(LIES, 0n);
    for (const [taken, held] of [
      [aToken, 100_000n * unit],
      [token, 9n],
      [reward, 9n],
    ] as const) {
      await bad.setCall(taken, token.interface.encodeFunctionData("burn", [adapter, 4n]));
      await expect(source.claimRewards(reward))
        .to.be.revertedWithCustomError(source, "PositionTouched")
        .withArgs(await taken.getAddress(), held, held - 4n);
      expect(await taken.balanceOf(adapter)).to.equal(held);
    }
  });

  it("that calls back gets no further than anybody does at any time", async () => {
    const { system, source, adapter, bad, vault, reward, auction, alice, token, unit } = await loadFixture(hostile);
    await bad.set(PAYS, COIN);
    const price = await vault.sharePrice();
    // The vault is between its own calls: its price is that before, and whoever leaves meanwhile leaves at it.
    await bad.setCall(vault, vault.interface.encodeFunctionData("sharePrice"));
    await source.claimRewards(reward);
    expect(BigInt(await bad.callAnswer())).to.be.within(price, price + price / 10n ** 6n);
    // What it lets go of in the middle goes to the auction; a claim that then has less than it began with is undone.
    await bad.setCall(source, source.interface.encodeFunctionData("releaseRewards", [await reward.getAddress()]));
    await bad.set(PAYS, COIN - 1n);
    await expect(source.claimRewards(reward))
      .to.be.revertedWithCustomError(source, "PositionTouched")
      .withArgs(await reward.getAddress(), COIN, COIN - 1n);
    await bad.set(PAYS, COIN);
    await source.claimRewards(reward);
    expect([await reward.balanceOf(adapter), await reward.balanceOf(auction)]).to.deep.equal([COIN, COIN]);
    // Shares of its own it may redeem as anybody may, also out of the adapter: that makes the position smaller, and undoes all.
    await vault.connect(alice).transfer(bad, await vault.balanceOf(alice.address));
    const shares = await vault.balanceOf(bad);
    const all = vault.interface.encodeFunctionData("redeem(uint256,address,address)", [
      shares,
      await bad.getAddress(),
      await bad.getAddress(),
    ]);
    await bad.setCall(vault, all);
    const gasLimit = 5_000_000n;
    await expect(source.claimRewards(reward, { gasLimit })).to.be.revertedWithCustomError(source, "PositionTouched");
    for (const call of [
      source.interface.encodeFunctionData("deposit", [0n, "0x"]),
      source.interface.encodeFunctionData("withdraw", [MAX, "0x"]),
      source.interface.encodeFunctionData("redeemInKind", [1n, 1n, alice.address]),
    ]) {
      await bad.setCall(source, call);
      await source.claimRewards(reward);
      expect(await bad.callSucceeded()).to.equal(false);
      expect(await bad.callAnswer()).to.equal(source.interface.encodeErrorResult("NotVault", [await bad.getAddress()]));
    }
    expect(await token.balanceOf(bad)).to.equal(0n);
    expect(await source.fairValue()).to.be.at.least(100_000n * unit);
    await rebalance(system, [[source, -100_000n * unit]]);
  });

  it("has no allowance of the adapter's, before, during or after", async () => {
    const { source, adapter, bad, aToken, token, reward } = await loadFixture(hostile);
    await bad.set(PAYS, COIN);
    for (const held of [aToken, token, reward]) {
      await bad.setCall(held, token.interface.encodeFunctionData("allowance", [adapter, await bad.getAddress()]));
      await source.claimRewards(reward);
      expect(BigInt(await bad.callAnswer())).to.equal(0n);
    }
  });
});
