// What the strategy `ml` is told of each time frame: what the keeper would be told, by app/forecasting.ts.
import { expect } from "chai";
import type { Situation } from "../../../../keeper/backtest/strategy";
import { ewmaForecasts } from "../../../../keeper/backtest/strategies/live";
import { mlForecasts, type MlOptions } from "../../../../keeper/backtest/strategies/ml";
import { TIME_FRAMES } from "../../../../keeper/decide/timeFrames";
import { FROM, market, seriesOf, wave } from "../synthetic";
import { returning } from "../returningModel";

const HOUR = 3_600;
const HALF_LIFE = 36;
const STEP = 400;

describe("the strategy ml", () => {
  const one = market([
    seriesOf("aave-a", { apr: wave(0.09, 0.01, 300) }),
    seriesOf("aave-b", { apr: wave(0.06, 0.02, 170, 1) }),
  ]);
  const now = { step: STEP, at: FROM + STEP * HOUR, knownAt: FROM + (STEP - 1) * HOUR } as Situation;
  const of = (over: Partial<MlOptions> = {}): MlOptions => ({
    ...{ model: returning([24, 168]), folder: __dirname, horizonHours: 168, halfLifeHours: HALF_LIFE, now: Infinity },
    ...over,
  });

  it("has the model's word over the frames that it serves, and the decision's own EWMA over the others", async () => {
    const told = (await mlForecasts(one, of())).forecasts(one.knowledge);
    const other = (await mlForecasts(one, of({ model: returning([24, 168], 0.06) }))).forecasts(one.knowledge);
    const ewma = ewmaForecasts(HALF_LIFE)(one.knowledge);
    for (const venue of [0, 1]) {
      const [means, rates, others] = [ewma, told, other].map((source) =>
        TIME_FRAMES.map((hours) => source(venue, now, hours)),
      ) as [number[], number[], number[]];
      expect(rates.slice(0, 2)).to.deep.equal(means.slice(0, 2));
      expect(others.slice(0, 2)).to.deep.equal(means.slice(0, 2));
      for (const frame of [2, 3]) expect(rates[frame], `frame ${frame}`).not.to.be.oneOf([means[frame], others[frame]]);
      expect(told(venue, now)).to.equal(rates[3]);
    }
  });

  it("decides on the nearest horizon, by the EWMA where the model does not serve it", async () => {
    const told = (await mlForecasts(one, of({ horizonHours: 4 }))).forecasts(one.knowledge);
    expect(told(0, now)).to.equal(ewmaForecasts(HALF_LIFE)(one.knowledge)(0, now));
    const day = (await mlForecasts(one, of({ horizonHours: 30 }))).forecasts(one.knowledge);
    expect(day(0, now)).to.equal(day(0, now, 24));
  });

  it("has the EWMA before the first hour that the model was asked of", async () => {
    const early = { step: 0, at: FROM, knownAt: FROM - 400 * 24 * HOUR } as Situation;
    const told = (await mlForecasts(one, of())).forecasts(one.knowledge);
    expect(told(0, early)).to.equal(ewmaForecasts(HALF_LIFE)(one.knowledge)(0, early));
  });
});
