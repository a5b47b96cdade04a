import { expect } from "chai";
import { realisedOf } from "../../../keeper/risk/realised";

const DAY = 86_400;
const pointsOf = (values: readonly number[]) => values.map((value, k) => ({ at: k * DAY, value }));

describe("what a vault has been through", () => {
  it("is the deviation of its daily returns, a year, and how far it is below its best", () => {
    // Up a hundredth and back, by turns: the returns are 0.01 and −0.01 / 1.01.
    const values = Array.from({ length: 21 }, (_, k) => (k % 2 === 0 ? 1 : 1.01));
    const [up, down] = [0.01, 1 / 1.01 - 1];
    const deviation = ((up - down) / 2) * Math.sqrt(20 / 19);
    const { volatility, drawdown } = realisedOf(pointsOf(values)) ?? { volatility: NaN, drawdown: NaN };
    expect(volatility).to.be.closeTo(deviation * Math.sqrt(365), 1e-12);
    expect(drawdown).to.be.closeTo(1 - 1 / 1.01, 1e-12);
  });

  it("is quiet where interest comes evenly", () => {
    const { volatility, drawdown } = realisedOf(pointsOf(Array.from({ length: 30 }, (_, k) => 1.0001 ** k))) ?? {
      ...{ volatility: NaN, drawdown: NaN },
    };
    expect(volatility).to.be.below(1e-12);
    expect(drawdown).to.equal(0);
  });

  it("is not told of less than ten days", () => {
    expect(realisedOf([])).to.equal(null);
    expect(realisedOf(pointsOf(Array.from({ length: 10 }, () => 1)))).to.equal(null);
    expect(realisedOf(pointsOf(Array.from({ length: 11 }, () => 1)))).to.deep.equal({ volatility: 0, drawdown: 0 });
  });
});
