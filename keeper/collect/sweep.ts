// All that belongs to one moment, read at one block: every collector's calls in one `eth_call` where they fit, pinned by the
// block's hash, and each collector's part decoded on its own. Knows no store and no clock.
import canonicalize from "canonicalize";
import { type BlockAnswer, readAtBlock } from "../chain/blockReads";
import type { Chain } from "../chain/connect";
import type { Head } from "../chain/heads";
import { WorldFailure } from "../config/failure";
import { garbageOf } from "./questions";
import type { BlockMoment, ChainCollector, ContractCall, HistoryRow, Reading, ReadingRow, StateValue } from "./reading";

export interface SweepFailure {
  readonly source: string;
  readonly subject: string;
  readonly failure: WorldFailure;
}

export interface Sweep {
  readonly at: BlockMoment;
  /** In the order of the collectors, without those that failed. */
  readonly readings: readonly Reading[];
  readonly failures: readonly SweepFailure[];
  /** How many `eth_call`s it took. */
  readonly requests: number;
}

/**
 * @throws as `readAtBlock`: the block is gone, or the node does not answer. What is wrong with one source is a failure of
 * that source (`SOURCE_REVERTED`, `SOURCE_UNREAD`, `SOURCE_GARBAGE`, `SOURCE_MOVED`), and the others are read.
 */
export async function sweep(chain: Chain, head: Head, collectors: readonly ChainCollector[]): Promise<Sweep> {
  const at: BlockMoment = { chainId: chain.chainId, number: head.number, hash: head.hash, timestamp: head.timestamp };
  const asked = collectors.map((collector) => ({ collector, calls: collector.calls() }));
  const calls = asked.flatMap((each) => each.calls);
  if (calls.length === 0) return { at, readings: [], failures: [], requests: 0 };
  const { answers, requests } = await readAtBlock(chain, head, calls);
  const readings: Reading[] = [];
  const failures: SweepFailure[] = [];
  let from = 0;
  for (const { collector, calls: own } of asked) {
    const { source, subject } = collector;
    const part = answers.slice(from, (from += own.length));
    try {
      readings.push(sound(collector.decode(answersOf(`${source} ${subject}`, own, part), at)));
    } catch (error) {
      if (!(error instanceof WorldFailure)) throw error;
      failures.push({ source, subject, failure: error });
    }
  }
  return { at, readings, failures, requests };
}

/**
 * What a decoder takes: data, or null of an optional call that failed at this block.
 *
 * @throws WorldFailure `SOURCE_REVERTED`, `SOURCE_UNREAD`: that the node did not make a call is never taken for an answer.
 */
export function answersOf(
  of: string,
  calls: readonly ContractCall[],
  answers: readonly BlockAnswer[],
): (string | null)[] {
  return calls.map((call, place) => {
    const answer = answers[place] ?? { kind: "unread" };
    switch (answer.kind) {
      case "answered":
        return answer.data;
      case "failed":
        if (call.optional === true) return null;
        throw new WorldFailure("SOURCE_REVERTED", `${of}: a contract does not answer`, {
          field: "collect.targets",
          remedy:
            "Check that the address is of a contract of this kind; a protocol that is halted may revert for a while.",
        });
      case "unread":
        throw new WorldFailure("SOURCE_UNREAD", `${of}: the node refuses a call`, {
          field: "chain.rpcUrls",
          remedy: "Use an endpoint that has the state of that block and gives a call more gas.",
        });
    }
  });
}

/** No row ever holds what is not a number. */
function sound(reading: Reading): Reading {
  if ([...Object.values(reading.state), ...Object.values(reading.rates ?? {})].every(isSound)) return reading;
  throw garbageOf(`${reading.source} ${reading.subject}`, "a number");
}

function isSound(value: StateValue): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value !== "object" || value === null || value.every(isSound);
}

/** @param availableAt When the keeper knew it, unix seconds. */
export function readingRow(reading: Reading, at: BlockMoment, availableAt: number): ReadingRow {
  return {
    chainId: at.chainId,
    source: reading.source,
    subject: reading.subject,
    block: at.number,
    blockHash: at.hash,
    observedAt: at.timestamp,
    availableAt,
    // Of plain JSON there always is a text.
    state: canonicalize(reading.state) ?? "",
  };
}

/** Null: the reading adds nothing to a series of rates. Its flags are zero: rows are judged beside others of their series. */
export function historyRow(reading: Reading, at: BlockMoment, availableAt: number): HistoryRow | null {
  if (reading.rates === null) return null;
  return {
    observedAt: at.timestamp,
    availableAt,
    block: at.number,
    blockHash: at.hash,
    source: reading.source,
    ...reading.rates,
    flags: 0,
  };
}
