// Who forecasts a series: the model, while what it is asked and how near it is are as its card says; the baseline, with the reason,
// while they are not; and the model again afterwards.
import { expect } from "chai";
import { FEATURES, HORIZONS } from "../../../keeper/forecast/features";
import { normsOf, type Norms } from "../../../keeper/forecast/modelWatch";
import { columnOf, forecastRows, type DeviationModel } from "../../../keeper/forecast/served";
import { SeriesForecast, type HorizonForecast, type SeriesState } from "../../../keeper/forecast/seriesForecast";
import { cardOfModel } from "./onnxFixture";

const HOUR = 3_600;
const BEGIN = 1_700_002_800;
const DAY = HORIZONS.indexOf(24);

/** Of a training in which every feature was between 0 and 1, and forecasts were off by 0.1 point. */
function norms(): Norms {
  const names = FEATURES.map(({ name }) => name);
  const stats = { mean: 0.5, sd: 0.3, p01: 0, p50: 0.5, p99: 1, nanShare: 0 };
  return normsOf(
    cardOfModel(
      {},
      {
        featureStats: Object.fromEntries(names.map((name) => [name, stats])),
        errorStats: Object.fromEntries(HORIZONS.map((hours) => [String(hours), { mae: 0.001 }])),
      },
    ),
  );
}

/** Adds what it is told to the mean of late. */
function model(deviation: () => number, hash = "a", serves = [false, false, true, true]): DeviationModel {
  return {
    ...{
      name: "told",
      hash: hash.repeat(64),
      serves,
      norms: norms(),
      trainWindow: { from: 0, to: 0 },
    },
    run: async (_, rows) => ({
      deviation: new Float64Array(rows * HORIZONS.length).fill(deviation()),
      scale: new Float64Array(rows * HORIZONS.length).fill(0.001),
    }),
  };
}

interface Truth {
  /** Of all features but the rates. */
  readonly fill?: (k: number) => number;
  readonly came: (k: number) => number;
  /** Rows of the series. Default: a hundred. */
  readonly known?: (k: number) => number;
}

async function run(
  series: SeriesForecast,
  served: DeviationModel | null,
  of: Truth & { readonly from?: number; readonly hours: number },
): Promise<HorizonForecast[][]> {
  const made: HorizonForecast[][] = [];
  for (let k = of.from ?? 0; k < of.hours; k += 1) {
    const features = new Float64Array(FEATURES.length).fill(of.fill?.(k) ?? 0.5);
    features[columnOf("apr")] = 0.06;
    features[columnOf("ewma_24h")] = 0.05;
    const points = await forecastRows(features, served);
    const hour = { at: BEGIN + k * HOUR, features, points, row: 0, known: of.known?.(k) ?? 100 };
    made.push(series.step(hour, (then) => of.came((then - BEGIN) / HOUR)));
  }
  return made;
}

const by = (made: readonly HorizonForecast[][]): string[] => made.map((horizons) => horizons[DAY]?.by ?? "");

