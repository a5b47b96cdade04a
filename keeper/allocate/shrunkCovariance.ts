// Covariance from few observations: the sample's, shrunk towards equal variances without correlation by as much as its own
// noise asks for (Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004).

/** Square, symmetric; row by row. */
export type Matrix = readonly (readonly number[])[];

export interface ShrunkCovariance {
  readonly matrix: Matrix;
  /** 0: the sample's; 1: equal variances and nothing else. */
  readonly shrinkage: number;
}

/**
 * @param returns By venue, oldest first, all of one length of at least 2 and of the same moments.
 * @returns covariances of one step, divided by the number of steps (not one less), as in the paper.
 */
export function shrunkCovariance(returns: readonly (readonly number[])[]): ShrunkCovariance {
  const steps = returns[0]?.length ?? 0;
  if (steps < 2 || returns.some(({ length }) => length !== steps)) {
    throw new RangeError("series of one length of at least 2 are needed");
  }
  const size = returns.length;
  const centred = returns.map((series) => {
    const mean = series.reduce((sum, value) => sum + value, 0) / steps;
    return series.map((value) => value - mean);
  });
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, t) => sum + v * (b[t] ?? 0), 0);
  const sample = centred.map((a) => centred.map((b) => dot(a, b) / steps));
  const variance = sample.reduce((sum, row, i) => sum + (row[i] ?? 0), 0) / size;

  // How far the sample is from its target, and how much of that is noise: both mean squares of an entry.
  let distance = 0;
  let noise = 0;
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const mean = sample[i]?.[k] ?? 0;
      distance += (mean - (i === k ? variance : 0)) ** 2;
      let squares = 0;
      for (let t = 0; t < steps; t++) squares += ((centred[i]?.[t] ?? 0) * (centred[k]?.[t] ?? 0) - mean) ** 2;
      noise += squares / steps ** 2;
    }
  }
  const shrinkage = distance > 0 ? Math.min(1, noise / distance) : 1;
  const matrix = sample.map((row, i) =>
    row.map((value, k) => (1 - shrinkage) * value + (i === k ? shrinkage * variance : 0)),
  );
  return { matrix, shrinkage };
}
