// What is collected, on every PostgreSQL that is here.
import { expect } from "chai";
import { WorldFailure } from "../../../keeper/config/failure";
import type {
  BackfillKey,
  ChunkRow,
  EventRow,
  HistoryRow,
  HistoryStore,
  Inserted,
  ReadingRow,
} from "../../../keeper/store/historyRecords";
import { monthsBetween } from "../../../keeper/store/partitions";
import { hash } from "./fixtures/rows";
import { onEveryServer } from "./fixtures/servers";

const HOUR = 3_600;
/** 2024-01-31 22:00 UTC: the rows that follow cross the end of a month. */
const START = 1_706_738_400;

function historyRow(k: number, over: Partial<HistoryRow> = {}): HistoryRow {
  return {
    observedAt: START + k * HOUR - 40,
    availableAt: START + k * HOUR,
    block: 19_000_000 + k * 300,
    blockHash: null,
    source: "import",
    suppliedUsd: 1e9 / 3 + k,
    borrowedUsd: 9e8 / 7,
    supplyApr: 0.05 + k / 1e4,
    borrowApr: 0.07,
    index: null,
    flags: 0,
    ...over,
  };
}

const rowsFrom = (from: number, count: number): HistoryRow[] =>
  Array.from({ length: count }, (_, k) => historyRow(from + k));

function eventRow(block: number, logIndex: number, over: Partial<EventRow> = {}): EventRow {
  return {
    chainId: 1,
    source: "uniswap-v3",
    pool: POOL.subject,
    kind: "swap",
    block,
    blockHash: hash(block),
    txHash: hash(block * 1000 + logIndex),
    txIndex: 1,
    logIndex,
    observedAt: START + block * 12,
    availableAt: START + block * 12 + 3,
    sender: "0x01",
    recipient: null,
    amount0: "-115792089237316195423570985008687907853269984665640564039457",
    amount1: "1",
    sqrtPriceX96: "79228162514264337593543950336",
    liquidity: "340282366920938463463374607431768211455",
    tick: -3,
    tickLower: null,
    tickUpper: null,
    priceImpactBps: -0.25,
    gasUsed: "130000",
    gasPriceWei: "12000000000",
    ...{ coinAmounts: null, coinFees: null, receipts: null },
    ...over,
  };
}

const POOL: BackfillKey = { chainId: 1, source: "uniswap-v3", subject: `0x${"ab".repeat(20)}` };

function chunk(fromBlock: number, toBlock: number, rows: number, tentative = false): ChunkRow {
  return { fromBlock, toBlock, toHash: hash(toBlock), rows, checksum: "0".repeat(64), tentative };
}

async function all<T>(pages: AsyncGenerator<T[], void, void>): Promise<T[]> {
  const rows: T[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

async function codeOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (error instanceof WorldFailure) return error.code;
    throw error;
  }
  return "none";
}

describe("months", () => {
  it("are those that the span touches, over the end of a year", () => {
    expect(monthsBetween(Date.UTC(2023, 10, 30) / 1000, Date.UTC(2024, 0, 1) / 1000)).to.deep.equal([
      { name: "2023_11", from: "2023-11-01 00:00:00+00", to: "2023-12-01 00:00:00+00" },
      { name: "2023_12", from: "2023-12-01 00:00:00+00", to: "2024-01-01 00:00:00+00" },
      { name: "2024_01", from: "2024-01-01 00:00:00+00", to: "2024-02-01 00:00:00+00" },
    ]);
  });
});

