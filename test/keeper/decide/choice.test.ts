import { expect } from "chai";
import { choose, cooldownLeft, isHopeless, type ChoiceTerms, type Worlds } from "../../../keeper/decide/choice";
import type { AllocationProblem } from "../../../keeper/allocate/problem";
import { impliedModel, supplyApr } from "../../../keeper/venues/rateModel";
import { randomProblem, seeded } from "../../../scripts/bench/randomProblems";

const MOVE_USD = 7;

function terms(problem: AllocationProblem, minGainUsd: number): ChoiceTerms<string> {
  return {
    minGainUsd,
    noTradeBandBps: 1,
    turnoverUsd: Infinity,
    legsOf: (target) => problem.venues.filter((v) => target.get(v.id) !== v.current).map((v) => v.id),
    costUsd: (legs) => MOVE_USD * legs.length,
  };
}

/** The problem, and the same with every rate a little other. */
function worldsOf(problem: AllocationProblem, random: () => number): Worlds {
  const venues = problem.venues.map((venue) => ({
    ...venue,
    model: impliedModel(venue.model, supplyApr(venue.model, 0) * (0.7 + 0.6 * random()), 0),
  }));
  return { today: problem, forecast: { ...problem, venues }, breaches: [] };
}

/** A million in the first of three venues that our size does not move. */
function world(aprs: readonly [number, number, number]): AllocationProblem {
  return {
    ...{ total: 1e6, horizonHours: 8760, gasUsdPerMove: 0, minIdle: 0, groups: [] },
    venues: aprs.map((apr, i) => ({
      ...{ id: `v${i}`, current: i === 0 ? 1e6 : 0, cap: 1e6, costBps: 0, expectedLossApr: 0 },
      model: { kind: "fixed", apr },
    })),
  };
}

describe("choice", () => {
  it("never calls a problem hopeless that it would move for, and calls many of those hopeless that it would not", () => {
    let [hopeless, held, moved] = [0, 0, 0];
    for (let seed = 0; seed < 600; seed += 1) {
      const random = seeded(seed);
      const problem = { ...randomProblem(random, { venues: 2 + (seed % 5) }), gasUsdPerMove: MOVE_USD };
      const minGainUsd = 10 ** (-1 + 6 * random());
      const worlds = worldsOf(problem, random);
      const asked = { ...terms(problem, minGainUsd), noTradeBandBps: 20 * random() ** 3 };
      const choice = choose(worlds, asked);
      const without = isHopeless(worlds, asked, MOVE_USD);
      const alone = isHopeless({ today: problem, forecast: problem }, asked, MOVE_USD);
      if (alone) expect(without, `seed ${seed}`).to.equal(true);
      if (choice.kind === "move") {
        moved += 1;
        expect(without, `seed ${seed}`).to.equal(false);
      } else {
        held += 1;
        if (without) hopeless += 1;
      }
    }
    expect(moved).to.be.greaterThan(60);
    expect(hopeless).to.be.greaterThan(held / 5);
  });

  it("calls nothing hopeless where moving may lower a tail that is disliked", () => {
    const plain = world([0.05, 0.05, 0.05]);
    const scenarios = [{ probability: 0.01, losses: { v0: 0.5 } }];
    const today: AllocationProblem = { ...plain, tail: { kappa: 1, confidence: 0.95, scenarios } };
    const asked = terms(today, 10);
    expect(isHopeless({ today: plain, forecast: plain }, asked, MOVE_USD)).to.equal(true);
    expect(isHopeless({ today, forecast: today }, asked, MOVE_USD)).to.equal(false);
    const choice = choose({ today, forecast: today, breaches: [] }, asked);
    if (choice.kind !== "move") throw new Error(choice.kind);
    // A loss of half with a hundredth's chance, over the worst twentieth of years.
    expect(choice.candidate.gain).to.be.closeTo((0.01 * 5e5) / 0.05 - choice.candidate.cost, 1e-3);
  });

  it("takes the candidate whose gain in the less friendly world is the greater", () => {
    // v1 is the best as forecast and worse than staying today; v2 is better than staying in both.
    const worlds: Worlds = { forecast: world([0.03, 0.09, 0.05]), today: world([0.03, 0.02, 0.04]), breaches: [] };
    const choice = choose(worlds, terms(worlds.today, 0));
    if (choice.kind !== "move") throw new Error(choice.kind);
    expect(choice.candidate.target.get("v2")).to.equal(1e6);
    expect(choice.candidate.gain).to.be.closeTo(10_000 - 2 * MOVE_USD, 1e-6);
  });

  it("goes only as far as the turnover lets it, and not at all when that is spent", () => {
    const today = world([0.01, 0.02, 0.05]);
    const worlds: Worlds = { forecast: today, today, breaches: [] };
    const part = choose(worlds, { ...terms(today, 0), turnoverUsd: 1e5 });
    if (part.kind !== "move") throw new Error(part.kind);
    expect(part.candidate.target.get("v2")).to.be.closeTo(99_900, 1e-6);
    expect(part.candidate.target.get("v0")).to.be.closeTo(900_100, 1e-6);
    expect(choose(worlds, { ...terms(today, 0), turnoverUsd: 0 }).kind).to.equal("budget-spent");
  });

  it("counts a cooldown down to its end", () => {
    expect(cooldownLeft(100, null, 60)).to.equal(0);
    expect(cooldownLeft(100, 50, 60)).to.equal(10);
    expect(cooldownLeft(110, 50, 60)).to.equal(0);
  });
});
