// A Chainlink feed that is silent, absurd or off its peg: what is proof of it, and what is not.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { ZeroAddress } from "ethers";
import { DAY, deploySystem } from "../deployment";
import { HALF_AN_HOUR, MINUTE, armAndTrip, register, requireNotHolding } from "./proof";

const PAR = 100_000_000n;
const LOWER = 98_000_000n;
const UPPER = 102_000_000n;
const HEARTBEAT = DAY + 3_600n;
/** The second phase of a proxy, at its hundredth round. */
const ROUND = (2n << 64n) + 100n;
/** Of PriceFeedModel, whose rounds follow one another but for what a test writes there. */
const LATEST_ROUND_SLOT = 1n;

async function watched() {
  const system = await deploySystem({ venues: 0 });
  const feed = await (await ethers.getContractFactory("HostileFeed")).deploy();
  await feed.set(ROUND, PAR, BigInt(await time.latest()) - 3_600n);
  const factory = await ethers.getContractFactory("OracleTrouble");
  const condition = await factory.deploy(feed, HEARTBEAT, LOWER, UPPER);
  await register(system, condition);
  /** Rounds from `first` on, answered so many seconds before the block that asks; that of the last. */
  const rounds = async (answers: readonly (readonly [answer: bigint, age: bigint])[], first = ROUND + 1n) => {
    const now = BigInt(await time.latest()) + 1_000n;
    for (const [index, [answer, age]] of answers.entries()) await feed.set(first + BigInt(index), answer, now - age);
    await time.increaseTo(now);
  };
  return { system, feed, factory, condition, rounds };
}

