import { expect } from "chai";
import { HDNodeWallet, JsonRpcProvider, Network } from "ethers";
import { LOCAL_ACCOUNT, LOCAL_MNEMONIC } from "../../../deploy/networks/localAccounts";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { RpcError } from "../../../keeper/chain/failures";
import { isTooMany, logsOf, type ChainLog } from "../../../keeper/chain/logs";
import { silent } from "../../../keeper/events/events";
import { faultyNode, refusal, type FaultyNode } from "./fixtures/faultyNode";
import { localNode, type LocalNode } from "./fixtures/localNode";

/** Writes one log without topics or data at every call: PUSH1 0, PUSH1 0, LOG0, STOP. */
const LOGGER = "0x60006000a000";
const ADDRESS = `0x${"88".repeat(20)}`;
const BLOCKS = 12;

describe("logs of a range", function () {
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

  const logs = (fromBlock: number, toBlock: number): Promise<readonly ChainLog[]> =>
    logsOf(chain, { address: ADDRESS, fromBlock, toBlock });
  const failureOf = (fromBlock: number, toBlock: number): Promise<unknown> =>
    logs(fromBlock, toBlock).then(
      () => null,
      (error: unknown) => error,
    );
  /** What the node answers with instead. */
  const answers = (change: (logs: Record<string, unknown>[]) => unknown): void => {
    proxy.fault = (request, response) => {
      if (request.method !== "eth_getLogs") return false;
      void node.rpc("eth_getLogs", request.params).then((result) => {
        const changed = change(result as Record<string, unknown>[]);
        response.end(JSON.stringify({ jsonrpc: "2.0", id: request.id, result: changed }));
      });
      return true;
    };
  };

  it("are those of the range, both ends included, in order", async () => {
    expect((await logs(0, BLOCKS)).map(({ blockNumber }) => blockNumber)).to.deep.equal(expected);
    expect((await logs(4, 7)).map(({ blockNumber }) => blockNumber)).to.deep.equal([4, 7]);
    expect(await logs(5, 6)).to.deep.equal([]);
  });

  it("of too many blocks at a time are refused in a way that says so", async () => {
    proxy.fault = (request, response) =>
      request.method === "eth_getLogs" &&
      Boolean(response.end(refusal(request, -32005, "query returned more than 10000 results")));
    expect(isTooMany(await failureOf(0, BLOCKS))).to.equal(true);
    proxy.fault = (request, response) =>
      request.method === "eth_getLogs" && Boolean(response.end(refusal(request, -32602, "invalid params")));
    const other = await failureOf(0, BLOCKS);
    expect(other).to.be.instanceOf(RpcError);
    expect(isTooMany(other)).to.equal(false);
  });

  const garbage: [string, (logs: Record<string, unknown>[]) => unknown][] = [
    ["null", () => null],
    ["a log of another range", ([first, ...rest]) => [{ ...first, blockNumber: "0x1000" }, ...rest]],
    ["a log that was taken back", ([first, ...rest]) => [{ ...first, removed: true }, ...rest]],
    ["a log without a block", ([first, ...rest]) => [{ ...first, blockNumber: null }, ...rest]],
    ["half a byte of data", ([first, ...rest]) => [{ ...first, data: "0x1" }, ...rest]],
    ["topics that are no words", ([first, ...rest]) => [{ ...first, topics: ["0x12"] }, ...rest]],
  ];
  for (const [name, change] of garbage) {
    it(`are not believed from a node that answers ${name}`, async () => {
      answers(change);
      expect(await failureOf(0, BLOCKS)).to.include({ code: "RPC_GARBAGE" });
    });
  }
});
