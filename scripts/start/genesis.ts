// What the local chain holds before the keeper looks at it: the protocols, the vault, and a depositor's money in it.
// Every step is skipped when an earlier start has done it.
import path from "node:path";
import { JsonRpcProvider, MaxUint256, Network, parseUnits } from "ethers";
import { deployVault } from "../../deploy/deployVault";
import { localDeployment } from "../../deploy/localDeployment";
import { localWallet } from "../../deploy/networks/localWallet";
import type { AddressFile } from "../../keeper/config/addressFile";
import { IVault__factory, UsdcModel__factory } from "../../typechain-types";
import { LOCAL_CHAIN_ID } from "../localnet/anvil";
import { deployProtocols } from "../localnet/protocols/deploy";
import type { Protocols } from "../localnet/protocols/protocolsFile";

/** What the depositor of the local chain brings, USDC. */
const FIRST_DEPOSIT = parseUnits("1000000", 6);

export interface Genesis {
  readonly protocols: Protocols;
  readonly addresses: AddressFile;
  readonly addressFile: string;
}

/** @param progress Told of each stage as it is reached. */
export async function prepareGenesis(url: string, folder: string, progress: (line: string) => void): Promise<Genesis> {
  const protocols = await deployProtocols(url, folder);
  progress("protocols  Aave V3 and Uniswap V3 (genuine), Comet, savings, Sky and 3pool (models)");
  const network = Network.from(LOCAL_CHAIN_ID);
  const provider = new JsonRpcProvider(url, network, { staticNetwork: network, cacheTimeout: -1, pollingInterval: 50 });
  const addressFile = path.join(folder, "addresses.json");
  // The relay is not up yet: here, and only here, the node mines by itself.
  await provider.send("evm_setAutomine", [true]);
  try {
    const addresses = await deployVault(localDeployment(provider, { protocols, addressFile }));
    progress(`vault      ${addresses.vault}`);
    await firstDeposit(provider, { protocols, addresses });
    return { protocols, addresses, addressFile };
  } finally {
    await provider.send("evm_setAutomine", [false]);
    provider.destroy();
  }
}

/** The keeper's key on the local chain: for its environment only, never for an argument or a log. */
export function localKeeperKey(): string {
  return localWallet("keeper").privateKey;
}

async function firstDeposit(
  provider: JsonRpcProvider,
  at: { readonly protocols: Protocols; readonly addresses: AddressFile },
): Promise<void> {
  const depositor = localWallet("depositor").connect(provider);
  const vault = IVault__factory.connect(at.addresses.vault, depositor);
  if ((await vault.balanceOf(depositor.address)) > 0n) return;
  const usdc = UsdcModel__factory.connect(at.protocols.tokens.usdc, depositor);
  await (await usdc.connect(localWallet("market").connect(provider)).mint(depositor.address, FIRST_DEPOSIT)).wait();
  await (await usdc.approve(at.addresses.vault, MaxUint256)).wait();
  // No estimate: in the second of the vault's opening it would leave out the accrual that the next second needs.
  const gasLimit = 3_000_000n;
  await (await vault["deposit(uint256,address)"](FIRST_DEPOSIT, depositor.address, { gasLimit })).wait();
}
