// The keeper's picture of the vault and its venues at one block: the lens's answer, decoded. Pure data.
// Amounts are bigint in the asset's unit, WAD ratios are bigint, times unix seconds.

export interface BudgetSnapshot {
  /** WAD share of total assets in any window. */
  readonly limit: bigint;
  readonly windowSeconds: number;
  /** WAD share that could be spent now. */
  readonly available: bigint;
}

export interface GroupSnapshot {
  readonly name: string;
  readonly relativeCap: bigint;
}

export type VenueKind = "aave-v3" | "compound-v3" | "erc4626" | "sky-savings" | "curve-3pool" | "uniswap-v3";

export type VenueState =
  | {
      readonly kind: "aave-v3";
      readonly cash: bigint;
      readonly borrowed: bigint;
      readonly aTokenSupply: bigint;
      readonly supplyCap: bigint;
      readonly liquidityIndex: bigint;
      /** RAY a year, as the pool last stored it. */
      readonly liquidityRate: bigint;
      readonly variableBorrowRate: bigint;
      readonly baseRate: bigint;
      readonly slope1: bigint;
      readonly slope2: bigint;
      readonly optimalUsage: bigint;
      readonly reserveFactorBps: bigint;
      readonly active: boolean;
      readonly frozen: boolean;
      readonly paused: boolean;
    }
  | {
      readonly kind: "compound-v3";
      readonly cash: bigint;
      readonly supplied: bigint;
      readonly borrowed: bigint;
      /** WAD. */
      readonly utilization: bigint;
      readonly supplyKink: bigint;
      readonly supplyBasePerSecond: bigint;
      readonly supplySlopeLowPerSecond: bigint;
      readonly supplySlopeHighPerSecond: bigint;
      readonly supplyRatePerSecond: bigint;
      readonly borrowRatePerSecond: bigint;
      readonly supplyPaused: boolean;
      readonly withdrawPaused: boolean;
    }
  | {
      readonly kind: "erc4626";
      readonly totalAssets: bigint;
      readonly totalShares: bigint;
      /** WAD: assets for 1e18 shares. */
      readonly assetsPerShare: bigint;
      readonly vaultMaxWithdraw: bigint;
    }
  | {
      readonly kind: "sky-savings";
      /** Growth a second, RAY: 1e27 is no interest. */
      readonly ratePerSecond: bigint;
      /** WAD: stable tokens for a share. */
      readonly assetsPerShare: bigint;
      /** In the asset's unit without fees, as `cash` and `room`. */
      readonly totalAssets: bigint;
      /** What the PSM can pay now. */
      readonly cash: bigint;
      /** What the PSM can take now. */
      readonly room: bigint;
      /** WAD fee on entering; zero while halted. */
      readonly tin: bigint;
      /** WAD fee on leaving, of which the position's value is net; zero while halted. */
      readonly tout: bigint;
      readonly sellingHalted: boolean;
      readonly buyingHalted: boolean;
    }
  | {
      readonly kind: "curve-3pool";
      /** WAD: what a receipt stands for. */
      readonly virtualPrice: bigint;
      /** All receipts of the pool, WAD; `held`: the adapter's of them. */
      readonly receipts: bigint;
      readonly held: bigint;
      /** In each coin's unit, in the pool's order, as `scales` and `dollars`. */
      readonly balances: readonly bigint[];
      /** 10^(18 − decimals). */
      readonly scales: readonly bigint[];
      readonly amplification: bigint;
      /** Share of a trade, of 1e10. */
      readonly fee: bigint;
      /** Of the asset among the coins. */
      readonly place: number;
      /** Feeds' last answers, 8 decimals, fresh or not. */
      readonly dollars: readonly bigint[];
      /** WAD of fair value that a move may lose. */
      readonly slippage: bigint;
      /** Whether the adapter lets anything in or out. */
      readonly steady: boolean;
    }
  | {
      readonly kind: "uniswap-v3";
      /** Of token0 in token1, times 2^96. */
      readonly sqrtPrice: bigint;
      readonly meanTick: number;
      /** Means over successive windows, the latest first; empty where the pool does not remember them. */
      readonly meanTicks: readonly number[];
      readonly windowSeconds: number;
      /** In range at spot, the adapter's included. */
      readonly liquidity: bigint;
      /** The adapter's, between `tickLower` and `tickUpper` (both 0 without a position). */
      readonly held: bigint;
      readonly tickLower: number;
      readonly tickUpper: number;
      readonly halfWidth: number;
      /** Fees for a unit of liquidity since the pool began, times 2^128, modulo 2^256. */
      readonly feeGrowthAsset: bigint;
      readonly feeGrowthPaired: bigint;
      /** The asset in the pool. */
      readonly cash: bigint;
      readonly pairedDecimals: number;
      /** Share of a trade, of 1e6. */
      readonly feePips: number;
      readonly assetFirst: boolean;
      /** Of the ticks between which there can be a range. */
      readonly tickSpacing: number;
      /** Ticks from the feeds' price within which the mean is believed. */
      readonly oracleBound: number;
      /** Feeds' last answers, WAD, fresh or not. */
      readonly assetDollars: bigint;
      readonly pairedDollars: bigint;
      /** WAD of fair value that a move may lose. */
      readonly slippage: bigint;
      /** Whether the adapter lets anything in or out. */
      readonly steady: boolean;
    };

export interface AdapterSnapshot {
  /** Venue id of the deployment (address file), for example `aave-v3-usdc`. */
  readonly id: string;
  readonly adapter: string;
  readonly venue: string;
  readonly receipt: string;
  readonly kind: VenueKind;
  readonly exact: boolean;
  readonly readable: boolean;
  readonly quarantined: boolean;
  readonly fairValue: bigint;
  readonly exitValue: bigint;
  readonly counted: bigint;
  readonly maxDeposit: bigint;
  readonly maxWithdraw: bigint;
  readonly absoluteCap: bigint;
  readonly relativeCap: bigint;
  readonly groupMask: bigint;
  /** Null when the venue could not be read. */
  readonly state: VenueState | null;
}

export type BreakerState = "closed" | "guardian-tripped" | "tripped";

export interface VaultSnapshot {
  readonly chainId: number;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly timestamp: number;
  readonly baseFeePerGas: bigint;
  readonly vault: string;
  readonly asset: string;
  readonly assetDecimals: number;
  readonly shareDecimals: number;
  readonly opened: boolean;
  readonly idle: bigint;
  readonly totalAssets: bigint;
  readonly accountedAssets: bigint;
  readonly totalSupply: bigint;
  /** Assets for one whole share, in the asset's smallest unit scaled by 1e18. */
  readonly sharePrice: bigint;
  readonly depositCap: bigint;
  readonly minimumIdle: bigint;
  readonly maxRate: bigint;
  readonly lossPerCall: bigint;
  readonly lossBudget: BudgetSnapshot;
  readonly turnoverBudget: BudgetSnapshot;
  readonly breaker: BreakerState;
  readonly breakerUntil: number;
  readonly keeper: string;
  readonly isKeeper: boolean;
  readonly planEpoch: bigint;
  readonly nextNonce: bigint;
  readonly groups: readonly GroupSnapshot[];
  readonly adapters: readonly AdapterSnapshot[];
}
