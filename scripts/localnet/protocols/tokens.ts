// The tokens and price feeds of the local chain.
import { Contract } from "ethers";
import { PriceFeedModel__factory, UsdcModel__factory, UsdtModel__factory } from "../../../typechain-types";
import { npmArtifact } from "./npmArtifact";
import { FIRST_PRICES } from "./parameters";
import type { Protocols } from "./protocolsFile";
import { localWallet } from "../../../deploy/networks/localWallet";
import type { Sender } from "./sender";

const FEED_DECIMALS = 8;

export async function deployTokens(market: Sender): Promise<Pick<Protocols, "tokens" | "feeds">> {
  const usdc = await market.deploy(UsdcModel__factory, market.address);
  const usdcContract = new Contract(usdc, UsdcModel__factory.abi);
  // The market mints while it runs; deployment scripts and tests hand out money with the deployer's key.
  for (const minter of [market.address, localWallet("deployer").address]) {
    await market.call(usdcContract, "configureMinter", [minter, true]);
  }
  const usdt = await market.deploy(UsdtModel__factory, market.address);
  const weth = await market.deploy(npmArtifact("canonical-weth/build/contracts/WETH9.json"));

  const feed = (pair: string, price: bigint): Promise<string> =>
    market.deploy(PriceFeedModel__factory, market.address, FEED_DECIMALS, pair, price);
  return {
    tokens: { usdc, usdt, weth },
    feeds: {
      usdc: await feed("USDC / USD", FIRST_PRICES.usdc),
      usdt: await feed("USDT / USD", FIRST_PRICES.usdt),
      eth: await feed("ETH / USD", FIRST_PRICES.eth),
    },
  };
}
