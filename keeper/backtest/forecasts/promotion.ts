// Whether a model that ran in the shadow is to be served: by what both said of the same hours that neither was trained on, and what
// came. The rule, at every horizon that either serves: no worse; at one of them better by more than luck; and bounds that hold.
import type { ForecastPair } from "../../store/modelRecords";
import { dieboldMariano, twoSided } from "./dieboldMariano";

export const PROMOTION = {
  /** Hours of a horizon that are compared at least: a fortnight. */
  leastHours: 336,
  /** How much worse a horizon may be, as a share of the champion's error. */
  mostWorse: 0.01,
  /** Of being no better, at one horizon at least, after Holm's correction of the horizons. */
  mostLuck: 0.05,
  /** Share of rates that its 90 % bounds held. */
  leastCoverage: 0.85,
} as const;

export interface HorizonScore {
  readonly horizonHours: number;
  readonly hours: number;
  readonly n: number;
  /** Mean absolute errors, percentage points a year. */
  readonly maeChallenger: number;
  readonly maeChampion: number;
  /** Above zero: the challenger is better. */
  readonly dmT: number | null;
  readonly coverage: number;
}

export interface Verdict {
  readonly promote: boolean;
  /** In words, with the numbers. */
  readonly reason: string;
  readonly scores: readonly HorizonScore[];
}

const LAG_HORIZONS = 2;

/** @param horizons Hours: those that either of the two serves. @param pairs Oldest first. */
export function verdictOf(pairs: readonly ForecastPair[], horizons: readonly number[]): Verdict {
  const scores = horizons.map((hours) => scoreOf(pairs, hours));
  const no = (reason: string): Verdict => ({ promote: false, reason, scores });
  if (scores.length === 0) return no("it serves no horizon");
  for (const { horizonHours, hours, maeChallenger, maeChampion, coverage } of scores) {
    const at = `at ${horizonHours} h`;
    if (hours < PROMOTION.leastHours) {
      return no(`${hours} hours are known ${at}; ${PROMOTION.leastHours} are needed`);
    }
    if (maeChallenger > maeChampion * (1 + PROMOTION.mostWorse)) {
      return no(`${at} its error is ${points(maeChallenger)}, the served one's ${points(maeChampion)}`);
    }
    if (coverage < PROMOTION.leastCoverage) {
      return no(`${at} its 90 % bounds held ${(100 * coverage).toFixed(1)} % of the rates`);
    }
  }
  const best = [...scores].sort((a, b) => (b.dmT ?? -Infinity) - (a.dmT ?? -Infinity))[0] as HorizonScore;
  const luck = best.dmT === null || best.dmT <= 0 ? 1 : (twoSided(best.dmT) / 2) * scores.length;
  const numbers = `at ${best.horizonHours} h its error is ${points(best.maeChallenger)}, the served one's ${points(best.maeChampion)}`;
  if (luck > PROMOTION.mostLuck) return no(`nowhere better by more than luck; ${numbers}`);
  return { promote: true, reason: `${numbers}, t = ${(best.dmT ?? 0).toFixed(1)}; nowhere worse`, scores };
}

function scoreOf(pairs: readonly ForecastPair[], horizonHours: number): HorizonScore {
  // Series of one hour go up and down together: of each hour one mean counts.
  const hours = new Map<number, { sum: number; count: number }>();
  let [n, challenger, champion, held] = [0, 0, 0, 0];
  for (const pair of pairs) {
    if (pair.horizonHours !== horizonHours) continue;
    const [own, other] = [Math.abs(pair.challenger - pair.came), Math.abs(pair.champion - pair.came)];
    const hour = hours.get(pair.madeAt) ?? { sum: 0, count: 0 };
    hours.set(pair.madeAt, { sum: hour.sum + other - own, count: hour.count + 1 });
    n += 1;
    challenger += own;
    champion += other;
    held += pair.came >= pair.low && pair.came <= pair.high ? 1 : 0;
  }
  const differences = Float64Array.from([...hours.values()], ({ sum, count }) => sum / count);
  return {
    ...{ horizonHours, hours: hours.size, n },
    maeChallenger: (100 * challenger) / n,
    maeChampion: (100 * champion) / n,
    dmT: dieboldMariano(differences, LAG_HORIZONS * horizonHours),
    coverage: held / n,
  };
}

function points(error: number): string {
  return `${error.toFixed(3)} points`;
}
