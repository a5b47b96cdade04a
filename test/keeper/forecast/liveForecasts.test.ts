// Forecasts as time goes on: the same as those of the walk over recorded hours, whenever they are asked for.
import { expect } from "chai";
import { hoursOf } from "../../../keeper/backtest/forecasts/hours";
import { walk } from "../../../keeper/backtest/forecasts/walk";
import { withFlags } from "../../../keeper/collect/quality";
import { FEATURES, HORIZONS, SeriesColumns } from "../../../keeper/forecast/features";
import { HourlySeries } from "../../../keeper/forecast/hourlySeries";
import { LiveForecasts, type Made } from "../../../keeper/forecast/liveForecasts";
import { columnOf, type DeviationModel } from "../../../keeper/forecast/served";
import type { SeriesState } from "../../../keeper/forecast/seriesForecast";
import type { HistoryRow } from "../../../keeper/store/historyRecords";
import { BEGIN, FIXTURE } from "./datasetFixture";

const HOUR = 3_600;
const COINS = ["one-usdc", "two-usdc"];

const half = (name: string, factor = 0.5): DeviationModel => ({
  ...{ name, hash: name.repeat(64).slice(0, 64), serves: [false, true, true, true], norms: null },
  trainWindow: { from: 0, to: 0 },
  run: async (features, rows) => {
    const columns = features.length / rows;
    const deviation = new Float64Array(rows * HORIZONS.length);
    for (let k = 0; k < deviation.length; k += 1) {
      // apr_less_ewma is the seventh.
      deviation[k] = factor * (features[Math.floor(k / HORIZONS.length) * columns + 6] as number);
    }
    return { deviation, scale: new Float64Array(deviation.length).fill(0.001) };
  },
});

/** Known three hours late, so that what came is not known at once either. */
const LATE = 3;
const rowsOf = (name: string): HistoryRow[] =>
  (FIXTURE.get(name) ?? []).map((row) => ({ ...row, availableAt: row.availableAt + LATE * HOUR }));

/** As `step` hours go by; the rows of an hour are there when it is over. */
async function live(forecasts: LiveForecasts, from: number, to: number, step = 1): Promise<Made[]> {
  const made: Made[] = [];
  const given = new Map(COINS.map((name) => [name, 0]));
  for (let k = from; k <= to; k += step) {
    const now = BEGIN + k * HOUR;
    for (const name of COINS) {
      const rows = rowsOf(name).filter(({ availableAt }) => availableAt <= now);
      forecasts.add(name, rows.slice(given.get(name)));
      given.set(name, rows.length);
    }
    made.push(...(await forecasts.at(now)).made);
  }
  return made;
}

