// Rewards on their way from an adapter to the vault: what an adapter lets go of, who may begin a lot and when, what it costs at
// every moment, what stops a sale, and that the money reaches the vault and nobody else.
import { loadFixture, mine, setCode, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import type { PriceFeedModel } from "../../typechain-types";
import type { IRewardAuction } from "../../typechain-types/contracts/RewardAuction";
import { GAS, inOneBlock } from "./bundle";
import { DAY, MAX, WAD, deploySystem, deposit, rebalance, redeem, type Options } from "./deployment";

const COMP = 10n ** 18n;
const DOLLAR = 10n ** 8n;
/** A COMP costs 50 dollars, the asset 1. */
const PRICE = 50n;
const LOT = 200n;
const HEARTBEAT = 90_000n;
const HOUR = 3_600n;
const DURATION = DAY;
/** The oracle's price times 1.2, then falling to 0.95 of it. */
const PREMIUM = (12n * WAD) / 10n;
const FLOOR = (95n * WAD) / 100n;
const MINIMUM = 1_000n;

async function scene(options: Options = {}) {
  const system = await deploySystem({ venues: 1, ...options });
  const { vault, token, owner, deployer, unit } = system;
  const comp = await (await ethers.getContractFactory("PlainToken")).deploy(18);
  const feeds = await ethers.getContractFactory("PriceFeedModel");
  const compFeed = await feeds.deploy(deployer.address, 8, "COMP / USD", PRICE * DOLLAR);
  const assetFeed = await feeds.deploy(deployer.address, 8, "asset / USD", DOLLAR);
  const auctions = await ethers.getContractFactory("RewardAuction");
  const auction = await auctions.deploy(vault, token, assetFeed, HEARTBEAT, []);
  const terms: IRewardAuction.TermsStruct = {
    feed: await compFeed.getAddress(),
    heartbeat: HEARTBEAT,
    premium: PREMIUM,
    floor: FLOOR,
    duration: DURATION,
    minimumLot: MINIMUM * unit,
  };
  await auction.connect(owner).list(comp, terms);
  for (const buyer of [system.bob, system.stranger, system.keeper]) {
    await token.mint(buyer.address, 10n ** 9n * unit);
    await token.connect(buyer).approve(auction, MAX);
  }
  await deposit(system, system.alice, 1_000_000n * unit);
  await time.increase(DAY);
  for (const feed of [compFeed, assetFeed]) await feed.push(await feed.latestAnswer());
  return { ...system, system, auctions, auction, comp, compFeed, assetFeed, terms };
}

type Scene = Awaited<ReturnType<typeof scene>>;

const usual = () => scene();

/** A lot of {@link LOT} was begun a moment ago. */
async function begun(options: Options = {}) {
  const parts = await scene(options);
  await parts.comp.mint(parts.auction, LOT * COMP);
  await parts.auction.connect(parts.stranger).start(parts.comp);
  return { ...parts, startedAt: BigInt(await time.latest()) };
}

const begunUsual = () => begun();

/** An adapter of Compound's in the vault, with 100,000 in it and rewards that somebody claimed for it. */
async function rewarded() {
  const parts = await scene();
  const { system, vault, token, owner, auction, comp, unit } = parts;
  const comet = await (await ethers.getContractFactory("SmallComet")).deploy(token);
  const factory = await ethers.getContractFactory("CompoundV3Adapter");
  const source = await factory.deploy(vault, comet, auction);
  const adapter = await source.getAddress();
  await vault.connect(owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
  await rebalance(system, [[source, 100_000n * unit]]);
  await comp.mint(source, LOT * COMP);
  await vault.accrue();
  return { ...parts, comet, source, factory, adapter };
}

/** Runs the rest at a moment of the lot, with both feeds just reported. */
async function at(parts: Scene, timestamp: bigint): Promise<void> {
  // Each report in a second of its own, however long it takes.
  for (const [feed, before] of [
    [parts.compFeed, 2n],
    [parts.assetFeed, 1n],
  ] as const) {
    const answer = await feed.latestAnswer();
    await time.setNextBlockTimestamp(timestamp - before);
    await feed.push(answer);
  }
  await time.setNextBlockTimestamp(timestamp);
}

/** What so much of a COMP costs `passed` seconds into a lot, by hand. */
function costOf(amount: bigint, passed: bigint, unit: bigint, price = PRICE): bigint {
  const share = PREMIUM - ((PREMIUM - FLOOR) * (passed < DURATION ? passed : DURATION)) / DURATION;
  const numerator = amount * price * share * unit;
  return (numerator + WAD * COMP - 1n) / (WAD * COMP);
}

const buy = ({ auction, comp }: Scene, who: Scene["bob"], amount: bigint, most = MAX) =>
  auction.connect(who).buy(comp, amount, most, who.address);

describe("RewardAuction: what an adapter lets go of", () => {
  it("sends all that lies there of a reward to the auction, whoever calls, and to nobody else", async () => {
    const { source, comp, auction, stranger, keeper, vault } = await loadFixture(rewarded);
    expect(await source.connect(stranger).releaseRewards.staticCall(comp)).to.equal(LOT * COMP);
    await expect(source.connect(keeper).releaseRewards(comp))
      .to.emit(source, "RewardsReleased")
      .withArgs(await comp.getAddress(), LOT * COMP);
    expect(await comp.balanceOf(auction)).to.equal(LOT * COMP);
    for (const none of [source, keeper, vault]) expect(await comp.balanceOf(none)).to.equal(0n);
    expect(await source.releaseRewards.staticCall(comp)).to.equal(0n);
    await source.releaseRewards(comp);
  });

  it("never lets go of the asset nor of the venue's own token", async () => {
    const { source, token, comet, unit } = await loadFixture(rewarded);
    await token.mint(source, unit);
    for (const kept of [token, comet]) {
      await expect(source.releaseRewards(kept))
        .to.be.revertedWithCustomError(source, "NotAReward")
        .withArgs(await kept.getAddress());
    }
  });

  it("refuses a token whose transfer takes of the asset or of the position, as one of two addresses may", async () => {
    const { source, token, comet, unit } = await loadFixture(rewarded);
    const odd = await (await ethers.getContractFactory("HostileToken")).deploy();
    await odd.mint(source, unit);
    await token.mint(source, 5n);
    const burn = token.interface.encodeFunctionData("burn", [await source.getAddress(), 1n]);
    await odd.setHook(source, token, burn);
    await expect(source.releaseRewards(odd))
      .to.be.revertedWithCustomError(source, "PositionTouched")
      .withArgs(await token.getAddress(), 5n, 4n);
    const low = comet.interface.encodeFunctionData("misbehave", [7n, 0n, false]);
    await odd.setHook(source, comet, low);
    await expect(source.releaseRewards(odd))
      .to.be.revertedWithCustomError(source, "PositionTouched")
      .withArgs(await comet.getAddress(), 100_000n * unit, 100_000n * unit - 7n);
  });

  it("keeps rewards where no auction was named, and takes none that pays another vault or asset", async () => {
    const { factory, vault, comet, comp, token, stranger, auctions, assetFeed } = await loadFixture(rewarded);
    const without = await factory.deploy(vault, comet, ethers.ZeroAddress);
    await comp.mint(without, COMP);
    await expect(without.releaseRewards(comp)).to.be.revertedWithCustomError(without, "NoAuction");
    for (const wrong of [
      await auctions.deploy(stranger.address, token, assetFeed, HEARTBEAT, []),
      await auctions.deploy(vault, comp, assetFeed, HEARTBEAT, []),
    ]) {
      await expect(factory.deploy(vault, comet, wrong))
        .to.be.revertedWithCustomError(factory, "WrongAuction")
        .withArgs(await wrong.getAddress(), await wrong.vault(), await wrong.asset());
    }
  });
});

describe("RewardAuction: who lists what", () => {
  it("is the vault's owner, and nobody else", async () => {
    const { auction, comp, terms, assetFeed, guardian, keeper, stranger, deployer } = await loadFixture(usual);
    for (const who of [guardian, keeper, stranger, deployer]) {
      const as = auction.connect(who);
      await expect(as.list(comp, terms)).to.be.revertedWithCustomError(auction, "NotOwner").withArgs(who.address);
      await expect(as.setAssetFeed(assetFeed, 1n))
        .to.be.revertedWithCustomError(auction, "NotOwner")
        .withArgs(who.address);
    }
  });

  it("the guardian takes a token off sale, and only the owner lists it again", async () => {
    const parts = await loadFixture(begunUsual);
    const { auction, comp, guardian, keeper, owner, bob, terms } = parts;
    await expect(auction.connect(keeper).unlist(comp))
      .to.be.revertedWithCustomError(auction, "NotGuardianOrOwner")
      .withArgs(keeper.address);
    await auction.connect(guardian).unlist(comp);
    const gone = await comp.getAddress();
    await expect(buy(parts, bob, COMP))
      .to.be.revertedWithCustomError(auction, "NotListed")
      .withArgs(gone);
    await expect(auction.start(comp)).to.be.revertedWithCustomError(auction, "NotListed").withArgs(gone);
    await expect(auction.connect(guardian).unlist(comp)).to.be.revertedWithCustomError(auction, "NotListed");
    await auction.connect(owner).list(comp, terms);
    // The lot that was on sale is over: it begins anew, and so does its price.
    await expect(buy(parts, bob, COMP))
      .to.be.revertedWithCustomError(auction, "NoLot")
      .withArgs(gone, 0n, 2n * DURATION);
    await auction.start(comp);
    await auction.connect(owner).list(comp, { ...terms, floor: WAD });
    await expect(buy(parts, bob, COMP))
      .to.be.revertedWithCustomError(auction, "NoLot")
      .withArgs(gone, 0n, 2n * DURATION);
    await auction.connect(owner).unlist(comp);
    expect(await comp.balanceOf(auction)).to.equal(LOT * COMP);
  });

  it("says by which feeds and on which terms it sells", async () => {
    const { auction, comp, compFeed, assetFeed, owner, terms } = await loadFixture(usual);
    expect(await auction.assetFeed()).to.deep.equal([await assetFeed.getAddress(), HEARTBEAT]);
    const said = [terms.feed, HEARTBEAT, PREMIUM, FLOOR, DURATION, terms.minimumLot];
    expect(await auction.termsOf(comp)).to.deep.equal(said);
    await auction.connect(owner).setAssetFeed(compFeed, 7n);
    expect(await auction.assetFeed()).to.deep.equal([terms.feed, 7n]);
    await auction.connect(owner).unlist(comp);
    expect(await auction.termsOf(comp)).to.deep.equal([ethers.ZeroAddress, 0n, 0n, 0n, 0n, 0n]);
  });

  it("keeps every term within its bounds", async () => {
    const { auction, comp, owner, bob, terms, compFeed } = await loadFixture(usual);
    const as = auction.connect(owner);
    const bounds: readonly (readonly [keyof IRewardAuction.TermsStruct, bigint, bigint, bigint])[] = [
      ["premium", WAD, 2n * WAD, 1n],
      ["floor", (8n * WAD) / 10n, WAD, 1n],
      ["duration", HOUR, 7n * DAY, 1n],
      ["heartbeat", 1n, 3n * DAY, 1n],
    ];
    for (const [field, least, most, step] of bounds) {
      for (const given of [least - step, most + step]) {
        if (field === "heartbeat" && given === 0n) continue;
        await expect(as.list(comp, { ...terms, [field]: given }))
          .to.be.revertedWithCustomError(auction, "OutOfRange")
          .withArgs(ethers.encodeBytes32String(field), given, least, most);
      }
      for (const given of [least, most]) await as.list(comp, { ...terms, [field]: given });
    }
    await expect(as.list(comp, { ...terms, minimumLot: 0n })).to.be.revertedWithCustomError(auction, "OutOfRange");
    await expect(as.list(comp, { ...terms, heartbeat: 0n })).to.be.revertedWithCustomError(auction, "NoHeartbeat");
    await expect(as.list(comp, { ...terms, feed: bob.address })).to.be.revertedWithCustomError(auction, "NoFeed");
    await expect(as.setAssetFeed(bob.address, 1n)).to.be.revertedWithCustomError(auction, "NoFeed");
    await expect(as.setAssetFeed(compFeed, 3n * DAY + 1n)).to.be.revertedWithCustomError(auction, "OutOfRange");
    const wide = await (await ethers.getContractFactory("PlainToken")).deploy(25);
    await expect(as.list(wide, terms))
      .to.be.revertedWithCustomError(auction, "UnsupportedDecimals")
      .withArgs(await wide.getAddress(), 25n, 24n);
  });

  it("lists what it is deployed with from the beginning, for a vault that is not there yet, within the same bounds", async () => {
    const { auctions, vault, comp, token, assetFeed, terms, stranger, owner } = await loadFixture(usual);
    const offers = [{ token: comp, terms }];
    const early = await auctions.deploy(stranger.address, token, assetFeed, HEARTBEAT, offers);
    const deployed = early.deploymentTransaction();
    await expect(deployed)
      .to.emit(early, "AssetFeedChanged")
      .withArgs(await assetFeed.getAddress(), HEARTBEAT);
    await expect(deployed)
      .to.emit(early, "Listed")
      .withArgs(await comp.getAddress(), Object.values(terms));
    expect(await early.assetFeed()).to.deep.equal([await assetFeed.getAddress(), HEARTBEAT]);
    expect(await early.termsOf(comp)).to.deep.equal(Object.values(terms));

    const auction = await auctions.deploy(vault, token, assetFeed, HEARTBEAT, offers);
    await comp.mint(auction, LOT * COMP);
    await auction.connect(stranger).start(comp);
    await auction.connect(owner).unlist(comp);
    await expect(auction.start(comp)).to.be.revertedWithCustomError(auction, "NotListed");

    const refused = (feed: unknown, heartbeat: bigint, over: object) =>
      auctions.deploy(vault, token, feed as never, heartbeat, [{ token: comp, terms: { ...terms, ...over } }]);
    for (const over of [{ floor: WAD + 1n }, { premium: WAD - 1n }, { duration: 1n }, { minimumLot: 0n }]) {
      await expect(refused(assetFeed, HEARTBEAT, over)).to.be.revertedWithCustomError(auction, "OutOfRange");
    }
    await expect(refused(assetFeed, HEARTBEAT, { feed: stranger.address })).to.be.revertedWithCustomError(
      auction,
      "NoFeed",
    );
    await expect(refused(stranger.address, HEARTBEAT, {})).to.be.revertedWithCustomError(auction, "NoFeed");
    await expect(refused(assetFeed, 0n, {})).to.be.revertedWithCustomError(auction, "NoHeartbeat");
  });

  it("sells no position that it was deployed to sell", async () => {
    const { auctions, vault, token, assetFeed, terms, venues, bob } = await loadFixture(usual);
    const kept = [token, vault, venues[0]!];
    const offers = kept.map((held) => ({ token: held, terms }));
    const auction = await auctions.deploy(vault, token, assetFeed, HEARTBEAT, offers);
    for (const held of kept) {
      const address = await held.getAddress();
      await expect(auction.start(held)).to.be.revertedWithCustomError(auction, "NotForSale").withArgs(address);
      await expect(auction.connect(bob).buy(held, 1n, MAX, bob.address)).to.be.revertedWithCustomError(
        auction,
        "NotForSale",
      );
    }
  });

  it("lists nothing for a vault of another asset", async () => {
    const { auctions, vault, comp, token, assetFeed, owner, terms } = await loadFixture(usual);
    const other = await auctions.deploy(vault, comp, assetFeed, HEARTBEAT, []);
    await expect(other.connect(owner).list(token, terms))
      .to.be.revertedWithCustomError(other, "AssetNotVaults")
      .withArgs(await comp.getAddress(), await token.getAddress());
  });

  it("never sells the asset, shares, or what an adapter holds: not listed, and not when it became that later", async () => {
    const parts = await loadFixture(rewarded);
    const { auction, vault, token, comet, comp, venues, owner, terms, source, bob, deployer } = parts;
    for (const kept of [token, vault, comet, venues[0]!]) {
      await expect(auction.connect(owner).list(kept, terms))
        .to.be.revertedWithCustomError(auction, "NotForSale")
        .withArgs(await kept.getAddress());
    }
    // A venue that is itself a token, other than what stands for the position.
    const other = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
    await vault.connect(owner).addAdapter({ adapter: other, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
    expect(await other.venue()).to.not.equal(await other.receipt());
    await expect(auction.connect(owner).list(await other.venue(), terms))
      .to.be.revertedWithCustomError(auction, "NotForSale")
      .withArgs(await other.venue());
    await source.releaseRewards(comp);
    await auction.start(comp);
    await buy(parts, bob, COMP);
    // A vault of the asset whose shares are the very token that is on sale.
    const odd = await (await ethers.getContractFactory("HostileVenue")).deploy(token);
    await auction.connect(owner).list(odd, terms);
    await token.connect(deployer).approve(odd, MAX);
    await odd.deposit(10_000n * parts.unit, deployer.address);
    await odd.transfer(auction, await odd.balanceOf(deployer.address));
    await auction.start(odd);
    const adapter = await (await ethers.getContractFactory("ERC4626Adapter")).deploy(vault, odd);
    await vault.connect(owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
    const gone = await odd.getAddress();
    for (const call of [
      () => auction.start(odd),
      () => auction.connect(bob).buy(odd, 1n, MAX, bob.address),
      () => auction.priceOf(odd, 1n),
    ]) {
      await expect(call()).to.be.revertedWithCustomError(auction, "NotForSale").withArgs(gone);
    }
  });
});

describe("RewardAuction: a lot", () => {
  it("begins by anybody with all that lies there, once it is worth the minimum", async () => {
    const { auction, comp, compFeed, stranger, unit } = await loadFixture(usual);
    const least = (MINIMUM * COMP) / PRICE;
    const address = await comp.getAddress();
    await expect(auction.start(comp))
      .to.be.revertedWithCustomError(auction, "LotTooSmall")
      .withArgs(address, 0n, MINIMUM * unit);
    await comp.mint(auction, least - 1n);
    await expect(auction.start(comp))
      .to.be.revertedWithCustomError(auction, "LotTooSmall")
      .withArgs(address, MINIMUM * unit - 1n, MINIMUM * unit);
    await comp.mint(auction, 1n);
    await compFeed.push(PRICE * DOLLAR - 1n);
    await expect(auction.start(comp)).to.be.revertedWithCustomError(auction, "LotTooSmall");
    await compFeed.push(PRICE * DOLLAR);
    const now = BigInt(await time.latest()) + 1n;
    await time.setNextBlockTimestamp(now);
    await expect(auction.connect(stranger).start(comp))
      .to.emit(auction, "Started")
      .withArgs(address, least, MINIMUM * unit, now + 2n * DURATION);
    expect(await auction.lotOf(comp)).to.deep.equal([least, now]);
  });

  it("falls by the second from the premium to the floor, and stays there", async () => {
    const parts = await loadFixture(begunUsual);
    const { auction, comp, startedAt, bob, unit, token, vault } = parts;
    for (const passed of [1n, 2n, HOUR, DURATION / 2n, DURATION - 1n, DURATION, DURATION + HOUR, 2n * DURATION - 1n]) {
      const moment =
        startedAt + passed < BigInt(await time.latest()) + 4n ? BigInt(await time.latest()) + 4n : startedAt + passed;
      const cost = costOf(COMP, moment - startedAt, unit);
      await at(parts, moment);
      const before = await token.balanceOf(vault);
      await expect(buy(parts, bob, COMP, cost))
        .to.emit(auction, "Sold")
        .withArgs(await comp.getAddress(), bob.address, bob.address, COMP, cost, (left: bigint) => left % COMP === 0n);
      expect((await token.balanceOf(vault)) - before).to.equal(cost);
    }
    expect(costOf(COMP, 0n, unit)).to.equal(60n * unit);
    expect(costOf(COMP, DURATION, unit)).to.equal((475n * unit) / 10n);
  });

  it("is over when the floor was open for as long as it fell; what nobody bought stays", async () => {
    const parts = await loadFixture(begunUsual);
    const { auction, comp, startedAt, bob, stranger } = parts;
    await at(parts, startedAt + 2n * DURATION - 1n);
    await buy(parts, bob, COMP);
    await time.setNextBlockTimestamp(startedAt + 2n * DURATION);
    await expect(buy(parts, bob, COMP))
      .to.be.revertedWithCustomError(auction, "NoLot")
      .withArgs(await comp.getAddress(), (LOT - 1n) * COMP, startedAt + 2n * DURATION);
    expect(await comp.balanceOf(auction)).to.equal((LOT - 1n) * COMP);
    await auction.connect(stranger).start(comp);
    expect((await auction.lotOf(comp)).left).to.equal((LOT - 1n) * COMP);
  });

  it("nobody begins it anew while it is on sale or its floor is open, and anybody does after", async () => {
    const parts = await loadFixture(begunUsual);
    const { auction, comp, startedAt, bob, keeper, owner } = parts;
    await comp.mint(auction, 1_000n * COMP);
    for (const [who, passed] of [
      [bob, 60n],
      [keeper, DURATION],
      [owner, 2n * DURATION - 1n],
    ] as const) {
      await at(parts, startedAt + passed);
      await expect(auction.connect(who).start(comp))
        .to.be.revertedWithCustomError(auction, "LotOpen")
        .withArgs(await comp.getAddress(), LOT * COMP, startedAt + 2n * DURATION);
    }
    await time.setNextBlockTimestamp(startedAt + 2n * DURATION);
    await auction.connect(bob).start(comp);
    expect((await auction.lotOf(comp)).left).to.equal((LOT + 1_000n) * COMP);
  });

  it("sells nothing of what came after it began: a small lot at the floor takes no large one with it", async () => {
    const parts = await loadFixture(usual);
    const { auction, comp, bob, stranger, unit } = parts;
    const least = (MINIMUM * COMP) / PRICE;
    await comp.mint(auction, least);
    await auction.connect(bob).start(comp);
    const startedAt = BigInt(await time.latest());
    await at(parts, startedAt + DURATION);
    await comp.mint(auction, 10_000n * COMP);
    await buy(parts, bob, MAX);
    expect(await comp.balanceOf(bob.address)).to.equal(least);
    await expect(buy(parts, bob, COMP))
      .to.be.revertedWithCustomError(auction, "NoLot")
      .withArgs(await comp.getAddress(), 0n, startedAt + 2n * DURATION);
    // What was sold out makes room for the next at once, from the premium.
    await auction.connect(stranger).start(comp);
    const again = BigInt(await time.latest());
    await at(parts, again + 10n);
    const cost = costOf(10_000n * COMP, 10n, unit);
    await expect(buy(parts, bob, MAX, cost - 1n))
      .to.be.revertedWithCustomError(auction, "PriceAboveMost")
      .withArgs((price: bigint) => price <= cost && price > cost - unit * 100n, cost - 1n);
  });

  it("is bought in parts, each rounded up for the vault, and never more than is left", async () => {
    const parts = await loadFixture(begunUsual);
    const { auction, comp, bob, stranger, token, vault, unit, startedAt } = parts;
    await expect(buy(parts, bob, 0n)).to.be.revertedWithCustomError(auction, "NothingAsked");
    await at(parts, startedAt + DURATION);
    const before = await token.balanceOf(vault);
    // A wei of it costs a whole unit.
    await buy(parts, bob, 1n);
    expect((await token.balanceOf(vault)) - before).to.equal(1n);
    const odd = 12_345_678_901_234_567n;
    await buy(parts, bob, odd);
    expect((await token.balanceOf(vault)) - before).to.equal(1n + costOf(odd, DURATION, unit));
    const left = LOT * COMP - odd - 1n;
    expect(await auction.priceOf(comp, left)).to.equal(costOf(left, DURATION, unit));
    const [sold, paid] = await auction.connect(stranger).buy.staticCall(comp, MAX, MAX, stranger.address);
    expect([sold, paid]).to.deep.equal([left, costOf(left, DURATION, unit)]);
    await auction.connect(stranger).buy(comp, MAX, MAX, bob.address);
    expect(await comp.balanceOf(bob.address)).to.equal(LOT * COMP);
    expect(await comp.balanceOf(auction)).to.equal(0n);
  });

  for (const [decimals, feedDecimals, tokenDecimals] of [
    [6, 8, 18],
    [8, 8, 6],
    [18, 18, 8],
    [0, 8, 0],
  ] as const) {
    it(`costs the same in an asset of ${decimals} decimals, by a feed of ${feedDecimals}, for a token of ${tokenDecimals}`, async () => {
      const parts = await scene({ decimals });
      const { auction, owner, deployer, bob, token, vault, unit, terms } = parts;
      const reward = await (await ethers.getContractFactory("PlainToken")).deploy(tokenDecimals);
      const feeds = await ethers.getContractFactory("PriceFeedModel");
      const scale = 10n ** BigInt(feedDecimals);
      const feed = await feeds.deploy(deployer.address, feedDecimals, "REWARD / USD", 30n * scale);
      const assetFeed = await feeds.deploy(deployer.address, feedDecimals === 18 ? 8 : 18, "asset / USD", 1n);
      await assetFeed.push((feedDecimals === 18 ? DOLLAR : WAD) * 2n);
      await auction.connect(owner).setAssetFeed(assetFeed, HEARTBEAT);
      await auction.connect(owner).list(reward, { ...terms, feed, premium: WAD, floor: WAD, minimumLot: unit });
      await reward.mint(auction, 7n * 10n ** BigInt(tokenDecimals));
      await auction.start(reward);
      const before = await token.balanceOf(vault);
      await auction.connect(bob).buy(reward, MAX, MAX, bob.address);
      expect((await token.balanceOf(vault)) - before).to.equal(105n * unit);
    });
  }
});

describe("RewardAuction: the oracle", () => {
  it("is asked at the sale: the floor follows it up, and down", async () => {
    const parts = await loadFixture(begunUsual);
    const { auction, comp, compFeed, assetFeed, startedAt, unit } = parts;
    await at(parts, startedAt + DURATION);
    await mine(1);
    const floor = costOf(COMP, DURATION, unit);
    expect(await auction.priceOf(comp, COMP)).to.equal(floor);
    await compFeed.push(4n * PRICE * DOLLAR);
    expect(await auction.priceOf(comp, COMP)).to.equal(4n * floor);
    await compFeed.push((PRICE * DOLLAR) / 2n);
    expect(await auction.priceOf(comp, COMP)).to.equal(floor / 2n);
    // An asset that has fallen itself buys less.
    await assetFeed.push(DOLLAR / 2n);
    expect(await auction.priceOf(comp, COMP)).to.equal(floor);
  });

  const states: readonly (readonly [string, string, (feed: PriceFeedModel, now: bigint) => Promise<unknown>])[] = [
    ["stale", "PriceStale", (feed, now) => feed.pushAt(DOLLAR, now - HEARTBEAT - 1n)],
    ["of the future", "PriceStale", (feed, now) => feed.pushAt(DOLLAR, now + 1_000n)],
    ["zero", "PriceNotPositive", (feed) => feed.push(0n)],
    ["negative", "PriceNotPositive", (feed) => feed.push(-1n)],
  ];
  it("sells nothing where a feed is gone", async () => {
    const { auction, comp, compFeed } = await loadFixture(begunUsual);
    await setCode(await compFeed.getAddress(), "0x");
    await expect(auction.priceOf(comp, COMP))
      .to.be.revertedWithCustomError(auction, "PriceUnreadable")
      .withArgs(await compFeed.getAddress());
  });

  for (const which of ["compFeed", "assetFeed"] as const) {
    for (const [name, error, make] of states) {
      it(`sells nothing and begins nothing while ${which === "compFeed" ? "the token's" : "the asset's"} answer is ${name}`, async () => {
        const parts = await loadFixture(begunUsual);
        const { auction, comp, bob } = parts;
        await buy(parts, bob, COMP);
        await make(parts[which], BigInt(await time.latest()) + 2n);
        await expect(buy(parts, bob, COMP)).to.be.revertedWithCustomError(auction, error);
        await expect(auction.priceOf(comp, COMP)).to.be.revertedWithCustomError(auction, error);
        await parts[which].push(DOLLAR * PRICE);
        await buy(parts, bob, MAX);
        await comp.mint(auction, LOT * COMP);
        await make(parts[which], BigInt(await time.latest()) + 2n);
        await expect(auction.start(comp)).to.be.revertedWithCustomError(auction, error);
      });
    }
  }

  it("sells with an answer as old as its heartbeat, and not a second older", async () => {
    const parts = await loadFixture(begunUsual);
    const { auction, comp, compFeed, bob } = parts;
    // So far off that no machine is slow enough to be there before the report is.
    const now = BigInt(await time.latest()) + HOUR;
    await compFeed.pushAt(PRICE * DOLLAR, now - HEARTBEAT);
    await time.setNextBlockTimestamp(now);
    await buy(parts, bob, COMP);
    await expect(buy(parts, bob, COMP))
      .to.be.revertedWithCustomError(auction, "PriceStale")
      .withArgs(await compFeed.getAddress(), now - HEARTBEAT, HEARTBEAT);
    expect(await comp.balanceOf(bob.address)).to.equal(COMP);
  });
});

describe("RewardAuction: where the money goes", () => {
  it("from the buyer to the vault, whoever buys: nobody else is a unit richer, the keeper neither", async () => {
    const parts = await loadFixture(begunUsual);
    const { auction, comp, token, vault, keeper, owner, guardian, deployer, feeRecipient, timelock } = parts;
    const others = [
      owner.address,
      guardian.address,
      deployer.address,
      feeRecipient.address,
      await timelock.getAddress(),
      await auction.getAddress(),
    ];
    const balances = () => Promise.all(others.map((account) => token.balanceOf(account)));
    const before = await balances();
    const [idle, held] = [await vault.idle(), await token.balanceOf(keeper.address)];
    await buy(parts, keeper, LOT * COMP);
    expect(await balances()).to.deep.equal(before);
    const paid = held - (await token.balanceOf(keeper.address));
    expect((await vault.idle()) - idle).to.equal(paid);
    expect(paid).to.be.greaterThan(LOT * PRICE * parts.unit);
    expect(await comp.balanceOf(keeper.address)).to.equal(LOT * COMP);
  });

  it("is a gain that drips: who enters before a sale and leaves after it gets nothing of it", async () => {
    const parts = await loadFixture(begunUsual);
    const { system, auction, comp, vault, token, bob, alice, unit, compFeed } = parts;
    await compFeed.push(100n * PRICE * DOLLAR);
    await vault.accrue();
    const [price, total, shares] = [
      await vault.sharePrice(),
      await vault.totalAssets(),
      await vault.balanceOf(alice.address),
    ];
    await token.connect(bob).approve(vault, MAX);
    const held = await token.balanceOf(bob.address);
    const worth = await auction.priceOf(comp, LOT * COMP);
    expect(worth).to.be.greaterThan(1_000_000n * unit);
    const receipts = await inOneBlock([
      () => vault.connect(bob)["deposit(uint256,address)"](1_000_000n * unit, bob.address, GAS),
      () => auction.connect(parts.stranger).buy(comp, MAX, MAX, parts.stranger.address, GAS),
      async () =>
        vault
          .connect(bob)
          ["redeem(uint256,address,address)"](
            await vault.previewDeposit(1_000_000n * unit),
            bob.address,
            bob.address,
            GAS,
          ),
    ]);
    expect(receipts.map(({ status }) => status)).to.deep.equal([1, 1, 1]);
    expect(await token.balanceOf(bob.address)).to.be.at.most(held);
    // A second at half a year's rate of 50 %, and no more.
    const grown = (await vault.sharePrice()) - price;
    expect(grown).to.be.at.most((price * 10n) / (2n * 365n * DAY));
    await time.increase(365n * DAY);
    await vault.accrue();
    expect((await vault.totalAssets()) - total).to.be.within((total * 49n) / 100n, (total * 51n) / 100n);
    await redeem(system, alice, shares);
  });

  it("also what lies in the auction of the asset goes to the vault, by anybody", async () => {
    const { auction, token, vault, stranger, unit } = await loadFixture(usual);
    await auction.connect(stranger).forward();
    await token.mint(auction, 5n * unit);
    const idle = await vault.idle();
    await expect(auction.connect(stranger).forward())
      .to.emit(auction, "Forwarded")
      .withArgs(5n * unit);
    expect((await vault.idle()) - idle).to.equal(5n * unit);
    expect(await token.balanceOf(auction)).to.equal(0n);
  });

  it("who does not pay gets nothing", async () => {
    const parts = await loadFixture(begunUsual);
    const { token, auction, comp, deployer, feeRecipient } = parts;
    await expect(buy(parts, deployer, COMP)).to.be.revertedWithCustomError(token, "ERC20InsufficientAllowance");
    await token.connect(feeRecipient).approve(auction, MAX);
    await expect(buy(parts, feeRecipient, COMP)).to.be.revertedWithCustomError(token, "ERC20InsufficientBalance");
    expect(await comp.balanceOf(auction)).to.equal(LOT * COMP);
  });
});

describe("RewardAuction: hostile tokens", () => {
  async function hostile() {
    const parts = await scene();
    const { auction, owner, terms } = parts;
    const odd = await (await ethers.getContractFactory("HostileToken")).deploy();
    await auction.connect(owner).list(odd, terms);
    await odd.mint(auction, 1_000n * 10n ** 6n);
    await auction.start(odd);
    return { ...parts, odd };
  }

  it("a reward that charges on transfer gives the buyer less, and the vault its whole price", async () => {
    const { auction, odd, bob, token, vault, unit } = await loadFixture(hostile);
    await odd.setFeeBps(1_000n);
    const idle = await vault.idle();
    const held = await token.balanceOf(bob.address);
    await auction.connect(bob).buy(odd, 10n ** 6n, MAX, bob.address);
    expect(await odd.balanceOf(bob.address)).to.equal(900_000n);
    const paid = held - (await token.balanceOf(bob.address));
    expect((await vault.idle()) - idle).to.equal(paid);
    expect(paid).to.be.greaterThan(59n * unit);
    expect((await auction.lotOf(odd)).left).to.equal(999n * 10n ** 6n);
  });

  it("a reward that calls back finds the lot reduced, the vault paid and the auction shut", async () => {
    const { auction, odd, bob, vault, token, system, unit } = await loadFixture(hostile);
    const again = auction.interface.encodeFunctionData("buy", [await odd.getAddress(), 1n, MAX, bob.address]);
    const locked = auction.interface.getError("ReentrancyGuardReentrantCall")?.selector;
    for (const data of [
      again,
      auction.interface.encodeFunctionData("start", [await odd.getAddress()]),
      auction.interface.encodeFunctionData("forward"),
    ]) {
      await odd.setHook(bob.address, auction, data);
      await auction.connect(bob).buy(odd, 10n ** 6n, MAX, bob.address);
      expect(await odd.lastSuccess()).to.equal(false);
      expect(await odd.lastAnswer()).to.equal(locked);
    }
    const idle = await vault.idle();
    await odd.setHook(bob.address, vault, vault.interface.encodeFunctionData("idle"));
    const held = await token.balanceOf(bob.address);
    await auction.connect(bob).buy(odd, 10n ** 6n, MAX, bob.address);
    const seen = ethers.AbiCoder.defaultAbiCoder().decode(["uint256"], await odd.lastAnswer())[0] as bigint;
    expect(seen - idle).to.equal(held - (await token.balanceOf(bob.address)));
    await odd.setHook(bob.address, auction, auction.interface.encodeFunctionData("lotOf", [await odd.getAddress()]));
    const { left } = await auction.lotOf(odd);
    await auction.connect(bob).buy(odd, 10n ** 6n, MAX, bob.address);
    const lot = ethers.AbiCoder.defaultAbiCoder().decode(["uint128", "uint64"], await odd.lastAnswer());
    expect(lot[0]).to.equal(left - 10n ** 6n);
    // The vault takes deposits meanwhile, as it does at any time: nothing of it is half done.
    await deposit(system, system.alice, unit);
  });

  it("a reward of which less is left than the lot says sells what is left", async () => {
    const { auction, comp, bob } = await loadFixture(begunUsual);
    await comp.burn(auction, (LOT - 3n) * COMP);
    await auction.connect(bob).buy(comp, MAX, MAX, bob.address);
    expect(await comp.balanceOf(bob.address)).to.equal(3n * COMP);
    await expect(auction.connect(bob).buy(comp, MAX, MAX, bob.address)).to.be.revertedWithCustomError(auction, "NoLot");
  });

  it("an asset that charges on transfer pays for nothing, and one that calls back gets in nowhere", async () => {
    const token = await (await ethers.getContractFactory("HostileToken")).deploy();
    const { auction, comp, vault, bob, stranger } = await begun({ token });
    await token.setFeeBps(1n);
    await expect(auction.connect(bob).buy(comp, COMP, MAX, bob.address)).to.be.revertedWithCustomError(
      auction,
      "TransferMismatch",
    );
    await token.setFeeBps(0n);
    const again = auction.interface.encodeFunctionData("buy", [await comp.getAddress(), 1n, MAX, stranger.address]);
    const locked = auction.interface.getError("ReentrancyGuardReentrantCall")?.selector;
    for (const account of [bob.address, await vault.getAddress()]) {
      await token.setHook(account, auction, again);
      await auction.connect(bob).buy(comp, COMP, MAX, bob.address);
      expect(await token.lastSuccess()).to.equal(false);
      expect(await token.lastAnswer()).to.equal(locked);
    }
    // Money that comes to the vault in the middle of a sale is not taken for the buyer's.
    await token.mint(stranger.address, 10n ** 6n);
    await token.setHook(bob.address, token, token.interface.encodeFunctionData("mint", [await vault.getAddress(), 1n]));
    await expect(auction.connect(bob).buy(comp, COMP, MAX, bob.address)).to.be.revertedWithCustomError(
      auction,
      "TransferMismatch",
    );
  });
});
