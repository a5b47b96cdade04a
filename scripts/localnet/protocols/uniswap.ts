// Genuine Uniswap V3 from its npm artifacts, with one stablecoin pool. Position NFTs have no picture here: the
// descriptor is left out, so `tokenURI` reverts.
import { Contract, type JsonRpcProvider, ZeroAddress } from "ethers";
import { npmArtifact } from "./npmArtifact";
import { UNISWAP_FEE_PIPS, UNISWAP_OBSERVATIONS } from "./parameters";
import type { Protocols } from "./protocolsFile";
import type { Sender } from "./sender";

export const UNISWAP_FACTORY = "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json";
export const UNISWAP_POOL = "@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json";
export const POSITION_MANAGER =
  "@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json";
export const SWAP_ROUTER = "@uniswap/swap-router-contracts/artifacts/contracts/SwapRouter02.sol/SwapRouter02.json";
export const QUOTER = "@uniswap/v3-periphery/artifacts/contracts/lens/QuoterV2.sol/QuoterV2.json";

/** A price of one: both tokens have 6 decimals. */
const SQRT_PRICE_ONE = 2n ** 96n;
/** Mainnet's spacing for 0.01 %, which the factory does not know at birth. */
const TICK_SPACING = 1;

export async function deployUniswap(
  market: Sender,
  provider: JsonRpcProvider,
  tokens: Protocols["tokens"],
): Promise<Protocols["uniswap"]> {
  const factory = await market.deploy(npmArtifact(UNISWAP_FACTORY));
  const factoryContract = new Contract(factory, npmArtifact(UNISWAP_FACTORY).abi, provider);
  await market.call(factoryContract, "enableFeeAmount", [UNISWAP_FEE_PIPS, TICK_SPACING]);

  const positionManager = await market.deploy(npmArtifact(POSITION_MANAGER), factory, tokens.weth, ZeroAddress);
  // There is no V2 on this chain.
  const swapRouter = await market.deploy(npmArtifact(SWAP_ROUTER), ZeroAddress, factory, positionManager, tokens.weth);
  const quoter = await market.deploy(npmArtifact(QUOTER), factory, tokens.weth);

  await market.call(factoryContract, "createPool", [tokens.usdc, tokens.usdt, UNISWAP_FEE_PIPS]);
  const usdcUsdtPool = (await factoryContract.getFunction("getPool")(
    tokens.usdc,
    tokens.usdt,
    UNISWAP_FEE_PIPS,
  )) as string;
  const pool = new Contract(usdcUsdtPool, npmArtifact(UNISWAP_POOL).abi);
  await market.call(pool, "initialize", [SQRT_PRICE_ONE]);
  // Of one at birth. The pool takes them into use when it next writes one.
  await market.call(pool, "increaseObservationCardinalityNext", [UNISWAP_OBSERVATIONS]);
  return { factory, swapRouter, quoter, positionManager, usdcUsdtPool };
}
