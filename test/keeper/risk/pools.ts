// Pools as the lens would show them, for the tests of what pools are judged by.
import type { AdapterSnapshot, VenueState } from "../../../keeper/chain/snapshot";
import { adapters } from "../decide/vaultSnapshot";

const WAD = 10n ** 18n;
const USDC = 10n ** 6n;

type Uniswap = Extract<VenueState, { kind: "uniswap-v3" }>;
type Curve = Extract<VenueState, { kind: "curve-3pool" }>;

function poolOf(id: string, digit: string): Omit<AdapterSnapshot, "kind" | "state"> {
  const [some] = adapters();
  if (some === undefined) throw new Error("there is one");
  const { kind: _kind, state: _state, ...rest } = some;
  return { ...rest, id, adapter: `0x${digit.repeat(40)}`, exact: false };
}

/** USDC first, at par, and deep. */
export function uniswapAdapter(state: Partial<Uniswap> = {}, change: Partial<AdapterSnapshot> = {}): AdapterSnapshot {
  return {
    ...poolOf("uniswap-v3-usdc-usdt", "7"),
    kind: "uniswap-v3",
    state: {
      kind: "uniswap-v3",
      sqrtPrice: 2n ** 96n,
      meanTick: 0,
      meanTicks: [],
      windowSeconds: 1_800,
      liquidity: 10n ** 16n,
      held: 0n,
      tickLower: 0,
      tickUpper: 0,
      halfWidth: 10,
      feeGrowthAsset: 0n,
      feeGrowthPaired: 0n,
      cash: 20_000_000n * USDC,
      pairedDecimals: 6,
      feePips: 100,
      assetFirst: true,
      slippage: WAD / 1_000n,
      steady: true,
      ...state,
    },
    ...change,
  };
}

/** Six million of each coin: DAI, USDC, USDT. */
export function curveAdapter(state: Partial<Curve> = {}, change: Partial<AdapterSnapshot> = {}): AdapterSnapshot {
  return {
    ...poolOf("curve-3pool", "8"),
    kind: "curve-3pool",
    state: {
      kind: "curve-3pool",
      virtualPrice: (103n * WAD) / 100n,
      // Worth the balances at the virtual price.
      receipts: 17_475_728n * WAD,
      held: 0n,
      balances: [6_000_000n * WAD, 6_000_000n * USDC, 6_000_000n * USDC],
      scales: [1n, 10n ** 12n, 10n ** 12n],
      amplification: 2_000n,
      fee: 1_000_000n,
      place: 1,
      dollars: [100_000_000n, 100_000_000n, 100_000_000n],
      slippage: WAD / 1_000n,
      steady: true,
      ...state,
    },
    ...change,
  };
}
