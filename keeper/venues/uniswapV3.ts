// A range position in a Uniswap V3 pool of two stablecoins: fees of the liquidity in range, less what arbitrage takes of it
// as the price moves (loss versus rebalancing: Milionis, Moallemi, Roughgarden, Zhang 2022, "Automated Market Making and
// Loss-Versus-Rebalancing"). Square roots and amounts by the white paper of Uniswap V3, §6; doubles are enough: nothing here
// is what the chain is asked for.
import type { VenueState } from "../chain/snapshot";
import { ratio } from "./exact";
import { liquidityModel, type LiquidityModel, type MoveCost } from "./liquidity";

export type UniswapV3State = Extract<VenueState, { kind: "uniswap-v3" }>;

const YEAR_SECONDS = 31_536_000;
export const LN_TICK = Math.log(1.0001);
const Q96 = 2n ** 96n;
const Q128 = 2n ** 128n;

/**
 * Variance of the difference of two successive means over a window w of a Brownian price is 2/3 · σ²w; that of spot and the
 * mean before it σ²w / 3.
 */
const OF_MEANS = 2 / 3;
const OF_SPOT = 1 / 3;

/**
 * Fees for a unit of liquidity since the pool began, in the asset's unit times 2^128, the paired coin counted at par. One
 * more than that: an index of nothing is none, and a pool in which nobody has traded yet has paid nothing.
 */
export function feeIndex(state: UniswapV3State, assetDecimals: number): bigint {
  const { feeGrowthAsset, feeGrowthPaired, pairedDecimals } = state;
  return 1n + feeGrowthAsset + (feeGrowthPaired * 10n ** BigInt(assetDecimals)) / 10n ** BigInt(pairedDecimals);
}

/** What others' liquidity in range has earned between two indices, fraction a year; null where no time or no index is between. */
export function feeApr(
  state: UniswapV3State,
  before: { readonly at: number; readonly index: bigint },
  now: { readonly at: number; readonly index: bigint },
): number | null {
  if (now.at <= before.at || now.index < before.index) return null;
  if (!isInRange(state)) return 0;
  const perLiquidity = ratio(now.index - before.index, Q128);
  const value = valueOfLiquidity(state);
  return value > 0 ? (perLiquidity / value) * (YEAR_SECONDS / (now.at - before.at)) : 0;
}

/** {@link feeApr} as it would be without the adapter's own liquidity: the same fees for fewer. */
export function withoutUs(state: UniswapV3State, apr: number): number {
  const own = isInRange(state) ? state.held : 0n;
  return own > 0n && state.liquidity > own ? apr * ratio(state.liquidity, state.liquidity - own) : apr;
}

/** What arbitrage takes of a position a year, a fraction of it: σ²√p / 4 of a unit of liquidity while the price is in range. */
export function arbitrageLoss(state: UniswapV3State): number {
  if (!isInRange(state)) return 0;
  const root = rootOf(state);
  const value = valueInToken1(state);
  return value > 0 ? (variance(state) * root) / 4 / value : 0;
}

/** Variance of the price's logarithm a year, of the means that the pool remembers. */
export function variance(state: UniswapV3State): number {
  const { meanTicks, meanTick, windowSeconds } = state;
  const steps = meanTicks.slice(1).map((tick, i) => ((meanTicks[i] ?? tick) - tick) * LN_TICK);
  const perYear = YEAR_SECONDS / windowSeconds;
  if (steps.length > 0) {
    return (steps.reduce((sum, step) => sum + step * step, 0) / steps.length / OF_MEANS) * perYear;
  }
  const off = 2 * Math.log(rootOf(state)) - meanTick * LN_TICK;
  return ((off * off) / OF_SPOT) * perYear;
}

/** Others' liquidity in range as if it all lay in our range, and what it pays. */
export function uniswapModel(state: UniswapV3State, assetDecimals: number, apr: number): LiquidityModel {
  const own = isInRange(state) ? state.held : 0n;
  const others = state.liquidity > own ? Number(state.liquidity - own) : 0;
  const pool = (others * valueOfLiquidity(state)) / 10 ** assetDecimals;
  return liquidityModel({ pool, apr, lost: arbitrageLoss(state) });
}

/** A move trades the paired coin's part of it: the pool's fee, and the way that the trade pushes the price. */
export function uniswapCost(state: UniswapV3State, assetDecimals: number): MoveCost {
  const root = rootOf(state);
  const depth = state.assetFirst ? Number(state.liquidity) / root : Number(state.liquidity) * root;
  const traded = pairedPart(state);
  const costBps = (traded * state.feePips) / 100;
  if (depth <= 0) return { costBps, impactBpsPerMillion: 0 };
  return { costBps, impactBpsPerMillion: (traded * traded * 10 ** assetDecimals * 1e10) / depth };
}

/** Part of a position's value that is in the paired coin, at spot. */
export function pairedPart(state: UniswapV3State): number {
  const { amount0, amount1, root } = amountsOf(state);
  const value = amount0 * root * root + amount1;
  if (value <= 0) return 0;
  return state.assetFirst ? amount1 / value : (amount0 * root * root) / value;
}

/** Asset units that a unit of liquidity in the range is worth at spot. */
export function valueOfLiquidity(state: UniswapV3State): number {
  const root = rootOf(state);
  return state.assetFirst ? valueInToken1(state) / (root * root) : valueInToken1(state);
}

function valueInToken1(state: UniswapV3State): number {
  const { amount0, amount1, root } = amountsOf(state);
  return amount0 * root * root + amount1;
}

/** Of a unit of liquidity, at spot or another price. */
export function amountsOf(
  state: UniswapV3State,
  root = rootOf(state),
): { readonly amount0: number; readonly amount1: number; readonly root: number } {
  const [low, high] = rangeOf(state).map((tick) => Math.exp((tick * LN_TICK) / 2)) as [number, number];
  const within = Math.min(high, Math.max(low, root));
  return { amount0: 1 / within - 1 / high, amount1: within - low, root };
}

/** The position's range, or without one the range that it would be given: around the mean, between ticks that there are. */
function rangeOf({
  tickLower,
  tickUpper,
  meanTick,
  halfWidth,
  tickSpacing,
}: UniswapV3State): readonly [number, number] {
  if (tickLower !== tickUpper) return [tickLower, tickUpper];
  const middle = Math.floor((meanTick + Math.floor(tickSpacing / 2)) / tickSpacing) * tickSpacing;
  return [middle - halfWidth, middle + halfWidth];
}

export function isInRange(state: UniswapV3State): boolean {
  const [low, high] = rangeOf(state);
  const tick = (2 * Math.log(rootOf(state))) / LN_TICK;
  return tick >= low && tick < high;
}

/** The square root of spot. */
export function rootOf({ sqrtPrice }: UniswapV3State): number {
  return ratio(sqrtPrice, Q96);
}
