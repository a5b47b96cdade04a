// One strategy over one market, step by step: what was decided a step ago is traded, then the strategy decides on what is known
// a lag ago, then interest runs to the next step.
import { DUST_USD } from "../allocate/allocate";
import { Ledger } from "./ledger";
import type { Market } from "./market";
import type { Decider, Situation, Strategy } from "./strategy";
import type { Growth } from "./truth";

export interface RunOptions {
  /** USD. */
  readonly capital: number;
  /** Of the amount that goes from one venue to another, half of it at either end. */
  readonly costBps: number;
  /** Keep what was held at each step ({@link Run.holdings}) and what was decided ({@link Run.decisions}). */
  readonly record?: boolean;
}

/** A part of what should leave a venue is taken when its gas is at most this share of it; else it waits for more. */
const MOST_GAS_OF_PART = 0.01;

/** One trade that was made. */
export interface Trade {
  readonly step: number;
  /** Step of the decision. */
  readonly decided: number;
  /** USD that changed place: the larger of what came out of venues and what went into them. */
  readonly movedUsd: number;
  /** Pairs of a withdrawal and a deposit, each of which costs gas. */
  readonly moves: number;
  readonly gasUsd: number;
  /** Proportional costs. */
  readonly feesUsd: number;
  /** Part of it still waits for the venue's cash. */
  readonly partial: boolean;
  /** In the strategy's words; null where it says none or the run is not recorded. */
  readonly reason: string | null;
}

/** What a run leaves: all that figures and plots are made of. */
export interface Run {
  readonly strategy: string;
  /** USD at each moment of the grid, after its trades: one more than there are steps. */
  readonly equity: Float64Array;
  /** Without the first placement, which is free. */
  readonly trades: readonly Trade[];
  /** Orders that would have cost more than they moved, and were not sent. */
  readonly refused: number;
  /** Steps at which an order waited for a venue without cash. */
  readonly waited: number;
  /** [step × venues + venue] USD after the trades; empty unless recorded. */
  readonly holdings: Float64Array;
  /** [step × venues + venue] wanted share of the total; NaN: the strategy left everything as it was. Empty unless recorded. */
  readonly decisions: Float64Array;
}

/** What is to be traded. What could not leave its venue waits, and goes where the rest went. */
interface Order {
  active: boolean;
  decided: number;
  reason: string | null;
  /** USD to come out of each venue; infinite: all. */
  readonly out: Float64Array;
  /** USD that was to go into each: what comes out goes in by these shares. */
  readonly into: Float64Array;
  /** USD to stay cash. */
  idle: number;
}

/** What the loop needs of a market. */
export type Traded = Pick<Market, "grid" | "venues" | "knowledge" | "gasUsd"> & { readonly truth: readonly Growth[] };

export class Backtest {
  readonly #market: Traded;
  readonly #strategy: Strategy;
  readonly #decider: Decider;
  readonly #ledger: Ledger;
  readonly #halfCost: number;
  readonly #order: Order;
  readonly #wanted: Float64Array;
  readonly #fills: Float64Array;
  readonly #situation: { -readonly [K in keyof Situation]: Situation[K] };
  readonly #equity: Float64Array;
  readonly #holdings: Float64Array;
  readonly #decisions: Float64Array;
  readonly #trades: Trade[] = [];
  #refused = 0;
  #waited = 0;
  #step = 0;

