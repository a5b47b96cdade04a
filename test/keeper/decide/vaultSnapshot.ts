// A vault of a million USDC over three venues, as the lens would show it: the starting point of the decision's tests.
import type { AdapterSnapshot, VaultSnapshot } from "../../../keeper/chain/snapshot";
import { decide } from "../../../keeper/decide/decide";
import type { Forecast, OperatorLimits, Plan, StrategyInput } from "../../../keeper/decide/strategy";

const WAD = 10n ** 18n;
const RAY = 10n ** 27n;
const USDC = 10n ** 6n;

const address = (digit: string): string => `0x${digit.repeat(40)}`;

function adapter(id: string, digit: string, rest: Pick<AdapterSnapshot, "kind" | "state">): AdapterSnapshot {
  return {
    id,
    adapter: address(digit),
    venue: address(digit.toLowerCase() === "a" ? "f" : "e"),
    receipt: address("d"),
    exact: true,
    readable: true,
    quarantined: false,
    fairValue: 0n,
    exitValue: 0n,
    counted: 0n,
    maxDeposit: 10_000_000n * USDC,
    maxWithdraw: 0n,
    absoluteCap: 5_000_000n * USDC,
    relativeCap: (6n * WAD) / 10n,
    groupMask: 0n,
    ...rest,
  };
}

/** Aave at 90 % (about 5.3 %), Comet at 85 % (about 3.3 %), savings whose rate only the forecast knows. */
export function adapters(): AdapterSnapshot[] {
  return [
    adapter("aave-v3-usdc", "a", {
      kind: "aave-v3",
      state: {
        kind: "aave-v3",
        cash: 6_000_000n * USDC,
        borrowed: 54_000_000n * USDC,
        aTokenSupply: 60_000_000n * USDC,
        supplyCap: 0n,
        liquidityIndex: RAY,
        liquidityRate: (5_283n * RAY) / 100_000n,
        variableBorrowRate: (587n * RAY) / 10_000n,
        baseRate: 0n,
        slope1: (6n * RAY) / 100n,
        slope2: (60n * RAY) / 100n,
        optimalUsage: (92n * RAY) / 100n,
        reserveFactorBps: 1000n,
        active: true,
        frozen: false,
        paused: false,
      },
    }),
    adapter("compound-v3-usdc", "b", {
      kind: "compound-v3",
      state: {
        kind: "compound-v3",
        cash: 3_000_000n * USDC,
        supplied: 20_000_000n * USDC,
        borrowed: 17_000_000n * USDC,
        utilization: (85n * WAD) / 100n,
        supplyKink: (9n * WAD) / 10n,
        supplyBasePerSecond: 0n,
        supplySlopeLowPerSecond: (39n * WAD) / 1000n / 31_536_000n,
        supplySlopeHighPerSecond: (3n * WAD) / 31_536_000n,
        supplyRatePerSecond: (33n * WAD) / 1000n / 31_536_000n,
        borrowRatePerSecond: (45n * WAD) / 1000n / 31_536_000n,
        supplyPaused: false,
        withdrawPaused: false,
      },
    }),
    adapter("savings-usdc", "c", {
      kind: "erc4626",
      state: {
        kind: "erc4626",
        totalAssets: 50_000_000n * USDC,
        totalShares: 48_000_000n * WAD,
        assetsPerShare: 1_041_666n * 10n ** 6n,
        vaultMaxWithdraw: 0n,
      },
    }),
  ];
}

export function snapshot(change: Partial<VaultSnapshot> = {}): VaultSnapshot {
  return {
    chainId: 31337,
    blockNumber: 1000,
    blockHash: `0x${"12".repeat(32)}`,
    timestamp: 1_800_000_000,
    baseFeePerGas: 10n ** 9n,
    vault: address("1"),
    asset: address("2"),
    assetDecimals: 6,
    shareDecimals: 18,
    opened: true,
    idle: 1_000_000n * USDC,
    totalAssets: 1_000_000n * USDC,
    accountedAssets: 1_000_000n * USDC,
    totalSupply: 1_000_000n * WAD,
    sharePrice: USDC * WAD,
    depositCap: 10_000_000n * USDC,
    minimumIdle: (2n * WAD) / 100n,
    maxRate: WAD / 5n,
    lossPerCall: (5n * WAD) / 10_000n,
    lossBudget: { limit: (2n * WAD) / 1000n, windowSeconds: 86_400, available: WAD / 1000n },
    turnoverBudget: { limit: 4n * WAD, windowSeconds: 86_400, available: 2n * WAD },
    breaker: "closed",
    breakerUntil: 0,
    keeper: address("3"),
    isKeeper: true,
    planEpoch: 3n,
    nextNonce: (3n << 64n) | 7n,
    groups: [],
    adapters: adapters(),
    ...change,
  };
}

export const FORECASTS: readonly Forecast[] = [
  { venue: "aave-v3-usdc", model: "ewma", apr: 0.0525, currentApr: 0.0528, historySeconds: 86_400 },
  { venue: "compound-v3-usdc", model: "ewma", apr: 0.0335, currentApr: 0.0331, historySeconds: 86_400 },
  { venue: "savings-usdc", model: "ewma", apr: 0.045, currentApr: 0.045, historySeconds: 86_400 },
];

export const LIMITS: OperatorLimits = {
  horizonHours: 168,
  minGainUsd: 5,
  noTradeBandBps: 1,
  cooldownSeconds: 3600,
  minimumIdle: 0.01,
  venueCaps: {},
  maxShareOfVenue: 0.5,
  maxLossBps: 1,
  moveToleranceBps: 2,
  gasPerMove: 250_000,
  gasPerPlan: 120_000,
  maxFeePerGas: 60n * 10n ** 9n,
  assetUsd: 1,
  ethUsd: 3000,
  deadlineSeconds: 600,
};

export function strategyInput(change: Partial<StrategyInput> = {}): StrategyInput {
  return { snapshot: snapshot(), forecasts: FORECASTS, limits: LIMITS, lastRebalanceAt: null, ...change };
}

/** What is decided, where that is a plan. */
export function planOf(input: StrategyInput): Plan {
  const output = decide(input);
  if (output.action === "hold") throw new Error(`expected a plan, got: ${output.reason}`);
  return output;
}

/** The snapshot with `assets` of a venue held, taken from idle. */
export function holding(
  positions: Readonly<Record<string, bigint>>,
  change: Partial<VaultSnapshot> = {},
): VaultSnapshot {
  const base = snapshot(change);
  const held = base.adapters.map((item) => {
    const assets = positions[item.id];
    if (assets === undefined) return item;
    return { ...item, fairValue: assets, exitValue: assets, counted: assets, maxWithdraw: assets };
  });
  const invested = Object.values(positions).reduce((sum, assets) => sum + assets, 0n);
  return { ...base, adapters: held, idle: base.totalAssets - invested };
}
