// The bytes of a question and its answer, beside ethers' coder, which is slower and another's.
import { expect } from "chai";
import { AbiCoder, concat } from "ethers";
import fc from "fast-check";
import {
  ANSWER_HEAD_BYTES,
  QUESTION_HEAD_BYTES,
  answerBytesOf,
  decodeAnswer,
  encodeQuestion,
  questionBytesOf,
} from "../../../keeper/chain/blockReadsWire";
import { BlockReads__factory } from "../../../typechain-types";

const coder = AbiCoder.defaultAbiCoder();
const QUESTION = "tuple(address, uint256, uint256, bytes)[]";
const ANSWER = ["uint256", "uint256", "bytes32", "bytes", "bytes[]"];
const SEED = 20_261_121;

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;
const anyBytes = fc.uint8Array({ maxLength: 100 }).map(hex);
const anyAddress = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hex);
const bytesIn = (data: string): number => (data.length - 2) / 2;

describe("the wire of block reads", () => {
  it("is ethers' encoding of any question, and as long as it says", () => {
    const call = fc.record({ to: anyAddress, data: anyBytes, answerBytes: fc.nat(1_000) });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 20 }), fc.nat(10_000_000), (calls, gas) => {
        const theirs = coder.encode([QUESTION], [calls.map((each) => [each.to, gas, each.answerBytes, each.data])]);
        const question = encodeQuestion(calls, gas);
        expect(question).to.equal(concat([BlockReads__factory.bytecode, theirs]));
        const length = calls.reduce((bytes, each) => bytes + questionBytesOf(each), QUESTION_HEAD_BYTES);
        expect(bytesIn(question)).to.equal(length);
      }),
      { seed: SEED },
    );
  });

  it("reads any answer that ethers encodes, no longer than it says", () => {
    const entry = fc.tuple(fc.constantFrom(0, 1, 2), anyBytes);
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), fc.nat(), fc.nat(), (entries, number, timestamp) => {
        const parentHash = `0x${"ab".repeat(32)}`;
        const outcomes = entries.map(([outcome]) => outcome);
        const answers = entries.map(([, data]) => data);
        const data = coder.encode(ANSWER, [number, timestamp, parentHash, hex(Uint8Array.from(outcomes)), answers]);
        expect(decodeAnswer(data)).to.deep.equal({
          ...{ number: BigInt(number), timestamp: BigInt(timestamp), parentHash, outcomes, answers },
        });
        const most = answers
          .map((answer) => answerBytesOf({ to: "0x", data: "0x", answerBytes: bytesIn(answer) }))
          .reduce((sum, bytes) => sum + bytes, ANSWER_HEAD_BYTES);
        expect(bytesIn(data)).to.be.at.most(most);
      }),
      { seed: SEED },
    );
  });

  it("has no answer in what is cut, swollen or random", () => {
    const whole = coder.encode(ANSWER, [7, 8, `0x${"ab".repeat(32)}`, "0x0101", ["0x11", `0x${"22".repeat(40)}`]]);
    for (let bytes = 0; bytes < bytesIn(whole) - 24; bytes += 1) {
      expect(decodeAnswer(whole.slice(0, 2 + 2 * bytes)), `${bytes} bytes`).to.equal(null);
    }
    // A length, an offset and a count that reach out of the data, one after the other.
    for (const word of [3, 4, 5, 7, 8, 9, 10]) {
      const spoilt = `${whole.slice(0, 2 + 64 * word)}${"f".repeat(64)}${whole.slice(2 + 64 * (word + 1))}`;
      expect(decodeAnswer(spoilt), `word ${word}`).to.equal(null);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(() => decodeAnswer(hex(bytes))).to.not.throw();
      }),
      { seed: SEED },
    );
  });
});
