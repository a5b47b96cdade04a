// The data report as a page: what its plots draw of pools, days of events and of files.
import { expect } from "chai";
import { dataReportPage, type DataReports } from "../../../keeper/cli/dataReportPage";

const DAY = 86_400;
const START = 1_700_006_400;
const POOL = `0x${"ab".repeat(20)}`;

const NOTHING: DataReports = { series: [], pools: [], poolFiles: [], swaps: [] };
const EVENTS: DataReports["pools"][number] = {
  ...{ chainId: 31_337, source: "curve", pool: POOL, fromBlock: 0, toBlock: 29, blocks: 20, events: 4 },
  ...{ missingBlocks: 10, swaps: 3, days: 3, sold: ["3500000", "0"] },
  traded: [
    { at: START, sold: ["2000000", "0"] },
    { at: START + DAY, sold: ["1000000", "0"] },
    // A week without a trade between.
    { at: START + 8 * DAY, sold: ["500000", "0"] },
  ],
};
const FILE: DataReports["poolFiles"][number] = {
  ...{ chainId: 1, source: "import-pool-day", subject: "a-pool", rows: 3, first: START, last: START + 2 * DAY },
  ...{ stepSeconds: DAY, gaps: 0, longestGapSeconds: 0, flags: { "no-trade": 1 }, flagged: 1, shows: "volume-usd" },
  days: [
    { at: START, value: 400, flags: [] },
    { at: START + DAY, value: 0, flags: ["no-trade"] },
    { at: START + 2 * DAY, value: 200, flags: [] },
  ],
};
const SAMPLED: DataReports["swaps"][number] = {
  ...{ chainId: 1, swaps: 389, blocks: 20, transactions: 299, pools: 278, fromBlock: 1, toBlock: 9, first: START },
  ...{ last: START + DAY, byProtocol: { v2: 324, v3: 65 }, flags: { "no-gas-price": 2 }, flagged: 2 },
};

const pathsOf = (page: string): string[] => [...page.matchAll(/<path d="([^"]*)"/g)].map(([, path]) => path as string);

describe("the page of the data report", () => {
  it("draws what was sold of a pool's first coin day by day, with a break where days are missing", () => {
    const page = dataReportPage({ ...NOTHING, pools: [EVENTS] });
    expect(pathsOf(page)).to.deep.equal(["M0.0 12.0L90.0 51.0M720.0 70.5"]);
    expect(page).to.include(`<h2>Events of curve ${POOL} (chain 31337)</h2>`);
    expect(page).to.include("blocks 0 to 29, 10 missing,\n4 events, 3 swaps on 3 days; sold of each coin: 3500000, 0");
    expect(page).to.include("sold of the first coin a day, in its unit, from 2023-11-15 to 2023-11-23, up to 2.00e+6");
  });

  it("draws nothing of a pool without a trade, and says what there is", () => {
    const page = dataReportPage({ ...NOTHING, pools: [{ ...EVENTS, swaps: 0, days: 0, sold: [], traded: [] }] });
    expect(pathsOf(page)).to.deep.equal([]);
    expect(page).to.include("4 events, 0 swaps");
  });

  it("draws the volume of a file's days, and marks what is odd", () => {
    const page = dataReportPage({ ...NOTHING, poolFiles: [FILE] });
    expect(pathsOf(page)).to.deep.equal(["M0.0 12.0L360.0 90.0L720.0 51.0"]);
    expect(page.match(/<title>2[^<]*/g)).to.deep.equal(["<title>2023-11-16: no-trade"]);
    expect(page).to.include("plot: volume a day, USD");
    expect(page).to.match(/3 rows, 2023-11-15 to 2023-11-17, no gap/);
    const moments = dataReportPage({ ...NOTHING, poolFiles: [{ ...FILE, shows: "liquidity", subject: "a<b" }] });
    expect(moments).to.include("plot: mean liquidity in range of a day");
    expect(moments).to.include("a&#60;b").and.not.to.include("a<b");
  });

  it("says of swaps from files what they are of", () => {
    const page = dataReportPage({ ...NOTHING, swaps: [SAMPLED] });
    expect(page).to.include("389 swaps (324 v2, 65 v3) of 299 transactions in 278 pools");
    expect(page).to.include("no times: between 2023-11-15 and 2023-11-16");
    expect(page).to.include("no-gas-price 2");
  });
});
