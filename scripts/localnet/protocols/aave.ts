// Genuine Aave V3 from the artifacts of @aave/core-v3, set up as its own deployment does: provider, access control,
// oracle, pool and configurator behind proxies, then the reserves.
import { Contract, type JsonRpcProvider, ZeroAddress } from "ethers";
import { librariesOf, link, npmArtifact } from "./npmArtifact";
import { AAVE_RESERVES, type ReserveParameters } from "./parameters";
import type { Protocols } from "./protocolsFile";
import type { Sender } from "./sender";

const PACKAGE = "@aave/core-v3/artifacts/contracts";
const ONE_USD = 100_000_000n;
const RAY = 10n ** 27n;
/** The pool allows a flash loan for 0.05 %, as on mainnet since its launch. */
const FLASH_LOAN_PREMIUM_BPS = 5;

const artifact = (path: string) =>
  npmArtifact(`${PACKAGE}/${path}/${path.split("/").at(-1)?.replace(".sol", "")}.json`);

type Deployed = Pick<Protocols, "tokens" | "feeds">;
type ReserveId = keyof typeof AAVE_RESERVES;
const RESERVE_IDS: readonly ReserveId[] = ["usdc", "usdt", "weth"];

export async function deployAave(market: Sender, provider: JsonRpcProvider, on: Deployed): Promise<Protocols["aave"]> {
  const addressesProvider = await market.deploy(
    artifact("protocol/configuration/PoolAddressesProvider.sol"),
    "Tiller local market",
    market.address,
  );
  const directory = new Contract(
    addressesProvider,
    artifact("protocol/configuration/PoolAddressesProvider.sol").abi,
    provider,
  );

  await market.call(directory, "setACLAdmin", [market.address]);
  const aclManager = await market.deploy(artifact("protocol/configuration/ACLManager.sol"), addressesProvider);
  const access = new Contract(aclManager, artifact("protocol/configuration/ACLManager.sol").abi);
  await market.call(directory, "setACLManager", [aclManager]);
  for (const grant of ["addPoolAdmin", "addEmergencyAdmin"]) await market.call(access, grant, [market.address]);

  const oracle = await market.deploy(
    artifact("misc/AaveOracle.sol"),
    addressesProvider,
    [on.tokens.usdc, on.tokens.usdt, on.tokens.weth],
    [on.feeds.usdc, on.feeds.usdt, on.feeds.eth],
    ZeroAddress,
    ZeroAddress,
    ONE_USD,
  );
  await market.call(directory, "setPriceOracle", [oracle]);
  const dataProvider = await market.deploy(artifact("misc/AaveProtocolDataProvider.sol"), addressesProvider);
  await market.call(directory, "setPoolDataProvider", [dataProvider]);

  const libraries = new Map<string, string>();
  await market.call(directory, "setPoolImpl", [
    await deployImplementation(market, libraries, "protocol/pool/Pool.sol", addressesProvider),
  ]);
  await market.call(directory, "setPoolConfiguratorImpl", [
    await deployImplementation(market, libraries, "protocol/pool/PoolConfigurator.sol", addressesProvider),
  ]);
  const pool = (await directory.getFunction("getPool")()) as string;
  const poolConfigurator = (await directory.getFunction("getPoolConfigurator")()) as string;
  const configurator = new Contract(poolConfigurator, artifact("protocol/pool/PoolConfigurator.sol").abi);
  await market.call(configurator, "updateFlashloanPremiumTotal", [FLASH_LOAN_PREMIUM_BPS]);

  const strategies = await listReserves(market, configurator, { addressesProvider, pool, tokens: on.tokens });
  for (const id of RESERVE_IDS) await configureReserve(market, configurator, on.tokens[id], AAVE_RESERVES[id]);

  const data = new Contract(dataProvider, artifact("misc/AaveProtocolDataProvider.sol").abi, provider);
  const reserveOf = async (id: ReserveId): Promise<Protocols["aave"]["reserves"]["usdc"]> => {
    const tokens = (await data.getFunction("getReserveTokensAddresses")(on.tokens[id])) as string[];
    return {
      aToken: tokens[0] ?? ZeroAddress,
      variableDebtToken: tokens[2] ?? ZeroAddress,
      interestRateStrategy: strategies[id],
    };
  };
  return {
    ...{ addressesProvider, pool, poolConfigurator, aclManager, oracle, dataProvider },
    reserves: { usdc: await reserveOf("usdc"), usdt: await reserveOf("usdt"), weth: await reserveOf("weth") },
  };
}

