// Parameters chosen anew at the begin of each fold, on what was known by then: the only figures of a sweep that nobody could
// have picked afterwards.
import type { Parameters } from "./parameters";
import { strategyWith } from "./parameters";
import type { Decider, Strategy } from "./strategy";
import type { Grid } from "./truth";

const DAY = 86_400;

export interface Fold {
  /** First step. */
  readonly begin: number;
  /** Place among the trials; null: the parameters one starts with, for there is no past to choose by. */
  readonly chosen: number | null;
}

/**
 * The best of the past at the begin of each fold: of all trials the one with the greatest value a day before.
 *
 * @param equities Value of each trial at the end of each whole day of the grid, the begin first.
 */
export function chooseFolds(equities: readonly Float64Array[], grid: Grid, folds: number): Fold[] {
  const days = Math.floor((grid.steps * grid.stepSeconds) / DAY);
  const perDay = DAY / grid.stepSeconds;
  return Array.from({ length: folds }, (_, f) => {
    const begin = Math.floor((f * days) / folds);
    if (f === 0) return { begin: 0, chosen: null };
    let chosen = 0;
    equities.forEach((equity, j) => {
      if ((equity[begin - 1] as number) > (equities[chosen]?.[begin - 1] as number)) chosen = j;
    });
    return { begin: Math.round(begin * perDay), chosen };
  });
}

/** One run with one book: at the begin of each fold the next parameters take over what is held. */
export function walkForward(trials: readonly Parameters[], first: Parameters, folds: readonly Fold[]): Strategy {
  return {
    name: "walk-forward",
    start(knowledge, terms): Decider {
      let fold = -1;
      let decider: Decider | null = null;
      return {
        decide(now, wanted) {
          while (fold + 1 < folds.length && (folds[fold + 1] as Fold).begin <= now.step) {
            fold += 1;
            const { chosen } = folds[fold] as Fold;
            const parameters = chosen === null ? first : (trials[chosen] as Parameters);
            decider = strategyWith("walk-forward", parameters).start(knowledge, terms);
          }
          return decider?.decide(now, wanted) ?? false;
        },
        reason: () => decider?.reason?.() ?? "",
      };
    },
  };
}
