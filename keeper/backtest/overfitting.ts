// How often what was best in one half of history is below the middle in the other: the probability of backtest overfitting,
// by combinatorially symmetric cross-validation (Bailey, Borwein, López de Prado and Zhu, "The Probability of Backtest
// Overfitting", 2017).
import { InputFailure } from "../config/failure";

export interface Overfitting {
  /** Share of splits in which the best of one half is at or below the median of the other. */
  readonly probability: number;
  readonly splits: number;
  /** Logit of the relative rank outside, by split; above 0: over the median. */
  readonly logits: Float64Array;
  /** Share of splits in which the best of one half loses in the other. */
  readonly lossProbability: number;
}

/** Blocks that history is cut into, as the paper has it: 12,870 splits in two halves. */
export const BLOCKS = 16;

/**
 * @param trials Excess return of each step, by trial, all of the same steps.
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
      const sharpe = sharpeOf(part, { chosen: half, length });
      if (sharpe > most) [best, most] = [j, sharpe];
    });
    const outside = parts.map((part) => sharpeOf(part, { chosen: other, length }));
    const own = outside[best] as number;
    // Ties count half, so that trials that are all alike are at the median.
    const rank = outside.reduce((sum, sharpe) => sum + (sharpe < own ? 1 : sharpe === own ? 0.5 : 0), 0.5);
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

interface BlockSums {
  readonly sums: Float64Array;
  readonly squares: Float64Array;
}

function sumsOf(trial: ArrayLike<number>, { blocks, length }: { blocks: number; length: number }): BlockSums {
  const sums = new Float64Array(blocks);
  const squares = new Float64Array(blocks);
  for (let b = 0; b < blocks; b++) {
    for (let t = b * length; t < (b + 1) * length; t++) {
      const value = trial[t] as number;
      sums[b] = (sums[b] as number) + value;
      squares[b] = (squares[b] as number) + value * value;
    }
  }
  return { sums, squares };
}

/** Mean over deviation of the chosen blocks; 0 where nothing ever differs from 0. */
function sharpeOf(
  { sums, squares }: BlockSums,
  { chosen, length }: { readonly chosen: readonly boolean[]; readonly length: number },
): number {
  let [sum, square, count] = [0, 0, 0];
  for (let b = 0; b < chosen.length; b++) {
    if (chosen[b] !== true) continue;
    sum += sums[b] as number;
    square += squares[b] as number;
    count += length;
  }
  const mean = sum / count;
  const variance = square / count - mean * mean;
  // What is left of equal squares is rounding, not variance.
  if (!(variance > 1e-14 * (square / count))) return mean === 0 ? 0 : Math.sign(mean) * 1e12 * Math.abs(mean);
  return mean / Math.sqrt(variance);
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
