// All of the recorded history of Uniswap: hourly states, daily pools, real swaps of mainnet with their pools, imported whole, a
// second time without a change, and what the report finds odd in it.
import { expect } from "chai";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { blockTimeSpan } from "../../../keeper/collect/blockTimes";
import { importFiles, type ImportReport } from "../../../keeper/collect/importFiles";
import { poolFileReports, swapReports } from "../../../keeper/collect/poolFileReport";
import type { PoolStateRow, SampledSwap } from "../../../keeper/store/poolFileRecords";
import type { Store } from "../../../keeper/store/records";
import { skip } from "../../skip";
import { embedded, type Server } from "../store/fixtures/servers";

/** As the data's README has them. */
const DAILY_POOLS = 8;
const [SWAPS, POOLS] = [389, 278];
const HOUR = 3_600;

describe("the recorded history of Uniswap", function () {
  this.timeout(120_000);
  let server: Server | undefined;
  let store: Store | undefined;
  let files: string[];
  let first: ImportReport;

  const imported = (): Promise<ImportReport> =>
    importFiles((store as Store).history, files, { chainId: 1, rates: "ask", now: Math.floor(Date.now() / 1000) });
  const all = async <T>(pages: AsyncGenerator<T[], void, void>): Promise<T[]> => {
    const rows: T[] = [];
    for await (const page of pages) rows.push(...page);
    return rows;
  };

  before(async function () {
    const data = process.env["TILLER_DATA"];
    if (data === undefined) return skip(this, "TILLER_DATA names no folder of recorded history");
    const folder = path.join(data, "uniswap");
    if (!existsSync(folder)) return skip(this, "the folder of TILLER_DATA holds no uniswap/");
    files = readdirSync(folder)
      .filter((name) => /\.csv(\.gz)?$/.test(name))
      .map((name) => path.join(folder, name));
    server = embedded(null);
    store = await server.open();
    first = await imported();
  });
  after(async () => {
    await store?.close();
    await server?.stop();
  });

  it("is imported whole, and a second time changes nothing", async () => {
    expect(first).to.include({ files: DAILY_POOLS + 3, rowsInserted: first.rowsRead, rowsUnchanged: 0 });
    expect(await imported()).to.include({ rowsInserted: 0, rowsUnchanged: first.rowsRead });
  });

  it("has every day and hour, and is flagged for what is odd in them", async () => {
    const reports = await poolFileReports((store as Store).history);
    expect(reports).to.have.length(DAILY_POOLS + 1);
    expect(reports.filter(({ gaps }) => gaps > 0)).to.deep.equal([]);
    const hourly = reports.find(({ shows }) => shows === "liquidity");
    expect(hourly).to.include({ rows: 30_648, stepSeconds: HOUR });
    expect(hourly?.flags).to.deep.equal({ unmoved: 2_812, jump: 348, "no-liquidity": 5 });
    // Each pool's first day has prices that cannot be; the close of every tenth day is of another moment than its price.
    for (const { subject, flags, rows } of reports.filter(({ shows }) => shows === "volume-usd")) {
      expect(flags["impossible-price"], subject).to.be.within(1, 11);
      expect((flags["price-apart"] ?? 0) / rows, subject).to.be.within(0.03, 0.16);
    }
  });

  it("has the swaps of twenty blocks with their pools, sound but for two bundles", async () => {
    const [report, ...others] = await swapReports((store as Store).history);
    expect(others).to.deep.equal([]);
    expect(report).to.deep.include({ swaps: SWAPS, pools: POOLS, blocks: 20, byProtocol: { v2: 324, v3: 65 } });
    expect(report?.flags).to.deep.equal({ undescribed: 132, "no-gas-price": 2 });
    expect(await (store as Store).history.poolFiles.pools(1)).to.have.length(POOLS);
  });

  it("has each hour's block within the bounds that swaps of that block would have", async () => {
    const { poolFiles } = (store as Store).history;
    const hourly = (await poolFiles.subjects()).find(({ source }) => source === "import-pool-state");
    const rows: PoolStateRow[] = await all(poolFiles.states(hourly as Exclude<typeof hourly, undefined>));
    const outside = rows.filter(({ block, observedAt }) => {
      const span = blockTimeSpan(1, block as number);
      // The last block before the hour or the first one after it.
      return span === null || observedAt + 60 < span.earliest || observedAt - 60 > (span.latest ?? Infinity);
    });
    expect(outside).to.deep.equal([]);
    const swaps: SampledSwap[] = await all(poolFiles.swaps({ chainId: 1, fromBlock: 0, toBlock: 2e7 }));
    // Within days since blocks come in slots.
    const late = swaps.filter(({ block }) => block > 15_537_394);
    expect(Math.max(...late.map(({ observedAt, availableAt }) => availableAt - observedAt))).to.be.below(6 * 24 * HOUR);
  });
});
