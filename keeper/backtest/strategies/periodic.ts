// Strategies that look now and then, score each venue by what is known of it, and spread the money over the best by a rule.
// Between two looks, and while the money is near enough where the rule wants it, they leave everything alone.
import type { RateSeries } from "../series";
import type { Situation, Strategy } from "../strategy";

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

/** How much of the money a venue is to get beside others; not above zero: none. */
type Rule = (past: Past) => number;

const RULES = {
  /** The same for each. */
  "equal-weight": { rank: () => 1, weight: () => 1, ofAll: true },
  /** The best mean rates of the window. */
  "best-history": { rank: ({ mean }) => mean, weight: () => 1, ofAll: false },
  "highest-tvl": { rank: ({ supplied }) => supplied, weight: () => 1, ofAll: false },
  /**
   * Yield over (1 + risk), risk being how far the rate swings for its size and how often the exit was near shut: a stand-in
   * until scorecards are served.
   */
  "risk-adjusted": { rank: riskAdjusted, weight: riskAdjusted, ofAll: false },
} as const satisfies Record<string, { rank: Rule; weight: Rule; ofAll: boolean }>;

export type PeriodicName = keyof typeof RULES;

export const PERIODIC_NAMES = Object.keys(RULES) as PeriodicName[];

function riskAdjusted({ mean, deviation, illiquid }: Past): number {
  return mean > 0 ? mean / (1 + deviation / mean + illiquid) : 0;
}

export function periodic(name: PeriodicName, settings: PeriodicSettings = PERIODIC): Strategy {
  const { rank, weight, ofAll } = RULES[name];
  return {
    name,
    start(knowledge) {
      const { grid, series, rows } = knowledge;
      const every = Math.max(1, Math.round((settings.reviewHours * 3600) / grid.stepSeconds));
      const top = ofAll ? series.length : settings.top;
      return {
        decide(now, wanted) {
          if (now.step % every !== 0 && !now.first) return false;
          if (rows.some((known) => known[now.step] === 0)) return false;
          const pasts = series.map((one, v) =>
            pastOf(one, (rows[v] as Int32Array)[now.step] as number, now.knownAt, settings.windowHours * 3600),
          );
          const chosen = pasts
            .map((past, v) => ({ v, rank: rank(past), weight: Math.max(0, weight(past)) }))
            .sort((a, b) => b.rank - a.rank || a.v - b.v)
            .slice(0, top);
          const sum = chosen.reduce((total, one) => total + one.weight, 0);
          if (!(sum > 0)) return false;
          wanted.fill(0);
          for (const one of chosen) wanted[one.v] = (now.total * one.weight) / sum;
          return now.first || isWorthIt(now, wanted, settings);
        },
      };
    },
  };
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
