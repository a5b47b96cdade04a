// Sweeps of the local chain's past, beside what the collector's own sweep reads at the same blocks; a real database.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { ChainCollecting } from "../../../keeper/app/collecting";
import type { Chain } from "../../../keeper/chain/connect";
import { blockAt, type Head } from "../../../keeper/chain/heads";
import { backfill, type BackfillOptions, type BackfillReport } from "../../../keeper/collect/backfill";
import { FollowedSeries } from "../../../keeper/collect/followedSeries";
import { historicSweep, sweepKey, sweepOf } from "../../../keeper/collect/historicSweep";
import { locate } from "../../../keeper/collect/locate";
import { FLAGS } from "../../../keeper/collect/quality";
import { ask, Questions } from "../../../keeper/collect/questions";
import type { ChainCollector } from "../../../keeper/collect/reading";
import { historyRow, readingRow, sweep } from "../../../keeper/collect/sweep";
import type { SweepGrid } from "../../../keeper/collect/sweepGrid";
import { silent } from "../../../keeper/events/events";
import type { HistoryRow, HistoryStore, ReadingRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { LOCAL_CHAIN_ID } from "../../../scripts/localnet/anvil";
import { answer, faultyNode, refusal, type FaultyNode } from "../chain/fixtures/faultyNode";
import { failureOf } from "./failureOf";
import { connectTo, startLocalVenues, type LocalVenues } from "./localVenues";

const BLOCKS = 240;
const FINALITY_BLOCKS = 4;
const GRID: SweepGrid = { every: 20, unit: "blocks" };
const ALL_TIME = { from: 0, to: 4_000_000_000 };

/** Answers 7: PUSH1 7, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN. It is there from the middle of the range on. */
const LATE = { at: `0x${"b4".repeat(20)}`, code: "0x600760005260206000f3" };

/** Asks a contract that has no steps to be located by. */
function lateNumber(): ChainCollector {
  const [source, subject] = ["test", "late"];
  const questions = new Questions(`${source} ${subject}`, {
    number: ask(LATE.at, "function number() view returns (uint256)"),
  });
  return {
    ...{ source, subject, calls: () => questions.calls },
    decode: (answers) => ({
      ...{ source, subject, rates: null },
      state: { number: String(questions.read(answers).number.uint()) },
    }),
  };
}

describe("sweeps of the past", function () {
  this.timeout(180_000);
  let local: LocalVenues;
  let proxy: FaultyNode;
  let chain: Chain;
  let dataDir: string;
  let store: Store;
  /** Of the blocks with all contracts. */
  let from: number;
  let to: number;

  before(async () => {
    local = await startLocalVenues();
    from = (await local.head()).number + 1;
    const half = `0x${(BLOCKS / 2).toString(16)}`;
    await local.rpc("anvil_mine", [half, "0x3c"]);
    await local.rpc("anvil_setCode", [LATE.at, LATE.code]);
    await local.rpc("anvil_mine", [half, "0x3c"]);
    to = from + BLOCKS - 1 - FINALITY_BLOCKS;
    proxy = await faultyNode(local.url);
    chain = await connectTo(proxy.url);
  });
  after(async () => {
    chain?.close();
    await proxy?.close();
    await local?.end();
  });
  /** Every test has a database of its own. */
  beforeEach(async () => {
    proxy.fault = null;
    proxy.seen.length = 0;
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-sweeps-"));
    store = await openStore({ dataDir, sink: silent });
  });
  afterEach(async () => {
    await store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const keyFor = (grid: SweepGrid) => sweepKey(LOCAL_CHAIN_ID, grid, local.targets.sources);
  const run = (grid: SweepGrid = GRID, change: Partial<BackfillOptions> = {}): Promise<BackfillReport> =>
    backfill({
      source: historicSweep(chain, { key: keyFor(grid), grid, sources: local.targets.sources }),
      range: { from, to },
      store: store.history,
      chain,
      finalityBlocks: FINALITY_BLOCKS,
      patience: { failures: 3, firstPauseMs: 5 },
      ...change,
    });
  const headAt = async (block: number): Promise<Head> => (await blockAt(local.chain, block)) as Head;
  const gridHeads = (grid: SweepGrid = GRID): Promise<Head[]> => {
    const blocks = Array.from({ length: to - from + 1 }, (_, k) => from + k).filter(
      (block) => block % grid.every === 0,
    );
    return Promise.all(blocks.map(headAt));
  };
  async function seriesOf(name: string, of: HistoryStore = store.history): Promise<HistoryRow[]> {
    const rows: HistoryRow[] = [];
    for await (const page of of.history({ chainId: LOCAL_CHAIN_ID, name })) rows.push(...page);
    return rows;
  }
  const readingsOf = (source: string, subject: string): Promise<ReadingRow[]> =>
    store.history.readings({ chainId: LOCAL_CHAIN_ID, source, subject, ...ALL_TIME });
  /** Everything of every series and source, as the database has it. */
  async function everything(): Promise<object> {
    const series: Record<string, HistoryRow[]> = {};
    for (const { name } of await store.history.series()) series[name] = await seriesOf(name);
    const readings = await Promise.all(
      [...local.targets.sources, { source: "gas", subject: "fees" }].map((of) => readingsOf(of.source, of.subject)),
    );
    return { series, readings };
  }

  it("have what a sweep of that block has, known with the block, by its hash", async () => {
    const report = await run();
    expect([report.gaps, report.absent]).to.deep.equal([[], []]);
    const heads = await gridHeads();
    expect(heads.length).to.be.above(10);
    expect(report.rows).to.equal(heads.length * (local.targets.sources.length + 2));
    for (const head of heads) {
      const { collectors } = await locate(local.chain, head, local.targets.sources);
      const { at, readings } = await sweep(local.chain, head, collectors);
      expect(readings.length).to.equal(local.targets.sources.length);
      for (const reading of readings) {
        const stored = await readingsOf(reading.source, reading.subject);
        expect(stored.find(({ block }) => block === head.number)).to.deep.equal(
          readingRow(reading, at, head.timestamp),
        );
        const point = historyRow(reading, at, head.timestamp);
        const rows = await seriesOf(reading.subject);
        if (point === null) expect(rows).to.deep.equal([]);
        else {
          const { flags: _, supplyApr, ...rest } = point;
          const row = rows.find(({ block }) => block === head.number);
          expect(row).to.deep.include(rest);
          if (supplyApr !== null) expect(row?.supplyApr).to.equal(supplyApr);
        }
      }
    }
    expect((await readingsOf("gas", "fees")).map(({ block }) => block)).to.deep.equal(
      heads.map(({ number }) => number),
    );
  });

  it("are judged in the order of the chain, whatever the order in which they came", async () => {
    await run(GRID, { range: { from: from + 80, to: from + 140 } });
    const middle = await seriesOf("savings-usdc");
    await run(GRID, { chunk: { first: 7, largest: 7 } });
    const all = await seriesOf("savings-usdc");
    const start = all.findIndex(({ block }) => block === middle[0]?.block);
    expect([start, all.length - start - middle.length].every((rows) => rows > 2)).to.equal(true);
    // What was judged keeps what it was judged to be: then its first one was the first.
    expect(all.slice(start, start + middle.length)).to.deep.equal(middle);
    expect(middle[0]?.supplyApr).to.equal(null);
    const expected = new FollowedSeries();
    for (const [place, row] of all.entries()) {
      if (place >= start && place < start + middle.length) expected.take(row);
      else expect(row).to.deep.equal(expected.next({ ...row, supplyApr: null, flags: 0 }));
    }
    const [first, second] = all as [HistoryRow, HistoryRow];
    const growth = Number(BigInt(second.index ?? 0) - BigInt(first.index ?? 0)) / Number(first.index);
    const year = 365 * 86_400;
    expect(second.supplyApr).to.be.closeTo((growth * year) / (second.observedAt - first.observedAt), 1e-9);
    for (const { name } of await store.history.series()) {
      for (const { flags } of await seriesOf(name)) expect(flags & FLAGS.unjudged).to.equal(0);
    }
  });

  it("come out the same in chunks of any size, and a second run changes nothing", async () => {
    const report = await run();
    const found = await everything();
    const again = await run();
    expect(again).to.deep.include({ collected: { chunks: 0, blocks: 0, rows: 0 }, checksum: report.checksum });
    expect(await everything()).to.deep.equal(found);
    const asked = proxy.seen.filter(({ method }) => method === "eth_call").length;
    await run();
    expect(proxy.seen.filter(({ method }) => method === "eth_call").length, "asked of what is stored").to.equal(asked);

    const other = mkdtempSync(path.join(os.tmpdir(), "tiller-sweeps-"));
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
    dataDir = other;
    store = await openStore({ dataDir, sink: silent });
    const small = await run(GRID, { chunk: { first: 33, largest: 33 } });
    expect([small.rows, small.checksum]).to.deep.equal([report.rows, report.checksum]);
    expect(small.chunks).to.be.above(report.chunks);
    expect(await everything()).to.deep.equal(found);
  });

  it("on a grid of time are of the blocks that a collector of these buckets would have seen first", async () => {
    const grid: SweepGrid = { every: 900, unit: "seconds" };
    const report = await run(grid, { range: { from, to: from + 100 } });
    expect(report.gaps).to.deep.equal([]);
    const heads = await Promise.all(Array.from({ length: 102 }, (_, k) => headAt(from - 1 + k)));
    const bucket = (head: Head | undefined): number => Math.floor((head?.timestamp ?? 0) / 900);
    const expected = heads.filter((head, k) => k > 0 && bucket(head) > bucket(heads[k - 1]));
    expect((await readingsOf("gas", "fees")).map(({ block }) => block)).to.deep.equal(
      expected.map(({ number }) => number),
    );
  });

  it("leave what the collector stored when the block was new", async () => {
    const head = await headAt(Math.ceil(from / 20) * 20);
    const collecting = new ChainCollecting({
      ...{ chain: local.chain, store: store.history, sources: local.targets.sources, sink: silent },
      finalityBlocks: 0,
    });
    await collecting.collect(head, Date.now() - 2_500);
    const between = await headAt(head.number + 7);
    await collecting.collect(between, Date.now());
    const [live] = await seriesOf("aave-v3-usdc");
    expect(live?.availableAt).to.be.above(head.timestamp);
    const { checksum } = await run();
    const rows = (await seriesOf("aave-v3-usdc")).filter(({ block }) => block !== between.number);
    expect(rows.filter(({ block }) => block === head.number)).to.deep.equal([live]);
    expect(rows).to.have.length((await gridHeads()).length);
    const readings = await readingsOf("aave-v3", "aave-v3-usdc");
    expect(readings.find(({ block }) => block === head.number)?.availableAt).to.equal(live?.availableAt);
    const bare = historicSweep(chain, { key: keyFor(GRID), grid: GRID, sources: local.targets.sources });
    const collected = await bare.collect(from, to, new AbortController().signal);
    expect(checksum, "of what is on the grid alone").to.equal(collected.checksum);
  });

  it("say where a source was not there yet, and go on", async () => {
    const sources = [lateNumber(), ...local.targets.sources];
    const source = historicSweep(chain, { key: sweepKey(LOCAL_CHAIN_ID, GRID, sources), grid: GRID, sources });
    const report = await run(GRID, { source });
    expect(report.gaps).to.deep.equal([]);
    const blocks = (await gridHeads()).map(({ number }) => number);
    const [before, after] = [0, 1].map((k) => blocks.filter((block) => Number(block >= from + BLOCKS / 2) === k));
    const absent = { source: "test", subject: "late", code: "SOURCE_REVERTED", blocks: before?.length };
    expect(report.absent).to.deep.equal([{ ...absent, from: before?.[0], to: before?.at(-1) }]);
    expect((await readingsOf("test", "late")).map(({ block, state }) => [block, state])).to.deep.equal(
      after?.map((block) => [block, '{"number":"7"}']),
    );
    // Whoever was at later blocks before finds the same.
    const other = historicSweep(chain, { key: source.key, grid: GRID, sources });
    const sums: string[] = [];
    for (const block of [...blocks].reverse()) {
      const { checksum } = await other.collect(block, block, new AbortController().signal);
      const { checksum: stored } = await source.stored(store.history, { from: block, to: block });
      expect(checksum, String(block)).to.equal(stored);
      sums.push(checksum);
    }
    expect(new Set(sums).size).to.equal(blocks.length);
  });

  describe("of a node", () => {
    /** It refuses calls at blocks below, as a node does that is no archive. */
    function keepsStateFrom(block: number, words: string): void {
      const hashes = new Map<string, number>();
      proxy.fault = (request, response) => {
        if (request.method === "eth_getBlockByNumber") {
          void local.rpc(request.method, request.params).then((found) => {
            const { hash, number } = found as { hash: string; number: string };
            hashes.set(hash, Number(number));
            response.end(answer(request, found));
          });
          return true;
        }
        if (request.method !== "eth_call") return false;
        const ref = request.params[1] as string | { blockHash: string };
        const number = typeof ref === "string" ? Number(ref) : hashes.get(ref.blockHash);
        if ((number ?? 0) >= block) return false;
        response.end(refusal(request, -32000, words));
        return true;
      };
    }

    for (const words of [
      "missing trie node 4d8f (path ) state 0x4d8f is not available",
      "required historical state unavailable",
    ]) {
      it(`that says ${words.slice(0, 24)}… name the block and what is needed, and store nothing of it`, async () => {
        keepsStateFrom(1e9, words);
        const pauses: string[] = [];
        const patience = { failures: 3, firstPauseMs: 5, onPause: ({ code }: { code: string }) => pauses.push(code) };
        const failure = await failureOf(run(GRID, { patience: patience as never }));
        const first = Math.ceil(from / 20) * 20;
        expect(failure).to.deep.include({ code: "STATE_PRUNED", exitCode: 1, field: "chain.rpcUrls" });
        expect(failure.message).to.equal(`the node no longer has the state of block ${first}`);
        expect(failure.remedy).to.match(/archive node/);
        expect(pauses, "it does not pass").to.deep.equal([]);
        expect(await store.history.chunks(keyFor(GRID))).to.deep.equal([]);
        expect(await store.history.series()).to.deep.equal([]);
        expect(await readingsOf("gas", "fees")).to.deep.equal([]);
      });
    }

    it("that really has dropped the state of its first blocks are refused just so", async () => {
      const failure = await failureOf(run({ every: 1, unit: "blocks" }, { range: { from: 5, to: from } }));
      expect([failure.code, failure.message]).to.deep.equal([
        "STATE_PRUNED",
        "the node no longer has the state of block 5",
      ]);
    });

    it("that keeps the state of some blocks only are of whole chunks, and go on with another node", async () => {
      keepsStateFrom(from + 125, "missing trie node");
      const upwards = { chunk: { first: 40, largest: 40 } };
      expect((await failureOf(run(GRID, upwards))).code).to.equal("STATE_PRUNED");
      expect(await store.history.chunks(keyFor(GRID))).to.deep.equal([]);
      await run(GRID, { ...upwards, range: { from: from + 130, to } });
      proxy.fault = null;
      const report = await run(GRID, upwards);
      expect(report.gaps).to.deep.equal([]);
      expect((await readingsOf("gas", "fees")).length).to.equal((await gridHeads()).length);
    });

    it("that refuses one source's calls are none at all: that is not taken for its absence", async () => {
      proxy.fault = (request, response) => {
        if (request.method !== "eth_call") return false;
        response.end(refusal(request, -32000, "gas limit is too high"));
        return true;
      };
      const failure = await failureOf(run());
      expect(failure.code).to.equal("SOURCE_UNREAD");
      expect(failure.message).to.match(/^at block \d+: /);
      expect(await store.history.chunks(keyFor(GRID))).to.deep.equal([]);
    });

    it("that fails now and then come out as of one that does not", async () => {
      const calm = await run(GRID, { range: { from, to: from + 60 } });
      const found = await everything();
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
      dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-sweeps-"));
      store = await openStore({ dataDir, sink: silent });
      let requests = 0;
      proxy.fault = (_request, response) => {
        requests += 1;
        if (requests % 7 !== 0) return false;
        if (requests % 2 === 0) response.destroy();
        else response.writeHead(200).end("<html>maintenance</html>");
        return true;
      };
      const patience = { failures: 30, firstPauseMs: 1 };
      const report = await run(GRID, { range: { from, to: from + 60 }, patience });
      expect(report.checksum).to.equal(calm.checksum);
      expect(await everything()).to.deep.equal(found);
    });
  });

  it("ended while they are judged are judged by the next run", async () => {
    const clean = await run();
    const found = await everything();
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-sweeps-"));
    store = await openStore({ dataDir, sink: silent });
    const real = store.history;
    let judged = 0;
    const ending: HistoryStore = {
      ...real,
      judge: (series, points) => {
        judged += 1;
        if (judged === 3) throw new Error("the process ends");
        return real.judge(series, points);
      },
    };
    await run(GRID, { store: ending }).then(
      () => expect.fail("it ends"),
      () => undefined,
    );
    expect(await real.unjudged(LOCAL_CHAIN_ID)).to.not.deep.equal([]);
    const report = await run();
    expect(report).to.deep.include({ collected: { chunks: 0, blocks: 0, rows: 0 }, checksum: clean.checksum });
    expect(await everything()).to.deep.equal(found);
    const [row] = await seriesOf("savings-usdc");
    const late = { availableAt: row?.availableAt ?? 0, supplyApr: 9, flags: 1 };
    await real.judge({ chainId: LOCAL_CHAIN_ID, name: "savings-usdc" }, [late]);
    expect(await everything(), "judged once").to.deep.equal(found);
  });

  it("are of their own sources: a worker with others refuses them", () => {
    const key = keyFor(GRID);
    const fewer = local.targets.sources.slice(1);
    expect(sweepKey(LOCAL_CHAIN_ID, GRID, fewer).subject).to.not.equal(key.subject);
    expect(() => sweepOf(chain, key, fewer))
      .to.throw()
      .with.property("code", "SWEEP_OF_OTHERS");
    expect(sweepOf(chain, key, local.targets.sources).key).to.deep.equal(key);
  });
});
