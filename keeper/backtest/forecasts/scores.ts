// How good the forecasts of one series and horizon were. The shape of a row is a contract with others (`tiller forecast
// evaluate`): the first eleven fields stay; rates are in percentage points a year.
import { LEVELS } from "../../forecast/conformal";
import { HORIZONS } from "../../forecast/features";
import { baselineOf } from "../../forecast/served";
import { meanInterval, type Interval } from "../bootstrap";
import { daily } from "./daily";
import { dieboldMariano, holm, twoSided } from "./dieboldMariano";
import { HOUR, type Hours } from "./hours";
import type { Walk } from "./walk";

const DAY = 86_400;
const POINTS = 100;

export interface ScoreRow {
  readonly series: string;
  readonly horizonHours: number;
  /** Hours that were scored. */
  readonly n: number;
  readonly maePersistence: number | null;
  readonly maeEwma: number | null;
  readonly maeServed: number | null;
  /** Who forecast. */
  readonly served: string;
  /** 1 − MAE / the smaller of the two baselines'. */
  readonly skill: number | null;
  /** Against that baseline; above zero: the served forecast is better. */
  readonly dmT: number | null;
  /** Of the 90 % interval: share of hours whose rate it held, and mean width. */
  readonly coverage: number | null;
  readonly widthPp: number | null;
  /** The least share in any 30 days; null where no 30 days were scored. */
  readonly worst30dCoverage: number | null;

  readonly worst90dCoverage: number | null;
  /** The better baseline. */
  readonly against: "persistence" | "ewma" | null;
  readonly dmTPersistence: number | null;
  readonly dmTEwma: number | null;
  /** Of `dmT`, corrected by Holm for all rows of the evaluation. */
  readonly dmPHolm: number | null;
  /** Persistence's or EWMA's MAE less the served one's, whichever baseline is better; moving blocks of a fortnight. */
  readonly gainPp: Interval | null;
  readonly rmseServed: number | null;
  /** Mean over {@link LEVELS}. */
  readonly pinball: number | null;
  /** By {@link LEVELS} alone: three in a hundred under that of all levels, where rates are as a normal forecast says. */
  readonly crps: number | null;
  /** Share of rates at or below the bound of each level. */
  readonly reliability: readonly { readonly level: number; readonly observed: number }[];
  /** Of the scored hours, those in which the model was stood in for by the baseline. */
  readonly stoodIn: number;
  /** Hours left out: the model was trained on them; they only repeat an older state; their rate is not known. */
  readonly left: { readonly seen: number; readonly stale: number; readonly unknown: number };
}

/** Newey and West's lag in horizons: errors are shared with those of one horizon, and fade over the next. */
const LAG_HORIZONS = 2;

/** A window with fewer scored hours than this share says nothing of its coverage. */
const LEAST_SHARE = 0.1;

const [LOW, HIGH] = [0, LEVELS.length - 1];

/** Of all levels, the share that is nearer to each of {@link LEVELS} than to its neighbours. */
const WIDTHS = LEVELS.map((level, l) => {
  const [before, after] = [LEVELS[l - 1], LEVELS[l + 1]];
  return (after === undefined ? 1 : (level + after) / 2) - (before === undefined ? 0 : (before + level) / 2);
});

/** @param span Unix seconds, both included. @param seed Of the resampling. */
export function scoresOf(
  hours: Hours,
  walked: Walk,
  options: { readonly from: number; readonly to: number; readonly served: readonly string[]; readonly seed: number },
): ScoreRow[] {
  return HORIZONS.map((_, h) => scoreOf(hours, walked, { ...options, h }));
}

interface Scored {
  /** Hours that count, as numbers of hours of the series. */
  readonly hours: Int32Array;
  readonly left: ScoreRow["left"];
}

