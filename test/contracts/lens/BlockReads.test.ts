// Reads of one block by the simulated creation of a contract: every answer where it was asked for, and every bound kept.
import { setCode, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { BlockReads__factory } from "../../../typechain-types";

const placed = (digits: string): string => ethers.getAddress(`0x${digits.repeat(20)}`);
/** Echoes its calldata: CALLDATASIZE, PUSH1 0, PUSH1 0, CALLDATACOPY, CALLDATASIZE, PUSH1 0, RETURN. */
const ECHO = { at: placed("b1"), code: "0x366000600037366000f3" };
/** JUMPDEST, PUSH1 0, JUMP. */
const LOOPS = { at: placed("b2"), code: "0x5b600056" };
/** A million zeros: PUSH3 1000000, PUSH1 0, RETURN. */
const FLOODS = { at: placed("b3"), code: "0x620f42406000f3" };
/** Reverts with its calldata. */
const REVERTS = { at: placed("b4"), code: "0x366000600037366000fd" };
/** Writes storage: PUSH1 1, PUSH1 0, SSTORE. */
const WRITES = { at: placed("b5"), code: "0x6001600055" };
/** Answers with the gas it got: GAS, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN. */
const GAS = { at: placed("b6"), code: "0x5a60005260206000f3" };
const NOBODY = placed("b7");

const [FAILED, ANSWERED, NOT_TRIED] = ["00", "01", "02"];
const MILLION = 1_000_000;
const MOST_BYTES = 24_000;

interface Ask {
  readonly target: string;
  readonly data?: string;
  readonly gasLimit?: number;
  readonly answerBytes?: number;
}

const coder = ethers.AbiCoder.defaultAbiCoder();
const arrayType = "tuple(address, uint256, uint256, bytes)[]";

async function raw(calls: readonly Ask[], gas?: number): Promise<string> {
  const question = calls.map(({ target, data = "0x", gasLimit = MILLION, answerBytes = 32 }) => [
    ...[target, gasLimit, answerBytes, data],
  ]);
  const creation = ethers.concat([BlockReads__factory.bytecode, coder.encode([arrayType], [question])]);
  return ethers.provider.call({ data: creation, ...(gas === undefined ? {} : { gasLimit: gas }) });
}

async function read(calls: readonly Ask[], gas?: number) {
  const data = await raw(calls, gas);
  const [number, timestamp, parentHash, outcomes, answers] = coder.decode(
    ["uint256", "uint256", "bytes32", "bytes", "bytes[]"],
    data,
  ) as unknown as [bigint, bigint, string, string, readonly string[]];
  const each = outcomes.slice(2).match(/../g) ?? [];
  return { number, timestamp, parentHash, outcomes: each, answers: [...answers], bytes: (data.length - 2) / 2 };
}

describe("BlockReads", () => {
  before(async () => {
    for (const { at, code } of [ECHO, LOOPS, FLOODS, REVERTS, WRITES, GAS]) await setCode(at, code);
    await time.increase(10);
  });

  it("says which block it read", async () => {
    const { number, timestamp, parentHash, answers } = await read([]);
    const block = await ethers.provider.getBlock("latest");
    // Hardhat simulates in the next block or in the last one; either way it is one block's number, time and parent.
    expect(number).to.be.within(BigInt(block!.number), BigInt(block!.number + 1));
    expect(timestamp).to.be.at.least(BigInt(block!.timestamp));
    expect(parentHash).to.equal((await ethers.provider.getBlock(Number(number) - 1))!.hash);
    expect(answers).to.deep.equal([]);
  });

  it("gives each answer in its place, of any length", async () => {
    const datas = [0, 1, 31, 32, 33, 480].map((length) => ethers.hexlify(ethers.randomBytes(length)));
    const { outcomes, answers } = await read(datas.map((data) => ({ target: ECHO.at, data, answerBytes: 480 })));
    expect(answers).to.deep.equal(datas);
    expect(outcomes).to.deep.equal(datas.map(() => ANSWERED));
  });

  it("tells a call that failed from one that answered with nothing, and gives nothing of a revert", async () => {
    const { outcomes, answers } = await read([
      { target: ECHO.at },
      { target: REVERTS.at, data: "0xdeadbeef" },
      { target: NOBODY },
      { target: WRITES.at },
      { target: ECHO.at, data: "0x01" },
    ]);
    expect(outcomes).to.deep.equal([ANSWERED, FAILED, FAILED, FAILED, ANSWERED]);
    expect(answers).to.deep.equal(["0x", "0x", "0x", "0x", "0x01"]);
  });

  it("copies no more of an answer than was asked for, and leaves what follows clean", async () => {
    const data = ethers.hexlify(ethers.randomBytes(100));
    const { outcomes, answers } = await read([
      { target: ECHO.at, data, answerBytes: 5 },
      { target: FLOODS.at, answerBytes: 3, gasLimit: 4 * MILLION },
      { target: ECHO.at, data, answerBytes: 0 },
      { target: ECHO.at, data, answerBytes: 100 },
    ]);
    expect(outcomes).to.deep.equal([ANSWERED, ANSWERED, ANSWERED, ANSWERED]);
    expect(answers).to.deep.equal([data.slice(0, 12), "0x000000", "0x", data]);
  });

  it("is one way of encoding only: what it returns, encoded again, is the same", async () => {
    const data = ethers.hexlify(ethers.randomBytes(37));
    const answer = await raw([{ target: ECHO.at, data, answerBytes: 37 }, { target: NOBODY }]);
    const types = ["uint256", "uint256", "bytes32", "bytes", "bytes[]"];
    expect(coder.encode(types, [...coder.decode(types, answer)])).to.equal(answer);
  });

  it("gives a call its own bound of gas, whole", async () => {
    const { answers } = await read([
      { target: LOOPS.at, gasLimit: 3 * MILLION },
      { target: GAS.at, gasLimit: 700_000 },
      { target: GAS.at, gasLimit: 50_000 },
    ]);
    expect(answers[0]).to.equal("0x");
    // Less the opcode itself.
    expect(answers.slice(1).map(Number)).to.deep.equal([700_000 - 2, 50_000 - 2]);
  });

  it("does not try a call that could not have all of its bound, and tries a smaller one after it", async () => {
    const { outcomes, answers } = await read(
      [
        { target: LOOPS.at, gasLimit: MILLION },
        { target: GAS.at, gasLimit: MILLION },
        { target: GAS.at, gasLimit: 100_000 },
      ],
      2_000_000,
    );
    expect(outcomes).to.deep.equal([FAILED, NOT_TRIED, ANSWERED]);
    expect(Number(answers[2])).to.equal(100_000 - 2);
  });

  it("never runs out of gas itself, however little there is, once it can return that nothing was tried", async () => {
    const calls = Array.from({ length: 40 }, () => ({ target: LOOPS.at, gasLimit: 200_000, answerBytes: 320 }));
    for (const gas of [5, 6, 7, 9, 16].map((millions) => millions * MILLION)) {
      const { outcomes } = await read(calls, gas);
      expect(new Set(outcomes)).to.satisfy((all: Set<string>) => [...all].every((each) => each !== ANSWERED));
      expect(outcomes.at(-1)).to.equal(gas === 16 * MILLION ? FAILED : NOT_TRIED);
    }
  });

  it("returns as many bytes as creation may, and refuses to try more", async () => {
    const data = ethers.hexlify(ethers.randomBytes(1_000));
    const echo = { target: ECHO.at, data: `${data}${"11".repeat(24)}`, answerBytes: 1_024, gasLimit: 100_000 };
    const { bytes, outcomes, answers } = await read(Array.from({ length: 21 }, () => echo));
    expect(bytes).to.be.within(MOST_BYTES - 1_200, MOST_BYTES);
    expect(outcomes).to.deep.equal(Array.from({ length: 21 }, () => ANSWERED));
    expect(new Set(answers)).to.deep.equal(new Set([echo.data]));
    const error = await raw(Array.from({ length: 23 }, () => echo)).then(
      () => null,
      (reason: { data?: string }) => reason,
    );
    expect(error?.data?.slice(0, 10)).to.equal(ethers.id("AnswersTooLong(uint256)").slice(0, 10));
  });

  it("begins with no byte that creation may not return", async () => {
    expect((await raw([])).slice(0, 4)).to.equal("0x00");
  });
});
