// The vault of the local chain: its parameters with the accounts that everybody knows. Used on forks too, for the roles.
import type { Provider } from "ethers";
import type { DeployOptions } from "./deployVault";
import { localNetwork, type LocalProtocols } from "./networks/local";
import { localWallet } from "./networks/localWallet";
import type { Roles } from "./networks/network";

export function localRoles(): Roles {
  return {
    owner: localWallet("owner").address,
    guardian: localWallet("guardian").address,
    keepers: [localWallet("keeper").address],
  };
}

/** What `deployVault` takes to put the vault on the local chain behind `provider`, which must mine by itself. */
export function localDeployment(
  provider: Provider,
  at: { readonly protocols: LocalProtocols; readonly addressFile: string },
): DeployOptions {
  return {
    signer: localWallet("deployer").connect(provider),
    network: localNetwork(at.protocols),
    roles: localRoles(),
    addressFile: at.addressFile,
  };
}
