// A limit of ours on requests to nodes: what it holds back, and what it never takes for an endpoint's failure.
import { expect } from "chai";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { connectByQuorum } from "../../../keeper/chain/quorumProvider";
import type { KeeperEvent } from "../../../keeper/events/events";
import { failureOf } from "../collect/failureOf";
import { HandClock } from "./fixtures/clocks";
import { down, faultyNode, type FaultyNode } from "./fixtures/faultyNode";
import { localNode, type LocalNode } from "./fixtures/localNode";

const METHOD = "eth_getBlockByNumber";

describe("a limit on requests to a chain", function () {
  this.timeout(60_000);
  let node: LocalNode;
  let proxies: FaultyNode[];
  let chain: Chain;
  let clock: HandClock;
  let events: KeeperEvent[];

  before(async () => {
    node = await localNode();
    await node.mine(3);
  });
  after(() => node.stop());
  beforeEach(async () => {
    proxies = await Promise.all([faultyNode(node.url), faultyNode(node.url), faultyNode(node.url)]);
    clock = new HandClock();
    events = [];
  });
  afterEach(async () => {
    chain?.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  });

  const options = (endpoints: number, requestsPerSecond: number | undefined) => ({
    rpcUrls: proxies.slice(0, endpoints).map(({ url }) => url),
    ...{ expectedChainId: 31_337, requestTimeoutMs: 2_000, requestsPerSecond, clock },
    sink: { emit: (event: KeeperEvent) => void events.push(event) },
  });
  /** When each endpoint was asked, by the clock, milliseconds. */
  const timesOf = (): number[][] => {
    const times = proxies.map((): number[] => []);
    proxies.forEach((proxy, place) => {
      // Each endpoint is asked besides for its chain, before its first use.
      proxy.fault = ({ method }) => {
        if (method === METHOD) times[place]?.push(clock.now());
        return false;
      };
    });
    return times;
  };
  const ask = (): Promise<unknown> => chain.request(METHOD, ["0x1", false]);
  /** So many requests at once, each answered before the clock is turned on. */
  async function asked(count: number, stepMs: number): Promise<void> {
    const start = clock.now();
    const answers = Array.from({ length: count }, ask);
    for (const [place, answer] of answers.entries()) {
      await clock.turnTo(start + place * stepMs);
      await answer;
    }
  }

  it("spaces them evenly, in the order in which they were made", async () => {
    chain = await connectChain(options(1, 2));
    const [times] = timesOf();
    await asked(4, 500);
    expect(times).to.deep.equal([0, 500, 1_000, 1_500]);
    await clock.turnTo(10_000);
    await asked(2, 500);
    expect(times?.slice(4), "no burst after a rest").to.deep.equal([10_000, 10_500]);
  });

  it("is none unless it is said", async () => {
    chain = await connectChain(options(1, undefined));
    const [times] = timesOf();
    await Promise.all(Array.from({ length: 20 }, ask));
    expect(times).to.deep.equal(new Array(20).fill(0));
  });

  it("fails what would have to wait too long, naming itself, and no endpoint with it", async () => {
    chain = await connectChain(options(1, 0.01));
    const [times] = timesOf();
    await ask();
    const late = failureOf(ask());
    await clock.turnTo(60_000);
    expect(await late).to.include({ code: "RPC_LIMITED", field: "chain.requestsPerSecond", exitCode: 1 });
    const next = ask();
    await clock.turnTo(100_000);
    await next;
    expect([times, events]).to.deep.equal([[0, 100_000], []]);
  });

  it("holds for each endpoint where the next is asked for one that fails", async () => {
    chain = await connectChain(options(2, 2));
    const times = timesOf();
    const [first] = proxies;
    if (first !== undefined) first.fault = down;
    await asked(3, 500);
    expect(times[1]).to.deep.equal([0, 500, 1_000]);
  });

  it("holds for each endpoint of a quorum, where one that is not asked yet is not silent", async () => {
    chain = await connectByQuorum({ ...options(3, 2), needed: 2 });
    const times = timesOf();
    await asked(3, 500);
    for (const own of times) {
      own.slice(1).forEach((time, place) => expect(time - (own[place] ?? 0)).to.be.at.least(500));
    }
    expect(times.flat()).to.have.length(6);
    expect(events).to.deep.equal([]);
  });
});
