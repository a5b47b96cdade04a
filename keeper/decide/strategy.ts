// The one decision function, for live, dry run and backtest. Pure: what it needs is passed in, what it decides is
// returned. It knows no clock, no database, no network.
import type { VaultSnapshot } from "../chain/snapshot";
import type { Verdict } from "../risk/assessment";
import type { TripCause } from "../risk/breaker";
import type { Scenario } from "../risk/scenarios";
import type { GasOutlook } from "./gasTiming";

/** Mean supply APR expected over the horizon, by venue id, as the venue would pay it without our position. */
export interface Forecast {
  readonly venue: string;
  /** `ewma`, `persistence`, or the name of a trained model. */
  readonly model: string;
  /** Fraction a year. */
  readonly apr: number;
  /** The last rate observed, likewise without our position: what persistence would say. */
  readonly currentApr: number;
  /** Seconds of history that the forecast rests on. */
  readonly historySeconds: number;
  /** Of a trained model: which file, over which horizon, and the bounds that the rate stays within nine times of ten. */
  readonly trained?:
    { readonly hash: string; readonly horizonHours: number; readonly low: number; readonly high: number } | undefined;
  /** Mean rate over the time frames; absent: not looked at, as in the records of versions before there were any. */
  readonly frames?: readonly { readonly hours: number; readonly apr: number }[] | undefined;
}

/** The operator's own limits: never looser than the vault's, often tighter. Ratios are plain fractions. */
export interface OperatorLimits {
  readonly horizonHours: number;
  /** Least gain over the horizon, USD, after costs. */
  readonly minGainUsd: number;
  /** Least gain over the horizon as a share of the amount moved. */
  readonly noTradeBandBps: number;
  readonly cooldownSeconds: number;
  readonly minimumIdle: number;
  /** Tightest cap by venue id, fraction of total assets; absent: the vault's. */
  readonly venueCaps: Readonly<Record<string, number>>;
  /** Share of a venue's withdrawable cash beyond which we do not want to own it (exit liquidity). */
  readonly maxShareOfVenue: number;
  /** Most that one plan may lose, basis points of total assets. */
  readonly maxLossBps: number;
  /** What a move into or out of a pool or a PSM may bring less than the snapshot says, basis points of it; none: no minimum. */
  readonly moveToleranceBps?: number | undefined;
  readonly gasPerMove: number;
  readonly gasPerPlan: number;
  /** Price of gas beyond which nothing is sent, wei. */
  readonly maxFeePerGas: bigint;
  readonly assetUsd: number;
  readonly ethUsd: number;
  /** Plan's lifetime in chain seconds. */
  readonly deadlineSeconds: number;
}

/** What the keeper's own look at risk says: limits that are stricter than the operator's, and whether it has stopped itself. */
export interface RiskInput {
  /** One for each venue; a venue without one has no limit of its own. */
  readonly verdicts: readonly Verdict[];
  readonly scenarios: readonly Scenario[];
  /** How much the mean loss of the worst 1 − confidence over the horizon is disliked; absent: not counted. */
  readonly tail?: { readonly kappa: number; readonly confidence: number } | undefined;
  /** What has tripped the keeper's breaker and was not reset; empty: nothing. */
  readonly tripped: readonly { readonly cause: TripCause; readonly detail: string }[];
  /** Set: all positions are to go to idle. */
  readonly closing: {
    /** Venues that the vault would not let the keeper leave at this block, as its simulation says. */
    readonly unable: readonly { readonly venue: string; readonly why: string }[];
  } | null;
}

export interface StrategyInput {
  readonly snapshot: VaultSnapshot;
  readonly forecasts: readonly Forecast[];
  readonly limits: OperatorLimits;
  /** Chain time of the last rebalance that landed; null if none. */
  readonly lastRebalanceAt: number | null;
  /** Absent: not looked at, as in the records of versions before there was one. */
  readonly risk?: RiskInput;
  /** Absent: too little is known of fees, or nothing is waited for. */
  readonly gas?: GasOutlook | undefined;
}

/** One leg, amounts in the asset's unit; negative: out of the adapter. `all`: the position is emptied. */
export interface PlanMove {
  readonly venue: string;
  readonly adapter: string;
  readonly assets: bigint;
  readonly all: boolean;
  /** Least that it has to bring, in the unit that the venue's adapter asks for; zero: none is asked for. */
  readonly minimum: bigint;
}

export interface Plan {
  readonly action: "rebalance";
  readonly reason: string;
  readonly moves: readonly PlanMove[];
  readonly nonce: bigint;
  readonly deadline: number;
  readonly maxLoss: bigint;
  readonly expectedGainUsd: number;
  readonly costUsd: number;
}

/** Why nothing is done. The code is for programs, {@link Hold.reason} for people. */
export type HoldCode =
  | "not-open"
  | "not-a-keeper"
  | "breaker-tripped"
  | "keeper-breaker-tripped"
  | "no-funds"
  | "no-forecast"
  | "gas-too-dear"
  | "cooldown"
  | "already-best"
  | "gain-too-small"
  | "frames-disagree"
  | "gas-cheaper-later"
  | "budget-spent"
  | "infeasible";

export interface Hold {
  readonly action: "hold";
  readonly code: HoldCode;
  readonly reason: string;
}

export type Strategy = (input: StrategyInput) => Plan | Hold;
