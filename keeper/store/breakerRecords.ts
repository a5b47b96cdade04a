// Rows of the keeper's own breaker, and the repository that keeps them.

export interface VaultKey {
  readonly chainId: number;
  readonly vault: string;
}

/** Why it tripped: the causes of `keeper/risk/breaker.ts`. */
export type StoredCause = "drawdown" | "oracle" | "data-outage" | "model-drift" | "gas-spike" | "operator";

export interface BreakerTrip {
  readonly id: number;
  readonly cause: StoredCause;
  /** In words, with the numbers. */
  readonly detail: string;
  /** All positions are to go to idle. */
  readonly closes: boolean;
  /** Block at which it was seen, and its time. */
  readonly blockNumber: number;
  readonly observedAt: number;
  /** When the row was written. */
  readonly availableAt: number;
  /** Null: open, and the keeper is stopped. */
  readonly resetAt: number | null;
  readonly resetReason: string | null;
}

/** Every method is one transaction. */
export interface BreakerStore {
  /** Oldest first; empty: the breaker is closed. */
  open(of: VaultKey): Promise<BreakerTrip[]>;
  /** @returns false where the same cause is open already: nothing changed. */
  trip(
    of: VaultKey,
    trip: Pick<BreakerTrip, "cause" | "detail" | "closes" | "blockNumber" | "observedAt">,
  ): Promise<boolean>;
  /** Says of everything that is open that all positions are to go to idle. @returns number of rows that changed. */
  close(of: VaultKey): Promise<number>;
  /** Ends all that is open; the share price is measured anew from the next block. @returns what was open. */
  reset(of: VaultKey, reason: string): Promise<BreakerTrip[]>;
  /** Newest first, open or not. */
  trips(of: VaultKey, limit: number): Promise<BreakerTrip[]>;
  /** Keeps the higher of the share price that is given and the one that is kept. */
  raise(of: VaultKey, price: { readonly sharePrice: string; readonly observedAt: number }): Promise<void>;
  /** The highest share price since the last reset, decimal string as in a snapshot; null: none was kept yet. */
  reference(of: VaultKey): Promise<string | null>;
}
