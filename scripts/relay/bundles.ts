// What waits in the relay: bundles by target block and private transactions. Knows nothing of the chain but the number
// that it is told.
import { Transaction, concat, keccak256 } from "ethers";

export interface BundleTransaction {
  readonly raw: string;
  readonly hash: string;
  readonly from: string;
  readonly nonce: number;
  readonly parsed: Transaction;
}

export interface Bundle {
  readonly hash: string;
  /** Auth address that sent it. */
  readonly signer: string;
  readonly transactions: readonly BundleTransaction[];
  readonly firstBlock: number;
  /** Same as `firstBlock` for a bundle; a private transaction waits for any block up to this one. */
  readonly lastBlock: number;
  readonly minTimestamp: number | null;
  readonly maxTimestamp: number | null;
  /** Lower-case hashes of transactions that may revert. */
  readonly mayRevert: ReadonlySet<string>;
  readonly uuid: string | null;
  readonly isPrivateTransaction: boolean;
}

/** keccak256 of the concatenated transaction hashes. */
export function bundleHash(transactionHashes: readonly string[]): string {
  return keccak256(concat(transactionHashes));
}

/** @throws if `raw` is not a signed transaction. */
export function parseTransaction(raw: string): BundleTransaction {
  const parsed = Transaction.from(raw);
  const { hash, from } = parsed;
  if (hash === null || from === null) throw new TypeError("the transaction is not signed");
  return { raw, hash, from, nonce: parsed.nonce, parsed };
}

export class BundleBook {
  private waiting: Bundle[] = [];

  /** A bundle with the UUID of an earlier one of the same signer takes its place. The same bundle twice is one. */
  add(bundle: Bundle): void {
    if (bundle.uuid !== null) this.cancel(bundle.signer, bundle.uuid);
    const known = this.waiting.some(
      (other) =>
        other.hash === bundle.hash &&
        other.firstBlock === bundle.firstBlock &&
        other.isPrivateTransaction === bundle.isPrivateTransaction,
    );
    if (!known) this.waiting.push(bundle);
  }

  /** Hashes of what was waiting under this signer's UUID. */
  cancel(signer: string, uuid: string): string[] {
    const cancelled = this.waiting.filter((bundle) => bundle.uuid === uuid && bundle.signer === signer);
    this.waiting = this.waiting.filter((bundle) => !cancelled.includes(bundle));
    return cancelled.map((bundle) => bundle.hash);
  }

  /** Only who sent a private transaction may take it back. */
  cancelPrivate(signer: string, transactionHash: string): boolean {
    const found = this.waiting.find(
      (bundle) =>
        bundle.isPrivateTransaction &&
        bundle.signer === signer &&
        bundle.transactions[0]?.hash.toLowerCase() === transactionHash.toLowerCase(),
    );
    this.waiting = this.waiting.filter((bundle) => bundle !== found);
    return found !== undefined;
  }

  /** In order of arrival. */
  eligible(block: number, timestamp: number): Bundle[] {
    return this.waiting.filter(
      (bundle) =>
        bundle.firstBlock <= block &&
        block <= bundle.lastBlock &&
        timestamp >= (bundle.minTimestamp ?? 0) &&
        timestamp <= (bundle.maxTimestamp ?? Number.MAX_SAFE_INTEGER),
    );
  }

  remove(bundles: readonly Bundle[]): void {
    this.waiting = this.waiting.filter((bundle) => !bundles.includes(bundle));
  }

  /** Forgets what can no longer land once `head` stands. */
  expire(head: number): void {
    this.waiting = this.waiting.filter((bundle) => bundle.lastBlock > head);
  }

  get size(): number {
    return this.waiting.length;
  }
}
