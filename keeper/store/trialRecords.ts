// Trials of sweeps that processes share, and the repository of them. A sweep and a key are 32 hex digits of a hash: of all
// that is tried, in its order, and of what one trial's result depends on.

export interface TrialResult {
  /** USD at the begin and at the end of each whole day. */
  readonly daily: Float64Array;
  readonly moves: number;
  readonly costsUsd: number;
  readonly turnoverUsd: number;
}

export interface TakenTrial {
  readonly place: number;
  /** Proof that it was taken: nobody else has the same. */
  readonly holder: string;
}

export interface SweepStanding {
  /** Trials without a result. */
  readonly left: number;
  /** How many of those were tried too often, and the first of them; null: none was. */
  readonly failed: { readonly count: number; readonly place: number; readonly reason: string | null } | null;
}

export interface TrialStore {
  /**
   * Jobs for all trials of a sweep that has none yet; results of equal keys are taken over. Those that failed before may be
   * tried again. What was put a month ago is forgotten.
   */
  put(sweep: string, keys: readonly string[]): Promise<void>;
  /** The first that has no result, is nobody's or was lent for too long, and was not tried `mostTries` times; null: none now. */
  take(sweep: string, terms: { readonly leaseSeconds: number; readonly mostTries: number }): Promise<TakenTrial | null>;
  /** Lends what is still theirs for longer. */
  renew(sweep: string, holders: readonly string[], leaseSeconds: number): Promise<void>;
  /** As if they had not been taken. */
  giveBack(sweep: string, holders: readonly string[]): Promise<void>;
  /** To be tried again. Nothing happens where the lease was lost. */
  fail(sweep: string, holder: string, reason: string): Promise<void>;
  /** Nothing happens where there is a result: that of another is the same. */
  complete(sweep: string, place: number, result: TrialResult): Promise<void>;
  standing(sweep: string, mostTries: number): Promise<SweepStanding>;
  /** Of the places from `from` on, below `to`, in their order; those without a result are left out. */
  results(sweep: string, from: number, to: number): Promise<TrialResult[]>;
}
