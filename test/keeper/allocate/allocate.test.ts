import { expect } from "chai";
import { allocate } from "../../../keeper/allocate/allocate";
import type { AllocationProblem, AllocationVenue } from "../../../keeper/allocate/problem";
import { InputFailure } from "../../../keeper/config/failure";
import {
  income,
  marginalIncome,
  type AaveModel,
  type KinkedSupplyModel,
  type RateModel,
} from "../../../keeper/venues/rateModel";
import { bruteForce, objective } from "./oracle";
import { randomProblem, seeded } from "../../../scripts/bench/randomProblems";

const YEAR = 8760;

function venue(id: string, model: RateModel, rest: Partial<AllocationVenue> = {}): AllocationVenue {
  return { id, current: 0, cap: Number.POSITIVE_INFINITY, costBps: 0, expectedLossApr: 0, model, ...rest };
}

function problem(total: number, venues: AllocationVenue[], rest: Partial<AllocationProblem> = {}): AllocationProblem {
  return { total, horizonHours: YEAR, gasUsdPerMove: 0, minIdle: 0, groups: [], venues, ...rest };
}

function comet(supplied: number, borrowed: number, rest: Partial<KinkedSupplyModel> = {}): KinkedSupplyModel {
  const curve = { base: 0, slopeLow: 0.06, slopeHigh: 2, kink: 0.9 };
  return { kind: "kinked-supply", supplied, borrowed, ...curve, ...rest };
}

const savings = (apr: number): RateModel => ({ kind: "fixed", apr });

