// Events of the genuine Uniswap V3 on the local chain, beside what the pool, the blocks and the receipts say; and what a node
// can do to a chunk.
import { expect } from "chai";
import { Contract, type ContractTransactionReceipt } from "ethers";
import type { Chain } from "../../../keeper/chain/connect";
import type { RangeRows } from "../../../keeper/collect/rangeSource";
import { collectUniswapEvents } from "../../../keeper/collect/uniswapEvents";
import { decodePoolLog, priceImpacts } from "../../../keeper/collect/uniswapLogs";
import type { WorldFailure } from "../../../keeper/config/failure";
import { npmArtifact } from "../../../scripts/localnet/protocols/npmArtifact";
import { SWAP_ROUTER, UNISWAP_POOL } from "../../../scripts/localnet/protocols/uniswap";
import { UNISWAP_FEE_PIPS } from "../../../scripts/localnet/protocols/parameters";
import {
  answer,
  faultyNode,
  refusal,
  type Fault,
  type FaultyNode,
  type RpcRequest,
} from "../chain/fixtures/faultyNode";
import { startTemporaryChain, type TemporaryChain } from "../../scripts/localnet/temporaryChain";
import { connectTo } from "./localVenues";

const USDC = 1_000_000n;
const GAS = { gasLimit: 1_000_000, maxFeePerGas: 200_000_000_000n, maxPriorityFeePerGas: 1_500_000_000n };

