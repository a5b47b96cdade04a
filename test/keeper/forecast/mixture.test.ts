import { expect } from "chai";
import { Mixture, type MixtureState } from "../../../keeper/forecast/mixture";
import { seeded } from "../../../scripts/bench/randomProblems";

const FIRST = [0.1, 0.1, 0.8];

/** Three forecasters whose errors have these widths; of a second half, those. */
function run(mixture: Mixture, widths: readonly number[], hours: number, seed = 5): { mixed: number; each: number[] } {
  const random = seeded(seed);
  const each = widths.map(() => 0);
  let mixed = 0;
  for (let k = 0; k < hours; k += 1) {
    const came = 0.05 + 0.02 * random();
    const said = widths.map((width) => came + width * (random() - 0.5));
    const given = mixture.mean(said);
    mixed += Math.abs(given - came) / hours;
    said.forEach((one, j) => (each[j] = (each[j] as number) + Math.abs(one - came) / hours));
    mixture.learn(said, given, came);
  }
  return { mixed, each };
}

describe("the mixture of forecasters", () => {
  it("begins with the weights that it is given, and its mean is theirs", () => {
    expect(new Mixture(FIRST, 24).mean([1, 2, 3])).to.be.closeTo(0.1 + 0.2 + 2.4, 1e-12);
  });

  it("comes to be as good as the best of them, whichever that is", () => {
    for (const widths of [
      [0.002, 0.02, 0.02],
      [0.02, 0.002, 0.02],
      [0.02, 0.02, 0.002],
    ]) {
      const mixture = new Mixture(FIRST, 24);
      run(mixture, widths, 2_000);
      const { mixed, each } = run(mixture, widths, 2_000, 6);
      expect(mixed, widths.join()).to.be.below(1.5 * Math.min(...each));
    }
  });

  it("takes away from one that gets worse, and gives back when it is better again", () => {
    const mixture = new Mixture(FIRST, 24);
    run(mixture, [0.01, 0.01, 0.001], 1_000);
    expect(mixture.state().weights[2]).to.be.above(0.8);
    run(mixture, [0.001, 0.01, 0.05], 1_000);
    expect(mixture.state().weights[2]).to.be.below(0.2);
    run(mixture, [0.05, 0.05, 0.001], 1_000);
    expect(mixture.state().weights[2]).to.be.above(0.8);
  });

  it("keeps weights above zero that sum to 1, through any error", () => {
    const mixture = new Mixture(FIRST, 168);
    for (const came of [0, 1e9, 0.05, 0, 1e-12])
      mixture.learn([0.05, 0.04, 100], mixture.mean([0.05, 0.04, 100]), came);
    const { weights } = mixture.state();
    expect(weights.reduce((sum, weight) => sum + weight, 0)).to.be.closeTo(1, 1e-12);
    expect(Math.min(...weights)).to.be.above(0);
  });

  it("learns nothing where all were right, and goes on from its state", () => {
    const mixture = new Mixture(FIRST, 1);
    mixture.learn([0.05, 0.05, 0.05], 0.05, 0.05);
    expect(mixture.state().weights).to.deep.equal(FIRST);
    run(mixture, [0.01, 0.02, 0.03], 100);
    const again = new Mixture(FIRST, 1, JSON.parse(JSON.stringify(mixture.state())) as MixtureState);
    expect(run(again, [0.02, 0.01, 0.03], 50)).to.deep.equal(run(mixture, [0.02, 0.01, 0.03], 50));
  });
});
