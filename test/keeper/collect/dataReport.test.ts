// What the report says of a series: where it begins and ends, what is missing, how old its states were, what is flagged.
import { expect } from "chai";
import { dataReport, reportOf, type SeriesReport } from "../../../keeper/collect/dataReport";
import { FLAGS } from "../../../keeper/collect/quality";
import type { HistoryRow } from "../../../keeper/store/historyRecords";
import type { Store } from "../../../keeper/store/records";
import { embedded, type Server } from "../store/fixtures/servers";

const HOUR = 3_600;
const DAY = 86_400;
/** 2024-03-01. */
const START = 1_709_251_200;

const row = (availableAt: number, more: Partial<HistoryRow> = {}): HistoryRow => ({
  ...{ observedAt: availableAt, availableAt, block: Math.floor(availableAt / 12), blockHash: null, source: "test" },
  ...{ suppliedUsd: 1_000_000, borrowedUsd: 500_000, supplyApr: 0.05, borrowApr: 0.08, index: null, flags: 0 },
  ...more,
});
const every = (seconds: number, count: number, from = START): HistoryRow[] =>
  Array.from({ length: count }, (_, k) => row(from + k * seconds));
const without = (rows: readonly HistoryRow[], from: number, to: number): HistoryRow[] =>
  rows.filter((_, place) => place < from || place >= to);

describe("the report of a series", () => {
  it("says where a whole one begins and ends, and that nothing is missing", () => {
    const { days, ...report } = reportOf(every(HOUR, 100));
    expect(report).to.deep.equal({
      ...{ rows: 100, first: START, last: START + 99 * HOUR, stepSeconds: HOUR },
      ...{ gaps: 0, longestGapSeconds: 0, oldestStateSeconds: 0, flags: {}, flagged: 0, medianSupplyApr: 0.05 },
    });
    expect(days).to.have.length(5);
  });

  it("finds the holes of a series on a grid, however short its step, and how long the longest is", () => {
    for (const step of [300, HOUR, DAY]) {
      const holes = without(without(every(step, 200), 150, 180), 20, 23);
      const { gaps, longestGapSeconds, stepSeconds } = reportOf(holes);
      expect([gaps, longestGapSeconds, stepSeconds], `${step} s`).to.deep.equal([2, 31 * step, step]);
    }
  });

  it("takes up to three steps for no hole, and clocks that are a little off for a grid", () => {
    expect(reportOf(without(every(300, 200), 20, 22)).gaps).to.equal(0);
    const jittered = every(300, 200).map((one, k) => row(one.availableAt + 12 * ([0, 1, 0, 0, 2, 0][k % 6] ?? 0)));
    expect(reportOf(without(jittered, 20, 40)).gaps).to.equal(1);
  });

  it("takes a quiet day for no hole where rows come with events, and two quiet days for one", () => {
    // Mostly an hour apart, every third time nine.
    let at = START;
    const events = Array.from({ length: 200 }, (_, k) => row((at += (k % 3 === 0 ? 9 : 1) * HOUR)));
    expect(reportOf(events)).to.include({ gaps: 0 });
    const shifted = (by: number): HistoryRow[] => events.map((one, k) => (k < 100 ? one : row(one.availableAt + by)));
    const hours = (from: number): number => (shifted(from)[100]?.availableAt ?? 0) - (events[99]?.availableAt ?? 0);
    expect(reportOf(shifted(12 * HOUR)).gaps).to.equal(0);
    expect(reportOf(shifted(2 * DAY))).to.include({ gaps: 1, longestGapSeconds: hours(2 * DAY) });
  });

  it("says how old the oldest state was when its row was known: one that repeats to the end", () => {
    const rows = every(HOUR, 50);
    const stale = rows.map((one, k) => (k < 40 ? one : row(one.availableAt, { observedAt: START + 39 * HOUR })));
    expect(reportOf(stale)).to.include({ oldestStateSeconds: 10 * HOUR, last: START + 49 * HOUR });
  });

  it("counts each flag, and a row with two of them once", () => {
    const rows = every(HOUR, 30);
    rows[3] = row(START + 3 * HOUR, { flags: FLAGS.outlier | FLAGS["apy-over-200"] });
    rows[4] = row(START + 4 * HOUR, { flags: FLAGS.outlier });
    rows[28] = row(START + 28 * HOUR, { flags: FLAGS.stale });
    const { flags, flagged, days } = reportOf(rows);
    expect([flags, flagged]).to.deep.equal([{ outlier: 2, "apy-over-200": 1, stale: 1 }, 3]);
    // A day is marked by what is odd in it, not by what the market is.
    expect(days.map((day) => day.flags)).to.deep.equal([FLAGS.outlier | FLAGS["apy-over-200"], 0]);
  });

  it("has a day's mean rate, and its last amount, and no rate where none was given", () => {
    const rows = [
      row(START, { supplyApr: 0.02 }),
      row(START + HOUR, { supplyApr: null }),
      row(START + 2 * HOUR, { supplyApr: 0.04, suppliedUsd: 7 }),
      row(START + DAY, { supplyApr: null }),
    ];
    expect(reportOf(rows).days).to.deep.equal([
      { at: START, supplyApr: 0.03, suppliedUsd: 7, flags: 0 },
      { at: START + DAY, supplyApr: null, suppliedUsd: 1_000_000, flags: 0 },
    ]);
    expect(reportOf(rows.filter(({ supplyApr }) => supplyApr === null)).medianSupplyApr).to.equal(null);
  });

  it("says of a single row that it is there", () => {
    expect(reportOf([row(START)])).to.include({ rows: 1, first: START, last: START, stepSeconds: 0, gaps: 0 });
  });
});

describe("the report of what is stored", function () {
  this.timeout(60_000);
  let server: Server;
  let store: Store;
  before(async () => {
    server = embedded(null);
    store = await server.open();
  });
  after(async () => {
    await store?.close();
    await server?.stop();
  });

  it("is of the series that are wanted, with their chain, and of none without rows", async () => {
    const holes = without(every(300, 100), 50, 70);
    await store.history.addHistory({ chainId: 1, name: "a" }, holes);
    await store.history.addHistory({ chainId: 10, name: "b" }, every(HOUR, 3));
    await store.history.addHistory({ chainId: 1, name: "c" }, []);
    const all = await reports();
    expect(all.map(({ chainId, series, rows, gaps }) => [chainId, series, rows, gaps])).to.deep.equal([
      [1, "a", 80, 1],
      [10, "b", 3, 0],
    ]);
    const some = await reports(({ name }) => name === "b");
    expect(some.map(({ series }) => series)).to.deep.equal(["b"]);
  });

  async function reports(wanted?: Parameters<typeof dataReport>[1]): Promise<SeriesReport[]> {
    const found: SeriesReport[] = [];
    for await (const one of dataReport(store.history, wanted)) found.push(one);
    return found;
  }
});
