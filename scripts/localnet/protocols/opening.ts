// Opens the markets: hands out money, gives the standing approvals that the actors work with, and brings lending and
// liquidity to their first size.
import { Contract, encodeBytes32String, MaxUint256 } from "ethers";
import {
  CometModel__factory,
  SavingsModel__factory,
  SavingsUsdsModel__factory,
  SkyPsmModel__factory,
  SkyPsmWrapperModel__factory,
  SkyStableModel__factory,
  ThreePoolModel__factory,
} from "../../../typechain-types";
import { npmArtifact } from "./npmArtifact";
import { DAI_PER_USDC, OPENING, UNISWAP_FEE_PIPS, UNISWAP_RINGS } from "./parameters";
import type { Protocols } from "./protocolsFile";
import { localWallet } from "../../../deploy/networks/localWallet";
import { ERC20, Sender } from "./sender";
import { POSITION_MANAGER, SWAP_ROUTER } from "./uniswap";

const AAVE_POOL = "@aave/core-v3/artifacts/contracts/protocol/pool/Pool.sol/Pool.json";
const WETH = "canonical-weth/build/contracts/WETH9.json";
const VARIABLE_RATE = 2;
const NO_REFERRAL = 0;
/** Approval sizes: USDC's genuine token uses an allowance up, so this one is larger than all that will ever move. */
const STANDING_ALLOWANCE = MaxUint256 / 2n;

export async function openMarkets(url: string, market: Sender, on: Protocols): Promise<void> {
  const borrower = await Sender.as(url, "borrower");
  const trader = await Sender.as(url, "trader");
  const liquidityProvider = await Sender.as(url, "liquidityProvider");
  const { dai, usdc, usdt, weth } = {
    dai: new Contract(on.sky.dai, SkyStableModel__factory.abi),
    usdc: new Contract(on.tokens.usdc, ERC20),
    usdt: new Contract(on.tokens.usdt, ERC20),
    weth: new Contract(on.tokens.weth, npmArtifact(WETH).abi),
  };
  const pool = new Contract(on.aave.pool, npmArtifact(AAVE_POOL).abi);
  const comet = new Contract(on.comet, CometModel__factory.abi);
  const savings = new Contract(on.savings, SavingsModel__factory.abi);

  await handOutMoney(market, { dai, usdc, usdt });
  await approveAll(market, [usdc, usdt], [on.aave.pool, on.comet, on.savings]);
  await approveAll(borrower, [usdc, usdt, weth], [on.aave.pool, on.comet]);
  await approveAll(trader, [usdc, usdt], [on.uniswap.swapRouter]);
  await approveAll(liquidityProvider, [usdc, usdt], [on.uniswap.positionManager]);
  for (const actor of [trader, liquidityProvider]) await approveAll(actor, [dai, usdc, usdt], [on.threePool.pool]);

  await borrower.call(weth, "deposit", [], OPENING.borrowerWeth);
  await market.call(pool, "supply", [on.tokens.usdc, OPENING.aaveUsdc.supplied, market.address, NO_REFERRAL]);
  await market.call(pool, "supply", [on.tokens.usdt, OPENING.aaveUsdt.supplied, market.address, NO_REFERRAL]);
  await borrower.call(pool, "supply", [on.tokens.weth, OPENING.aaveCollateral, borrower.address, NO_REFERRAL]);
  for (const [token, amount] of [
    [on.tokens.usdc, OPENING.aaveUsdc.borrowed],
    [on.tokens.usdt, OPENING.aaveUsdt.borrowed],
  ]) {
    await borrower.call(pool, "borrow", [token, amount, VARIABLE_RATE, NO_REFERRAL, borrower.address]);
  }

  // Reserves first: at low utilisation Comet's curves pay suppliers more than borrowers bring in.
  await market.call(usdc, "transfer", [on.comet, OPENING.comet.reserves]);
  await market.call(comet, "supply", [on.tokens.usdc, OPENING.comet.supplied]);
  await borrower.call(comet, "supply", [on.tokens.weth, OPENING.cometCollateral]);
  await borrower.call(comet, "withdraw", [on.tokens.usdc, OPENING.comet.borrowed]);

  await market.call(savings, "deposit", [OPENING.savings.supplied, market.address]);
  await market.call(savings, "fund", [OPENING.savings.reserve]);

  await openSky(market, on);

  await spreadLiquidity(liquidityProvider, on);
  await swapThereAndBack(trader, on);
  const threePool = new Contract(on.threePool.pool, ThreePoolModel__factory.abi);
  const pooled = OPENING.threePool;
  await liquidityProvider.call(threePool, "add_liquidity", [[pooled.dai, pooled.usdc, pooled.usdt], 0n]);
}

