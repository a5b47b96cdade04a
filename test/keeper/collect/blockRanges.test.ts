import { expect } from "chai";
import fc from "fast-check";
import { cutRanges, missingRanges, sumOfBlocks, type BlockRange } from "../../../keeper/collect/blockRanges";

const blocksOf = (ranges: readonly BlockRange[]): number[] =>
  ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, k) => from + k));

const range = fc.tuple(fc.nat(60), fc.nat(25)).map(([from, length]) => ({ from, to: from + length }));

describe("ranges of blocks", () => {
  it("what is missing is each block of the range that nothing stored holds, once and in order", () => {
    fc.assert(
      fc.property(range, fc.array(range, { maxLength: 6 }), (wanted, stored) => {
        const held = new Set(blocksOf(stored));
        const missing = missingRanges(wanted, stored);
        expect(blocksOf(missing)).to.deep.equal(blocksOf([wanted]).filter((block) => !held.has(block)));
        // Two that touch would be one.
        missing.slice(1).forEach(({ from }, place) => expect(from).to.be.above((missing[place]?.to ?? 0) + 1));
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it("cut, they are the same blocks in parts that are no longer than asked for", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 4 }), fc.integer({ min: 1, max: 30 }), (ranges, size) => {
        const parts = cutRanges(ranges, size);
        expect(blocksOf(parts)).to.deep.equal(blocksOf(ranges));
        for (const { from, to } of parts) expect(to - from + 1).to.be.within(1, size);
        expect(sumOfBlocks(parts)).to.equal(blocksOf(ranges).length);
      }),
      { seed: 7 },
    );
  });
});
