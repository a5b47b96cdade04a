import { expect } from "chai";
import { HDNodeWallet } from "ethers";
import { setTimeout as sleep } from "node:timers/promises";
import { LOCAL_ACCOUNT, LOCAL_MNEMONIC } from "../../../deploy/networks/localAccounts";
import { connectChain, type Chain, type ChainOptions } from "../../../keeper/chain/connect";
import { RpcError } from "../../../keeper/chain/failures";
import { blockAt } from "../../../keeper/chain/heads";
import { Failure, InputFailure, WorldFailure } from "../../../keeper/config/failure";
import { silent, type KeeperEvent } from "../../../keeper/events/events";
import { HandClock } from "./fixtures/clocks";
import { answer, down, faultyNode, refusal, respond, type Fault, type FaultyNode } from "./fixtures/faultyNode";
import { localNode, type LocalNode } from "./fixtures/localNode";

const CHAIN = 31_337;
/** Reverts with the data 0xdeadbeef: PUSH4, MSTORE, REVERT of its last 4 bytes. */
const REVERTS = "0x63deadbeef6000526004601cfd";
const REVERTER = `0x${"77".repeat(20)}`;

async function failureOf(action: Promise<unknown>): Promise<Failure> {
  try {
    await action;
  } catch (error) {
    expect(error).to.be.instanceOf(Failure);
    return error as Failure;
  }
  throw new Error("it succeeded");
}

