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

export interface MarketState {
  readonly block: number;
  readonly timestamp: number;
  /** Counts the market's turns: the block number over the blocks a turn. */
  readonly slot: number;
  readonly aave: LendingState;
  readonly comet: LendingState;
  readonly savings: { readonly totalAssets: bigint; readonly reserve: bigint };
  /** Tick of the USDC/USDT pool, counted so that a positive one means USDC is dear. */
  readonly usdcTick: number;
  readonly feeds: { readonly usdc: FeedState; readonly usdt: FeedState; readonly eth: FeedState };
  readonly purse: {
    readonly marketUsdc: bigint;
    readonly borrowerUsdc: bigint;
    readonly borrowerWeth: bigint;
    readonly traderUsdc: bigint;
    readonly traderUsdt: bigint;
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
  | { readonly actor: "trader"; readonly kind: "swap"; readonly sell: "usdc" | "usdt"; readonly amount: bigint }
  | {
      readonly actor: "market";
      readonly kind: "mint";
      readonly token: "usdc" | "usdt";
      readonly to: "market" | "borrower" | "trader";
      readonly amount: bigint;
    }
  | { readonly actor: "market"; readonly kind: "fund-savings"; readonly amount: bigint }
  | {
      readonly actor: "market";
      readonly kind: "report-price";
      readonly feed: "usdc" | "usdt" | "eth";
      readonly answer: bigint;
    };

export type MarketActor = MarketAction["actor"];