describe("events of Uniswap V3 pools", function () {
  this.timeout(120_000);
  let local: TemporaryChain;
  let proxy: FaultyNode;
  let chain: Chain;
  let pool: Contract;
  let from: number;
  let to: number;
  const swaps: ContractTransactionReceipt[] = [];

  before(async () => {
    local = await startTemporaryChain();
    const { uniswap, tokens } = local.protocols;
    pool = new Contract(uniswap.usdcUsdtPool, npmArtifact(UNISWAP_POOL).abi, local.provider);
    const trader = local.signer("trader");
    const router = new Contract(uniswap.swapRouter, npmArtifact(SWAP_ROUTER).abi, trader);
    const swap = async (tokenIn: string, tokenOut: string, amountIn: bigint): Promise<void> => {
      const order = {
        ...{ tokenIn, tokenOut, fee: UNISWAP_FEE_PIPS, recipient: trader.address, amountIn },
        ...{ amountOutMinimum: 0, sqrtPriceLimitX96: 0 },
      };
      const sent = await router.getFunction("exactInputSingle").send(order, GAS);
      swaps.push((await sent.wait(1, 20_000)) as ContractTransactionReceipt);
    };
    await local.pass(12);
    from = (await local.provider.getBlockNumber()) + 1;
    await swap(tokens.usdc, tokens.usdt, 20_000n * USDC);
    await local.pass(60);
    // Two in one block.
    await local.automine(false);
    const nonce = await trader.getNonce();
    const order = (tokenIn: string, tokenOut: string, amountIn: bigint) => [
      ...[{ tokenIn, tokenOut, fee: UNISWAP_FEE_PIPS, recipient: trader.address, amountIn, amountOutMinimum: 0 }],
    ];
    const both = await Promise.all(
      [10_000n, 5_000n].map((amount, place) =>
        router
          .getFunction("exactInputSingle")
          .send(
            { ...order(tokens.usdt, tokens.usdc, amount * USDC)[0], sqrtPriceLimitX96: 0 },
            { ...GAS, nonce: nonce + place },
          ),
      ),
    );
    await local.pass(12);
    for (const sent of both) swaps.push((await sent.wait(1, 20_000)) as ContractTransactionReceipt);
    await local.automine(true);
    await local.pass(12);
    await local.pass(12);
    to = await local.provider.getBlockNumber();
    proxy = await faultyNode(local.chain.url);
    chain = await connectTo(proxy.url);
  });
  after(async () => {
    chain?.close();
    await proxy?.close();
    await local?.end();
  });
  beforeEach(() => {
    proxy.fault = null;
    proxy.seen.length = 0;
  });

  const collect = (range: { from: number; to: number } = { from, to }): Promise<RangeRows> =>
    collectUniswapEvents(chain, { pools: [local.protocols.uniswap.usdcUsdtPool], ...range });
  const failure = async (work: Promise<unknown>): Promise<WorldFailure> =>
    work.then(
      () => expect.fail("nothing was thrown"),
      (error: unknown) => error as WorldFailure,
    );
  const refuse =
    (method: string, code: number, message: string): Fault =>
    (request, response) =>
      request.method === method && Boolean(response.end(refusal(request, code, message)));
  const priceAt = async (block: number): Promise<bigint> =>
    ((await pool.getFunction("slot0")({ blockTag: block })) as bigint[])[0] ?? 0n;

  it("are each swap's amounts, price, liquidity, time, gas and place, as chain, pool and receipt say", async () => {
    const { rows, toHash } = await collect();
    expect(rows.map(({ kind }) => kind)).to.deep.equal(["swap", "swap", "swap"]);
    expect(toHash).to.equal((await local.provider.getBlock(to))?.hash);
    for (const [place, receipt] of swaps.entries()) {
      const block = await local.provider.getBlock(receipt.blockNumber);
      const [log] = await pool
        .queryFilter("Swap", receipt.blockNumber, receipt.blockNumber)
        .then((logs) => logs.filter((each) => each.transactionHash === receipt.hash));
      const said = pool.interface.parseLog(log!)!.args;
      expect(rows[place]).to.deep.include({
        ...{ chainId: 31_337, source: "uniswap-v3", kind: "swap" },
        ...{ block: receipt.blockNumber, blockHash: receipt.blockHash, txHash: receipt.hash },
        ...{ txIndex: receipt.index, logIndex: log!.index },
        ...{ observedAt: block?.timestamp, availableAt: block?.timestamp },
        pool: local.protocols.uniswap.usdcUsdtPool.toLowerCase(),
        sender: String(said["sender"]).toLowerCase(),
        recipient: String(said["recipient"]).toLowerCase(),
        amount0: String(said["amount0"]),
        amount1: String(said["amount1"]),
        sqrtPriceX96: String(said["sqrtPriceX96"]),
        liquidity: String(said["liquidity"]),
        tick: Number(said["tick"]),
        ...{ tickLower: null, tickUpper: null },
        gasUsed: String(receipt.gasUsed),
        gasPriceWei: String(receipt.gasPrice),
      });
    }
  });

  it("have the price impact from the state before the range, then from swap to swap", async () => {
    const { rows } = await collect();
    const before = await priceAt(from - 1);
    const prices = [before, ...rows.map((row) => BigInt(row.sqrtPriceX96 ?? 0))].map(Number);
    rows.forEach((row, place) => {
      const moved = ((prices[place + 1]! / prices[place]!) ** 2 - 1) * 1e4;
      expect(row.priceImpactBps).to.be.closeTo(moved, 1e-6);
      expect(Math.abs(moved)).to.be.above(1e-4);
    });
    expect(prices.at(-1)).to.equal(Number(await priceAt(to)));
    // There and back.
    expect(Math.sign(rows[0]!.priceImpactBps!)).to.equal(-Math.sign(rows[1]!.priceImpactBps!));
  });

  it("are the same in two chunks as in one", async () => {
    const middle = swaps[0]!.blockNumber;
    const parts = [await collect({ from, to: middle }), await collect({ from: middle + 1, to })];
    expect(parts.flatMap(({ rows }) => rows)).to.deep.equal((await collect()).rows);
  });

  it("are mints and burns with their range, what goes out negative", async () => {
    const { rows } = await collectUniswapEvents(chain, {
      pools: [local.protocols.uniswap.usdcUsdtPool],
      ...{ from: 0, to, availableAt: 4_000_000_000 },
    });
    const mints = rows.filter(({ kind }) => kind === "mint");
    const said = await pool.queryFilter("Mint", 0, to);
    expect(mints).to.have.length(said.length).and.not.have.length(0);
    mints.forEach((row, place) => {
      const { args } = pool.interface.parseLog(said[place]!)!;
      expect(row).to.deep.include({
        sender: String(args["sender"]).toLowerCase(),
        recipient: String(args["owner"]).toLowerCase(),
        amount0: String(args["amount0"]),
        amount1: String(args["amount1"]),
        liquidity: String(args["amount"]),
        ...{ tickLower: Number(args["tickLower"]), tickUpper: Number(args["tickUpper"]) },
        ...{ tick: null, sqrtPriceX96: null, priceImpactBps: null, availableAt: 4_000_000_000 },
      });
    });
    // The pool's first swap has a price before it only where a swap came first in the range: it began within.
    expect(rows.find(({ kind }) => kind === "swap")?.priceImpactBps).to.equal(null);

    const burn = pool.interface.encodeEventLog("Burn", [A("5"), -60, 60, 7n, 8n, 9n]);
    expect(decodePoolLog({ ...plainLog, ...burn })).to.deep.equal({
      ...{ kind: "burn", sender: A("5"), recipient: null, amount0: "-8", amount1: "-9", liquidity: "7" },
      ...{ sqrtPriceX96: null, tick: null, tickLower: -60, tickUpper: 60 },
    });
  });

  const stateless: [string, number, string][] = [
    ["go-ethereum", -32_000, "missing trie node 53a9 (path ) state 0x53a9 is not available"],
    ["Erigon", -32_000, "block 5 is too old: state was pruned"],
    ["anvil", -32_602, "BlockOutOfRangeError: block height is 400 but requested was 5"],
    ["a provider", -32_000, "historical state unavailable: use an archive node"],
    ["a chain where the pool was not there yet", 3, "execution reverted"],
  ];
  for (const [who, code, message] of stateless) {
    it(`have null for the first price where the node has no such state, as ${who}`, async () => {
      proxy.fault = refuse("eth_call", code, message);
      const { rows } = await collect();
      expect(rows[0]?.priceImpactBps).to.equal(null);
      expect(rows[1]?.priceImpactBps).to.be.a("number");
    });
  }

  it("take one request of receipts a block where the node has that, else one a transaction, else none", async () => {
    const count = (method: string): number => proxy.seen.filter((request) => request.method === method).length;
    const whole = await collect();
    expect([count("eth_getBlockReceipts"), count("eth_getTransactionReceipt")]).to.deep.equal([2, 0]);
    proxy.fault = refuse("eth_getBlockReceipts", -32_601, "the method does not exist");
    expect(await collect()).to.deep.equal(whole);
    expect(count("eth_getTransactionReceipt")).to.equal(3);
    proxy.fault = (request, response) => /Receipt/.test(request.method) && Boolean(response.end(answer(request, null)));
    const without = await collect();
    expect(without.rows.map(({ gasUsed, gasPriceWei }) => [gasUsed, gasPriceWei])).to.deep.equal(
      whole.rows.map(() => [null, null]),
    );
  });

  /** The logs as the node has them, each changed. */
  const withLogs =
    (change: (log: Record<string, unknown>, place: number) => object): Fault =>
    (request, response) => {
      if (request.method !== "eth_getLogs") return false;
      void local.provider.send(request.method, [...request.params]).then((logs: Record<string, unknown>[]) => {
        response.end(answer(request, logs.map(change)));
      });
      return true;
    };
  const headersAsked = (): number => proxy.seen.filter(({ method }) => method === "eth_getBlockByNumber").length;

  it("take the times that logs state, where the first and the last of them are those of their blocks", async () => {
    const wide = { from: 0, to };
    const said = await local.provider.getLogs({ address: local.protocols.uniswap.usdcUsdtPool, fromBlock: 0 });
    expect(new Set(said.map(({ blockNumber }) => blockNumber)).size, "blocks with logs").to.be.above(2);
    const stated = await collect(wide);
    expect(headersAsked(), "the range's last one twice, and two").to.equal(4);
    for (const { block, observedAt } of stated.rows) {
      expect(observedAt).to.equal((await local.provider.getBlock(block))?.timestamp);
    }
  });

  const times: [string, (log: Record<string, unknown>, place: number) => unknown][] = [
    ["states none", () => undefined],
    ["states zero", () => "0x0"],
    ["states them in decimal", ({ blockTimestamp }) => String(Number(blockTimestamp))],
    ["states those of later blocks", ({ blockTimestamp }) => `0x${(Number(blockTimestamp) + 12).toString(16)}`],
    [
      "is wrong of the last one alone",
      ({ blockNumber, blockTimestamp }) =>
        blockNumber === `0x${swaps.at(-1)!.blockNumber.toString(16)}`
          ? `0x${(Number(blockTimestamp) + 1).toString(16)}`
          : blockTimestamp,
    ],
    [
      "states two of one block",
      ({ transactionHash, blockTimestamp }) =>
        transactionHash === swaps[1]!.hash ? `0x${(Number(blockTimestamp) - 1).toString(16)}` : blockTimestamp,
    ],
    ["goes back in time", ({ blockTimestamp }, place) => (place === 1 ? "0x1" : blockTimestamp)],
    ["is ahead of the range", ({ blockTimestamp }, place) => (place === 1 ? "0xffffffffff" : blockTimestamp)],
  ];
  for (const [what, change] of times) {
    it(`have the times of their blocks' headers where a node ${what}`, async () => {
      const { rows } = await collect({ from: 0, to });
      proxy.fault = withLogs((log, place) => ({ ...log, blockTimestamp: change(log, place) }));
      proxy.seen.length = 0;
      expect((await collect({ from: 0, to })).rows).to.deep.equal(rows);
      const blocks = new Set(rows.map(({ block }) => block)).size;
      expect(headersAsked(), "each block's").to.be.at.least(blocks + 2);
    });
  }

  it("ask for the headers of blocks whose receipts do not show that they are the chain's", async () => {
    for (const receipts of [null, []]) {
      proxy.seen.length = 0;
      proxy.fault = (request, response) =>
        /Receipt/.test(request.method) && Boolean(response.end(answer(request, receipts)));
      const { rows } = await collect({ from: 0, to });
      expect(headersAsked()).to.be.at.least(new Set(rows.map(({ block }) => block)).size + 2);
    }
    proxy.fault = withLogs((log, place) => (place === 1 ? { ...log, blockHash: `0x${"ab".repeat(32)}` } : log));
    expect((await failure(collect({ from: 0, to }))).code).to.equal("CHUNK_REORGED");
  });

  for (const method of ["eth_call", "eth_getBlockReceipts", "eth_getTransactionReceipt", "eth_getBlockByNumber"]) {
    it(`fail rather than come out otherwise when ${method} fails for once`, async () => {
      proxy.fault = (request, response) => {
        if (method === "eth_getTransactionReceipt" && request.method === "eth_getBlockReceipts") {
          return Boolean(response.end(refusal(request, -32_601, "the method does not exist")));
        }
        return request.method === method && Boolean(response.end(refusal(request, -32_603, "internal error")));
      };
      expect((await failure(collect())).code).to.equal("RPC_ERROR");
    });
  }

  it("ask for nothing more than the range where nothing happened", async () => {
    const { rows, toHash } = await collect({ from: to, to });
    expect([rows, toHash]).to.deep.equal([[], (await local.provider.getBlock(to))?.hash]);
    expect(proxy.seen.map(({ method }) => method)).to.deep.equal([
      ...["eth_getBlockByNumber", "eth_getLogs", "eth_getBlockByNumber"],
    ]);
  });

  const refusals: [string, number, string][] = [
    ["Infura", -32_005, "query returned more than 10000 results"],
    ["Alchemy", -32_602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range"],
    ["QuickNode", -32_614, "eth_getLogs is limited to a 10,000 range"],
    ["Ankr", -32_000, "block range is too wide"],
    ["Erigon", -32_000, "query timeout exceeded"],
  ];
  for (const [who, code, message] of refusals) {
    it(`say that there are too many when the node does, as ${who}`, async () => {
      proxy.fault = refuse("eth_getLogs", code, message);
      expect((await failure(collect())).code).to.equal("LOGS_TOO_MANY");
    });
  }

  const limits: [string, number, string][] = [
    ["Infura", -32_005, "daily request count exceeded, request rate limited"],
    ["Alchemy", 429, "Your app has exceeded its compute units per second capacity"],
  ];
  for (const [who, code, message] of limits) {
    it(`take a limit of requests for the endpoint's, and not for too many logs, as ${who}`, async () => {
      proxy.fault = refuse("eth_getLogs", code, message);
      expect((await failure(collect())).code).to.equal("RPC_UNREACHABLE");
    });
  }

  it("say so too when the refusal comes by HTTP 400", async () => {
    proxy.fault = (request, response) =>
      request.method === "eth_getLogs" &&
      Boolean(response.writeHead(400).end(refusal(request, -32_602, "Log response size exceeded")));
    expect((await failure(collect())).code).to.equal("LOGS_TOO_MANY");
  });

  it("do not say so of another refusal", async () => {
    proxy.fault = refuse("eth_getLogs", -32_601, "the method does not exist");
    expect((await failure(collect())).code).to.equal("RPC_ERROR");
  });

  const lies: [string, (request: RpcRequest) => unknown, string][] = [
    ["null", () => null, "RPC_GARBAGE"],
    ["an object", () => ({}), "RPC_GARBAGE"],
    ["a log of a block that is not made", () => [{ ...wireLog(), blockNumber: null, blockHash: null }], "RPC_GARBAGE"],
    ["a log that was taken back", () => [{ ...wireLog(), removed: true }], "RPC_GARBAGE"],
    ["a log of another range", () => [{ ...wireLog(), blockNumber: "0x1" }], "RPC_GARBAGE"],
    ["a log of another contract", () => [{ ...wireLog(), address: A("7") }], "RPC_GARBAGE"],
    ["one log twice", () => [wireLog(), wireLog()], "RPC_GARBAGE"],
    ["a log of another block's hash", () => [wireLog()], "CHUNK_REORGED"],
  ];
  for (const [what, lie, code] of lies) {
    it(`are refused when the node answers with ${what}`, async () => {
      proxy.fault = (request, response) =>
        request.method === "eth_getLogs" && Boolean(response.end(answer(request, lie(request))));
      expect((await failure(collect())).code).to.equal(code);
    });
  }

  it("are refused when a log has the hash of its block and not the shape of its event", async () => {
    const hash = (await local.provider.getBlock(to))?.hash;
    proxy.fault = (request, response) =>
      request.method === "eth_getLogs" &&
      Boolean(response.end(answer(request, [{ ...wireLog(), blockHash: hash, data: "0x" }])));
    expect((await failure(collect())).code).to.equal("SOURCE_GARBAGE");
  });

  it("wait for a node that has the last block", async () => {
    expect((await failure(collect({ from, to: to + 1 }))).code).to.equal("BLOCK_GONE");
  });

  it("are none of a chain that was reorganised in the middle, and all of the new one after", async () => {
    const snapshot = await local.provider.send("evm_snapshot", []);
    const reorganise = async (): Promise<void> => {
      await local.provider.send("evm_revert", [snapshot]);
      await local.pass(13);
    };
    await local.pass(12);
    const tip = await local.provider.getBlockNumber();
    let done = false;
    proxy.fault = (request, response) => {
      if (request.method !== "eth_getBlockReceipts" || done) return false;
      done = true;
      void reorganise()
        .then(() => local.provider.send(request.method, [...request.params]))
        .then((result: unknown) => response.end(answer(request, result)));
      return true;
    };
    expect((await failure(collect({ from, to: tip }))).code).to.equal("CHUNK_REORGED");
    const again = await collect({ from, to: tip });
    expect(again.rows).to.have.length(3);
    expect(again.toHash).to.equal((await local.provider.getBlock(tip))?.hash);
  });

  it("are none when receipts are of another block than the logs", async () => {
    proxy.fault = (request, response) => {
      if (request.method !== "eth_getBlockReceipts") return false;
      void local.provider.send(request.method, [...request.params]).then((receipts: object[]) => {
        const other = receipts.map((receipt) => ({ ...receipt, blockHash: `0x${"ab".repeat(32)}` }));
        response.end(answer(request, other));
      });
      return true;
    };
    expect((await failure(collect())).code).to.equal("CHUNK_REORGED");
  });

  it("keep the impacts of several pools apart, and see the move of one that hardly moved", () => {
    const Q96 = 2n ** 96n;
    const swap = (at: string, sqrtPrice: bigint) => ({ pool: at, sqrtPriceX96: String(sqrtPrice) });
    const mint = { pool: "a", sqrtPriceX96: null };
    const events = [
      swap("a", 2n * Q96),
      swap("b", Q96),
      mint,
      swap("a", 2n * Q96 + 2n * 10n ** 21n),
      swap("b", Q96 / 2n),
    ];
    const impacts = priceImpacts(events, new Map([["a", Q96]]));
    expect(impacts.slice(0, 3)).to.deep.equal([30_000, null, null]);
    // Twice the relative move of the root.
    expect(impacts[3]).to.be.closeTo((2e4 * 1e21) / Number(Q96), 1e-11);
    expect(impacts[4]).to.equal(-7_500);
  });

  const A = (digit: string): string => `0x${digit.repeat(40)}`;
  const plainLog = {
    ...{ address: A("1"), blockNumber: 5, blockHash: `0x${"cd".repeat(32)}`, transactionHash: `0x${"ef".repeat(32)}` },
    ...{ transactionIndex: 0, logIndex: 0, blockTimestamp: null },
  };
  const wireLog = () => ({
    ...plainLog,
    ...pool.interface.encodeEventLog("Burn", [A("5"), -60, 60, 7n, 8n, 9n]),
    address: local.protocols.uniswap.usdcUsdtPool,
    ...{ blockNumber: `0x${to.toString(16)}`, transactionIndex: "0x0", logIndex: "0x0" },
  });
});
