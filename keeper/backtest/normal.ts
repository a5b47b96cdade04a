// The standard normal distribution, to double precision.

const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);
/** From here on the continued fraction converges, and keeps the digits of a tail, which are lost beside 1/2. */
const FAR = 2;
const TERMS = 200;

export function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / ROOT_TWO_PI;
}

/** P(X ≤ x). */
export function normalCdf(x: number): number {
  if (x <= -FAR) return normalDensity(x) / millsFraction(-x);
  if (x >= FAR) return 1 - normalDensity(x) / millsFraction(x);
  // Φ(x) = 1/2 + φ(x) · (x + x³/3 + x⁵/(3·5) + …)
  let term = x;
  let sum = x;
  for (let k = 1; k < TERMS && Math.abs(term) > 1e-18 * Math.abs(sum); k++) {
    term *= (x * x) / (2 * k + 1);
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}

/** φ(x) / (1 − Φ(x)) = x + 1/(x + 2/(x + 3/(x + …))) for x above 0. */
function millsFraction(x: number): number {
  let fraction = x;
  for (let k = TERMS; k >= 1; k--) fraction = x + k / fraction;
  return fraction;
}

/**
 * The x with P(X ≤ x) = p.
 * @throws RangeError outside of 0 < p < 1.
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`${p} is no probability between 0 and 1`);
  let low = -40;
  let high = 40;
  let x = 0;
  // Newton's steps, by bisection where they lead outside of what is known.
  for (let step = 0; step < 200; step++) {
    const over = normalCdf(x) - p;
    if (over === 0) break;
    if (over > 0) high = x;
    else low = x;
    const newton = x - over / normalDensity(x);
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 1e-15 * Math.max(1, Math.abs(x))) return next;
    x = next;
  }
  return x;
}
