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

const SWAPS = "block,tx_index,log_index,tx_hash,pool,amount0,amount1,sqrt_price_x96,liquidity,tick";

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
    ["swaps without their blocks' times", "IMPORT_SWAPS", [SWAPS, "20000000,0,5,0xab,0xcd,-1,2,,7,3"], /bad.*line 1/],
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

  it("says of a file of swaps what it lacks, and where to have them from", async () => {
    const lacks = async (...more: string[]): Promise<string> =>
      (await failureOf(importFiles(store.history, [file("swaps.csv", [[SWAPS, ...more].join()])], OPTIONS))).line();
    expect(await lacks()).to.match(/swaps without the time and the hash of their blocks .*tiller backfill --source/);
    expect(await lacks("observed_at")).to.match(/swaps without the hash of their blocks/);
    expect(await lacks("block_hash")).to.match(/swaps without the time of their blocks/);
    expect(await lacks("observed_at", "block_hash")).to.match(/IMPORT_COLUMNS/);
  });

  it("refuses a file that contradicts what is stored", async () => {
    await importFiles(store.history, [file("twice.csv", [HEADER, ...GOOD])], OPTIONS);
    const other = file("twice.csv", [HEADER, (GOOD[0] as string).replace("0.0705", "0.0706"), GOOD[1] as string]);
    const failure = await failureOf(importFiles(store.history, [other], OPTIONS));
    expect(failure).to.be.instanceOf(WorldFailure);
    expect(failure.code).to.equal("HISTORY_CONTRADICTION");
  });

  it("keeps states and days of pools as readings, a day from its end on", async () => {
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
    const span = { chainId: 1, from: 0, to: NOW };
    const [state] = await store.history.readings({
      ...span,
      source: "import-pool-state",
      subject: "v3-usdc-usdt-1bp-hourly-state",
    });
    expect(JSON.parse(state?.state ?? "")).to.include({ liquidity: "430394234327008495", tick: "-1" });
    const [ofDay] = await store.history.readings({
      ...span,
      source: "import-pool-day",
      subject: "v3-aave-weth-30bp-daily",
    });
    expect(ofDay).to.include({ observedAt: 1_620_259_200, availableAt: 1_620_259_200, block: null });
  });
});

async function failureOf(action: Promise<unknown>): Promise<InputFailure | WorldFailure> {
  try {
    await action;
  } catch (error) {
    if (error instanceof InputFailure || error instanceof WorldFailure) return error;
    throw error;
  }
  throw new Error("it succeeded");
}
