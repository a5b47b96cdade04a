import { expect } from "chai";
import { AbiCoder, keccak256 } from "ethers";
import { entrySlot, FreshEntries } from "../../../scripts/fork/freshEntries";
import { address, word } from "./sampleTape";

const OWNER = address(0xa11ce);
const SPENDER = address(0x5be4de);
const TAPED = address(0x7a9e);

const hash = (types: string[], values: unknown[]): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode(types, values));

describe("entries of fresh addresses", () => {
  it("finds the slot of mainnet's USDC.balances[Comet]", () => {
    const comet = "0xc3d688b66703497daa19211eedff47f25384cdc3";
    expect(entrySlot(comet, word(9))).to.equal("0x8559d6a10054dab95830adc3e1d0473c4b869885e888e0a8b14868e04843e9d6");
  });

  it("knows an address only after it was asked about", () => {
    const entries = new FreshEntries([TAPED]);
    const slot = hash(["address", "uint256"], [OWNER, 9]);
    expect(entries.find(slot, { base: 9, keys: 1 })).to.equal(undefined);
    entries.touch(OWNER);
    expect(entries.find(slot, { base: 9, keys: 1 })?.keys).to.deep.equal([OWNER]);
    expect(entries.find(slot, { base: 8, keys: 1 })).to.equal(undefined);
  });

  it("never takes an address of the tape for fresh", () => {
    const entries = new FreshEntries([TAPED]);
    entries.touch(TAPED);
    expect(entries.find(hash(["address", "uint256"], [TAPED, 9]), { base: 9, keys: 1 })).to.equal(undefined);
  });

  it("wants the first of two keys fresh, and the second known", () => {
    const entries = new FreshEntries([TAPED]);
    entries.touch(OWNER);
    const two = (first: string, second: string): string =>
      hash(["address", "bytes32"], [second, hash(["address", "uint256"], [first, 10])]);
    const mapping = { base: 10, keys: 2 } as const;
    expect(entries.find(two(OWNER, TAPED), mapping)?.keys).to.deep.equal([OWNER, TAPED]);
    expect(entries.find(two(OWNER, OWNER), mapping)?.keys).to.deep.equal([OWNER, OWNER]);
    expect(entries.find(two(TAPED, OWNER), mapping)).to.equal(undefined);
    expect(entries.find(two(OWNER, SPENDER), mapping)).to.equal(undefined);
    entries.touch(SPENDER);
    expect(entries.find(two(OWNER, SPENDER), mapping)?.keys).to.deep.equal([OWNER, SPENDER]);
    expect(entries.find(two(SPENDER, OWNER), mapping)?.keys).to.deep.equal([SPENDER, OWNER]);
  });

  it("hashes the base before the key for Vyper", () => {
    const entries = new FreshEntries([]);
    entries.touch(OWNER);
    const one = hash(["uint256", "address"], [3, OWNER]);
    expect(entries.find(one, { base: 3, keys: 1, order: "vyper" })?.keys).to.deep.equal([OWNER]);
    expect(entries.find(one, { base: 3, keys: 1 })).to.equal(undefined);
    const two = hash(["bytes32", "address"], [hash(["uint256", "address"], [4, OWNER]), OWNER]);
    expect(entries.find(two, { base: 4, keys: 2, order: "vyper" })?.keys).to.deep.equal([OWNER, OWNER]);
    expect(entries.find(two, { base: 4, keys: 2 })).to.equal(undefined);
  });
});
