import { expect } from "chai";
import { RateHistory } from "../../../keeper/decide/rateHistory";
import type { ObservationRow } from "../../../keeper/store/records";

const HOUR = 3600;

function row(venue: string, hour: number, apr: number): ObservationRow {
  return {
    chainId: 1,
    venue,
    adapter: `0x${"a".repeat(40)}`,
    blockNumber: hour,
    blockHash: `0x${hour.toString(16).padStart(64, "0")}`,
    observedAt: hour * HOUR,
    availableAt: hour * HOUR + 2,
    source: "lens",
    supplied: null,
    borrowed: null,
    supplyApr: apr,
    supplyAprWithoutUs: apr,
    borrowApr: null,
    vaultAssets: "0",
  };
}

describe("rate history", () => {
  it("forecasts each venue from its own rates and leaves out those that were never seen", () => {
    const history = new RateHistory({ halfLifeHours: 24 });
    history.add([row("a", 0, 0.04), row("b", 0, 0.1), row("a", 24, 0.07)]);
    const forecasts = history.forecasts(["a", "b", "c"], 48 * HOUR);
    expect(forecasts.map((f) => f.venue)).to.deep.equal(["a", "b"]);
    expect(forecasts[0]?.apr).to.be.closeTo((0.04 + 2 * 0.07) / 3, 1e-11);
    expect(forecasts[0]?.currentApr).to.equal(0.07);
    expect(forecasts[1]).to.include({ apr: 0.1, model: "persistence" });
  });

  it("gives the same forecast whether rows came one by one or at once, repeated or not", () => {
    const rows = Array.from({ length: 200 }, (_, hour) => row("a", hour, hour % 7 < 4 ? 0.03 : 0.08));
    const atOnce = new RateHistory({ halfLifeHours: 24 });
    atOnce.add(rows);
    const oneByOne = new RateHistory({ halfLifeHours: 24 });
    for (const item of rows) oneByOne.add([item, item]);
    expect(oneByOne.forecasts(["a"], 200 * HOUR)).to.deep.equal(atOnce.forecasts(["a"], 200 * HOUR));
  });

  it("says of shorter times what a rate was lately, and of a week the forecast itself", () => {
    const history = new RateHistory({ halfLifeHours: 24 });
    history.add(Array.from({ length: 300 }, (_, hour) => row("a", hour, hour < 290 ? 0.02 : 0.05)));
    const [forecast] = history.forecasts(["a"], 300 * HOUR);
    const frames = forecast?.frames ?? [];
    expect(frames.map(({ hours }) => hours)).to.deep.equal([1, 4, 24, 168]);
    expect(frames[3]?.apr).to.equal(forecast?.apr);
    // Half-lives of 1.85, 3.70, 9.07 and 24 hours, ten hours after the rate rose.
    const expected = [1, 4, 24, 168].map((hours) => 0.05 - 0.03 * 2 ** (-10 / (24 * Math.sqrt(hours / 168))));
    frames.forEach(({ apr }, k) => expect(apr).to.be.closeTo(expected[k] ?? NaN, 3e-4));
  });

  it("does not use a row before it could have been known", () => {
    const history = new RateHistory({ halfLifeHours: 24 });
    history.add([row("a", 0, 0.04), row("a", 10, 0.5)]);
    expect(history.forecasts(["a"], 10 * HOUR + 1)[0]?.apr).to.equal(0.04);
    expect(history.forecasts(["a"], 10 * HOUR + 2)[0]?.currentApr).to.equal(0.5);
  });

  it("forgets what is too old to matter, within a per cent", () => {
    const history = new RateHistory({ halfLifeHours: 1 });
    const rows = Array.from({ length: 5000 }, (_, hour) => row("a", hour, 0.02 + (hour % 3) * 0.01));
    history.add(rows);
    const forecast = history.forecasts(["a"], 5000 * HOUR)[0];
    expect(forecast?.historySeconds).to.be.lessThan(10 * HOUR);
    expect(forecast?.apr).to.be.within(0.02, 0.04);
  });
});
