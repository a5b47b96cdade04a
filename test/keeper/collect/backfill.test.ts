import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { backfill, type BackfillOptions, type BackfillReport } from "../../../keeper/collect/backfill";
import { checksumOf } from "../../../keeper/collect/eventChecksum";
import { workOf } from "../../../keeper/collect/eventRanges";
import { rangeSource, RANGE_SOURCES } from "../../../keeper/collect/rangeSources";
import type { RangeSource } from "../../../keeper/collect/rangeSource";
import { settle } from "../../../keeper/collect/settle";
import { Failure } from "../../../keeper/config/failure";
import { silent } from "../../../keeper/events/events";
import type { EventRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { faultyNode, refusal, type FaultyNode } from "../chain/fixtures/faultyNode";
import { POOL, SWAP_CHAIN_ID, startSwapChain, type SwapChain } from "./fixtures/swapChain";

const BLOCKS = 3_000;
const FINALITY_BLOCKS = 64;
const QUICK = { firstPauseMs: 5, longestPauseMs: 20 };

describe("a backfill", function () {
  this.timeout(60_000);
  let node: SwapChain;
  let proxy: FaultyNode;
  let chain: Chain;
  let dataDir: string;
  let store: Store;
  /** Every test fills a place of its own: the same pool under another source's name. */
  let places = 0;

  before(async () => {
    node = await startSwapChain();
    await node.mineWithSwaps(BLOCKS, { every: 100, count: 7, seed: 1 });
    proxy = await faultyNode(node.url);
    chain = await connectChain({
      rpcUrls: [proxy.url],
      expectedChainId: SWAP_CHAIN_ID,
      requestTimeoutMs: 4_000,
      sink: silent,
    });
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-backfill-"));
    store = await openStore({ dataDir, sink: silent });
  });
  after(async () => {
    chain?.close();
    await proxy?.close();
    await node?.stop();
    await store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  beforeEach(() => {
    proxy.fault = null;
    proxy.seen.length = 0;
  });

  function freshSource(): RangeSource {
    const real = rangeSource(RANGE_SOURCES, chain, { chainId: SWAP_CHAIN_ID, source: "uniswap-v3", subject: POOL });
    const source = `uniswap-v3-${places++}`;
    return {
      key: { ...real.key, source },
      async collect(from, to, signal) {
        const { rows, toHash } = await real.collect(from, to, signal);
        return { rows: rows.map((row) => ({ ...row, source })), toHash };
      },
    };
  }
  const optionsFor = (source: RangeSource, change: Partial<BackfillOptions> = {}): BackfillOptions => ({
    source: workOf(source),
    range: { from: 0, to: BLOCKS },
    store: store.history,
    chain,
    finalityBlocks: FINALITY_BLOCKS,
    patience: QUICK,
    ...change,
  });
  async function stored(source: RangeSource): Promise<EventRow[]> {
    const rows: EventRow[] = [];
    const { chainId, source: name } = source.key;
    for await (const batch of store.history.events({
      ...{ chainId, source: name, pool: POOL },
      ...{ fromBlock: 0, toBlock: 1e9 },
    }))
      rows.push(...batch);
    return rows;
  }
  /** Block hash and place of each log, as the node gives them in one answer. */
  async function expectEqualToChain(source: RangeSource, report: BackfillReport): Promise<void> {
    const { from, to } = report.range;
    const raw = (await node.rawLogs(from, to)).map((log) => `${log.blockHash} ${Number(log.logIndex)}`);
    expect(report.gaps).to.deep.equal([]);
    expect((await stored(source)).map((row) => `${row.blockHash} ${row.logIndex}`)).to.deep.equal(raw);
    expect(report.rows).to.equal(raw.length);
    const chunks = await store.history.chunks(source.key);
    let next = from;
    for (const chunk of chunks) {
      expect(chunk.fromBlock).to.equal(next);
      next = chunk.toBlock + 1;
    }
    expect(next).to.equal(to + 1);
  }
  async function failureOf(work: Promise<unknown>): Promise<Failure> {
    const error = await work.then(
      () => new Error("it succeeded"),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof Failure)) throw error;
    return error;
  }
  const logRequests = (): { from: number; to: number }[] =>
    proxy.seen
      .filter(({ method }) => method === "eth_getLogs")
      .map(({ params }) => params[0] as { fromBlock: string; toBlock: string })
      .map(({ fromBlock, toBlock }) => ({ from: Number(fromBlock), to: Number(toBlock) }));

  it("stores every event of the range once, and what is not final as tentative", async () => {
    const source = freshSource();
    const report = await backfill(optionsFor(source));
    await expectEqualToChain(source, report);
    expect(report).to.include({ forgotten: 0, final: BLOCKS - FINALITY_BLOCKS });
    expect(report.collected).to.deep.equal({ chunks: report.chunks, blocks: BLOCKS + 1, rows: report.rows });
    for (const { fromBlock, toBlock, tentative } of await store.history.chunks(source.key)) {
      expect(tentative, `${fromBlock} to ${toBlock}`).to.equal(fromBlock > report.final);
      if (!tentative) expect(toBlock).to.be.at.most(report.final);
    }
  });

  it("has one checksum, whatever the chunks were", async () => {
    const sizes = [3, 250, 100_000];
    const sums: string[] = [];
    const counts: number[] = [];
    for (const largest of sizes) {
      const source = freshSource();
      const report = await backfill(
        optionsFor(source, { chunk: { first: largest, largest }, range: { from: 0, to: 300 } }),
      );
      // The name of the source, here the place's, is part of each row.
      sums.push(checksumOf((await stored(source)).map((row) => ({ ...row, source: "any" }))));
      counts.push(report.chunks);
    }
    expect(new Set(sums).size).to.equal(1);
    expect(new Set(counts).size).to.equal(sizes.length);
  });

  it("asks for nothing that is stored: a second run changes nothing, a wider one asks for the rest", async () => {
    const source = freshSource();
    const middle = await backfill(optionsFor(source, { range: { from: 1_000, to: 1_999 } }));
    proxy.seen.length = 0;
    const again = await backfill(optionsFor(source, { range: { from: 1_000, to: 1_999 } }));
    expect(logRequests()).to.deep.equal([]);
    expect(again).to.deep.equal({ ...middle, collected: { chunks: 0, blocks: 0, rows: 0 } });

    const whole = await backfill(optionsFor(source));
    await expectEqualToChain(source, whole);
    for (const { from, to } of logRequests()) expect(to < 1_000 || from > 1_999, `${from} to ${to}`).to.equal(true);
  });

  it("asks for less where the node refuses, and for more again", async () => {
    proxy.fault = (request, response) => {
      if (request.method !== "eth_getLogs") return false;
      const { fromBlock, toBlock } = request.params[0] as { fromBlock: string; toBlock: string };
      const busy = Number(fromBlock) < 1_000;
      if (Number(toBlock) - Number(fromBlock) < (busy ? 30 : 700)) return false;
      return Boolean(response.end(refusal(request, -32005, "query returned more than 10000 results")));
    };
    const source = freshSource();
    await expectEqualToChain(source, await backfill(optionsFor(source)));
    const sizes = (await store.history.chunks(source.key)).map(({ fromBlock, toBlock }) => toBlock - fromBlock + 1);
    expect(Math.max(...sizes)).to.be.within(350, 700);
    expect(logRequests().length).to.be.below(1.5 * sizes.length);
  });

  it("gives up a block that the node refuses by itself, and keeps what was stored before it", async () => {
    proxy.fault = (request, response) => {
      if (request.method !== "eth_getLogs") return false;
      const { fromBlock, toBlock } = request.params[0] as { fromBlock: string; toBlock: string };
      if (Number(fromBlock) > 1_500 || Number(toBlock) < 1_500) return false;
      return Boolean(response.end(refusal(request, -32005, "query returned more than 10000 results")));
    };
    const source = freshSource();
    expect((await failureOf(backfill(optionsFor(source)))).code).to.equal("LOGS_TOO_MANY");
    expect((await store.history.chunks(source.key)).at(-1)?.toBlock).to.equal(1_499);
    proxy.fault = null;
    await expectEqualToChain(source, await backfill(optionsFor(source)));
  });

  it("does not lose its place when calls fail, and gives up when all do", async () => {
    let calls = 0;
    proxy.fault = (_request, response) => {
      if (++calls % 4 !== 0) return false;
      response.destroy();
      return true;
    };
    const source = freshSource();
    await expectEqualToChain(source, await backfill(optionsFor(source, { chunk: { first: 200, largest: 200 } })));

    proxy.fault = (_request, response) => Boolean(response.writeHead(503).end("<html>down</html>"));
    const failure = await failureOf(backfill(optionsFor(freshSource(), { patience: { ...QUICK, failures: 3 } })));
    expect(failure.code).to.equal("RPC_UNREACHABLE");
  });

  it("stops with the signal, with nothing half stored, and goes on from there", async () => {
    const source = freshSource();
    const stop = new AbortController();
    const small = { chunk: { first: 150, largest: 150 } };
    const stopping = backfill(
      optionsFor(source, {
        ...small,
        signal: stop.signal,
        onProgress: ({ stored: blocks }) => blocks >= 900 && stop.abort(),
      }),
    );
    expect((await failureOf(stopping)).code).to.equal("BACKFILL_STOPPED");
    const chunks = await store.history.chunks(source.key);
    expect(chunks.at(-1)?.toBlock).to.equal(899);
    expect(await stored(source)).to.have.length(chunks.reduce((sum, { rows }) => sum + rows, 0));
    proxy.seen.length = 0;
    const report = await backfill(optionsFor(source, small));
    expect(logRequests()[0]?.from).to.equal(900);
    await expectEqualToChain(source, report);
  });

  it("refuses a range beyond the newest block", async () => {
    const failure = await failureOf(backfill(optionsFor(freshSource(), { range: { from: 0, to: BLOCKS + 1 } })));
    expect([failure.code, failure.exitCode]).to.deep.equal(["BLOCK_BEYOND_HEAD", 2]);
  });

  it("refuses events that were not asked for", async () => {
    const source = freshSource();
    const shifted: RangeSource = {
      key: source.key,
      collect: async (from, to, signal) => source.collect(from + 100, to + 100, signal),
    };
    const range = { from: 0, to: 500 };
    expect((await failureOf(backfill(optionsFor(shifted, { range })))).code).to.equal("SOURCE_GARBAGE");
    expect(await stored(source)).to.deep.equal([]);
  });

  describe("when the chain is reorganised", () => {
    let fork: string;
    let height: number;
    beforeEach(async () => {
      // On ground that is final, and that the next test leaves so.
      await node.mine(FINALITY_BLOCKS);
      height = Number(await node.rpc("eth_blockNumber"));
      fork = await node.rpc<string>("evm_snapshot");
      await node.mineWithSwaps(40, { every: 5, count: 3, seed: 50_000 + height });
    });
    const reorganise = async (blocks = 40): Promise<void> => {
      await node.rpc("evm_revert", [fork]);
      await node.mineWithSwaps(blocks, { every: 6, count: 4, seed: 90_000 + height });
    };
    const upTo = (to: number, change: Partial<BackfillOptions> = {}): Partial<BackfillOptions> => ({
      range: { from: 2_000, to },
      ...change,
    });

    it("forgets what was reorganised away and collects what is there now", async () => {
      const source = freshSource();
      await backfill(optionsFor(source, upTo(height + 40)));
      await reorganise();
      const report = await backfill(optionsFor(source, upTo(height + 40)));
      await expectEqualToChain(source, report);
      expect(report.forgotten).to.equal(8 * 3);
    });

    it("does so in the middle of a run, also between the parts of one chunk", async () => {
      const source = freshSource();
      let reorganised: Promise<void> | null = null;
      proxy.fault = (request, response) => {
        if (request.method !== "eth_getLogs" || reorganised !== null) return false;
        if (Number((request.params[0] as { fromBlock: string }).fromBlock) < height + 10) return false;
        // The answer waits for the new chain.
        reorganised = reorganise();
        void reorganised.then(async () => {
          const answer = await fetch(node.url, {
            method: "POST",
            body: JSON.stringify(request),
            headers: { "content-type": "application/json" },
          });
          response.end(await answer.text());
        });
        return true;
      };
      const report = await backfill(optionsFor(source, upTo(height + 40)));
      expect(reorganised).to.not.equal(null);
      await expectEqualToChain(source, report);
    });

    it("takes a node that lags for no reorganisation", async () => {
      const source = freshSource();
      await backfill(optionsFor(source, upTo(height + 40)));
      const before = await store.history.chunks(source.key);
      await node.rpc("evm_revert", [fork]);
      const failure = await failureOf(settle(store.history, chain, { finalityBlocks: FINALITY_BLOCKS }));
      expect(failure.code).to.equal("RPC_BEHIND");
      expect(await store.history.chunks(source.key)).to.deep.equal(before);
      await node.mineWithSwaps(40, { every: 6, count: 4, seed: 90_000 + height });
      await backfill(optionsFor(source, upTo(height + 40)));
    });

    it("makes final what has become so, of every backfill of the chain", async () => {
      const [one, other] = [freshSource(), freshSource()];
      await backfill(optionsFor(one, upTo(height + 40)));
      await backfill(optionsFor(other, upTo(height + 40)));
      // The first backfill's chunks are of a fork when the second one is asked for again.
      await reorganise(40 + FINALITY_BLOCKS);
      await backfill(optionsFor(other, upTo(height + 40)));
      for (const chunk of await store.history.chunks(other.key)) expect(chunk.tentative).to.equal(false);
      for (const chunk of await store.history.chunks(one.key)) expect(chunk.toBlock).to.be.at.most(height);
      await expectEqualToChain(one, await backfill(optionsFor(one, upTo(height + 40))));
    });

    it("refuses a chain on which final blocks are others", async () => {
      const source = freshSource();
      await backfill(optionsFor(source, { ...upTo(height + 40), finalityBlocks: 0 }));
      await reorganise();
      const failure = await failureOf(backfill(optionsFor(source, upTo(height + 40))));
      expect(failure.code).to.equal("BACKFILL_CHAIN_DIFFERS");
    });
  });
});
