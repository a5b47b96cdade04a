// What a run was worth, in numbers. Money that lends hardly ever falls, so volatility and drawdown say little; what counts is
// the excess over the best venue held throughout, of which Sharpe ratio, win rate and interval are.
import { meanInterval, type Interval } from "./bootstrap";
import type { Run } from "./run";
import { SECONDS_PER_YEAR } from "./series";
import type { Grid } from "./truth";

const DAY = 86_400;

export interface Metrics {
  /** 0.05: a twentieth more at the end. */
  readonly totalReturn: number;
  /** Compounded, a year of 365 days. */
  readonly apy: number;
  /** Greatest fall from a peak, as a share of the peak. */
  readonly maxDrawdown: number;
  /** Standard deviation of daily returns, a year; null: less than two days. */
  readonly volatility: number | null;
  /** Of daily returns over the hold's, a year; null where they do not differ, as of the hold itself. */
  readonly sharpe: number | null;
  /** Of days that differ from the hold's, the part that is better. */
  readonly winRate: number | null;
  readonly moves: number;
  /** USD that changed place; the first placement apart. */
  readonly turnoverUsd: number;
  readonly costsUsd: number;
  /** (strategy − hold) / (ceiling − hold), of total returns; null where the ceiling is the hold. */
  readonly captureRatio: number | null;
  /** Mean daily return over the hold's, a year, and the interval that 95 of 100 resampled histories give. */
  readonly excess: Interval | null;
}

export interface Baselines {
  readonly capital: number;
  readonly hold: Run;
  /** USD at the end that no strategy passes. */
  readonly ceilingUsd: number;
  readonly seed: number;
}

/** A ceiling nearer to the hold than this share is the hold: what is between is rounding. */
const SAME = 1e-12;

export function metricsOf(run: Run, grid: Grid, { capital, hold, ceilingUsd, seed }: Baselines): Metrics {
  const final = run.equity[grid.steps] as number;
  const held = hold.equity[grid.steps] as number;
  const [own, others] = [dailyReturns(run.equity, grid), dailyReturns(hold.equity, grid)];
  const excess = own.map((value, day) => value - (others[day] as number));
  const room = ceilingUsd - held;
  return {
    totalReturn: final / capital - 1,
    apy: apyOf(final / capital, grid),
    maxDrawdown: drawdownOf(run.equity),
    volatility: own.length < 2 ? null : deviation(own) * Math.sqrt(365),
    sharpe: sharpeOf(excess),
    winRate: winRateOf(excess),
    moves: run.trades.reduce((sum, { moves }) => sum + moves, 0),
    turnoverUsd: run.trades.reduce((sum, { movedUsd }) => sum + movedUsd, 0),
    costsUsd: run.trades.reduce((sum, { gasUsd, feesUsd }) => sum + gasUsd + feesUsd, 0),
    captureRatio: room <= SAME * capital ? null : (final - held) / room,
    excess: meanInterval(excess, { seed, scale: 365 }),
  };
}

/** @param ratio Of the end to the beginning. */
export function apyOf(ratio: number, { steps, stepSeconds }: Grid): number {
  return ratio <= 0 ? -1 : ratio ** (SECONDS_PER_YEAR / (steps * stepSeconds)) - 1;
}

/** Of whole days from the begin on; a rest of a day is left out. Where steps are longer than a day, of steps. */
export function dailyReturns(equity: Float64Array, { stepSeconds }: Grid): Float64Array {
  const every = Math.max(1, Math.round(DAY / stepSeconds));
  const days = Math.floor((equity.length - 1) / every);
  return Float64Array.from(
    { length: days },
    (_, day) => (equity[(day + 1) * every] as number) / (equity[day * every] as number) - 1,
  );
}

function drawdownOf(equity: Float64Array): number {
  let [peak, worst] = [0, 0];
  for (const value of equity) {
    if (value > peak) peak = value;
    else worst = Math.max(worst, (peak - value) / peak);
  }
  return worst;
}

function sharpeOf(excess: Float64Array): number | null {
  if (excess.length < 2) return null;
  const sd = deviation(excess);
  return sd <= SAME ? null : (meanOf(excess) / sd) * Math.sqrt(365);
}

function winRateOf(excess: Float64Array): number | null {
  let [won, lost] = [0, 0];
  for (const value of excess) {
    if (value > SAME) won += 1;
    else if (value < -SAME) lost += 1;
  }
  return won + lost === 0 ? null : won / (won + lost);
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function deviation(values: Float64Array): number {
  const mean = meanOf(values);
  let sum = 0;
  for (const value of values) sum += (value - mean) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}
