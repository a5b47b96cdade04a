// What people and programs are shown of the keeper at one moment: the shapes of `tiller status --json`, of the HTTP
// API and of the web page. Types only: who builds them and who draws them are elsewhere. Amounts are decimal strings
// of integers in the asset's smallest unit, rates fractions a year, times unix seconds on the chain's own clock.
import type { BreakerState, VenueKind } from "../chain/snapshot";
import type { DecisionView, SubmissionState } from "../store/records";
import type { PoolPosition } from "../venues/poolPosition";

export interface AllocationStatus {
  /** Venue id of the deployment, for example `aave-v3-usdc`. */
  readonly venue: string;
  /** What counts in total assets: zero while the venue is quarantined. */
  readonly assets: string;
  readonly quarantined: boolean;
  /** Of a pool of traders only; null: it could not be read. */
  readonly pool?: PoolPosition | null;
}

export interface DecisionStatus {
  readonly id: string;
  readonly action: "rebalance" | "hold";
  readonly state: DecisionView["state"];
  readonly reason: string;
}

/** The answer of `tiller status --json` and of `GET /api/status`: exactly these fields, fixed. */
export interface StatusView {
  readonly vault: string;
  /** Block of the snapshot that everything here was read at. */
  readonly block: number;
  readonly totalAssets: string;
  /** Assets for one whole share, in whole units of the asset: "1.000123456789012345". */
  readonly sharePrice: string;
  readonly breaker: BreakerState;
  readonly allocations: readonly AllocationStatus[];
  /** Newest first. */
  readonly decisions: readonly DecisionStatus[];
  readonly bundles: { readonly included: number; readonly missed: number };
}

export interface AllocationView extends AllocationStatus {
  readonly kind: VenueKind;
  /** Most that the vault lets the venue hold at today's total assets (absolute and relative cap); null: no cap. */
  readonly cap: string | null;
  /** What our position earns now; null where the venue could not be read. */
  readonly supplyApr: number | null;
  /** Mean expected over the keeper's horizon; null before the first forecast. */
  readonly forecastApr: number | null;
  /** Borrowed over supplied, in [0, 1]; null where the venue lends to nobody or could not be read. */
  readonly utilisation: number | null;
  /** Utilisation at which the venue's rate turns steep; null where it has none. */
  readonly kink: number | null;
}

export interface PageDecision extends DecisionStatus {
  readonly block: number;
  readonly decidedAt: number;
  /** Why the plan is in its state, for example why it was abandoned; null where the state says it all. */
  readonly stateReason: string | null;
  readonly txHash: string | null;
  readonly includedBlock: number | null;
  /** keccak256 of the decision record: what the vault logged as `decision`. */
  readonly recordHash: string;
}

/** One bundle to one relay for one block. */
export interface BundleView {
  /** The relay's name in the configuration, never its URL. */
  readonly relay: string;
  readonly targetBlock: number;
  readonly state: SubmissionState;
  readonly error: string | null;
}

/** The answer of `GET /api/decisions/:id`. */
export interface DecisionDetail extends PageDecision {
  /** Oldest first; empty for a hold. */
  readonly bundles: readonly BundleView[];
  /** Canonical JSON of every input and output of the decision, exactly as hashed. */
  readonly record: string;
}

export interface HistoryPoint {
  readonly at: number;
  /** As {@link StatusView.sharePrice}. */
  readonly sharePrice: string;
  readonly totalAssets: string;
}

export interface RatePoint {
  readonly at: number;
  readonly apr: number;
}

export interface VenueRates {
  readonly venue: string;
  /** Oldest first. */
  readonly points: readonly RatePoint[];
}

export interface KeeperHealth {
  /** `leading`: this instance may send. `standby`: another one holds the lock. `dry-run`: decides, sends nothing. */
  readonly state: "starting" | "leading" | "standby" | "dry-run" | "stopping";
  /** Newest block that the keeper has seen; null before the first. */
  readonly headBlock: number | null;
  /** Seconds by this machine's clock since it saw it; null before the first. */
  readonly headAgeSeconds: number | null;
  /** Block of the last tick that ran to its end. */
  readonly lastTickBlock: number | null;
  /** What is wrong now, in one line without secrets; null when all is well. */
  readonly trouble: string | null;
}

/** Everything that the web page shows. The lists are bounded by who builds them. */
export interface PageView extends StatusView {
  readonly chainId: number;
  readonly network: "local" | "mainnet" | "fork";
  /** Chain time of `block`. */
  readonly blockTimestamp: number;
  readonly asset: { readonly symbol: string; readonly decimals: number };
  readonly idle: string;
  readonly allocations: readonly AllocationView[];
  /** Newest first; the newest rebalances are among them however many holds came after. */
  readonly decisions: readonly PageDecision[];
  /** Oldest first. */
  readonly history: readonly HistoryPoint[];
  readonly rates: readonly VenueRates[];
  readonly keeper: KeeperHealth;
}
