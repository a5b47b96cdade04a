import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import type { BackfillReport } from "../../../keeper/collect/backfill";
import { sharedBackfill, workOnJobs, type SharedBackfillOptions } from "../../../keeper/collect/backfillJobs";
import { workOf } from "../../../keeper/collect/eventRanges";
import { rangeSource, RANGE_SOURCES } from "../../../keeper/collect/rangeSources";
import type { RangeWork } from "../../../keeper/collect/rangeSource";
import { WorldFailure } from "../../../keeper/config/failure";
import { silent } from "../../../keeper/events/events";
import type { JobQueue } from "../../../keeper/store/jobQueue";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { POOL, SWAP_CHAIN_ID, startSwapChain, type SwapChain } from "./fixtures/swapChain";

const BLOCKS = 2_000;
const SWAPS = 20 * 7;
const FINALITY_BLOCKS = 64;
const ALL = ["created", "retry", "active", "completed", "failed"] as const;

describe("a backfill in jobs", function () {
  this.timeout(60_000);
  let node: SwapChain;
  let chain: Chain;
  let dataDir: string;
  let store: Store;
  let places = 0;
  let queue: JobQueue;
  let source: RangeWork;

  before(async () => {
    node = await startSwapChain();
    await node.mineWithSwaps(BLOCKS, { every: 100, count: 7, seed: 1 });
    chain = await connectChain({
      rpcUrls: [node.url],
      expectedChainId: SWAP_CHAIN_ID,
      requestTimeoutMs: 4_000,
      sink: silent,
    });
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-jobs-"));
    store = await openStore({ dataDir, sink: silent });
  });
  after(async () => {
    chain?.close();
    await node?.stop();
    await store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  /** Every test has a queue and a source's name of its own. */
  beforeEach(async () => {
    places += 1;
    queue = await store.jobQueue({ name: `test-${places}`, leaseSeconds: 2, retries: 1 });
    const real = rangeSource(RANGE_SOURCES, chain, { chainId: SWAP_CHAIN_ID, source: "uniswap-v3", subject: POOL });
    const name = `uniswap-v3-jobs-${places}`;
    source = workOf({
      key: { ...real.key, source: name },
      async collect(from, to, signal) {
        const { rows, toHash } = await real.collect(from, to, signal);
        return { rows: rows.map((row) => ({ ...row, source: name })), toHash };
      },
    });
  });

  const optionsFor = (change: Partial<SharedBackfillOptions> = {}): SharedBackfillOptions => ({
    source,
    range: { from: 0, to: BLOCKS },
    store: store.history,
    chain,
    finalityBlocks: FINALITY_BLOCKS,
    patience: { firstPauseMs: 5 },
    queue,
    sourceOf: () => change.source ?? source,
    jobBlocks: 300,
    ...change,
  });
  async function expectWhole(report: BackfillReport): Promise<void> {
    expect(report.gaps).to.deep.equal([]);
    expect(report.rows).to.equal(SWAPS);
    const chunks = await store.history.chunks(source.key);
    expect(chunks.reduce((sum, { rows }) => sum + rows, 0)).to.equal(SWAPS);
  }
  /** The source, with something done before each answer. */
  const behindA = (obstacle: (from: number, to: number) => Promise<void>): RangeWork => ({
    ...source,
    async collect(from, to, signal) {
      await obstacle(from, to);
      return source.collect(from, to, signal);
    },
  });

  it("is whole when two begin it at once, and no job is made for what is in one already", async () => {
    const [one, other] = await Promise.all([sharedBackfill(optionsFor()), sharedBackfill(optionsFor())]);
    await expectWhole(one);
    expect(other.checksum).to.equal(one.checksum);
    const made = (await queue.list(ALL)).length;
    const again = await sharedBackfill(optionsFor());
    expect(again.collected).to.deep.equal({ chunks: 0, blocks: 0, rows: 0 });
    expect(await queue.list(ALL)).to.have.length(made);
  });

  it("hands the rest of a job back before its lease ends, so that a long job is not lost", async () => {
    const slow = behindA(() => sleep(150));
    const chunk = { first: 100, largest: 100 };
    await expectWhole(await sharedBackfill(optionsFor({ source: slow, jobBlocks: BLOCKS, chunk })));
    const jobs = await queue.list(ALL);
    expect(jobs.length).to.be.above(1);
    for (const { state, retries } of jobs) expect([state, retries]).to.deep.equal(["completed", 0]);
  });

  it("is not harmed by a worker that comes back after its job was given to another", async () => {
    // Leases are short here, and a busy machine may lose one more.
    queue = await store.jobQueue({ name: `late-${places}`, leaseSeconds: 2, retries: 20 });
    // Late once: each lease that is lost again makes everybody wait twice as long for the job.
    let isLate = true;
    const late = behindA(async () => {
      if (isLate) await sleep(3_500).finally(() => (isLate = false));
    });
    const stop = new AbortController();
    const outcomes: string[] = [];
    const slowly = workOnJobs(
      { ...optionsFor(), sourceOf: () => late, signal: stop.signal, onJob: (_, outcome) => outcomes.push(outcome) },
      async () => false,
    );
    await queue.put([{ key: source.key, from: 0, to: 299 }]);
    while ((await queue.list(["active"])).length === 0) await sleep(20);
    await expectWhole(await sharedBackfill(optionsFor()));
    while (outcomes.length === 0) await sleep(50);
    stop.abort();
    await slowly;
    await expectWhole(await sharedBackfill(optionsFor()));
  });

  it("names in its gaps the job that failed for good, and goes on there when run again", async () => {
    const refusing = behindA(async (from, to) => {
      if (from > 700 || to < 700) return;
      throw new WorldFailure("LOGS_TOO_MANY", "too many", { remedy: "None." });
    });
    const report = await sharedBackfill(optionsFor({ source: refusing }));
    const [failed] = await queue.list(["failed"]);
    expect(report.gaps.map(({ from, to }) => [from, to])).to.deep.equal([[700, 899]]);
    expect(report.gaps[0]?.reason).to.contain(failed?.id).and.to.contain("LOGS_TOO_MANY");
    await expectWhole(await sharedBackfill(optionsFor()));
  });

  it("fails a job that nobody can make sense of, and does the others", async () => {
    await queue.put([{ what: "this" }]);
    await expectWhole(await sharedBackfill(optionsFor()));
    await workOnJobs(optionsFor(), async () => (await queue.list(["created", "retry"])).length === 0);
    expect((await queue.list(["failed"])).map(({ reason }) => reason)).to.deep.equal([
      "the job is not a range of blocks",
    ]);
  });
});
