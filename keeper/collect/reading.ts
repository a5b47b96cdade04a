// What a collector gives: the state of one source at one moment, exactly as the source says it, and the point that it adds
// to a series of rates.
import type { BlockMoment, EventRow, HistoryRow, ReadingRow } from "../store/historyRecords";

/** One call of a contract, part of the one `eth_call` that reads a block. */
export interface ContractCall {
  readonly to: string;
  readonly data: string;
  /** Bytes that the answer has, at most: answers of one `eth_call` share 24,000. */
  readonly answerBytes: number;
  /** An optional call may fail; its answer is then null. Default: it may not. */
  readonly optional?: boolean;
}

/** What a state holds: integers as decimal strings, so that no digit is lost. */
export type StateValue = string | number | boolean | null | readonly StateValue[];

export interface Reading {
  readonly source: string;
  /** What was read, for example `aave-v3-usdc`: names its series. */
  readonly subject: string;
  readonly state: Readonly<Record<string, StateValue>>;
  /** Null: nothing that a series of rates holds. */
  readonly rates: RatePoint | null;
}

/** Amounts in USD, rates as fractions a year, simple, base rates without rewards. Null: the source has no such number. */
export interface RatePoint {
  readonly suppliedUsd: number | null;
  readonly borrowedUsd: number | null;
  readonly supplyApr: number | null;
  readonly borrowApr: number | null;
  /** Growth index, whose growth is the realised yield; decimal string in the source's own unit. */
  readonly index: string | null;
}

/** Reads one subject of the chain. Pure: the sweep makes the calls, all collectors' in one `eth_call` pinned to a block. */
export interface ChainCollector {
  readonly source: string;
  readonly subject: string;
  calls(): readonly ContractCall[];
  /**
   * @param answers One for each call, in their order; null where an optional one failed.
   * @throws WorldFailure `SOURCE_GARBAGE` when an answer is not what the protocol gives.
   */
  decode(answers: readonly (string | null)[], at: BlockMoment): Reading;
}

export type { BlockMoment, EventRow, HistoryRow, ReadingRow };
