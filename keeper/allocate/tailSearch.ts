// The optimum with a tail. CVaR is the largest of all weighted sums of the scenarios' losses, with weights that are bounded;
// for one choice of weights the problem falls apart into venues again, and its optimum bounds what can be had. Each such
// optimum is a column; two small linear programmes say which mix of columns is best and which weights to try next
// (Dantzig and Wolfe's decomposition). Mixes are judged by the real objective, so that a bound is all that rests on theory.
import type { AllocationProblem } from "./problem";
import type { SearchResult } from "./search";
import { bestMix, mostWeights, worstWeights, type Column } from "./tailMaster";
import { cvar, lossesOf, type Scenarios } from "./tailRisk";

const HOURS_PER_YEAR = 8760;
const MOST_ROUNDS = 80;
/** Bound and best agree to so much of the gains at stake: nothing more is to be found. */
const CLOSE = 1e-9;
/** Sets of venues that move for which the gas is taken as paid. */
const MOST_SETS = 6;
const DUST_USD = 1e-6;
/** What the linear programmes take for zero: where one stalls, the next often does not. */
const PRECISIONS = [1e-10, 1e-9, 1e-11, 1e-8, 1e-12];

type Solve = (problem: AllocationProblem) => SearchResult;
type Value = (problem: AllocationProblem, amounts: ArrayLike<number>) => number;

export function searchWithTail(
  problem: AllocationProblem,
  scenarios: Scenarios,
  solve: Solve,
  value: Value,
): SearchResult {
  const whole = new Search(problem, scenarios, solve, value);
  whole.run();
  if (problem.gasUsdPerMove > 0 && !whole.closed()) {
    // Mixing allocations moves more venues than each does. With the movers chosen, gas is a constant: solved anew without.
    for (const movers of whole.moverSets()) {
      const part = new Search(onlyMoving(problem, movers), scenarios, solve, value);
      part.run();
      whole.consider(part.best);
    }
  }
  return whole.result();
}

/** The venues that may move, without gas; all others stay where they are. */
function onlyMoving(problem: AllocationProblem, movers: ReadonlySet<number>): AllocationProblem {
  const venues = problem.venues.map((venue, i) =>
    movers.has(i) ? venue : { ...venue, cap: venue.current, floor: venue.current },
  );
  return { ...problem, venues, gasUsdPerMove: 0 };
}

class Search {
  readonly #problem: AllocationProblem;
  readonly #scenarios: Scenarios;
  readonly #solve: Solve;
  readonly #value: Value;
  readonly #columns: Column[] = [];
  #bound = Number.POSITIVE_INFINITY;
  #bestValue = Number.NEGATIVE_INFINITY;
  #scale = 0;
  best: Float64Array = new Float64Array(0);

  constructor(problem: AllocationProblem, scenarios: Scenarios, solve: Solve, value: Value) {
    this.#problem = problem;
    this.#scenarios = scenarios;
    this.#solve = solve;
    this.#value = value;
  }

  run(): void {
    const { probabilities } = this.#scenarios;
    const most = mostWeights(this.#scenarios);
    // At the outset, the weights of the mean loss: feasible for every tail.
    this.#addOptimum(probabilities.map((p, s) => Math.min(p, most[s] as number)));
    for (let round = 0; round < MOST_ROUNDS && !this.closed(); round++) {
      if (!PRECISIONS.some((precision) => this.#improves(precision))) return;
    }
  }

  /** Whether the next weights lead to an allocation that was not known. */
  #improves(precision: number): boolean {
    const known = this.#columns.length;
    this.#considerMix(precision);
    if (this.closed()) return true;
    const weights = worstWeights(this.#columns, this.#scenarios, { unit: this.#unit(), precision });
    if (weights !== undefined) this.#addOptimum(weights);
    return this.#columns.length > known;
  }

  closed(): boolean {
    return this.#bound - this.#bestValue <= CLOSE * this.#scale;
  }

  consider(amounts: Float64Array): void {
    const losses = lossesOf(this.#scenarios, amounts);
    const value = this.#value(this.#problem, amounts) - this.#scenarios.kappa * cvar(this.#scenarios, losses);
    if (!(value > this.#bestValue)) return;
    this.#bestValue = value;
    this.best = amounts;
  }

  result(): SearchResult {
    const bound = Math.max(this.#bound, this.#bestValue);
    return { amounts: this.best, value: this.#bestValue, bound, scale: this.#scale };
  }

  /** Which venues move in what was found: the likeliest first, that of the best. */
  moverSets(): ReadonlySet<number>[] {
    const sets = new Map<string, ReadonlySet<number>>();
    for (const amounts of [this.best, ...this.#columns.map((column) => column.amounts).reverse()]) {
      const movers = this.#problem.venues.flatMap(({ current }, i) =>
        Math.abs((amounts[i] as number) - current) < DUST_USD ? [] : [i],
      );
      sets.set(movers.join(), new Set(movers));
      if (sets.size === MOST_SETS) break;
    }
    return [...sets.values()];
  }

  /** The optimum for given weights: a bound on everything, and an allocation. */
  #addOptimum(weights: readonly number[]): void {
    const { kappa, losses } = this.#scenarios;
    const years = this.#problem.horizonHours / HOURS_PER_YEAR;
    // Weights may add up to 1 and a rounding: less of them is a weaker bound, and still one.
    const sum = Math.max(
      1,
      weights.reduce((all, weight) => all + weight, 0),
    );
    const venues = this.#problem.venues.map((venue, i) => {
      const tail = weights.reduce((lost, weight, s) => lost + (weight / sum) * (losses[s]?.[i] as number), 0);
      return { ...venue, expectedLossApr: venue.expectedLossApr + (kappa * tail) / years };
    });
    const { amounts, bound, scale } = this.#solve({ ...this.#problem, venues });
    this.#bound = Math.min(this.#bound, bound);
    this.#scale = Math.max(this.#scale, scale);
    this.consider(amounts);
    const same = this.#columns.some((column) => column.amounts.every((amount, i) => amount === amounts[i]));
    if (same) return;
    const gain = this.#value(this.#problem, amounts);
    this.#columns.push({ amounts, gain, losses: lossesOf(this.#scenarios, amounts) });
  }

  #considerMix(precision: number): void {
    const shares = bestMix(this.#columns, this.#scenarios, { unit: this.#unit(), precision });
    if (shares === undefined) return;
    const mix = new Float64Array(this.#problem.venues.length);
    shares.forEach((share, j) => {
      if (share === 0) return;
      const { amounts } = this.#columns[j] as Column;
      for (let i = 0; i < mix.length; i++) mix[i] = (mix[i] as number) + share * (amounts[i] as number);
    });
    this.consider(mix);
  }

  /** What gains and losses are of the order of: the solver likes numbers near 1. */
  #unit(): number {
    return Math.max(...this.#columns.map(({ gain, losses }) => Math.max(Math.abs(gain), ...losses)), 1e-9);
  }
}
