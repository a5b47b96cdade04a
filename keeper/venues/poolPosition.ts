// Where a position in a pool of traders stands, for those who look at it: may anything go in or out now, what would leaving
// bring beside what it is counted at, and what its price does. Prices are the asset for one whole unit of the other thing.
import type { AdapterSnapshot, VaultSnapshot } from "../chain/snapshot";
import type { Curve3PoolState } from "./curve3pool";
import { ratio } from "./exact";
import { isInRange, LN_TICK, pairedPart, rootOf, type UniswapV3State } from "./uniswapV3";

const WAD = 10n ** 18n;
/** The vault does not ask a pool of which it holds less than this part (contracts/libraries/Accounting.sol). */
const STEADY_FROM = 10_000n;

export interface PoolPosition {
  /** Whether the adapter lets anything in or out: what the pool charges is near what the feeds say, and near its own mean. */
  readonly steady: boolean;
  /** Whether the vault takes no deposits for that. */
  readonly shutsDeposits: boolean;
  /** What it is worth by the feeds, fees that are owed included, and what all of it would be paid now; smallest units. */
  readonly fairValue: string;
  readonly exitValue: string;
  readonly market: CurveMarket | RangeMarket;
}

export interface CurveMarket {
  readonly kind: "curve-3pool";
  /** Dollars that the pool says a receipt stands for: it grows by what traders pay. */
  readonly virtualPrice: number;
  /** Part of the pool's coins that is the asset: a third where it is in balance. Leaving costs more the less there is. */
  readonly assetShare: number;
}

export interface RangeMarket {
  readonly kind: "uniswap-v3";
  /** Of the paired coin: at spot, by the pool's mean, by the feeds (null: they say nothing). */
  readonly spot: number;
  readonly mean: number;
  readonly oracle: number | null;
  /** Null: there is no position. */
  readonly range: {
    readonly low: number;
    readonly high: number;
    /** Out of it the position earns nothing and is all of one coin. */
    readonly inRange: boolean;
    /** Part of the position's value that is in the paired coin, at spot. */
    readonly pairedShare: number;
  } | null;
}

/** @returns undefined where the venue is no pool of traders; null where it is one that could not be read. */
export function poolPosition(
  adapter: AdapterSnapshot,
  { assetDecimals, accountedAssets }: Pick<VaultSnapshot, "assetDecimals" | "accountedAssets">,
): PoolPosition | null | undefined {
  const { kind, state, fairValue, exitValue, counted } = adapter;
  if (kind !== "curve-3pool" && kind !== "uniswap-v3") return undefined;
  if (state?.kind !== "curve-3pool" && state?.kind !== "uniswap-v3") return null;
  return {
    steady: state.steady,
    shutsDeposits: !state.steady && counted * STEADY_FROM >= accountedAssets,
    fairValue: fairValue.toString(),
    exitValue: exitValue.toString(),
    market: state.kind === "curve-3pool" ? curveMarket(state) : rangeMarket(state, assetDecimals),
  };
}

function curveMarket({ virtualPrice, balances, scales, place }: Curve3PoolState): CurveMarket {
  const amounts = balances.map((balance, k) => balance * (scales[k] ?? 1n));
  const all = amounts.reduce((sum, amount) => sum + amount, 0n);
  return {
    kind: "curve-3pool",
    virtualPrice: ratio(virtualPrice, WAD),
    assetShare: all === 0n ? 0 : ratio(amounts[place] ?? 0n, all),
  };
}

function rangeMarket(state: UniswapV3State, assetDecimals: number): RangeMarket {
  const { meanTick, tickLower, tickUpper, assetFirst, pairedDecimals, assetDollars, pairedDollars } = state;
  // The pool's price is of its first coin in its second, smallest units.
  const price = (root: number): number =>
    (assetFirst ? root ** -2 : root ** 2) * 10 ** (pairedDecimals - assetDecimals);
  const atTick = (tick: number): number => price(Math.exp((tick * LN_TICK) / 2));
  const [low, high] = [atTick(tickLower), atTick(tickUpper)].sort((a, b) => a - b) as [number, number];
  return {
    kind: "uniswap-v3",
    spot: price(rootOf(state)),
    mean: atTick(meanTick),
    oracle: assetDollars === 0n || pairedDollars === 0n ? null : ratio(pairedDollars, assetDollars),
    range: tickLower === tickUpper ? null : { low, high, inRange: isInRange(state), pairedShare: pairedPart(state) },
  };
}
