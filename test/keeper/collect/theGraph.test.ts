import { expect } from "chai";
import type { BlockLookup } from "../../../keeper/collect/chainBlocks";
import { type HttpSourceOptions, openHttpSource } from "../../../keeper/collect/httpSource";
import { graphKeyHeader, poolEvents } from "../../../keeper/collect/theGraph";
import { InputFailure } from "../../../keeper/config/failure";
import type { EventRow } from "../../../keeper/store/historyRecords";
import { type GraphServerOptions, KEY, graphServer } from "./graphServer";
import { failureOf } from "./failureOf";
import { FIRST_BLOCK, POOL, type Entity, poolHistory } from "./poolModel";
import { type ScriptedServer, hang, htmlPage, json, scriptedServer, status, zipped } from "./scriptedServer";

const history = poolHistory(11, 400);
const lastBlock = history.lastBlock;
const middle = FIRST_BLOCK + Math.floor((lastBlock - FIRST_BLOCK) / 2);
const blocks: BlockLookup = async (number) => history.blocks.get(number) ?? null;

const expected = (fromBlock: number, toBlock: number): EventRow[] =>
  history.rows.filter(({ block }) => block >= fromBlock && block <= toBlock);

/** Impacts are floats that were reached in two ways. */
function expectRows(actual: readonly EventRow[], wanted: readonly EventRow[]): void {
  const bare = (rows: readonly EventRow[]) => rows.map((row) => ({ ...row, priceImpactBps: null }));
  expect(bare(actual)).to.deep.equal(bare(wanted));
  wanted.forEach(({ priceImpactBps }, index) => {
    const impact = actual[index]?.priceImpactBps;
    if (priceImpactBps === null) expect(impact).to.equal(null);
    else expect(impact).to.be.closeTo(priceImpactBps, 1e-6);
  });
}

