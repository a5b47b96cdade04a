// Curve's 3pool: what its invariant gives for one coin and back, to the unit, and from that what a position earns and what
// moving it costs. Source: the pool's own arithmetic (StableSwap, Egorov 2019; three coins, A kept without the power of the
// number of coins), held to the genuine bytecode by test/fork/curveRates.test.ts.
import type { VenueState } from "../chain/snapshot";
import { ratio, wholeUnits } from "./exact";
import { liquidityModel, type LiquidityModel, type MoveCost } from "./liquidity";

export type Curve3PoolState = Extract<VenueState, { kind: "curve-3pool" }>;
type Pool = Pick<Curve3PoolState, "balances" | "scales" | "amplification" | "fee" | "place" | "receipts">;

const COINS = 3n;
const WAD = 10n ** 18n;
const FEE_DENOMINATOR = 10n ** 10n;
/** Newton's method takes under ten steps from any balances a pool can have; the pool itself allows 255. */
const MOST_STEPS = 255;
/** Sizes at which the cost of a move is taken, of what is in the pool: small beside the curve's bend, and large. */
const SMALL_SHARE = 100_000n;
const LARGE_SHARE = 50n;

/** The invariant D of balances in 1e18. Zero for an empty pool. */
export function invariant(balances: readonly bigint[], amplification: bigint): bigint {
  const sum = balances.reduce((total, balance) => total + balance, 0n);
  if (sum === 0n) return 0n;
  const ann = amplification * COINS;
  let d = sum;
  for (let step = 0; step < MOST_STEPS; step++) {
    const product = balances.reduce((p, balance) => (p * d) / (balance * COINS), d);
    const before = d;
    d = ((ann * sum + product * COINS) * d) / ((ann - 1n) * d + (COINS + 1n) * product);
    if (distance(d, before) <= 1n) return d;
  }
  throw new RangeError("the pool's balances have no invariant");
}

/** Receipts that the pool mints for `assets` of the state's coin. */
export function receiptsFor(pool: Pool, assets: bigint): bigint {
  if (assets === 0n) return 0n;
  const { balances, amplification, place, receipts } = pool;
  const before = invariant(scaled(pool, balances), amplification);
  const grown = balances.map((balance, k) => (k === place ? balance + assets : balance));
  const after = invariant(scaled(pool, charged(pool, { before, to: grown })), amplification);
  return (receipts * (after - before)) / before;
}

/** What the pool pays of the state's coin for `burned` receipts. */
export function assetsFor(pool: Pool, burned: bigint): bigint {
  if (burned === 0n) return 0n;
  const { amplification, fee, place, receipts } = pool;
  const held = scaled(pool, pool.balances);
  const before = invariant(held, amplification);
  const after = before - (burned * before) / receipts;
  const wanted = balanceAt(held, after, { amplification, place });
  const share = sideFee(fee);
  const reduced = held.map((balance, k) => {
    const expected = k === place ? (balance * after) / before - wanted : balance - (balance * after) / before;
    return balance - (share * expected) / FEE_DENOMINATOR;
  });
  const paid = (reduced[place] ?? 0n) - balanceAt(reduced, after, { amplification, place });
  return (paid - 1n) / (pool.scales[place] ?? 1n);
}

/** Receipts that the pool burns when it pays `assets` of the state's coin; null where it does not have them. */
export function burnedFor(pool: Pool, assets: bigint): bigint | null {
  if (assets === 0n) return 0n;
  const { balances, amplification, place, receipts } = pool;
  if (assets >= (balances[place] ?? 0n)) return null;
  const before = invariant(scaled(pool, balances), amplification);
  const shrunk = balances.map((balance, k) => (k === place ? balance - assets : balance));
  const after = invariant(scaled(pool, charged(pool, { before, to: shrunk })), amplification);
  return (receipts * (before - after)) / before + 1n;
}

