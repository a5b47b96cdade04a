// How often what was best in one half of history is below the middle in the other: the probability of backtest overfitting,
// by combinatorially symmetric cross-validation (Bailey, Borwein, López de Prado and Zhu, "The Probability of Backtest
// Overfitting", 2017). Theirs ranks by the Sharpe ratio; this one by how much the money grew, for that is what the sweep and the
// folds choose by, and the probability is that of a choice.
import { InputFailure } from "../config/failure";

export interface Overfitting {
  /** Share of splits in which the best of one half is at or below the median of the other. */
  readonly probability: number;
  readonly splits: number;
  /** Logit of the relative rank outside, by split; above 0: over the median. */
  readonly logits: Float64Array;
  /** Share of splits in which the best of one half grows less in the other than what it is compared with. */
  readonly lossProbability: number;
}

/** Blocks that history is cut into, as the paper has it: 12,870 splits in two halves. */
export const BLOCKS = 16;

/**
 * @param trials Log growth of each step over that of what they are compared with, by trial, all of the same steps.
 * @param blocks Even, at least 2.
 * @throws InputFailure `SWEEP_TOO_SMALL` with fewer than two trials, or fewer than two steps a block.
 */
export function overfitting(trials: readonly ArrayLike<number>[], blocks: number = BLOCKS): Overfitting {
  const steps = trials[0]?.length ?? 0;
  const length = Math.floor(steps / blocks);
  if (trials.length < 2 || length < 2 || trials.some((trial) => trial.length !== steps)) {
    throw new InputFailure(
      "SWEEP_TOO_SMALL",
      `${trials.length} trials of ${steps} steps say nothing of overfitting over ${blocks} blocks`,
      { field: "--sweep", remedy: `Try at least two sets of parameters, over at least ${2 * blocks} steps.` },
    );
  }
  const parts = trials.map((trial) => sumsOf(trial, { blocks, length }));
  const halves = halvesOf(blocks);
  const logits = new Float64Array(halves.length);
  let below = 0;
  let losing = 0;
  halves.forEach((half, k) => {
    const other = half.map((taken) => !taken);
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    parts.forEach((part, j) => {
      const growth = growthOf(part, half);
      if (growth > most) [best, most] = [j, growth];
    });
    const outside = parts.map((part) => growthOf(part, other));
    const own = outside[best] as number;
    // Ties count half, so that trials that are all alike are at the median.
    const rank = outside.reduce((sum, growth) => sum + (growth < own ? 1 : growth === own ? 0.5 : 0), 0.5);
    const relative = rank / (trials.length + 1);
    const logit = Math.log(relative / (1 - relative));
    logits[k] = logit;
    if (logit <= 0) below += 1;
    if (own < 0) losing += 1;
  });
  return {
    probability: below / halves.length,
    splits: halves.length,
    logits,
    lossProbability: losing / halves.length,
  };
}

function sumsOf(trial: ArrayLike<number>, { blocks, length }: { blocks: number; length: number }): Float64Array {
  const sums = new Float64Array(blocks);
  for (let t = 0; t < blocks * length; t++) {
    const b = Math.floor(t / length);
    sums[b] = (sums[b] as number) + (trial[t] as number);
  }
  return sums;
}

/** Over the chosen blocks. */
function growthOf(sums: Float64Array, chosen: readonly boolean[]): number {
  return sums.reduce((total, sum, b) => (chosen[b] === true ? total + sum : total), 0);
}

/** All ways to choose half of the blocks. */
function halvesOf(blocks: number): boolean[][] {
  const found: boolean[][] = [];
  const choose = (at: number, left: number, chosen: boolean[]): void => {
    if (at === blocks) {
      found.push([...chosen]);
      return;
    }
    if (left > 0) choose(at + 1, left - 1, [...chosen, true]);
    if (blocks - at > left) choose(at + 1, left, [...chosen, false]);
  };
  choose(0, blocks / 2, []);
  return found;
}
