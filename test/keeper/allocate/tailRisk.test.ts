import { expect } from "chai";
import { allocate } from "../../../keeper/allocate/allocate";
import type { AllocationProblem, TailRisk } from "../../../keeper/allocate/problem";
import { parseProblem } from "../../../keeper/allocate/problemFile";
import { InputFailure } from "../../../keeper/config/failure";
import { randomProblem, seeded, type ProblemShape, type Random } from "../../../scripts/bench/randomProblems";
import { bruteForce, objective, violation } from "./oracle";

/** Written from the definition: losses in order, the worst 1 − confidence of probability, its mean. */
function tailLoss({ tail, horizonHours, venues }: AllocationProblem, amounts: readonly number[]): number {
  if (tail === undefined) return 0;
  const years = horizonHours / 8760;
  const events = tail.scenarios.map(({ probability, losses }) => ({
    p: 1 - Math.pow(1 - probability, years),
    loss: venues.reduce((sum, { id }, i) => sum + (losses[id] ?? 0) * (amounts[i] as number), 0),
  }));
  events.sort((a, b) => b.loss - a.loss);
  let left = 1 - tail.confidence;
  let mean = 0;
  for (const { p, loss } of events) {
    mean += (Math.min(p, left) * loss) / (1 - tail.confidence);
    left = Math.max(0, left - p);
  }
  return mean;
}

function value(problem: AllocationProblem, amounts: readonly number[]): number {
  return objective(problem, amounts) - (problem.tail?.kappa ?? 0) * tailLoss(problem, amounts);
}

function amountsOf(problem: AllocationProblem, allocation: Readonly<Record<string, number>>): number[] {
  return problem.venues.map(({ id }) => allocation[id] ?? Number.NaN);
}

function randomTail(random: Random, { venues }: AllocationProblem): TailRisk {
  const scenarios = Array.from({ length: 1 + Math.floor(random() * 5) }, () => ({
    probability: random() * 0.15,
    losses: Object.fromEntries(venues.filter(() => random() < 0.5).map(({ id }) => [id, random()])),
  }));
  return { kappa: 10 ** (random() * 3 - 1.5), confidence: random() < 0.5 ? 0.95 : 0.5, scenarios };
}

function withTail(seed: number, shape: ProblemShape): AllocationProblem {
  const random = seeded(seed);
  const problem = randomProblem(random, shape);
  return { ...problem, tail: randomTail(random, problem) };
}

/** Random steps, shrinking, from staying, from the best without a tail and from parts of it: knows no structure. */
function search(problem: AllocationProblem, random: Random): number {
  const stay = problem.venues.map(({ current }) => current);
  const plain = bruteForce(problem).amounts;
  const feasible = (amounts: readonly number[]): boolean => violation(problem, amounts) <= 1e-12 * problem.total;
  let best = Number.NEGATIVE_INFINITY;
  for (let start = 0; start < 8; start++) {
    let here: readonly number[] = start === 0 ? stay : start === 1 ? plain : plain.map((x) => random() * x);
    let at = feasible(here) ? value(problem, here) : Number.NEGATIVE_INFINITY;
    for (let step = problem.total / 3; step > 1e-8 * problem.total;) {
      let better = false;
      for (let tries = 0; tries < 30; tries++) {
        const next = here.map((x, i) => {
          if (random() < 0.4) return x;
          return random() < 0.1 ? (stay[i] as number) : Math.max(0, x + (random() - 0.5) * 2 * step);
        });
        if (!feasible(next)) continue;
        const found = value(problem, next);
        if (found > at) [here, at, better] = [next, found, true];
      }
      if (!better) step /= 2;
    }
    best = Math.max(best, at);
  }
  return best;
}