describe("events from The Graph", () => {
  const servers: ScriptedServer[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

  async function serving(server: Promise<ScriptedServer>): Promise<ScriptedServer> {
    servers.push(await server);
    return server;
  }

  interface Asking {
    readonly pageSize?: number;
    readonly pool?: string;
    readonly fromBlock?: number;
    readonly toBlock?: number;
    readonly blocks?: BlockLookup;
    readonly key?: string;
    readonly signal?: AbortSignal;
    readonly http?: Partial<HttpSourceOptions>;
  }

  function ask(server: ScriptedServer, asking: Asking = {}): Promise<EventRow[]> {
    const source = openHttpSource({
      name: "the-graph",
      field: "sources.theGraph",
      baseUrl: `${server.url}/api/subgraphs/id/x`,
      headers: asking.key === "" ? {} : graphKeyHeader("GRAPH_KEY", { GRAPH_KEY: asking.key ?? KEY }),
      rate: { perMinute: 60_000, burst: 100 },
      timeoutMs: 5_000,
      deadlineMs: 20_000,
      attempts: 2,
      maxBodyBytes: 10_000_000,
      random: () => 0,
      ...asking.http,
    });
    const { pageSize } = asking;
    const subgraph = { source, chainId: 1, blocks: asking.blocks ?? blocks };
    return poolEvents(pageSize === undefined ? subgraph : { ...subgraph, pageSize }, {
      pool: asking.pool ?? POOL,
      fromBlock: asking.fromBlock ?? FIRST_BLOCK,
      toBlock: asking.toBlock ?? lastBlock,
      signal: asking.signal,
    });
  }

  const withServer = async (options: GraphServerOptions = {}, asking: Asking = {}): Promise<EventRow[]> =>
    ask(await serving(graphServer(history, options)), asking);

  it("are the pool's own: order, amounts to the unit, liquidity in range, place in the chain", async () => {
    expectRows(await withServer(), expected(FIRST_BLOCK, lastBlock));
  });

  it("are the same over pages of any length, a full last page and an empty one included", async () => {
    const { swaps } = history.entities;
    for (const pageSize of [7, swaps.length, swaps.length + 1, 1_000]) {
      expectRows(await withServer({}, { pageSize }), expected(FIRST_BLOCK, lastBlock));
    }
  });

  it("are those of the wanted blocks, with the liquidity of then, though the index has gone on", async () => {
    const ranges = [
      [FIRST_BLOCK, middle],
      [middle + 1, lastBlock],
      [middle, middle + 20],
    ] as const;
    for (const [fromBlock, toBlock] of ranges) {
      expectRows(await withServer({}, { fromBlock, toBlock }), expected(fromBlock, toBlock));
    }
  });

  it("hold for many histories and every short range", async () => {
    for (const seed of [1, 2, 3, 4]) {
      const other = poolHistory(seed, 120);
      const server = await serving(graphServer(other));
      const lookup: BlockLookup = async (number) => other.blocks.get(number) ?? null;
      for (let fromBlock = FIRST_BLOCK + 40; fromBlock < other.lastBlock; fromBlock += 29) {
        const rows = await ask(server, { blocks: lookup, fromBlock, toBlock: fromBlock + 28 });
        const wanted = other.rows.filter(({ block }) => block >= fromBlock && block <= fromBlock + 28);
        expect(rows.map(({ liquidity }) => liquidity)).to.deep.equal(wanted.map(({ liquidity }) => liquidity));
        expect(rows.length).to.equal(wanted.length);
      }
    }
  });

  it("are none in blocks without events", async () => {
    const empty = lastBlock + 10;
    expect(await withServer({}, { fromBlock: empty, toBlock: empty + 5 })).to.deep.equal([]);
  });

  it("take a pool's address in any case and give it in lower case", async () => {
    const [row] = await withServer({}, { pool: POOL.toUpperCase().replace("0X", "0x"), toBlock: middle });
    expect(row?.pool).to.equal(POOL);
  });

  it("come through rate limits, packed answers and a 500 on the way", async () => {
    const { entities } = history;
    const first = {
      data: { _meta: { block: { number: lastBlock }, deployment: "QmIndex", hasIndexingErrors: false } },
    };
    const pool = history.poolAt(lastBlock);
    const instead = { 0: zipped({ data: { ...first.data, pool } }), 2: status(502) };
    const server = await serving(graphServer(history, { limitEvery: 5, instead }));
    const rows = await ask(server, { pageSize: Math.ceil(entities.swaps.length / 4) });
    expectRows(rows, expected(FIRST_BLOCK, lastBlock));
  }).timeout(30_000);

  it("never ask by skip, always at one block, with the key in the header only", async () => {
    const server = await serving(graphServer(history));
    await ask(server, { pageSize: 50, fromBlock: FIRST_BLOCK + 50, toBlock: middle });
    expect(server.asked.length).to.be.above(5);
    for (const { path, body, headers } of server.asked) {
      const { query, variables } = JSON.parse(body) as { query: string; variables: Record<string, unknown> };
      expect(query).not.to.contain("skip");
      const isState = /pool\(|ticks\(/.test(query);
      expect(variables["block"]).to.be.oneOf(isState ? [middle, FIRST_BLOCK + 49] : [middle]);
      expect(headers.authorization).to.equal(`Bearer ${KEY}`);
      expect(`${path}${body}`).not.to.contain(KEY);
    }
  });

  const without = (name: "swaps" | "mints" | "burns", index: number): GraphServerOptions => ({
    entities: { [name]: history.entities[name].filter((_, at) => at !== index) },
  });
  const altered = (index: number, change: Readonly<Record<string, unknown>>): GraphServerOptions => ({
    entities: {
      swaps: history.entities.swaps.map((swap, at) => (at === index ? { ...swap, ...change } : swap)) as Entity[],
    },
  });
  const doubled: GraphServerOptions = {
    entities: {
      swaps: history.entities.swaps.flatMap((swap, at) =>
        at === 30 ? [swap, { ...swap, id: `${swap.id}x`, amount0: "0" }] : [swap],
      ),
    },
  };
  const twice = (page: readonly unknown[]): readonly unknown[] => [...page.slice(0, -1), page[0]];

  const refused: readonly (readonly [string, GraphServerOptions, Asking, string])[] = [
    ["an index behind the wanted block", { head: middle }, {}, "SOURCE_BEHIND"],
    ["an index that forgot the block", { start: lastBlock + 1 }, {}, "SOURCE_PRUNED"],
    ["indexing errors", { hasIndexingErrors: true }, {}, "SOURCE_INDEX_BROKEN"],
    ["a pool that it does not know", {}, { pool: `0x${"12".repeat(20)}` }, "SOURCE_POOL_UNKNOWN"],
    ["blocks from before the pool", {}, { fromBlock: 1, toBlock: 10 }, "SOURCE_POOL_UNKNOWN"],
    ["no key", {}, { key: "" }, "SOURCE_REFUSED"],
    ["a wrong key", {}, { key: "f".repeat(32) }, "SOURCE_REFUSED"],
    ["pages over 1,000", {}, { pageSize: 1_001 }, "SOURCE_ERROR"],
    ["another version between two pages", { deployments: ["QmA", "QmA", "QmB"] }, {}, "SOURCE_CONTRADICTION"],
    ["an event twice in a page", { page: twice }, {}, "SOURCE_GARBAGE"],
    ["an event next to itself", { page: (page) => [...page.slice(0, -1), page.at(-2)] }, {}, "SOURCE_GARBAGE"],
    ["the same page for ever", { page: () => history.entities.swaps.slice(0, 9) }, { pageSize: 9 }, "SOURCE_GARBAGE"],
    ["the last swap missing", without("swaps", history.entities.swaps.length - 1), {}, "SOURCE_CONTRADICTION"],
    ["a swap missing in the middle", without("swaps", 60), {}, "SOURCE_CONTRADICTION"],
    ["a mint missing", without("mints", 20), { fromBlock: middle - 200 }, "SOURCE_CONTRADICTION"],
    ["a burn missing", without("burns", 30), { fromBlock: middle - 100 }, "SOURCE_CONTRADICTION"],
    ["two events at one log, the second of nothing", doubled, {}, "SOURCE_CONTRADICTION"],
    ["two events at one log", altered(8, { ...history.entities.swaps[9], id: "0xffff" }), {}, "SOURCE_CONTRADICTION"],
    [
      "another tick after the last swap",
      altered(history.entities.swaps.length - 1, { tick: "5" }),
      {},
      "SOURCE_CONTRADICTION",
    ],
    ["a null log index", altered(4, { logIndex: null }), {}, "SOURCE_GARBAGE"],
    ["a null price", altered(4, { sqrtPriceX96: null }), {}, "SOURCE_GARBAGE"],
    ["a number where a decimal string is", altered(4, { amount0: 1.5 }), {}, "SOURCE_GARBAGE"],
    ["an amount finer than a unit", altered(4, { amount0: "1.0000001" }), {}, "SOURCE_GARBAGE"],
    ["an amount that is no number", altered(4, { amount1: "12abc" }), {}, "SOURCE_GARBAGE"],
    ["an amount with more digits than it keeps", altered(4, { amount1: "99999999999999999.9" }), {}, "SOURCE_GARBAGE"],
    ["another time than the block's", altered(4, { timestamp: "1700000001" }), {}, "SOURCE_CONTRADICTION"],
    ["an address that is none", altered(4, { sender: "0x12" }), {}, "SOURCE_GARBAGE"],
  ];
  for (const [name, options, asking, code] of refused) {
    it(`are refused: ${name}`, async () => {
      const failure = await failureOf(withServer(options, asking));
      expect(failure.code, failure.line()).to.equal(code);
      expect(failure.message).to.match(/^the-graph /);
      expect(failure.line()).not.to.match(new RegExp(`${KEY}|QmIndex|127\\.0`));
    });
  }

  it("are refused without any one mint in range, over however few blocks", async () => {
    for (const [index, mint] of history.entities.mints.entries()) {
      if (index < 10 || index % 5 !== 0) continue;
      const block = Number((mint["transaction"] as Entity)["blockNumber"]);
      const failure = await failureOf(
        withServer(without("mints", index), { fromBlock: block - 1, toBlock: block + 1 }),
      );
      expect(failure.code, `mint ${index}`).to.equal("SOURCE_CONTRADICTION");
    }
  });

  it("are refused when `_meta` alone tells of indexing errors or of a head behind", async () => {
    const meta = { block: { number: lastBlock }, deployment: "QmIndex", hasIndexingErrors: false };
    const pool = history.poolAt(lastBlock);
    const cases = [
      [{ ...meta, hasIndexingErrors: true }, "SOURCE_INDEX_BROKEN"],
      [{ ...meta, block: { number: lastBlock - 1 } }, "SOURCE_BEHIND"],
    ] as const;
    for (const [said, code] of cases) {
      const server = await serving(scriptedServer(json({ data: { _meta: said, pool } })));
      expect((await failureOf(ask(server))).code).to.equal(code);
    }
  });

  it("are refused beside errors, though a part of the data came", async () => {
    const meta = { block: { number: lastBlock }, deployment: "QmIndex", hasIndexingErrors: false };
    const answer = { data: { _meta: meta, pool: history.poolAt(lastBlock) }, errors: [{ message: "secret words" }] };
    const failure = await failureOf(ask(await serving(scriptedServer(json(answer)))));
    expect(failure.code).to.equal("SOURCE_ERROR");
    expect(failure.line()).not.to.contain("secret");
    const nothing = await serving(scriptedServer(json({ data: null })));
    expect((await failureOf(ask(nothing))).code).to.equal("SOURCE_GARBAGE");
  });

  it("fail by what the words of the errors mean, which are not shown", async () => {
    const meaning: readonly (readonly [string, string])[] = [
      ["bad indexers: {0x12: Unavailable(missing block: 28068745, latest: 28068741)}", "SOURCE_BEHIND"],
      ["bad indexers: {0x12: BadResponse(500)}", "SOURCE_UNREACHABLE"],
      ["bad query: requested block 29, before minimum `startBlock` of manifest 2262296", "SOURCE_PRUNED"],
      ["auth error: payment required for subsequent requests for this API key", "SOURCE_REFUSED"],
      ["Type `Query` has no field `swaps`", "SOURCE_ERROR"],
    ];
    for (const [message, code] of meaning) {
      const server = await serving(scriptedServer(json({ errors: [{ message }] })));
      const failure = await failureOf(ask(server));
      expect(failure.code, message).to.equal(code);
      expect(failure.line()).not.to.contain(message.slice(0, 12));
    }
  });

  it("are refused where our chain has other blocks than the index", async () => {
    const other: BlockLookup = async (number) => {
      const block = history.blocks.get(number);
      return block === undefined ? null : { ...block, transactions: block.transactions.slice(1) };
    };
    for (const lookup of [other, async () => null]) {
      expect((await failureOf(withServer({}, { blocks: lookup }))).code).to.equal("SOURCE_CONTRADICTION");
    }
  });

  it("fail with what the way there met: a proxy's page, a server that does not answer, a stop", async () => {
    const proxy = await serving(scriptedServer(htmlPage));
    expect((await failureOf(ask(proxy))).code).to.equal("SOURCE_GARBAGE");
    const silent = await serving(scriptedServer(hang));
    const failure = await failureOf(ask(silent, { http: { timeoutMs: 50, attempts: 1 } }));
    expect(failure.code).to.equal("SOURCE_UNREACHABLE");
    const stop = new AbortController();
    const asking = ask(silent, { signal: stop.signal }).catch((error: unknown) => error);
    const reason = new Error("stop");
    stop.abort(reason);
    expect(await asking).to.equal(reason);
  });
});

describe("the key to The Graph", () => {
  it("goes from the environment into a header", () => {
    expect(graphKeyHeader("GRAPH_KEY", { GRAPH_KEY: " abc \n" })).to.deep.equal({ authorization: "Bearer abc" });
  });

  it("is asked for by its variable, and never shown", () => {
    for (const value of [undefined, "", "two words"]) {
      try {
        graphKeyHeader("GRAPH_KEY", { GRAPH_KEY: value });
        expect.fail("it was taken");
      } catch (error) {
        expect(error).to.be.instanceOf(InputFailure);
        expect((error as InputFailure).field).to.equal("GRAPH_KEY");
        expect((error as InputFailure).line()).not.to.contain("two words");
      }
    }
  });
});
