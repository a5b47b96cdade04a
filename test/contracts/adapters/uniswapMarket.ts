// A genuine pool of Uniswap V3 with a market in it, Chainlink's feeds in model, and an adapter whose vault is an ordinary
// account or whatever the test says.
import { time } from "@nomicfoundation/hardhat-network-helpers";
import type { AddressLike } from "ethers";
import { ethers } from "hardhat";
import { npmArtifact } from "../../../scripts/localnet/protocols/npmArtifact";
import { UNISWAP_FACTORY, UNISWAP_POOL } from "../../../scripts/localnet/protocols/uniswap";
import type { IUniswapV3Pool, UniswapV3Adapter } from "../../../typechain-types";
import { DAY } from "../deployment";

export const Q96 = 2n ** 96n;
export const PAR = 100_000_000n;
export const WINDOW = 1_800n;
/** The window, a block each twelve seconds, and some more. */
export const CARDINALITY = 160;
export const BLOCK = 12;
export const HEARTBEAT = DAY + 3_600n;
/** Everything that anybody could want to pay. */
const PLENTY = 10n ** 15n;
/** Whole coins of either side that the market lends within DEPTH_TICKS. */
const DEPTH = 1_000_000_000n;
export const DEPTH_TICKS = 3_000n;

export interface MarketOptions {
  readonly assetFirst?: boolean;
  readonly assetDecimals?: number;
  readonly pairedDecimals?: number;
  readonly feePips?: bigint;
  readonly spacing?: bigint;
  /** A token whose transfers answer nothing and whose allowances must be cleared. */
  readonly tether?: boolean;
  /** Tokens that call back. */
  readonly hostile?: boolean;
}

export function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** A pool with a price of one, remembered for an hour. */
export async function deployPool(options: MarketOptions = {}) {
  const { assetFirst = true, assetDecimals = 6, pairedDecimals = 6, feePips = 100n, spacing = 1n } = options;
  const [deployer, vault, stranger] = await ethers.getSigners();
  if (!deployer || !vault || !stranger) throw new Error("no signers");
  const plain = await ethers.getContractFactory("PlainToken");
  const hostile = await ethers.getContractFactory("HostileToken");
  const tether = await ethers.getContractFactory("UsdtModel");
  const asset = await plain.deploy(assetDecimals);
  const deployPaired = async () => {
    if (options.hostile) return (await hostile.deploy()) as unknown as typeof asset;
    if (options.tether) return (await tether.deploy(deployer.address)) as unknown as typeof asset;
    return plain.deploy(pairedDecimals);
  };
  let paired = await deployPaired();
  while (BigInt(await asset.getAddress()) < BigInt(await paired.getAddress()) !== assetFirst) {
    paired = await deployPaired();
  }
  const { abi, bytecode } = npmArtifact(UNISWAP_FACTORY);
  const factory = await new ethers.ContractFactory(abi, bytecode, deployer).deploy();
  if (feePips === 100n) await factory.getFunction("enableFeeAmount")(feePips, spacing);
  await factory.getFunction("createPool")(asset, paired, feePips);
  const address = (await factory.getFunction("getPool")(asset, paired, feePips)) as string;
  const pool = (await ethers.getContractAt("IUniswapV3Pool", address)) as unknown as IUniswapV3Pool;
  const whole = new ethers.Contract(address, npmArtifact(UNISWAP_POOL).abi, deployer);

  const unit = 10n ** BigInt(assetDecimals);
  const pairedUnit = 10n ** BigInt(options.tether || options.hostile ? 6 : pairedDecimals);
  const [unit0, unit1] = assetFirst ? [unit, pairedUnit] : [pairedUnit, unit];
  const par = squareRoot((unit1 * Q96 * Q96) / unit0);
  const probe = await (await ethers.getContractFactory("UniswapProbe")).deploy();
  const trader = await (await ethers.getContractFactory("PoolTrader")).deploy(address);
  const feeds = await ethers.getContractFactory("PriceFeedModel");
  const assetFeed = await feeds.deploy(deployer.address, 8, "asset / USD", PAR);
  const pairedFeed = await feeds.deploy(deployer.address, 8, "paired / USD", PAR);
  return {
    options: { assetFirst, feePips, spacing },
    deployer,
    vault,
    stranger,
    asset,
    paired,
    factory,
    factoryAddress: await factory.getAddress(),
    pool,
    whole,
    address,
    unit,
    pairedUnit,
    par,
    probe,
    trader,
    assetFeed,
    pairedFeed,
  };
}

