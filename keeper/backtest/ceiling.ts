// What no strategy can pass. Where deposits change no rate, the best switching in hindsight: exact. Where they do, the smaller
// of two bounds: the same switching at undiluted rates (a deposit only ever lowers a rate), and all the money spread anew in
// every step so that it earns most, for nothing. Below it stands the best plan that was found with all known, so that the
// distance to the true optimum is bounded too.
import { Envelope, VenueCurve } from "../allocate/envelope";
import { waterFill } from "../allocate/waterFill";
import { isConcave } from "../venues/incomeSegments";
import { marginalIncome, type RateModel } from "../venues/rateModel";
import { bestSwitching, following } from "./hindsight";
import type { Market } from "./market";
import { runBacktest, type Run, type RunOptions } from "./run";
import { SECONDS_PER_YEAR } from "./series";
import { foresight } from "./strategies/foresight";
import type { MarketTruth } from "./truth";

export interface Ceiling {
  /** USD at the end. */
  readonly finalUsd: number;
  /** Whether a plan that knew everything would have reached it. */
  readonly exact: boolean;
  /** What such a plan did reach. */
  readonly feasibleUsd: number;
}

/** A strategy ended above what is possible: a defect of the backtest, never of its input. Nothing catches it. */
export class CeilingError extends Error {
  constructor({ strategy }: Run, final: number, ceiling: number) {
    super(`${strategy} ends with ${final} USD, more than the ${ceiling} USD that are possible`);
    this.name = new.target.name;
  }
}

/** Rounding of a product of as many factors as there are steps. */
const ROUNDING = 1e-9;

/** @throws CeilingError */
export function assertBelow(run: Run, ceiling: Ceiling): void {
  const final = run.equity.at(-1) ?? 0;
  if (!(final <= ceiling.finalUsd * (1 + ROUNDING))) throw new CeilingError(run, final, ceiling.finalUsd);
}

/** @param others Runs that were made already: feasible too. */
export function ceilingOf(market: Market, options: RunOptions, others: readonly Run[]): Ceiling {
  const { capital, costBps } = options;
  const switching = bestSwitching(market, { capital, costBps, diluted: false });
  if (market.knowledge.priceTaker) return { finalUsd: switching.final, exact: true, feasibleUsd: switching.final };
  const diluted = bestSwitching(market, { capital, costBps, diluted: true });
  const plans = [following("switching", diluted), foresight(market)];
  const tried = plans.map((plan) => runBacktest(market, plan, { capital, costBps }));
  const feasibleUsd = Math.max(...[...others, ...tried].map(({ equity }) => equity.at(-1) ?? 0));
  return { finalUsd: Math.min(switching.final, spreadAnew(market, capital)), exact: false, feasibleUsd };
}

/**
 * USD at the end if all money earned the most that it can in each step, without costs and delay. Wealth of any strategy at a
 * step is at most that of this one, and more wealth earns no less (what is too much may lie idle): so by induction it is a
 * bound throughout.
 */
export function spreadAnew({ truth, grid }: Market, capital: number): number {
  const years = grid.stepSeconds / SECONDS_PER_YEAR;
  let wealth = capital;
  let price = 0;
  for (let k = 0; k < grid.steps; k += 1) {
    let [best, second] = [-1, 0];
    for (let v = 0; v < truth.length; v += 1) {
      const growth = (truth[v] as MarketTruth).growth[k] as number;
      if (best < 0 || growth > ((truth[best] as MarketTruth).growth[k] as number)) {
        second = best < 0 ? 0 : ((truth[best] as MarketTruth).growth[k] as number);
        best = v;
      } else if (growth > second) second = growth;
    }
    const only = truth[best];
    if (only === undefined) return wealth;
    const model = only.modelAt(k);
    // The last dollar earns more in the best venue than the first one in any other: all of it goes there.
    if (isConcave(model, wealth) && marginalIncome(model, wealth) * years >= second) {
      wealth *= 1 + only.growthOf(k, wealth);
      continue;
    }
    const envelopes = truth.map((one) => envelopeOf(one.modelAt(k), wealth, years));
    const spread = waterFill(envelopes, wealth, price);
    price = spread.prices[0] ?? 0;
    wealth += spread.bound;
  }
  return wealth;
}

function envelopeOf(model: RateModel, most: number, years: number): Envelope {
  const free = { current: 0, least: 0, expectedLossApr: 0, costRate: 0, bend: 0, gasUsd: 0 };
  return new Envelope(new VenueCurve({ model, most, years, ...free }));
}
