// The vault of the local chain: its parameters with the accounts that everybody knows. Used on forks too, for the roles.
import { HDNodeWallet, type Provider } from "ethers";
import type { DeployOptions } from "./deployVault";
import { LOCAL_ACCOUNT, LOCAL_MNEMONIC, type LocalRole } from "./networks/localAccounts";
import { localNetwork, type LocalProtocols } from "./networks/local";
import type { Roles } from "./networks/network";

/** The account of a role, without a provider. */
export function localWallet(role: LocalRole): HDNodeWallet {
  return HDNodeWallet.fromPhrase(LOCAL_MNEMONIC, undefined, `m/44'/60'/0'/0/${LOCAL_ACCOUNT[role]}`);
}

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
