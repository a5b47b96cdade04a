// What a move into or out of a range of Uniswap V3 brings, as the adapter counts it: entries by fair value, exits by what is
// paid. Along the liquidity that is in range now; where less lies further on, a move brings less, so what the way of its own
// trade costs is taken off twice. Doubles are enough: a tolerance is taken off besides.
import type { AdapterSnapshot } from "../chain/snapshot";
import { ratio } from "./exact";
import { amountsOf, isInRange, LN_TICK, pairedPart, rootOf, type UniswapV3State } from "./uniswapV3";

const Q_WAD = 10n ** 18n;
const MILLION = 1e6;

interface Traded {
  readonly out: number;
  /** The square root of the price after it. */
  readonly root: number;
}

/** Units of the asset that a position gains by fair value when so many are put in, what is sent back among them; null: no saying. */
export function entryValue(state: UniswapV3State, assets: number, assetDecimals: number): number | null {
  const fair = fairRoot(state, assetDecimals);
  const depth = Number(state.liquidity);
  if (fair === null || depth <= 0) return null;
  const [value, still] = [
    enteredAt(state, assets, { fair, depth }),
    enteredAt(state, assets, { fair, depth: Infinity }),
  ];
  return value - Math.max(0, still - value);
}

/** Units of the asset that an exit of so large a part pays; null: no saying. */
export function exitPaid(adapter: AdapterSnapshot, state: UniswapV3State, part: number): number | null {
  const own = isInRange(state) ? Number(state.held) * part : 0;
  const depth = Number(state.liquidity) - own;
  if (depth <= 0) return null;
  const sold = Number(adapter.fairValue) * part * pairedPart(state);
  const root = rootOf(state);
  const paired = state.assetFirst ? sold * root * root : sold / (root * root);
  const way = trade(state, { sellsAsset: false, amount: paired, depth: Infinity }).out;
  const impact = way - trade(state, { sellsAsset: false, amount: paired, depth }).out;
  return Number(adapter.exitValue) * part - 2 * impact;
}

/** As the adapter's `deposit`: trades the range's part of the paired coin, adds what both coins give, and values it. */
function enteredAt(
  state: UniswapV3State,
  assets: number,
  { fair, depth }: { readonly fair: number; readonly depth: number },
): number {
  const paired = pairedPart(state);
  const sold = (assets * paired) / (paired + (1 - state.feePips / MILLION) * (1 - paired));
  const { out, root } = trade(state, { sellsAsset: true, amount: sold, depth });
  const spent = amountsOf(state, root);
  const [perAsset, perPaired] = sorted(state, spent.amount0, spent.amount1);
  const liquidity = Math.min(
    perAsset > 0 ? (assets - sold) / perAsset : Infinity,
    perPaired > 0 ? out / perPaired : Infinity,
  );
  const left = [assets - sold - liquidity * perAsset, out - liquidity * perPaired] as const;
  const at = amountsOf(state, fair);
  const [asset, other] = sorted(state, at.amount0, at.amount1);
  return liquidity * asset + left[0] + toAssets(state, liquidity * other + left[1], fair);
}

/** Along a depth of liquidity; without end, at spot. */
function trade(
  state: UniswapV3State,
  { sellsAsset, amount, depth }: { readonly sellsAsset: boolean; readonly amount: number; readonly depth: number },
): Traded {
  const root = rootOf(state);
  const kept = amount * (1 - state.feePips / MILLION);
  const sellsFirst = sellsAsset === state.assetFirst;
  const after = sellsFirst ? 1 / (1 / root + kept / depth) : root + kept / depth;
  // The difference of two roots times the depth, without subtracting what is nearly equal.
  return { out: sellsFirst ? kept * root * after : kept / (root * after), root: after };
}

/** The square root of the price that values everything: the feeds', or the mean where that makes the paired coin worth less. */
function fairRoot(state: UniswapV3State, assetDecimals: number): number | null {
  const { assetDollars, pairedDollars, pairedDecimals, assetFirst } = state;
  if (assetDollars === 0n || pairedDollars === 0n) return null;
  const asset = ratio(assetDollars, Q_WAD) / 10 ** assetDecimals;
  const paired = ratio(pairedDollars, Q_WAD) / 10 ** pairedDecimals;
  const oracle = Math.sqrt(assetFirst ? asset / paired : paired / asset);
  const mean = Math.exp((state.meanTick * LN_TICK) / 2);
  const bound = Math.exp((state.oracleBound * LN_TICK) / 2);
  return assetFirst
    ? Math.max(oracle, Math.min(mean, oracle * bound))
    : Math.min(oracle, Math.max(mean, oracle / bound));
}

function toAssets({ assetFirst }: UniswapV3State, paired: number, root: number): number {
  return assetFirst ? paired / (root * root) : paired * root * root;
}

/** Of the pool's amounts: the asset's, the paired coin's. */
function sorted({ assetFirst }: UniswapV3State, amount0: number, amount1: number): readonly [number, number] {
  return assetFirst ? [amount0, amount1] : [amount1, amount0];
}
