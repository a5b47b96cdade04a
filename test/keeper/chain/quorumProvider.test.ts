// A chain by quorum over real servers before one real node.
import { expect } from "chai";
import type { Chain } from "../../../keeper/chain/connect";
import type { RpcError } from "../../../keeper/chain/failures";
import { blockAt, newestBlock } from "../../../keeper/chain/heads";
import { isTooMany } from "../../../keeper/chain/logs";
import { connectByQuorum } from "../../../keeper/chain/quorumProvider";
import type { KeeperEvent } from "../../../keeper/events/events";
import { failureOf } from "../collect/failureOf";
import { answer, down, faultyNode, refusal, type Fault, type FaultyNode, type RpcRequest } from "./fixtures/faultyNode";
import { localNode, type LocalNode } from "./fixtures/localNode";

/** Answers the number of its block: NUMBER, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN. */
const NUMBER_TELLER = `0x${"99".repeat(20)}`;
const CODE = "0x4360005260206000f3";
const word = (value: number): string => `0x${value.toString(16).padStart(64, "0")}`;

describe("a chain by quorum", function () {
  this.timeout(60_000);
  let node: LocalNode;
  let proxies: FaultyNode[];
  let chain: Chain;
  let events: KeeperEvent[];

  before(async () => {
    node = await localNode();
    await node.rpc("anvil_setCode", [NUMBER_TELLER, CODE]);
    await node.mine(8);
  });
  after(() => node.stop());
  beforeEach(async () => {
    proxies = await Promise.all([faultyNode(node.url), faultyNode(node.url), faultyNode(node.url)]);
    events = [];
  });
  afterEach(async () => {
    chain?.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  });

  const connect = async (): Promise<Chain> =>
    (chain = await connectByQuorum({
      rpcUrls: proxies.map(({ url }) => url),
      expectedChainId: 31_337,
      needed: 2,
      requestTimeoutMs: 2_000,
      sink: { emit: (event) => void events.push(event) },
    }));
  function fault(...faults: (Fault | null)[]): void {
    proxies.forEach((proxy, index) => (proxy.fault = faults[index] ?? null));
  }
  /** Answers a method in its own way; everything else is the node's. */
  const answering =
    (method: string, of: (honest: unknown, request: RpcRequest) => unknown): Fault =>
    (request, response) => {
      if (request.method !== method) return false;
      void node.rpc(method, request.params).then((honest) => response.end(answer(request, of(honest, request))));
      return true;
    };
  /** As a node that has only the first blocks. */
  const upTo =
    (height: number): Fault =>
    (request, response) => {
      const [block] = request.params;
      if (request.method !== "eth_getBlockByNumber") return false;
      if (block !== "latest" && Number(block) <= height) return false;
      const known = block === "latest" ? node.rpc("eth_getBlockByNumber", [`0x${height.toString(16)}`, false]) : null;
      void Promise.resolve(known).then((result) => response.end(answer(request, result)));
      return true;
    };
  const height = async (): Promise<number> => Number(await node.rpc("eth_blockNumber"));

  it("takes blocks for the same that differ in what nodes say besides", async () => {
    await connect();
    const adds = (member: object) =>
      answering("eth_getBlockByNumber", (honest) => ({ ...(honest as object), ...member }));
    fault(adds({ size: "0x1" }), adds({ totalDifficulty: "0x2" }), adds({ size: "0x3" }));
    expect((await blockAt(chain, 3))?.number).to.equal(3);
    expect((await newestBlock(chain)).number).to.equal(await height());
    expect(events).to.deep.equal([]);
  });

  it("has for its newest block the highest that enough endpoints have", async () => {
    await connect();
    const newest = await height();
    const claims = answering("eth_getBlockByNumber", (honest, { params }) =>
      params[0] === "latest" ? { ...(honest as object), number: "0xfffff" } : null,
    );
    // Whoever answers last: the first time all are heard.
    const late: Fault = (request, response) => {
      if (request.params[0] !== "latest") return upTo(newest - 1)(request, response);
      setTimeout(() => void upTo(newest - 1)(request, response), 300);
      return true;
    };
    fault(null, late, upTo(newest - 2));
    expect((await newestBlock(chain)).number).to.equal(newest - 1);
    fault(claims, upTo(newest - 1), upTo(newest - 2));
    expect((await newestBlock(chain)).number).to.equal(newest - 2);
    fault(claims, null, upTo(newest - 2));
    expect((await newestBlock(chain)).number).to.equal(newest - 2);
    fault(claims, null, null);
    expect((await newestBlock(chain)).number).to.equal(newest);
  });

  it("knows of no block that only one endpoint has", async () => {
    await connect();
    const newest = await height();
    fault(null, upTo(newest - 1), upTo(newest - 1));
    expect(await blockAt(chain, newest)).to.equal(null);
    expect(events).to.deep.equal([]);
  });

  it("pins calls by hash, and by number where none of the nodes takes a hash", async () => {
    await connect();
    const head = (await blockAt(chain, 4)) as { number: number; hash: string };
    expect(await chain.call({ to: NUMBER_TELLER, data: "0x" }, head)).to.equal(word(4));
    const old: Fault = (request, response) => {
      if (request.method !== "eth_call" || typeof request.params[1] === "string") return false;
      response.end(refusal(request, -32_602, "invalid argument 1: json: cannot unmarshal object"));
      return true;
    };
    fault(old, old, old);
    expect(await chain.call({ to: NUMBER_TELLER, data: "0x" }, head)).to.equal(word(4));
    expect(events).to.deep.equal([]);
  });

  it("asks what cannot be compared of one endpoint after the other", async () => {
    await connect();
    const asked = (method: string): number[] =>
      proxies.map(({ seen }) => seen.filter((request) => request.method === method).length);
    await chain.request("eth_gasPrice", []);
    expect(asked("eth_gasPrice")).to.deep.equal([1, 0, 0]);
    await chain.request("eth_getBlockReceipts", ["0x1"]);
    expect(asked("eth_getBlockReceipts")).to.deep.equal([1, 0, 0]);
  });

  it("believes no endpoint alone that something happened, or nothing, in a range of blocks", async () => {
    const [from] = (await node.rpc("eth_accounts")) as string[];
    // LOG0 of no data.
    const teller = `0x${"a7".repeat(20)}`;
    await node.rpc("anvil_setCode", [teller, "0x60006000a0"]);
    await node.rpc("eth_sendTransaction", [{ from, to: teller }]);
    await node.mine();
    await connect();
    const filter = { address: teller, fromBlock: "0x1", toBlock: `0x${(await height()).toString(16)}` };
    const honest = (await node.rpc("eth_getLogs", [filter])) as object[];
    expect(honest).to.have.length(1);
    const [log] = honest;
    for (const lie of [[], [...honest, { ...log, logIndex: "0x9" }], [{ ...log, data: "0x01" }]]) {
      for (const liar of [0, 1]) {
        events.length = 0;
        fault(...proxies.map((_, place) => (place === liar ? answering("eth_getLogs", () => lie) : null)));
        expect(await chain.request("eth_getLogs", [filter])).to.deep.equal(honest);
        expect(await chain.provider.getLogs(filter)).to.have.length(1);
      }
    }
  });

  it("hands on that there are too many logs where too few of them give so many", async () => {
    await connect();
    const range = [{ address: NUMBER_TELLER, fromBlock: "0x1", toBlock: "0x3" }];
    const tooMany: Fault = (request, response) =>
      request.method === "eth_getLogs" &&
      Boolean(response.end(refusal(request, -32_005, "query returned more than 10000 results")));
    fault(tooMany);
    expect(await chain.request("eth_getLogs", range)).to.deep.equal([]);
    fault(tooMany, down);
    const failure = (await failureOf(chain.request("eth_getLogs", range))) as RpcError;
    expect([failure.code, isTooMany(failure)]).to.deep.equal(["RPC_ERROR", true]);
    fault(down, down);
    expect((await failureOf(chain.request("eth_getLogs", range))).code).to.equal("QUORUM_LACKING");
  });

  it("believes no endpoint alone that a transaction landed, or did not, or what a simulation gives", async () => {
    const [from] = (await node.rpc("eth_accounts")) as string[];
    const hash = (await node.rpc("eth_sendTransaction", [{ from, to: NUMBER_TELLER, value: "0x1" }])) as string;
    await node.mine();
    await connect();
    fault(answering("eth_getTransactionReceipt", () => null));
    expect((await chain.provider.getTransactionReceipt(hash))?.status).to.equal(1);
    const receipt = await node.rpc("eth_getTransactionReceipt", [hash]);
    const madeUp = `0x${"77".repeat(32)}`;
    fault(answering("eth_getTransactionReceipt", () => ({ ...(receipt as object), transactionHash: madeUp })));
    expect(await chain.provider.getTransactionReceipt(madeUp)).to.equal(null);
    fault(answering("eth_call", () => word(77)));
    expect(await chain.provider.call({ to: NUMBER_TELLER, blockTag: 4 })).to.equal(word(4));
    fault(answering("eth_getTransactionCount", () => "0xff"));
    expect(await chain.provider.getTransactionCount(from ?? "", 4)).to.equal(0);
  });

  it("gives a revert that they agree on to who called, with its data", async () => {
    const reverter = `0x${"77".repeat(20)}`;
    await node.rpc("anvil_setCode", [reverter, "0x63deadbeef6000526004601cfd"]);
    await node.mine();
    await connect();
    const thrown = (await chain.provider
      .call({ to: reverter, blockTag: await height() })
      .catch((error: unknown) => error)) as {
      code: string;
      data: string;
    };
    expect([thrown.code, thrown.data]).to.deep.equal(["CALL_EXCEPTION", "0xdeadbeef"]);
  });

  it("starts with one endpoint down, tells once when too few are left, and once when enough are back", async () => {
    fault(down);
    await connect();
    expect((await newestBlock(chain)).number).to.equal(await height());
    fault(down, down);
    for (let k = 0; k < 3; k += 1) expect((await failureOf(newestBlock(chain))).code).to.equal("QUORUM_LACKING");
    fault();
    await newestBlock(chain);
    const told = events.flatMap((event) => ("method" in event && event.name !== "quorum.dissent" ? [event.name] : []));
    expect(told).to.deep.equal(["quorum.trouble", "quorum.recovered"]);
  });

  it("refuses an endpoint of another chain at the start, naming it", async () => {
    fault(null, (request, response) => {
      if (request.method !== "eth_chainId") return false;
      response.end(answer(request, "0x1"));
      return true;
    });
    const failure = await failureOf(connect());
    expect([failure.code, failure.field]).to.deep.equal(["CHAIN_WRONG", "chain.rpcUrls[1]"]);
  });
});
