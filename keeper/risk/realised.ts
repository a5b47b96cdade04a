// What a vault has been through lately: how much its returns swing, and how far it is below its best.
import { indexReturns, type Point } from "./returns";

const DAY = 86_400;
/** Days of returns, at least, from which a swing is told. */
const LEAST_DAYS = 10;
const DAYS_PER_YEAR = 365;

/** Time that is looked back on, seconds. */
export const REALISED_SECONDS = 30 * DAY;

export interface Realised {
  /** Standard deviation of daily returns, a year. */
  readonly volatility: number;
  /** Below the highest of the time, 0 to 1. */
  readonly drawdown: number;
}

/** @param points Of a share price or of equity, oldest first. @returns null: too little is known. */
export function realisedOf(points: readonly Point[]): Realised | null {
  const returns = indexReturns(points, DAY);
  if (returns.length < LEAST_DAYS) return null;
  const mean = returns.reduce((sum, one) => sum + one, 0) / returns.length;
  const variance = returns.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (returns.length - 1);
  const best = points.reduce((most, { value }) => Math.max(most, value), 0);
  const last = points.at(-1)?.value ?? 0;
  return { volatility: Math.sqrt(variance * DAYS_PER_YEAR), drawdown: best > 0 ? Math.max(0, 1 - last / best) : 0 };
}
