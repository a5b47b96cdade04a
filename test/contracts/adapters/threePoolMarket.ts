// A market in three coins on the model of Curve's 3pool, its feeds, and adapters in it, for tests on a bare chain.
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { ethers } from "hardhat";
import type {
  Curve3PoolAdapter,
  HostileToken,
  PlainToken,
  PriceFeedModel,
  ThreePoolModel,
  ThreePoolTokenModel,
  UsdtModel,
} from "../../../typechain-types";
import { nth } from "../bundle";
import { MAX, WAD } from "../deployment";

/** Places of the coins in the pool. */
export const [DAI, USDC, USDT] = [0, 1, 2];
/** One whole coin of each. */
export const UNITS = [10n ** 18n, 10n ** 6n, 10n ** 6n] as const;
/** The pool of mainnet at block 19,807,136, in whole coins. */
export const POOLED = [64_080_000n, 64_950_000n, 50_920_000n] as const;
/** A, fee and the admin's part of mainnet's pool. */
export const TERMS = [2_000n, 1_000_000n, 5_000_000_000n] as const;

export const HEARTBEAT = 90_000n;
export const SLIPPAGE = WAD / 1_000n;
export const STEADINESS = WAD / 200n;
export const DOLLAR = 10n ** 8n;
/** 1 of the 1e10 in which the pool's fee is. */
export const FEE_DENOMINATOR = 10n ** 10n;

export type Coin = PlainToken | HostileToken | UsdtModel;

export interface Market {
  /** Trades, reports prices, and makes any amount of any coin. */
  readonly trader: HardhatEthersSigner;
  readonly coins: readonly Coin[];
  readonly feeds: readonly PriceFeedModel[];
  readonly pool: ThreePoolModel;
  readonly lpToken: ThreePoolTokenModel;
}

export interface MarketOptions {
  readonly dai?: Coin;
  readonly usdc?: Coin;
  readonly terms?: readonly [a: bigint, fee: bigint, adminFee: bigint];
}

export async function openMarket(trader: HardhatEthersSigner, options: MarketOptions = {}): Promise<Market> {
  const plain = await ethers.getContractFactory("PlainToken");
  const coins: readonly Coin[] = [
    options.dai ?? (await plain.deploy(18)),
    options.usdc ?? (await plain.deploy(6)),
    await (await ethers.getContractFactory("UsdtModel")).deploy(trader.address),
  ];
  const lpToken = await (await ethers.getContractFactory("ThreePoolTokenModel")).deploy();
  const addresses = (await Promise.all(coins.map((coin) => coin.getAddress()))) as [string, string, string];
  const pool = await (
    await ethers.getContractFactory("ThreePoolModel")
  ).deploy(addresses, lpToken, ...(options.terms ?? TERMS));
  await lpToken.set_minter(pool);
  const feeds: PriceFeedModel[] = [];
  for (const coin of coins) {
    const factory = await ethers.getContractFactory("PriceFeedModel");
    feeds.push(await factory.deploy(trader.address, 8, `${await coin.symbol()} / USD`, DOLLAR));
  }
  const market = { trader, coins, feeds, pool, lpToken };
  for (const [k, coin] of coins.entries()) {
    await mint(market, k, trader.address, 10n ** 15n * unitOf(market, k));
    await coin.connect(trader).approve(pool, MAX);
  }
  await pool.connect(trader).add_liquidity([0, 1, 2].map((k) => nth(POOLED, k) * unitOf(market, k)) as never, 0);
  return market;
}

/** A token of six decimals may stand for DAI. */
function unitOf(market: Market, k: number): bigint {
  return k === DAI && "setHook" in nth(market.coins, DAI) ? nth(UNITS, USDC) : nth(UNITS, k);
}

export async function mint(market: Market, k: number, to: string, amount: bigint): Promise<void> {
  await nth(market.coins, k).connect(market.trader).mint(to, amount);
}

export async function deployAdapter(
  market: Market,
  vault: string,
  over: { readonly place?: number; readonly slippage?: bigint; readonly steadiness?: bigint } = {},
): Promise<Curve3PoolAdapter> {
  const factory = await ethers.getContractFactory("Curve3PoolAdapter");
  return factory.deploy(
    vault,
    market.pool,
    market.lpToken,
    nth(market.coins, over.place ?? USDC),
    market.feeds as never,
    [HEARTBEAT, HEARTBEAT, HEARTBEAT],
    over.slippage ?? SLIPPAGE,
    over.steadiness ?? STEADINESS,
  );
}

/** The trader pays `amount` of coin `i`; returns what came of coin `j`. */
export async function trade(market: Market, i: number, j: number, amount: bigint): Promise<bigint> {
  const bought = nth(market.coins, j);
  const before = await bought.balanceOf(market.trader.address);
  await market.pool.connect(market.trader).exchange(i, j, amount, 0);
  return (await bought.balanceOf(market.trader.address)) - before;
}

/** Every feed says its price as of now. `dollars` in 1e-8. */
export async function report(market: Market, dollars: readonly bigint[]): Promise<void> {
  for (const [k, price] of dollars.entries()) await nth(market.feeds, k).connect(market.trader).push(price);
}
