/**
 * Weights brought under their caps: what a cap takes away goes to the others in proportion to their own weight, as often as
 * it takes. What all caps together leave over is idle.
 *
 * @param weights None negative, with a sum of at most 1.
 * @param caps From 0 to 1.
 */
export function capWeights(weights: readonly number[], caps: readonly number[]): number[] {
  const wanted = weights.reduce((sum, weight) => sum + weight, 0);
  const capped = weights.map(() => false);
  for (;;) {
    const taken = weights.reduce((sum, _, i) => sum + (capped[i] === true ? (caps[i] ?? 0) : 0), 0);
    const free = weights.reduce((sum, weight, i) => sum + (capped[i] === true ? 0 : weight), 0);
    const factor = free > 0 ? (wanted - taken) / free : 0;
    const over = weights.findIndex((weight, i) => capped[i] !== true && weight * factor > (caps[i] ?? 0));
    if (over < 0) return weights.map((weight, i) => (capped[i] === true ? (caps[i] ?? 0) : weight * factor));
    weights.forEach((weight, i) => {
      if (weight * factor > (caps[i] ?? 0)) capped[i] = true;
    });
  }
}
