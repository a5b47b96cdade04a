// What models of risk are scored on: hours that count, hours that are left out, the past that they are held against, and alerts. That
// labels and scores are those of the training is test/crosscheck/test_events.py.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { evaluate } from "../../../../keeper/backtest/forecasts/evaluate";
import { eventScoreOf, type Foretold } from "../../../../keeper/backtest/forecasts/eventScores";
import { Foretelling, type EventRow } from "../../../../keeper/backtest/forecasts/foretelling";
import { HOUR } from "../../../../keeper/backtest/forecasts/hours";
import { FEATURES, OF_RATES } from "../../../../keeper/forecast/features";
import type { LenderModel } from "../../../../keeper/forecast/riskModel";
import { columnOf } from "../../../../keeper/forecast/served";
import type { HistoryRow } from "../../../../keeper/store/historyRecords";
import { writeSeries } from "../../cli/tillerProcess";

/** A third hour of the clock. */
const BEGIN = 1_699_920_000;
const HOURS = 1_200;
const FROM = BEGIN + 600 * HOUR;
const TO = BEGIN + 999 * HOUR;
/** Hours of the span that are looked at. */
const LOOKED = 134;

/** Lent out at 80 %, and at 97 % for two hours every so often. */
function rowsOf(every: number, change: (row: HistoryRow, k: number) => HistoryRow = (row) => row): HistoryRow[] {
  return Array.from({ length: HOURS }, (_, k) => {
    const used = k % every === every - 2 || k % every === every - 1 ? 0.97 : 0.8;
    const at = BEGIN + k * HOUR;
    return change(
      {
        ...{
          observedAt: at - 600,
          availableAt: at,
          block: k,
          blockHash: null,
          source: "made-up",
          index: null,
          flags: 0,
        },
        ...{ suppliedUsd: 1e9, borrowedUsd: 1e9 * used, supplyApr: 0.05 * used, borrowApr: 0.06 * used },
      },
      k,
    );
  });
}

/** Foretells an exit that is blocked within a day, by utilisation. */
function modelOf(over: { readonly trainedTo?: number; readonly low?: number } = {}): LenderModel {
  const { trainedTo = 0, low = -1e9 } = over;
  const utilisation = columnOf("utilisation");
  const event = { name: "exit-illiquidity-24h", horizonHours: 24, classes: [0.01, 0.5], prevalence: 0.07 };
  return {
    ...{ name: "made-up", hash: "0".repeat(64), kind: "exit-illiquidity", set: OF_RATES },
    card: { event, trainWindow: { from: 0, to: trainedTo } } as unknown as LenderModel["card"],
    norms: {
      low: new Float64Array(FEATURES.length).fill(low),
      high: new Float64Array(FEATURES.length).fill(Infinity),
      ...{ known: new Uint8Array(FEATURES.length), error: [] },
    },
    standing: (features, row) => ((features[row * FEATURES.length + utilisation] as number) > 0.95 ? "there" : "asked"),
    run: async (features) =>
      Float64Array.from({ length: features.length / FEATURES.length }, (_, row) =>
        Math.max(0, Math.min(1, features[row * FEATURES.length + utilisation] as number) - 0.2),
      ),
  };
}

