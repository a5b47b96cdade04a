// `tiller backfill` as processes that are killed, on a real chain, a real reorganisation, a poor provider and a real
// database; the reference is what the node itself says, and a run that nothing disturbs.
import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { backfill, type BackfillReport } from "../../../keeper/collect/backfill";
import { queueName } from "../../../keeper/collect/backfillJobs";
import { workOf } from "../../../keeper/collect/eventRanges";
import { rangeSource, RANGE_SOURCES } from "../../../keeper/collect/rangeSources";
import { silent } from "../../../keeper/events/events";
import type { BackfillKey } from "../../../keeper/store/historyRecords";
import { serverFolder } from "../../../keeper/store/embedded";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { findRunning } from "../../../keeper/store/serverProcess";
import { startScript, type Finished } from "../../e2e/localSystem";
import { gatedNode, type GatedNode } from "./fixtures/gatedNode";
import { POOL, SWAP_CHAIN_ID, startSwapChain, type SwapChain } from "./fixtures/swapChain";

const BLOCKS = 100_000;
const FINALITY_BLOCKS = 64;
/** The last blocks are of one fork first, then of another. */
const FORK_AT = BLOCKS - 40;
const KEY: BackfillKey = { chainId: SWAP_CHAIN_ID, source: "uniswap-v3", subject: POOL };

type Report = Omit<BackfillReport, "key" | "range"> & { readonly from: number; readonly to: number };