describe("live forecasts", () => {
  it("are to the last bit those that the walk over recorded hours scores", async () => {
    const model = half("a");
    const made = await live(new LiveForecasts(model), 0, 400);
    const all = new Map(
      COINS.map((name) => {
        const columns = new SeriesColumns();
        columns.add(withFlags([], rowsOf(name)));
        return [name, columns];
      }),
    );
    const hours = hoursOf("one-usdc", all, { from: BEGIN, to: BEGIN + 400 * HOUR });
    if (hours === null) throw new Error("no hours");
    const walked = await walk(hours, all.get("one-usdc") as SeriesColumns, model);
    const own = made.filter(({ series }) => series === "one-usdc");
    expect(own.length).to.equal(hours.count);
    expect(own.at(-1)?.horizons[3]?.by).to.equal("a");
    own.forEach(({ horizons }, k) =>
      horizons.forEach(({ point, bounds }, h) => {
        expect(point, `hour ${k}, horizon ${h}`).to.equal(walked.point[k * 4 + h]);
        expect(bounds).to.deep.equal([...walked.bounds.subarray((k * 4 + h) * 5, (k * 4 + h + 1) * 5)]);
      }),
    );
  });

  it("are the same asked for every hour or once in a while", async () => {
    const often = await live(new LiveForecasts(half("a")), 0, 420);
    const seldom = await live(new LiveForecasts(half("a")), 0, 420, 60);
    const sorted = (made: readonly Made[]): Made[] =>
      [...made].sort((a, b) => a.at - b.at || (a.series < b.series ? -1 : 1));
    expect(sorted(seldom)).to.deep.equal(sorted(often));
  });

  it("go on after a restart as if there had been none", async () => {
    const whole = new LiveForecasts(half("a"));
    await live(whole, 0, 300);
    const states = JSON.parse(JSON.stringify(whole.states())) as {
      series: string;
      model: string;
      state: SeriesState;
    }[];
    const again = new LiveForecasts(half("a"));
    for (const { series, model, state } of states) again.restore(series, model, state);
    const rest = await live(again, 300, 340);
    expect(rest.length).to.equal(80);
    expect(rest).to.deep.equal(await live(whole, 301, 340));
  });

  it("are of every model, each with what it learnt, and the answer is the served one's", async () => {
    const forecasts = new LiveForecasts(half("a"), [half("b", -0.5)]);
    expect(forecasts.models).to.deep.equal(["a".repeat(64), "b".repeat(64)]);
    const made = await live(forecasts, 0, 100);
    const of = (hash: string): Made[] =>
      made.filter(({ model, series }) => model === hash.repeat(64) && series === "one-usdc");
    expect(of("a").length).to.equal(101 - LATE);
    expect(of("b").length).to.equal(101 - LATE);
    expect(of("a").at(-1)?.horizons[2]?.point).not.to.equal(of("b").at(-1)?.horizons[2]?.point);
    const { now } = await forecasts.at(BEGIN + 100 * HOUR + 60);
    expect(now.get("one-usdc")?.[2]?.by).to.equal("a");
    expect(of("a")[0]?.horizons[2]?.trouble).to.match(/shorter than a day/);
    expect(of("a")[30]?.horizons[2]?.trouble).to.equal(null);
  });

  it("are the baselines' where a model fails, and say which failed", async () => {
    const failing = { ...half("a"), run: () => Promise.reject(new Error("broken")) };
    const forecasts = new LiveForecasts(failing, [half("b")]);
    await live(forecasts, 0, 50);
    const { now, failed } = await forecasts.at(BEGIN + 51 * HOUR);
    expect([...failed.keys()]).to.deep.equal(["a".repeat(64)]);
    expect(now.get("one-usdc")?.map(({ by }) => by)).to.deep.equal(["persistence", "persistence", "ewma", "ewma"]);
  });

  it("compare a lender with lenders, not with what a pool or a savings vault pays", async () => {
    const spread = columnOf("spread_best");
    const seen: number[] = [];
    const model: DeviationModel = {
      ...half("a"),
      run: (features, rows) => {
        for (let row = 0; row < rows; row += 1) seen.push(features[row * FEATURES.length + spread] as number);
        return half("a").run(features, rows);
      },
    };
    const row = (k: number, supplyApr: number, borrowedUsd: number | null): HistoryRow => ({
      ...{ observedAt: BEGIN + k * HOUR - 60, availableAt: BEGIN + k * HOUR, block: 0, blockHash: null, source: "x" },
      ...{ supplyApr, borrowApr: null, suppliedUsd: 1e9, borrowedUsd, index: null, flags: 0 },
    });
    const forecasts = new LiveForecasts(model);
    for (const [name, apr, borrowed] of [
      ["one-usdc", 0.04, 8e8],
      ["two-usdc", 0.05, 8e8],
      ["a-pool", 0.3, null],
    ] as const) {
      forecasts.add(name, [row(0, apr, borrowed), row(1, apr, borrowed)]);
    }
    await forecasts.at(BEGIN + HOUR);
    const found = new Set(seen.map((value) => value.toFixed(3)));
    // One beside two, two beside one, and the pool beside the better of both.
    expect([...found]).to.have.members(["-0.010", "0.010", "0.250"]);
  });

  it("end for a series that was not heard of for a week", async () => {
    const forecasts = new LiveForecasts(null);
    await live(forecasts, 0, 50);
    expect((await forecasts.at(BEGIN + 200 * HOUR)).now.has("one-usdc")).to.equal(true);
    expect((await forecasts.at(BEGIN + 220 * HOUR)).now.has("one-usdc")).to.equal(false);
  });
});

describe("a series seen many times an hour", () => {
  const row = (minute: number, apr: number): HistoryRow => ({
    ...{ observedAt: BEGIN + minute * 60 - 5, availableAt: BEGIN + minute * 60, block: minute, blockHash: null },
    ...{ source: "made-up", suppliedUsd: 1e9, borrowedUsd: 8e8, supplyApr: apr, borrowApr: apr, index: null, flags: 0 },
  });

  it("keeps the last row of each hour, and the newest", () => {
    const series = new HourlySeries();
    for (const minute of [10, 30, 60, 61, 90, 130, 140]) series.add(row(minute, minute / 1_000));
    expect(series.columns.apr).to.deep.equal([0.06, 0.09, 0.14]);
    expect(series.knownAt(BEGIN + 2 * HOUR)).to.equal(2);
    expect(series.knownAt(BEGIN + 140 * 60)).to.equal(3);
  });

  it("ignores what is older than what it holds, and rows without a rate", () => {
    const series = new HourlySeries();
    for (const one of [row(70, 0.07), row(50, 0.05), { ...row(80, 0), supplyApr: null }]) series.add(one);
    expect(series.columns.apr).to.deep.equal([0.07]);
  });

  it("has the flags of the hours as if there had been nothing in between", () => {
    const hourly = Array.from({ length: 100 }, (_, k) => row(60 * (k + 1), k === 80 ? 0.9 : 0.05));
    const series = new HourlySeries();
    for (const one of hourly) {
      series.add({ ...one, availableAt: one.availableAt - 1_800, observedAt: one.observedAt - 1_800, supplyApr: 0.5 });
      series.add(one);
    }
    series.knownAt(BEGIN + 101 * HOUR);
    expect(series.columns.flags).to.deep.equal(withFlags([], hourly).map(({ flags }) => flags));
    expect(series.columns.flags.some((flags) => flags !== 0)).to.equal(true);
  });

  it("forgets, but not what was in force", () => {
    const series = new HourlySeries();
    for (const hour of [1, 2, 3, 4]) series.add(row(60 * hour, hour / 100));
    series.forget(BEGIN + 3 * HOUR + 1);
    expect(series.columns.apr).to.deep.equal([0.03, 0.04]);
  });
});
