// What the words of a log say, read strictly. By hand, since a backfill decodes hundreds of thousands.
import type { ChainLog } from "../chain/logs";
import { garbageOf } from "./questions";

const WORD_DIGITS = 64;
const ADDRESS_DIGITS = 40;

/** @throws WorldFailure `SOURCE_GARBAGE` where the log has not as many topics and words. */
export function wordsOf(
  log: ChainLog,
  shape: { readonly source: string; readonly topics: number; readonly words: number },
): bigint[] {
  if (log.topics.length !== shape.topics || log.data.length !== 2 + WORD_DIGITS * shape.words) {
    throw garbageLog(shape.source, log);
  }
  return Array.from({ length: shape.words }, (_, place) =>
    BigInt(`0x${log.data.slice(2 + WORD_DIGITS * place, 2 + WORD_DIGITS * (place + 1))}`),
  );
}

export function signedWord(word: bigint | undefined): bigint {
  return BigInt.asIntN(256, word ?? 0n);
}

/** Of a topic; of a word of data see {@link topicOf}. */
export function addressIn(topic: string | undefined): string {
  return `0x${(topic ?? "").slice(-ADDRESS_DIGITS).toLowerCase()}`;
}

/** A word or an address as a topic. */
export function topicOf(value: bigint | string | undefined): string {
  const digits = typeof value === "string" ? value.slice(2).toLowerCase() : (value ?? 0n).toString(16);
  return `0x${digits.padStart(WORD_DIGITS, "0")}`;
}

export function garbageLog(source: string, log: ChainLog): Error {
  return garbageOf(`${source} ${log.address.toLowerCase()}`, `log ${log.logIndex} of block ${log.blockNumber}`);
}