function scoreOf(
  hours: Hours,
  walked: Walk,
  of: {
    readonly from: number;
    readonly to: number;
    readonly served: readonly string[];
    readonly seed: number;
    readonly h: number;
  },
): ScoreRow {
  const { h } = of;
  const horizonHours = HORIZONS[h] as number;
  const { hours: scored, left } = scoredOf(hours, walked, of);
  const n = scored.length;
  const base = { series: hours.name, horizonHours, n, served: of.served[h] as string, left };
  if (n === 0) return { ...base, ...NOTHING };
  const cell = (k: number): number => k * HORIZONS.length + h;
  const truth = Float64Array.from(scored, (k) => hours.targets[cell(k)] as number);
  const errors = (forecast: (k: number) => number): Float64Array =>
    Float64Array.from(scored, (k, i) => Math.abs((truth[i] as number) - forecast(k)));
  const served = errors((k) => walked.point[cell(k)] as number);
  const persistence = errors((k) => baselineOf("persistence", hours.features, k));
  const ewma = errors((k) => baselineOf("ewma", hours.features, k));
  const [maeServed, maePersistence, maeEwma] = [mean(served), mean(persistence), mean(ewma)];
  const against = maePersistence <= maeEwma ? "persistence" : "ewma";
  const least = Math.min(maePersistence, maeEwma);
  const lag = LAG_HORIZONS * horizonHours;
  const tOf = (other: Float64Array): number | null => dieboldMariano(difference(other, served), lag);
  const [dmTPersistence, dmTEwma] = [tOf(persistence), tOf(ewma)];
  const bound = (i: number, level: number): number =>
    walked.bounds[cell(scored[i] as number) * LEVELS.length + level] as number;
  const inside = truth.map((rate, i) => (rate >= bound(i, LOW) && rate <= bound(i, HIGH) ? 1 : 0));
  const losses = LEVELS.map((level, l) => mean(truth.map((rate, i) => pinballOf(level, rate - bound(i, l)))));
  const better = against === "persistence" ? persistence : ewma;
  const moments = Float64Array.from(scored, (k) => hours.from + k * HOUR);
  return {
    ...base,
    maePersistence: POINTS * maePersistence,
    maeEwma: POINTS * maeEwma,
    maeServed: POINTS * maeServed,
    skill: least > 0 ? 1 - maeServed / least : maeServed > 0 ? null : 0,
    dmT: against === "persistence" ? dmTPersistence : dmTEwma,
    coverage: mean(inside),
    widthPp: POINTS * mean(truth.map((_, i) => bound(i, HIGH) - bound(i, LOW))),
    worst30dCoverage: worstOf(inside, moments, { ...of, seconds: 30 * DAY }),
    worst90dCoverage: worstOf(inside, moments, { ...of, seconds: 90 * DAY }),
    stoodIn: scored.filter((k) => walked.stoodIn[cell(k)] === 1).length,
    ...{ against, dmTPersistence, dmTEwma, dmPHolm: null },
    gainPp: meanInterval(daily(difference(better, served), moments), { seed: of.seed, scale: POINTS }),
    rmseServed: POINTS * Math.sqrt(mean(served.map((error) => error * error))),
    pinball: POINTS * mean(Float64Array.from(losses)),
    crps: POINTS * crpsOf(losses),
    reliability: LEVELS.map((level, l) => ({
      level,
      observed: mean(truth.map((rate, i) => (rate <= bound(i, l) ? 1 : 0))),
    })),
  };
}

const NOTHING = {
  ...{ maePersistence: null, maeEwma: null, maeServed: null, skill: null, dmT: null },
  ...{ coverage: null, widthPp: null, worst30dCoverage: null, worst90dCoverage: null },
  ...{ against: null, dmTPersistence: null, dmTEwma: null, dmPHolm: null, gainPp: null },
  ...{ rmseServed: null, pinball: null, crps: null, reliability: [] },
  stoodIn: 0,
} as const;

/** Rows with the probabilities of all their tests together. */
export function withHolm(rows: readonly ScoreRow[]): ScoreRow[] {
  const corrected = holm(rows.map(({ dmT }) => (dmT === null ? null : twoSided(dmT))));
  return rows.map((row, k) => ({ ...row, dmPHolm: corrected[k] ?? null }));
}

function scoredOf(
  hours: Hours,
  walked: Walk,
  { from, to, h }: { readonly from: number; readonly to: number; readonly h: number },
): Scored {
  const kept: number[] = [];
  let [seen, stale, unknown] = [0, 0, 0];
  const first = Math.max(0, Math.ceil((from - hours.from) / HOUR));
  const last = Math.min(hours.count - 1, Math.floor((to - hours.from) / HOUR));
  for (let k = first; k <= last; k += 1) {
    const cell = k * HORIZONS.length + h;
    if (hours.fresh[k] === 0) stale += 1;
    else if (walked.seen[cell] === 1) seen += 1;
    else if (Number.isNaN(hours.targets[cell])) unknown += 1;
    else kept.push(k);
  }
  return { hours: Int32Array.from(kept), left: { seen, stale, unknown } };
}

/** The least mean in a window of `seconds`, all of it in the span, that holds enough of it. */
function worstOf(
  inside: Float64Array,
  moments: Float64Array,
  of: { readonly from: number; readonly to: number; readonly seconds: number },
): number | null {
  const least = (LEAST_SHARE * of.seconds) / HOUR;
  let [begin, sum] = [0, 0];
  let worst: number | null = null;
  for (let i = 0; i < inside.length; i += 1) {
    sum += inside[i] as number;
    const end = moments[i] as number;
    while ((moments[begin] as number) <= end - of.seconds) {
      sum -= inside[begin] as number;
      begin += 1;
    }
    const count = i - begin + 1;
    if (end - of.seconds + HOUR < of.from || count < least) continue;
    worst = Math.min(worst ?? 1, sum / count);
  }
  return worst;
}

function pinballOf(level: number, over: number): number {
  return over >= 0 ? level * over : (level - 1) * over;
}

/**
 * Twice the integral of the pinball loss over all levels (Gneiting and Ranjan, "Comparing Density Forecasts Using Threshold-
 * and Quantile-Weighted Scoring Rules", 2011), as a sum over {@link LEVELS} by {@link WIDTHS}. What remains is that these are
 * five: of a normal forecast of itself, with a deviation of one, they give 0.547, the integral is 0.564.
 */
function crpsOf(losses: readonly number[]): number {
  let sum = 0;
  losses.forEach((loss, l) => (sum += 2 * (WIDTHS[l] as number) * loss));
  return sum;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, k) => value - (b[k] as number));
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