function failureOf(act: () => unknown): InputFailure {
  try {
    act();
  } catch (error) {
    if (error instanceof InputFailure) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("allocate", () => {
  describe("cases solved by hand", () => {
    it("splits over two pools below their kinks so that the marginal incomes meet", () => {
      // d/dx x·b·D/(S+x) = b·D·S/(S+x)², so (S₁+x₁)/(S₂+x₂) = √(D₁S₁)/√(D₂S₂) at equal slopes.
      const [S1, D1, S2, D2, total] = [4e6, 3e6, 1e6, 7e5, 2e6];
      const ratio = Math.sqrt(D1 * S1) / Math.sqrt(D2 * S2);
      const second = (total + S1 - ratio * S2) / (1 + ratio);
      const answer = allocate(problem(total, [venue("one", comet(S1, D1)), venue("two", comet(S2, D2))]));
      expect(answer.allocation["two"]).to.be.closeTo(second, 1e-6);
      expect(answer.allocation["one"]).to.be.closeTo(total - second, 1e-6);
      expect(answer.idle).to.be.closeTo(0, 1e-6);
      expect(answer.exact).to.equal(true);
    });

    it("fills a pool until its marginal income is down to the savings rate", () => {
      // 0.06·D·S/(S+x)² = 0.02.
      const x = Math.sqrt((0.06 * 8e5 * 1e6) / 0.02) - 1e6;
      const answer = allocate(problem(2e6, [venue("pool", comet(1e6, 8e5)), venue("savings", savings(0.02))]));
      expect(answer.allocation["pool"]).to.be.closeTo(x, 1e-6);
      expect(answer.incomePerYear).to.be.closeTo(x * 0.06 * (8e5 / (1e6 + x)) + (2e6 - x) * 0.02, 1e-6);
    });

    it("stops at the global optimum of a pool above its kink, where a local search from equal weights does not", () => {
      const trap = problem(2e5, [venue("pool", comet(1e6, 9.5e5)), venue("savings", savings(0.05))]);
      // Above the kink income' = base + slopeLow·k − slopeHigh·k + slopeHigh·D·S/(S+x)².
      const x = Math.sqrt((2 * 9.5e5 * 1e6) / (0.05 - (0.06 - 2) * 0.9)) - 1e6;
      const answer = allocate(trap);
      expect(answer.allocation["pool"]).to.be.closeTo(x, 1e-6);
      let climbed = 1e5;
      for (const uphill = marginalIncome(comet(1e6, 9.5e5), climbed) > 0.05 ? 1 : -1; ; climbed += uphill) {
        if ((marginalIncome(comet(1e6, 9.5e5), climbed) - 0.05) * uphill <= 0) break;
      }
      const best = objective(trap, [x, 2e5 - x]);
      expect(best).to.be.greaterThan(objective(trap, [climbed, 2e5 - climbed]) * 1.1);
      expect(best).to.be.at.least(bruteForce(trap).value - 1e-9);
    });

    it("crosses the kink when there is no better use for the money", () => {
      const answer = allocate(problem(2e5, [venue("pool", comet(1e6, 9.5e5)), venue("savings", savings(0.02))]));
      const small = Math.sqrt((2 * 9.5e5 * 1e6) / (0.02 + 1.746)) - 1e6;
      expect(answer.allocation["pool"]).to.be.closeTo(2e5, 1e-6);
      expect(income(comet(1e6, 9.5e5), 2e5)).to.be.greaterThan(income(comet(1e6, 9.5e5), small) + (2e5 - small) * 0.02);
    });

    it("leaves idle what no venue takes: rates below the expected loss, and nothing at all", () => {
      const risky = venue("risky", savings(0.03), { expectedLossApr: 0.031 });
      expect(allocate(problem(1000, [risky])).idle).to.equal(1000);
      expect(allocate(problem(1000, []))).to.deep.include({ allocation: {}, idle: 1000, moves: [], exact: true });
    });

    it("follows Aave's far convex stretch, more than twice the rest of the pool", () => {
      // Income is a·D·x/z + b·D²·x/z²; with no base rate it peaks at x = S and falls towards 0.
      const aave: AaveModel = {
        kind: "aave",
        supplied: 1000,
        borrowed: 800,
        base: 0,
        slope1: 0.1,
        slope2: 1,
        kink: 0.9,
        reserveFactor: 0,
      };
      expect(allocate(problem(1e6, [venue("pool", aave)])).allocation["pool"]).to.be.closeTo(1000, 1e-6);
      expect(allocate(problem(1e6, [venue("pool", aave, { floor: 5e5 })])).allocation["pool"]).to.equal(5e5);
    });
  });

  describe("pools of traders", () => {
    const traded = (pool: number, fees: number, apr = 0): RateModel => ({ kind: "liquidity", pool, fees, apr });

    it("are filled until what one more unit earns is down to the savings rate, which our share of the fees makes less", () => {
      // d/dx x·F/(S+x) = F·S/(S+x)², here 0.02.
      const x = Math.sqrt((5e4 * 1e6) / 0.02) - 1e6;
      const answer = allocate(problem(2e6, [venue("pool", traded(1e6, 5e4)), venue("savings", savings(0.02))]));
      expect(answer.allocation["pool"]).to.be.closeTo(x, 1e-6);
      expect(answer.incomePerYear).to.be.closeTo((x * 5e4) / (1e6 + x) + (2e6 - x) * 0.02, 1e-6);
    });

    it("are not entered where arbitrage takes more than the fees", () => {
      const answer = allocate(problem(1e6, [venue("pool", traded(1e6, 5e4, -0.06))]));
      expect(answer).to.deep.include({ moves: [], idle: 1e6 });
    });

    it("nor while nobody else provides, whatever the fees are said to be", () => {
      expect(allocate(problem(1e6, [venue("pool", traded(0, 1e5))])).moves).to.deep.equal([]);
    });

    it("are entered as far as a larger move does not cost more than it earns", () => {
      // Income 0.04·x over a year; the move costs 5 bp and 2 bp a million: 0.04 = 0.0005 + 2·0.0002·x/1e6.
      const costly = { costBps: 5, impactBpsPerMillion: 2 };
      const x = ((0.04 - 0.0005) / (2 * 0.0002)) * 1e6;
      const answer = allocate(problem(1e9, [venue("pool", savings(0.04), costly)]));
      expect(answer.allocation["pool"]).to.be.closeTo(x, 1e-3);
      expect(answer.costUsd).to.be.closeTo(x * 0.0005 + ((x * x) / 1e6) * 0.0002, 1e-3);
      expect(answer.gainOverHorizon).to.be.closeTo(0.04 * x - answer.costUsd, 1e-3);
    });

    it("are left by the same rule", () => {
      // 6 % elsewhere: leaving gains 0.02 a unit, less the cost that grows.
      const held = { current: 1e8, impactBpsPerMillion: 2 };
      const away = problem(1e8, [venue("pool", savings(0.04), held), venue("better", savings(0.06))]);
      expect(allocate(away).allocation["pool"]).to.be.closeTo(1e8 - (0.02 / (2 * 0.0002)) * 1e6, 1e-3);
    });

    it("share a cost that grows with fees that shrink", () => {
      const pool = venue("pool", traded(1e7, 6e5), { costBps: 1, impactBpsPerMillion: 5 });
      const answer = allocate(problem(1e8, [pool]));
      const x = answer.allocation["pool"] ?? Number.NaN;
      expect((6e5 * 1e7) / (1e7 + x) ** 2).to.be.closeTo(0.0001 + (2 * 0.0005 * x) / 1e6, 1e-12);
    });
  });

  describe("costs", () => {
    const between = (bps: number, gas: number, gap: number): AllocationProblem =>
      problem(
        1e6,
        [
          venue("here", savings(0.04), { current: 1e6, costBps: bps }),
          venue("there", savings(0.04 + gap), { costBps: bps }),
        ],
        {
          horizonHours: 168,
          gasUsdPerMove: gas,
        },
      );
    const years = 168 / YEAR;

    it("keeps still inside the no-trade band of proportional costs, and moves all outside", () => {
      const band = (2 * 3e-4) / years;
      expect(allocate(between(3, 0, band * 0.999)).moves).to.deep.equal([]);
      expect(allocate(between(3, 0, band * 1.001)).moves).to.deep.equal([
        { id: "here", from: 1e6, to: 0 },
        { id: "there", from: 0, to: 1e6 },
      ]);
    });

    it("pays gas for each venue that changes, and only when the gain is larger", () => {
      const even = 20 / (1e6 * years);
      expect(allocate(between(0, 10, even * 0.999))).to.deep.include({ moves: [], costUsd: 0, gainOverHorizon: 0 });
      const answer = allocate(between(0, 10, even * 1.5));
      expect(answer.costUsd).to.equal(20);
      expect(answer.gainOverHorizon).to.be.closeTo(10, 1e-6);
    });

    it("moves one venue rather than two when the second is not worth its gas", () => {
      const venues = [venue("a", comet(1e9, 5e8)), venue("b", comet(1e9, 5e8))];
      const answer = allocate(problem(1e6, venues, { gasUsdPerMove: 100 }));
      expect(answer.moves).to.have.length(1);
      expect(allocate(problem(1e6, venues)).moves).to.have.length(2);
    });

    it("calls nothing below a millionth of a dollar a move", () => {
      const pool = comet(1e6, 8e5);
      const best =
        allocate(problem(2e5, [venue("pool", pool), venue("savings", savings(0.04))])).allocation["pool"] ?? 0;
      const start = [
        venue("pool", pool, { current: best + 4e-7 }),
        venue("savings", savings(0.04), { current: 2e5 - best - 4e-7 }),
      ];
      const answer = allocate(problem(2e5, start));
      expect(answer.moves).to.deep.equal([]);
      expect(answer.costUsd).to.equal(0);
      expect(answer.allocation["pool"]).to.equal(best + 4e-7);
    });

    it("does not pay to settle a sum that is off by rounding only", () => {
      const held = [0.1, 0.2].map((current, i) => venue(`v${i}`, savings(0), { current }));
      expect(allocate(problem(0.3, held, { gasUsdPerMove: 5 })).moves).to.deep.equal([]);
    });
  });

  describe("limits", () => {
    it("brings a start that breaks limits back inside them at the least cost", () => {
      const venues = [
        venue("a", savings(0.05), { current: 800, cap: 500 }),
        venue("b", savings(0.04), { current: 200, cap: 300 }),
      ];
      const answer = allocate(problem(1000, venues, { minIdle: 250, gasUsdPerMove: 3 }));
      expect(answer.allocation).to.deep.equal({ a: 500, b: 200 });
      expect(answer.idle).to.equal(300);
      expect(answer.gainOverHorizon).to.be.closeTo(-300 * 0.05 - 3, 1e-9);
    });

    it("shares overlapping group caps out to the best use", () => {
      const venues = [venue("a", savings(0.05)), venue("b", savings(0.04)), venue("c", savings(0.03))];
      const groups = [
        { ids: ["a", "b"], cap: 600 },
        { ids: ["a", "c"], cap: 500 },
      ];
      // a + b ≤ 600 and a + c ≤ 500: a unit of a costs one of b and one of c, 0.05 < 0.04 + 0.03.
      const answer = allocate(problem(2000, venues, { groups }));
      expect(answer.allocation["a"]).to.be.closeTo(0, 1e-9);
      expect(answer.allocation["b"]).to.be.closeTo(600, 1e-9);
      expect(answer.allocation["c"]).to.be.closeTo(500, 1e-9);
      expect(answer.exact).to.equal(true);
    });

    it("leaves in a pool what its borrowers hold of our money", () => {
      const model = comet(1e6, 1.2e6, { slopeHigh: 0, slopeLow: 0 });
      const answer = allocate(problem(1e6, [venue("pool", model, { current: 5e5 }), venue("savings", savings(0.01))]));
      expect(answer.allocation["pool"]).to.be.closeTo(2e5, 1e-6);
    });

    it("never asks for money in a pool that we do not fund, whatever its borrowers owe", () => {
      const model = comet(1e6, 1.2e6, { slopeHigh: 0, slopeLow: 0 });
      expect(
        allocate(problem(1e6, [venue("pool", model), venue("savings", savings(0.01))])).allocation["pool"],
      ).to.equal(0);
    });

    it("survives empty and unborrowed pools", () => {
      const empty: RateModel[] = [
        comet(0, 0),
        comet(1e6, 0),
        { kind: "aave", supplied: 0, borrowed: 0, base: 0.01, slope1: 0.05, slope2: 1, kink: 0.9, reserveFactor: 0.1 },
      ];
      const answer = allocate(
        problem(
          1000,
          empty.map((model, i) => venue(`v${i}`, model)),
          { gasUsdPerMove: 1 },
        ),
      );
      expect(answer).to.deep.include({ idle: 1000, incomePerYear: 0, moves: [] });
    });

    const contradictions: readonly [string, AllocationProblem, string, RegExp][] = [
      [
        "a floor above the cap",
        problem(1000, [venue("a", savings(0.1), { floor: 500, cap: 400 })]),
        "venues[0].cap",
        /below the floor of 500.*lower the floor/,
      ],
      [
        "a cap below what borrowers hold",
        problem(1000, [venue("a", comet(100, 600), { current: 700, cap: 400 })]),
        "venues[0].cap",
        /borrowers hold the rest.*Raise the cap to 500/,
      ],
      [
        "more held than there is",
        problem(1000, [venue("a", savings(0.1), { current: 1001 })]),
        "total",
        /hold 1001 now/,
      ],
      ["more minimum idle than there is", problem(1000, [], { minIdle: 1001 }), "minIdle", /Lower minIdle/],
      [
        "floors that leave too little idle",
        problem(1000, [venue("a", savings(0.1), { floor: 600 })], { minIdle: 500 }),
        "minIdle",
        /Lower minIdle to 400/,
      ],
      [
        "floors above a group's cap",
        problem(1000, [venue("a", savings(0.1), { floor: 600 })], { groups: [{ ids: ["a"], cap: 500 }] }),
        "groups[0].cap",
        /Raise the cap to 600/,
      ],
      [
        "a group of an unknown venue",
        problem(1000, [], { groups: [{ ids: ["b"], cap: 500 }] }),
        "groups[0].ids[0]",
        /no venue is called "b"/,
      ],
      [
        "a venue twice in a group",
        problem(1000, [venue("a", savings(0.1))], { groups: [{ ids: ["a", "a"], cap: 5 }] }),
        "groups[0].ids[1]",
        /twice/,
      ],
      [
        "two venues of one id",
        problem(1000, [venue("a", savings(0.1)), venue("a", savings(0.1))]),
        "venues[1].id",
        /venues\[0\] too/,
      ],
      ["a NaN", problem(1000, [venue("a", savings(0.1), { cap: Number.NaN })]), "venues[0].cap", /NaN/],
      [
        "a cost that grows with the move at a lender",
        problem(1000, [venue("a", comet(100, 60), { impactBpsPerMillion: 1 })]),
        "venues[0].impactBpsPerMillion",
        /use the model fixed or liquidity/,
      ],
      [
        "fees below nothing",
        problem(1000, [venue("a", { kind: "liquidity", pool: 1, fees: -1, apr: 0 })]),
        "venues[0].model.fees",
        /-1/,
      ],
      [
        "an infinite debt",
        problem(1000, [venue("a", comet(1, Number.POSITIVE_INFINITY))]),
        "venues[0].model.borrowed",
        /Infinity/,
      ],
    ];
    for (const [what, bad, field, line] of contradictions) {
      it(`refuses ${what}`, () => {
        const failure = failureOf(() => allocate(bad));
        expect(failure.field).to.equal(field);
        expect(failure.line()).to.match(line);
      });
    }
  });

  it("satisfies the optimality conditions where nothing but caps and the total bind", () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = randomProblem(seeded(seed), { venues: 6, gas: false, groups: false });
      const plain = { ...random, venues: random.venues.map((one) => ({ ...one, costBps: 0, floor: 0 })) };
      const answer = allocate(plain);
      const step = 1e-7 * plain.total;
      const gains = plain.venues.map(({ id, model, cap, expectedLossApr }) => {
        const x = answer.allocation[id] ?? Number.NaN;
        const right = x < cap - step ? marginalIncome(model, x) - expectedLossApr : Number.NEGATIVE_INFINITY;
        const left =
          x > step && !lentOut(model, x)
            ? (income(model, x) - income(model, x - step)) / step - expectedLossApr
            : Number.POSITIVE_INFINITY;
        return { left, right };
      });
      const dearest = Math.max(0, ...gains.map(({ right }) => right));
      const cheapest = Math.min(...gains.map(({ left }) => left));
      if (answer.idle > plain.minIdle + step)
        expect(Math.max(...gains.map(({ right }) => right)), `seed ${seed}`).to.be.at.most(1e-6);
      expect(dearest - cheapest, `seed ${seed}`).to.be.at.most(1e-4 * Math.max(1, Math.abs(dearest)));
    }
  });
});

function lentOut(model: RateModel, x: number): boolean {
  return "borrowed" in model && x <= model.borrowed - model.supplied + 1e-6 * (model.borrowed + 1);
}
