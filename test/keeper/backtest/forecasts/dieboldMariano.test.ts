import { expect } from "chai";
import { dieboldMariano, leastT, holm, twoSided } from "../../../../keeper/backtest/forecasts/dieboldMariano";
import { seeded } from "../../../../scripts/bench/randomProblems";

describe("the test of Diebold and Mariano", () => {
  it("is the mean over its standard error where neighbours share nothing", () => {
    // Mean 2, variance (1 + 0 + 1 + 4 + 4) / 5 = 2.
    expect(dieboldMariano(Float64Array.of(1, 2, 3, 0, 4), 0)).to.be.closeTo(2 / Math.sqrt(2 / 5), 1e-12);
  });

  it("weighs what neighbours share as Newey and West do", () => {
    // By hand: centred −1, 0, 1, −2, 2; sums of neighbours' products −6, of next ones' but one −1 + 0 + 2 = 1.
    const variance = 2 + 2 * (2 / 3) * (-6 / 5) + 2 * (1 / 3) * (1 / 5);
    expect(dieboldMariano(Float64Array.of(1, 2, 3, 0, 4), 2)).to.be.closeTo(2 / Math.sqrt(variance / 5), 1e-12);
  });

  it("is not taken in by hours that repeat each other", () => {
    const random = seeded(3);
    const own = Float64Array.from({ length: 400 }, () => random() - 0.45);
    const repeated = Float64Array.from({ length: 9_600 }, (_, k) => own[Math.floor(k / 24)] as number);
    const honest = dieboldMariano(own, 0) as number;
    expect(dieboldMariano(repeated, 48)).to.be.closeTo(honest, 0.3 * Math.abs(honest));
    expect(dieboldMariano(repeated, 0), "as if each hour were news").to.be.closeTo(honest * Math.sqrt(24), 0.5);
  });

  it("says zero of equal forecasts, and nothing of too few", () => {
    expect(dieboldMariano(new Float64Array(100), 2)).to.equal(0);
    expect(dieboldMariano(Float64Array.of(1, 2, 3), 2)).to.equal(null);
    expect(dieboldMariano(new Float64Array(100).fill(0.5), 2)).to.equal(null);
  });

  it("has the normal law's probabilities", () => {
    expect(twoSided(1.959963984540054)).to.be.closeTo(0.05, 1e-12);
    expect(twoSided(-1.959963984540054)).to.be.closeTo(0.05, 1e-12);
  });

  it("has to exceed more, the fewer hours there are beside those that share their errors", () => {
    // The normal law's where nothing is shared.
    expect(leastT(0.05, { hours: 1e9, lag: 0 })).to.be.closeTo(1.645, 1e-3);
    expect(leastT(0.0125, { hours: 1e9, lag: 0 })).to.be.closeTo(2.326, 1e-3);
    expect(leastT(0.05 / 2, { hours: 337, lag: 336 })).to.be.closeTo(4.81, 0.01);
    expect(leastT(0.05, { hours: 480, lag: 48 })).to.be.within(1.86, 1.9);
    expect(() => leastT(0.001, { hours: 480, lag: 48 })).to.throw(RangeError);
  });
});

describe("the correction by Holm", () => {
  it("multiplies by the tests that are left, never falls, and leaves out what is no test", () => {
    expect(holm([0.01, 0.04, null, 0.03, 0.005])).to.deep.equal([0.03, 0.06, null, 0.06, 0.02]);
    expect(holm([0.6, 0.9])).to.deep.equal([1, 1]);
  });
});