describe("OracleTrouble", () => {
  it("does not hold for a feed within its bounds, those included, and within its heartbeat", async () => {
    const { system, condition, feed, rounds } = await loadFixture(watched);
    await requireNotHolding(system, condition);
    for (const answer of [LOWER, UPPER]) {
      await rounds([[answer, HALF_AN_HOUR]]);
      await requireNotHolding(system, condition);
    }
    const now = BigInt(await time.latest());
    await feed.set(ROUND, PAR, now - HEARTBEAT + 100n);
    await time.increaseTo(now + 100n);
    expect(await condition.holds(system.vault)).to.equal(false);
    await time.increaseTo(now + 101n);
    expect(await condition.holds(system.vault)).to.equal(true);
  });

  it("trips on a feed that stays silent, and not on one that reports again before", async () => {
    const { system, condition, rounds } = await loadFixture(watched);
    await time.increase(HEARTBEAT);
    await system.vault.arm(condition);
    await rounds([[PAR, 5n]]);
    await system.vault.disarm(condition);
    await time.increase(HEARTBEAT);
    await armAndTrip(system, condition);
  });

  for (const answer of [LOWER - 1n, UPPER + 1n]) {
    it(`trips on ${answer} once it has been in force for half an hour`, async () => {
      const { system, condition, rounds } = await loadFixture(watched);
      await rounds([[answer, HALF_AN_HOUR - 1n]]);
      expect(await condition.holds(system.vault)).to.equal(false);
      await time.increase(1n);
      expect(await condition.holds(system.vault)).to.equal(true);
      await armAndTrip(system, condition);
    });
  }

  it("looks back to the answer that was in force half an hour ago, and at all since", async () => {
    const { system, condition, rounds } = await loadFixture(watched);
    const low = LOWER - 1n;
    await rounds([
      [low, 40n * MINUTE],
      [low - 5n, 10n * MINUTE],
      [low - 9n, 0n],
    ]);
    expect(await condition.holds(system.vault)).to.equal(true);
    await rounds([
      [low, 40n * MINUTE],
      [PAR, 10n * MINUTE],
      [low, MINUTE],
    ]);
    expect(await condition.holds(system.vault)).to.equal(false);
    await rounds([
      [PAR, 31n * MINUTE],
      [low, 29n * MINUTE],
      [low, MINUTE],
    ]);
    expect(await condition.holds(system.vault)).to.equal(false);
  });

  it("is refuted by a sound answer of this very block, and not proved by a wrong one", async () => {
    const { system, condition, feed, rounds } = await loadFixture(watched);
    await rounds([[LOWER - 1n, HALF_AN_HOUR]]);
    expect(await condition.holds(system.vault)).to.equal(true);
    await feed.set(ROUND + 2n, PAR, await time.latest());
    expect(await condition.holds(system.vault)).to.equal(false);
    await feed.set(ROUND + 3n, 1n, await time.latest());
    expect(await condition.holds(system.vault)).to.equal(false);
  });

  for (const answer of [0n, -PAR]) {
    it(`holds for the answer ${answer} from the block after it on`, async () => {
      const { system, condition, feed } = await loadFixture(watched);
      const next = BigInt(await time.latest()) + 10n;
      await time.setNextBlockTimestamp(next);
      await feed.set(ROUND + 1n, answer, next);
      expect(await condition.holds(system.vault)).to.equal(false);
      await time.increase(1n);
      expect(await condition.holds(system.vault)).to.equal(true);
      await armAndTrip(system, condition);
    });
  }

  it("takes 24 reports in a row, all outside, for enough, and 23 not", async () => {
    const { system, condition, rounds } = await loadFixture(watched);
    const low = Array.from({ length: 24 }, (_, index) => [LOWER - 1n, 1_000n - BigInt(index)] as const);
    await rounds([[PAR, 1_700n], ...low.slice(1)]);
    expect(await condition.holds(system.vault)).to.equal(false);
    await rounds([[PAR, 1_700n], ...low]);
    expect(await condition.holds(system.vault)).to.equal(true);
    await system.vault.arm(condition);
  });

  it("finds no proof beyond the first round of a phase, and none where an earlier round is missing", async () => {
    const { system, condition, rounds } = await loadFixture(watched);
    const first = (3n << 64n) + 1n;
    const aggregator = [
      [LOWER - 1n, 40n * MINUTE],
      [LOWER - 1n, 20n * MINUTE],
    ] as const;
    // Number zero of a phase is of no aggregator, whatever the proxy answers.
    await rounds(aggregator, first - 1n);
    expect(await condition.holds(system.vault)).to.equal(false);
    await time.increase(10n * MINUTE);
    expect(await condition.holds(system.vault)).to.equal(true);
    await rounds([[LOWER - 1n, 20n * MINUTE]], ROUND + 50n);
    expect(await condition.holds(system.vault)).to.equal(false);
    await rounds(
      [
        [LOWER - 1n, 40n * MINUTE],
        [LOWER - 1n, -DAY],
        [LOWER - 1n, 20n * MINUTE],
      ],
      ROUND + 60n,
    );
    expect(await condition.holds(system.vault)).to.equal(false);
  });

  it("finds no proof where the feed does not answer for an earlier round, though it does for the last", async () => {
    const { system, factory } = await loadFixture(watched);
    const [reporter] = await ethers.getSigners();
    const feed = await (
      await ethers.getContractFactory("PriceFeedModel")
    ).deploy(reporter?.address ?? "", 8, "USDC / USD", PAR);
    const condition = await factory.deploy(feed, HEARTBEAT, LOWER, UPPER);
    const slot = ethers.toBeHex(LATEST_ROUND_SLOT, 32);
    expect(BigInt(await ethers.provider.getStorage(feed, LATEST_ROUND_SLOT))).to.equal(1n);
    await ethers.provider.send("hardhat_setStorageAt", [await feed.getAddress(), slot, ethers.toBeHex(ROUND, 32)]);
    await feed.push(LOWER - 1n);
    await expect(feed.getRoundData(ROUND)).to.be.revertedWithCustomError(feed, "NoDataPresent");
    expect(await condition.holds(system.vault)).to.equal(false);
    await time.increase(HALF_AN_HOUR);
    expect(await condition.holds(system.vault)).to.equal(true);
  });

  it("holds for a feed that cannot be read, however it fails, and for one that answers from the future", async () => {
    const { system, condition, feed } = await loadFixture(watched);
    for (const mode of [1, 2, 3, 4]) {
      await feed.setMode(mode);
      expect(await condition.holds(system.vault), `mode ${mode}`).to.equal(true);
      await system.vault.arm(condition);
      await feed.setMode(0);
      await system.vault.disarm(condition);
    }
    await feed.set(ROUND + 1n, PAR, BigInt(await time.latest()) + DAY);
    expect(await condition.holds(system.vault)).to.equal(true);
    await feed.setMode(2);
    await armAndTrip(system, condition);
  });

  it("judges every vault alike and stores nothing", async () => {
    const { system, condition } = await loadFixture(watched);
    await time.increase(2n * HEARTBEAT);
    expect(await condition.holds(system.stranger.address)).to.equal(true);
    expect(
      condition.interface.fragments.filter((it) => it.type === "function" && !it.format("full").includes(" view ")),
    ).to.be.empty;
  });

  it("reads the price feed of the local chain", async () => {
    const { system, factory } = await loadFixture(watched);
    const [reporter] = await ethers.getSigners();
    const model = await ethers.getContractFactory("PriceFeedModel");
    const feed = await model.deploy(reporter?.address ?? "", 8, "USDC / USD", PAR);
    const condition = await factory.deploy(feed, HEARTBEAT, LOWER, UPPER);
    expect(await condition.holds(system.vault)).to.equal(false);
    await feed.push(LOWER - 1n);
    await time.increase(HALF_AN_HOUR);
    expect(await condition.holds(system.vault)).to.equal(true);
  });

  it("refuses a feed without code, no heartbeat, and bounds that are none", async () => {
    const { factory, feed } = await loadFixture(watched);
    await expect(factory.deploy(ZeroAddress, HEARTBEAT, LOWER, UPPER))
      .to.be.revertedWithCustomError(factory, "NoFeed")
      .withArgs(ZeroAddress);
    await expect(factory.deploy(feed, 0n, LOWER, UPPER))
      .to.be.revertedWithCustomError(factory, "NoHeartbeat")
      .withArgs(await feed.getAddress());
    for (const [lower, upper] of [
      [0n, UPPER],
      [UPPER, UPPER],
    ]) {
      await expect(factory.deploy(feed, HEARTBEAT, lower ?? 0n, upper ?? 0n))
        .to.be.revertedWithCustomError(factory, "BoundsOutOfOrder")
        .withArgs(lower, upper);
    }
  });
});
