// The tokens and price feeds of the local chain.
import { Contract } from "ethers";
import {
  PriceFeedModel__factory,
  RewardTokenModel__factory,
  UsdcModel__factory,
  UsdtModel__factory,
} from "../../../typechain-types";
import { npmArtifact } from "./npmArtifact";
import { FIRST_PRICES, REWARDS } from "./parameters";
import type { Protocols } from "./protocolsFile";
import { localWallet } from "../../../deploy/networks/localWallet";
import type { Sender } from "./sender";

const FEED_DECIMALS = 8;

export async function deployTokens(market: Sender): Promise<Protocols["tokens"]> {
  const usdc = await market.deploy(UsdcModel__factory, market.address);
  const usdcContract = new Contract(usdc, UsdcModel__factory.abi);
  // The market mints while it runs; deployment scripts and tests hand out money with the deployer's key.
  for (const minter of [market.address, localWallet("deployer").address]) {
    await market.call(usdcContract, "configureMinter", [minter, true]);
  }
  const usdt = await market.deploy(UsdtModel__factory, market.address);
  const weth = await market.deploy(npmArtifact("canonical-weth/build/contracts/WETH9.json"));
  const comp = await market.deploy(RewardTokenModel__factory, "Compound Model", "COMP", REWARDS.comp.supply);
  const aave = await market.deploy(RewardTokenModel__factory, "Aave Token Model", "AAVE", REWARDS.aave.supply);
  return { usdc, usdt, weth, comp, aave };
}

/** Each says its first price as of now. */
export async function deployFeeds(market: Sender): Promise<Protocols["feeds"]> {
  const feed = (pair: string, price: bigint): Promise<string> =>
    market.deploy(PriceFeedModel__factory, market.address, FEED_DECIMALS, pair, price);
  return {
    usdc: await feed("USDC / USD", FIRST_PRICES.usdc),
    usdt: await feed("USDT / USD", FIRST_PRICES.usdt),
    dai: await feed("DAI / USD", FIRST_PRICES.dai),
    eth: await feed("ETH / USD", FIRST_PRICES.eth),
    comp: await feed("COMP / USD", FIRST_PRICES.comp),
    aave: await feed("AAVE / USD", FIRST_PRICES.aave),
  };
}
