// History from files: what is taken as it is, what is refused with its place, and that nothing is stored of what is refused.
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { importFiles, type ImportOptions } from "../../../keeper/collect/importFiles";
import { InputFailure, WorldFailure } from "../../../keeper/config/failure";
import type { HistoryRow } from "../../../keeper/store/historyRecords";
import type { Store } from "../../../keeper/store/records";
import { embedded, type Server } from "../store/fixtures/servers";

const HEADER = "observed_at,available_at,block,supplied_usd,borrowed_usd,supply_apr,borrow_apr";
const NOW = 1_750_000_000;
const OPTIONS: ImportOptions = { chainId: 1, rates: "ask", now: NOW };

const SWAPS =
  "block,tx_index,log_index,tx_hash,from,to,pool,protocol,amount0,amount1,sqrt_price_x96,liquidity,tick,reserve0,reserve1,gas_price_paid,coinbase_tip_wei";
const POOLS = "pool,protocol,token0,token1,fee_pips,tick_spacing,decimals0,decimals1";
const [ONE, TWO] = [`0x${"1".repeat(40)}`, `0x${"2".repeat(40)}`];
const TX = `0x${"ab".repeat(32)}`;
const UINT112 = "5192296858534827628530496329220095";

/** A line of a file of swaps, of a transaction for each `txIndex`; by default of block 20,000,000. */
const swap = (txIndex: number, logIndex: number, over: Readonly<Record<string, string>> = {}): string => {
  const fields: Record<string, string> = {
    ...{ block: "20000000", tx_index: String(txIndex), log_index: String(logIndex) },
    ...{ tx_hash: `0x${String(txIndex).repeat(64).slice(0, 64)}`, from: ONE, to: TWO, pool: ONE, protocol: "v3" },
    ...{ amount0: "-5", amount1: "7", sqrt_price_x96: "79228162514264337593543950336", liquidity: "9", tick: "0" },
    ...{ reserve0: "", reserve1: "", gas_price_paid: "0", coinbase_tip_wei: "-1", ...over },
  };
  return SWAPS.split(",")
    .map((name) => fields[name])
    .join();
};
const OF_RESERVES = { protocol: "v2", sqrt_price_x96: "", liquidity: "", tick: "", reserve0: UINT112, reserve1: "3" };

/** Of block 20,000,000 and its time. */
const GOOD = [
  "1717281407,1717282800,20000000,1396000000,1249000000.5,0.0705,0.0875",
  "1717282811,1717286400,20000117,1.4e9,1.25e9,0.07,",
];

