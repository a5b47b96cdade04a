// What the local markets are set to. Rates and risk figures follow mainnet's; sizes are scaled down so that a vault of
// a few million moves the rates without owning the market.

export const USDC = 10n ** 6n;
export const USDT = 10n ** 6n;
/** Units of DAI or USDS for one of USDC or USDT. */
export const DAI_PER_USDC = 10n ** 12n;
export const ETHER = 10n ** 18n;
const BPS_RAY = 10n ** 23n;
const BPS_WAD = 10n ** 14n;

const RAY_OF_BPS = (bps: bigint): bigint => bps * BPS_RAY;
const WAD_OF_BPS = (bps: bigint): bigint => bps * BPS_WAD;

export interface ReserveParameters {
  readonly name: string;
  readonly decimals: number;
  readonly ltvBps: bigint;
  readonly liquidationThresholdBps: bigint;
  /** 10450 is a bonus of 4.5 %. */
  readonly liquidationBonusBps: bigint;
  readonly liquidationProtocolFeeBps: bigint;
  readonly reserveFactorBps: bigint;
  /** Whole tokens, as Aave counts caps. */
  readonly supplyCap: bigint;
  readonly borrowCap: bigint;
  /** RAY. */
  readonly optimalUsage: bigint;
  readonly baseRate: bigint;
  readonly slope1: bigint;
  readonly slope2: bigint;
}

/**
 * Aave V3 Ethereum, stablecoins. Risk figures: the USDC reserve's configuration word in Aave's pool at block
 * 20,000,000 (LTV 75 %, threshold 78 %, bonus 4.5 %, reserve factor 10 %, protocol fee 20 %). Curve: optimal 92 %,
 * base 0 and slope2 60 % at the same block; slope1 about 6 % as of October 2025, after 9, 6.5, 5.5 and 12.5 %.
 * Caps: 1.76 and 1.58 billion there, divided by 22 like the reserve (1.396 billion to 60 million).
 */
const STABLECOIN: Omit<ReserveParameters, "name"> = {
  decimals: 6,
  ltvBps: 7500n,
  liquidationThresholdBps: 7800n,
  liquidationBonusBps: 10450n,
  liquidationProtocolFeeBps: 2000n,
  reserveFactorBps: 1000n,
  supplyCap: 80_000_000n,
  borrowCap: 72_000_000n,
  optimalUsage: RAY_OF_BPS(9200n),
  baseRate: 0n,
  slope1: RAY_OF_BPS(600n),
  slope2: RAY_OF_BPS(6000n),
};

export const AAVE_RESERVES: Record<"usdc" | "usdt" | "weth", ReserveParameters> = {
  usdc: { name: "USDC", ...STABLECOIN },
  // Mainnet runs USDT on the same curve as USDC; its risk figures differ by a point or two between governance votes.
  usdt: { name: "USDT", ...STABLECOIN },
  /**
   * Aave V3 Ethereum WETH: LTV 80.5 %, threshold 83 %, bonus 5 % (2024 and 2025). Reserve factor 15 %, optimal 90 %,
   * slope1 3 % and slope2 80 %: the range that governance moved it in since 2023; nobody borrows it here.
   */
  weth: {
    name: "WETH",
    decimals: 18,
    ltvBps: 8050n,
    liquidationThresholdBps: 8300n,
    liquidationBonusBps: 10500n,
    liquidationProtocolFeeBps: 1000n,
    reserveFactorBps: 1500n,
    supplyCap: 1_000_000n,
    borrowCap: 900_000n,
    optimalUsage: RAY_OF_BPS(9000n),
    baseRate: 0n,
    slope1: RAY_OF_BPS(300n),
    slope2: RAY_OF_BPS(8000n),
  },
};

const DAY_SECONDS = 86_400n;
/** Comet counts rewards a second in 1e-15 tokens (compound-finance/comet, `trackingIndexScale`). */
const speedOf = (tokensADay: bigint): bigint => (tokensADay * 10n ** 15n) / DAY_SECONDS;

/**
 * cUSDCv3. Curve of August 2026: kink 90 %, supply 3.6 % and 319.6 %, borrow 1.5 % + 2.78 % and 360 %. Minimum borrow,
 * target reserves, minimum for rewards and WETH's factors: compound-finance/comet, deployments/mainnet/usdc/
 * configuration.json. The collateral's cap and the rewards are this market's own.
 */
