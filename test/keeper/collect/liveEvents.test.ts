// Events of a pool as they come, on a real chain and a real database.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { newestBlock, type Head } from "../../../keeper/chain/heads";
import { steadfast } from "../../../keeper/chain/steadfast";
import { backfill } from "../../../keeper/collect/backfill";
import { workOf } from "../../../keeper/collect/eventRanges";
import { followEvents, type LiveEventsOptions } from "../../../keeper/collect/liveEvents";
import { RANGE_SOURCES, rangeSource } from "../../../keeper/collect/rangeSources";
import type { RangeSource } from "../../../keeper/collect/rangeSource";
import { settle } from "../../../keeper/collect/settle";
import { silent, type KeeperEvent } from "../../../keeper/events/events";
import type { EventRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { gatedNode, type GatedNode } from "./fixtures/gatedNode";
import { POOL, SWAP_CHAIN_ID, startSwapChain, type SwapChain } from "./fixtures/swapChain";

const FINALITY_BLOCKS = 64;

describe("events as they come", function () {
  this.timeout(60_000);
  let node: SwapChain;
  let poor: GatedNode;
  let chain: Chain;
  let dataDir: string;
  let store: Store;
  let source: RangeSource;
  let places = 0;
  let events: KeeperEvent[];
  /** First block that the test follows. */
  let start: number;

  before(async () => {
    node = await startSwapChain();
    await node.mineWithSwaps(200, { every: 20, count: 3, seed: 1 });
    poor = await gatedNode(node.url, { failing: true });
    chain = await connectChain({
      rpcUrls: [poor.url],
      expectedChainId: SWAP_CHAIN_ID,
      requestTimeoutMs: 4_000,
      sink: silent,
    });
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-live-"));
    store = await openStore({ dataDir, sink: silent });
  });
  after(async () => {
    chain?.close();
    await poor?.close();
    await node?.stop();
    await store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  /** Every test has a place of its own: the same pool under another source's name. */
  beforeEach(async () => {
    events = [];
    const real = rangeSource(RANGE_SOURCES, chain, { chainId: SWAP_CHAIN_ID, source: "uniswap-v3", subject: POOL });
    const name = `uniswap-v3-live-${places++}`;
    source = {
      key: { ...real.key, source: name },
      async collect(from, to, signal) {
        const { rows, toHash } = await real.collect(from, to, signal);
        return { rows: rows.map((row) => ({ ...row, source: name })), toHash };
      },
    };
    start = (await newest()).number;
  });

  const newest = (): Promise<Head> => newestBlock(steadfast(chain));
  const steadily = { finalityBlocks: FINALITY_BLOCKS };
  const optionsFor = (change: Partial<LiveEventsOptions> = {}): LiveEventsOptions => ({
    source,
    name: "pool events",
    store: store.history,
    settle: () => settle(store.history, chain, steadily),
    sink: { emit: (event) => void events.push(event) },
    ...change,
  });
  async function follow(change: Partial<LiveEventsOptions> = {}, now?: number): Promise<void> {
    const head = await newest();
    const { signal } = new AbortController();
    await followEvents(optionsFor(change), { number: head.number, now: () => now ?? head.timestamp }, signal);
  }
  async function stored(): Promise<EventRow[]> {
    const rows: EventRow[] = [];
    const query = { chainId: SWAP_CHAIN_ID, source: source.key.source, pool: POOL, fromBlock: 0, toBlock: 1e9 };
    for await (const batch of store.history.events(query)) rows.push(...batch);
    return rows;
  }
  /** Every log of the blocks from `start` to the head, once, and no block that is in no chunk. */
  async function expectUpToHead(from = start): Promise<void> {
    const { number } = await newest();
    const raw = (await node.rawLogs(from, number)).map((log) => `${log.blockHash} ${Number(log.logIndex)}`);
    expect((await stored()).map((row) => `${row.blockHash} ${row.logIndex}`)).to.deep.equal(raw);
    let next = from;
    for (const { fromBlock, toBlock } of await store.history.chunks(source.key)) {
      expect(fromBlock).to.equal(next);
      next = toBlock + 1;
    }
    expect(next).to.equal(number + 1);
  }

  it("begin at the head, and are stored up to it each time, tentative until final", async () => {
    await follow();
    await expectUpToHead();
    for (let k = 0; k < 4; k += 1) {
      await node.mineWithSwaps(25, { every: 5, count: 2, seed: 1_000 * k });
      await follow();
      await expectUpToHead();
    }
    const { number } = await newest();
    for (const { toBlock, tentative } of await store.history.chunks(source.key)) {
      expect(tentative).to.equal(toBlock > number - FINALITY_BLOCKS);
    }
    const followed = events.flatMap((event) => (event.name === "collect.followed" ? [event] : []));
    expect(followed.reduce((sum, { rows }) => sum + rows, 0)).to.equal((await stored()).length);
    expect(followed.at(-1)?.block).to.equal(number);
  });

  it("change nothing where no block came", async () => {
    await follow();
    const before = await store.history.chunks(source.key);
    events = [];
    await follow();
    expect(await store.history.chunks(source.key)).to.deep.equal(before);
    expect(events).to.deep.equal([]);
  });

  it("are known from when they were collected, not from when they happened", async () => {
    await follow();
    await node.mineWithSwaps(3, { every: 1, count: 1, seed: 5 });
    const { timestamp } = await newest();
    await follow({}, timestamp + 7);
    const rows = await stored();
    expect(rows.length).to.be.at.least(3);
    for (const row of rows.slice(-3)) {
      expect(row.observedAt).to.be.at.most(timestamp);
      expect(row.availableAt).to.equal(timestamp + 7);
    }
  });

  it("go on where they ended after a pause, in chunks that a poor node gives", async () => {
    await follow();
    await node.mineWithSwaps(5_000, { every: 50, count: 4, seed: 9_000 });
    await follow();
    await expectUpToHead();
    expect(poor.failures()).to.be.above(3);
  });

  it("end with the time that they have, and go on in the next bucket", async () => {
    await follow();
    await node.mineWithSwaps(2_000, { every: 100, count: 2, seed: 20_000 });
    let asked = 0;
    const slow: RangeSource = {
      key: source.key,
      async collect(from, to, signal) {
        asked += 1;
        if (asked > 2) await new Promise((resolve) => setTimeout(resolve, 400));
        return source.collect(from, to, signal);
      },
    };
    const bounds = { first: 100, largest: 100 };
    await follow({ source: slow, budgetMs: 300, chunk: bounds });
    const part = (await store.history.chunks(source.key)).at(-1)?.toBlock ?? 0;
    expect(part)
      .to.be.above(start)
      .and.below((await newest()).number);
    await follow();
    await expectUpToHead();
  });

  it("forget what was reorganised away and take what came instead", async () => {
    await follow();
    const fork = await node.rpc<string>("evm_snapshot");
    await node.mineWithSwaps(20, { every: 4, count: 3, seed: 30_000 });
    await follow();
    const forgotten = await stored();
    await node.rpc("evm_revert", [fork]);
    await node.mineWithSwaps(24, { every: 3, count: 2, seed: 40_000 });
    await follow();
    await expectUpToHead();
    const hashes = new Set((await stored()).map(({ blockHash }) => blockHash));
    for (const { blockHash, block } of forgotten) if (block > start + 1) expect(hashes.has(blockHash)).to.equal(false);
  });

  it("leave a long pause to the backfill, say so, and take it in once that brought it", async () => {
    await follow();
    await node.mineWithSwaps(1_000, { every: 100, count: 2, seed: 50_000 });
    await follow({ catchUpBlocks: 500 });
    const { number } = await newest();
    expect(events).to.deep.include({
      ...{ name: "collect.gap", source: "pool events" },
      ...{ fromBlock: start + 1, toBlock: number - 1 },
    });
    const range = { from: start, to: number };
    await backfill({ source: workOf(source), range, store: store.history, chain, ...steadily });
    await node.mineWithSwaps(5, { every: 1, count: 1, seed: 60_000 });
    await follow({ catchUpBlocks: 500 });
    await expectUpToHead();
    expect(events.filter(({ name }) => name === "collect.gap")).to.have.length(1);
  });

  it("fill what is missing between chunks of lately", async () => {
    await node.mineWithSwaps(300, { every: 10, count: 1, seed: 70_000 });
    const { number } = await newest();
    const pieces = [
      { from: number - 290, to: number - 200 },
      { from: number - 150, to: number - 100 },
    ];
    for (const range of pieces)
      await backfill({ source: workOf(source), range, store: store.history, chain, ...steadily });
    await follow();
    await expectUpToHead(number - 290);
  });
});
