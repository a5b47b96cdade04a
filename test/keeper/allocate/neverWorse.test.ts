import { expect } from "chai";
import { allocate } from "../../../keeper/allocate/allocate";
import type { AllocationProblem } from "../../../keeper/allocate/problem";
import { bruteForce, multiStart, objective, refine, violation } from "./oracle";
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
  const other = problem.venues.length <= 4 ? bruteForce(problem) : multiStart(problem, random, 12);
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
