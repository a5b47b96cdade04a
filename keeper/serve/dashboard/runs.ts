// Decisions as a list that can be read: a keeper that holds for an hour writes a hold for every block, and the
// rebalances must not drown in them.
import type { PageDecision } from "../../app/view";

export interface DecisionRun {
  /** The newest of the run: the one that is shown. */
  readonly newest: PageDecision;
  /** Older holds directly before it, newest first; empty for a rebalance. */
  readonly earlier: readonly PageDecision[];
}

/** Consecutive holds become one run; a rebalance is always a run of its own. Newest first, in and out. */
export function decisionRuns(decisions: readonly PageDecision[]): DecisionRun[] {
  const runs: { newest: PageDecision; earlier: PageDecision[] }[] = [];
  for (const decision of decisions) {
    const last = runs.at(-1);
    if (last !== undefined && last.newest.action === "hold" && decision.action === "hold") {
      last.earlier.push(decision);
    } else {
      runs.push({ newest: decision, earlier: [] });
    }
  }
  return runs;
}
