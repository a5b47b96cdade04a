// Strategies that look now and then, score each venue by what is known of it, and spread the money over the best by a rule.
// Between two looks, and while the money is near enough where the rule wants it, they leave everything alone.
import { meanVariance } from "../../allocate/meanVariance";
import type { AllocationVenue } from "../../allocate/problem";
import { allocateRiskAdjusted } from "../../allocate/riskAdjusted";
import { riskParity } from "../../allocate/riskParity";
import { shrunkCovariance } from "../../allocate/shrunkCovariance";
import { impliedModel } from "../../venues/rateModel";
import type { RateSeries } from "../series";
import type { Situation, Strategy } from "../strategy";

const DAY = 86_400;

export interface PeriodicSettings {
  readonly reviewHours: number;
  /** Past that scores look back on. */
  readonly windowHours: number;
  /** Venues that share the money. */
  readonly top: number;
  /** Share of the money by which a venue may be off before anything moves. */
  readonly band: number;
  /** Share of what would move that its gas may cost. */
  readonly mostGasShare: number;
}

export const PERIODIC: PeriodicSettings = {
  reviewHours: 168,
  windowHours: 720,
  top: 3,
  band: 0.05,
  mostGasShare: 0.002,
};

/** What is known of a venue's last weeks. */
export interface Past {
  /** Of the rate by time, fractions a year. */
  readonly mean: number;
  readonly deviation: number;
  /** Part of the time at which more than {@link ILLIQUID} was lent out: an exit would have waited, or nearly. */
  readonly illiquid: number;
  /** Supplied by all, USD. */
  readonly supplied: number;
}

const ILLIQUID = 0.95;

/** What a rule looks at. */
interface Look {
  /** By venue. */
  readonly pasts: readonly Past[];
  /** Of its protocol, 0 to 1: by its scorecard, or as one of which nothing is known. */
  readonly protocolRisks: readonly number[];
  /** The allocator's own answer where each venue's mean rate is divided by one plus its risk, as shares; our size counts. */
  readonly optimum: (risks: readonly number[]) => number[];
  /** Returns of each whole day of the window, oldest first, by venue; empty where too few are known. */
  readonly daily: () => readonly (readonly number[])[];
  readonly top: number;
}

/** Shares of the money by venue, of a sum of at most 1; what is missing stays cash. All zero: nothing is known to go by. */
type Rule = (look: Look) => number[];

const RULES = {
  /** The same for each. */
  "equal-weight": ({ pasts }) => pasts.map(() => 1 / pasts.length),
  /** The best mean rates of the window. */
  "best-history": ({ pasts, top }) =>
    even(
      best(
        pasts.map(({ mean }) => mean),
        top,
      ),
    ),
  "highest-tvl": ({ pasts, top }) =>
    even(
      best(
        pasts.map(({ supplied }) => supplied),
        top,
      ),
    ),
  /**
   * Yield over (1 + risk), risk being how far the rate swings for its size, how often the exit was near shut, and what the
   * protocol's scorecard lacks.
   */
  "risk-adjusted": ({ pasts, protocolRisks, top }) => {
    const worths = pasts.map((past, v) => past.mean / (1 + riskOf(past, protocolRisks[v] as number)));
    const chosen = best(worths, top);
    return inProportion(worths.map((worth, v) => (chosen[v] === true ? Math.max(0, worth) : 0)));
  },
  /** The same by the exact allocator: the split that earns most of such yields, of all splits. */
  "risk-adjusted-exact": ({ pasts, protocolRisks, optimum }) =>
    optimum(pasts.map((past, v) => riskOf(past, protocolRisks[v] as number))),
  "mean-variance": ({ daily }) => {
    const returns = daily();
    if (returns.length === 0) return [];
    return meanVariance({
      expected: returns.map((days) => days.reduce((sum, one) => sum + one, 0) / days.length),
      covariance: shrunkCovariance(returns).matrix,
      aversion: AVERSION,
      caps: returns.map(() => 1),
    });
  },
  "risk-parity": ({ daily }) => {
    const returns = daily();
    return returns.length === 0 ? [] : riskParity(shrunkCovariance(returns).matrix);
  },
} as const satisfies Record<string, Rule>;

/** A venue that pays nothing has no swing for its size: none of its yield is left, whatever it is divided by. */
function riskOf({ mean, deviation, illiquid }: Past, protocolRisk: number): number {
  return (mean > 0 ? deviation / mean : 0) + illiquid + protocolRisk;
}

/** Of daily returns: at this a rate of 5 % that swings by 5 points from day to day is worth a third of one that does not. */
const AVERSION = 10_000;
/** Days that a covariance is made of at least; before there are so many the money is spread evenly. */
const LEAST_DAYS = 10;

export type PeriodicName = keyof typeof RULES;

export const PERIODIC_NAMES = Object.keys(RULES) as PeriodicName[];

/** The `top` greatest, the first of equal ones. */
function best(ranks: readonly number[], top: number): boolean[] {
  const order = ranks.map((_rank, v) => v).sort((a, b) => (ranks[b] as number) - (ranks[a] as number) || a - b);
  const chosen = new Set(order.slice(0, top));
  return ranks.map((_rank, v) => chosen.has(v));
}