describe("what models of risk foretold", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-foretelling-"));
    writeSeries(folder, "one-coin", rowsOf(100));
    writeSeries(folder, "two-coin", rowsOf(61));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const rows = async (
    model = modelOf(),
    over: { readonly series?: string[]; to?: number } = {},
  ): Promise<readonly EventRow[]> => {
    const options = { series: ["one-coin"], to: TO, ...over };
    const asked = { folder, ...options, from: FROM, model: null, risk: [model], seed: 1, now: 2e9 };
    return (await evaluate(asked)).events;
  };
  const only = async (...args: Parameters<typeof rows>): Promise<EventRow> => {
    const [row, ...others] = await rows(...args);
    expect(others).to.deep.equal([]);
    return row as EventRow;
  };
  const sum = (left: EventRow["left"]): number => Object.values(left).reduce((total, count) => total + count, 0);

  it("is scored at every third fresh hour on which the event is not there, strictly before it", async () => {
    const { n, left, prevalence, events, model } = await only();
    // Of hours 600 to 999 the event is on at 698, 699, 798, 799, 898, 899, 998, 999; those that three divides are 699, 798, 999.
    expect(left).to.deep.equal({ stale: 0, unusable: 0, there: 3, unknown: 0, seen: 0, untold: 0 });
    expect(n + sum(left)).to.equal(LOOKED);
    // Each is seen from the 24 hours before it.
    expect(prevalence).to.equal((4 * 8) / n);
    expect(events).to.equal(4);
    expect(model?.reliability).to.have.length(1);
    expect(model?.reliability[0]).to.deep.include({ rows: n, observed: prevalence });
    expect(model?.reliability[0]?.forecast).to.be.closeTo(0.6, 1e-9);
  });

  it("is not scored where the state is old, the reserve small, what came not known, or nothing would have been said", async () => {
    const late = rowsOf(100, (row, k) => (k >= 700 && k < 730 ? { ...row, observedAt: BEGIN + 699 * HOUR } : row));
    writeSeries(folder, "late-coin", late);
    expect((await only(modelOf(), { series: ["late-coin"] })).left.stale).to.equal(10);
    writeSeries(
      folder,
      "small-coin",
      rowsOf(100, (row) => ({ ...row, suppliedUsd: 9e6, borrowedUsd: 7e6 })),
    );
    expect(await only(modelOf(), { series: ["small-coin"] })).to.deep.include({ n: 0, model: null, classes: null });
    // The last hour is 1199: from 1176 on a day is not over.
    expect((await only(modelOf(), { to: BEGIN + 1_199 * HOUR })).left.unknown).to.equal(8);
    const strange = await only(modelOf({ low: 1e9 }));
    expect(strange).to.deep.include({ n: 0 });
    expect(strange.left.untold).to.equal(LOOKED - 3);
  });

  it("says nothing of an event of which nothing was asked", () => {
    expect(new Foretelling([modelOf()], { from: FROM, to: TO }).rows(1)).to.deep.equal([]);
  });

  it("leaves out the hours that the model was trained on, or on what came of them", async () => {
    const { left, n } = await only(modelOf({ trainedTo: BEGIN + 720 * HOUR }));
    // 600 to 717, but for 699, on which it was there.
    expect(left.seen).to.equal(39);
    expect(n).to.equal(LOOKED - 3 - 39);
  });

  it("is held against a past that ended twice the horizon before the span, and where there is none against the card", async () => {
    const { climatology, table } = await only();
    const spoilt = (from: number): HistoryRow[] =>
      rowsOf(100, (row, k) => (k >= from && k < 600 ? { ...row, borrowedUsd: 0.97e9 } : row));
    // What comes of hour 552 is known at 576, and an embargo of a day has passed by 600.
    writeSeries(folder, "one-coin", spoilt(577));
    expect((await only()).climatology?.brier).to.equal(climatology?.brier);
    writeSeries(folder, "one-coin", spoilt(560));
    expect((await only()).climatology?.brier).not.to.equal(climatology?.brier);
    expect(table).not.to.equal(null);
    writeSeries(folder, "new-coin", rowsOf(100).slice(590));
    const young = await only(modelOf(), { series: ["new-coin"] });
    expect(young.table).to.equal(null);
    const came = young.prevalence ?? NaN;
    expect(young.climatology?.brier).to.be.closeTo(came * (1 - 0.07) ** 2 + (1 - came) * 0.07 ** 2, 1e-12);
  });

  it("is told of all series together and of each, with what was left out", async () => {
    const [all, ...each] = await rows(modelOf(), { series: ["one-coin", "two-coin"] });
    expect([all?.series, ...each.map(({ series }) => series)]).to.deep.equal([null, "one-coin", "two-coin"]);
    expect(all?.n).to.equal(each.reduce((total, { n }) => total + n, 0));
    expect(all?.events).to.equal(each.reduce((total, { events }) => total + events, 0));
    expect(all?.left.there).to.equal(each.reduce((total, { left }) => total + left.there, 0));
    const [, mirrored] = await rows(modelOf(), { series: ["two-coin", "one-coin"] });
    expect(mirrored).to.deep.equal(each[1]);
  });

  it("changes with no row of after it was said, but for what came", async () => {
    const full = (from: number): HistoryRow[] =>
      rowsOf(100, (row, k) => (k >= from ? { ...row, borrowedUsd: 0.97e9, supplyApr: 0.9 } : row));
    const to = BEGIN + 960 * HOUR;
    const before = await only(modelOf(), { to });
    // The last hour sees a day.
    writeSeries(folder, "one-coin", full(985));
    expect(await only(modelOf(), { to })).to.deep.equal(before);
    writeSeries(folder, "one-coin", full(984));
    const after = await only(modelOf(), { to });
    expect(after.prevalence).to.be.closeTo((before.prevalence ?? NaN) + 1 / before.n, 1e-12);
    expect(after.model?.reliability.map(({ forecast }) => forecast)).to.deep.equal(
      before.model?.reliability.map(({ forecast }) => forecast),
    );
  });
});

