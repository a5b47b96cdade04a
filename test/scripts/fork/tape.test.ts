import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { keccak256 } from "ethers";
import { InputFailure } from "../../../keeper/config/failure";
import { loadTape, writeTape, type Tape } from "../../../scripts/fork/tape";
import {
  ABSENT,
  address,
  CODE,
  PATCHED_SLOT,
  PLAIN,
  RECORDED_SLOT,
  sampleTape,
  TapeFolder,
  TOKEN,
  word,
} from "./sampleTape";

describe("tape file", () => {
  const folder = new TapeFolder();
  after(() => folder.remove());

  function failureOf(file: string): InputFailure {
    try {
      loadTape(file);
    } catch (error) {
      if (error instanceof InputFailure) return error;
      throw error;
    }
    throw new Error("loaded");
  }

  it("is read plain and gzipped", () => {
    const json = JSON.stringify(sampleTape());
    writeFileSync(folder.file("a.json.gz"), gzipSync(json));
    const plain = loadTape(folder.write("a.json", sampleTape()));
    const packed = loadTape(folder.file("a.json.gz"));
    expect(packed).to.deep.equal(plain);
    expect(packed.headerVerified).to.equal(true);
    expect(packed.tape.storage[TOKEN]?.[RECORDED_SLOT]).to.equal(word(41));
  });

  it("is written as it is read, in the same bytes each time", () => {
    const reversed = sampleTape();
    reversed.accounts = Object.fromEntries(Object.entries(reversed.accounts).reverse());
    writeTape(folder.file("b.json"), sampleTape());
    writeTape(folder.file("c.json"), reversed);
    writeTape(folder.file("b.json.gz"), sampleTape());
    expect(readFileSync(folder.file("c.json"), "utf8")).to.equal(readFileSync(folder.file("b.json"), "utf8"));
    expect(loadTape(folder.file("b.json")).tape).to.deep.equal(sampleTape());
    expect(loadTape(folder.file("b.json.gz")).tape).to.deep.equal(sampleTape());
  });

  it("is not written over by a tape that is not sound", () => {
    writeTape(folder.file("d.json"), sampleTape());
    const broken = { ...sampleTape(), code: {} };
    expect(() => writeTape(folder.file("d.json"), broken)).to.throw(InputFailure);
    expect(loadTape(folder.file("d.json")).tape).to.deep.equal(sampleTape());
  });

  const breakages: [name: string, breakIt: (tape: Tape) => unknown, code: string, field: string][] = [
    ["another format", (tape) => ({ ...tape, format: "tiller-tape/2" }), "TAPE_SCHEMA", "format"],
    ["an unknown part", (tape) => ({ ...tape, extra: 1 }), "TAPE_SCHEMA", "FILE"],
    ["no patches", ({ patches: _, ...rest }) => rest, "TAPE_SCHEMA", "patches"],
    [
      "a code that is not its hash",
      (tape) => ({ ...tape, code: { [keccak256(CODE)]: `${CODE}00` } }),
      "TAPE_CODE_HASH",
      `code.${keccak256(CODE)}`,
    ],
    [
      "an account whose code is missing",
      (tape) => ({ ...tape, code: {} }),
      "TAPE_CODE_MISSING",
      `accounts.${TOKEN}.codeHash`,
    ],
    [
      "an altered header",
      (tape) => ({ ...tape, block: { ...tape.block, timestamp: "0x665ba280" } }),
      "TAPE_HEADER",
      "block.hash",
    ],
    [
      "a header without a base fee",
      (tape) => ({ ...tape, block: { ...tape.block, baseFeePerGas: undefined } }),
      "TAPE_SCHEMA",
      "block.baseFeePerGas",
    ],
    [
      "a patch over a recorded slot",
      (tape) => ({ ...tape, patches: [{ address: TOKEN, slot: RECORDED_SLOT, value: word(1), why: "constant" }] }),
      "TAPE_PATCH",
      "patches.0",
    ],
    [
      "a second patch of one slot",
      (tape) => ({
        ...tape,
        patches: [...tape.patches, { address: TOKEN, slot: PATCHED_SLOT, value: word(1), why: "constant" }],
      }),
      "TAPE_PATCH",
      "patches.1",
    ],
    [
      "storage of an account that it does not have",
      (tape) => ({ ...tape, storage: { [address(5)]: { [word(0)]: word(1) } } }),
      "TAPE_ACCOUNT_MISSING",
      `storage.${address(5)}`,
    ],
    [
      "an account that is absent and present",
      (tape) => ({ ...tape, absent: [{ address: PLAIN, why: "x" }] }),
      "TAPE_ABSENT",
      "absent.0.address",
    ],
    [
      "zeros of an account that it does not have",
      (tape) => ({ ...tape, zeroReadable: [{ address: ABSENT, slots: [] }] }),
      "TAPE_ACCOUNT_MISSING",
      "zeroReadable.0.address",
    ],
    [
      "a short slot",
      (tape) => ({ ...tape, storage: { [TOKEN]: { "0x1": word(1) } } }),
      "TAPE_SCHEMA",
      `storage.${TOKEN}.0x1`,
    ],
    [
      "a number as a balance",
      (tape) => ({ ...tape, accounts: { ...tape.accounts, [PLAIN]: { ...tape.accounts[PLAIN], balance: 5 } } }),
      "TAPE_SCHEMA",
      `accounts.${PLAIN}.balance`,
    ],
  ];
  for (const [name, breakIt, code, field] of breakages) {
    it(`is refused with ${name}`, () => {
      const failure = failureOf(folder.write("broken.json", breakIt(sampleTape())));
      expect({ code: failure.code, field: failure.field, exitCode: failure.exitCode }).to.deep.equal({
        code,
        field,
        exitCode: 2,
      });
    });
  }

  it("is refused when it is missing, no JSON, or half a gzip file", () => {
    expect(failureOf(folder.file("nowhere.json")).code).to.equal("TAPE_UNREADABLE");
    writeFileSync(folder.file("text.json"), "{");
    expect(failureOf(folder.file("text.json")).code).to.equal("TAPE_NOT_JSON");
    writeFileSync(folder.file("half.json.gz"), gzipSync(JSON.stringify(sampleTape())).subarray(0, 300));
    expect(failureOf(folder.file("half.json.gz")).code).to.equal("TAPE_UNREADABLE");
  });
});