onEveryServer("history", (open, server) => {
  let store: HistoryStore;
  before(() => {
    store = open().history;
  });
  const series = (name: string, chainId = 1): { chainId: number; name: string } => ({ chainId, name });
  const read = (name: string, query = {}, chainId = 1): Promise<HistoryRow[]> =>
    all(store.history(series(name, chainId), query));

  it("gives rows back digit for digit, over months, and adds none twice", async () => {
    const rows = [...rowsFrom(0, 5), historyRow(5, { index: "1069124000000000000000000001", blockHash: hash(5) })];
    expect(await store.addHistory(series("one"), rows)).to.deep.equal({ inserted: 6, unchanged: 0 });
    expect(await store.addHistory(series("one"), rows)).to.deep.equal({ inserted: 0, unchanged: 6 });
    expect(await read("one")).to.deep.equal(rows);
    expect(await read("one", { from: rows[1]?.availableAt, to: rows[3]?.availableAt })).to.deep.equal(rows.slice(1, 4));
  });

  it("adds what is new of rows that are stored in part", async () => {
    await store.addHistory(series("part"), rowsFrom(2, 3));
    expect(await store.addHistory(series("part"), rowsFrom(0, 7))).to.deep.equal({ inserted: 4, unchanged: 3 });
    expect(await read("part")).to.deep.equal(rowsFrom(0, 7));
  });

  it("refuses a row that is stored with other values, and keeps nothing of what came with it", async () => {
    await store.addHistory(series("other"), rowsFrom(0, 2));
    const contradicting = [historyRow(1, { supplyApr: 0.0502 }), historyRow(2)];
    expect(await codeOf(store.addHistory(series("other"), contradicting))).to.equal("HISTORY_CONTRADICTION");
    expect(await codeOf(store.addHistory(series("other"), [historyRow(1, { borrowApr: null })]))).to.equal(
      "HISTORY_CONTRADICTION",
    );
    expect(await read("other")).to.deep.equal(rowsFrom(0, 2));
  });

  it("does not mix chains", async () => {
    await store.addHistory(series("twin"), rowsFrom(0, 1));
    await store.addHistory(series("twin", 31_337), rowsFrom(0, 2));
    expect(await read("twin")).to.have.length(1);
    expect(await read("twin", {}, 31_337)).to.have.length(2);
  });

  it("keeps all that a block said, of old series and new ones, or nothing of it, and adds it once", async () => {
    await store.addHistory(series("block-a"), rowsFrom(0, 2));
    const reading: ReadingRow = {
      ...{ chainId: 1, source: "fees", subject: "block", block: 19_000_600, blockHash: hash(6) },
      ...{ observedAt: START, availableAt: START, state: "{}" },
    };
    const block = (row: HistoryRow): Promise<Inserted> =>
      store.addBlock({
        ...{ chainId: 1, tentative: true, readings: [reading] },
        points: [
          { series: "block-b", row: historyRow(2) },
          ...["block-a", "block-c"].map((name) => ({ series: name, row })),
        ],
      });
    const readings = (): Promise<ReadingRow[]> =>
      store.readings({ chainId: 1, source: "fees", subject: "block", from: 0, to: 2e9 });

    expect(await codeOf(block(historyRow(1, { supplyApr: 0.0502 })))).to.equal("HISTORY_CONTRADICTION");
    expect([await read("block-b"), await readings()]).to.deep.equal([[], []]);

    expect(await block(historyRow(2))).to.deep.equal({ inserted: 4, unchanged: 0 });
    expect(await read("block-a")).to.deep.equal(rowsFrom(0, 3));
    expect(await read("block-c")).to.deep.equal([historyRow(2)]);
    expect(await readings()).to.deep.equal([reading]);
    expect(await block(historyRow(2))).to.deep.equal({ inserted: 0, unchanged: 4 });

    expect(await store.rollBack(1, 19_000_599), "tentative, all of it").to.equal(4);
    expect(await read("block-a")).to.deep.equal(rowsFrom(0, 2));
  });

  it("refuses what no source can have meant", async () => {
    for (const bad of [
      { supplyApr: NaN },
      { availableAt: START - HOUR * 9 },
      { block: -1 },
      { suppliedUsd: Infinity },
    ]) {
      expect(await codeOf(store.addHistory(series("bad"), [historyRow(0, bad)])), JSON.stringify(bad)).to.equal(
        "STORE_FAILED",
      );
    }
    expect(await read("bad")).to.deep.equal([]);
  });

  it("pages through more rows than a page", async () => {
    const rows = rowsFrom(0, 20_001);
    await store.addHistory(series("long"), rows);
    const sizes: number[] = [];
    for await (const page of store.history(series("long"))) sizes.push(page.length);
    expect(sizes).to.deep.equal([20_000, 1]);
    expect((await read("long")).at(-1)).to.deep.equal(rows.at(-1));
  });

  it("lists series with their spans", async () => {
    const found = (await store.series()).find(({ name, chainId }) => name === "long" && chainId === 1);
    expect(found).to.include({ rows: 20_001, first: START, last: START + 20_000 * HOUR });
  });

  it("takes the same row from several at once, and stores it once", async () => {
    const both = await Promise.all([1, 2, 3].map(() => store.addHistory(series("race"), rowsFrom(0, 50))));
    expect(both.map(({ inserted }) => inserted).sort()).to.deep.equal([0, 0, 50]);
    expect(await read("race")).to.deep.equal(rowsFrom(0, 50));
  });

  it("makes a new month for several at once", async () => {
    const far = START + 900 * 86_400;
    const other = await server().open();
    try {
      const rows = [historyRow(0, { observedAt: far, availableAt: far })];
      await Promise.all([store.addHistory(series("far-a"), rows), other.history.addHistory(series("far-b"), rows)]);
    } finally {
      await other.close();
    }
    expect(await read("far-a")).to.have.length(1);
    expect(await read("far-b")).to.have.length(1);
  });

  it("rolls rows up, and again where rows were added later", async () => {
    await store.addHistory(series("rolled"), [
      historyRow(0),
      historyRow(1),
      historyRow(3, { supplyApr: null, flags: 2 }),
    ]);
    await store.maintain(START);
    const day = { seconds: 86_400, from: 0, to: 2e9 };
    const [first, second] = await store.buckets(series("rolled"), day);
    // 22:00 and 23:00 of the one day, 1:00 of the next.
    expect(first).to.deep.include({
      at: 1_706_659_200,
      rows: 2,
      supplyAprLeast: historyRow(0).supplyApr,
      supplyAprMost: historyRow(1).supplyApr,
      flags: 0,
    });
    expect(first?.supplyAprMean).to.be.closeTo(0.05005, 1e-15);
    expect(first?.supplyAprLast).to.equal(historyRow(1).supplyApr);
    expect(first?.suppliedUsdLast).to.equal(historyRow(1).suppliedUsd);
    expect(second).to.deep.include({ at: 1_706_745_600, rows: 1, supplyAprMean: null, supplyAprLast: null, flags: 2 });
    await store.addHistory(series("rolled"), [historyRow(2)]);
    await store.maintain(START);
    const [, anew] = await store.buckets(series("rolled"), day);
    expect(anew).to.deep.include({ rows: 2, supplyAprLast: historyRow(2).supplyApr });
    expect(await store.buckets(series("rolled"), { ...day, seconds: 3_600 })).to.have.length(4);
    expect(await store.buckets(series("rolled"), { ...day, seconds: 300 })).to.have.length(4);
  });

  it("keeps readings whole, once each, and drops the months that are older than they are kept for", async () => {
    const reading = (observedAt: number, blockHash: string | null): ReadingRow => ({
      ...{ chainId: 1, source: "aave-v3", subject: "aave-v3-usdc", block: blockHash === null ? null : 7, blockHash },
      ...{ observedAt, availableAt: observedAt + 2, state: '{"a":"1\\n","b":[true,null]}' },
    });
    const rows = [reading(START, hash(1)), reading(START, hash(2)), reading(START + 400 * 86_400, null)];
    expect(await store.addReadings(rows)).to.deep.equal({ inserted: 3, unchanged: 0 });
    expect(await store.addReadings(rows)).to.deep.equal({ inserted: 0, unchanged: 3 });
    const query = { chainId: 1, source: "aave-v3", subject: "aave-v3-usdc", from: 0, to: 2e9 };
    expect(await store.readings(query)).to.have.deep.members(rows);
    expect(await store.newestReading(query)).to.equal(START + 400 * 86_400);
    expect(await store.newestReading({ ...query, chainId: 2 })).to.equal(null);
    const [last] = rows.slice(-1) as [ReadingRow];
    const others = [
      { ...last, subject: "another" },
      { ...last, subject: "aave-v3-usdt", source: "erc4626" },
      { ...last, subject: "elsewhere", chainId: 2 },
      { ...last, subject: "zero", observedAt: last.observedAt - 1 },
    ];
    await store.addReadings(others);
    const at = { chainId: 1, source: "aave-v3", from: last.observedAt, to: last.observedAt };
    expect(await store.readSubjects(at)).to.deep.equal(["aave-v3-usdc", "another"]);
    expect(await store.readSubjects({ ...at, from: at.from - 1 })).to.deep.equal(["aave-v3-usdc", "another", "zero"]);
    expect(await store.readSubjects({ ...at, from: at.to + 1, to: at.to + 9 })).to.deep.equal([]);
    const { dropped } = await store.maintain(START + 401 * 86_400 + 86_400);
    expect(dropped).to.deep.equal(["readings_2024_01"]);
    expect(await store.readings(query)).to.deep.equal([rows[2]]);
    expect((await read("one")).length, "history is kept for good").to.equal(6);
  });

  it("takes readings of a month that was dropped meanwhile, by another process too", async () => {
    const old = (second: number): ReadingRow => ({
      ...{ chainId: 1, source: "aave-v3", subject: "long-ago", block: second, blockHash: hash(second) },
      ...{ observedAt: START + second, availableAt: START + second, state: "{}" },
    });
    await store.addReadings([old(1)]);
    const other = await server().open();
    await other.history.maintain(START + 900 * 86_400);
    await other.close();
    await store.addReadings([old(2)]);
    const query = { chainId: 1, source: "aave-v3", subject: "long-ago", from: 0, to: 2e9 };
    expect(await store.readings(query)).to.deep.equal([old(2)]);
  });

  it("stores a chunk with its events, and a second time nothing", async () => {
    const rows = [
      eventRow(10, 3),
      eventRow(10, 4, {
        kind: "mint",
        sqrtPriceX96: null,
        tick: null,
        tickLower: -10,
        tickUpper: 10,
        priceImpactBps: null,
      }),
    ];
    expect(await store.addEvents(POOL, chunk(0, 99, 2), rows)).to.deep.equal({ inserted: 2, unchanged: 0 });
    expect(await store.addEvents(POOL, chunk(0, 99, 2), rows)).to.deep.equal({ inserted: 0, unchanged: 2 });
    expect(await all(store.events({ ...POOL, pool: POOL.subject, fromBlock: 0, toBlock: 99 }))).to.deep.equal(rows);
    expect(await store.chunks(POOL)).to.deep.equal([chunk(0, 99, 2)]);
  });

  it("keeps events of pools with a list of coins digit for digit, and none that is half of either kind", async () => {
    const key = { ...POOL, source: "curve" };
    const ofCoins = (over: Partial<EventRow>) =>
      eventRow(20, 1, {
        ...{ source: key.source, sqrtPriceX96: null, liquidity: null, tick: null, priceImpactBps: null },
        ...{ amount0: "-7", amount1: "0", coinAmounts: ["-7", "0", `${2n ** 255n}`], coinFees: ["1", "2", "3"] },
        receipts: "1000000000000000000000000001",
        ...over,
      });
    const rows = [ofCoins({ kind: "swap" }), ofCoins({ kind: "burn", logIndex: 2, coinFees: null, liquidity: "5" })];
    await store.addEvents(key, chunk(0, 99, 2), rows);
    expect(await all(store.events({ ...key, pool: key.subject, fromBlock: 0, toBlock: 99 }))).to.deep.equal(rows);
    for (const wrong of [{ tick: 1 }, { tickLower: 1, tickUpper: 2 }, { amount0: "7" }, { coinAmounts: null }]) {
      const work = store.addEvents(key, chunk(100, 199, 1), [ofCoins({ ...wrong, block: 120 })]);
      expect(await codeOf(work), JSON.stringify(wrong)).to.equal("STORE_FAILED");
    }
  });

  it("sums what was traded in buckets, of what was known by then", async () => {
    const key = { ...POOL, source: "traded" };
    const at = (block: number): number => START + block * 12;
    const rows = [
      eventRow(100, 1, { source: key.source, amount0: "-7", amount1: "9" }),
      eventRow(100, 2, { source: key.source, amount0: "5", amount1: "-4" }),
      eventRow(101, 1, {
        ...{ source: key.source, kind: "mint", amount0: "1000", amount1: "1000" },
        ...{ sqrtPriceX96: null, tick: null, tickLower: 0, tickUpper: 1 },
      }),
      eventRow(130, 1, { source: key.source, amount0: "-1", amount1: "2", availableAt: at(130) + 500 }),
    ];
    await store.addEvents(key, chunk(0, 199, rows.length), rows);
    const { chainId, source } = key;
    const query = { chainId, source, pool: key.subject, seconds: 300, from: at(0), to: at(199), knownBy: at(9_999) };
    const bucket = (block: number): number => at(block) - (at(block) % 300);
    const first = { at: bucket(100), swaps: 2, sold: ["5", "9"], bought: ["7", "4"] };
    const second = { at: bucket(130), swaps: 1, sold: ["0", "2"], bought: ["1", "0"] };
    expect(await store.volumes(query)).to.deep.equal([first, second]);
    expect(await store.volumes({ ...query, knownBy: at(130) + 499 })).to.deep.equal([first]);
    expect(await store.volumes({ ...query, to: at(100) - 1 })).to.deep.equal([]);
    const coins = await store.volumes({ ...query, source: "curve" });
    expect(coins).to.deep.equal([
      { at: bucket(20), swaps: 1, sold: ["0", "0", `${2n ** 255n}`], bought: ["7", "0", "0"] },
    ]);
  });

  it("refuses a chunk of which a part is stored, takes one that is stored in pieces for stored", async () => {
    await store.addEvents(POOL, chunk(100, 199, 0), []);
    expect(await codeOf(store.addEvents(POOL, chunk(150, 250, 0), []))).to.equal("HISTORY_CHUNKS_OVERLAP");
    await store.addEvents(POOL, chunk(50, 150, 1), [eventRow(120, 1)]);
    expect(await store.chunks(POOL)).to.have.length(2);
    expect(await all(store.events({ ...POOL, pool: POOL.subject, fromBlock: 100, toBlock: 199 }))).to.deep.equal([]);
  });

  it("gives the chunks that end at a block or after it, of which one may begin before", async () => {
    const from = async (fromBlock: number) =>
      (await store.chunks(POOL, { fromBlock })).map((each) => [each.fromBlock, each.toBlock]);
    const whole = [
      [0, 99],
      [100, 199],
    ];
    expect(await from(0)).to.deep.equal(whole);
    expect(await from(99)).to.deep.equal(whole);
    for (const block of [100, 150, 199]) expect(await from(block)).to.deep.equal(whole.slice(1));
    expect(await from(200)).to.deep.equal([]);
    expect(await store.chunks({ ...POOL, chainId: 2 }, { fromBlock: 5 })).to.deep.equal([]);
  });

  it("rolls back what is tentative above a block, whole chunks, and nothing that is final or of another chain", async () => {
    await store.addEvents(POOL, chunk(200, 299, 1, true), [eventRow(210, 0)]);
    await store.addEvents(POOL, chunk(300, 399, 1, true), [eventRow(310, 0)]);
    const elsewhere = { ...POOL, chainId: 10 };
    await store.addEvents(elsewhere, chunk(300, 399, 1, true), [eventRow(310, 0, { chainId: 10 })]);
    await store.addHistory(series("tentative"), [historyRow(0, { block: 290 })], { tentative: true });
    await store.addHistory(series("tentative"), [historyRow(1, { block: 310 })], { tentative: true });
    await store.finalise(1, 295);
    expect(await store.rollBack(1, 298)).to.equal(3);
    const left = await all(store.events({ ...POOL, pool: POOL.subject, fromBlock: 200, toBlock: 999 }));
    expect(left, "both chunks reach above").to.deep.equal([]);
    expect(await store.chunks(POOL)).to.have.length(2);
    expect(await store.chunks(elsewhere)).to.have.length(1);
    expect((await read("tentative")).map(({ block }) => block)).to.deep.equal([290]);
    await store.finalise(10, 399);
    expect(await store.rollBack(10, 0)).to.equal(0);
  });
});
