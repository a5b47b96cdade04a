// What a deployment on one network is: addresses of others' contracts and every parameter of ours. Pure data.
import type { AddressFile } from "../../keeper/config/addressFile";
import type { VenueKind } from "../../keeper/chain/snapshot";

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

/** Whose contracts a venue is, as its adapter has to know them. */
export type VenuePlace =
  | {
      readonly kind: Exclude<VenueKind, "sky-savings">;
      /** Aave's pool, Comet, the ERC-4626 vault. */
      readonly venue: string;
    }
  | {
      readonly kind: "sky-savings";
      /** The savings vault: sUSDS or sDAI. */
      readonly venue: string;
      /** Where its token is bought and sold: the wrapper for USDS, or the LitePSM for DAI. */
      readonly psm: string;
    };

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
  /** Where rewards of venues are sold: a RewardAuction for the vault's address to be. None: rewards stay in the adapters. */
  readonly auction?: string;
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
