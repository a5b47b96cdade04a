// From the parts of a venue's risk to one score, from the score to the share of the vault that it may hold, and from that to
// a word: reduce, hold, may grow. Pure, and in steps that a person can follow with a pencil.
import { oneDecimal, share } from "./scorecard";

/** 0 to 100 each; null: not known. */
export interface RiskParts {
  readonly protocol: number;
  readonly liquidity: number;
  readonly oracle: number;
  readonly market: number | null;
}

/** Weights of the parts; they add up to 100. */
export const PART_WEIGHTS = { protocol: 40, liquidity: 25, oracle: 20, market: 15 } as const;

/** What a market risk that cannot be told yet is worth: too few returns say neither good nor bad. */
export const UNTOLD_MARKET = 60;

/** No part is averaged away: the score is at most so many points over the weakest. */
export const OVER_THE_WEAKEST = 25;

/** Score and share of the vault that it allows; straight lines between, nothing below the first, all above the last. */
export const LIMITS: readonly (readonly [score: number, share: number])[] = [
  [25, 0],
  [45, 0.1],
  [60, 0.4],
  [75, 1],
];

/** Over the limit by more than a tenth of it (and a thousandth of the vault): what only drifted there may stay. */
const REDUCE_FROM = { factor: 1.1, plus: 0.001 } as const;
const GROW_BELOW = 0.95;

export type Advice = "reduce" | "hold" | "may-grow";

/** 0 to 100, one decimal. */
export function compositeScore(parts: RiskParts): number {
  const known = { ...parts, market: parts.market ?? UNTOLD_MARKET };
  const names = Object.keys(PART_WEIGHTS) as (keyof typeof PART_WEIGHTS)[];
  const mean = names.reduce((sum, name) => sum + PART_WEIGHTS[name] * known[name], 0) / 100;
  return oneDecimal(Math.min(mean, Math.min(...names.map((name) => known[name])) + OVER_THE_WEAKEST));
}

/** Share of the vault, in whole hundredths rounded down: a limit that trembles with the score would move money to and fro. */
export function positionLimit(score: number): number {
  const [first, last] = [LIMITS[0], LIMITS.at(-1)];
  if (first === undefined || last === undefined || score <= first[0]) return 0;
  if (score >= last[0]) return last[1];
  const upper = LIMITS.findIndex(([from]) => from > score);
  const [low, high] = [LIMITS[upper - 1] ?? first, LIMITS[upper] ?? last];
  const part = share((score - low[0]) / (high[0] - low[0]));
  return Math.floor(100 * (low[1] + part * (high[1] - low[1])) + 1e-9) / 100;
}

/** @param held Share of the vault that the venue holds. */
export function adviceOf(held: number, limit: number): Advice {
  if (held > limit * REDUCE_FROM.factor + REDUCE_FROM.plus) return "reduce";
  return held < limit * GROW_BELOW ? "may-grow" : "hold";
}

/** The advice as people say it. */
export const ADVICE_WORDS: Readonly<Record<Advice, string>> = {
  reduce: "reduce",
  hold: "hold",
  "may-grow": "may grow",
};
