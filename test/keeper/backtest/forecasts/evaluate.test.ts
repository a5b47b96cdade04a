// Scores over a folder that this test wrote: what counts, what is left out, and that the future changes nothing.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  evaluate,
  pooled,
  type EvaluateOptions,
  type Evaluation,
} from "../../../../keeper/backtest/forecasts/evaluate";
import { columnsOf, hoursOf, HOUR } from "../../../../keeper/backtest/forecasts/hours";
import { walk, type Walk } from "../../../../keeper/backtest/forecasts/walk";
import type { Failure } from "../../../../keeper/config/failure";
import { FEATURES, HORIZONS } from "../../../../keeper/forecast/features";
import { columnOf, type DeviationModel } from "../../../../keeper/forecast/served";
import type { HistoryRow } from "../../../../keeper/store/historyRecords";
import { seeded } from "../../../../scripts/bench/randomProblems";
import { writeSeries } from "../../cli/tillerProcess";

const BEGIN = 1_699_920_000;
const HOURS = 3_000;
const FROM = BEGIN + 1_000 * HOUR;
const TO = BEGIN + 2_500 * HOUR;

/** A rate that swings about 5 % and comes back, by an hour's step; every tenth hour nothing happens. */
function rowsOf(seed: number, change: (row: HistoryRow, k: number) => HistoryRow = (row) => row): HistoryRow[] {
  const random = seeded(seed);
  let apr = 0.05;
  let observedAt = BEGIN;
  return Array.from({ length: HOURS }, (_, k) => {
    if (k % 10 !== 9) {
      apr = Math.max(0.001, apr + 0.3 * (0.05 - apr) + 0.01 * (random() - 0.5));
      observedAt = BEGIN + k * HOUR - 600;
    }
    return change(
      {
        ...{ observedAt, availableAt: BEGIN + k * HOUR, block: k, blockHash: null, source: "made-up" },
        ...{ suppliedUsd: 1e9, borrowedUsd: 8e8, supplyApr: apr, borrowApr: apr * 1.3, index: null, flags: 0 },
      },
      k,
    );
  });
}

/** Serves a day and a week. */
function modelOf(name: string, deviationOf: (feature: (name: string) => number) => number): DeviationModel {
  return {
    ...{ name, hash: "0".repeat(64), norms: null, serves: [false, false, true, true], trainWindow: { from: 0, to: 0 } },
    run: async (features, rows) => {
      const deviation = new Float64Array(rows * HORIZONS.length);
      for (let row = 0; row < rows; row += 1) {
        const feature = (one: string): number => features[row * FEATURES.length + columnOf(one)] as number;
        deviation.fill(deviationOf(feature), row * 4, row * 4 + 4);
      }
      return { deviation, scale: new Float64Array(deviation.length).fill(0.003) };
    },
  };
}

/** Says the middle of the rate's swings, of which it was told. */
const KNOWING = modelOf("knowing", (feature) => 0.05 - feature("ewma_24h"));
/** Says what the other series of the asset pay. */
const COMPARING = modelOf("comparing", (feature) => feature("apr_less_ewma") - feature("spread_mean"));

