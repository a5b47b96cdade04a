// What it costs whoever makes rewards assets: an adapter's release, the beginning of a lot, purchases. Measured as in measure.ts,
// in a vault with one ERC-4626 venue and Compound's adapter besides; the rows stand under N=1. What Compound or Aave takes for
// paying out what they owe is theirs, and not measured.
import { ethers, network } from "hardhat";
import { MAX, WAD, deploySystem, deposit, type System } from "../contracts/deployment";
import { gasOfOne, later, type Gas } from "./measure";

const DOLLAR = 10n ** 8n;
const COMP = 10n ** 18n;
const LOT = 200n * COMP;
const HEARTBEAT = 90_000n;
const DEPOSITED = 200_000n;
/** A lot falls for a day; what is bought an hour or two into it costs more than the floor. */
const TERMS = { premium: (105n * WAD) / 100n, floor: (95n * WAD) / 100n, duration: 86_400n };

/** Leaves Hardhat's chain in no particular state. */
export async function measureRewards(): Promise<Gas> {
  await network.provider.send("hardhat_reset");
  const system = await deploySystem({ venues: 1, venueName: "PlainVenue" });
  const { vault, token, stranger, deployer, alice, unit } = system;
  const { comp, feeds, auction, source } = await rewardsOf(system);
  await later();
  await deposit(system, alice, DEPOSITED * unit);
  await later();
  await token.connect(stranger).approve(auction, MAX);
  // No balance that is touched begins at nothing.
  await comp.mint(stranger.address, COMP);
  await comp.mint(auction, COMP);
  await comp.mint(source, LOT);
  const row = async (send: Parameters<typeof gasOfOne>[1]["send"]): Promise<{ 1: number }> => {
    const used = await gasOfOne(later, { send });
    await later();
    await send();
    return { 1: used };
  };
  const buy = (amount: bigint) => () => auction.connect(stranger).buy(comp, amount, MAX, stranger.address);
  for (const feed of feeds) await feed.connect(deployer).push(await feed.latestAnswer());
  const gas: Gas = {
    "rewards: released to the auction": await row(() => source.connect(stranger).releaseRewards(comp)),
    "rewards: a lot begun": await row(() => auction.connect(stranger).start(comp)),
    "rewards: a part of a lot bought": await row(buy(LOT / 4n)),
    "rewards: the rest of a lot bought": await row(buy(MAX)),
  };
  if ((await comp.balanceOf(auction)) !== 0n || (await vault.idle()) <= DEPOSITED * unit) {
    throw new Error("a lot that should have been sold was not");
  }
  return gas;
}

async function rewardsOf({ vault, token, owner, deployer }: System) {
  const comp = await (await ethers.getContractFactory("PlainToken")).deploy(18);
  const factory = await ethers.getContractFactory("PriceFeedModel");
  const compFeed = await factory.deploy(deployer.address, 8, "COMP / USD", 50n * DOLLAR);
  const assetFeed = await factory.deploy(deployer.address, 8, "asset / USD", DOLLAR);
  const auction = await (
    await ethers.getContractFactory("RewardAuction")
  ).deploy(vault, token, assetFeed, HEARTBEAT, []);
  await auction
    .connect(owner)
    .list(comp, { feed: await compFeed.getAddress(), heartbeat: HEARTBEAT, minimumLot: 10n ** 6n, ...TERMS });
  const comet = await (await ethers.getContractFactory("SmallComet")).deploy(token);
  const source = await (await ethers.getContractFactory("CompoundV3Adapter")).deploy(vault, comet, auction);
  await vault
    .connect(owner)
    .addAdapter({ adapter: await source.getAddress(), absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
  return { comp, auction, source, feeds: [compFeed, assetFeed] };
}
