// What npm does not carry: Comet, a savings vault, Sky and Curve's 3pool, and who pays rewards, as models.
import { Contract } from "ethers";
import {
  AaveRewardsModel__factory,
  CometModel__factory,
  CometRewardsModel__factory,
  SavingsModel__factory,
  SavingsUsdsModel__factory,
  SkyPsmModel__factory,
  SkyPsmWrapperModel__factory,
  SkyStableModel__factory,
  ThreePoolModel__factory,
  ThreePoolTokenModel__factory,
} from "../../../typechain-types";
import { COMET, REWARDS, SAVINGS_RATE_PER_SECOND, SKY_RATE_PER_SECOND, THREE_POOL } from "./parameters";
import type { Protocols } from "./protocolsFile";
import { ERC20, type Sender } from "./sender";

const A_TOKEN = ["function setIncentivesController(address)"];

export function deployComet(market: Sender, on: Pick<Protocols, "tokens" | "feeds">): Promise<string> {
  return market.deploy(CometModel__factory, {
    ...COMET,
    governor: market.address,
    pauseGuardian: market.address,
    baseToken: on.tokens.usdc,
    baseTokenPriceFeed: on.feeds.usdc,
    collateral: on.tokens.weth,
    collateralPriceFeed: on.feeds.eth,
  });
}

export function deploySavings(market: Sender, usdc: string): Promise<string> {
  return market.deploy(SavingsModel__factory, usdc, SAVINGS_RATE_PER_SECOND);
}

/** The PSM in both forms, and savings in USDS. */
export async function deploySky(market: Sender, usdc: string): Promise<Protocols["sky"]> {
  const dai = await market.deploy(SkyStableModel__factory, "Dai Model", "DAI");
  const usds = await market.deploy(SkyStableModel__factory, "USDS Model", "USDS");
  const litePsm = await market.deploy(SkyPsmModel__factory, usdc, dai);
  const psmWrapper = await market.deploy(SkyPsmWrapperModel__factory, litePsm, usds);
  const sUsds = await market.deploy(SavingsUsdsModel__factory, usds, SKY_RATE_PER_SECOND);
  for (const [token, minter] of [
    [dai, litePsm],
    [dai, psmWrapper],
    [usds, psmWrapper],
    [usds, sUsds],
  ] as const) {
    await market.call(new Contract(token, SkyStableModel__factory.abi), "rely", [minter]);
  }
  return { dai, usds, litePsm, psmWrapper, sUsds };
}

/** Coins in the pool's order: DAI, USDC, USDT. */
export async function deployThreePool(
  market: Sender,
  coins: { readonly dai: string; readonly usdc: string; readonly usdt: string },
): Promise<Protocols["threePool"]> {
  const token = await market.deploy(ThreePoolTokenModel__factory);
  const { a, fee, adminFee } = THREE_POOL;
  const pool = await market.deploy(
    ThreePoolModel__factory,
    [coins.dai, coins.usdc, coins.usdt],
    token,
    a,
    fee,
    adminFee,
  );
  await market.call(new Contract(token, ThreePoolTokenModel__factory.abi), "set_minter", [pool]);
  return { pool, token };
}

/** Compound's rewards for suppliers of Comet, and Aave's for holders of its USDC, which its aToken has to be told of. */
export async function deployRewards(
  market: Sender,
  on: Pick<Protocols, "tokens" | "comet" | "aave">,
): Promise<Protocols["rewards"]> {
  const comet = await market.deploy(CometRewardsModel__factory, market.address);
  await market.call(new Contract(comet, CometRewardsModel__factory.abi), "setRewardConfig", [on.comet, on.tokens.comp]);
  const aave = await market.deploy(AaveRewardsModel__factory, market.address);
  for (const [token, payer] of [
    [on.tokens.comp, comet],
    [on.tokens.aave, aave],
  ] as const) {
    await market.call(new Contract(token, ERC20), "transfer", [payer, REWARDS.paidFrom]);
  }
  const { aToken } = on.aave.reserves.usdc;
  await market.call(new Contract(aToken, A_TOKEN), "setIncentivesController", [aave]);
  await market.call(new Contract(aave, AaveRewardsModel__factory.abi), "configure", [
    ...[aToken, on.tokens.aave, REWARDS.aave.perSecond, REWARDS.aave.end],
  ]);
  return { comet, aave };
}
