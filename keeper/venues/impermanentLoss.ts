// What a position in a pool of traders is worth less, after prices have moved, than the coins that it was: fees apart, and as
// arbitrage leaves the pool. A range of Uniswap V3 by the white paper's amounts (§6); Curve's 3pool by the cheapest coins on its
// invariant (StableSwap, Egorov 2019). Doubles: nothing here is what the chain is asked for.
import type { AdapterSnapshot } from "../chain/snapshot";
import type { Curve3PoolState } from "./curve3pool";
import { ratio } from "./exact";
import { amountsOf, rootOf, type UniswapV3State } from "./uniswapV3";

const COINS = 3;
/** Halvings of an interval until it is a double wide. */
const HALVINGS = 200;

/**
 * Share of the worth of a range's coins at one price that is missing at another, in [0, 1].
 * @param from Square root of the pool's price (second coin for one of the first, smallest units), as {@link rootOf}.
 */
export function rangeLoss(state: UniswapV3State, from: number, to: number): number {
  const [then, now] = [amountsOf(state, from), amountsOf(state, to)];
  const [held, left] = [then, now].map(({ amount0, amount1 }) => amount0 * to * to + amount1) as [number, number];
  return held > 0 ? Math.max(0, 1 - left / held) : 0;
}

/**
 * The same of the pool's own balances, where coins come to be worth `prices`, any unit, one for each coin. What is left is the
 * least that any balances of the same invariant are worth: arbitrage takes the rest.
 * @throws RangeError where a price is not above zero.
 */
export function stableSwapLoss(
  { balances, scales, amplification }: Pick<Curve3PoolState, "balances" | "scales" | "amplification">,
  prices: readonly number[],
): number {
  if (!prices.every((price) => price > 0)) throw new RangeError("a price is not above zero");
  const amounts = balances.map((balance, k) => ratio(balance * (scales[k] ?? 1n), 10n ** 18n));
  const held = worthOf(amounts, prices);
  if (!amounts.every((amount) => amount > 0)) return 0;
  const ann = Number(amplification) * COINS;
  return Math.max(0, 1 - (invariantOf(amounts, ann) * leastWorth(ann, prices)) / held);
}

/** What an adapter's position would lose so where its other coins fall by a share of their price, all at once; null: no such. */
export function lossIfOthersFall({ state }: Pick<AdapterSnapshot, "state">, fall: number): number | null {
  if (state?.kind === "curve-3pool") {
    return stableSwapLoss(
      state,
      state.balances.map((_balance, k) => (k === state.place ? 1 : 1 - fall)),
    );
  }
  if (state?.kind !== "uniswap-v3" || state.held === 0n) return null;
  const root = rootOf(state);
  return rangeLoss(state, root, state.assetFirst ? root / Math.sqrt(1 - fall) : root * Math.sqrt(1 - fall));
}

/**
 * Least worth of balances x of which the invariant is 1, that is a·Σx + 1 = a + g with g = 1 / (27·Πx). Its slope in each x is
 * a + g / x, which at the least is λ times the price: x = g / (λ·price − a), g by its definition, and λ where the invariant
 * holds. What is over there falls as λ rises.
 */
function leastWorth(ann: number, prices: readonly number[]): number {
  const at = (multiplier: number): { readonly left: number; readonly amounts: number[] } => {
    const gaps = prices.map((price) => multiplier * price - ann);
    const g = (gaps.reduce((product, gap) => product * gap, 1) / 27) ** 0.25;
    const amounts = gaps.map((gap) => g / gap);
    return { left: ann * amounts.reduce((sum, amount) => sum + amount, 0) + 1 - ann - g, amounts };
  };
  let low = ann / Math.min(...prices);
  let high = 2 * low + 4;
  while (at(high).left > 0) high *= 2;
  for (let k = 0; k < HALVINGS && high - low > Number.EPSILON * low; k += 1) {
    const middle = low + (high - low) / 2;
    if (at(middle).left > 0) low = middle;
    else high = middle;
  }
  return worthOf(at(high).amounts, prices);
}

/** By Newton's method from the sum, which is above it. */
function invariantOf(amounts: readonly number[], ann: number): number {
  const sum = amounts.reduce((total, amount) => total + amount, 0);
  let d = sum;
  for (let step = 0; step < HALVINGS; step += 1) {
    const product = amounts.reduce((p, amount) => (p * d) / (amount * COINS), d);
    const next = ((ann * sum + product * COINS) * d) / ((ann - 1) * d + (COINS + 1) * product);
    if (Math.abs(next - d) <= Number.EPSILON * d) return next;
    d = next;
  }
  return d;
}

function worthOf(amounts: readonly number[], prices: readonly number[]): number {
  return amounts.reduce((sum, amount, k) => sum + amount * (prices[k] as number), 0);
}
