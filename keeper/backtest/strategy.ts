// What a strategy is to the backtest: at each step it is told what it holds, may read what is known by then, and says what it
// wants to hold, or nothing.
import type { Knowledge } from "./market";

/** One moment; the object is the same one at each step. */
export interface Situation {
  readonly step: number;
  /** Unix seconds of the step, and up to when what is known was available. */
  readonly at: number;
  readonly knownAt: number;
  /** USD by venue, interest up to now included. */
  readonly held: Float64Array;
  readonly cash: number;
  readonly total: number;
  /** USD that moving money from one venue to another costs, as known. */
  readonly gasUsd: number;
  /** Nothing was placed yet: what is placed first costs nothing. */
  readonly first: boolean;
  /** When money last moved after that; null: never. */
  readonly lastMovedAt: number | null;
}

export interface Decider {
  /**
   * @param wanted Holds `held`; to be overwritten with the amounts wanted, USD, whose sum is at most `total`. A venue whose
   * amount stays `held` is left alone, and what is not wanted anywhere stays cash.
   * @returns whether anything shall move.
   */
  decide(now: Situation, wanted: Float64Array): boolean;
  /** Why the last decision that moved something did, in words; asked for where a run is recorded. */
  reason?(): string;
}

/** How a decision's problem is made beside what is known. */
export interface Terms {
  /** Of the amount that goes from one venue to another, half of it at either end. */
  readonly costBps: number;
}

export interface Strategy {
  readonly name: string;
  /** Begins at the first step; a decider is used for one run. */
  start(knowledge: Knowledge, terms: Terms): Decider;
}