describe("alerts", () => {
  /** Rows of one series, three hours apart from the hour that is named. */
  function foretold(rows: readonly { readonly hour: number; readonly p: number; readonly came: 0 | 1 }[]): Foretold {
    const reals = (of: (row: (typeof rows)[number]) => number): Float64Array => Float64Array.from(rows, of);
    return {
      series: new Int32Array(rows.length),
      at: reals(({ hour }) => hour * HOUR),
      happens: Uint8Array.from(rows, ({ came }) => came),
      quiet: new Uint8Array(rows.length).fill(1),
      ...{ model: reals(({ p }) => p), climatology: reals(() => 0.1), table: null, rule: reals(({ p }) => p) },
    };
  }
  const score = (...rows: Parameters<typeof foretold>[0][number][]): ReturnType<typeof eventScoreOf> =>
    eventScoreOf(foretold(rows), { classes: [0.01, 0.05], seed: 1 });

  it("are runs of High with less than a day between, false where the event came after none of their rows", () => {
    const { alerts, events, classes } = score(
      { hour: 0, p: 0.05, came: 0 },
      { hour: 24, p: 0.6, came: 0 },
      { hour: 49, p: 0.6, came: 0 },
      { hour: 52, p: 0.04, came: 1 },
      { hour: 55, p: 0.7, came: 1 },
      { hour: 100, p: 0.001, came: 1 },
    );
    // 0 and 24 are one run; 49 begins another, in which the event came after 55.
    expect(alerts).to.deep.equal({ episodes: 2, falseEpisodes: 1, eventsTold: 1 });
    expect(events).to.equal(2);
    expect(classes?.high).to.deep.equal({ share: 4 / 6, recall: 1 / 3, precision: 1 / 4 });
    expect(classes?.medium).to.deep.equal({ share: 1 / 6, recall: 1 / 3, precision: 1 });
    expect(classes?.low).to.deep.equal({ share: 1 / 6, recall: 1 / 3, precision: 1 });
  });

  it("have no precision where there are none, and no recall where nothing came", () => {
    const { alerts, classes, model } = score({ hour: 0, p: 0.001, came: 0 }, { hour: 3, p: 0.02, came: 0 });
    expect(alerts).to.deep.equal({ episodes: 0, falseEpisodes: 0, eventsTold: 0 });
    expect(classes?.high).to.deep.equal({ share: 0, recall: null, precision: null });
    expect(model?.prAuc).to.equal(null);
    expect(model?.brier).to.be.closeTo((0.001 ** 2 + 0.02 ** 2) / 2, 1e-12);
    expect(model?.brierSkill).to.equal(null);
  });
});
