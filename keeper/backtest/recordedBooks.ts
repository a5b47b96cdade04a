// What a recording's decisions earn in the backtest's own loop and books, at the rates that the vault's venues paid then, beside
// what the vault's share became worth on the chain. The two part by what a backtest does not know: blocks until a plan
// landed, rounding, fees.
import type { VaultSnapshot } from "../chain/snapshot";
import type { Plan } from "../decide/strategy";
import type { ObservationRow } from "../store/records";
import { runBacktest, type Traded } from "./run";
import { SECONDS_PER_YEAR } from "./series";
import type { Strategy } from "./strategy";

/** What the books need of a tick. */
export interface BookStep {
  /** Unix seconds. */
  readonly at: number;
  readonly sharePrice: bigint;
  /** By venue, in units of the asset. */
  readonly held: ReadonlyMap<string, number>;
  readonly idle: number;
  /** By venue, what it paid. */
  readonly pays: ReadonlyMap<string, Pay>;
  readonly plan: Plan | null;
}

/** Of a lender the rate that we got; of what has an index, what a unit is worth. Months of blocks are kept of it. */
export interface Pay {
  readonly apr: number;
  readonly index: number | null;
}

export interface Books {
  /** Block times of the first block with money placed, and of the last. */
  readonly from: number;
  readonly to: number;
  /** Of the money, before gas and fees. */
  readonly backtestReturn: number;
  /** Of a share, after fees. */
  readonly chainReturn: number;
}

export function bookStepOf(snapshot: VaultSnapshot, rows: readonly ObservationRow[], plan: Plan | null): BookStep {
  const held = new Map(snapshot.adapters.map(({ id, fairValue }) => [id, Number(fairValue)]));
  const pays = rows.map(({ venue, supplyApr, borrowed, index }): [string, Pay] => [
    venue,
    { apr: supplyApr ?? 0, index: borrowed === null ? Number(index ?? 0) : null },
  ]);
  return {
    ...{ at: snapshot.timestamp, sharePrice: snapshot.sharePrice },
    ...{ held, idle: Number(snapshot.idle), pays: new Map(pays), plan },
  };
}

/** Null where money was in no venue over at least two blocks. @throws ConservationError. */
export function booksOf(all: readonly BookStep[]): Books | null {
  const begin = all.findIndex(({ held }) => [...held.values()].some((amount) => amount > 0));
  const steps = inOrder(begin < 0 ? [] : all.slice(begin));
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined || first === last) return null;
  const market = marketOf(steps, first, last);
  const capital = totalOf(first);
  const { equity } = runBacktest(market, recorded(steps, market), { capital, costBps: 0 });
  return {
    ...{ from: first.at, to: last.at },
    backtestReturn: (equity.at(-1) as number) / capital - 1,
    chainReturn: Number(last.sharePrice) / Number(first.sharePrice) - 1,
  };
}

/** After a reorganisation a block's time may not be later than one seen before: the later sight counts. */
function inOrder(steps: readonly BookStep[]): BookStep[] {
  const kept: BookStep[] = [];
  for (const step of steps) {
    while ((kept.at(-1)?.at ?? -Infinity) >= step.at) kept.pop();
    kept.push(step);
  }
  return kept;
}

function marketOf(steps: readonly BookStep[], first: BookStep, last: BookStep): Traded {
  const stepSeconds = steps.slice(1).reduce((divisor, { at }) => commonDivisor(divisor, at - first.at), 0);
  // A step before the first block, in which nothing grows: the money is placed there as the block found it, and the block's own
  // plan is carried out like any other.
  const grid = { from: first.at - stepSeconds, stepSeconds, steps: 1 + (last.at - first.at) / stepSeconds };
  const venues = [...new Set(steps.flatMap(({ held }) => [...held.keys()]))];
  const gasUsd = new Float64Array(grid.steps);
  return {
    ...{ grid, venues, gasUsd },
    knowledge: { grid, lagSeconds: 0, priceTaker: true, series: [], rows: [], gasUsd },
    truth: venues.map((venue) => {
      const growth = new Float64Array(grid.steps);
      steps.slice(1).forEach((after, i) => {
        const before = steps[i] as BookStep;
        const count = (after.at - before.at) / stepSeconds;
        const begin = (before.at - grid.from) / stepSeconds;
        growth.fill(
          growthBetween(before.pays.get(venue), after.pays.get(venue), { count, stepSeconds }),
          begin,
          begin + count,
        );
      });
      return { growthOf: (step) => growth[step] as number, withdrawable: (_step, amount) => amount };
    }),
  };
}

/** Of each of `count` steps. */
function growthBetween(
  before: Pay | undefined,
  after: Pay | undefined,
  { count, stepSeconds }: { readonly count: number; readonly stepSeconds: number },
): number {
  const [from, to] = [before?.index ?? 0, after?.index ?? 0];
  if (from > 0 && to > 0) return (to / from) ** (1 / count) - 1;
  return ((before?.apr ?? 0) * stepSeconds) / SECONDS_PER_YEAR;
}

/** Begins with what the vault held, and follows the plans; what deposits and withdrawals did is left out. */
function recorded(steps: readonly BookStep[], { grid, venues }: Traded): Strategy {
  const byStep = new Map(steps.map((step) => [Math.round((step.at - grid.from) / grid.stepSeconds), step]));
  const placed = steps[0] as BookStep;
  return {
    name: "recorded",
    start: () => ({
      decide(now, wanted) {
        if (now.step === 0) {
          const scale = now.total / totalOf(placed);
          venues.forEach((venue, v) => (wanted[v] = (placed.held.get(venue) ?? 0) * scale));
          return true;
        }
        const step = byStep.get(now.step);
        if (step === undefined || step.plan === null) return false;
        const scale = now.total / totalOf(step);
        for (const move of step.plan.moves) {
          const v = venues.indexOf(move.venue);
          if (v < 0) continue;
          const held = step.held.get(move.venue) ?? 0;
          wanted[v] = Math.max(0, move.all ? 0 : (held + Number(move.assets)) * scale);
        }
        return true;
      },
    }),
  };
}

function totalOf({ held, idle }: BookStep): number {
  return [...held.values()].reduce((sum, amount) => sum + amount, idle);
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