export type Pool = Awaited<ReturnType<typeof deployPool>>;

/** Initialised, remembering for an hour, with the market's liquidity. */
export async function deployMarket(options: MarketOptions = {}) {
  const parts = await deployPool(options);
  const { whole, trader, asset, paired, par, unit, pairedUnit, probe, pool } = parts;
  await whole.getFunction("initialize")(par);
  await whole.getFunction("increaseObservationCardinalityNext")(CARDINALITY);
  await asset.mint(trader, PLENTY * unit);
  await paired.mint(trader, PLENTY * pairedUnit);
  const spacing = parts.options.spacing;
  const middle = ((await pool.slot0()).tick / spacing) * spacing;
  const unit1 = parts.options.assetFirst ? pairedUnit : unit;
  const low = await probe.sqrtAt(middle - DEPTH_TICKS);
  const liquidity = (DEPTH * unit1 * Q96) / (par - low);
  const depth = { lower: middle - DEPTH_TICKS, upper: middle + DEPTH_TICKS, liquidity };
  await trader.mint(trader, depth.lower, depth.upper, liquidity);
  const market = { ...parts, depth, middle };
  await age(market, 3_600);
  return market;
}

export type Market = Awaited<ReturnType<typeof deployMarket>>;

/** Time passes; Chainlink reports what it reported last. */
export async function age(market: Pool, seconds: number): Promise<void> {
  await time.increase(seconds);
  for (const feed of [market.assetFeed, market.pairedFeed]) await feed.push(await feed.latestAnswer());
}

export type Choice = UniswapV3Adapter.ChoiceStruct;

export function choiceOf(market: Pool, over: Partial<Choice> = {}): Choice {
  return {
    halfWidth: 50n * market.options.spacing,
    window: WINDOW,
    minimumCardinality: 150,
    spotBound: 10n,
    oracleBound: 50n,
    slippage: 5n * 10n ** 15n,
    assetFeed: market.assetFeed,
    assetHeartbeat: HEARTBEAT,
    pairedFeed: market.pairedFeed,
    pairedHeartbeat: HEARTBEAT,
    ...over,
  };
}

export async function deployAdapter(market: Pool, over: Partial<Choice> = {}, vault: AddressLike = market.vault) {
  const factory = await ethers.getContractFactory("UniswapV3Adapter");
  return factory.deploy(vault, market.factoryAddress, market.pool, market.asset, choiceOf(market, over));
}

export async function withAdapter(options: MarketOptions = {}, over: Partial<Choice> = {}) {
  const market = await deployMarket(options);
  const adapter = await deployAdapter(market, over);
  await market.asset.mint(market.vault, 1_000_000_000n * market.unit);
  return { ...market, adapter, address: await adapter.getAddress(), poolAddress: market.address };
}

export type Held = Awaited<ReturnType<typeof withAdapter>>;

/** As the vault does: pays the adapter, then tells it. */
export async function put(held: Held, assets: bigint, data = "0x") {
  await held.asset.connect(held.vault).transfer(held.adapter, assets);
  return held.adapter.connect(held.vault).deposit(assets, data);
}

/** The square root of the price `ticks` away from the middle in the direction in which the paired coin is worth more. */
export async function priceAway(held: Market, ticks: bigint): Promise<bigint> {
  // Where the asset is token0, a dearer paired coin is a lower tick.
  return held.probe.sqrtAt(held.middle + (held.options.assetFirst ? -ticks : ticks));
}

/** The pool's mean tick over the window, rounded down. */
export async function meanTick(held: Market): Promise<bigint> {
  const [then = 0n, now = 0n] = (await held.pool.observe([Number(WINDOW), 0])).tickCumulatives;
  const sum = now - then;
  return (sum - (((sum % WINDOW) + WINDOW) % WINDOW)) / WINDOW;
}

/** Of the pool's amounts: the asset's, the paired coin's. */
export function sorted<T>(market: Pool, amounts: readonly [T, T]): readonly [T, T] {
  return market.options.assetFirst ? amounts : [amounts[1], amounts[0]];
}

/** What so much of the paired coin is worth in the asset, rounded as the adapter rounds. */
export function toAssets(market: Pool, paired: bigint, price: bigint): bigint {
  return market.options.assetFirst
    ? (((paired * Q96) / price) * Q96) / price
    : (((paired * price) / Q96) * price) / Q96;
}
