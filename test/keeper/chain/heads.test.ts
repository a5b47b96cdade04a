import { expect } from "chai";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { headStream, type Head } from "../../../keeper/chain/heads";
import type { KeeperEvent } from "../../../keeper/events/events";
import { answer, down, faultyNode, type FaultyNode } from "./fixtures/faultyNode";
import { localNode, type LocalNode } from "./fixtures/localNode";

describe("new heads", function () {
  this.timeout(60_000);
  let node: LocalNode;
  let proxy: FaultyNode;
  let chain: Chain;
  let stop: AbortController;
  let heads: AsyncGenerator<Head, void, void>;
  const events: KeeperEvent[] = [];

  before(async () => {
    node = await localNode();
    await node.mine(2);
  });
  after(() => node.stop());
  beforeEach(async () => {
    events.length = 0;
    proxy = await faultyNode(node.url);
    chain = await connectChain({
      rpcUrls: [proxy.url],
      expectedChainId: 31_337,
      requestTimeoutMs: 2_000,
      sink: { emit: (event) => void events.push(event) },
    });
    stop = new AbortController();
    heads = headStream(chain, { pollMs: 10, signal: stop.signal });
  });
  afterEach(async () => {
    stop.abort();
    await heads.return();
    chain.close();
    await proxy.close();
  });

  const next = async (): Promise<Head> => {
    const result = await heads.next();
    if (result.done === true) throw new Error("the heads ended");
    return result.value;
  };
  const block = async (number: number): Promise<{ hash: string; parentHash: string; timestamp: string }> =>
    (await node.rpc("eth_getBlockByNumber", [`0x${number.toString(16)}`, false])) as never;

  it("begin with the current one and go on with each new one", async () => {
    const first = await next();
    const waiting = next();
    await node.mine();
    const second = await waiting;
    expect(second.number).to.equal(first.number + 1);
    expect(second.parentHash).to.equal(first.hash);
    expect(second.reorgedFrom).to.equal(null);
    const raw = await block(second.number);
    expect(second.hash).to.equal(raw.hash);
    expect(second.timestamp).to.equal(Number(raw.timestamp));
    expect(second.baseFeePerGas > 0n).to.equal(true);
  });

  it("are only the newest when several came at once, without being taken for a reorganisation", async () => {
    const first = await next();
    await node.mine(5);
    const second = await next();
    expect([second.number, second.reorgedFrom]).to.deep.equal([first.number + 5, null]);
  });

  it("say from which height on the chain is another one", async () => {
    const snapshot = await node.rpc("evm_snapshot");
    const fork = await next();
    for (let i = 0; i < 3; i += 1) {
      await node.mine();
      await next();
    }
    await node.rpc("evm_revert", [snapshot]);
    // Another timestamp makes other blocks.
    await node.rpc("evm_increaseTime", [500]);
    await node.mine(4);
    const head = await next();
    expect(head.number).to.equal(fork.number + 4);
    expect(head.reorgedFrom).to.equal(fork.number + 1);
    await node.mine();
    expect((await next()).reorgedFrom).to.equal(null);
  });

  it("say so too when the new chain is not longer than the old one", async () => {
    const snapshot = await node.rpc("evm_snapshot");
    const fork = await next();
    await node.mine();
    await next();
    await node.rpc("evm_revert", [snapshot]);
    await node.rpc("evm_increaseTime", [900]);
    await node.mine();
    const head = await next();
    expect([head.number, head.reorgedFrom]).to.deep.equal([fork.number + 1, fork.number + 1]);
  });

  it("do not go back when the node lags behind what was seen", async () => {
    const first = await next();
    await node.mine();
    const second = await next();
    const older = await block(first.number);
    let lagging = 0;
    proxy.fault = (request, response) => {
      if (request.params[0] !== "latest" || lagging >= 3) return false;
      lagging += 1;
      return Boolean(response.end(answer(request, older)));
    };
    await node.mine();
    const third = await next();
    expect(lagging).to.equal(3);
    expect([third.number, third.reorgedFrom]).to.deep.equal([second.number + 1, null]);
  });

  it("come again after an outage that was reported once", async () => {
    await next();
    proxy.fault = down;
    const waiting = next();
    await node.mine();
    while (proxy.seen.length < 8) await new Promise((resolve) => setTimeout(resolve, 20));
    proxy.fault = null;
    await waiting;
    expect(events.map((event) => event.name)).to.deep.equal(["rpc.trouble", "rpc.recovered"]);
  });

  it("survive a node that answers garbage", async () => {
    await next();
    let garbage = 0;
    proxy.fault = (request, response) => {
      if (garbage >= 2) return false;
      garbage += 1;
      return Boolean(response.end(answer(request, garbage === 1 ? { number: "x" } : null)));
    };
    await node.mine();
    await next();
    expect(garbage).to.equal(2);
  });

  it("end with the signal, also in the middle of a pause", async () => {
    const slow = headStream(chain, { pollMs: 3_600_000, signal: stop.signal });
    await slow.next();
    const waiting = slow.next();
    stop.abort();
    expect((await waiting).done).to.equal(true);
  });
});
