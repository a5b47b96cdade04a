// The contracts that the market works with, bound to one node.
import { Contract, FetchRequest, JsonRpcProvider, Network } from "ethers";
import {
  CometModel__factory,
  PriceFeedModel__factory,
  SavingsModel__factory,
  ThreePoolModel__factory,
} from "../../../typechain-types";
import { LOCAL_CHAIN_ID } from "../anvil";
import { npmArtifact } from "../protocols/npmArtifact";
import type { Protocols } from "../protocols/protocolsFile";
import { ERC20 } from "../protocols/sender";
import { SWAP_ROUTER, UNISWAP_POOL } from "../protocols/uniswap";

/** Ethers would wait five minutes for a node that hangs, and a market that is told to end with it. */
const REQUEST_TIMEOUT_MS = 5_000;
const AAVE = "@aave/core-v3/artifacts/contracts";

/** A provider for the local chain that asks nothing twice from a cache and detects no network. */
export function localProvider(url: string): JsonRpcProvider {
  const network = Network.from(LOCAL_CHAIN_ID);
  const request = new FetchRequest(url);
  request.timeout = REQUEST_TIMEOUT_MS;
  return new JsonRpcProvider(request, network, { staticNetwork: network, cacheTimeout: -1 });
}

export function bindContracts(provider: JsonRpcProvider, on: Protocols) {
  const aave = (path: string, address: string): Contract =>
    new Contract(address, npmArtifact(`${AAVE}/${path}`).abi, provider);
  const feed = (address: string) => PriceFeedModel__factory.connect(address, provider);
  return {
    usdc: new Contract(on.tokens.usdc, ERC20, provider),
    usdt: new Contract(on.tokens.usdt, ERC20, provider),
    dai: new Contract(on.sky.dai, ERC20, provider),
    weth: new Contract(on.tokens.weth, ERC20, provider),
    aavePool: aave("protocol/pool/Pool.sol/Pool.json", on.aave.pool),
    aaveData: aave("misc/AaveProtocolDataProvider.sol/AaveProtocolDataProvider.json", on.aave.dataProvider),
    aaveUsdcStrategy: aave(
      "protocol/pool/DefaultReserveInterestRateStrategy.sol/DefaultReserveInterestRateStrategy.json",
      on.aave.reserves.usdc.interestRateStrategy,
    ),
    comet: CometModel__factory.connect(on.comet, provider),
    savings: SavingsModel__factory.connect(on.savings, provider),
    feeds: {
      ...{ usdc: feed(on.feeds.usdc), usdt: feed(on.feeds.usdt), dai: feed(on.feeds.dai) },
      ...{ eth: feed(on.feeds.eth), comp: feed(on.feeds.comp), aave: feed(on.feeds.aave) },
    },
    threePool: ThreePoolModel__factory.connect(on.threePool.pool, provider),
    uniswapPool: new Contract(on.uniswap.usdcUsdtPool, npmArtifact(UNISWAP_POOL).abi, provider),
    swapRouter: new Contract(on.uniswap.swapRouter, npmArtifact(SWAP_ROUTER).abi, provider),
  };
}

export type MarketContracts = ReturnType<typeof bindContracts>;