describe("importing files", function () {
  this.timeout(60_000);
  let server: Server;
  let store: Store;
  let folder: string;
  before(async () => {
    server = embedded(null);
    store = await server.open();
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-import-"));
  });
  after(async () => {
    await store?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const file = (name: string, lines: readonly string[] | Buffer): string => {
    const place = path.join(folder, name);
    writeFileSync(place, lines instanceof Buffer ? lines : `${lines.join("\n")}\n`);
    return place;
  };
  const stored = async (name: string): Promise<HistoryRow[]> => {
    const rows: HistoryRow[] = [];
    for await (const page of store.history.history({ chainId: 1, name })) rows.push(...page);
    return rows;
  };

  it("stores what a file says, once, packed or not", async () => {
    const plain = file("aave-v3-usdc.csv", [HEADER, ...GOOD]);
    const counts = { files: 1, rowsRead: 2, flagged: 1 };
    expect(await importFiles(store.history, [plain], OPTIONS)).to.deep.equal({
      ...counts,
      rowsInserted: 2,
      rowsUnchanged: 0,
    });
    const packed = file("aave-v3-usdc.csv.gz", gzipSync(`\uFEFF${[HEADER, ...GOOD].join("\r\n")}\r\n`));
    expect(await importFiles(store.history, [packed], OPTIONS)).to.deep.equal({
      ...counts,
      rowsInserted: 0,
      rowsUnchanged: 2,
    });
    const [first, second] = await stored("aave-v3-usdc");
    expect(first).to.deep.include({ observedAt: 1_717_281_407, availableAt: 1_717_282_800, block: 20_000_000 });
    expect(first).to.deep.include({ suppliedUsd: 1_396_000_000, borrowedUsd: 1_249_000_000.5, supplyApr: 0.0705 });
    expect(first?.source).to.match(/^import:[0-9a-f]{16}$/);
    expect(second).to.deep.include({ borrowApr: null, flags: 1024 });
  });

  it("reads the columns by their names", async () => {
    const mixed = file("mixed.csv", [
      "block,borrow_apr,available_at,observed_at,supply_apr,borrowed_usd,supplied_usd",
      "20000000,0.0875,1717282800,1717281407,0.0705,1,2",
    ]);
    await importFiles(store.history, [mixed], OPTIONS);
    expect((await stored("mixed"))[0]).to.deep.include({
      suppliedUsd: 2,
      borrowedUsd: 1,
      supplyApr: 0.0705,
      borrowApr: 0.0875,
    });
  });

  it("takes percent when it is told so", async () => {
    const percent = file("percent.csv", [HEADER, "1717281407,1717282800,20000000,1e9,9e8,5.5,7"]);
    await importFiles(store.history, [percent], { ...OPTIONS, rates: "percent" });
    expect((await stored("percent"))[0]).to.deep.include({ supplyApr: 0.055, borrowApr: 0.07 });
  });

  it("goes on flagging where the stored series ends", async () => {
    const line = (k: number, supplied: number): string =>
      `${1_717_281_407 + k * 3_600},${1_717_281_407 + k * 3_600},${20_000_000 + k * 300},${supplied},1,0.05,0.06`;
    await importFiles(store.history, [file("cut.csv", [HEADER, line(0, 1e9)])], OPTIONS);
    await importFiles(store.history, [file("cut.csv", [HEADER, line(1, 1e7)])], OPTIONS);
    expect((await stored("cut")).map(({ flags }) => flags)).to.deep.equal([0, 512]);
  });

  const bad: [string, string, string[], RegExp][] = [
    ["a word for a number", "IMPORT_MALFORMED", [HEADER, "1717281407,1717282800,x,1,1,0.05,0.05"], /line 2, column 3/],
    ["a field too many", "IMPORT_MALFORMED", [HEADER, ...GOOD, "1,2,3,4,5,6,7,8"], /line 4/],
    ["a field too few", "IMPORT_MALFORMED", [HEADER, "1717281407,1717282800,20000000,1,1,0.05"], /line 2/],
    ["an empty line in the middle", "IMPORT_MALFORMED", [HEADER, GOOD[0] as string, "", GOOD[1] as string], /line 3/],
    ["infinity", "IMPORT_MALFORMED", [HEADER, "1717281407,1717282800,20000000,1e999,1,0.05,0.05"], /line 2, column 4/],
    [
      "a hexadecimal number",
      "IMPORT_MALFORMED",
      [HEADER, "1717281407,1717282800,20000000,0x10,1,0.05,0.05"],
      /column 4/,
    ],
    ["a fraction of a block", "IMPORT_MALFORMED", [HEADER, "1717281407,1717282800,2.5,1,1,0.05,0.05"], /column 3/],
    ["milliseconds", "IMPORT_MALFORMED", [HEADER, "1717281407000,1717282800000,20000000,1,1,0.05,0.05"], /column 2/],
    [
      "a row known before it was",
      "IMPORT_MALFORMED",
      [HEADER, "1717282801,1717282800,20000000,1,1,0.05,0.05"],
      /column 1/,
    ],
    ["rows out of order", "IMPORT_UNSORTED", [HEADER, GOOD[1] as string, GOOD[0] as string], /line 3/],
    ["two rows of one time", "IMPORT_TWICE", [HEADER, GOOD[0] as string, GOOD[0] as string], /line 3/],
    ["the future", "IMPORT_FUTURE", [HEADER, "1717281407,1750000001,20000000,1,1,0.05,0.05"], /line 2/],
    ["percent", "IMPORT_UNITS", [HEADER, "1717281407,1717282800,20000000,1,1,5,7"], /supply_apr/],
    [
      "blocks of another chain",
      "IMPORT_WRONG_CHAIN",
      [HEADER, "1717281407,1717282800,217000000,1,1,0.05,0.05"],
      /line 2/,
    ],
    ["other columns", "IMPORT_COLUMNS", ["time,apr", "1,2"], /line 1/],
    ["a column twice", "IMPORT_COLUMNS", [`${HEADER},block`, "1,2,3,4,5,6,7,8"], /line 1/],
    [
      "swaps without their transactions",
      "IMPORT_COLUMNS",
      ["block,log_index,pool,amount0,amount1", "1,2,3,4,5"],
      /line 1/,
    ],
    ["swaps out of order", "IMPORT_UNSORTED", [SWAPS, swap(0, 2), swap(0, 1)], /line 3/],
    ["swaps of an earlier block", "IMPORT_UNSORTED", [SWAPS, swap(0, 2), swap(0, 3, { block: "19999999" })], /line 3/],
    ["a later log of an earlier transaction", "IMPORT_UNSORTED", [SWAPS, swap(3, 1), swap(2, 2)], /line 3/],
    ["a swap twice", "IMPORT_TWICE", [SWAPS, swap(0, 1), swap(0, 1)], /line 3/],
    [
      "two transactions at one place",
      "IMPORT_MALFORMED",
      [SWAPS, swap(0, 1), swap(0, 2, { tx_hash: TX })],
      /line 3, column 4/,
    ],
    [
      "a transaction at two places",
      "IMPORT_MALFORMED",
      [SWAPS, swap(0, 1, { tx_hash: TX }), swap(1, 2, { tx_hash: TX })],
      /line 3, column 4/,
    ],
    ["a pool that is no address", "IMPORT_MALFORMED", [SWAPS, swap(0, 1, { pool: "0x12" })], /line 2, column 7/],
    ["half a hash", "IMPORT_MALFORMED", [SWAPS, swap(0, 1, { tx_hash: "0xab" })], /line 2, column 4/],
    ["an amount in coins", "IMPORT_MALFORMED", [SWAPS, swap(0, 1, { amount0: "1.5" })], /line 2, column 9/],
    [
      "no price after a swap of V3",
      "IMPORT_MALFORMED",
      [SWAPS, swap(0, 1, { sqrt_price_x96: "0" })],
      /line 2, column 11/,
    ],
    ["reserves of a pool with ticks", "IMPORT_MALFORMED", [SWAPS, swap(0, 1, { reserve0: "1" })], /line 2, column 14/],
    [
      "a swap of V2 without reserves",
      "IMPORT_MALFORMED",
      [SWAPS, swap(0, 1, { ...OF_RESERVES, reserve1: "" })],
      /line 2, column 15/,
    ],
    ["swaps of a block to come", "IMPORT_WRONG_CHAIN", [SWAPS, swap(0, 1, { block: "217000000" })], /line 2/],
    [
      "a pool twice",
      "IMPORT_TWICE",
      [POOLS, `${ONE},v3,${ONE},${TWO},500,10,6,6`, `${ONE},v2,${ONE},${TWO},,,,`],
      /line 3/,
    ],
    ["a pool of no known kind", "IMPORT_MALFORMED", [POOLS, `${ONE},v4,${ONE},${TWO},500,10,6,6`], /line 2, column 2/],
    [
      "states of pools with another chain's blocks",
      "IMPORT_WRONG_CHAIN",
      ["observed_at,block,tick,liquidity", "1717281407,217000000,0,1"],
      /line 2/,
    ],
    ["no row", "IMPORT_EMPTY", [HEADER], /bad/],
    ["nothing", "IMPORT_COLUMNS", [], /line 1/],
  ];
  for (const [what, code, lines, place] of bad) {
    it(`refuses ${what}, and stores nothing of the files beside it`, async () => {
      const good = file("beside.csv", [HEADER, ...GOOD]);
      const failure = await failureOf(importFiles(store.history, [good, file("bad.csv", lines)], OPTIONS));
      expect(failure).to.be.instanceOf(InputFailure);
      expect(failure.code).to.equal(code);
      expect(failure.field).to.match(place);
      expect(await stored("beside")).to.deep.equal([]);
    });
  }

  it("refuses what is no file, half a file, a bad name, and two files of one series", async () => {
    const good = file("once.csv", [HEADER, ...GOOD]);
    const whole = gzipSync([HEADER, ...GOOD].join("\n"));
    for (const [files, code] of [
      [[path.join(folder, "absent.csv")], "IMPORT_UNREADABLE"],
      [[folder], "IMPORT_UNREADABLE"],
      [[file("half.csv.gz", whole.subarray(0, whole.length - 20))], "IMPORT_UNREADABLE"],
      [[file("Aave V3.csv", [HEADER, ...GOOD])], "IMPORT_NAME"],
      [[good, file("once.csv.gz", whole)], "IMPORT_NAME"],
    ] as const) {
      expect((await failureOf(importFiles(store.history, files, OPTIONS))).code, String(files)).to.equal(code);
    }
    expect(await stored("once")).to.deep.equal([]);
  });

  it("keeps swaps with their transactions to the digit, from when their blocks were known at the latest", async () => {
    const { poolFiles } = store.history;
    const lines = [
      swap(3, 10, { block: "15537394", to: "", amount1: `-${"9".repeat(77)}` }),
      swap(3, 12, { block: "15537394", ...OF_RESERVES, gas_price_paid: "12000000000" }),
      swap(4, 13, { block: "15752489" }),
      swap(1, 1, { block: "21000000" }),
    ];
    const counts = { files: 1, rowsRead: 4, rowsUnchanged: 0, flagged: 0 };
    const plain = file("swaps.csv", [SWAPS, ...lines]);
    expect(await importFiles(store.history, [plain], OPTIONS)).to.deep.equal({ ...counts, rowsInserted: 4 });
    // At another time, from another file, it is known no earlier than it was.
    const again = file("swaps-again.csv", [SWAPS, ...lines.slice(2)]);
    const later = { ...OPTIONS, now: NOW + 86_400 };
    expect(await importFiles(store.history, [again], later)).to.include({ rowsInserted: 0, rowsUnchanged: 2 });

    const rows = await all(poolFiles.swaps({ chainId: 1, fromBlock: 0, toBlock: 21_000_000 }));
    expect(rows.map(({ block, logIndex }) => [block, logIndex])).to.deep.equal([
      [15_537_394, 10],
      [15_537_394, 12],
      [15_752_489, 13],
      [21_000_000, 1],
    ]);
    const [first, second, third, fourth] = rows;
    expect(first).to.deep.include({ sender: ONE, recipient: null, pool: ONE, amount0: "-5", tipWei: "-1", tick: 0 });
    expect(first).to.deep.include({ amount1: `-${"9".repeat(77)}`, sqrtPriceX96: "79228162514264337593543950336" });
    expect(second).to.deep.include({
      protocol: "v2",
      reserve0: UINT112,
      reserve1: "3",
      sqrtPriceX96: null,
      tick: null,
    });
    expect(second?.gasPriceWei).to.equal("12000000000");
    // A block whose time is known; one between two known ones, 215,095 slots at least after the first of them, and 4,247,511
    // before the second; one after all of them.
    expect(first).to.include({ observedAt: 1_663_224_179, availableAt: 1_663_224_179 });
    expect(third).to.include({ observedAt: 1_663_224_179 + 215_095 * 12, availableAt: 1_717_281_407 - 4_247_511 * 12 });
    expect(fourth).to.include({ observedAt: 1_717_281_407 + 1_000_000 * 12, availableAt: NOW });
    expect(await all(poolFiles.swaps({ chainId: 1, fromBlock: 15_600_000, toBlock: 20_999_999 }))).to.deep.equal([
      third,
    ]);
  });

  it("takes swaps of a chain whose blocks' times are known only, and none that contradicts what is stored", async () => {
    const { poolFiles } = store.history;
    const plain = file("other-swaps.csv", [SWAPS, swap(0, 1)]);
    const failure = await failureOf(importFiles(store.history, [plain], { ...OPTIONS, chainId: 31_337 }));
    expect(failure).to.be.instanceOf(InputFailure);
    expect([failure.code, failure.field]).to.deep.equal(["IMPORT_WRONG_CHAIN", `${plain}: line 2, column 1`]);
    expect(await poolFiles.swapChains()).to.deep.equal([1]);

    await importFiles(store.history, [plain], OPTIONS);
    const other = file("other-swaps.csv", [SWAPS, swap(0, 1, { amount0: "-6" }), swap(0, 2)]);
    expect((await failureOf(importFiles(store.history, [other], OPTIONS))).code).to.equal("HISTORY_CONTRADICTION");
    expect(await all(poolFiles.swaps({ chainId: 1, fromBlock: 20_000_000, toBlock: 20_000_000 }))).to.have.length(1);
  });

  it("keeps what pools are, and what is not said of them as not said", async () => {
    const lines = [`${TWO},v2,${ONE},${TWO},,,,18`, `${ONE},v3,${ONE},${TWO},500,10,6,18`];
    const report = await importFiles(store.history, [file("pools.csv", [POOLS, ...lines])], OPTIONS);
    expect(report).to.include({ rowsRead: 2, rowsInserted: 2 });
    const found = await store.history.poolFiles.pools(1);
    expect(found.map(({ source: _source, ...rest }) => rest)).to.deep.equal([
      {
        ...{ chainId: 1, pool: ONE, protocol: "v3", token0: ONE, token1: TWO, feePips: 500, tickSpacing: 10 },
        ...{ decimals0: 6, decimals1: 18 },
      },
      {
        ...{ chainId: 1, pool: TWO, protocol: "v2", token0: ONE, token1: TWO, feePips: null, tickSpacing: null },
        ...{ decimals0: null, decimals1: 18 },
      },
    ]);
  });

  it("refuses a file that contradicts what is stored", async () => {
    await importFiles(store.history, [file("twice.csv", [HEADER, ...GOOD])], OPTIONS);
    const other = file("twice.csv", [HEADER, (GOOD[0] as string).replace("0.0705", "0.0706"), GOOD[1] as string]);
    const failure = await failureOf(importFiles(store.history, [other], OPTIONS));
    expect(failure).to.be.instanceOf(WorldFailure);
    expect(failure.code).to.equal("HISTORY_CONTRADICTION");
  });

  it("keeps states and days of pools for good, a day from its end on", async () => {
    const hourly = file("v3-usdc-usdt-1bp-hourly-state.csv", [
      "observed_at,block,tick,liquidity",
      "1640995200,13916166,-1,430394234327008495",
    ]);
    const daily = file("v3-aave-weth-30bp-daily.csv", [
      "day,open,high,low,close,token0_price,token1_price,tvl_usd,volume_usd",
      "1620172800,0,3.402567865e+38,0,0,69.33020891,0.01442372691,30904.73517,7188.802039",
    ]);
    const report = await importFiles(store.history, [hourly, daily], OPTIONS);
    expect(report).to.include({ files: 2, rowsRead: 2, rowsInserted: 2 });
    expect(await importFiles(store.history, [hourly, daily], OPTIONS)).to.include({
      rowsInserted: 0,
      rowsUnchanged: 2,
    });
    // Readings are dropped after a while.
    await store.history.maintain(NOW + 2_000 * 86_400);
    const { poolFiles } = store.history;
    expect((await poolFiles.subjects()).map(({ source, subject }) => [source, subject])).to.deep.equal([
      ["import-pool-day", "v3-aave-weth-30bp-daily"],
      ["import-pool-state", "v3-usdc-usdt-1bp-hourly-state"],
    ]);
    const [ofDay, state] = await Promise.all((await poolFiles.subjects()).map((one) => all(poolFiles.states(one))));
    expect(JSON.parse(state?.[0]?.state ?? "")).to.include({ liquidity: "430394234327008495", tick: "-1" });
    expect(state?.[0]).to.include({ observedAt: 1_640_995_200, block: 13_916_166 });
    expect(ofDay?.[0]).to.include({ observedAt: 1_620_259_200, availableAt: 1_620_259_200, block: null });
    const other = file("v3-usdc-usdt-1bp-hourly-state.csv", [
      "observed_at,block,tick,liquidity",
      "1640995200,13916166,-2,430394234327008495",
    ]);
    expect((await failureOf(importFiles(store.history, [other], OPTIONS))).code).to.equal("HISTORY_CONTRADICTION");
  });
});

async function all<T>(pages: AsyncGenerator<T[], void, void>): Promise<T[]> {
  const rows: T[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

async function failureOf(action: Promise<unknown>): Promise<InputFailure | WorldFailure> {
  try {
    await action;
  } catch (error) {
    if (error instanceof InputFailure || error instanceof WorldFailure) return error;
    throw error;
  }
  throw new Error("it succeeded");
}
