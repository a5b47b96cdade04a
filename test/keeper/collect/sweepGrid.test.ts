import { expect } from "chai";
import type { Chain } from "../../../keeper/chain/connect";
import { blockAt, type Head } from "../../../keeper/chain/heads";
import { gridText, openGrid, parsedGrid, type SweepGrid } from "../../../keeper/collect/sweepGrid";
import { localNode, type LocalNode } from "../chain/fixtures/localNode";
import { connectTo } from "./localVenues";

const BLOCKS = 60;
const PAUSES = [12, 12, 24, 12, 1, 700, 12, 13];

describe("the grid of a sweep", function () {
  this.timeout(60_000);
  let node: LocalNode;
  let chain: Chain;
  let times: number[];

  before(async () => {
    node = await localNode();
    chain = await connectTo(node.url);
    times = await node.mineAfter(Array.from({ length: BLOCKS }, (_, k) => PAUSES[(k + 1) % PAUSES.length] ?? 12));
  });
  after(async () => {
    chain.close();
    await node.stop();
  });

  /** Every multiple's first block, by looking at all of them. */
  function expected({ every, unit }: SweepGrid): number[] {
    const all = times.map((_, block) => block);
    if (unit === "blocks") return all.filter((block) => block % every === 0);
    return all.filter((block) => {
      const before = times[block - 1];
      return before === undefined || Math.floor((times[block] ?? 0) / every) > Math.floor(before / every);
    });
  }
  const blockOf = async (number: number): Promise<Head> => (await blockAt(chain, number)) as Head;
  async function blocksOf(grid: SweepGrid, from: number, to: number): Promise<number[]> {
    const { most, blocks } = await openGrid(chain, grid, { from, last: await blockOf(to) });
    const found = await blocks();
    expect(found.length).to.be.at.most(most);
    for (const { number, timestamp } of found) expect(timestamp).to.equal(times[number]);
    return found.map(({ number }) => number);
  }

  for (const grid of ["1s", "25s", "60s", "300s", "900s", "1b", "7b", "25b", "100b"]) {
    it(`of ${grid} has the same blocks however the range is cut`, async () => {
      const parsed = parsedGrid(grid) as SweepGrid;
      expect(gridText(parsed)).to.equal(grid);
      const blocks = expected(parsed);
      expect(await blocksOf(parsed, 0, BLOCKS)).to.deep.equal(blocks);
      for (const size of [1, 8, 23]) {
        const parts: number[] = [];
        for (let from = 0; from <= BLOCKS; from += size) {
          parts.push(...(await blocksOf(parsed, from, Math.min(from + size - 1, BLOCKS))));
        }
        expect(parts, `${size} blocks at a time`).to.deep.equal(blocks);
      }
    });
  }

  it("takes few headers where blocks come evenly", async () => {
    const asked: unknown[] = [];
    const counting: Chain = {
      ...chain,
      request: (method, params) => {
        asked.push(method);
        return chain.request(method, params);
      },
    };
    const start = times.at(-1) ?? 0;
    for (let k = 1; k <= 200; k += 1) {
      await node.rpc("evm_setNextBlockTimestamp", [start + 12 * k]);
      await node.mine();
    }
    const { blocks } = await openGrid(
      counting,
      { every: 300, unit: "seconds" },
      { from: BLOCKS + 1, last: await blockOf(BLOCKS + 200) },
    );
    const found = await blocks();
    expect(found.length).to.be.within(7, 9);
    expect(asked.length).to.be.at.most(2 + 3 * found.length);
  });

  for (const text of ["", "0s", "300", "s", "-5s", "1.5s", "300m", "25 b", "123456789s"]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(parsedGrid(text)).to.equal(null);
    });
  }
});
