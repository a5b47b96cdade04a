import { expect } from "chai";
import { assertBelow, CeilingError, ceilingOf, spreadAnew } from "../../../keeper/backtest/ceiling";
import { constantGas } from "../../../keeper/backtest/gasPrices";
import { bestSwitching, following } from "../../../keeper/backtest/hindsight";
import type { Market, MarketOptions } from "../../../keeper/backtest/market";
import { runBacktest, type RunOptions } from "../../../keeper/backtest/run";
import { foresight } from "../../../keeper/backtest/strategies/foresight";
import { hold } from "../../../keeper/backtest/strategies/hold";
import type { MarketTruth } from "../../../keeper/backtest/truth";
import { seeded } from "../../../scripts/bench/randomProblems";
import { FROM, market, restless, seriesOf, wave } from "./synthetic";

const CAPITAL = 1e5;

/** Rates that jump about by the hour: switching would pay often. */
function wild(seed: number, supplied = 1e9, venues = 3): ReturnType<typeof seriesOf>[] {
  const random = seeded(seed);
  const table = Array.from({ length: venues }, () => Float64Array.from({ length: 2_000 }, () => 4 * random() ** 3));
  return table.map((rates, v) =>
    seriesOf(`aave-${v}`, {
      apr: (hour) => rates[hour] as number,
      supplied: () => supplied * (1 + v),
      borrowed: (hour) => supplied * (1 + v) * (0.7 + 0.2 * Math.sin(hour / 9 + v)),
    }),
  );
}

function over(hours: number): Partial<MarketOptions> {
  return { to: FROM + hours * 3600 };
}

/** Every way of being in one place (a venue, or cash) in each step. */
function bruteForce({ truth, grid, gasUsd }: Market, costBps: number, diluted: boolean): number {
  const half = costBps / 2e4;
  const walk = (step: number, place: number, held: number): number => {
    if (step === grid.steps) return held;
    let best = 0;
    for (let to = 0; to <= truth.length; to += 1) {
      let moved = held;
      if (to !== place && step > 0) {
        if (place < truth.length) moved *= 1 - half;
        moved -= gasUsd[step] as number;
        if (to < truth.length) moved /= 1 + half;
      }
      if (moved <= 0) continue;
      const one = truth[to];
      const growth = one === undefined ? 0 : diluted ? one.growthOf(step, moved) : (one.growth[step] as number);
      best = Math.max(best, walk(step + 1, to, moved * (1 + growth)));
    }
    return best;
  };
  return Math.max(...Array.from({ length: truth.length + 1 }, (_, place) => walk(0, place, CAPITAL)));
}

describe("the best switching in hindsight", () => {
  for (const [costBps, gas, diluted] of [
    [0, 0, false],
    [0, 15, false],
    [2, 3, false],
    [1, 10, true],
  ] as const) {
    it(`is the best of all paths, with ${gas} USD and ${costBps} bps a move${diluted ? ", diluted" : ""}`, () => {
      for (let seed = 0; seed < 6; seed += 1) {
        const small = market(wild(seed, 1e6), { ...over(7), gas: constantGas(gas), priceTaker: !diluted });
        const { final } = bestSwitching(small, { capital: CAPITAL, costBps, diluted });
        expect(final).to.be.closeTo(bruteForce(small, costBps, diluted), 1e-6);
      }
    });
  }

  it("is what its path earns by the rules of every strategy", () => {
    for (const priceTaker of [true, false]) {
      const one = market(wild(3, 1e7), { ...over(300), gas: constantGas(4), priceTaker });
      const options = { capital: CAPITAL, costBps: 1 };
      const best = bestSwitching(one, { ...options, diluted: !priceTaker });
      const run = runBacktest(one, following("switching", best), options);
      expect(new Set(best.path).size).to.be.greaterThan(1);
      expect(run.trades.length).to.be.greaterThan(5);
      // A change at the very first step would have had to be decided before anything was.
      if (best.path[0] !== best.path[1]) throw new Error("choose another seed");
      expect(run.equity.at(-1)).to.be.closeTo(best.final, 1e-6);
    }
  });

  it("is passed by no splitting of the money, at any cost", () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const [costBps, gas] = [[0, 5, 30][seed % 3] as number, [0, 2, 400][(seed >> 1) % 3] as number];
      const one = market(wild(seed), { ...over(120), gas: constantGas(gas) });
      const { final } = bestSwitching(one, { capital: CAPITAL, costBps, diluted: false });
      const run = runBacktest(one, restless(seed, 3), { capital: CAPITAL, costBps });
      expect(run.equity.at(-1)).to.be.at.most(final * (1 + 1e-12));
    }
  });
});

