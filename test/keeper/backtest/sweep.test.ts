import { expect } from "chai";
import { judge } from "../../../keeper/backtest/sweep";
import type { Trial } from "../../../keeper/backtest/trial";

const DAYS = 64;

/** What there is at the end of each day, growing by these in turn. */
function trial(index: number, ...growths: readonly number[]): Trial {
  const daily = new Float64Array(DAYS + 1).fill(100);
  for (let day = 1; day <= DAYS; day++) {
    daily[day] = (daily[day - 1] as number) * (1 + (growths[day % growths.length] as number));
  }
  return { index, daily, moves: 0, turnoverUsd: 0, costsUsd: 0 };
}

describe("the verdict on a sweep", () => {
  it("goes by what there is in the end, also where the mean of the days says otherwise", () => {
    // Half as much again and 40 % less: 5 % a day in the mean, and nine tenths left of every two days.
    const { best, overfitting } = judge(
      [trial(0, 0.5, -0.4), trial(1, -0.001, -0.0011)],
      new Float64Array(DAYS + 1).fill(100),
    );
    expect(best).to.equal(1);
    expect(overfitting?.lossProbability, "nobody had more than at the begin").to.equal(1);
    expect(overfitting?.probability).to.equal(0);
  });
});
