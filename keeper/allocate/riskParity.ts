// Hierarchical risk parity (López de Prado, "Building Diversified Portfolios that Outperform Out of Sample", 2016): what moves
// together shares one part of the risk, however many venues it is. Needs no expected returns and inverts no matrix.
import type { Matrix } from "./shrunkCovariance";

/** Weights that add up to 1, none negative, in the order of the matrix. */
export function riskParity(covariance: Matrix): number[] {
  const size = covariance.length;
  const weights = new Array<number>(size).fill(1);
  if (size === 0) return weights;
  const divide = (members: readonly number[]): void => {
    if (members.length < 2) return;
    const half = Math.floor(members.length / 2);
    const [left, right] = [members.slice(0, half), members.slice(half)];
    const [a, b] = [clusterVariance(covariance, left), clusterVariance(covariance, right)];
    const share = a + b > 0 ? b / (a + b) : 0.5;
    for (const i of left) weights[i] = (weights[i] as number) * share;
    for (const i of right) weights[i] = (weights[i] as number) * (1 - share);
    divide(left);
    divide(right);
  };
  divide(clusteredOrder(covariance));
  return weights;
}

/** Venues in an order that puts those next to each other that move together: the leaves of a single-linkage tree. */
function clusteredOrder(covariance: Matrix): readonly number[] {
  const size = covariance.length;
  const near = covariance.map((row, i) =>
    row.map((value, k) => {
      const deviations = Math.sqrt((covariance[i]?.[i] ?? 0) * (covariance[k]?.[k] ?? 0));
      const correlation = i === k ? 1 : deviations > 0 ? Math.max(-1, Math.min(1, value / deviations)) : 0;
      return Math.sqrt((1 - correlation) / 2);
    }),
  );
  // Two venues are alike when they are as far from all the others.
  const between = near.map((a) => near.map((b) => Math.hypot(...a.map((value, t) => value - (b[t] ?? 0)))));
  let clusters: number[][] = Array.from({ length: size }, (_, i) => [i]);
  const linkage = (a: readonly number[], b: readonly number[]): number =>
    Math.min(...a.flatMap((i) => b.map((k) => between[i]?.[k] ?? 0)));
  while (clusters.length > 1) {
    let [first, second, least] = [0, 1, Number.POSITIVE_INFINITY];
    for (let a = 0; a < clusters.length; a++) {
      for (let b = a + 1; b < clusters.length; b++) {
        const distance = linkage(clusters[a] as number[], clusters[b] as number[]);
        if (distance < least) [first, second, least] = [a, b, distance];
      }
    }
    const joined = [...(clusters[first] as number[]), ...(clusters[second] as number[])];
    // As a tree is read: what was joined last comes last.
    clusters = [...clusters.filter((_, k) => k !== first && k !== second), joined];
  }
  return clusters[0] ?? [];
}

/** Variance of the cluster when its members are weighted by the inverse of their own. */
function clusterVariance(covariance: Matrix, members: readonly number[]): number {
  const variances = members.map((i) => covariance[i]?.[i] ?? 0);
  if (variances.some((variance) => !(variance > 0))) return 0;
  const sum = variances.reduce((all, variance) => all + 1 / variance, 0);
  let total = 0;
  members.forEach((i, a) => {
    members.forEach((k, b) => {
      total += (covariance[i]?.[k] ?? 0) / ((variances[a] as number) * (variances[b] as number)) / sum ** 2;
    });
  });
  return total;
}