export const COMET = {
  supplyKink: WAD_OF_BPS(9000n),
  supplyPerYearInterestRateSlopeLow: WAD_OF_BPS(360n),
  supplyPerYearInterestRateSlopeHigh: WAD_OF_BPS(31_960n),
  supplyPerYearInterestRateBase: 0n,
  borrowKink: WAD_OF_BPS(9000n),
  borrowPerYearInterestRateSlopeLow: WAD_OF_BPS(278n),
  borrowPerYearInterestRateSlopeHigh: WAD_OF_BPS(36_000n),
  borrowPerYearInterestRateBase: WAD_OF_BPS(150n),
  baseTrackingSupplySpeed: speedOf(5n),
  baseTrackingBorrowSpeed: 0n,
  baseMinForRewards: 1_000_000n * USDC,
  baseBorrowMin: 100n * USDC,
  targetReserves: 5_000_000n * USDC,
  borrowCollateralFactor: WAD_OF_BPS(8200n),
  liquidateCollateralFactor: WAD_OF_BPS(9000n),
  liquidationFactor: WAD_OF_BPS(9500n),
  collateralSupplyCap: 1_000_000n * ETHER,
} as const;

/** 1.045^(1/31,536,000) in RAY: 4.5 % a year, near the savings rates of 2025 and 2026 (sUSDS: 4.30 %). */
export const SAVINGS_RATE_PER_SECOND = 1_000_000_001_395_766_281_313_196_627n;

/** 1.043^(1/31,536,000) in RAY: 4.3 % a year, sUSDS' growth in the first half of 2026. */
export const SKY_RATE_PER_SECOND = 1_000_000_001_335_019_534_713_925_046n;

/**
 * Curve's 3pool: A 2000, fee 0.01 %, of which the admin has half, as on mainnet. Fees in 1e-10.
 */
export const THREE_POOL = { a: 2_000n, fee: 1_000_000n, adminFee: 5_000_000_000n } as const;

/** USD with 8 decimals, as Chainlink reports. */
export const FIRST_PRICES = {
  ...{ usdc: 100_000_000n, usdt: 100_000_000n, dai: 100_000_000n },
  eth: 3_000_00000000n,
  ...{ comp: 50_00000000n, aave: 200_00000000n },
} as const;

/** About half a percent a year to who supplies Comet (by its speed) or holds Aave's USDC. */
export const REWARDS = {
  comp: { supply: 10_000_000n * ETHER },
  /** Four a day, until the last second that Aave can count. */
  aave: { supply: 16_000_000n * ETHER, perSecond: (4n * ETHER) / DAY_SECONDS, end: 2n ** 32n - 1n },
  /** What lies with each who pays: enough for fifty years. */
  paidFrom: 100_000n * ETHER,
} as const;

/** The markets as they open. */
export const OPENING = {
  /** 87 % borrowed, five points below the kink. */
  aaveUsdc: { supplied: 60_000_000n * USDC, borrowed: 52_200_000n * USDC },
  aaveUsdt: { supplied: 40_000_000n * USDT, borrowed: 32_000_000n * USDT },
  /** Worth twice the debt that it secures. */
  aaveCollateral: 60_000n * ETHER,
  /** 85 % borrowed, five points below the kink. */
  comet: { supplied: 20_000_000n * USDC, borrowed: 17_000_000n * USDC, reserves: 1_000_000n * USDC },
  cometCollateral: 12_000n * ETHER,
  savings: { supplied: 10_000_000n * USDC, reserve: 2_000_000n * USDC },
  /** Sold to the PSM and saved; the DAI that the PSM may mint beyond it. Mainnet's is some 400 million over billions. */
  sky: { supplied: 10_000_000n * USDC, buffer: 10_000_000n * ETHER },
  /** A tenth of what mainnet's pool held at block 19,807,136, in its proportions. */
  threePool: { dai: 6_408_000n * ETHER, usdc: 6_495_000n * USDC, usdt: 5_092_000n * USDT },
  /** In Uniswap's pool, each way. */
  firstSwap: 100_000n * USDC,
  /** Kept by the actors to go on with; the trader has as much of each stablecoin. */
  purse: { market: 50_000_000n * USDC, borrower: 10_000_000n * USDC, trader: 10_000_000n * USDC },
  borrowerWeth: 200_000n * ETHER,
  /** For those who try the vault. */
  depositor: 10_000_000n * USDC,
} as const;

/**
 * Uniswap V3 USDC/USDT at 0.01 %: liquidity in three rings around a price of one, most of it in the middle, as
 * mainnet's pool has it. `ticks` is the half width (a tick is about one basis point, the spacing of this fee tier 1).
 */
export const UNISWAP_FEE_PIPS = 100;
/** Half an hour of blocks of twelve seconds, each with a trade, and as much again. Mainnet's pool keeps 180. */
export const UNISWAP_OBSERVATIONS = 300;
/** How long the pool is older than all else, so that its price of half an hour ago is known at once. */
export const UNISWAP_HEAD_START_SECONDS = 1_860;
export const UNISWAP_RINGS: readonly { readonly ticks: number; readonly each: bigint }[] = [
  { ticks: 3, each: 5_000_000n * USDC },
  { ticks: 20, each: 3_000_000n * USDC },
  { ticks: 200, each: 2_000_000n * USDC },
];
