import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Chain, connectChain } from "../../../keeper/chain/connect";
import { type BackfillOptions, backfill } from "../../../keeper/collect/backfill";
import { workOf } from "../../../keeper/collect/eventRanges";
import { RANGE_SOURCES, makerOf, rangeSource, rangeSources } from "../../../keeper/collect/rangeSources";
import { InputFailure } from "../../../keeper/config/failure";
import { configSchema } from "../../../keeper/config/schema";
import { silent } from "../../../keeper/events/events";
import type { BackfillKey, EventRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { type Finished, keeperEnvironment, tiller } from "../../e2e/localSystem";
import { failureOf } from "./failureOf";
import { type GraphServerOptions, KEY, graphServer } from "./graphServer";
import { type HistoryNodeOptions, historyNode } from "./historyNode";
import { FIRST_BLOCK, POOL, poolHistory } from "./poolModel";
import { type ScriptedServer, status } from "./scriptedServer";

const CHAIN_ID = 1;
const FINALITY_BLOCKS = 64;
const history = poolHistory(11, 400);
const RANGE = { from: FIRST_BLOCK, to: history.lastBlock };
const HEAD = history.lastBlock + FINALITY_BLOCKS;
const KEY_OF_POOL: BackfillKey = { chainId: CHAIN_ID, source: "the-graph", subject: POOL };
const ENV = { GRAPH_KEY: KEY };

function theGraphAt(url: string) {
  const theGraph = { url, keyVariable: "GRAPH_KEY", requestsPerMinute: 60_000 };
  return configSchema.parse({ chain: { rpcUrls: ["http://127.0.0.1:1"] }, collect: { theGraph } }).collect.theGraph;
}

describe("a backfill from The Graph", function () {
  this.timeout(60_000);
  const closing: (() => Promise<void> | void)[] = [];
  let folder: string;
  let store: Store;
  let places = 0;

  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-graph-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    store = await openStore({ dataDir: path.join(folder, String(places++)), sink: silent });
    closing.push(() => store.close());
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function serving(server: Promise<ScriptedServer>): Promise<ScriptedServer> {
    const { close } = await server;
    closing.push(close);
    return server;
  }
  async function chainOf(options: Partial<HistoryNodeOptions> = {}): Promise<Chain> {
    const node = await serving(historyNode(history, { chainId: CHAIN_ID, head: HEAD, ...options }));
    const chain = await connectChain({
      rpcUrls: [node.url],
      expectedChainId: CHAIN_ID,
      requestTimeoutMs: 4_000,
      sink: silent,
    });
    closing.push(() => chain.close());
    return chain;
  }
  async function stage(
    options: GraphServerOptions = {},
    node: Partial<HistoryNodeOptions> = {},
  ): Promise<{ readonly graph: ScriptedServer; readonly backfillOptions: BackfillOptions }> {
    const graph = await serving(graphServer(history, options));
    const chain = await chainOf(node);
    const makers = rangeSources({ theGraph: theGraphAt(graph.url), env: ENV });
    const source = rangeSource(makers, chain, KEY_OF_POOL);
    const backfillOptions = {
      source: workOf(source),
      range: RANGE,
      store: store.history,
      chain,
      finalityBlocks: FINALITY_BLOCKS,
      patience: { failures: 3, firstPauseMs: 5, longestPauseMs: 20 },
    };
    return { graph, backfillOptions };
  }
  async function stored(): Promise<EventRow[]> {
    const rows: EventRow[] = [];
    const query = { ...{ chainId: CHAIN_ID, source: "the-graph", pool: POOL }, ...{ fromBlock: 0, toBlock: 1e9 } };
    for await (const batch of store.history.events(query)) rows.push(...batch);
    return rows;
  }
  const bare = (rows: readonly EventRow[]) => rows.map((row) => ({ ...row, priceImpactBps: null }));

  it("stores the pool's own events in chunks, and a second run asks and changes nothing", async () => {
    const { graph, backfillOptions } = await stage();
    const first = await backfill({ ...backfillOptions, chunk: { first: 100, largest: 100 } });
    expect(bare(await stored())).to.deep.equal(bare(history.rows));
    expect(first).to.deep.include({ gaps: [], rows: history.rows.length });
    const chunks = await store.history.chunks(KEY_OF_POOL);
    expect(chunks.length).to.be.above(2);
    for (const { toBlock, toHash } of chunks) {
      const known = history.blocks.get(toBlock)?.hash;
      if (known !== undefined) expect(toHash).to.equal(known);
    }

    const asked = graph.asked.length;
    const second = await backfill(backfillOptions);
    expect(graph.asked).to.have.length(asked);
    expect(second).to.deep.equal({ ...first, collected: { chunks: 0, blocks: 0, rows: 0 } });
  });

  it("goes on where an outage ended it, and waits out a short one", async () => {
    const middle = FIRST_BLOCK + 200;
    const down = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [index, status(403)]));
    const broken = await stage({ instead: down });
    expect((await failureOf(backfill(broken.backfillOptions))).code).to.equal("SOURCE_REFUSED");
    expect(await stored()).to.deep.equal([]);

    const behind = await stage({ head: middle });
    const failure = await failureOf(backfill({ ...behind.backfillOptions, chunk: { first: 50, largest: 50 } }));
    expect(failure.code).to.equal("SOURCE_BEHIND");
    const part = await store.history.chunks(KEY_OF_POOL);
    expect(part.length).to.be.above(1);

    const whole = await stage({ instead: { 0: status(502), 1: status(502), 2: status(502) } });
    const report = await backfill(whole.backfillOptions);
    expect(report.collected.blocks).to.equal(RANGE.to - (part.at(-1)?.toBlock ?? 0));
    expect(bare(await stored())).to.deep.equal(bare(history.rows));
  });

  it("stores nothing of a range whose last block changed while it was read", async () => {
    const chain = await chainOf();
    let asked = 0;
    const other = { number: "0x0", parentHash: `0x${"11".repeat(32)}`, timestamp: "0x1", transactions: [] };
    const shifting: Chain = {
      ...chain,
      request: async (method, params) => {
        const block = await chain.request(method, params);
        const isLast = params[0] === `0x${RANGE.to.toString(16)}`;
        if (isLast) asked += 1;
        // First the range's end, then the events' blocks, of which it is one, then the end again.
        return isLast && asked === 3 ? { ...other, hash: `0x${"22".repeat(32)}` } : block;
      },
    };
    const graph = await serving(graphServer(history));
    const makers = rangeSources({ theGraph: theGraphAt(graph.url), env: ENV });
    const source = rangeSource(makers, shifting, KEY_OF_POOL);
    const signal = new AbortController().signal;
    expect((await failureOf(source.collect(RANGE.from, RANGE.to, signal))).code).to.equal("CHUNK_REORGED");
    expect(asked).to.equal(3);
    expect((await source.collect(RANGE.from, RANGE.to, signal)).toHash).to.equal(history.blocks.get(RANGE.to)?.hash);
  });

  it("fails at a block that the node does not have", async () => {
    const { backfillOptions } = await stage({}, { head: history.lastBlock - 1 });
    const { source } = backfillOptions;
    const collecting = source.collect(RANGE.from, RANGE.to, new AbortController().signal);
    expect((await failureOf(collecting)).code).to.equal("BLOCK_GONE");
  });
});

