// The least that a move has to bring: what it brings by the snapshot's state, less the operator's tolerance, and no less than
// the adapter's own floor as that stood then. What is asked of a pool and of a PSM, whose terms may change until the block;
// lending venues and ERC-4626 vaults give what they are given. The adapters say in which unit they want it (`data` of their
// `deposit` and `withdraw`), and take the stricter of it and their floor at that moment.
import type { AdapterSnapshot, VenueState } from "../chain/snapshot";
import { assetsFor, burnedFor, receiptPrice, receiptsFor, worth, type Curve3PoolState } from "./curve3pool";
import type { SkySavingsState } from "./skySavings";
import { entryValue, exitPaid } from "./uniswapMoves";
import type { UniswapV3State } from "./uniswapV3";

/** Amounts in the asset's unit; negative: out. `all`: the position is emptied. */
export interface Leg {
  readonly assets: bigint;
  readonly all: boolean;
}

export interface MinimumTerms {
  readonly assetDecimals: number;
  /** Basis points of what a move is expected to bring, and of what it is expected to cost. */
  readonly toleranceBps: number;
}

const WAD = 10n ** 18n;
/** The tolerance is counted in billionths. */
const BILLION = 10n ** 9n;
const BILLIONTHS_PER_BPS = 100_000;
/** Units that Uniswap's rounding may take of a move, as the adapter allows: four of each coin. */
const UNISWAP_ROUNDING = 8n;

/** @returns zero where the venue asks for no minimum, or the snapshot says too little for one. */
export function minimumOf(adapter: AdapterSnapshot, leg: Leg, terms: MinimumTerms): bigint {
  const { state } = adapter;
  // With claims on the position the vault takes out its own part of it, as an amount.
  const claimed = leg.all && adapter.counted < adapter.fairValue;
  const asked = claimed ? { assets: -adapter.counted, all: false } : leg;
  return state === null ? 0n : max(0n, leastOf(adapter, state, { ...terms, leg: asked }));
}

type Asked = MinimumTerms & { readonly leg: Leg };

function leastOf(adapter: AdapterSnapshot, state: VenueState, asked: Asked): bigint {
  switch (state.kind) {
    case "aave-v3":
    case "compound-v3":
    case "erc4626":
      return 0n;
    case "sky-savings":
      return ofSky(adapter, state, asked);
    case "curve-3pool":
      return ofCurve(adapter, state, asked);
    case "uniswap-v3":
      return ofUniswap(adapter, state, asked);
  }
}

/** In: receipts that come. Of an amount: receipts that are left. Of all: assets that come. */
function ofCurve(adapter: AdapterSnapshot, state: Curve3PoolState, { leg, toleranceBps }: Asked): bigint {
  const price = receiptPrice(state);
  if (price === 0n) return 0n;
  const scale = state.scales[state.place] ?? 1n;
  const kept = WAD - state.slippage;
  if (leg.assets > 0n) {
    const floor = ceil(leg.assets * scale * kept, price);
    return max(less(receiptsFor(state, leg.assets), toleranceBps), floor);
  }
  // What lies with the adapter of the asset is paid first.
  const strays = max(0n, adapter.fairValue - worth(state, state.held));
  if (leg.all) {
    const floor = ceil(worth(state, state.held) * kept, WAD);
    return strays + max(less(assetsFor(state, state.held), toleranceBps), floor);
  }
  const paid = max(0n, -leg.assets - strays);
  const burned = burnedFor(state, paid);
  if (burned === null) return 0n;
  const most = (paid * scale * WAD * WAD) / (price * kept);
  return state.held - min(more(burned, toleranceBps), most);
}

/** By fair value what an entry gains, or assets that come. */
function ofUniswap(adapter: AdapterSnapshot, state: UniswapV3State, asked: Asked): bigint {
  const { leg, toleranceBps, assetDecimals } = asked;
  const moved = leg.all ? adapter.fairValue : leg.assets < 0n ? -leg.assets : leg.assets;
  if (moved === 0n) return 0n;
  const floor = moved - (moved * state.slippage) / WAD - UNISWAP_ROUNDING;
  const expected =
    leg.assets > 0n
      ? entryValue(state, Number(moved), assetDecimals)
      : exitPaid(adapter, state, Math.min(1, Number(moved) / Number(adapter.fairValue)));
  if (expected === null || !Number.isFinite(expected) || expected <= 0) return floor;
  return max(BigInt(Math.floor(expected)) - share(moved, toleranceBps) - UNISWAP_ROUNDING, floor);
}

/** As Curve's, in savings shares. What the shares' index grows until the block is within any tolerance. */
function ofSky(adapter: AdapterSnapshot, state: SkySavingsState, { leg, toleranceBps, assetDecimals }: Asked): bigint {
  const shares = (assets: bigint, fee: bigint): bigint =>
    (assets * 10n ** BigInt(18 - assetDecimals) * fee) / state.assetsPerShare;
  if (state.assetsPerShare === 0n) return 0n;
  if (leg.assets > 0n) return less(shares(leg.assets, WAD - state.tin), toleranceBps);
  if (leg.all) return less(adapter.fairValue, toleranceBps);
  const [held, burned] = [adapter.fairValue, -leg.assets].map((assets) => shares(assets, WAD + state.tout)) as [
    bigint,
    bigint,
  ];
  return held - more(burned, toleranceBps);
}

function share(amount: bigint, bps: number): bigint {
  return ceil(amount * BigInt(Math.round(bps * BILLIONTHS_PER_BPS)), BILLION);
}

function less(amount: bigint, bps: number): bigint {
  return amount - share(amount, bps);
}

function more(amount: bigint, bps: number): bigint {
  return amount + share(amount, bps);
}

function ceil(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
