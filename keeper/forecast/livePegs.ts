// What may come of the prices of pairs of dollars, as they are read: each pair's features now and at the whole hours of the week before.
import { LOOKBACK_SECONDS } from "./features";
import { outlooks, type Outlook, type SeriesFeatures } from "./outlook";
import { OF_PEGS, pegFeaturesAt, type PegColumns } from "./pegFeatures";
import type { RiskModel } from "./riskModel";

const HOUR = 3_600;

/**
 * @param pairs By name; a pair of which nothing was known at `at` is not asked about.
 * @param at Unix seconds.
 * @param models Those of prices among them are asked.
 * @throws as {@link outlooks}.
 */
export async function pegOutlooks(
  pairs: ReadonlyMap<string, PegColumns>,
  at: number,
  models: readonly RiskModel[],
): Promise<readonly Outlook[]> {
  const asked: SeriesFeatures[] = [];
  for (const [series, pair] of pairs) {
    if (pair.knownAt(at) === 0) continue;
    const hours: number[] = [];
    for (let hour = Math.floor(at / HOUR) * HOUR; hour > at - LOOKBACK_SECONDS; hour -= HOUR) hours.unshift(hour);
    asked.push({ series, now: pegFeaturesAt(pair, [at]), past: pegFeaturesAt(pair, hours) });
  }
  return outlooks(OF_PEGS, asked, models);
}
