import { expect } from "chai";
import { firstBlockAtOrAfter } from "../../../keeper/chain/blockByTime";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { silent } from "../../../keeper/events/events";
import { localNode, type LocalNode } from "./fixtures/localNode";

const BLOCKS = 37;

describe("the block of a moment", function () {
  this.timeout(60_000);
  let node: LocalNode;
  let chain: Chain;
  let times: number[];

  before(async () => {
    node = await localNode();
    chain = await connectChain({
      rpcUrls: [node.url],
      expectedChainId: 31_337,
      requestTimeoutMs: 4_000,
      sink: silent,
    });
    // Missed slots: the pauses differ.
    times = await node.mineAfter(Array.from({ length: BLOCKS }, (_, k) => 12 * (1 + ((k + 1) % 3))));
  });
  after(async () => {
    chain.close();
    await node.stop();
  });

  it("is the first that is not older, for every second around every block", async () => {
    for (const time of [...times.flatMap((at) => [at - 1, at, at + 1]), 0]) {
      const first = times.findIndex((at) => at >= time);
      expect(await firstBlockAtOrAfter(chain, time), String(time)).to.equal(first === -1 ? BLOCKS + 1 : first);
    }
  });
});
