// CRPS of rates whose law is known: normal ones, forecast by their own quantiles.
import { expect } from "chai";
import { HOUR, type Hours } from "../../../../keeper/backtest/forecasts/hours";
import { scoresOf, type ScoreRow } from "../../../../keeper/backtest/forecasts/scores";
import type { Walk } from "../../../../keeper/backtest/forecasts/walk";
import { normalQuantile } from "../../../../keeper/backtest/normal";
import { LEVELS } from "../../../../keeper/forecast/conformal";
import { FEATURES, HORIZONS } from "../../../../keeper/forecast/features";

const COUNT = 4_000;
const [MEAN, DEVIATION] = [0.05, 0.01];

function quantileOf(probability: number): number {
  return MEAN + DEVIATION * normalQuantile(probability);
}

/** Every horizon sees the same rates: the quantiles of a normal at even steps. `shift` moves the forecast's bounds. */
function scored(shift: number): ScoreRow[] {
  const hours: Hours = {
    ...{ name: "made-up", from: 0, count: COUNT },
    features: new Float64Array(COUNT * FEATURES.length).fill(MEAN),
    targets: Float64Array.from({ length: COUNT * HORIZONS.length }, (_, cell) =>
      quantileOf((Math.floor(cell / HORIZONS.length) + 0.5) / COUNT),
    ),
    known: new Int32Array(COUNT),
    fresh: new Uint8Array(COUNT).fill(1),
  };
  const cells = COUNT * HORIZONS.length;
  const bounds = LEVELS.map((level) => quantileOf(level) + shift);
  const walked: Walk = {
    point: new Float64Array(cells).fill(MEAN + shift),
    bounds: Float64Array.from({ length: cells * LEVELS.length }, (_, k) => bounds[k % LEVELS.length] as number),
    seen: new Uint8Array(cells),
    stoodIn: new Uint8Array(cells),
    byModel: new Uint8Array(cells),
  };
  const served = HORIZONS.map(() => "made-up");
  return scoresOf(hours, walked, { from: 0, to: COUNT * HOUR, served, seed: 1 });
}

describe("scores of forecasts", () => {
  it("give the CRPS of a normal but for what lies between five levels", () => {
    const [row] = scored(0);
    // Of a standard normal forecast of itself it is 1 / √π = 0.5642; five levels, each by its width, hold 0.5468 of it.
    expect(row?.crps).to.be.closeTo(100 * DEVIATION * 0.5468, 0.001);
    expect(row?.pinball).to.be.closeTo((100 * DEVIATION * 0.4963) / 2, 0.001);
  });

  it("charge a forecast that lies beside all rates with the distance, whole", () => {
    const far = 100 * DEVIATION;
    const [row] = scored(far);
    // All weights together are one: pinball losses of a level and of its opposite make up the distance.
    expect(row?.crps).to.be.closeTo(100 * far, 0.6);
  });
});
