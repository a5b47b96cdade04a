// Who signs plans. A local wallet today; a key service or a remote signer is another implementation of the interface.
import { type BaseWallet, Transaction, type TransactionLike, keccak256 } from "ethers";
import { WorldFailure } from "../config/failure";

export interface KeeperSigner {
  /** Checksummed. */
  readonly address: string;
  /**
   * Signs exactly this transaction. Where signatures are deterministic (RFC 6979), a process that died after signing
   * makes the same bundle again; where they are not, it makes a second one of the same nonces, and one of them lands.
   */
  signTransaction(transaction: TransactionLike<string>): Promise<string>;
}

/** @param wallet From `loadKeeperWallet`. */
export function walletSigner(wallet: BaseWallet): KeeperSigner {
  return {
    address: wallet.address,
    signTransaction: (transaction) => wallet.signTransaction(transaction),
  };
}

export interface SignedTransaction {
  readonly raw: string;
  readonly hash: string;
}

/**
 * Signs, and checks that the signer signed what it was given, as itself.
 * @throws WorldFailure `SIGNER_MISMATCH`
 */
export async function signChecked(
  signer: KeeperSigner,
  transaction: TransactionLike<string>,
): Promise<SignedTransaction> {
  const raw = await signer.signTransaction(transaction);
  const signed = Transaction.from(raw);
  const isSame =
    signed.from === signer.address &&
    signed.unsignedHash === Transaction.from({ ...transaction, from: null }).unsignedHash;
  if (!isSame) {
    throw new WorldFailure("SIGNER_MISMATCH", "the signer returned another transaction than it was given", {
      field: "keeper.key",
      remedy: "Check the signer: it holds another key, or changes what it signs.",
    });
  }
  return { raw, hash: keccak256(raw) };
}
