// The books of one run: cash and positions. A position is a number of units of an index that grows as the position earns, so
// what interest was booked and what the position is worth are two figures, and their agreement is checked at every step.
import type { Growth } from "./truth";

/** Share of the capital that rounding may put on or take off. */
const CONSERVATION = 1e-9;

/** Money appeared or vanished: a defect of the backtest, never of its input. Nothing catches it. */
export class ConservationError extends Error {
  constructor(step: number, what: string) {
    super(`the books do not balance at step ${step}: ${what}`);
    this.name = new.target.name;
  }
}

export class Ledger {
  cash: number;
  /** USD by venue, as of the last accrual or trade. */
  readonly held: Float64Array;
  accrued = 0;
  costs = 0;
  readonly #capital: number;
  readonly #units: Float64Array;
  readonly #index: Float64Array;

  constructor(capital: number, venues: number) {
    this.#capital = capital;
    this.cash = capital;
    this.held = new Float64Array(venues);
    this.#units = new Float64Array(venues);
    this.#index = new Float64Array(venues).fill(1);
  }

  /** Cash and positions. */
  get total(): number {
    let sum = this.cash;
    for (let v = 0; v < this.held.length; v += 1) sum += this.held[v] as number;
    return sum;
  }

  /** Interest of one step. */
  accrue(truth: readonly Growth[], step: number): void {
    const { held } = this;
    for (let v = 0; v < held.length; v += 1) {
      const units = this.#units[v] as number;
      if (units === 0) continue;
      const before = this.#index[v] as number;
      const after = before * (1 + (truth[v] as Growth).growthOf(step, held[v] as number));
      this.#index[v] = after;
      this.accrued += units * (after - before);
      held[v] = units * after;
    }
  }

  /** From a venue to cash. */
  withdraw(venue: number, amount: number): void {
    const held = this.held[venue] as number;
    this.cash += amount;
    this.#set(venue, amount >= held ? 0 : (this.#units[venue] as number) - amount / (this.#index[venue] as number));
  }

  /** From cash to a venue. */
  deposit(venue: number, amount: number): void {
    this.cash -= amount;
    this.#set(venue, (this.#units[venue] as number) + amount / (this.#index[venue] as number));
  }

  /** From cash to nobody. */
  pay(amount: number): void {
    this.cash -= amount;
    this.costs += amount;
  }

  /** @throws ConservationError unless cash and positions are the capital and what was earned, less what was paid. */
  assertConserved(step: number, total: number): void {
    const tolerance = CONSERVATION * this.#capital;
    const expected = this.#capital + this.accrued - this.costs;
    if (!(Math.abs(total - expected) <= tolerance)) {
      throw new ConservationError(step, `${total} USD where ${expected} should be`);
    }
    if (!(this.cash >= -tolerance)) throw new ConservationError(step, `${this.cash} USD of cash`);
  }

  #set(venue: number, units: number): void {
    if (!(units >= 0)) throw new ConservationError(-1, `${units} units of venue ${venue}`);
    this.#units[venue] = units;
    this.held[venue] = units * (this.#index[venue] as number);
  }
}
