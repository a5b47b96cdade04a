// Reads the market's state at one block.
import type { Contract } from "ethers";
import type { Protocols } from "../protocols/protocolsFile";
import { ETHER, USDC } from "../protocols/parameters";
import { localWallet } from "../../../deploy/networks/localWallet";
import type { MarketContracts } from "./contracts";
import type { FeedState, LendingState, MarketState } from "./marketState";

const WAD = 10n ** 18n;
const RAY_TO_WAD = 10n ** 9n;
/** Comet has no cap on borrowing but its cash. */
const NO_CAP = 10n ** 30n;

export interface BlockRef {
  readonly number: number;
  readonly timestamp: number;
  readonly slot: number;
}

const ACTORS = {
  market: localWallet("market").address,
  borrower: localWallet("borrower").address,
  trader: localWallet("trader").address,
};

export async function readMarket(contracts: MarketContracts, on: Protocols, block: BlockRef): Promise<MarketState> {
  const at = { blockTag: block.number };
  const balance = (token: Contract, holder: string): Promise<bigint> =>
    token.getFunction("balanceOf")(holder, at) as Promise<bigint>;
  const { dai, usdc, usdt, weth, savings, feeds, threePool } = contracts;
  const [
    aave,
    comet,
    totalAssets,
    reserve,
    slot0,
    pooled,
    usdcFeed,
    usdtFeed,
    daiFeed,
    ethFeed,
    compFeed,
    aaveFeed,
    ...purse
  ] = await Promise.all([
    readAave(contracts, on, block.number),
    readComet(contracts, on, block.number),
    savings.totalAssets(at),
    savings.reserve(at),
    contracts.uniswapPool.getFunction("slot0")(at) as Promise<{ sqrtPriceX96: bigint }>,
    Promise.all([0, 1, 2].map((coin) => threePool.balances(coin, at))),
    readFeed(feeds.usdc, block.number),
    readFeed(feeds.usdt, block.number),
    readFeed(feeds.dai, block.number),
    readFeed(feeds.eth, block.number),
    readFeed(feeds.comp, block.number),
    readFeed(feeds.aave, block.number),
    balance(usdc, ACTORS.market),
    balance(usdc, ACTORS.borrower),
    balance(weth, ACTORS.borrower),
    balance(usdc, ACTORS.trader),
    balance(usdt, ACTORS.trader),
    balance(dai, ACTORS.trader),
  ]);
  const [marketUsdc, borrowerUsdc, borrowerWeth, traderUsdc, traderUsdt, traderDai] = purse;
  const [pooledDai = 0n, pooledUsdc = 0n, pooledUsdt = 0n] = pooled;
  // A pool's price is token1 in token0's terms: a high tick makes token0 dear.
  const usdcIsToken0 = BigInt(on.tokens.usdc) < BigInt(on.tokens.usdt);
  const tick = (2 * Math.log(Number(slot0.sqrtPriceX96) / 2 ** 96)) / Math.log(1.0001);
  return {
    ...{ block: block.number, timestamp: block.timestamp, slot: block.slot, aave, comet },
    savings: { totalAssets, reserve },
    usdcTick: usdcIsToken0 ? tick : -tick,
    threePool: { dai: pooledDai, usdc: pooledUsdc, usdt: pooledUsdt },
    feeds: { usdc: usdcFeed, usdt: usdtFeed, dai: daiFeed, eth: ethFeed, comp: compFeed, aave: aaveFeed },
    purse: { marketUsdc, borrowerUsdc, borrowerWeth, traderUsdc, traderUsdt, traderDai },
  };
}

async function readAave(contracts: MarketContracts, on: Protocols, blockTag: number): Promise<LendingState> {
  const at = { blockTag };
  const { aaveData, aavePool, aaveUsdcStrategy, usdc } = contracts;
  const asset = on.tokens.usdc;
  const [lender, debtor, account, caps, optimal, cash, totalDebt, totalSupply] = (await Promise.all([
    aaveData.getFunction("getUserReserveData")(asset, ACTORS.market, at),
    aaveData.getFunction("getUserReserveData")(asset, ACTORS.borrower, at),
    aavePool.getFunction("getUserAccountData")(ACTORS.borrower, at),
    aaveData.getFunction("getReserveCaps")(asset, at),
    aaveUsdcStrategy.getFunction("OPTIMAL_USAGE_RATIO")(at),
    usdc.getFunction("balanceOf")(on.aave.reserves.usdc.aToken, at),
    aaveData.getFunction("getTotalDebt")(asset, at),
    aaveData.getFunction("getATokenTotalSupply")(asset, at),
  ])) as [
    { currentATokenBalance: bigint },
    { currentVariableDebt: bigint },
    { healthFactor: bigint },
    { borrowCap: bigint; supplyCap: bigint },
    ...bigint[],
  ];
  const [kinkRay = 0n, available = 0n, borrowed = 0n, aTokens = 0n] = [optimal, cash, totalDebt, totalSupply];
  return {
    // Aave's own utilisation is debt over cash plus debt.
    ...{ supplied: available + borrowed, borrowed, cash: available, kink: kinkRay / RAY_TO_WAD },
    supplyRoom: room(caps.supplyCap * USDC, aTokens),
    borrowRoom: room(caps.borrowCap * USDC, borrowed),
    lent: lender.currentATokenBalance,
    owed: debtor.currentVariableDebt,
    health: account.healthFactor,
  };
}

async function readComet(contracts: MarketContracts, on: Protocols, blockTag: number): Promise<LendingState> {
  const at = { blockTag };
  const { comet, usdc } = contracts;
  const [supplied, borrowed, kink, lent, owed, collateral, asset, ethPrice, cash] = await Promise.all([
    comet.totalSupply(at),
    comet.totalBorrow(at),
    comet.supplyKink(at),
    comet.balanceOf(ACTORS.market, at),
    comet.borrowBalanceOf(ACTORS.borrower, at),
    comet.collateralBalanceOf(ACTORS.borrower, on.tokens.weth, at),
    comet.getAssetInfo(0, at),
    comet.getPrice(on.feeds.eth, at),
    usdc.getFunction("balanceOf")(on.comet, at) as Promise<bigint>,
  ]);
  // USD with 8 decimals on both sides, the base token taken at a dollar.
  const securedUsd = (((collateral * ethPrice) / ETHER) * asset.liquidateCollateralFactor) / WAD;
  const owedUsd = owed * 100n;
  return {
    ...{ supplied, borrowed, cash, kink, lent, owed, supplyRoom: NO_CAP, borrowRoom: NO_CAP },
    health: owedUsd === 0n ? NO_CAP : (securedUsd * WAD) / owedUsd,
  };
}

async function readFeed(feed: MarketContracts["feeds"]["usdc"], blockTag: number): Promise<FeedState> {
  const [, answer, , updatedAt] = await feed.latestRoundData({ blockTag });
  return { answer, updatedAt: Number(updatedAt) };
}

function room(cap: bigint, used: bigint): bigint {
  return cap > used ? cap - used : 0n;
}
