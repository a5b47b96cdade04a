import { expect } from "chai";
import { HDNodeWallet, JsonRpcProvider, Network } from "ethers";
import { LOCAL_ACCOUNT, LOCAL_MNEMONIC } from "../../../deploy/networks/localAccounts";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { logsInChunks, type LogChunk } from "../../../keeper/chain/logs";
import { type WorldFailure } from "../../../keeper/config/failure";
import { silent } from "../../../keeper/events/events";
import { faultyNode, refusal, type FaultyNode } from "./fixtures/faultyNode";
import { localNode, type LocalNode } from "./fixtures/localNode";

/** Writes one log without topics or data at every call: PUSH1 0, PUSH1 0, LOG0, STOP. */
const LOGGER = "0x60006000a000";
const ADDRESS = `0x${"88".repeat(20)}`;
const BLOCKS = 60;

describe("logs in chunks", function () {
  this.timeout(60_000);
  let node: LocalNode;
  let proxy: FaultyNode;
  let chain: Chain;
  const expected: number[] = [];

  before(async () => {
    node = await localNode();
    proxy = await faultyNode(node.url);
    chain = await connectChain({
      rpcUrls: [proxy.url],
      expectedChainId: 31_337,
      requestTimeoutMs: 4_000,
      sink: silent,
    });
    await node.rpc("anvil_setCode", [ADDRESS, LOGGER]);
    const network = Network.from(31_337);
    const provider = new JsonRpcProvider(node.url, network, { staticNetwork: network });
    const wallet = HDNodeWallet.fromPhrase(LOCAL_MNEMONIC, undefined, `m/44'/60'/0'/0/${LOCAL_ACCOUNT.trader}`);
    for (let block = 1, nonce = 0; block <= BLOCKS; block += 1) {
      if (block % 3 === 1) {
        expected.push(block);
        await wallet.connect(provider).sendTransaction({ to: ADDRESS, nonce: nonce++, gasLimit: 60_000 });
      }
      await node.mine();
    }
    provider.destroy();
  });
  after(async () => {
    chain.close();
    await proxy.close();
    await node.stop();
  });
  beforeEach(() => {
    proxy.fault = null;
  });

  const all = async (firstChunk: number, signal?: AbortSignal): Promise<LogChunk[]> => {
    const chunks: LogChunk[] = [];
    const filter = { address: ADDRESS, fromBlock: 0, toBlock: BLOCKS };
    for await (const chunk of logsInChunks(chain, filter, { firstChunk, ...(signal ? { signal } : {}) }))
      chunks.push(chunk);
    return chunks;
  };
  const blocksOf = (chunks: LogChunk[]): number[] =>
    chunks.flatMap((chunk) => chunk.logs.map((log) => log.blockNumber));
  const expectSeamless = (chunks: LogChunk[]): void => {
    let next = 0;
    for (const chunk of chunks) {
      expect(chunk.fromBlock).to.equal(next);
      next = chunk.toBlock + 1;
    }
    expect(next).to.equal(BLOCKS + 1);
  };

  /** A provider that gives at most `most` blocks at a time; Infura's words and code. */
  const atMost = (most: number) => {
    proxy.fault = (request, response) => {
      if (request.method !== "eth_getLogs") return false;
      const { fromBlock, toBlock } = request.params[0] as { fromBlock: string; toBlock: string };
      if (Number(toBlock) - Number(fromBlock) < most) return false;
      return Boolean(response.end(refusal(request, -32005, "query returned more than 10000 results")));
    };
  };

  for (const firstChunk of [1, 7, 2_000]) {
    it(`cover the range once, in order, beginning with ${firstChunk} blocks`, async () => {
      const chunks = await all(firstChunk);
      expectSeamless(chunks);
      expect(blocksOf(chunks)).to.deep.equal(expected);
    });
  }

  it("shrink until the node gives them, and grow again", async () => {
    atMost(7);
    const chunks = await all(2_000);
    expectSeamless(chunks);
    expect(blocksOf(chunks)).to.deep.equal(expected);
    expect(Math.max(...chunks.map((chunk) => chunk.toBlock - chunk.fromBlock + 1))).to.be.at.most(7);
    expect(chunks.length).to.be.below(BLOCKS / 2);
  });

  it("are given up, with the block's number, when a single one is refused", async () => {
    atMost(0);
    const failure = await all(4).then(
      () => null,
      (error: unknown) => error as WorldFailure,
    );
    expect(failure?.code).to.equal("LOGS_REFUSED");
    expect(failure?.message).to.contain("block 0");
  });

  it("stop with the signal", async () => {
    const stop = new AbortController();
    proxy.fault = (request) => {
      if (request.method === "eth_getLogs") stop.abort();
      return false;
    };
    expect(await all(5, stop.signal)).to.have.length(1);
  });
});
