// Made-up markets and strategies for the backtest's tests: an hourly state each, known some minutes after it was.
import { marketOf, type Market, type MarketOptions } from "../../../keeper/backtest/market";
import { RateSeries, type RateRow } from "../../../keeper/backtest/series";
import type { Strategy } from "../../../keeper/backtest/strategy";
import { seeded } from "../../../scripts/bench/randomProblems";

/** 2023-11-14, midnight UTC: rows begin here, money is placed {@link BEFORE} hours later. */
export const START = 1_699_920_000;
export const BEFORE = 240;
export const FROM = START + BEFORE * 3600;

export interface Shape {
  /** Of hours after {@link START}. */
  readonly apr: (hour: number) => number;
  readonly supplied?: (hour: number) => number | null;
  readonly borrowed?: (hour: number) => number | null;
  readonly hours?: number;
  /** Minutes from a state to its being known; less than an hour. */
  readonly delayMinutes?: number;
}

export function rowsOf({ apr, supplied, borrowed, hours = 2_000, delayMinutes = 10 }: Shape): RateRow[] {
  return Array.from({ length: hours }, (_, hour) => ({
    observedAt: START + hour * 3600 - delayMinutes * 60,
    availableAt: START + hour * 3600,
    supplyApr: apr(hour),
    suppliedUsd: supplied === undefined ? 1e9 : supplied(hour),
    borrowedUsd: borrowed === undefined ? 8e8 : borrowed(hour),
  }));
}

export function seriesOf(name: string, shape: Shape): RateSeries {
  return new RateSeries(name, rowsOf(shape));
}

export function market(series: readonly RateSeries[], change: Partial<MarketOptions> = {}): Market {
  return marketOf(series, {
    ...{ from: FROM, to: FROM + 720 * 3600, stepSeconds: 3600, lagSeconds: 3600 },
    ...{ priceTaker: true, maxGapSeconds: 7 * 86_400, capital: 1e5 },
    ...change,
  });
}

/** Smooth, and unlike another of the same kind. */
export function wave(mean: number, swing: number, periodHours: number, phase = 0): (hour: number) => number {
  return (hour) => mean + swing * Math.sin((2 * Math.PI * hour) / periodHours + phase);
}

/** Does what a table says: amounts wanted as shares of the total, by step. */
export function scripted(steps: Readonly<Record<number, readonly number[]>>): Strategy {
  return {
    name: "scripted",
    start: () => ({
      decide(now, wanted) {
        const shares = steps[now.step];
        if (shares === undefined) return false;
        shares.forEach((share, v) => (wanted[v] = share * now.total));
        return true;
      },
    }),
  };
}

/** Shares out anew at random, often. */
export function restless(seed: number, venues: number): Strategy {
  return {
    name: "restless",
    start: () => {
      const random = seeded(seed);
      return {
        decide(now, wanted) {
          if (random() < 0.6) return false;
          const shares = Array.from({ length: venues + 1 }, () => (random() < 0.4 ? 0 : random()));
          const sum = shares.reduce((total, share) => total + share, 0);
          if (sum === 0) return false;
          for (let v = 0; v < venues; v += 1) wanted[v] = (now.total * (shares[v] as number)) / sum;
          return true;
        },
      };
    },
  };
}
