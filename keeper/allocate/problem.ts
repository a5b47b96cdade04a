// The allocation problem and its answer, in the shape fixed by the command `tiller allocate`. Amounts in USD.
import type { RateModel } from "../venues/rateModel";

export interface AllocationVenue {
  readonly id: string;
  /** What we hold there now. Default 0. */
  readonly current: number;
  /** Most that we may hold. Default: no cap (the total). */
  readonly cap: number;
  /** Least that we must hold. Default 0; used where a venue cannot pay out everything now. */
  readonly floor?: number;
  /** Proportional cost of a change, basis points of the amount moved. */
  readonly costBps: number;
  /**
   * What the size of a change adds to that, basis points for each million USD moved at once: a trade pushes the price.
   * Default 0; only with the models `fixed` and `liquidity`, of whose income it leaves a concave curve.
   */
  readonly impactBpsPerMillion?: number;
  /** Probability × loss given event, a year. */
  readonly expectedLossApr: number;
  readonly model: RateModel;
}

export interface AllocationGroup {
  readonly ids: readonly string[];
  readonly cap: number;
}

/** One thing that may happen and hits several venues at once: a stablecoin, an oracle, a chain, a protocol. */
export interface LossScenario {
  /** That it happens within a year, 0 to 1. Scenarios exclude each other. */
  readonly probability: number;
  /** Share of what is held that is lost, 0 to 1, by venue id; 0 where absent. */
  readonly losses: Readonly<Record<string, number>>;
}

/** Takes kappa times the mean loss over the horizon in the worst 1 − confidence of what may happen (CVaR) off the gain. */
export interface TailRisk {
  /** Dislike of that loss; 0: none. */
  readonly kappa: number;
  /** For example 0.95. Below 1. */
  readonly confidence: number;
  readonly scenarios: readonly LossScenario[];
}

export interface AllocationProblem {
  readonly total: number;
  readonly horizonHours: number;
  readonly gasUsdPerMove: number;
  readonly minIdle: number;
  readonly groups: readonly AllocationGroup[];
  readonly venues: readonly AllocationVenue[];
  readonly tail?: TailRisk;
}

export interface AllocationMove {
  readonly id: string;
  readonly from: number;
  readonly to: number;
}

export interface AllocationAnswer {
  readonly allocation: Readonly<Record<string, number>>;
  readonly idle: number;
  /** Σ x·apr(x). */
  readonly incomePerYear: number;
  /** Objective minus the objective of staying; with a tail, kappa times the change of its loss is in both. */
  readonly gainOverHorizon: number;
  readonly costUsd: number;
  readonly moves: readonly AllocationMove[];
  /** True when the answer is the global optimum; false: within `gap` of it. */
  readonly exact: boolean;
  /** Upper bound on what the optimum could be above this answer, USD over the horizon. Zero when exact. */
  readonly gap: number;
  /** Mean loss in the tail over the horizon, USD; only where the problem has a tail. */
  readonly tailLossUsd?: number;
}
