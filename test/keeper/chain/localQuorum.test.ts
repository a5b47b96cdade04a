// The quorum and the lookup of blocks over a real node, behind proxies that lie, lag, hang and are dead.
import { expect } from "chai";
import { type Chain, connectChain } from "../../../keeper/chain/connect";
import { blockAt } from "../../../keeper/chain/heads";
import { chainBlocks } from "../../../keeper/collect/chainBlocks";
import { Quorum, type QuorumEndpoint } from "../../../keeper/chain/quorum";
import { type KeeperEvent, silent } from "../../../keeper/events/events";
import { type Fault, type FaultyNode, answer, down, faultyNode, refusal } from "./fixtures/faultyNode";
import { type LocalNode, localNode } from "./fixtures/localNode";

/** Answers the number of its block: NUMBER, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN. */
const NUMBER_TELLER = `0x${"99".repeat(20)}`;
const CODE = "0x4360005260206000f3";
const word = (value: number): string => `0x${value.toString(16).padStart(64, "0")}`;

interface Endpoint extends QuorumEndpoint {
  readonly chain: Chain;
}
const told = (quorum: Quorum<Endpoint>, block: unknown): Promise<unknown> =>
  quorum.agree("eth_call", ({ chain }) => chain.request("eth_call", [{ to: NUMBER_TELLER, data: "0x" }, block]));

const onCalls =
  (fault: Fault): Fault =>
  (request, response) =>
    request.method === "eth_call" && fault(request, response);
const lie = onCalls((request, response) => {
  response.writeHead(200, { "content-type": "application/json" }).end(answer(request, word(12_345)));
  return true;
});
const lag = onCalls((request, response) => {
  response.writeHead(200, { "content-type": "application/json" }).end(refusal(request, -32_000, "header not found"));
  return true;
});
const hang = onCalls(() => true);

describe("endpoints of a real chain", function () {
  this.timeout(60_000);
  let node: LocalNode;
  const chains: Chain[] = [];
  const proxies: FaultyNode[] = [];

  before(async () => {
    node = await localNode();
    await node.rpc("anvil_setCode", [NUMBER_TELLER, CODE]);
    await node.mine(5);
  });
  after(() => node.stop());
  afterEach(async () => {
    for (const chain of chains.splice(0)) chain.close();
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });

  async function connected(url: string): Promise<Chain> {
    const chain = await connectChain({
      rpcUrls: [url],
      expectedChainId: 31_337,
      requestTimeoutMs: 1_000,
      sink: silent,
    });
    chains.push(chain);
    return chain;
  }

  async function quorumOf(faults: readonly (Fault | null)[], sink = silent): Promise<Quorum<Endpoint>> {
    const endpoints = [];
    for (const [index, fault] of faults.entries()) {
      const proxy = await faultyNode(node.url);
      proxies.push(proxy);
      const chain = await connected(proxy.url);
      proxy.fault = fault;
      endpoints.push({ name: `endpoint ${index}`, chain });
    }
    return new Quorum({ endpoints, needed: Math.floor(faults.length / 2) + 1, timeoutMs: 300, sink });
  }

  it("agree on what is pinned to a block, however far the chain went on", async () => {
    const quorum = await quorumOf([null, null, null]);
    const head = await blockAt(await connected(node.url), 3);
    expect(head?.number).to.equal(3);
    const block = { blockHash: head?.hash, requireCanonical: true };
    expect(await told(quorum, block)).to.equal(word(3));
  });

  it("outvote those that lie, lag, hang or are dead", async () => {
    const events: KeeperEvent[] = [];
    const sink = { emit: (event: KeeperEvent) => void events.push(event) };
    const quorum = await quorumOf([lie, lag, hang, down, null, null, null, null, null], sink);
    const read = (): Promise<unknown> => told(quorum, "0x4");
    expect(await read()).to.equal(word(4));
    const dissents = events.flatMap((event) => (event.name === "quorum.dissent" ? [event.dissent] : []));
    // The one that lags is not told of before it does so again.
    expect(dissents).to.have.members(["disagreed", "silent", "failed"]);
    expect(await read()).to.equal(word(4));
    expect(events).to.have.length(3);
  });

  it("give blocks with their transactions in order, and null for those that are not there", async () => {
    const to = `0x${"55".repeat(20)}`;
    const [from] = (await node.rpc("eth_accounts")) as string[];
    await node.rpc("evm_setAutomine", [false]);
    const hashes = [];
    for (let index = 0; index < 3; index += 1) {
      hashes.push(await node.rpc("eth_sendTransaction", [{ from, to, value: "0x1" }]));
    }
    await node.mine();
    const chain = await connected(node.url);
    const head = await blockAt(chain, "latest");
    const blocks = chainBlocks(chain);
    const block = await blocks(head?.number ?? 0);
    expect(block).to.deep.equal({
      number: head?.number,
      hash: head?.hash,
      timestamp: head?.timestamp,
      transactions: hashes,
    });
    expect(await blocks((head?.number ?? 0) + 100)).to.equal(null);
  });

  it("are refused as lookups of blocks where they answer another block", async () => {
    const proxy = await faultyNode(node.url);
    proxies.push(proxy);
    const chain = await connected(proxy.url);
    const other = await node.rpc("eth_getBlockByNumber", ["0x1", false]);
    proxy.fault = (request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(answer(request, other));
      return true;
    };
    const failure = await chainBlocks(chain)(2).catch((error: unknown) => error);
    expect(failure).to.have.property("code", "RPC_GARBAGE");
  });
});
