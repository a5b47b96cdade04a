// Any number of contract calls at one block, in as few `eth_call`s as the chain's limits allow, mostly one: the simulated
// creation of contracts/lens/BlockReads.sol. A call that fails, loops or answers too much costs its own answer only.
import { WorldFailure } from "../config/failure";
import {
  ANSWER_HEAD_BYTES,
  QUESTION_HEAD_BYTES,
  answerBytesOf,
  decodeAnswer,
  encodeQuestion,
  questionBytesOf,
} from "./blockReadsWire";
import type { Chain } from "./connect";
import { RpcError, garbage, isMissingState } from "./failures";
import type { Head } from "./heads";

export interface BlockCall {
  readonly to: string;
  readonly data: string;
  /** Bytes of the answer that are wanted; the rest is cut off. */
  readonly answerBytes: number;
}

/**
 * `answered`, with what came. `failed`: it reverted, ran over its gas, or there is no code; so it is at this block. `unread`:
 * the node did not make the call, which says nothing of the contract.
 */
export type BlockAnswer =
  { readonly kind: "answered"; readonly data: string } | { readonly kind: "failed" } | { readonly kind: "unread" };

export interface BlockReading {
  /** One for each call, in their order. */
  readonly answers: readonly BlockAnswer[];
  /** How many `eth_call`s it took. */
  readonly requests: number;
}

/** As `MOST_BYTES` of the contract. */
export const MOST_ANSWER_BYTES = 24_000;
/** A creation's code and arguments (EIP-3860). */
const MOST_QUESTION_BYTES = 49_152;
/** Room for a vault that reads thirty markets; a fifth of a transaction's bound (EIP-7825), which some nodes set a call too. */
const GAS_PER_CALL = 3_000_000;

/** Order of the contract's outcomes; the last is asked again with more room. */
const [FAILED, ANSWERED, NOT_TRIED] = [0, 1, 2];
const UNREAD: BlockAnswer = { kind: "unread" };

/**
 * Every call at `head`, which each answer is checked to be of: by number, time and parent hash.
 *
 * @throws WorldFailure `BLOCK_GONE` (reorganised away, not yet at this endpoint, or its state not kept),
 * `SNAPSHOT_OF_ANOTHER_BLOCK`, `RPC_UNREACHABLE`, `RPC_GARBAGE`. A call that the node refuses is `unread`, and the others are read.
 */
export async function readAtBlock(chain: Chain, head: Head, calls: readonly BlockCall[]): Promise<BlockReading> {
  const answers: BlockAnswer[] = calls.map(() => UNREAD);
  const waiting = packed(calls);
  let requests = 0;
  for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
    requests += 1;
    const asked = batch.map((place) => calls[place]).filter((call) => call !== undefined);
    const outcomes = await askOnce(chain, head, asked);
    if (outcomes === null) {
      // The node refuses the whole: over its own limit of gas or size, or for what one of the calls touches.
      const half = Math.ceil(batch.length / 2);
      if (batch.length > 1) waiting.unshift(batch.slice(0, half), batch.slice(half));
      continue;
    }
    const again: number[] = [];
    batch.forEach((place, k) => {
      const outcome = outcomes[k];
      if (outcome === undefined || outcome === "not-tried") again.push(place);
      else answers[place] = outcome;
    });
    // As long as it gets shorter: a lone call for which the node has too little gas stays unread.
    if (again.length > 0 && again.length < batch.length) waiting.unshift(again);
    else if (again.length > 1) waiting.unshift(again.slice(0, again.length >> 1), again.slice(again.length >> 1));
  }
  return { answers, requests };
}

/** Places of calls, as many in a row as fit into one question and its answer. */
function packed(calls: readonly BlockCall[]): number[][] {
  const batches: number[][] = [];
  let [question, answer] = [Infinity, Infinity];
  calls.forEach((call, place) => {
    question += questionBytesOf(call);
    answer += answerBytesOf(call);
    if (question > MOST_QUESTION_BYTES || answer > MOST_ANSWER_BYTES) {
      batches.push([]);
      question = QUESTION_HEAD_BYTES + questionBytesOf(call);
      answer = ANSWER_HEAD_BYTES + answerBytesOf(call);
    }
    batches.at(-1)?.push(place);
  });
  return batches;
}

/** Null: the node refuses the question. */
async function askOnce(
  chain: Chain,
  head: Head,
  calls: readonly BlockCall[],
): Promise<(BlockAnswer | "not-tried")[] | null> {
  const data = encodeQuestion(calls, GAS_PER_CALL);
  try {
    return decoded(await chain.call({ data }, { hash: head.hash, number: head.number }), head, calls.length);
  } catch (error) {
    if (isMissingState(error)) throw gone(head, error);
    if (error instanceof RpcError) return null;
    throw error;
  }
}

function decoded(data: string, head: Head, count: number): (BlockAnswer | "not-tried")[] {
  const raw = decodeAnswer(data);
  if (raw?.answers.length !== count) throw garbage("eth_call");
  const { number, timestamp, parentHash, outcomes, answers } = raw;
  // A node that has just been started again may not know the parent's hash, and says zero.
  const sameParent = BigInt(parentHash) === 0n || parentHash === head.parentHash;
  if (number !== BigInt(head.number) || timestamp !== BigInt(head.timestamp) || !sameParent) {
    throw new WorldFailure(
      "SNAPSHOT_OF_ANOTHER_BLOCK",
      `block ${head.number} was asked for, the node answered from another one (${number})`,
      { field: "chain.rpcUrls", remedy: "Nothing, if the chain was just reorganised; else use another endpoint." },
    );
  }
  return answers.map((answer, k) => {
    switch (outcomes[k]) {
      case ANSWERED:
        return { kind: "answered", data: answer };
      case FAILED:
        return { kind: "failed" };
      case NOT_TRIED:
        return "not-tried";
      default:
        throw garbage("eth_call");
    }
  });
}

function gone(head: Head, cause: unknown): WorldFailure {
  return new WorldFailure("BLOCK_GONE", `the node does not have the state of block ${head.number}`, {
    field: "chain.rpcUrls",
    remedy:
      "Nothing where it was reorganised away, or this endpoint lags. For old blocks: an endpoint that keeps their state.",
    cause,
  });
}
