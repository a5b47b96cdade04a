import { expect } from "chai";
import { ChunkSize } from "../../../keeper/collect/chunkSize";

/** A node that gives `most` blocks at a time: how many requests it refuses of `requests`, and the blocks that it gave. */
function against(size: ChunkSize, most: number, requests: number): { refusals: number; blocks: number } {
  let [refusals, blocks] = [0, 0];
  for (let request = 0; request < requests; request += 1) {
    const asked = size.blocks;
    if (asked > most) {
      refusals += 1;
      size.refused(asked);
    } else {
      blocks += asked;
      size.answered(asked, 10);
    }
  }
  return { refusals, blocks };
}

describe("the size of a chunk", () => {
  it("doubles up to its bound while all is well", () => {
    const size = new ChunkSize({ first: 100, largest: 1_000 });
    const asked = Array.from({ length: 5 }, () => {
      const now = size.blocks;
      size.answered(now, 0);
      return now;
    });
    expect(asked).to.deep.equal([100, 200, 400, 800, 1_000]);
  });

  it("finds what a node gives, and wastes few requests on more", () => {
    const { refusals, blocks } = against(new ChunkSize({ first: 2_000 }), 90, 200);
    expect(refusals).to.be.below(20);
    expect(blocks).to.be.above(0.5 * 90 * 200);
  });

  it("grows again after busy blocks", () => {
    const size = new ChunkSize();
    against(size, 5, 40);
    against(size, 100_000, 60);
    expect(size.blocks).to.equal(100_000);
  });

  it("shrinks when the rows would not fit a transaction, though the node gives them", () => {
    const size = new ChunkSize({ first: 4_000 });
    size.answered(4_000, 50_000);
    const blocks = size.blocks;
    expect((blocks * 50_000) / 4_000).to.be.within(2_500, 5_000);
    size.answered(blocks, 5_000);
    expect(size.blocks).to.equal(blocks);
  });

  it("is one block at least", () => {
    const size = new ChunkSize({ first: 1 });
    size.refused(1);
    expect(size.blocks).to.equal(1);
  });
});
