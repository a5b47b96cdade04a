import { expect } from "chai";
import { indexReturns, rateReturns } from "../../../keeper/risk/returns";

const HOUR = 3_600;

describe("returns", () => {
  it("of an index are its growth over each hour, whenever in it it was observed", () => {
    const points = [
      { at: 10, value: 100 },
      { at: HOUR - 5, value: 101 },
      { at: HOUR + 100, value: 102 },
      { at: 2 * HOUR - 1, value: 105.04 },
      { at: 3 * HOUR, value: 105.04 },
    ];
    const found = indexReturns(points, HOUR);
    expect(found).to.have.length(2);
    expect(found[0]).to.be.closeTo(0.04, 1e-12);
    expect(found[1]).to.equal(0);
  });

  it("leave out what nobody saw", () => {
    const points = [
      { at: 0, value: 100 },
      { at: HOUR, value: 101 },
      { at: 10 * HOUR, value: 150 },
      { at: 11 * HOUR, value: 151.5 },
    ];
    const found = indexReturns(points, HOUR);
    // Up to three hours an old index is taken for the present one; then there is none until the next observation.
    expect(found.map((value) => Math.round(value * 1e4) / 1e4)).to.deep.equal([0.01, 0, 0, 0, 0.01]);
  });

  it("of a rate are what it pays until the next observation", () => {
    const points = [
      { at: 0, value: 0.0876 },
      { at: HOUR, value: 0.1752 },
      { at: 2 * HOUR, value: 0.5 },
    ];
    expect(rateReturns(points, HOUR).map((value) => Number(value.toPrecision(9)))).to.deep.equal([1e-5, 2e-5]);
  });

  it("of nothing, or of one observation, are none", () => {
    expect(indexReturns([], HOUR)).to.deep.equal([]);
    expect(indexReturns([{ at: HOUR, value: 1 }], HOUR)).to.deep.equal([]);
    expect(rateReturns([{ at: HOUR, value: 1 }], HOUR)).to.deep.equal([]);
  });
});