describe("tiller backfill --source the-graph", function () {
  this.timeout(60_000);
  const servers: ScriptedServer[] = [];
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-graph-"));
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(collect: object, env: Readonly<Record<string, string>> = {}): Promise<Finished> {
    const node = await historyNode(history, { chainId: CHAIN_ID, head: HEAD });
    servers.push(node);
    const config = path.join(folder, "tiller.config.json");
    writeFileSync(config, JSON.stringify({ dataDir: folder, chain: { rpcUrls: [node.url] }, collect }));
    const range = ["--from", String(RANGE.from), "--to", String(RANGE.to)];
    const place = ["--chain", String(CHAIN_ID), "--pool", POOL, "--config", config, "--json"];
    return tiller(["backfill", "--source", "the-graph", ...range, ...place], keeperEnvironment(env));
  }

  it("collects with the address of the config and the key of the environment", async () => {
    const graph = await graphServer(history);
    servers.push(graph);
    const finished = await run({ theGraph: { url: graph.url, keyVariable: "GRAPH_KEY" } }, ENV);
    expect(finished, finished.stderr).to.include({ code: 0 });
    const report = JSON.parse(finished.stdout) as Record<string, unknown>;
    expect(report).to.deep.include({ source: "the-graph", rows: history.rows.length, gaps: [] });
    expect(graph.asked.length).to.be.above(0);
  });

  it("names the missing address, before it asks anybody", async () => {
    const finished = await run({});
    expect(finished.code).to.equal(2);
    expect(finished.stderr).to.match(/collect\.theGraph\.url/);
    expect(servers[0]?.asked).to.deep.equal([]);
  });
});

describe("the sources of a backfill", () => {
  const refused = (makers: ReturnType<typeof rangeSources>, source: string): InputFailure => {
    try {
      makerOf(makers, source);
    } catch (error) {
      expect(error).to.be.instanceOf(InputFailure);
      return error as InputFailure;
    }
    throw new Error("it was given");
  };

  it("need configuration only where they are wanted", () => {
    const makers = rangeSources({ env: {} });
    expect(makerOf(makers, "uniswap-v3")).to.equal(makerOf(RANGE_SOURCES, "uniswap-v3"));
    const failure = refused(makers, "the-graph");
    expect(failure).to.include({ code: "SOURCE_NOT_CONFIGURED", field: "collect.theGraph.url", exitCode: 2 });
  });

  it("ask for a missing key by its variable", () => {
    const theGraph = theGraphAt("https://graph.example/x");
    expect(refused(rangeSources({ theGraph, env: {} }), "the-graph").field).to.equal("GRAPH_KEY");
  });

  it("are named where another is asked for", () => {
    const failure = refused(rangeSources({ env: {} }), "subgraph");
    expect(failure.code).to.equal("SOURCE_UNKNOWN");
    expect(failure.line()).to.contain("uniswap-v3, curve, the-graph");
  });
});
