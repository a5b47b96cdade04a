// A small dense linear system: symmetric, positive definite up to rounding, one row for each limit of the problem.

/** Solves A·x = b by elimination with diagonal pivots; `a` (row-major) and `b` are overwritten, x is returned in `b`. */
export function solveSymmetric(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const order = Array.from({ length: n }, (_, i) => i);
  const dropped = new Set<number>();
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) {
      if (diagonal(a, n, order[i] as number) > diagonal(a, n, order[pivot] as number)) pivot = i;
    }
    [order[k], order[pivot]] = [order[pivot] as number, order[k] as number];
    const row = order[k] as number;
    const head = diagonal(a, n, row);
    // A dependent row brings nothing new; its unknown stays 0.
    if (!(head > 0)) {
      for (let i = k; i < n; i++) dropped.add(order[i] as number);
      break;
    }
    for (let i = k + 1; i < n; i++) {
      const other = order[i] as number;
      const factor = (a[other * n + row] as number) / head;
      if (factor === 0) continue;
      for (let j = k + 1; j < n; j++) {
        const column = order[j] as number;
        a[other * n + column] = (a[other * n + column] as number) - factor * (a[row * n + column] as number);
      }
      b[other] = (b[other] as number) - factor * (b[row] as number);
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    const row = order[k] as number;
    if (dropped.has(row)) {
      b[row] = 0;
      continue;
    }
    let sum = b[row] as number;
    for (let j = k + 1; j < n; j++)
      sum -= (a[row * n + (order[j] as number)] as number) * (b[order[j] as number] as number);
    b[row] = sum / diagonal(a, n, row);
  }
  return b;
}

function diagonal(a: Float64Array, n: number, i: number): number {
  return a[i * n + i] as number;
}
