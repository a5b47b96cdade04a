// Whether a model that ran in the shadow is to be served: by what both said of the same hours that neither was trained on, and what
// came. The rule, at every horizon that either serves: no worse; at one of them better by more than luck; and bounds that hold.
import type { ForecastPair } from "../../store/modelRecords";
import { dieboldMariano, leastT } from "./dieboldMariano";

export const PROMOTION = {
  /** Hours of a horizon that are compared at least: a fortnight. */
  leastHours: 336,
  /** Horizons' worth of hours from which luck is told from skill at all: in fewer there is next to one forecast. */
  leastHorizons: 10,
  /** How much worse a horizon may be, as a share of the champion's error. */
  mostWorse: 0.01,
  /** Of being no better, at one horizon at least: shared out among the horizons, and told by how few hours there are. */
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
  const allowed = PROMOTION.mostLuck / scores.length;
  const ofLuck = ({ hours, horizonHours }: HorizonScore): number =>
    leastT(allowed, { hours, lag: LAG_HORIZONS * horizonHours });
  const margin = (score: HorizonScore): number =>
    score.hours < PROMOTION.leastHorizons * score.horizonHours ? -Infinity : (score.dmT ?? -Infinity) - ofLuck(score);
  const best = [...scores].sort((a, b) => margin(b) - margin(a))[0] as HorizonScore;
  const t = best.dmT === null ? "no t" : `t = ${best.dmT.toFixed(1)}`;
  const numbers = `at ${best.horizonHours} h its error is ${points(best.maeChallenger)}, the served one's ${points(best.maeChampion)}, ${t} of ${ofLuck(best).toFixed(1)}`;
  if (margin(best) <= 0) return no(`nowhere better by more than luck; ${numbers}`);
  return { promote: true, reason: `${numbers}; nowhere worse`, scores };
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