/** Deploys a contract behind Aave's proxies with the libraries that it and they want, and locks it for direct use. */
async function deployImplementation(
  market: Sender,
  libraries: Map<string, string>,
  path: string,
  addressesProvider: string,
): Promise<string> {
  const source = artifact(path);
  await deployLibraries(market, libraries, librariesOf(source));
  const address = path.endsWith("/Pool.sol")
    ? await market.deploy(link(source, libraries), addressesProvider)
    : await market.deploy(link(source, libraries));
  await market.call(new Contract(address, source.abi), "initialize", [addressesProvider]);
  return address;
}

async function deployLibraries(
  market: Sender,
  libraries: Map<string, string>,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    if (libraries.has(name)) continue;
    const source = artifact(`protocol/libraries/logic/${name}.sol`);
    await deployLibraries(market, libraries, librariesOf(source));
    libraries.set(name, await market.deploy(link(source, libraries)));
  }
}

async function listReserves(
  market: Sender,
  configurator: Contract,
  on: { readonly addressesProvider: string; readonly pool: string; readonly tokens: Protocols["tokens"] },
): Promise<Record<ReserveId, string>> {
  const implementations = {
    aTokenImpl: await market.deploy(artifact("protocol/tokenization/AToken.sol"), on.pool),
    stableDebtTokenImpl: await market.deploy(artifact("protocol/tokenization/StableDebtToken.sol"), on.pool),
    variableDebtTokenImpl: await market.deploy(artifact("protocol/tokenization/VariableDebtToken.sol"), on.pool),
  };
  const strategies = { usdc: "", usdt: "", weth: "" };
  const inputs: Record<string, unknown>[] = [];
  for (const id of RESERVE_IDS) {
    const reserve = AAVE_RESERVES[id];
    strategies[id] = await market.deploy(
      artifact("protocol/pool/DefaultReserveInterestRateStrategy.sol"),
      on.addressesProvider,
      ...[reserve.optimalUsage, reserve.baseRate, reserve.slope1, reserve.slope2],
      // The stable rate is off, as on mainnet; its figures must only be in range.
      ...[0n, 0n, 0n, 0n, RAY / 5n],
    );
    inputs.push({
      ...implementations,
      underlyingAssetDecimals: reserve.decimals,
      interestRateStrategyAddress: strategies[id],
      underlyingAsset: on.tokens[id],
      treasury: market.address,
      incentivesController: ZeroAddress,
      aTokenName: `Aave Local ${reserve.name}`,
      aTokenSymbol: `aLoc${reserve.name}`,
      variableDebtTokenName: `Aave Local Variable Debt ${reserve.name}`,
      variableDebtTokenSymbol: `variableDebtLoc${reserve.name}`,
      stableDebtTokenName: `Aave Local Stable Debt ${reserve.name}`,
      stableDebtTokenSymbol: `stableDebtLoc${reserve.name}`,
      params: "0x",
    });
  }
  await market.call(configurator, "initReserves", [inputs]);
  return strategies;
}

async function configureReserve(
  market: Sender,
  configurator: Contract,
  asset: string,
  reserve: ReserveParameters,
): Promise<void> {
  const set = (method: string, ...args: readonly unknown[]): Promise<void> =>
    market.call(configurator, method, [asset, ...args]);
  await set(
    "configureReserveAsCollateral",
    reserve.ltvBps,
    reserve.liquidationThresholdBps,
    reserve.liquidationBonusBps,
  );
  await set("setReserveBorrowing", true);
  await set("setReserveFlashLoaning", true);
  await set("setReserveFactor", reserve.reserveFactorBps);
  await set("setLiquidationProtocolFee", reserve.liquidationProtocolFeeBps);
  await set("setSupplyCap", reserve.supplyCap);
  await set("setBorrowCap", reserve.borrowCap);
}