function even(chosen: readonly boolean[]): number[] {
  return inProportion(chosen.map(Number));
}

function inProportion(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => (sum > 0 ? weight / sum : 0));
}

/** @param protocolRisk Of a series at a time, 0 to 1. Default: none is known to differ. */
export function periodic(
  name: PeriodicName,
  settings: PeriodicSettings = PERIODIC,
  protocolRisk: (series: string, at: number) => number = () => 0,
): Strategy {
  const rule: Rule = RULES[name];
  const window = settings.windowHours * 3600;
  return {
    name,
    start({ grid, series, rows, priceTaker }) {
      const every = Math.max(1, Math.round((settings.reviewHours * 3600) / grid.stepSeconds));
      return {
        decide(now, wanted) {
          if (now.step % every !== 0 && !now.first) return false;
          if (rows.some((known) => known[now.step] === 0)) return false;
          const known = rows.map((count) => count[now.step] as number);
          const shares = rule({
            pasts: series.map((one, v) => pastOf(one, known[v] as number, now.knownAt, window)),
            protocolRisks: series.map((one) => protocolRisk(one.name, now.knownAt)),
            optimum: (risks) => optimumOf(series, { known, now, window, priceTaker, risks }),
            daily: () => dailyReturns(series, known, { at: now.knownAt, window }),
            top: settings.top,
          });
          const chosen = shares.length > 0 ? shares : series.map(() => 1 / series.length);
          if (!chosen.some((share) => share > 0)) return false;
          chosen.forEach((share, v) => (wanted[v] = now.total * share));
          return now.first || isWorthIt(now, wanted, settings);
        },
      };
    },
  };
}

/** Of all venues for the same whole days up to `at`; none where there are too few. */
function dailyReturns(
  series: readonly RateSeries[],
  known: readonly number[],
  { at, window }: { readonly at: number; readonly window: number },
): number[][] {
  const first = Math.max(...series.map(({ observedAt }) => observedAt[0] as number), at - window);
  const days = Math.floor((at - first) / DAY);
  if (days < LEAST_DAYS) return [];
  return series.map((one, v) =>
    Array.from({ length: days }, (_, k) => pastOf(one, known[v] as number, at - (days - 1 - k) * DAY, DAY).mean / 365),
  );
}

/** Rates are those of the window's mean at the size of now, and fall with ours as each market's last curve says. */
function optimumOf(
  series: readonly RateSeries[],
  of: {
    readonly known: readonly number[];
    readonly now: Situation;
    readonly window: number;
    readonly priceTaker: boolean;
    readonly risks: readonly number[];
  },
): number[] {
  const { known, now, window, priceTaker, risks } = of;
  const venues = series.map((one, v): AllocationVenue => {
    const count = known[v] as number;
    const { mean } = pastOf(one, count, now.knownAt, window);
    const current = now.held[v] as number;
    const model = impliedModel(one.modelOf(count - 1, priceTaker), mean, 0);
    return { id: one.name, current, cap: now.total, costBps: 0, expectedLossApr: 0, model };
  });
  const problem = { total: now.total, horizonHours: 168, gasUsdPerMove: 0, minIdle: 0, groups: [], venues };
  const { allocation } = allocateRiskAdjusted(
    problem,
    Object.fromEntries(series.map(({ name }, v) => [name, risks[v] as number])),
  );
  return series.map(({ name }) => (now.total > 0 ? (allocation[name] ?? 0) / now.total : 0));
}

function isWorthIt(now: Situation, wanted: Float64Array, { band, mostGasShare }: PeriodicSettings): boolean {
  let [out, into, moved, farthest] = [0, 0, 0, 0];
  wanted.forEach((to, v) => {
    const change = to - (now.held[v] as number);
    if (change < 0) out += 1;
    else if (change > 0) into += 1;
    moved += Math.max(0, change);
    farthest = Math.max(farthest, Math.abs(change));
  });
  return farthest > band * now.total && Math.max(out, into) * now.gasUsd <= mostGasShare * moved;
}

/** Of the first `known` rows, over the `window` seconds up to `at`; a younger series is taken from its begin on. */
export function pastOf(series: RateSeries, known: number, at: number, window: number): Past {
  const { observedAt, apr, supplied } = series;
  let [weight, sum, squares, illiquid, end] = [0, 0, 0, 0, at];
  for (let row = known - 1; row >= 0 && end > at - window; row -= 1) {
    const begin = Math.max(observedAt[row] as number, at - window);
    const held = end - begin;
    if (held <= 0) continue;
    const rate = apr[row] as number;
    weight += held;
    sum += rate * held;
    squares += rate * rate * held;
    if (series.utilisation(row) > ILLIQUID) illiquid += held;
    end = begin;
  }
  const mean = weight > 0 ? sum / weight : (apr[known - 1] as number);
  return {
    mean,
    deviation: weight > 0 ? Math.sqrt(Math.max(0, squares / weight - mean * mean)) : 0,
    illiquid: weight > 0 ? illiquid / weight : 0,
    supplied: supplied[known - 1] as number,
  };
}
