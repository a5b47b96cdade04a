// What the market's actors look at before they act, and what they may do. Pure data: amounts in the token's unit,
// utilisation and kinks in WAD, prices in USD with 8 decimals, times in unix seconds.

export interface LendingState {
  readonly supplied: bigint;
  readonly borrowed: bigint;
  readonly cash: bigint;
  readonly kink: bigint;
  /** Room under the venue's own caps. */
  readonly supplyRoom: bigint;
  readonly borrowRoom: bigint;
  /** What the market's lender could withdraw if the cash were there. */
  readonly lent: bigint;
  readonly owed: bigint;
  /** Collateral at its liquidation threshold over debt. */
  readonly health: bigint;
}

export interface FeedState {
  readonly answer: bigint;
  readonly updatedAt: number;
}

/** The coins of the 3pool, in its order. */
export type StableCoin = "dai" | "usdc" | "usdt";
export const STABLE_COINS: readonly StableCoin[] = ["dai", "usdc", "usdt"];

/** What has a price feed. */
export type PricedToken = StableCoin | "eth" | "comp" | "aave";

export interface MarketState {
  readonly block: number;
  readonly timestamp: number;
  /** Counts the market's turns: the block number over the blocks a turn. */
  readonly slot: number;
  readonly aave: LendingState;
  readonly comet: LendingState;
  readonly savings: { readonly totalAssets: bigint; readonly reserve: bigint };
  /** Tick of the USDC/USDT pool, with its fraction, counted so that a positive one means USDC is dear. */
  readonly usdcTick: number;
  /** What the 3pool holds of each coin. */
  readonly threePool: Readonly<Record<StableCoin, bigint>>;
  readonly feeds: Readonly<Record<PricedToken, FeedState>>;
  readonly purse: {
    readonly marketUsdc: bigint;
    readonly borrowerUsdc: bigint;
    readonly borrowerWeth: bigint;
    readonly traderUsdc: bigint;
    readonly traderUsdt: bigint;
    readonly traderDai: bigint;
  };
}

export type LendingVenue = "aave" | "comet";

export type MarketAction =
  | {
      readonly actor: "borrower";
      readonly kind: "borrow" | "repay";
      readonly venue: LendingVenue;
      readonly amount: bigint;
    }
  | {
      readonly actor: "market";
      readonly kind: "supply" | "withdraw";
      readonly venue: LendingVenue;
      readonly amount: bigint;
    }
  /** Adds WETH as collateral. */
  | { readonly actor: "borrower"; readonly kind: "secure"; readonly venue: LendingVenue; readonly amount: bigint }
  /** In Uniswap's pool. */
  | { readonly actor: "trader"; readonly kind: "swap"; readonly sell: "usdc" | "usdt"; readonly amount: bigint }
  /** In the 3pool. */
  | {
      readonly actor: "trader";
      readonly kind: "exchange";
      readonly sell: StableCoin;
      readonly buy: StableCoin;
      readonly amount: bigint;
    }
  | {
      readonly actor: "market";
      readonly kind: "mint";
      readonly token: StableCoin;
      readonly to: "market" | "borrower" | "trader";
      readonly amount: bigint;
    }
  | { readonly actor: "market"; readonly kind: "fund-savings"; readonly amount: bigint }
  | {
      readonly actor: "market";
      readonly kind: "report-price";
      readonly feed: PricedToken;
      readonly answer: bigint;
    };

export type MarketActor = MarketAction["actor"];