describe("the allocator with a tail", function () {
  this.timeout(180_000);

  it("is worth what it says, within its limits, and nothing is found above its bound", () => {
    const odd: unknown[] = [];
    for (let seed = 0; seed < 250; seed++) {
      const random = seeded(90_000 + seed);
      const problem = withTail(seed, { venues: 1 + (seed % 4), gas: seed % 3 === 0 });
      const answer = allocate(problem);
      const amounts = amountsOf(problem, answer.allocation);
      const mine = value(problem, amounts);
      const staying = value(
        problem,
        problem.venues.map(({ current }) => current),
      );
      const found = search(problem, random);
      const scale = Math.max(1e-9 * problem.total, Math.abs(mine), Math.abs(found), Math.abs(staying));
      const above = (found - mine - answer.gap) / scale;
      const misreported = Math.abs(answer.gainOverHorizon - (mine - staying)) / scale;
      const tail = Math.abs((answer.tailLossUsd ?? Number.NaN) - tailLoss(problem, amounts)) / scale;
      const broken = violation(problem, amounts) / problem.total;
      if (!(above <= 1e-7 && misreported <= 1e-9 && tail <= 1e-9 && broken <= 1e-9)) {
        odd.push({ seed, above, misreported, tail, broken, gap: answer.gap, mine, found });
      }
    }
    expect(odd).to.deep.equal([]);
  });

  it("is exact in most problems of eight and twelve venues, with gas and groups", () => {
    const answers = Array.from({ length: 100 }, (_, seed) =>
      allocate(withTail(seed, { venues: seed % 2 === 0 ? 8 : 12, gas: seed % 4 < 2 })),
    );
    expect(answers.filter(({ exact }) => exact).length).to.be.at.least(95);
  });

  const depeg = { probability: 0.1, losses: { a: 1, b: 1 } };
  const base = (kappa: number, scenarios: TailRisk["scenarios"] = [depeg]): string =>
    JSON.stringify({
      ...{ total: 100, horizonHours: 8760, gasUsdPerMove: 0 },
      venues: ["a", "b", "c"].map((id, i) => ({ id, cap: 60, model: { kind: "fixed", apr: 0.06 - 0.01 * i } })),
      tail: { kappa, confidence: 0.9, scenarios },
    });

  it("spreads over what is not hit at once, once the dislike of the loss is more than the rates differ by", () => {
    const without = allocate(parseProblem(base(0), "text"));
    expect(without.allocation).to.deep.equal({ a: 60, b: 40, c: 0 });
    // All of the tail is the depeg: what is held there is lost.
    expect(without.tailLossUsd).to.be.closeTo(100, 1e-9);
    expect(allocate(parseProblem(base(0.009), "text")).allocation).to.deep.equal({ a: 60, b: 40, c: 0 });
    expect(allocate(parseProblem(base(0.011), "text")).allocation).to.deep.equal({ a: 60, b: 0, c: 40 });
    expect(allocate(parseProblem(base(0.021), "text")).allocation).to.deep.equal({ a: 40, b: 0, c: 60 });
    const afraid = allocate(parseProblem(base(1), "text"));
    expect(afraid.allocation).to.deep.equal({ a: 0, b: 0, c: 60 });
    expect([afraid.tailLossUsd, afraid.idle, afraid.exact]).to.deep.equal([0, 40, true]);
  });

  const wrong: readonly [string, string, string][] = [
    ["a kappa below 0", base(-1), "tail.kappa"],
    ["a probability above 1", base(1, [{ ...depeg, probability: 1.5 }]), "tail.scenarios[0].probability"],
    ["a loss of more than there is", base(1, [{ ...depeg, losses: { a: 2 } }]), "tail.scenarios[0].losses.a"],
    ["a confidence of 1", base(1).replace("0.9", "1"), "tail.confidence"],
    ["a venue that is not there", base(1, [{ ...depeg, losses: { d: 0.1 } }]), "tail.scenarios[0].losses"],
    [
      "more than everything happening",
      base(
        1,
        Array.from({ length: 11 }, () => depeg),
      ),
      "tail.scenarios",
    ],
    ["a field it does not know", base(1).replace('"kappa":1', '"kappa":1,"kapa":1'), "tail.kapa"],
  ];
  for (const [what, text, field] of wrong) {
    it(`refuses ${what}, naming the field`, () => {
      expect(() => allocate(parseProblem(text, "text")))
        .to.throw(InputFailure)
        .with.property("field", field);
    });
  }
});
