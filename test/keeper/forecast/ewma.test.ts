import { expect } from "chai";
import fc from "fast-check";
import { ewmaForecast, type RateObservation } from "../../../keeper/forecast/ewma";

const HOUR = 3600;
const halfLife = { halfLifeHours: 24 };

function observation(hour: number, apr: number, lagSeconds = 0): RateObservation {
  return { observedAt: hour * HOUR, availableAt: hour * HOUR + lagSeconds, apr };
}

describe("EWMA forecast", () => {
  it("is null without history and persistence with one observation", () => {
    expect(ewmaForecast([], 0, halfLife)).to.equal(null);
    expect(ewmaForecast([observation(1, 0.05)], 2 * HOUR, halfLife)).to.deep.equal({
      model: "persistence",
      apr: 0.05,
      historySeconds: HOUR,
    });
  });

  it("weighs a stretch one half-life back half as much as the same stretch now", () => {
    // 0 to 24 h at 4 %, 24 to 48 h at 7 %: weights 1 and 2.
    const forecast = ewmaForecast([observation(0, 0.04), observation(24, 0.07)], 48 * HOUR, halfLife);
    expect(forecast?.model).to.equal("ewma");
    expect(forecast?.apr).to.be.closeTo((0.04 + 2 * 0.07) / 3, 1e-12);
  });

  it("does not depend on how often an unchanged rate was sampled", () => {
    const sparse = [observation(0, 0.03), observation(10, 0.09)];
    const dense = [
      ...Array.from({ length: 100 }, (_, i) => observation(i / 10, 0.03)),
      ...Array.from({ length: 50 }, (_, i) => observation(10 + i / 10, 0.09)),
    ];
    const a = ewmaForecast(sparse, 15 * HOUR, halfLife);
    const b = ewmaForecast(dense, 15 * HOUR, halfLife);
    expect(a?.apr).to.be.closeTo(b?.apr ?? NaN, 1e-11);
  });

  it("stays between the lowest and the highest rate that was known, and sees nothing that was not", () => {
    const history = fc.array(
      fc.record({ gap: fc.integer({ min: 0, max: 20_000 }), apr: fc.double({ min: 0, max: 3, noNaN: true }) }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 100_000 }), (steps, later) => {
        let time = 0;
        const rows = steps.map(({ gap, apr }) => {
          time += gap;
          return { observedAt: time, availableAt: time, apr };
        });
        const forecast = ewmaForecast(rows, time + later, halfLife);
        const rates = rows.map((row) => row.apr);
        expect(forecast?.apr).to.be.within(Math.min(...rates) - 1e-9, Math.max(...rates) + 1e-9);
        const future = [
          { observedAt: time, availableAt: time + later + 1, apr: 99 },
          { observedAt: time + later + 5, availableAt: time + later + 5, apr: 99 },
        ];
        expect(ewmaForecast([...rows, ...future], time + later, halfLife)).to.deep.equal(forecast);
      }),
      { seed: 20261121, numRuns: 300 },
    );
  });

  it("ignores a rate that is not a number", () => {
    const forecast = ewmaForecast([observation(0, 0.05), observation(1, Number.NaN)], 2 * HOUR, halfLife);
    expect(forecast?.apr).to.equal(0.05);
  });
});
