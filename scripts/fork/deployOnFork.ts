// Tiller on a fork: the vault deployed by the same code and with the same parameters as on mainnet, or as on the local
// chain where that is what was forked.
import { deployVault } from "../../deploy/deployVault";
import { localNetwork } from "../../deploy/networks/local";
import { MAINNET_FORK } from "../../deploy/networks/mainnet";
import type { NetworkParameters } from "../../deploy/networks/network";
import type { AddressFile } from "../../keeper/config/addressFile";
import { localRoles } from "../../deploy/localDeployment";
import { localWallet } from "../../deploy/networks/localWallet";
import type { Fork } from "./startFork";

/** Parameters of the fork's vault. Its network is `fork` in either case: there is no block 0 to ask for. */
export function networkOf(fork: Pick<Fork, "localProtocols">): NetworkParameters {
  return fork.localProtocols ? { ...localNetwork(fork.localProtocols), network: "fork" } : MAINNET_FORK;
}

/**
 * Deploys and opens the vault with the local accounts as its roles, and writes `addressFile`. The fork makes a block of
 * each transaction meanwhile, also where a relay makes them later.
 * @throws Failure as `deployVault` does.
 */
export async function deployOnFork(fork: Fork, addressFile: string): Promise<AddressFile> {
  const { provider } = fork;
  const network = networkOf(fork);
  const deployer = localWallet("deployer").connect(provider);
  await fork.fundUsdc(deployer.address, network.seed);
  await provider.send("evm_setAutomine", [true]);
  try {
    return await deployVault({
      signer: deployer,
      network,
      roles: localRoles(),
      addressFile,
    });
  } finally {
    if (fork.relayMines) await provider.send("evm_setAutomine", [false]);
  }
}
