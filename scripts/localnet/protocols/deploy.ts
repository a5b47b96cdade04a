// Puts the protocols on the local chain, once: a second call finds protocols.json and checks it.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { JsonRpcProvider, Network } from "ethers";
import { WorldFailure } from "../../../keeper/config/failure";
import { LOCAL_CHAIN_ID } from "../anvil";
import { callNode, genesisHashAt } from "../jsonRpc";
import { deployAave } from "./aave";
import { deployComet, deployRewards, deploySavings, deploySky, deployThreePool } from "./models";
import { openMarkets } from "./opening";
import { UNISWAP_HEAD_START_SECONDS } from "./parameters";
import { addressesIn, protocolsSchema, type Protocols } from "./protocolsFile";
import { Sender } from "./sender";
import { deployFeeds, deployTokens } from "./tokens";
import { deployUniswap } from "./uniswap";

const PROTOCOLS_FILE = "protocols.json";

/**
 * Deploys Aave V3, Uniswap V3, Comet, rewards, savings, Sky, 3pool, tokens and feeds on the local chain at `url`, opens their markets,
 * or, if `folder`/protocols.json describes this chain and every address in it has code, returns that. The node mines by
 * itself while this works and not at all afterwards.
 * @throws WorldFailure LOCALNET_WRONG_CHAIN if the node is not a local chain.
 */
export async function deployProtocols(url: string, folder: string): Promise<Protocols> {
  const genesisHash = await genesisHashAt(url);
  if (genesisHash === null || Number(await callNode(url, "eth_chainId", [])) !== LOCAL_CHAIN_ID) {
    throw new WorldFailure("LOCALNET_WRONG_CHAIN", `no local chain (id ${LOCAL_CHAIN_ID}) answers`, {
      remedy: "Start the local chain first; the protocols are never deployed anywhere else.",
    });
  }
  const known = readProtocols(folder);
  if (known !== null && known.genesisHash === genesisHash && (await allHaveCode(url, known))) return known;

  await callNode(url, "evm_setAutomine", [true]);
  try {
    const protocols = await deployAll(url, genesisHash);
    writeProtocols(folder, protocols);
    return protocols;
  } finally {
    await callNode(url, "evm_setAutomine", [false]);
  }
}

/** What an earlier deployment wrote in `folder`, or null if there is none that can be read. */
export function readProtocols(folder: string): Protocols | null {
  const file = path.join(folder, PROTOCOLS_FILE);
  if (!existsSync(file)) return null;
  try {
    return protocolsSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return null;
  }
}

async function deployAll(url: string, genesisHash: string): Promise<Protocols> {
  const network = Network.from(LOCAL_CHAIN_ID);
  const provider = new JsonRpcProvider(url, network, { staticNetwork: network, cacheTimeout: -1 });
  try {
    const market = await Sender.as(url, "market");
    const tokens = await deployTokens(market);
    const uniswap = await deployUniswap(market, provider, tokens);
    await callNode(url, "evm_increaseTime", [UNISWAP_HEAD_START_SECONDS]);
    const base = { tokens, feeds: await deployFeeds(market) };
    const sky = await deploySky(market, tokens.usdc);
    const aave = await deployAave(market, provider, base);
    const comet = await deployComet(market, base);
    const protocols: Protocols = {
      ...{ format: "tiller-protocols/1", chainId: LOCAL_CHAIN_ID, genesisHash, ...base, uniswap, sky, aave, comet },
      rewards: await deployRewards(market, { tokens, comet, aave }),
      savings: await deploySavings(market, tokens.usdc),
      threePool: await deployThreePool(market, { ...tokens, dai: sky.dai }),
    };
    await openMarkets(url, market, protocols);
    return protocols;
  } finally {
    provider.destroy();
  }
}

async function allHaveCode(url: string, protocols: Protocols): Promise<boolean> {
  const codes = await Promise.all(
    addressesIn(protocols).map((address) => callNode(url, "eth_getCode", [address, "latest"])),
  );
  return codes.every((code) => typeof code === "string" && code !== "0x");
}

function writeProtocols(folder: string, protocols: Protocols): void {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, PROTOCOLS_FILE);
  // Renamed into place: a kill leaves the old file or the new one.
  writeFileSync(`${file}.partial`, `${JSON.stringify(protocolsSchema.parse(protocols), null, 2)}\n`);
  renameSync(`${file}.partial`, file);
}
