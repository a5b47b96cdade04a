import { expect } from "chai";
import { allocate } from "../../../keeper/allocate/allocate";
import type { AllocationProblem } from "../../../keeper/allocate/problem";
import { bruteForce, greedy, multiStart, objective, refine, violation } from "./oracle";
import { randomProblem, seeded, type ProblemShape } from "../../../scripts/bench/randomProblems";

const TOLERANCE = 1e-9;

interface Outcome {
  readonly seed: number;
  readonly shortfall: number;
  readonly improvable: number;
  readonly broken: number;
  readonly misreported: number;
  readonly exact: boolean;
}

function judge(seed: number, shape: (random: () => number) => ProblemShape): Outcome {
  const random = seeded(seed);
  const problem = randomProblem(random, shape(random));
  const answer = allocate(problem);
  const amounts = problem.venues.map(({ id }) => answer.allocation[id] ?? Number.NaN);
  const mine = objective(problem, amounts);
  const { length } = problem.venues;
  const other = length <= 4 ? bruteForce(problem) : multiStart(problem, random, length <= 12 ? 12 : 3);
  const staying = objective(
    problem,
    problem.venues.map(({ current }) => current),
  );
  const scale = Math.max(1, Math.abs(mine), Math.abs(other.value));
  return {
    seed,
    shortfall: (other.value - mine) / scale,
    improvable: (refine(problem, amounts).value - mine) / scale,
    broken: violation(problem, amounts) / problem.total,
    misreported: Math.abs(answer.gainOverHorizon - (mine - staying)) / Math.max(scale, Math.abs(staying)),
    exact: answer.exact,
  };
}

/** Written so that a NaN fails too. */
function failures(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter(
    ({ shortfall, improvable, broken, misreported }) =>
      !(shortfall <= TOLERANCE && improvable <= TOLERANCE && broken <= TOLERANCE && misreported <= TOLERANCE),
  );
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

describe("the allocator against searches that know no structure", function () {
  this.timeout(180_000);

  it("is never worse than a fine grid, up to four venues, in 500 random problems", () => {
    const outcomes = range(0, 500).map((seed) => judge(seed, (random) => ({ venues: 1 + Math.floor(random() * 4) })));
    expect(failures(outcomes)).to.deep.equal([]);
    expect(outcomes.filter(({ exact }) => !exact)).to.deep.equal([]);
  });

  it("is never worse than a search from many starts, five to eight venues, in 500 random problems", () => {
    const outcomes = range(10_000, 500).map((seed) =>
      judge(seed, (random) => ({ venues: 5 + Math.floor(random() * 4) })),
    );
    expect(failures(outcomes)).to.deep.equal([]);
    expect(outcomes.filter(({ exact }) => !exact)).to.deep.equal([]);
  });

  it("closes the gap with gas and overlapping groups at twelve venues", () => {
    const outcomes = range(20_000, 40).map((seed) => judge(seed, () => ({ venues: 12, gas: true, groups: true })));
    expect(failures(outcomes)).to.deep.equal([]);
    expect(outcomes.filter(({ exact }) => !exact)).to.deep.equal([]);
  });

  it("is never worse with pools of traders among up to four venues, whose moves push the price, in 500 random problems", () => {
    const outcomes = range(40_000, 500).map((seed) =>
      judge(seed, (random) => ({ venues: 1 + Math.floor(random() * 4), pools: 0.5 })),
    );
    expect(failures(outcomes)).to.deep.equal([]);
    expect(outcomes.filter(({ exact }) => !exact)).to.deep.equal([]);
  });

  it("nor among five to eight, against many starts, in 200", () => {
    const outcomes = range(50_000, 200).map((seed) =>
      judge(seed, (random) => ({ venues: 5 + Math.floor(random() * 4), pools: 0.5 })),
    );
    expect(failures(outcomes)).to.deep.equal([]);
    expect(outcomes.filter(({ exact }) => !exact)).to.deep.equal([]);
  });

  it("is never worse than greed or a search from a few starts, thirteen to fifty venues, and exact all the same", () => {
    const beyond = (random: () => number): ProblemShape => ({
      ...{ venues: 13 + Math.floor(random() * 38), gas: random() < 0.7, groups: random() < 0.7 },
      pools: random() < 0.5 ? 0.3 : 0,
    });
    const outcomes = range(60_000, 60).map((seed) => judge(seed, beyond));
    expect(failures(outcomes)).to.deep.equal([]);
    expect(outcomes.filter(({ exact }) => !exact)).to.deep.equal([]);
    let [grouped, aboveKink, better] = [0, 0, 0];
    for (const seed of range(61_000, 200)) {
      const random = seeded(seed);
      const problem = randomProblem(random, beyond(random));
      const { allocation } = allocate(problem);
      const mine = objective(
        problem,
        problem.venues.map(({ id }) => allocation[id] ?? Number.NaN),
      );
      const { value } = greedy(problem);
      const scale = Math.max(1, Math.abs(mine));
      expect((value - mine) / scale, `seed ${seed}`).to.be.at.most(TOLERANCE);
      if (problem.groups.length > 0) grouped += 1;
      if (problem.venues.some(({ model }) => "kink" in model && model.borrowed > model.kink * model.supplied))
        aboveKink += 1;
      if ((mine - value) / scale > 1e-3) better += 1;
    }
    expect([grouped, aboveKink, better].map((count) => count > 50)).to.deep.equal([true, true, true]);
  });

  it("holds sums to the rounding of their addition, groups included", () => {
    for (const seed of range(29_000, 300)) {
      const problem = randomProblem(seeded(seed), { venues: 4 });
      const answer = allocate(problem);
      const amounts = problem.venues.map(({ id }) => answer.allocation[id] ?? Number.NaN);
      expect(violation(problem, amounts) / problem.total, `seed ${seed}`).to.be.at.most(1e-12);
    }
  });

  it("gives the same answer for the same problem, whatever was solved before", () => {
    const problems = range(30_000, 20).map((seed) =>
      randomProblem(seeded(seed), { venues: 6, gas: true, groups: true }),
    );
    const first = problems.map((problem) => JSON.stringify(allocate(problem)));
    const again = [...problems].reverse().map((problem) => JSON.stringify(allocate(structuredClone(problem))));
    expect(again.reverse()).to.deep.equal(first);
  });

  it("does not touch the problem", () => {
    const freeze = <T>(value: T): T => {
      if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
      return value;
    };
    const problem = freeze(randomProblem(seeded(7), { venues: 5, gas: true, groups: true })) as AllocationProblem;
    expect(() => allocate(problem)).not.to.throw();
  });
});