  constructor(market: Traded, strategy: Strategy, options: RunOptions) {
    const venues = market.venues.length;
    const { from, steps } = market.grid;
    this.#market = market;
    this.#strategy = strategy;
    this.#decider = strategy.start(market.knowledge, { costBps: options.costBps });
    this.#ledger = new Ledger(options.capital, venues);
    this.#halfCost = options.costBps / 2e4;
    this.#wanted = new Float64Array(venues);
    this.#fills = new Float64Array(venues);
    this.#order = {
      ...{ active: false, decided: 0, reason: null, idle: 0 },
      ...{ out: new Float64Array(venues), into: new Float64Array(venues) },
    };
    this.#equity = new Float64Array(steps + 1);
    this.#holdings = new Float64Array(options.record === true ? steps * venues : 0);
    this.#decisions = new Float64Array(options.record === true ? steps * venues : 0);
    this.#situation = {
      ...{ step: 0, at: from, knownAt: from - market.knowledge.lagSeconds, gasUsd: 0, first: true, lastMovedAt: null },
      ...{ held: this.#ledger.held, cash: options.capital, total: options.capital },
    };
  }

  /**
   * Goes on for at most `steps` steps.
   * @returns whether the end is reached.
   * @throws ConservationError
   */
  advance(steps = Infinity): boolean {
    const { grid, truth, knowledge } = this.#market;
    const ledger = this.#ledger;
    const now = this.#situation;
    const recording = this.#holdings.length > 0;
    const end = Math.min(grid.steps, this.#step + steps);
    let total = ledger.total;
    for (let k = this.#step; k < end; k += 1) {
      now.step = k;
      now.at = grid.from + k * grid.stepSeconds;
      if (this.#order.active) total = this.#trade(k);
      now.knownAt = now.at - knowledge.lagSeconds;
      now.cash = ledger.cash;
      now.total = total;
      now.gasUsd = now.first ? 0 : (knowledge.gasUsd[k] as number);
      this.#wanted.set(ledger.held);
      const moves = this.#decider.decide(now, this.#wanted);
      if (recording) this.#recordDecision(k, moves, total);
      if (moves) {
        this.#order.reason = recording ? (this.#decider.reason?.() ?? null) : null;
        this.#place(k, total);
        if (now.first) total = this.#trade(k);
      }
      if (recording) this.#holdings.set(ledger.held, k * ledger.held.length);
      this.#equity[k] = total;
      ledger.accrue(truth, k);
      total = ledger.total;
      ledger.assertConserved(k, total);
    }
    this.#step = end;
    this.#equity[end] = total;
    return end === grid.steps;
  }

  /** What was done up to here. */
  run(): Run {
    return {
      strategy: this.#strategy.name,
      equity: this.#equity,
      trades: this.#trades,
      refused: this.#refused,
      waited: this.#waited,
      holdings: this.#holdings,
      decisions: this.#decisions,
    };
  }

  /** A new decision takes the place of what still waits. */
  #place(step: number, total: number): void {
    const order = this.#order;
    const { held } = this.#ledger;
    let placed = 0;
    order.active = false;
    for (let v = 0; v < held.length; v += 1) {
      const [from, to] = [held[v] as number, this.#wanted[v] as number];
      if (!(to >= 0)) throw new RangeError(`${this.#strategy.name} wants ${to} USD in ${this.#market.venues[v]}`);
      const leaves = from - to > DUST_USD || (to === 0 && from > 0);
      const enters = to - from > DUST_USD;
      order.out[v] = leaves ? (to === 0 ? Infinity : from - to) : 0;
      order.into[v] = enters ? to - from : 0;
      order.active ||= leaves || enters;
      placed += to;
    }
    if (placed > total * (1 + 1e-9) + DUST_USD) {
      throw new RangeError(`${this.#strategy.name} wants ${placed} USD of ${total}`);
    }
    order.decided = step;
    order.idle = total - placed > DUST_USD ? total - placed : 0;
  }

  /** @returns the total after it. */
  #trade(step: number): number {
    const order = this.#order;
    const ledger = this.#ledger;
    const first = this.#situation.first;
    let [out, sources, waiting, sinks, shares] = [0, 0, false, 0, 0];
    for (let v = 0; v < ledger.held.length; v += 1) {
      const wanted = Math.min(order.out[v] as number, ledger.held[v] as number);
      const fill = wanted > 0 ? this.#fillOf(step, v, wanted) : 0;
      this.#fills[v] = fill;
      out += fill;
      if (fill > 0) sources += 1;
      if (wanted - fill > DUST_USD) waiting = true;
      const share = order.into[v] as number;
      shares += share;
      if (share > 0) sinks += 1;
    }
    if (waiting) this.#waited += 1;

    const half = first ? 0 : this.#halfCost;
    const gasPrice = first ? 0 : (this.#market.gasUsd[step] as number);
    const spendable = ledger.cash + out * (1 - half) - order.idle;
    let gas = Math.max(sources, sinks) * gasPrice;
    let into = sinks > 0 ? Math.max(0, (spendable - gas) / (1 + half)) : 0;
    if (into <= DUST_USD) {
      // Nothing goes in (yet): only what comes out is to be paid for.
      into = 0;
      gas = sources * gasPrice;
    }
    const moves = Math.max(sources, into > 0 ? sinks : 0);
    const moved = Math.max(out, into);
    order.active = waiting;
    if (moves === 0 && (sinks === 0 || waiting)) return ledger.total;
    if (gas + half * (out + into) >= moved) {
      if (!waiting) this.#refused += 1;
      return ledger.total;
    }

    for (let v = 0; v < ledger.held.length; v += 1) {
      const fill = this.#fills[v] as number;
      if (fill > 0) ledger.withdraw(v, fill);
      if (waiting) order.out[v] = Math.max(0, (order.out[v] as number) - fill);
    }
    const fees = half * (out + into);
    if (gas + fees > 0) ledger.pay(gas + fees);
    for (let v = 0; v < ledger.held.length && into > 0; v += 1) {
      const share = order.into[v] as number;
      if (share > 0) ledger.deposit(v, (into * share) / shares);
    }
    if (first) this.#situation.first = false;
    else {
      const { decided, reason } = order;
      this.#trades.push({
        step,
        decided,
        movedUsd: moved,
        moves,
        gasUsd: gas,
        feesUsd: fees,
        partial: waiting,
        reason,
      });
      this.#situation.lastMovedAt = this.#situation.at;
    }
    return ledger.total;
  }

  #fillOf(step: number, venue: number, wanted: number): number {
    const truth = this.#market.truth[venue];
    const can = truth?.withdrawable(step, this.#ledger.held[venue] as number) ?? 0;
    if (can >= wanted) return wanted;
    const gasUsd = this.#market.gasUsd[step] as number;
    return can > DUST_USD && gasUsd <= MOST_GAS_OF_PART * can ? can : 0;
  }

  #recordDecision(step: number, moves: boolean, total: number): void {
    const venues = this.#wanted.length;
    for (let v = 0; v < venues; v += 1) {
      this.#decisions[step * venues + v] = moves ? (this.#wanted[v] as number) / total : NaN;
    }
  }
}

/** @throws ConservationError */
export function runBacktest(market: Traded, strategy: Strategy, options: RunOptions): Run {
  const backtest = new Backtest(market, strategy, options);
  backtest.advance();
  return backtest.run();
}
