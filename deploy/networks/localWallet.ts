// The wallet of a role of the local chain and of forks.
import { HDNodeWallet, Mnemonic } from "ethers";
import { LOCAL_ACCOUNT, LOCAL_MNEMONIC, type LocalRole } from "./localAccounts";

/** Without a provider. */
export function localWallet(role: LocalRole): HDNodeWallet {
  return HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(LOCAL_MNEMONIC), `m/44'/60'/0'/0/${LOCAL_ACCOUNT[role]}`);
}
