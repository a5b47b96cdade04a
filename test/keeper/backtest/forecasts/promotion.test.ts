import { expect } from "chai";
import { verdictOf } from "../../../../keeper/backtest/forecasts/promotion";
import type { ForecastPair } from "../../../../keeper/store/modelRecords";
import { seeded } from "../../../../scripts/bench/randomProblems";

const HOUR = 3_600;
/** Of the normal law, one-sided. */
const ONE_IN_TWENTY = 1.645;

/** Errors of so many points, both ways, of two series an hour. */
function pairs(of: {
  readonly challenger: number;
  readonly champion: number;
  readonly hours?: number;
  readonly horizonHours?: number;
  readonly width?: number;
}): ForecastPair[] {
  const random = seeded(4);
  const { hours = 1_000, horizonHours = 24, width = 0.2 } = of;
  return Array.from({ length: hours }, (_, k) => k).flatMap((k) =>
    ["one", "two"].map((series) => {
      const came = 0.05;
      const challenger = came + of.challenger * (random() - 0.5);
      return {
        ...{ series, horizonHours, madeAt: k * HOUR, challenger, champion: came + of.champion * (random() - 0.5) },
        ...{ low: challenger - width / 2, high: challenger + width / 2, came },
      };
    }),
  );
}

describe("the rule of promotion", () => {
  it("takes one that is better by more than luck, with the numbers", () => {
    const { promote, reason, scores } = verdictOf(pairs({ challenger: 0.01, champion: 0.02 }), [24]);
    expect(promote, reason).to.equal(true);
    expect(reason).to.match(
      /^at 24 h its error is 0\.2\d\d points, the served one's 0\.[45]\d\d points, t = \d+\.\d of \d\.\d; nowhere worse$/,
    );
    expect(scores[0]).to.include({ hours: 1_000, n: 2_000, coverage: 1 });
  });

  it("refuses one that is worse, at any horizon that either serves", () => {
    expect(verdictOf(pairs({ challenger: 0.02, champion: 0.01 }), [24])).to.include({ promote: false });
    const mixed = [
      ...pairs({ challenger: 0.01, champion: 0.02 }),
      ...pairs({ challenger: 0.021, champion: 0.02, horizonHours: 168 }),
    ];
    const { promote, reason } = verdictOf(mixed, [24, 168]);
    expect(promote).to.equal(false);
    expect(reason).to.match(/^at 168 h its error is/);
    expect(verdictOf(mixed, [24]).promote, "168 h is served by neither").to.equal(true);
  });

  it("refuses one that is as good, or better by luck alone", () => {
    expect(verdictOf(pairs({ challenger: 0.02, champion: 0.02 }), [24]).promote).to.equal(false);
    const twin = pairs({ challenger: 0.02, champion: 0.02 }).map((pair) => ({ ...pair, champion: pair.challenger }));
    expect(verdictOf(twin, [24]).reason).to.match(/^nowhere better by more than luck/);
  });

  /** How often a model is taken that is no better: the difference of an hour is the mean of a week's news. */
  function takenByLuck(hours: number): { readonly taken: number; readonly byTheNormalLaw: number } {
    const random = seeded(11);
    const [WEEK, RUNS] = [168, 100];
    let [taken, normal] = [0, 0];
    for (let run = 0; run < RUNS; run += 1) {
      const news = Array.from({ length: hours + WEEK }, () => random() - 0.5);
      let sum = news.slice(0, WEEK).reduce((total, one) => total + one, 0);
      const pairs = Array.from({ length: hours }, (_, k): ForecastPair => {
        sum += (news[k + WEEK] as number) - (news[k] as number);
        const challenger = 0.07 - (0.001 * sum) / WEEK;
        return {
          ...{ series: "one", horizonHours: WEEK, madeAt: k * HOUR, challenger, champion: 0.07, came: 0.05 },
          ...{ low: 0, high: 1 },
        };
      });
      const { promote, scores } = verdictOf(pairs, [WEEK]);
      taken += promote ? 1 : 0;
      normal += (scores[0]?.dmT ?? 0) > ONE_IN_TWENTY ? 1 : 0;
    }
    return { taken: taken / RUNS, byTheNormalLaw: normal / RUNS };
  }

  it("is seldom taken in by weeks of errors that are nearly all the same errors, and by a few of them never", () => {
    const few = takenByLuck(340);
    expect(few.taken).to.equal(0);
    expect(few.byTheNormalLaw, "why there is another law").to.be.above(0.2);
    expect(takenByLuck(1_700).taken).to.be.below(0.1);
  });

  it("waits for a fortnight of hours, and looks at the bounds", () => {
    const better = { challenger: 0.01, champion: 0.02 };
    expect(verdictOf(pairs({ ...better, hours: 335 }), [24]).reason).to.match(/^335 hours are known at 24 h; 336/);
    expect(verdictOf(pairs({ ...better, hours: 336 }), [24]).promote).to.equal(true);
    expect(verdictOf(pairs({ ...better, width: 0.005 }), [24]).reason).to.match(/90 % bounds held \d\d\.\d %/);
    expect(verdictOf([], [24]).reason).to.match(/^0 hours are known/);
    expect(verdictOf([], []).promote).to.equal(false);
  });
});
