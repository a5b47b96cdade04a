// What a deployment on one network is: addresses of others' contracts and every parameter of ours. Pure data.
import type { AddressFile } from "../../keeper/config/addressFile";

export const WAD = 10n ** 18n;
export const DAY_SECONDS = 86_400;
/** The least delay that the vault accepts of its owner. */
export const LEAST_TIMELOCK_DELAY_SECONDS = DAY_SECONDS;

/** Basis points as a WAD ratio. */
export const bps = (value: number): bigint => (BigInt(value) * WAD) / 10_000n;
/** Percent as a WAD ratio. */
export const percent = (value: number): bigint => bps(value * 100);

export interface Budget {
  /** WAD share of total assets that no window may exceed. Half of it can be used at once. */
  readonly limit: bigint;
  readonly windowSeconds: number;
}

/** What the timelock chooses of an adapter in a pool of stable coins. */
export interface PoolTerms {
  /** WAD share of fair value that a move may lose. */
  readonly slippage: bigint;
}

export interface ThreePoolTerms extends PoolTerms {
  /** WAD share of the feeds' price that the pool's may be off. */
  readonly steadiness: bigint;
  /** After which an answer of each coin's feed is stale, in the pool's order. */
  readonly heartbeatSeconds: readonly [number, number, number];
}

export interface UniswapTerms extends PoolTerms {
  /** Ticks from the middle of the range to its edges; a multiple of the pool's spacing. */
  readonly halfWidth: number;
  /** Over which the pool's price is averaged. */
  readonly windowSeconds: number;
  /** Observations that the pool must keep: at least the window over the time between blocks. */
  readonly leastObservations: number;
  /** Ticks that spot may be away from the mean. */
  readonly spotBound: number;
  /** Ticks that the mean may be away from the feeds' price. */
  readonly oracleBound: number;
  /** After which an answer of the asset's and of the paired coin's feed is stale. */
  readonly heartbeatSeconds: readonly [number, number];
}

export type VenueKind = AddressFile["adapters"][number]["kind"];

/** Whose contracts a venue is, and what its adapter has to know besides. */
export type VenuePlace =
  | {
      readonly kind: Exclude<VenueKind, "sky-savings" | "curve-3pool" | "uniswap-v3">;
      /** Aave's pool, Comet, the ERC-4626 vault. */
      readonly venue: string;
    }
  | {
      readonly kind: "sky-savings";
      /** The savings vault: sUSDS or sDAI. */
      readonly venue: string;
      /** Where its token is bought and sold: the wrapper for USDS, or the LitePSM for DAI. */
      readonly psm: string;
    }
  | ({
      readonly kind: "curve-3pool";
      /** The pool. */
      readonly venue: string;
      /** Its token, which the pool does not name. */
      readonly receipt: string;
      /** Chainlink's dollar prices of the coins, in the pool's order. */
      readonly feeds: readonly [string, string, string];
    } & ThreePoolTerms)
  | ({
      readonly kind: "uniswap-v3";
      /** The pool. */
      readonly venue: string;
      /** Who vouches for the pool. */
      readonly factory: string;
      /** The coin that the pool trades the asset for. */
      readonly paired: string;
      /** Chainlink's dollar prices of the asset and of the paired coin. */
      readonly feeds: readonly [string, string];
    } & UniswapTerms);

export interface VenueLimits {
  readonly id: string;
  /** In the asset's unit. */
  readonly absoluteCap: bigint;
  /** WAD of total assets. */
  readonly relativeCap: bigint;
  /** Names of {@link NetworkParameters.groups} that the venue counts towards. */
  readonly groups: readonly string[];
}

export type VenueParameters = VenueLimits & VenuePlace;

/** A condition of the breaker that anyone can prove; `contracts/breaker/` says what each judges. */
export type ConditionParameters = { readonly id: string } & (
  | {
      readonly kind: "share-price-fall";
      /** WAD of the highest price since the last reset. */
      readonly bound: bigint;
    }
  | {
      readonly kind: "oracle-trouble";
      readonly feed: string;
      readonly heartbeatSeconds: number;
      /** In the feed's unit; answers from `lower` to `upper` are sound. */
      readonly lower: bigint;
      readonly upper: bigint;
    }
  | {
      readonly kind: "aave-v3-illiquid" | "compound-v3-illiquid";
      /** Id of the venue. */
      readonly venue: string;
      /** WAD a year. */
      readonly leastRate: bigint;
      /** WAD of the position. */
      readonly share: bigint;
    }
  | { readonly kind: "venue-reverting" }
);

/** How a reward is sold; what each means, and its bounds: `contracts/interfaces/IRewardAuction.sol`. */
export interface SaleTerms {
  /** WAD shares of the feed's price that a lot begins and ends at. */
  readonly premium: bigint;
  readonly floor: bigint;
  readonly durationSeconds: number;
  /** In the asset's unit. */
  readonly minimumLot: bigint;
  /** After which an answer of the reward's feed is stale. */
  readonly heartbeatSeconds: number;
}

/** A token that a venue pays in, beside its asset. */
export interface RewardParameters extends SaleTerms {
  readonly symbol: string;
  readonly token: string;
  /** Chainlink's dollar price of it. */
  readonly feed: string;
}

export interface AuctionParameters {
  /** Chainlink's dollar price of the asset, and after which its answer is stale. */
  readonly feed: string;
  readonly heartbeatSeconds: number;
  readonly rewards: readonly RewardParameters[];
}

export interface NetworkParameters {
  readonly network: AddressFile["network"];
  readonly chainId: number;
  readonly asset: AddressFile["asset"];
  readonly share: { readonly name: string; readonly symbol: string };
  readonly timelockDelaySeconds: number;
  /** In the asset's unit, paid by the deployer; its shares are burned. */
  readonly seed: bigint;
  /** Blocks on top of a transaction, its own included, before the next step builds on it. */
  readonly confirmations: number;
  readonly limits: {
    /** WAD a year. */
    readonly managementFee: bigint;
    /** WAD of the gain. */
    readonly performanceFee: bigint;
    readonly feeRecipient: string;
    /** WAD a year: gains above it wait. */
    readonly maxRate: bigint;
    /** In the asset's unit. */
    readonly depositCap: bigint;
    /** WAD of total assets. */
    readonly minimumIdle: bigint;
    /** WAD of total assets. */
    readonly lossPerCall: bigint;
    readonly lossBudget: Budget;
    readonly turnoverBudget: Budget;
    readonly emergencyBudget: Budget;
  };
  readonly groups: readonly { readonly name: string; readonly relativeCap: bigint }[];
  /** In the order of the withdrawal queue. */
  readonly venues: readonly VenueParameters[];
  /** Where rewards of venues are sold. Null: they stay with whoever owes them, or in the adapters, for ever. */
  readonly auction: AuctionParameters | null;
  /** Registered at the vault from birth. */
  readonly conditions: readonly ConditionParameters[];
}

/** Who holds which power over the vault. The deployer holds none. */
export interface Roles {
  /** Proposes to and executes from the timelock; a multisig. */
  readonly owner: string;
  readonly guardian: string;
  readonly keepers: readonly string[];
}
