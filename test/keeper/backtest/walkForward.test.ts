// Parameters chosen by the past of each fold: what the choice may know, and that it is made alike however trials are run.
import { expect } from "chai";
import { constantGas } from "../../../keeper/backtest/gasPrices";
import { checkLeaks } from "../../../keeper/backtest/leaks";
import type { Market } from "../../../keeper/backtest/market";
import type { Parameters } from "../../../keeper/backtest/parameters";
import { runBacktest } from "../../../keeper/backtest/run";
import { trialOf } from "../../../keeper/backtest/trial";
import { chooseFolds, foldsThatFit, walkForward, walkForwardAlong } from "../../../keeper/backtest/walkForward";
import { market, seriesOf, wave } from "./synthetic";

const HOUR = 3_600;
const FIRST: Parameters = {
  ...{ horizonHours: 168, minGainUsd: 5, noTradeBandBps: 1, cooldownSeconds: HOUR, maxShareOfVenue: 0.25 },
  halfLifeHours: 24,
};
const TRIED: Parameters[] = [1, 24, 200].map((halfLifeHours) => ({ ...FIRST, halfLifeHours }));
const RUN = { capital: 1e6, costBps: 0 };
const GRID = { from: 0, stepSeconds: HOUR, steps: 100 * 24 };

/** A trial that is worth 1 but for the days of which it is worth more. */
const worth = (more: Readonly<Record<number, number>>): Float64Array =>
  Float64Array.from({ length: 101 }, (_, day) => more[day] ?? 1);

describe("parameters chosen by the past", function () {
  this.timeout(30_000);
  /** Slow at first, where whoever follows at once gains most, and fast after, where that costs more than it brings. */
  const turning = (phase: number) => (hour: number) =>
    hour < 650 ? wave(0.05, 0.03, 400, phase)(hour) : wave(0.05, 0.04, 18, phase)(hour);
  const series = [
    seriesOf("aave-a", { apr: turning(0), borrowed: wave(6e8, 1e8, 111) }),
    seriesOf("aave-b", { apr: turning(3), borrowed: wave(8e8, 1.5e8, 90) }),
  ];
  const on = (lagHours: number): Market =>
    market(series, {
      ...{ to: 1_700_784_000 + 60 * 24 * HOUR, lagSeconds: lagHours * HOUR },
      ...{ gas: constantGas(100), priceTaker: false },
    });

  it("are the best a day before the fold, of equal ones the first, and as configured at the beginning", () => {
    const choose = (...equities: Float64Array[]): (number | null)[] =>
      chooseFolds(equities, GRID, { folds: 4, lagSeconds: HOUR }).map(({ chosen }) => chosen);
    expect(choose(worth({}), worth({ 24: 2 }), worth({ 25: 3, 50: 3 }))).to.deep.equal([null, 1, 0, 0]);
    expect(choose(worth({}), worth({ 49: 2 }), worth({ 74: 3 }))).to.deep.equal([null, 0, 1, 2]);
  });

  it("leave out as many more days as knowledge lags behind", () => {
    const chosen = (lagHours: number, day: number): number | null | undefined =>
      chooseFolds([worth({}), worth({ [day]: 2 })], GRID, { folds: 2, lagSeconds: lagHours * HOUR })[1]?.chosen;
    expect([chosen(1, 49), chosen(23, 49), chosen(24, 49), chosen(47, 48), chosen(48, 48)]).to.deep.equal([
      1, 1, 0, 1, 0,
    ]);
    expect([chosen(24, 48), chosen(48, 47)]).to.deep.equal([1, 1]);
    // No day of the past is left.
    expect(chosen(24 * 60, 1)).to.equal(null);
  });

  it("are chosen in as many folds as have a fortnight, or in none", () => {
    const days = (count: number): number | null => foldsThatFit({ ...GRID, steps: count * 24 }, 8);
    expect([days(27), days(28), days(41), days(42), days(111), days(112), days(900)]).to.deep.equal([
      ...[null, 2, 2, 3, 7, 8, 8],
    ]);
    expect(foldsThatFit(GRID, 1)).to.equal(null);
  });

  for (const lagHours of [1, 30]) {
    it(`earn the same whether trials were run before or go along with it, at a lag of ${lagHours} h`, () => {
      const market = on(lagHours);
      const trials = TRIED.map((parameters, index) => trialOf(market, { index, parameters }, RUN));
      const folds = chooseFolds(
        trials.map(({ daily }) => daily),
        market.grid,
        { folds: 4, lagSeconds: market.knowledge.lagSeconds },
      );
      expect(new Set(folds.map(({ chosen }) => chosen)).size, "more than one was chosen").to.be.above(2);
      const before = runBacktest(market, walkForward(TRIED, FIRST, folds), RUN);
      const along = runBacktest(market, walkForwardAlong(market, TRIED, { first: FIRST, folds: 4, run: RUN }), RUN);
      expect(before.trades.length).to.be.above(3);
      expect(along.equity).to.deep.equal(before.equity);
    });
  }

  it("are found clean by the check for leaks, and leaking where the end of the history chose them", async () => {
    const check = { ...RUN, moments: 6 };
    for (const lagHours of [1, 30]) {
      const [clean] = await checkLeaks(
        on(lagHours),
        (one) => [walkForwardAlong(one, TRIED, { first: FIRST, folds: 4, run: RUN })],
        check,
      );
      expect(clean).to.deep.include({ strategy: "walk-forward", leak: null });
    }
    const inHindsight = (one: Market): ReturnType<typeof walkForward> => {
      const finals = TRIED.map((parameters, index) => trialOf(one, { index, parameters }, RUN).daily.at(-1) as number);
      const chosen = finals.indexOf(Math.max(...finals));
      return walkForward(
        TRIED,
        FIRST,
        [0, 360, 720, 1_080].map((begin) => ({ begin, chosen })),
      );
    };
    const [leaking] = await checkLeaks(on(1), (one) => [inHindsight(one)], check);
    expect(leaking?.leak).not.to.equal(null);
  });
});