describe("the ceiling", () => {
  const options: RunOptions = { capital: CAPITAL, costBps: 0 };

  it("of a price taker is exact and reached", () => {
    const one = market(wild(1), { ...over(100), gas: constantGas(15) });
    const ceiling = ceilingOf(one, options, []);
    expect(ceiling).to.include({ exact: true, feasibleUsd: ceiling.finalUsd });
  });

  it("where deposits dilute stands above every plan, hindsight included, and is said not to be exact", () => {
    for (let seed = 0; seed < 8; seed += 1) {
      const one = market(wild(seed, 1e6 * 4 ** (seed % 4)), {
        ...over(200),
        ...{ gas: constantGas(seed), priceTaker: false },
      });
      const runs = [...Array(10).keys()].map((k) => runBacktest(one, restless(100 * seed + k, 3), options));
      const ceiling = ceilingOf(one, options, runs);
      expect(ceiling.exact).to.equal(false);
      const plan = runBacktest(one, foresight(one), options);
      for (const run of [...runs, plan]) assertBelow(run, ceiling);
      expect(ceiling.feasibleUsd).to.be.within(plan.equity.at(-1) as number, ceiling.finalUsd);
    }
  });

  it("where deposits dilute is never above that of a price taker", () => {
    for (const supplied of [1e6, 1e7, 1e9]) {
      const [diluted, taker] = [false, true].map((priceTaker) =>
        ceilingOf(market(wild(2, supplied), { ...over(200), gas: constantGas(5), priceTaker }), options, []),
      );
      expect(diluted?.finalUsd).to.be.at.most((taker?.finalUsd ?? 0) * (1 + 1e-12));
    }
  });

  it("of one diluting market is what holding it earns", () => {
    const one = market([seriesOf("aave-a", { apr: wave(0.05, 0.02, 60), supplied: () => 1e6, borrowed: () => 8e5 })], {
      priceTaker: false,
    });
    const held = runBacktest(one, hold("aave-a", 0), options).equity.at(-1) as number;
    expect(spreadAnew(one, CAPITAL)).to.be.closeTo(held, 1e-6);
  });

  it("spreads the money of each step as no other spread earns more", () => {
    const one = market(wild(4, 2e5), { ...over(40), priceTaker: false });
    const random = seeded(9);
    for (let step = 0; step < 40; step += 3) {
      const single: Market = {
        ...one,
        grid: { ...one.grid, steps: 1 },
        truth: one.truth.map((venue) => venueAt(venue, step)),
      };
      const best = spreadAnew(single, CAPITAL) - CAPITAL;
      let found = 0;
      for (let k = 0; k < 3_000; k += 1) {
        const shares = one.truth.map(() => -Math.log(random()));
        const sum = shares.reduce((total, share) => total + share, 0);
        const earned = one.truth.reduce((total, venue, v) => {
          const x = (CAPITAL * (shares[v] as number)) / sum;
          return total + x * venue.growthOf(step, x);
        }, 0);
        expect(earned).to.be.at.most(best * (1 + 1e-9));
        found = Math.max(found, earned);
      }
      expect(found).to.be.greaterThan(0.97 * best);
    }
  });

  it("throws for a run that ends above it", () => {
    const one = market(wild(1), over(50));
    const run = runBacktest(one, hold("aave-0", 0), options);
    const final = run.equity.at(-1) as number;
    const below = { finalUsd: final * 0.999, feasibleUsd: 0, exact: true };
    expect(() => assertBelow(run, below)).to.throw(CeilingError, /hold:aave-0 ends with/);
    assertBelow(run, { ...below, finalUsd: final });
  });
});

/** A market whose first step is another one's step. */
function venueAt(venue: MarketTruth, step: number): MarketTruth {
  return {
    growth: venue.growth.subarray(step, step + 1),
    growthOf: (_first: number, held: number) => venue.growthOf(step, held),
    modelAt: () => venue.modelAt(step),
    withdrawable: (_first: number, held: number) => venue.withdrawable(step, held),
  } as unknown as MarketTruth;
}