describe("the forecast of a series", () => {
  it("is the model's where it serves, weighed against the baselines, and theirs where it does not", async () => {
    const served = model(() => 0.02);
    const [first] = await run(new SeriesForecast(served), served, { hours: 1, came: () => NaN });
    expect(first?.map((one) => one.by)).to.deep.equal(["persistence", "persistence", "told", "told"]);
    // A tenth of persistence and of the EWMA each, and the model's.
    expect(first?.[DAY]?.point).to.be.closeTo(0.1 * 0.06 + 0.1 * 0.05 + 0.8 * 0.07, 1e-12);
    expect(first?.[0]?.point).to.equal(0.06);
    expect(first?.every(({ trouble }) => trouble === null)).to.equal(true);
    const none = await run(new SeriesForecast(null), null, { hours: 1, came: () => NaN });
    expect(none[0]?.map((one) => one.by)).to.deep.equal(["persistence", "persistence", "ewma", "ewma"]);
  });

  it("over hours is persistence, until the model has beaten it at the series, and still where it has not", async () => {
    const served = model(() => 0.012, "a", [false, true, true, true]);
    const point = (made: readonly HorizonForecast[][]): number => made.at(-1)?.[1]?.point ?? NaN;
    // Persistence says 6 %, the EWMA 5 %, the model 6.2 %.
    const begun = await run(new SeriesForecast(served), served, { hours: 1, came: () => NaN });
    expect(point(begun)).to.be.closeTo(0.8 * 0.06 + 0.02 * 0.05 + 0.18 * 0.062, 1e-12);
    const beaten = await run(new SeriesForecast(served), served, { hours: 1_000, came: () => 0.062 });
    expect(Math.abs(point(beaten) - 0.062)).to.be.below(0.0005);
    const unbeaten = await run(new SeriesForecast(served), served, { hours: 1_000, came: () => 0.06 });
    expect(Math.abs(point(unbeaten) - 0.06)).to.be.below(0.0002);
  });

  it("turns to the baseline where the model is far off, says why, and back when it is not any more", async () => {
    let deviation = 0;
    const served = model(() => deviation);
    const series = new SeriesForecast(served);
    const came = (): number => 0.05;
    await run(series, served, { hours: 200, came });
    deviation = 0.4;
    const bad = await run(series, served, { from: 200, hours: 320, came });
    expect(by(bad).slice(0, 24), "not before an error is known").to.deep.equal(Array(24).fill("told"));
    expect(bad.at(-1)?.[DAY]).to.include({ by: "ewma", point: 0.05 });
    expect(bad.at(-1)?.[DAY]?.trouble).to.match(
      /^its error is \d+\.\d\d points, 0\.10 points by its card, 0\.00 points/,
    );
    deviation = 0;
    const good = await run(series, served, {
      ...{ from: 320, hours: 3_000 },
      came,
    });
    expect(by(good)[0]).to.equal("ewma");
    deviation = 0.01;
    const better = await run(series, served, { from: 3_000, hours: 5_000, came: () => 0.06 });
    expect(by(better).at(-1), "it is asked on, and so comes back").to.equal("told");
  });

  it("turns to the baseline where what is asked was unusual in training, and back", async () => {
    const served = model(() => 0);
    const series = new SeriesForecast(served);
    const came = (): number => 0.05;
    await run(series, served, { hours: 168, came });
    const strange = await run(series, served, { from: 168, hours: 260, came, fill: () => 7 });
    expect(by(strange)[0]).to.equal("told");
    expect(strange.at(-1)?.[DAY]).to.include({ by: "ewma" });
    expect(strange.at(-1)?.[DAY]?.trouble).to.match(/^\d+ % of what it is asked was unusual/);
    const usual = await run(series, served, { from: 260, hours: 260 + 168, came });
    expect(by(usual).at(-1)).to.equal("told");
    const lacking = await run(new SeriesForecast(served), served, { hours: 30, came, fill: () => NaN });
    expect(lacking.at(-1)?.[DAY]?.trouble, "what was always known is missing").to.match(/unusual/);
  });

  it("is the model's from the second day of a new series on, whatever was unknown on the first", async () => {
    const served = model(() => 0);
    const lives = { came: (): number => 0.05, known: (k: number): number => k + 1 };
    const fill = (k: number): number => (k < 24 ? NaN : 0.5);
    const made = await run(new SeriesForecast(served), served, { ...lives, hours: 100, fill });
    expect(made[22]?.[DAY]?.trouble).to.equal("its history is shorter than a day");
    expect(by(made).slice(0, 23)).to.deep.equal(Array(23).fill("ewma"));
    expect(by(made).slice(23)).to.deep.equal(Array(77).fill("told"));
    const strange = await run(new SeriesForecast(served), served, { ...lives, hours: 100, fill: () => NaN });
    expect(strange[48]?.[DAY]?.trouble, "what is unknown on the second day counts").to.match(/unusual/);
  });

  it("goes on from its state to the last bit, and learns bounds but no weights from another model", async () => {
    const served = model(() => 0.01);
    const came = (k: number): number => 0.05 + 0.01 * Math.sin(k / 9);
    const whole = new SeriesForecast(served);
    const all = await run(whole, served, { hours: 600, came });
    const first = new SeriesForecast(served);
    await run(first, served, { hours: 400, came });
    const kept = JSON.parse(JSON.stringify(first.state())) as SeriesState;
    expect(await run(new SeriesForecast(served, kept), served, { from: 400, hours: 600, came })).to.deep.equal(
      all.slice(400),
    );
    const other = new SeriesForecast(
      model(() => 0.01, "b"),
      kept,
    ).state();
    expect(other.conformal).to.deep.equal(kept.conformal);
    expect(other.mixtures[DAY]?.weights).to.deep.equal([0.1, 0.1, 0.8]);
    expect(other.pending[DAY]).to.deep.equal([]);
  });

  it("learns nothing from a look between two hours", async () => {
    const served = model(() => 0.01);
    const series = new SeriesForecast(served);
    await run(series, served, { hours: 50, came: () => 0.05 });
    const before = series.state();
    const features = new Float64Array(FEATURES.length).fill(0.5);
    const points = await forecastRows(features, served);
    series.look({ at: BEGIN + 50 * HOUR + 60, features, points, row: 0, known: 100 });
    expect(series.state()).to.deep.equal(before);
  });
});
