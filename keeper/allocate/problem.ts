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

export interface AllocationProblem {
  readonly total: number;
  readonly horizonHours: number;
  readonly gasUsdPerMove: number;
  readonly minIdle: number;
  readonly groups: readonly AllocationGroup[];
  readonly venues: readonly AllocationVenue[];
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
  /** Objective minus the objective of staying. */
  readonly gainOverHorizon: number;
  readonly costUsd: number;
  readonly moves: readonly AllocationMove[];
  /** True when the answer is the global optimum; false: within `gap` of it. */
  readonly exact: boolean;
  /** Upper bound on what the optimum could be above this answer, USD over the horizon. Zero when exact. */
  readonly gap: number;
}