describe("scores of forecasts over recorded history", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-evaluate-"));
    writeSeries(folder, "never-seen-coin", rowsOf(1));
    writeSeries(folder, "other-coin", rowsOf(2));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const scores = (over: Partial<EvaluateOptions> = {}): Promise<Evaluation> =>
    evaluate({
      ...{ folder, series: ["never-seen-coin"], from: FROM, to: TO, model: null, risk: [], seed: 1, now: 2e9 },
      ...over,
    });
  const failure = async (over: Partial<EvaluateOptions>): Promise<string> => {
    try {
      await scores(over);
    } catch (error) {
      const { code, field, exitCode } = error as Failure;
      return `${code} ${field} ${exitCode}`;
    }
    return "nothing";
  };

  it("are of every hour of the span that is news and whose rate came", async () => {
    const { rows } = await scores();
    expect(rows.map(({ horizonHours }) => horizonHours)).to.deep.equal([...HORIZONS]);
    for (const { n, left } of rows) {
      expect(n + left.stale).to.equal(1_501);
      expect(left).to.deep.equal({ seen: 0, stale: 150, unknown: 0 });
    }
    const late = (await scores({ to: BEGIN + 5_000 * HOUR })).rows;
    expect(late.map(({ left }) => left.unknown)).to.deep.equal([0, 3, 21, 151]);
  });

  it("agree with errors worked out from the rates alone", async () => {
    const { rows } = await scores();
    const rates = rowsOf(1).map((row) => row.supplyApr as number);
    const states = rowsOf(1);
    let [sum, n] = [0, 0];
    for (let k = 1_000; k <= 2_500; k += 1) {
      if (k % 10 === 9) continue;
      // The state of hour k + j was seen ten minutes before it, and holds until then.
      let mean = 0;
      for (let minute = 0; minute < 24 * 60; minute += 1) {
        const at = BEGIN + k * HOUR + minute * 60;
        let row = k;
        while ((states[row + 1]?.observedAt ?? Infinity) <= at) row += 1;
        mean += (rates[row] as number) / (24 * 60);
      }
      sum += Math.abs(mean - (rates[k] as number));
      n += 1;
    }
    expect(rows[2]?.maePersistence).to.be.closeTo((100 * sum) / n, 1e-9);
    expect(rows[0]).to.include({ served: "persistence", maeServed: rows[0]?.maePersistence, skill: 0, dmT: 0 });
    expect(rows[3]).to.include({ served: "ewma", maeServed: rows[3]?.maeEwma });
  });

  it("show a model that knows better to be better, by more than luck, with bounds that hold", async () => {
    const { rows } = await scores({ model: KNOWING });
    const [, four, day, week] = rows;
    expect(four?.served).to.equal("persistence");
    for (const row of [day, week]) {
      expect(row?.served).to.equal("knowing");
      expect(row?.skill).to.be.above(0.1);
      expect(row?.dmT).to.be.above(2);
      expect(row?.dmPHolm).to.be.below(0.05);
      expect(row?.gainPp?.low).to.be.above(0);
      expect(row?.coverage).to.be.within(0.87, 0.93);
      expect(row?.crps).to.be.below(row?.maeServed ?? 0);
      expect(row?.worst30dCoverage).to.be.within(0.7, row?.coverage ?? 0);
    }
    expect(
      rows.every(({ worst90dCoverage }) => worst90dCoverage === null),
      "two months hold no 90 days",
    ).to.equal(true);
    const [, , pooledDay] = pooled(rows);
    expect(pooledDay?.underEwma).to.be.closeTo(1 - (day?.maeServed ?? 0) / (day?.maeEwma ?? 1), 1e-12);
  });

  it("leave out and count the hours that the model was trained on, of its own horizons", async () => {
    const model = { ...KNOWING, trainWindow: { from: 0, to: BEGIN + 2_000 * HOUR } };
    const { rows } = await scores({ model });
    expect(rows.map(({ n }) => n)).to.deep.equal([1_351, 1_351, 451, 451]);
    expect(rows.map(({ left }) => left.seen)).to.deep.equal([0, 0, 900, 900]);
    const all = await scores({ model: { ...model, trainWindow: { from: 0, to: 2e9 } } });
    expect(all.rows[2]).to.include({ n: 0, maeServed: null, skill: null, coverage: null });
  });

  it("say the same of a series whichever others are asked for, and under any name of the asset's others", async () => {
    const model = COMPARING;
    const alone = (await scores({ model })).rows;
    const both = (await scores({ model, series: ["other-coin", "never-seen-coin"] })).rows;
    const same = (row: Evaluation["rows"][number]): object => ({ ...row, dmPHolm: null });
    expect(both.slice(4).map(same)).to.deep.equal(alone.map(same));
    rmSync(path.join(folder, "other-coin.csv"));
    writeSeries(folder, "a-name-before-coin", rowsOf(2));
    expect((await scores({ model })).rows).to.deep.equal(alone);
    writeSeries(folder, "a-name-before-coin", rowsOf(3));
    expect((await scores({ model })).rows[2]?.maeServed).not.to.equal(alone[2]?.maeServed);
  });

  it("refuse what cannot be scored, with the field that is wrong", async () => {
    writeSeries(folder, "one-row", rowsOf(3).slice(0, 1));
    writeSeries(
      folder,
      "empty-rates",
      rowsOf(3).map((row) => ({ ...row, supplyApr: "" as never })),
    );
    expect(await failure({ series: ["absent-coin"] })).to.equal("BACKTEST_SERIES --series 2");
    expect(await failure({ series: ["other-coin", "other-coin"] })).to.equal("BACKTEST_SERIES --series 2");
    expect(await failure({ series: ["one-row"] })).to.equal("EVALUATION_SHORT --series one-row 2");
    expect(await failure({ series: ["empty-rates"] })).to.equal("EVALUATION_SHORT --series empty-rates 2");
    expect(await failure({ to: FROM })).to.equal("EVALUATION_SPAN --to 2");
    expect(await failure({ from: 1e9, to: 1.1e9 })).to.equal("EVALUATION_SPAN --from 2");
    expect(await failure({ from: 1.9e9, to: 1.95e9 })).to.equal("EVALUATION_SPAN --from 2");
  });

  it("rest on forecasts and bounds that no later row changes, of the series or of another of its asset", async () => {
    const cut = 2_000;
    // States are known three hours after they were: what is known by the cut ends three hours before it.
    const late = (row: HistoryRow): HistoryRow => ({ ...row, availableAt: row.availableAt + 3 * HOUR });
    const altered = (row: HistoryRow, k: number): HistoryRow =>
      late(k <= cut - 3 ? row : { ...row, supplyApr: 0.9, borrowApr: 2, suppliedUsd: 10 });
    const walked = async (own: typeof altered, other: typeof altered): Promise<Walk> => {
      const columns = columnsOf(rowsOf(1, own));
      const all = new Map([
        ["a-coin", columns],
        ["b-coin", columnsOf(rowsOf(2, other))],
      ]);
      const hours = hoursOf("a-coin", all, { from: BEGIN, to: TO });
      if (hours === null) throw new Error("no hours");
      return walk(hours, columns, COMPARING);
    };
    const known = ({ point, bounds }: Walk): object => ({
      // The first hour is that at which the first row was known.
      point: point.subarray(0, (cut - 2) * 4),
      bounds: bounds.subarray(0, (cut - 2) * 20),
    });
    const asItWas = await walked(late, late);
    for (const other of [await walked(altered, late), await walked(late, altered)]) {
      expect(known(other)).to.deep.equal(known(asItWas));
      expect(other.point).not.to.deep.equal(asItWas.point);
    }
  });
});