describe("the connection to a chain", function () {
  this.timeout(60_000);
  let node: LocalNode;
  const chains: Chain[] = [];
  const faulty: FaultyNode[] = [];

  before(async () => {
    node = await localNode();
    await node.mine(3);
    await node.rpc("anvil_setCode", [REVERTER, REVERTS]);
  });
  after(() => node.stop());
  afterEach(async () => {
    for (const chain of chains.splice(0)) chain.close();
    await Promise.all(faulty.splice(0).map((each) => each.close()));
  });

  const proxy = async (fault: Fault | null = null): Promise<FaultyNode> => {
    const made = await faultyNode(node.url, fault);
    faulty.push(made);
    return made;
  };
  const connect = async (rpcUrls: string[], options: Partial<ChainOptions> = {}): Promise<Chain> => {
    const chain = await connectChain({
      rpcUrls,
      expectedChainId: CHAIN,
      requestTimeoutMs: 2_000,
      sink: silent,
      ...options,
    });
    chains.push(chain);
    return chain;
  };

  it("refuses an endpoint of another chain and names both", async () => {
    const failure = await failureOf(connect([node.url], { expectedChainId: 1 }));
    expect(failure).to.be.instanceOf(InputFailure);
    expect(failure.code).to.equal("CHAIN_WRONG");
    expect(failure.field).to.equal("chain.rpcUrls[0]");
    expect(failure.message).to.contain("31337").and.to.contain("chain 1");
  });

  it("refuses a second endpoint of another chain, although the first is right", async () => {
    const other = await proxy((request, response) => {
      if (request.method !== "eth_chainId") return false;
      response.end(answer(request, "0x1"));
      return true;
    });
    expect((await failureOf(connect([node.url, other.url]))).field).to.equal("chain.rpcUrls[1]");
  });

  it("refuses a chain that was started afresh, with the same id", async () => {
    await connect([node.url], { genesisHash: node.genesisHash });
    const failure = await failureOf(connect([node.url], { genesisHash: `0x${"12".repeat(32)}` }));
    expect(failure.code).to.equal("CHAIN_STARTED_AFRESH");
  });

  it("says in one line that nothing answers, without the path of the URL", async () => {
    const gone = await proxy(down);
    const failure = await failureOf(
      connect([`${gone.url}/v2/SECRETKEY`.replace("127.0.0.1", "localhost.localdomain")]),
    );
    expect(failure).to.be.instanceOf(WorldFailure);
    expect(failure.code).to.equal("RPC_UNREACHABLE");
    expect(failure.line()).not.to.contain("SECRETKEY");
  });

  const faults: [string, Fault][] = [
    ["is down", down],
    ["answers with HTML", respond(200, "<html>gateway</html>")],
    ["answers with something that is no JSON-RPC", respond(200, '{"hello":1}')],
    ["answers with half a document", respond(200, '{"jsonrpc":"2.0","id":1,"resu')],
    ["answers with HTTP 500", respond(500, "{}")],
    ["answers with HTTP 429", respond(429, "{}")],
    ["does not answer at all", () => true],
    [
      "says that the limit is exceeded",
      (request, response) => Boolean(response.end(refusal(request, -32005, "limit exceeded"))),
    ],
  ];
  for (const [what, fault] of faults) {
    it(`asks the next endpoint when the preferred one ${what}`, async () => {
      const first = await proxy();
      const chain = await connect([first.url, node.url], { requestTimeoutMs: 300 });
      first.fault = fault;
      expect(await chain.request("eth_blockNumber", [])).to.equal(await node.rpc("eth_blockNumber"));
      const asked = first.seen.length;
      await chain.request("eth_blockNumber", []);
      expect(first.seen.length, "it rests after its failure").to.equal(asked);
    });
  }

  it("asks the next endpoint when the preferred one has a block of a time to come, and takes none such of a single one", async () => {
    const head = await blockAt(await connect([node.url]), "latest");
    if (head === null) throw new Error("no head");
    const clock = new HandClock((head.timestamp - 5) * 1_000);
    const ahead: Fault = (request, response) => {
      if (!/^eth_getBlock/.test(request.method)) return false;
      void node.rpc(request.method, request.params).then((block) => {
        const timestamp = `0x${(head.timestamp + 60).toString(16)}`;
        response.end(answer(request, { ...(block as object), timestamp }));
      });
      return true;
    };
    const first = await proxy(ahead);
    const both = await connect([first.url, node.url], { aheadSeconds: 60, clock });
    expect((await blockAt(both, "latest"))?.timestamp).to.equal(head.timestamp);
    expect(first.seen.map(({ method }) => method)).to.include("eth_getBlockByNumber");

    const events: KeeperEvent[] = [];
    const alone = await connect([first.url], {
      ...{ aheadSeconds: 60, clock },
      sink: { emit: (event) => void events.push(event) },
    });
    const failure = await failureOf(blockAt(alone, { hash: head.hash }));
    expect(failure.code).to.equal("RPC_UNREACHABLE");
    expect(failure.line()).to.contain("a block of 65 s from now, by this machine's clock");
    await clock.turnTo(head.timestamp * 1_000);
    expect((await blockAt(alone, "latest"))?.timestamp).to.equal(head.timestamp + 60);
    expect(events.map((event) => event.name)).to.deep.equal(["rpc.trouble", "rpc.recovered"]);
    expect((await blockAt(await connect([first.url]), "latest"))?.timestamp).to.equal(head.timestamp + 60);
  });

  it("goes back to the preferred endpoint when that has rested", async () => {
    const first = await proxy();
    const chain = await connect([first.url, node.url]);
    first.fault = down;
    await chain.request("eth_blockNumber", []);
    first.fault = null;
    const asked = first.seen.length;
    await sleep(700);
    await chain.request("eth_blockNumber", []);
    expect(first.seen.length).to.equal(asked + 1);
  });

  it("works when the second endpoint is down at the start, and never trusts it if it turns out to be of another chain", async () => {
    const second = await proxy(down);
    const first = await proxy();
    const events: KeeperEvent[] = [];
    const chain = await connect([first.url, second.url], { sink: { emit: (event) => void events.push(event) } });
    second.fault = (request, response) => {
      const result = request.method === "eth_chainId" ? "0x1" : "0x7777";
      return Boolean(response.end(answer(request, result)));
    };
    first.fault = down;
    expect((await failureOf(chain.request("eth_blockNumber", []))).code).to.equal("RPC_UNREACHABLE");
    expect(events.map((event) => "code" in event && event.code)).to.include("CHAIN_WRONG");
    expect(second.seen.map((request) => request.method)).not.to.include("eth_blockNumber");
  });

  it("reports an outage once and its end once", async () => {
    const only = await proxy();
    const events: KeeperEvent[] = [];
    const chain = await connect([only.url], { sink: { emit: (event) => void events.push(event) } });
    only.fault = down;
    for (let i = 0; i < 4; i += 1)
      expect((await failureOf(chain.request("eth_blockNumber", []))).code).to.equal("RPC_UNREACHABLE");
    only.fault = null;
    await chain.request("eth_blockNumber", []);
    await chain.request("eth_blockNumber", []);
    expect(events.map((event) => event.name)).to.deep.equal(["rpc.trouble", "rpc.recovered"]);
  });

  it("hands a node's own error on, with a revert's data, and asks no other endpoint for it", async () => {
    const second = await proxy();
    const chain = await connect([node.url, second.url]);
    const asked = second.seen.length;
    const failure = (await failureOf(chain.call({ to: REVERTER, data: "0x" }, "latest"))) as RpcError;
    expect(failure).to.be.instanceOf(RpcError);
    expect(failure.data).to.equal("0xdeadbeef");
    expect(second.seen.length).to.equal(asked);
  });

  it("pins a call to a block by its hash, also when a node takes only numbers", async () => {
    const head = await blockAt(await connect([node.url]), 2);
    if (head === null) throw new Error("no block 2");
    /** Returns the block's number. */
    const code = "0x4360005260206000f3";
    const overrides = `0x${"66".repeat(20)}`;
    await node.rpc("anvil_setCode", [overrides, code]);
    await node.mine();
    const at = await blockAt(await connect([node.url]), "latest");
    if (at === null) throw new Error("no head");
    await node.mine();
    const modern = await proxy();
    expect(Number(await (await connect([modern.url])).call({ to: overrides, data: "0x" }, at))).to.equal(at.number);
    expect(modern.seen.at(-1)?.params[1]).to.deep.include({ blockHash: at.hash });
    const old = await proxy((request, response) => {
      if (typeof request.params[1] !== "object") return false;
      return Boolean(response.end(refusal(request, -32602, "invalid argument 1: cannot unmarshal object")));
    });
    const chain = await connect([old.url]);
    for (let i = 0; i < 2; i += 1)
      expect(Number(await chain.call({ to: overrides, data: "0x" }, at))).to.equal(at.number);
    expect(old.seen.filter((request) => typeof request.params[1] === "object")).to.have.length(1);
  });

  it("serves ethers itself: a signed transaction through the provider", async () => {
    const chain = await connect([node.url]);
    const wallet = HDNodeWallet.fromPhrase(LOCAL_MNEMONIC, undefined, `m/44'/60'/0'/0/${LOCAL_ACCOUNT.trader}`);
    const sent = await wallet.connect(chain.provider).sendTransaction({ to: wallet.address, value: 1n });
    await node.mine();
    expect((await chain.provider.getTransactionReceipt(sent.hash))?.status).to.equal(1);
  });
});
