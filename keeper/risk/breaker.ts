// When the keeper stops itself: the causes, each as a pure question about what is known. A cause that holds for long enough
// trips; what has tripped stays so until a person resets it. Storing, alerting and acting on it are elsewhere
// (store/breakerRows.ts, app/riskWatch.ts).
import type { VaultSnapshot } from "../chain/snapshot";
import type { Drift } from "./drift";
import { feedTrouble, type FeedState } from "./oracle";

export const WATCHED_CAUSES = ["drawdown", "oracle", "data-outage", "model-drift", "gas-spike"] as const;
export type WatchedCause = (typeof WATCHED_CAUSES)[number];
/** `operator`: a person closed it by hand. */
export type TripCause = WatchedCause | "operator";

export interface BreakerSettings {
  /** Causes that are not looked at. */
  readonly off: readonly WatchedCause[];
  /** Fall of the share price from its highest since the last reset. */
  readonly drawdownBps: number;
  /** A stablecoin's price this far from par. */
  readonly depegBps: number;
  /** For so long a feed must be stale or off before it trips, in chain seconds. */
  readonly oracleSeconds: number;
  /** Seconds by this machine's clock without a block, or without anything collected. */
  readonly outageSeconds: number;
  /** Error of the served forecast over that of persistence. */
  readonly driftRatio: number;
  /** And at least so much greater, fraction a year. */
  readonly driftLeastApr: number;
  readonly driftWindowHours: number;
  /** Base fee over the operator's ceiling by this factor, for so long in chain seconds. */
  readonly gasFactor: number;
  readonly gasSeconds: number;
}

/** Something that speaks for a trip now. */
export interface Signal {
  readonly cause: WatchedCause;
  /** In words, with the numbers. */
  readonly detail: string;
}

export interface WatchedState {
  readonly snapshot: VaultSnapshot;
  /** The highest share price since the last reset; null: none yet. */
  readonly reference: bigint | null;
  readonly feeds: readonly FeedState[];
  readonly drift: Drift | null;
  /** Wei. */
  readonly feeCeiling: bigint;
}

/** A position of less than this share of the vault is no reason to stop for the price of what it holds. */
const DUST_SHARE = 0.001;
/** Two days of forecasts: fewer say nothing about a model. */
const LEAST_SAMPLES = 48;

/** What holds at a block. Outages are seen by the clock, not by a block: {@link outageSignal}. */
export function signalsOf(state: WatchedState, settings: BreakerSettings): Signal[] {
  const signals = [
    drawdownSignal(state, settings),
    oracleSignal(state, settings),
    driftSignal(state, settings),
    gasSignal(state, settings),
  ];
  return signals.filter((signal) => signal !== null).filter(({ cause }) => !settings.off.includes(cause));
}

function drawdownSignal({ snapshot, reference }: WatchedState, { drawdownBps }: BreakerSettings): Signal | null {
  if (reference === null || snapshot.sharePrice >= reference) return null;
  const fallenBps = Number(((reference - snapshot.sharePrice) * 10_000_000n) / reference) / 1_000;
  if (fallenBps <= drawdownBps) return null;
  return {
    cause: "drawdown",
    detail: `the share price is ${fallenBps.toFixed(1)} bp under its highest since the last reset, over ${drawdownBps} bp`,
  };
}

function oracleSignal({ snapshot, feeds }: WatchedState, { depegBps }: BreakerSettings): Signal | null {
  const leastHeld = Number(snapshot.totalAssets) * DUST_SHARE;
  const matters = (feed: FeedState): boolean =>
    feed.ofAsset ||
    snapshot.adapters.some(({ id, fairValue }) => feed.venues.includes(id) && Number(fairValue) > leastHeld);
  const troubles = feeds.filter(matters).flatMap((feed) => feedTrouble(feed, depegBps) ?? []);
  return troubles.length === 0 ? null : { cause: "oracle", detail: troubles.join(", ") };
}

function driftSignal(
  { drift }: WatchedState,
  { driftRatio, driftLeastApr, driftWindowHours }: BreakerSettings,
): Signal | null {
  if (drift === null || drift.samples < LEAST_SAMPLES) return null;
  const { served, persistence } = drift;
  if (served <= persistence * driftRatio || served - persistence <= driftLeastApr) return null;
  const percent = (apr: number): string => `${(100 * apr).toFixed(2)} pp`;
  return {
    cause: "model-drift",
    detail: `over ${driftWindowHours} h the forecast was off by ${percent(served)} on average, rates that stay as they are by ${percent(persistence)}`,
  };
}

function gasSignal({ snapshot, feeCeiling }: WatchedState, { gasFactor, gasSeconds }: BreakerSettings): Signal | null {
  const bound = Number(feeCeiling) * gasFactor;
  if (Number(snapshot.baseFeePerGas) <= bound) return null;
  const gwei = (wei: number): string => (wei / 1e9).toFixed(1);
  return {
    cause: "gas-spike",
    detail: `the base fee of ${gwei(Number(snapshot.baseFeePerGas))} gwei has been over ${gwei(bound)} for ${gasSeconds} s`,
  };
}

/** @param what What has not come, for example "block". @param seconds Since the last one, by this machine's clock. */
export function outageSignal(what: string, seconds: number, settings: BreakerSettings): Signal | null {
  if (settings.off.includes("data-outage") || seconds <= settings.outageSeconds) return null;
  return { cause: "data-outage", detail: `no ${what} for ${Math.round(seconds)} s, over ${settings.outageSeconds} s` };
}

/** For how long a signal must hold before it trips, chain seconds. A drawdown is a fact as soon as it is booked. */
export function patienceOf(cause: WatchedCause, settings: BreakerSettings): number {
  switch (cause) {
    case "oracle":
      return settings.oracleSeconds;
    case "gas-spike":
      return settings.gasSeconds;
    case "drawdown":
    case "data-outage":
    case "model-drift":
      return 0;
  }
}

/** Since when each cause has held without a break. It knows what this process saw: after a start the wait begins anew. */
export class Patience {
  readonly #since = new Map<WatchedCause, number>();

  /** @param at Chain time of the block that was looked at. @returns the signals that have held for long enough. */
  ripe(signals: readonly Signal[], at: number, settings: BreakerSettings): Signal[] {
    const held = new Set(signals.map(({ cause }) => cause));
    for (const cause of [...this.#since.keys()]) if (!held.has(cause)) this.#since.delete(cause);
    return signals.filter(({ cause }) => {
      const since = this.#since.get(cause) ?? at;
      this.#since.set(cause, since);
      return at - since >= patienceOf(cause, settings);
    });
  }
}
