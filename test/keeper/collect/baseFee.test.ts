// What gas cost in a block of the local chain, and what a node can answer instead.
import { expect } from "chai";
import { Wallet, JsonRpcProvider, Network } from "ethers";
import { localWallet } from "../../../deploy/networks/localWallet";
import type { Chain } from "../../../keeper/chain/connect";
import { blockAt, type Head } from "../../../keeper/chain/heads";
import { blockFees } from "../../../keeper/collect/baseFee";
import type { WorldFailure } from "../../../keeper/config/failure";
import { answer, faultyNode, refusal, type FaultyNode } from "../chain/fixtures/faultyNode";
import { localNode, type LocalNode } from "../chain/fixtures/localNode";
import { connectTo } from "./localVenues";

const GWEI = 1_000_000_000n;

describe("fees of a block", function () {
  this.timeout(60_000);
  let node: LocalNode;
  let proxy: FaultyNode;
  let chain: Chain;
  let head: Head;

  before(async () => {
    node = await localNode();
    proxy = await faultyNode(node.url);
    chain = await connectTo(proxy.url);
    const network = Network.from(31_337);
    const provider = new JsonRpcProvider(node.url, network, { staticNetwork: network });
    const wallet = new Wallet(localWallet("trader").privateKey, provider);
    for (const [nonce, tip] of [1n, 2n, 3n].entries()) {
      const fees = { maxPriorityFeePerGas: tip * GWEI, maxFeePerGas: 100n * GWEI };
      await wallet.sendTransaction({ to: wallet.address, nonce, gasLimit: 21_000, ...fees });
    }
    await node.mine();
    provider.destroy();
    head = await latest();
  });
  after(async () => {
    chain.close();
    await proxy.close();
    await node.stop();
  });
  beforeEach(() => {
    proxy.fault = null;
  });

  const latest = async (): Promise<Head> => {
    const block = await blockAt(chain, "latest");
    if (block === null) throw new Error("the node has a newest block");
    return block;
  };
  const answering = (change: Record<string, unknown> | null): void => {
    const genuine = {
      oldestBlock: `0x${head.number.toString(16)}`,
      baseFeePerGas: [`0x${head.baseFeePerGas.toString(16)}`, "0x64"],
      gasUsedRatio: [0.5],
      reward: [["0x1", "0x2", "0x3"]],
    };
    proxy.fault = (request, response) =>
      request.method === "eth_feeHistory" &&
      Boolean(response.end(answer(request, change === null ? null : { ...genuine, ...change })));
  };
  const failure = async (at: Head = head): Promise<string> =>
    blockFees.read(chain, at).then(
      () => expect.fail("nothing was thrown"),
      (error: unknown) => (error as WorldFailure).code,
    );

  it("are its base fee, the next block's, and what transactions paid on top", async () => {
    const { state, rates } = await blockFees.read(chain, head);
    await node.mine();
    const next = await latest();
    expect(state).to.deep.include({
      baseFeePerGas: String(head.baseFeePerGas),
      nextBaseFeePerGas: String(next.baseFeePerGas),
      priorityFeePerGas: [GWEI, 2n * GWEI, 3n * GWEI].map(String),
      percentiles: [10, 50, 90],
    });
    expect(state["gasUsedRatio"]).to.be.closeTo((3 * 21_000) / 60_000_000, 1e-9);
    expect(rates).to.equal(null);
  });

  it("have no tips where the block is empty, or the node keeps none", async () => {
    await node.mine();
    expect((await blockFees.read(chain, await latest())).state["priorityFeePerGas"]).to.equal(null);
    answering({ reward: null });
    expect((await blockFees.read(chain, head)).state).to.deep.include({ priorityFeePerGas: null, gasUsedRatio: 0.5 });
  });

  it("are the header's alone where the node has no history of fees", async () => {
    const alone = { baseFeePerGas: String(head.baseFeePerGas), nextBaseFeePerGas: null, priorityFeePerGas: null };
    answering(null);
    expect((await blockFees.read(chain, head)).state).to.deep.include(alone);
    proxy.fault = (request, response) =>
      request.method === "eth_feeHistory" && Boolean(response.end(refusal(request, -32_601, "no such method")));
    expect((await blockFees.read(chain, head)).state).to.deep.include(alone);
  });

  it("fail rather than lack their tips when the node fails for once", async () => {
    proxy.fault = (request, response) =>
      request.method === "eth_feeHistory" && Boolean(response.end(refusal(request, -32_603, "internal error")));
    expect(await failure()).to.equal("RPC_ERROR");
  });

  it("are not another block's: of that height on another chain, or of another height", async () => {
    answering({ baseFeePerGas: ["0x7", "0x8"] });
    expect(await failure()).to.equal("BLOCK_GONE");
    answering({ oldestBlock: "0x0" });
    expect(await failure()).to.equal("BLOCK_GONE");
    proxy.fault = null;
    expect(await failure({ ...head, number: head.number + 1_000 })).to.equal("BLOCK_GONE");
  });

  const own = (): string => `0x${head.baseFeePerGas.toString(16)}`;
  const garbage: [string, Record<string, unknown> | (() => Record<string, unknown>)][] = [
    ["no next base fee", () => ({ baseFeePerGas: [own()] })],
    ["a fee that is no number", () => ({ baseFeePerGas: [own(), "seven"] })],
    ["a block more than full", { gasUsedRatio: [1.5] }],
    ["a ratio that is none", { gasUsedRatio: [null] }],
    ["fewer tips than were asked for", { reward: [["0x1"]] }],
    ["tips that are no list", { reward: [7] }],
  ];
  for (const [what, change] of garbage) {
    it(`are refused with ${what}`, async () => {
      answering(typeof change === "function" ? change() : change);
      expect(await failure()).to.equal("RPC_GARBAGE");
    });
  }
});