/** What 1e18 receipts are worth in the asset, WAD, as the adapter has it: with the worst of the coins. Zero without a feed. */
export function receiptPrice({ virtualPrice, dollars, place }: Curve3PoolState): bigint {
  const worst = dollars.reduce((least, dollar) => (dollar < least ? dollar : least));
  const own = dollars[place] ?? 0n;
  return own === 0n ? 0n : (virtualPrice * worst) / own;
}

/** Asset units that moving `assets` in loses against fair value; negative where the pool lacks the coin and pays for it. */
export function entryLoss(state: Curve3PoolState, assets: bigint): bigint {
  return assets - worth(state, receiptsFor(state, assets));
}

/** The same for moving out what is worth `assets`. */
export function exitLoss(state: Curve3PoolState, assets: bigint): bigint {
  const price = receiptPrice(state);
  if (price === 0n) return 0n;
  return assets - assetsFor(state, (assets * (state.scales[state.place] ?? 1n) * WAD) / price);
}

/** The pool as it is without the adapter's receipts, and what it pays by its fees. */
export function curveModel(state: Curve3PoolState, assetDecimals: number, apr: number): LiquidityModel {
  const others = state.receipts > state.held ? state.receipts - state.held : 0n;
  return liquidityModel({ pool: wholeUnits(worth(state, others), assetDecimals), apr, lost: 0 });
}

/** The dearer of both ways at each of two sizes, as a line and a bend. */
export function curveCost(state: Curve3PoolState, assetDecimals: number): MoveCost {
  const whole = worth(state, state.receipts);
  const [small, large] = [whole / SMALL_SHARE, whole / LARGE_SHARE];
  if (small === 0n) return { costBps: 0, impactBpsPerMillion: 0 };
  const share = (assets: bigint): number => {
    const [inward, outward] = [entryLoss(state, assets), exitLoss(state, assets)];
    return Math.max(0, ratio(inward > outward ? inward : outward, assets));
  };
  const [line, far] = [share(small), share(large)];
  const millions = wholeUnits(large, assetDecimals) / 1e6;
  return { costBps: line * 1e4, impactBpsPerMillion: Math.max(0, ((far - line) * 1e4) / millions) };
}

/** In the asset's unit. */
export function worth(state: Curve3PoolState, receipts: bigint): bigint {
  return (receipts * receiptPrice(state)) / (WAD * (state.scales[state.place] ?? 1n));
}

/** Balances of a pool that was moved to `to`, less the fee on what that put out of balance. */
function charged(pool: Pool, { before, to }: { readonly before: bigint; readonly to: readonly bigint[] }): bigint[] {
  const after = invariant(scaled(pool, to), pool.amplification);
  const share = sideFee(pool.fee);
  return to.map((balance, k) => {
    const ideal = (after * (pool.balances[k] ?? 0n)) / before;
    return balance - (share * distance(ideal, balance)) / FEE_DENOMINATOR;
  });
}

/** What a balance must be for the invariant to be `d`, the other balances as they are. */
function balanceAt(
  balances: readonly bigint[],
  d: bigint,
  { amplification, place }: Pick<Pool, "amplification" | "place">,
): bigint {
  const ann = amplification * COINS;
  let sum = 0n;
  let c = d;
  balances.forEach((balance, k) => {
    if (k === place) return;
    sum += balance;
    c = (c * d) / (balance * COINS);
  });
  c = (c * d) / (ann * COINS);
  const b = sum + d / ann;
  let y = d;
  for (let step = 0; step < MOST_STEPS; step++) {
    const before = y;
    y = (y * y + c) / (2n * y + b - d);
    if (distance(y, before) <= 1n) return y;
  }
  throw new RangeError("the pool's balances have no invariant");
}

function scaled({ scales }: Pool, balances: readonly bigint[]): bigint[] {
  return balances.map((balance, k) => balance * (scales[k] ?? 1n));
}

/** What a move in one coin pays of the fee on what it puts out of balance. */
function sideFee(fee: bigint): bigint {
  return (fee * COINS) / (4n * (COINS - 1n));
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}
