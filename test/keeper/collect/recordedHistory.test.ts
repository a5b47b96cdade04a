// All of the recorded history of lending markets, as it is, dirt and all: imported whole, a second time without a change, and what
// the report finds odd in it.
import { expect } from "chai";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { blockTimeSpan } from "../../../keeper/collect/blockTimes";
import { dataReport, type SeriesReport } from "../../../keeper/collect/dataReport";
import { importFiles, type ImportReport } from "../../../keeper/collect/importFiles";
import type { Flag } from "../../../keeper/collect/quality";
import { utcDay } from "../../../keeper/collect/utcDay";
import type { Store } from "../../../keeper/store/records";
import { skip } from "../../skip";
import { embedded, type Server } from "../store/fixtures/servers";

/** As its INDEX.csv says. */
const FILES = 70;
const ROWS = 544_635;
const HOUR = 3_600;
/** Of which the source has every hour. */
const HOURLY = [
  ...["dai", "usdc", "usdt", "weth"].flatMap((asset) => [`aave-v2-${asset}`, `aave-v3-${asset}`]),
  "aave-v3-usde",
];

describe("the recorded history of lending", function () {
  this.timeout(180_000);
  let server: Server | undefined;
  let store: Store | undefined;
  let folder: string;
  let files: string[];
  let first: ImportReport;
  const reports = new Map<string, SeriesReport>();

  const imported = (): Promise<ImportReport> =>
    importFiles((store as Store).history, files, { chainId: 1, rates: "ask", now: Math.floor(Date.now() / 1000) });

  before(async function () {
    const data = process.env["TILLER_DATA"];
    if (data === undefined) return skip(this, "TILLER_DATA names no folder of recorded history");
    folder = path.join(data, "lending");
    if (!existsSync(folder)) return skip(this, "the folder of TILLER_DATA holds no lending/");
    files = readdirSync(folder)
      .filter((name) => name.endsWith(".csv.gz"))
      .map((name) => path.join(folder, name));
    server = embedded(null);
    store = await server.open();
    first = await imported();
    for await (const one of dataReport(store.history)) reports.set(one.series, one);
  });
  after(async () => {
    await store?.close();
    await server?.stop();
  });

  it("is imported whole", () => {
    expect(first).to.include({ files: FILES, rowsRead: ROWS, rowsInserted: ROWS, rowsUnchanged: 0 });
    expect(reports.size).to.equal(FILES);
    expect([...reports.values()].reduce((sum, { rows }) => sum + rows, 0)).to.equal(ROWS);
  });

  it("changes nothing when it is imported again", async () => {
    expect(await imported()).to.include({ rowsRead: ROWS, rowsInserted: 0, rowsUnchanged: ROWS });
  });

  it("is reported with the rows and the span of each series, as its index has them", () => {
    const [, ...lines] = readFileSync(path.join(folder, "INDEX.csv"), "utf8").trim().split("\n");
    const said = [...reports.values()].map(({ series, rows, first: from, last: to }) =>
      [series, rows, utcDay(from), utcDay(to)].join(),
    );
    expect(said).to.have.members(lines.map((line) => line.split(",").slice(0, 4).join()));
  });

  it("has no hole where each hour is there, and holes where only hours with events are", () => {
    const whole = [...reports.values()].filter(({ gaps }) => gaps === 0).map(({ series }) => series);
    expect(whole).to.include.members(HOURLY);
    expect(reports.get("aave-v2-usdc")).to.include({ stepSeconds: HOUR, longestGapSeconds: 0 });
    expect(reports.get("aave-v2-ust")).to.include({ gaps: 46, longestGapSeconds: 5_350 * HOUR });
  });

  it("has no row whose block could not have been at its moment", async () => {
    let outside = 0;
    for (const series of await (store as Store).history.series()) {
      for await (const page of (store as Store).history.history(series)) {
        for (const { block, observedAt } of page) {
          const span = blockTimeSpan(1, block);
          if (span === null || observedAt < span.earliest || observedAt > (span.latest ?? Infinity)) outside += 1;
        }
      }
    }
    expect(outside).to.equal(0);
  });

  it("is flagged for what is odd in it", () => {
    const flags = (series: string) => reports.get(series)?.flags ?? {};
    const share = (series: string, flag: Flag) => (flags(series)[flag] ?? 0) / (reports.get(series)?.rows ?? 1);
    // Weeks of tiny totals, once, when a market begins; most of it gone when one is left for the next version.
    for (const series of HOURLY) expect(share(series, "tiny"), series).to.be.within(1e-5, 0.006);
    for (const series of ["aave-v2-dai", "aave-v2-usdc", "aave-v2-weth"]) {
      expect(share(series, "wound-down"), series).to.be.above(0.1);
      expect(share(series.replace("v2", "v3"), "wound-down"), series).to.equal(0);
    }
    // Lent out, and the source has no borrow rate of it.
    for (const series of ["aave-v2-ampl", "aave-v2-snx", "aave-v2-susd", "aave-v2-dpi"]) {
      expect(share(series, "zero-borrow-rate"), series).to.be.above(0.99);
    }
    expect(share("aave-v2-usdc", "zero-borrow-rate")).to.equal(0);
    // Rates of hundreds of percent, and more lent out than there is.
    expect(share("aave-v2-ampl", "apy-over-200")).to.be.above(0.3);
    expect(flags("aave-v2-usdt")["over-utilised"]).to.equal(101);
    // Governance changed parameters several times: a few moments, not many rows.
    for (const series of ["aave-v2-usdc", "aave-v3-usdc", "aave-v3-dai", "compound-v3-usdc"]) {
      expect(flags(series)["parameter-change"], series).to.be.within(3, 20);
    }
    // Hours in which nothing happened repeat the last state.
    expect(share("aave-v2-dai", "stale")).to.be.above(0.05);
    expect(reports.get("aave-v2-dai")?.oldestStateSeconds).to.be.above(6 * HOUR);
  });
});
