// Parameters chosen anew at the begin of each fold, on what was known by then: the only figures of a sweep that nobody could
// have picked afterwards.
import type { Market } from "./market";
import type { Parameters } from "./parameters";
import { strategyWith } from "./parameters";
import { Backtest, type RunOptions } from "./run";
import type { Decider, Strategy } from "./strategy";
import type { Grid } from "./truth";

const DAY = 86_400;

/** Its name among strategies. */
export const WALK_FORWARD = "walk-forward";

/** In less, what parameters earned says nothing of them. */
export const LEAST_FOLD_DAYS = 14;

export interface Fold {
  /** First step. */
  readonly begin: number;
  /** Place among the trials; null: the parameters one starts with, for there is no past to choose by. */
  readonly chosen: number | null;
}

/** When parameters are chosen, and by what. */
interface Choice {
  /** First step of the fold. */
  readonly begin: number;
  /** Day at whose end the trials are compared; null: there is none. */
  readonly day: number | null;
}

/**
 * Of the asked folds as many as are long enough to choose by ({@link LEAST_FOLD_DAYS}).
 * @returns null: not even two, and nothing could be chosen by the past.
 */
export function foldsThatFit({ steps, stepSeconds }: Grid, asked: number): number | null {
  const fit = Math.min(asked, Math.floor((steps * stepSeconds) / DAY / LEAST_FOLD_DAYS));
  return fit < 2 ? null : fit;
}

/**
 * The best of the past at the begin of each fold: of all trials the one with the greatest value a day before, and as many whole
 * days more as a decision's knowledge lags behind.
 *
 * @param equities Value of each trial at the end of each whole day of the grid, the begin first.
 */
export function chooseFolds(
  equities: readonly Float64Array[],
  grid: Grid,
  { folds, lagSeconds }: { readonly folds: number; readonly lagSeconds: number },
): Fold[] {
  return choicesOf(grid, folds, lagSeconds).map(({ begin, day }) => ({
    begin,
    chosen: day === null ? null : bestOf(equities.map((equity) => equity[day] as number)),
  }));
}

/** One run with one book: at the begin of each fold the next parameters take over what is held. */
export function walkForward(trials: readonly Parameters[], first: Parameters, folds: readonly Fold[]): Strategy {
  return inFolds(
    folds,
    () =>
      ({ chosen }) =>
        chosen === null ? first : (trials[chosen] as Parameters),
  );
}

/**
 * The same with nothing run before: every trial goes along in a book of its own, and at the begin of a fold no further than
 * the day that it is chosen by. So that a check for leaks may give it another future.
 */
export function walkForwardAlong(
  market: Market,
  trials: readonly Parameters[],
  of: { readonly first: Parameters; readonly folds: number; readonly run: RunOptions },
): Strategy {
  const { grid, knowledge } = market;
  const { first, folds, run } = of;
  return inFolds(choicesOf(grid, folds, knowledge.lagSeconds), () => {
    const books = trials.map((parameters) => new Backtest(market, strategyWith("trial", parameters), run));
    let done = 0;
    return ({ day }) => {
      if (day === null) return first;
      // What is there at a step is known once its trades are made.
      const step = (day * DAY) / grid.stepSeconds;
      for (const book of books) book.advance(step + 1 - done);
      done = step + 1;
      return trials[bestOf(books.map((book) => book.run().equity[step] as number))] as Parameters;
    };
  });
}

function choicesOf(grid: Grid, folds: number, lagSeconds: number): Choice[] {
  const days = Math.floor((grid.steps * grid.stepSeconds) / DAY);
  const unseen = 1 + Math.floor(lagSeconds / DAY);
  return Array.from({ length: folds }, (_, f) => {
    const begin = Math.floor((f * days) / folds);
    const day = begin - unseen;
    return { begin: Math.round((begin * DAY) / grid.stepSeconds), day: f > 0 && day > 0 ? day : null };
  });
}

/** Place of the greatest, the first of equal ones. */
function bestOf(values: readonly number[]): number {
  return values.reduce((best, value, j) => (value > (values[best] as number) ? j : best), 0);
}

/** @param parametersBy Begins a run, and is asked for each fold in turn. */
function inFolds<F extends { readonly begin: number }>(
  folds: readonly F[],
  parametersBy: () => (fold: F) => Parameters,
): Strategy {
  return {
    name: WALK_FORWARD,
    start(knowledge, terms): Decider {
      const parametersOf = parametersBy();
      let fold = -1;
      let decider: Decider | null = null;
      return {
        decide(now, wanted) {
          while (fold + 1 < folds.length && (folds[fold + 1] as F).begin <= now.step) {
            fold += 1;
            decider = strategyWith(WALK_FORWARD, parametersOf(folds[fold] as F)).start(knowledge, terms);
          }
          return decider?.decide(now, wanted) ?? false;
        },
        reason: () => decider?.reason?.() ?? "",
      };
    },
  };
}
