// `tiller backfill --source sweep` as processes that share the work, one of which is killed in the middle of a job: local chain,
// real database; the reference is a run that nothing disturbs.
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { backfill, type BackfillReport } from "../../../keeper/collect/backfill";
import { queueName } from "../../../keeper/collect/backfillJobs";
import { historicSweep, sweepKey } from "../../../keeper/collect/historicSweep";
import type { SweepGrid } from "../../../keeper/collect/sweepGrid";
import { silent } from "../../../keeper/events/events";
import type { BackfillKey, HistoryRow, ReadingRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { LOCAL_CHAIN_ID } from "../../../scripts/localnet/anvil";
import { startScript, type Finished } from "../../e2e/localSystem";
import { faultyNode, refusal, type FaultyNode } from "../chain/fixtures/faultyNode";
import { moreTargets, startLocalVenues, type LocalVenues } from "./localVenues";

/** The local node keeps the state of the last 256. */
const BLOCKS = 240;
const FINALITY_BLOCKS = 64;
const GRID: SweepGrid = { every: 120, unit: "seconds" };

type Report = Omit<BackfillReport, "key" | "range"> & { readonly subject: string };

describe("tiller backfill --source sweep", function () {
  this.timeout(180_000);
  let local: LocalVenues;
  let folder: string;
  let key: BackfillKey;
  let from: number;
  /** The last blocks are not final yet. */
  let to: number;
  const closing: (() => Promise<void>)[] = [];

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-sweeping-"));
    local = await startLocalVenues();
    from = (await local.head()).number + 1;
    await local.rpc("anvil_mine", [`0x${BLOCKS.toString(16)}`, "0x3c"]);
    to = from + BLOCKS - 20;
    key = sweepKey(LOCAL_CHAIN_ID, GRID, local.targets.sources);
    writeFileSync(path.join(folder, "addresses.json"), JSON.stringify(local.genesis.addresses));
  });
  after(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    await local?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  async function place(name: string): Promise<Store> {
    const store = await openStore({ dataDir: path.join(folder, name), sink: silent });
    closing.push(() => store.close());
    return store;
  }
  async function node(): Promise<FaultyNode> {
    const proxy = await faultyNode(local.url);
    closing.push(() => proxy.close());
    return proxy;
  }
  let started = 0;
  function tiller(name: string, rpcUrl: string, args: readonly string[]): ReturnType<typeof startScript> {
    const config = path.join(folder, `${name}-${(started += 1)}.json`);
    const chain = { rpcUrls: [rpcUrl], finalityBlocks: FINALITY_BLOCKS, requestTimeoutMs: 2_000 };
    const collect = { targets: moreTargets(local.genesis) };
    writeFileSync(config, JSON.stringify({ dataDir: name, addresses: "addresses.json", chain, collect }));
    const run = startScript("keeper/cli/main.ts", ["backfill", "--config", config, ...args]);
    closing.push(async () => {
      run.process.kill("SIGKILL");
      await run.finished;
    });
    return run;
  }
  const whole = (): string[] => [
    ...["--source", "sweep", "--every", "120s", "--from", String(from), "--to", String(to), "--json"],
  ];
  const reportOf = ({ code, stdout, stderr }: Finished): Report => {
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as Report;
  };
  async function everything(store: Store): Promise<object> {
    const series: Record<string, HistoryRow[]> = {};
    for (const { name } of await store.history.series()) {
      series[name] = [];
      for await (const page of store.history.history({ chainId: LOCAL_CHAIN_ID, name })) series[name].push(...page);
    }
    const readings: ReadingRow[] = [];
    const sources = [...local.targets.sources, { source: "gas", subject: "fees" }, key];
    for (const { source, subject } of sources) {
      const query = { chainId: LOCAL_CHAIN_ID, source, subject, from: 0, to: 4e9 };
      readings.push(...(await store.history.readings(query)));
    }
    return { series, readings };
  }
  /** Holds back the calls of blocks at one of its requests. */
  function gate(proxy: FaultyNode, after: number): Promise<void> {
    let calls = 0;
    return new Promise((reached) => {
      proxy.fault = (request) => {
        if (request.method !== "eth_call" || (calls += 1) <= after) return false;
        reached();
        return true;
      };
    });
  }

  it("shared by two workers, one of which is killed in the middle of a job, ends as a clean run", async () => {
    const clean = await place("clean");
    const expected = await backfill({
      source: historicSweep(local.chain, { key, grid: GRID, sources: local.targets.sources }),
      range: { from, to },
      store: clean.history,
      chain: local.chain,
      finalityBlocks: FINALITY_BLOCKS,
      chunk: { first: 77, largest: 77 },
    });
    expect([expected.gaps, expected.absent]).to.deep.equal([[], []]);

    const store = await place("shared");
    const [mine, theirs] = [await node(), await node()];
    const lease = ["--lease", "10"];
    // The helper stands still in the middle of its job, with blocks of it read.
    const held = gate(theirs, 5);
    const helper = tiller("shared", theirs.url, ["--work", ...lease]);
    const queue = await store.jobQueue({ name: queueName(LOCAL_CHAIN_ID), leaseSeconds: 10, retries: 5 });
    const waiting = gate(mine, 5);
    const run = tiller("shared", mine.url, [...whole(), "--share", "--job-blocks", "40", ...lease]);
    await Promise.race([
      Promise.all([held, waiting]),
      run.finished.then(({ stderr }) => Promise.reject(new Error(`it ended before: ${stderr}`))),
    ]);
    expect((await queue.list(["active"])).length, "jobs under way").to.be.above(0);
    helper.process.kill("SIGKILL");
    expect((await helper.finished).signal).to.equal("SIGKILL");
    mine.fault = null;
    // What was held back is asked for again when its time is up.
    const report = reportOf(await run.finished);
    expect(report).to.deep.include({ rows: expected.rows, checksum: expected.checksum, gaps: [], absent: [] });
    expect(report.subject).to.equal(key.subject);
    expect(await everything(store)).to.deep.equal(await everything(clean));
    const jobs = await queue.list(["created", "retry", "active", "completed", "failed"]);
    expect(jobs.map(({ state }) => state)).to.deep.equal(jobs.map(() => "completed"));
    expect(jobs.filter(({ retries }) => retries > 0).length, "a job was lost and taken again").to.be.above(0);
    let next = from;
    for (const { fromBlock, toBlock } of await store.history.chunks(key)) {
      expect(fromBlock).to.equal(next);
      next = toBlock + 1;
    }
    expect(next).to.equal(to + 1);

    const again = reportOf(await tiller("shared", mine.url, whole()).finished);
    expect(again).to.deep.include({ checksum: expected.checksum, collected: { chunks: 0, blocks: 0, rows: 0 } });
    expect(await everything(store)).to.deep.equal(await everything(clean));
  });

  it("says that a node is no archive, with the block, and deals nothing out", async () => {
    const pruned = await node();
    pruned.fault = (request, response) =>
      request.method === "eth_call" &&
      Boolean(response.end(refusal(request, -32000, "missing trie node (path ) state is not available")));
    const store = await place("pruned");
    for (const shared of [[], ["--share"]]) {
      const { code, stdout, stderr } = await tiller("pruned", pruned.url, [...whole(), ...shared]).finished;
      expect([code, stdout]).to.deep.equal([1, ""]);
      const { error } = JSON.parse(stderr) as { error: { code: string; message: string; remedy: string } };
      expect(error.code).to.equal("STATE_PRUNED");
      expect(error.message).to.match(/^the node no longer has the state of block \d+$/);
      expect(error.remedy).to.match(/archive node/);
    }
    expect(await store.history.chunks(key)).to.deep.equal([]);
    const queue = await store.jobQueue({ name: queueName(LOCAL_CHAIN_ID), leaseSeconds: 10, retries: 5 });
    expect(await queue.list(["created", "retry", "active", "completed", "failed"])).to.deep.equal([]);
  });

  it("says what is wrong with what it was asked for", async () => {
    const asked = (change: Readonly<Record<string, string | null>>): string[] => {
      const options = { "--source": "sweep", "--every": "120s", "--from": "1", "--to": "final", ...change };
      return Object.entries(options).flatMap(([name, value]) => (value === null ? [] : [name, value]));
    };
    const pool = local.genesis.protocols.threePool.pool;
    const cases: [readonly string[], RegExp][] = [
      [asked({ "--every": null }), /^tiller: --every: .*OPTION_MISSING.*300s/],
      [asked({ "--every": "10 minutes" }), /^tiller: --every: .*OPTION_MALFORMED.*300s/],
      [asked({ "--pool": pool }), /^tiller: --pool: .*OPTION_MALFORMED/],
      [asked({ "--source": "curve", "--pool": pool }), /^tiller: --every: .*OPTION_MALFORMED/],
    ];
    await place("refused");
    for (const [args, words] of cases) {
      const { code, stdout, stderr } = await tiller("refused", local.url, args).finished;
      expect(stderr).to.match(words);
      expect([code, stdout, stderr.trim().split("\n").length]).to.deep.equal([2, "", 1]);
    }
  });
});
