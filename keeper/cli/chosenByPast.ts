// `walk-forward` among the strategies of `tiller backtest`: the live decision with parameters that the past of each fold chose
// out of many, which are tried first, and what is said of that.
import { combinations, type Parameters } from "../backtest/parameters";
import type { Market } from "../backtest/market";
import type { Strategy } from "../backtest/strategy";
import type { Grid } from "../backtest/truth";
import { foldsThatFit, LEAST_FOLD_DAYS, walkForward, walkForwardAlong, WALK_FORWARD } from "../backtest/walkForward";
import { InputFailure } from "../config/failure";
import type { Request } from "./backtestRequest";
import { percent } from "./printing";
import { foldsOf, MOST_TRIALS, tryAll, type SweepSettings, type Tried } from "./sweep";

/** Shorter steps tell parameters apart no better, and cost the more the shorter they are. */
const LEAST_TRIAL_STEP_SECONDS = 3_600;

/** Tried where a future is altered over and over: how it is chosen does not depend on among how many. */
export const TRIED_FOR_LEAKS: readonly string[] = ["half-life-hours=6,168", "cooldown-hours=1,24"];

export interface ChosenByPast {
  /** None or one. */
  readonly strategies: readonly Strategy[];
  /** Null: it was left out, and the notes say why, or nobody asked for it. */
  readonly tried: (Tried & { readonly folds: number }) | null;
  readonly notes: readonly string[];
}

/** @throws InputFailure `BACKTEST_SPAN` where it was asked for by name and nothing can be chosen by the past; `SWEEP_…`. */
export async function chosenByPast(
  request: Request,
  history: { readonly market: Market; readonly dataHash: string },
  { settings, signal }: { readonly settings: Omit<SweepSettings, "seed">; readonly signal: AbortSignal },
): Promise<ChosenByPast> {
  const { grid } = history.market;
  const found = foldsOfRequest(request, grid, settings.folds);
  if (found.folds === null) return { strategies: [], tried: null, notes: found.notes };
  const { folds } = found;
  const stepSeconds = Math.max(LEAST_TRIAL_STEP_SECONDS, grid.stepSeconds);
  const tried = await tryAll(request, history, { ...settings, folds, signal, stepSeconds, out: undefined });
  const { sets, chosen } = tried;
  return { strategies: [walkForward(sets, request.parameters, chosen)], tried: { ...tried, folds }, notes: [] };
}

/** The same for any market, without anything tried first: for the check for leaks. @throws as {@link chosenByPast}. */
export function chosenAlong(
  request: Request,
  grid: Grid,
  { vary, folds: asked }: Pick<SweepSettings, "vary" | "folds">,
): { readonly strategiesOn: (market: Market) => Strategy[]; readonly notes: readonly string[] } {
  const { folds, notes } = foldsOfRequest(request, grid, asked);
  if (folds === null) return { strategiesOn: () => [], notes };
  const { run, parameters: first } = request;
  const sets = combinations(first, vary, MOST_TRIALS);
  return {
    strategiesOn: (market) => [walkForwardAlong(market, sets, { first, folds, run })],
    notes: [`${WALK_FORWARD}: chosen among ${sets.length} parameters in ${folds} folds`],
  };
}

function foldsOfRequest(
  { walkForward: wanted, series }: Request,
  grid: Grid,
  asked: number,
): { readonly folds: number | null; readonly notes: readonly string[] } {
  if (wanted === "no") return { folds: null, notes: [] };
  const leftOut = (why: string): { folds: null; notes: string[] } => ({
    folds: null,
    notes: [`${WALK_FORWARD}: left out, ${why}`],
  });
  if (wanted === "with all" && series.length < 2) return leftOut("there is nothing to choose from in one market");
  const folds = foldsThatFit(grid, asked);
  if (folds !== null) return { folds, notes: [] };
  if (asked < 2) return refused("one fold has no past to choose by", "--folds", "Ask for two folds or more.");
  const why = `to choose by the past takes two folds of ${LEAST_FOLD_DAYS} days at the least`;
  return wanted === "with all" ? leftOut(why) : refused(why, "--to", `Name a later end, or leave out ${WALK_FORWARD}.`);
}

function refused(why: string, field: string, remedy: string): never {
  throw new InputFailure("BACKTEST_SPAN", why, { field, remedy });
}

/** What the figures of the strategy rest on; null: it did not run. */
export function choiceShape(
  { tried }: ChosenByPast,
  of: { readonly request: Request; readonly grid: Grid },
): { readonly folds: readonly { from: string; parameters: Parameters }[] } | null {
  if (tried === null) return null;
  const { overfitting, deflatedSharpe } = tried.verdict;
  return {
    ...{ trials: tried.trials.length, folds: foldsOf(tried, of) },
    ...{ overfitting: overfitting?.probability ?? null, deflatedSharpe },
  };
}

export function choiceWords({ tried }: ChosenByPast): string[] {
  if (tried === null) return [];
  const { trials, folds, verdict } = tried;
  const { overfitting, deflatedSharpe } = verdict;
  const luck =
    overfitting === null
      ? "too few trials or days to say how much is overfitted"
      : `probability of overfitting ${percent(overfitting.probability)}, deflated Sharpe ratio of the best ${deflatedSharpe === null ? "–" : deflatedSharpe.toFixed(3)}`;
  return [
    `${WALK_FORWARD}: at the begin of each of ${folds} folds the past chose one of ${trials.length} parameters, the first begins as configured; ${luck}`,
  ];
}