/** The market sells USDC to the PSM and saves what it gets, so that there are gems in the pocket and DAI for more. */
async function openSky(market: Sender, { tokens, sky }: Protocols): Promise<void> {
  const litePsm = new Contract(sky.litePsm, SkyPsmModel__factory.abi);
  const wrapper = new Contract(sky.psmWrapper, SkyPsmWrapperModel__factory.abi);
  const sUsds = new Contract(sky.sUsds, SavingsUsdsModel__factory.abi);
  const { supplied, buffer } = OPENING.sky;
  await market.call(litePsm, "file", [encodeBytes32String("buf"), buffer]);
  await market.call(litePsm, "fill", []);
  await approveAll(market, [new Contract(tokens.usdc, ERC20)], [sky.psmWrapper]);
  await approveAll(market, [new Contract(sky.usds, ERC20)], [sky.sUsds]);
  await market.call(wrapper, "sellGem", [market.address, supplied]);
  await market.call(sUsds, "deposit", [supplied * DAI_PER_USDC, market.address]);
  await market.call(litePsm, "fill", []);
}

async function handOutMoney(
  market: Sender,
  on: { readonly dai: Contract; readonly usdc: Contract; readonly usdt: Contract },
): Promise<void> {
  const { aaveUsdc, aaveUsdt, comet, savings, sky, threePool, purse } = OPENING;
  const ring = UNISWAP_RINGS.reduce((sum, { each }) => sum + each, 0n);
  const marketUsdc =
    aaveUsdc.supplied + comet.supplied + comet.reserves + savings.supplied + savings.reserve + sky.supplied;
  const shares: readonly (readonly [string, bigint, bigint])[] = [
    [market.address, marketUsdc + purse.market, aaveUsdt.supplied + purse.market],
    [localWallet("borrower").address, purse.borrower, purse.borrower],
    [localWallet("trader").address, purse.trader, purse.trader],
    [localWallet("liquidityProvider").address, ring + threePool.usdc, ring + threePool.usdt],
    [localWallet("deployer").address, OPENING.depositor, 0n],
    [localWallet("depositor").address, OPENING.depositor, OPENING.depositor],
    [localWallet("secondDepositor").address, OPENING.depositor, OPENING.depositor],
  ];
  for (const [holder, usdc, usdt] of shares) {
    await market.call(on.usdc, "mint", [holder, usdc]);
    if (usdt > 0n) await market.call(on.usdt, "mint", [holder, usdt]);
  }
  // Nobody's debt stands behind this DAI.
  await market.call(on.dai, "mint", [localWallet("liquidityProvider").address, threePool.dai]);
  await market.call(on.dai, "mint", [localWallet("trader").address, purse.trader * DAI_PER_USDC]);
}

async function approveAll(owner: Sender, tokens: readonly Contract[], spenders: readonly string[]): Promise<void> {
  for (const token of tokens) {
    for (const spender of spenders) await owner.call(token, "approve", [spender, STANDING_ALLOWANCE]);
  }
}

/** So that both coins have earned fees: what a pool has paid, ever, is how its rate is seen. */
async function swapThereAndBack(trader: Sender, { tokens, uniswap }: Protocols): Promise<void> {
  const router = new Contract(uniswap.swapRouter, npmArtifact(SWAP_ROUTER).abi);
  for (const [tokenIn, tokenOut] of [
    [tokens.usdc, tokens.usdt],
    [tokens.usdt, tokens.usdc],
  ]) {
    const order = {
      ...{ tokenIn, tokenOut, fee: UNISWAP_FEE_PIPS, recipient: trader.address, amountIn: OPENING.firstSwap },
      ...{ amountOutMinimum: 0n, sqrtPriceLimitX96: 0n },
    };
    await trader.call(router, "exactInputSingle", [order]);
  }
}

async function spreadLiquidity(provider: Sender, on: Protocols): Promise<void> {
  const positions = new Contract(on.uniswap.positionManager, npmArtifact(POSITION_MANAGER).abi);
  const [token0, token1] =
    BigInt(on.tokens.usdc) < BigInt(on.tokens.usdt)
      ? [on.tokens.usdc, on.tokens.usdt]
      : [on.tokens.usdt, on.tokens.usdc];
  for (const { ticks, each } of UNISWAP_RINGS) {
    await provider.call(positions, "mint", [
      {
        ...{ token0, token1, fee: UNISWAP_FEE_PIPS, tickLower: -ticks, tickUpper: ticks },
        ...{ amount0Desired: each, amount1Desired: each, amount0Min: 0n, amount1Min: 0n },
        ...{ recipient: provider.address, deadline: MaxUint256 },
      },
    ]);
  }
}