describe("tiller backfill", function () {
  this.timeout(180_000);
  let node: SwapChain;
  let chain: Chain;
  let folder: string;
  let fork: string;
  let clean: BackfillReport;
  /** The node's own list of block hash and place. */
  let truth: string[];
  const closing: (() => Promise<void>)[] = [];
  const running = new Set<ReturnType<typeof startScript>>();

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-backfill-"));
    node = await startSwapChain();
    await node.mineWithSwaps(FORK_AT, { every: 2_000, count: 20, seed: 1 });
    fork = await node.rpc<string>("evm_snapshot");
    await node.mineWithSwaps(BLOCKS - FORK_AT, { every: 9, count: 5, seed: 400_000 });
    chain = await connectChain({
      rpcUrls: [node.url],
      expectedChainId: SWAP_CHAIN_ID,
      requestTimeoutMs: 10_000,
      sink: silent,
    });
  });
  after(async () => {
    chain?.close();
    await node?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const { process, finished } of running) {
      process.kill("SIGKILL");
      await finished;
    }
    running.clear();
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function place(name: string): Promise<Store> {
    const store = await openStore({ dataDir: path.join(folder, name), sink: silent });
    closing.push(() => store.close());
    return store;
  }
  async function provider(failing: boolean): Promise<GatedNode> {
    const gated = await gatedNode(node.url, { failing });
    closing.push(() => gated.close());
    return gated;
  }
  function tiller(name: string, rpcUrl: string, args: readonly string[]): ReturnType<typeof startScript> {
    const config = path.join(folder, `${name}-${running.size}.json`);
    const settings = {
      dataDir: path.join(folder, name),
      chain: { rpcUrls: [rpcUrl], finalityBlocks: FINALITY_BLOCKS },
    };
    writeFileSync(config, JSON.stringify(settings));
    const everywhere = ["backfill", "--chain", String(SWAP_CHAIN_ID), "--config", config];
    const started = startScript("keeper/cli/main.ts", [...everywhere, ...args]);
    running.add(started);
    void started.finished.then(() => running.delete(started));
    return started;
  }
  const whole = ["--source", "uniswap-v3", "--pool", POOL, "--from", "0", "--to", String(BLOCKS), "--json"];

  async function killed(started: ReturnType<typeof startScript>): Promise<void> {
    started.process.kill("SIGKILL");
    expect((await started.finished).signal).to.equal("SIGKILL");
  }
  /** The gate, or the end of the process that should have come to it. */
  async function reaches(started: ReturnType<typeof startScript>, reached: Promise<void>): Promise<void> {
    const ended = await Promise.race([reached, started.finished]);
    if (ended !== undefined) throw new Error(`it ended before: ${ended.stderr}`);
  }
  const reportOf = (finished: Finished): Report => {
    expect(finished.code, finished.stderr).to.equal(0);
    return JSON.parse(finished.stdout) as Report;
  };
  const highest = (chunks: readonly { readonly toBlock: number }[]): number => chunks.at(-1)?.toBlock ?? -1;

  async function expectEqualToClean(store: Store, report: Report): Promise<void> {
    expect(report.gaps).to.deep.equal([]);
    const found: string[] = [];
    const query = { chainId: SWAP_CHAIN_ID, source: KEY.source, pool: POOL, fromBlock: 0, toBlock: BLOCKS };
    for await (const rows of store.history.events(query)) {
      for (const row of rows) found.push(`${row.blockHash} ${row.logIndex}`);
    }
    expect(found).to.deep.equal(truth);
    expect([report.rows, report.checksum]).to.deep.equal([clean.rows, clean.checksum]);
    let next = 0;
    for (const { fromBlock, toBlock } of await store.history.chunks(KEY)) {
      expect(fromBlock).to.equal(next);
      next = toBlock + 1;
    }
    expect(next).to.equal(BLOCKS + 1);
  }
  /** A run that nothing disturbs, on the chain as it is now, in chunks of another size. */
  async function cleanRun(): Promise<void> {
    clean = await backfill({
      source: workOf(rangeSource(RANGE_SOURCES, chain, KEY)),
      range: { from: 0, to: BLOCKS },
      store: (await place("clean")).history,
      chain,
      finalityBlocks: FINALITY_BLOCKS,
      chunk: { first: 7_777 },
    });
    truth = (await node.rawLogs(0, BLOCKS)).map((log) => `${log.blockHash} ${Number(log.logIndex)}`);
  }

  it("killed three times, with a reorganisation and a provider that fails every tenth call, ends as a clean run", async () => {
    const store = await place("killed");
    const poor = await provider(true);

    for (const block of [30_000, 60_000]) {
      const gate = poor.gate(block);
      const run = tiller("killed", poor.url, whole);
      await reaches(run, gate.reached);
      await killed(run);
      expect(highest(await store.history.chunks(KEY))).to.be.within(block - 2_000, block - 1);
    }

    const first = poor.gate(BLOCKS - 10);
    const run = tiller("killed", poor.url, whole);
    await reaches(run, first.reached);
    const tentative = await store.history.tentativeRanges(SWAP_CHAIN_ID);
    expect(highest(tentative), "some of the fork is stored").to.be.above(FORK_AT);
    await node.rpc("evm_revert", [fork]);
    await node.mineWithSwaps(BLOCKS - FORK_AT, { every: 7, count: 6, seed: 800_000 });
    // The process that was in the middle of it meets the other chain, and is ended while it repairs.
    const second = poor.gate(BLOCKS - 10);
    first.open();
    await reaches(run, second.reached);
    await killed(run);

    const report = reportOf(await tiller("killed", poor.url, whole).finished);
    await cleanRun();
    await expectEqualToClean(store, report);
    expect(poor.failures()).to.be.above(50);

    const again = reportOf(await tiller("killed", poor.url, whole).finished);
    expect(again).to.deep.include({ collected: { chunks: 0, blocks: 0, rows: 0 }, forgotten: 0 });
    expect([again.rows, again.checksum]).to.deep.equal([clean.rows, clean.checksum]);
  });

  it("shared by two workers, one of which is killed in the middle of a job, ends as a clean run", async () => {
    if (clean === undefined) await cleanRun();
    const store = await place("shared");
    const [mine, theirs] = [await provider(false), await provider(false)];
    const lease = ["--lease", "10"];
    const gate = theirs.gate(0);
    const helper = tiller("shared", theirs.url, ["--work", ...lease]);
    // The queue is made by whoever comes first; the helper must be there before all is done.
    const queue = await store.jobQueue({ name: queueName(SWAP_CHAIN_ID), leaseSeconds: 3, retries: 5 });
    const first = mine.gate(0);
    const run = tiller("shared", mine.url, [...whole, "--share", "--job-blocks", "4000", ...lease]);
    await reaches(run, first.reached);
    await reaches(helper, gate.reached);
    // Both hold a job that they have begun; one of them ends here.
    expect(await queue.list(["active"])).to.have.length(2);
    first.open();
    await killed(helper);

    const report = reportOf(await run.finished);
    await expectEqualToClean(store, report);
    const jobs = await queue.list(["created", "retry", "active", "completed", "failed"]);
    expect(jobs.map(({ state }) => state)).to.deep.equal(jobs.map(() => "completed"));
    expect(
      jobs.filter(({ retries }) => retries > 0),
      "the lost job was given to the other",
    ).to.have.length(1);
  });

  it("starts workers of its own, which end with it", async () => {
    if (clean === undefined) await cleanRun();
    const store = await place("workers");
    const mine = await provider(false);
    const args = [...whole, "--workers", "2", "--job-blocks", "5000", "--lease", "10"];
    const gate = mine.gate(80_000);
    const run = tiller("workers", mine.url, args);
    await reaches(run, gate.reached);
    // One of the two is held there; the other goes on.
    while ((await store.history.chunks(KEY)).length === 0) await sleep(50);
    await killed(run);
    // Its worker notices, and leaves the rest as it is.
    for (let seen = -1; seen !== mine.seen.length; await sleep(500)) seen = mine.seen.length;
    const report = reportOf(await tiller("workers", mine.url, args).finished);
    await expectEqualToClean(store, report);
  });

  it("ends at Ctrl-C, sent to its workers too as a terminal does, says what stands, and goes on the next time", async () => {
    if (clean === undefined) await cleanRun();
    const watching = await place("stopped");
    const stored = async (store: Store): Promise<number> =>
      (await store.history.chunks(KEY)).reduce((sum, { rows }) => sum + rows, 0);
    const mine = await provider(false);
    const args = [...whole, "--workers", "2", "--job-blocks", "5000"];
    const gate = mine.gate(50_000);
    const run = tiller("stopped", mine.url, args);
    await reaches(run, gate.reached);
    // One of the two is held there, in a job that nobody else gets; the other goes on.
    while ((await stored(watching)) === 0) await sleep(50);
    await watching.close();
    const parent = run.process.pid ?? 0;
    const listed = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
    const workers = listed.split("\n").flatMap((line) => {
      const [, pid, of] = /^\s*(\d+)\s+(\d+)\s.*--work /.exec(line) ?? [];
      return Number(of) === parent ? [Number(pid)] : [];
    });
    expect(workers).to.have.length(1);
    for (const pid of [parent, ...workers]) process.kill(pid, "SIGINT");
    await sleep(100);
    gate.open();
    const { code, stdout, stderr } = await run.finished;
    expect([code, stdout], stderr).to.deep.equal([130, ""]);
    expect(stderr.trim().split("\n")).to.have.length(1);
    expect((JSON.parse(stderr) as { error: unknown }).error).to.include({
      code: "BACKFILL_STOPPED",
      message: "stopped before the end; everything collected so far is stored",
    });
    const server = findRunning(serverFolder(path.join(folder, "stopped")));
    expect(server, "the database's server ended with the last who was there").to.equal(null);

    const store = await place("stopped");
    expect(await stored(store)).to.be.within(1, clean.rows - 1);
    const report = reportOf(await tiller("stopped", mine.url, args).finished);
    await expectEqualToClean(store, report);
  });

  it("says what is wrong with what it was asked for", async () => {
    const asked = (change: Readonly<Record<string, string>>): string[] => {
      const options = { "--source": "uniswap-v3", "--pool": POOL, "--from": "0", "--to": "final", ...change };
      return Object.entries(options).flat();
    };
    const cases: [readonly string[], RegExp][] = [
      [asked({ "--from": "500", "--to": "499" }), /^tiller: --from: .*RANGE_EMPTY/],
      [asked({ "--to": String(BLOCKS + 1_000_000) }), /^tiller: --to: .*BLOCK_BEYOND_HEAD/],
      [asked({ "--source": "uniswap-v9" }), /^tiller: --source: .*SOURCE_UNKNOWN.*uniswap-v3/],
      [asked({ "--pool": "0x1234" }), /^tiller: --pool: .*POOL_MALFORMED/],
      [asked({ "--pool": `0x${"99".repeat(20)}` }), /^tiller: --pool: .*POOL_NO_CONTRACT/],
      [asked({ "--from": "yesterday" }), /^tiller: --from: .*RANGE_MALFORMED/],
      [asked({ "--chain": "1" }), /^tiller: .*CHAIN_WRONG/],
      [asked({ "--workers": "0" }), /^tiller: --workers: .*OPTION_MALFORMED/],
      [["--source", "uniswap-v3"], /^tiller: --pool: .*OPTION_MISSING/],
    ];
    await place("refused");
    const answers = await Promise.all(cases.map(([args]) => tiller("refused", node.url, args).finished));
    answers.forEach(({ code, stdout, stderr }, index) => {
      expect(stderr).to.match(cases[index]?.[1] ?? /never/);
      expect([code, stdout, stderr.trim().split("\n").length]).to.deep.equal([2, "", 1]);
    });
  });
});
