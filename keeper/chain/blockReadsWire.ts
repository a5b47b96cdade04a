// The question to contracts/lens/BlockReads.sol and its answer as bytes. By hand: ethers' coder takes longer over a question of
// a hundred calls than a node does to answer it. Pure.
import { BlockReads__factory } from "../../typechain-types/factories/contracts/lens/BlockReads__factory";

export interface WireCall {
  readonly to: string;
  readonly data: string;
  readonly answerBytes: number;
}

export interface WireAnswer {
  readonly number: bigint;
  readonly timestamp: bigint;
  readonly parentHash: string;
  /** One for each call. */
  readonly outcomes: readonly number[];
  readonly answers: readonly string[];
}

const WORD = 32;
const WORD_DIGITS = 2 * WORD;
/** Target, gas, bytes of the answer, offset and length of the data. */
const CALL_HEAD_WORDS = 5;
/** Number, timestamp, parent hash, two offsets. */
const ANSWER_HEAD_WORDS = 5;

const wholeWords = (bytes: number): number => Math.ceil(bytes / WORD) * WORD;
const bytesIn = (data: string): number => (data.length - 2) / 2;
const uint = (value: number): string => value.toString(16).padStart(WORD_DIGITS, "0");

/** Bytes of a question without calls: creation code, offset and length of the list. */
export const QUESTION_HEAD_BYTES = bytesIn(BlockReads__factory.bytecode) + 2 * WORD;
/** Bytes that a call adds to the question. */
export const questionBytesOf = ({ data }: WireCall): number => (1 + CALL_HEAD_WORDS) * WORD + wholeWords(bytesIn(data));

/** Bytes of an answer to no calls, with the lengths of its two lists, and the last outcomes' padding. */
export const ANSWER_HEAD_BYTES = (ANSWER_HEAD_WORDS + 3) * WORD;
/** Bytes that a call adds to the answer, at most: offset, length and outcome with what it answers. */
export const answerBytesOf = ({ answerBytes }: WireCall): number => 2 * WORD + 1 + wholeWords(answerBytes);

/** Creation code with its argument: what `eth_call` without `to` takes. */
export function encodeQuestion(calls: readonly WireCall[], gasPerCall: number): string {
  const offsets: string[] = [];
  const bodies: string[] = [];
  let offset = calls.length * WORD;
  for (const { to, data, answerBytes } of calls) {
    offsets.push(uint(offset));
    bodies.push(
      to.slice(2).toLowerCase().padStart(WORD_DIGITS, "0"),
      uint(gasPerCall),
      uint(answerBytes),
      uint((CALL_HEAD_WORDS - 1) * WORD),
      uint(bytesIn(data)),
      data.slice(2).padEnd(2 * wholeWords(bytesIn(data)), "0"),
    );
    offset += CALL_HEAD_WORDS * WORD + wholeWords(bytesIn(data));
  }
  return `${BlockReads__factory.bytecode}${uint(WORD)}${uint(calls.length)}${offsets.join("")}${bodies.join("")}`;
}

/** Null where `data` is not an answer. */
export function decodeAnswer(data: string): WireAnswer | null {
  const reader = new Words(data);
  const outcomes = reader.bytesAt(reader.offsetAt(3 * WORD));
  const list = reader.offsetAt(4 * WORD);
  const count = reader.offsetAt(list);
  const outcomeList = outcomes.slice(2).match(/../g) ?? [];
  if (reader.isShort || count !== outcomeList.length) return null;
  const start = list + WORD;
  const answers = outcomeList.map((_, place) => reader.bytesAt(start + reader.offsetAt(start + place * WORD)));
  if (reader.isShort) return null;
  return {
    number: BigInt(reader.wordAt(0)),
    timestamp: BigInt(reader.wordAt(WORD)),
    parentHash: reader.wordAt(2 * WORD).toLowerCase(),
    outcomes: outcomeList.map((outcome) => Number.parseInt(outcome, 16)),
    answers,
  };
}

/** Reads words of data that may be too short for what it says: then `isShort`, and what was read is nothing. */
class Words {
  isShort = false;
  readonly #length: number;

  constructor(private readonly data: string) {
    this.#length = bytesIn(data);
  }

  wordAt(at: number): string {
    return this.#slice(at, WORD);
  }

  /** A number that counts bytes or entries of this data. */
  offsetAt(at: number): number {
    const value = BigInt(`${this.#slice(at, WORD)}`);
    if (value <= BigInt(this.#length)) return Number(value);
    this.isShort = true;
    return 0;
  }

  bytesAt(at: number): string {
    return this.#slice(at + WORD, this.offsetAt(at));
  }

  #slice(at: number, length: number): string {
    if (at + length <= this.#length) return `0x${this.data.slice(2 + 2 * at, 2 + 2 * (at + length))}`;
    this.isShort = true;
    return "0x0";
  }
}
