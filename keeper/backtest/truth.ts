// What happened: how much a position in each market grew in each step. Strategies never see it; the ledger and the hindsight
// optimum do.
//
// A rate is in force from the moment of its state to that of the next, whenever it became known. Interest runs in seconds,
// simple within a state and compounded at the next, as Aave's liquidity index is (a year has 365 days): the growth of a step
// is the quotient of that index at its two ends. With our own deposit in the market the rate is that of the step's mean state
// by the model that decisions use (`venues/observedCurve.ts`), which without a deposit is the step's growth to the last digit.
import { ObservedModel } from "../venues/observedCurve";
import { supplyApr, type RateModel } from "../venues/rateModel";
import { SECONDS_PER_YEAR, type RateSeries } from "./series";

/** Moments `from` + k · `stepSeconds`, k = 0 … `steps`: trades happen at them, interest runs between them. */
export interface Grid {
  readonly from: number;
  readonly stepSeconds: number;
  readonly steps: number;
}

/** What the books ask of a market. */
export interface Growth {
  /** What a deposit of `held` USD, which is not among the market's own supply, grows by in a step. */
  growthOf(step: number, held: number): number;
  /** What of `held` can leave. */
  withdrawable(step: number, held: number): number;
}

export class MarketTruth implements Growth {
  /** Of a position that is nothing beside the market, in each step: 0.00001 is a hundred-thousandth more. */
  readonly growth: Float64Array;
  /** Mean of each step, USD; undefined: our deposit changes nothing. */
  readonly #supplied: Float64Array | undefined;
  readonly #borrowed: Float64Array | undefined;
  readonly #series: RateSeries;
  readonly #grid: Grid;
  readonly #model: ObservedModel;
  readonly #years: number;

  /** The series must have a state in force at the grid's begin. */
  constructor(series: RateSeries, grid: Grid, options: { readonly priceTaker: boolean }) {
    this.#series = series;
    this.#grid = grid;
    this.#model = new ObservedModel(series.shape);
    this.#years = grid.stepSeconds / SECONDS_PER_YEAR;
    this.growth = new Float64Array(grid.steps);
    const dilutes = series.lends && !options.priceTaker;
    this.#supplied = dilutes ? new Float64Array(grid.steps) : undefined;
    this.#borrowed = dilutes ? new Float64Array(grid.steps) : undefined;
    this.#walk();
  }

  #walk(): void {
    const { observedAt, apr, supplied, borrowed } = this.#series;
    const { from, stepSeconds, steps } = this.#grid;
    let row = this.#series.observedBy(from) - 1;
    // Index at the row's own time; only quotients count.
    let base = 1;
    const indexAt = (t: number): number =>
      base * (1 + ((apr[row] as number) * (t - (observedAt[row] as number))) / SECONDS_PER_YEAR);
    let before = indexAt(from);
    for (let k = 0; k < steps; k += 1) {
      const begin = from + k * stepSeconds;
      const end = begin + stepSeconds;
      let [at, suppliedSum, borrowedSum] = [begin, 0, 0];
      while (row + 1 < observedAt.length && (observedAt[row + 1] as number) <= end) {
        const next = observedAt[row + 1] as number;
        suppliedSum += (supplied[row] as number) * (next - at);
        borrowedSum += (borrowed[row] as number) * (next - at);
        base = indexAt(next);
        row += 1;
        at = next;
      }
      const after = indexAt(end);
      this.growth[k] = after / before - 1;
      before = after;
      if (this.#supplied === undefined || this.#borrowed === undefined) continue;
      this.#supplied[k] = (suppliedSum + (supplied[row] as number) * (end - at)) / stepSeconds;
      this.#borrowed[k] = (borrowedSum + (borrowed[row] as number) * (end - at)) / stepSeconds;
    }
  }

  growthOf(step: number, held: number): number {
    const growth = this.growth[step] as number;
    if (this.#supplied === undefined || held <= 0) return growth;
    return supplyApr(this.modelAt(step), held) * this.#years;
  }

  /** The mean state of a step as a rate model; the object is the next call's too. Only of markets that dilute. */
  modelAt(step: number): RateModel {
    const at = this.#grid.from + step * this.#grid.stepSeconds;
    return this.#model.at(
      this.#supplied?.[step] ?? 0,
      this.#borrowed?.[step] ?? NaN,
      (this.growth[step] as number) / this.#years,
      this.#series.curveAt(at),
    );
  }

  /** What of `held` can leave: what the others supplied and nobody borrowed, and our own. */
  withdrawable(step: number, held: number): number {
    if (this.#supplied === undefined || this.#borrowed === undefined) return held;
    const cash = (this.#supplied[step] as number) + held - (this.#borrowed[step] as number);
    return Math.max(0, Math.min(held, cash));
  }
}
