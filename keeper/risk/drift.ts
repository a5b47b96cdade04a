// Model drift: whether the forecast that is served has lately been worse than saying that rates stay as they are. The past
// is walked again: at each step the served forecast is what a trained model said then, as it was stored, or what the EWMA would
// have said from what was known then, and both are held against what came.
import type { PastPoint } from "./past";

/** The forecast that is served: a mean rate from what was known at `at`; null where it could say nothing. */
export type Served = (known: readonly KnownRate[], at: number) => number | null;

export interface KnownRate {
  readonly observedAt: number;
  readonly availableAt: number;
  readonly apr: number;
}

export interface Drift {
  readonly samples: number;
  /** Mean absolute errors of the mean rate over the horizon, fractions a year. */
  readonly served: number;
  readonly persistence: number;
}

export interface DriftSpan {
  /** Unix seconds of the newest thing known. */
  readonly now: number;
  /** Forecasts made in this span are judged. */
  readonly windowSeconds: number;
  readonly horizonSeconds: number;
}

const STEP_SECONDS = 3_600;

/** @param points Of one venue, oldest first. @returns null without a single forecast that could be held against what came. */
export function driftOf(points: readonly PastPoint[], served: Served, span: DriftSpan): Drift | null {
  const rates = points.flatMap(({ at, availableAt, apr }) =>
    apr === null ? [] : [{ observedAt: at, availableAt, apr }],
  );
  const last = span.now - span.horizonSeconds;
  const first = Math.max(span.now - span.windowSeconds - span.horizonSeconds, rates[0]?.observedAt ?? Infinity);
  let [samples, ofServed, ofPersistence] = [0, 0, 0];
  for (let at = Math.ceil(first / STEP_SECONDS) * STEP_SECONDS; at <= last; at += STEP_SECONDS) {
    const known = rates.filter((rate) => rate.availableAt <= at && rate.observedAt <= at);
    const now = known.at(-1);
    const said = now === undefined ? null : served(known, at);
    const came = meanRate(rates, at, at + span.horizonSeconds);
    if (now === undefined || said === null || came === null) continue;
    samples += 1;
    ofServed += Math.abs(said - came);
    ofPersistence += Math.abs(now.apr - came);
  }
  return samples === 0 ? null : { samples, served: ofServed / samples, persistence: ofPersistence / samples };
}

/** The drifts of several venues as one, each forecast counted once. */
export function together(drifts: readonly (Drift | null)[]): Drift | null {
  const known = drifts.filter((drift) => drift !== null);
  const samples = known.reduce((sum, drift) => sum + drift.samples, 0);
  if (samples === 0) return null;
  const mean = (error: (drift: Drift) => number): number =>
    known.reduce((sum, drift) => sum + error(drift) * drift.samples, 0) / samples;
  return { samples, served: mean((drift) => drift.served), persistence: mean((drift) => drift.persistence) };
}

/** Time-weighted mean over [from, to) of a rate that holds until the next one; null where it was not observed in between. */
function meanRate(rates: readonly KnownRate[], from: number, to: number): number | null {
  let [weighted, seen] = [0, false];
  for (let k = 0; k < rates.length; k += 1) {
    const rate = rates[k];
    if (rate === undefined || rate.observedAt >= to) break;
    const until = Math.min(rates[k + 1]?.observedAt ?? to, to);
    const since = Math.max(rate.observedAt, from);
    if (until > since) weighted += rate.apr * (until - since);
    if (rate.observedAt >= from) seen = true;
  }
  return seen ? weighted / (to - from) : null;
}
