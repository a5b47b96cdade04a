// The rows that the store keeps, as the other rooms see them. Amounts are decimal strings in the asset's unit (a JSON
// number or a float would lose digits), times are unix seconds, hashes 0x-prefixed lower-case hex.

import type { BreakerStore } from "./breakerRecords";
import type { HistoryStore } from "./historyRecords";
import type { JobQueue, JobQueueOptions } from "./jobQueue";
import type { Lead } from "./leaderLock";
import type { ModelStore } from "./modelRecords";
import type { RefitStore } from "./refitRecords";
import type { TrialStore } from "./trialRecords";

/** Life of an intent. `planned … submitted` and `missed` are live; `included` is live until final. */
export type IntentState =
  "planned" | "simulated" | "submitted" | "missed" | "included" | "final" | "reorged" | "abandoned";

/** States in which a plan may still reach, or has reached, the chain: at most one intent a nonce is in one of them. */
export const LIVE_INTENT_STATES = [
  "planned",
  "simulated",
  "submitted",
  "missed",
  "included",
  "reorged",
] as const satisfies readonly IntentState[];

export interface SnapshotRow {
  readonly chainId: number;
  readonly vault: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  /** Block timestamp. */
  readonly observedAt: number;
  /** When this process knew it. */
  readonly availableAt: number;
  /** The decoded snapshot, canonical JSON. */
  readonly payload: string;
  readonly totalAssets: string;
  /** Assets for one whole share, WAD-scaled decimal string in the asset's smallest unit. */
  readonly sharePrice: string;
}

export interface ObservationRow {
  readonly chainId: number;
  /** Venue id of the deployment, for example `aave-v3-usdc`. */
  readonly venue: string;
  readonly adapter: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly observedAt: number;
  readonly availableAt: number;
  readonly source: string;
  /** Assets that earn in the venue (our own included); null where the venue has no such number. */
  readonly supplied: string | null;
  readonly borrowed: string | null;
  /**
   * Fraction a year, simple, base rate without rewards. Null: not known yet, as at the first sight of an index, whose
   * growth needs a second one.
   */
  readonly supplyApr: number | null;
  /** The rate that the venue would pay were our position not there: what forecasts are made of. Null as above. */
  readonly supplyAprWithoutUs: number | null;
  readonly borrowApr: number | null;
  /** Fair value of the vault's own position. */
  readonly vaultAssets: string;
  /** The venue's growth index (Aave: RAY, ERC-4626: WAD), whose growth is the realised yield; null or absent: none. */
  readonly index?: string | null;
}

/** That a process saw a block, and how it remembers the ones before. */
export interface TickRow {
  readonly chainId: number;
  readonly vault: string;
  /** Of one process. */
  readonly run: string;
  readonly dryRun: boolean;
  /** Canonical JSON. */
  readonly memory: string;
  readonly blockHash: string;
  readonly observedAt: number;
  readonly availableAt: number;
  /** Wei. */
  readonly baseFee: string;
}

export interface SeenBlockFee {
  readonly blockHash: string;
  readonly observedAt: number;
  /** Wei. */
  readonly baseFee: string;
}

/** What it decided there. */
export interface TickDecision {
  readonly run: string;
  readonly blockHash: string;
  /** Inputs beside the snapshot, canonical JSON. */
  readonly inputs: string;
  readonly recordHash: string;
}

export interface RunOfTicks {
  readonly run: string;
  readonly dryRun: boolean;
  readonly memory: string;
  /** Block times of the first tick and the last. */
  readonly from: number;
  readonly to: number;
  readonly ticks: number;
  readonly firstBlockHash: string;
}

/** A tick with its block's snapshot. */
export interface RecordedTick {
  readonly id: string;
  readonly availableAt: number;
  /** As in {@link SnapshotRow.payload}. */
  readonly snapshot: string;
  /** Null with the hash: nothing was decided. */
  readonly inputs: string | null;
  readonly recordHash: string | null;
}

export interface DecisionRow {
  /** First 16 hex digits of `recordHash`, without 0x. */
  readonly id: string;
  readonly chainId: number;
  readonly vault: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  /** Block timestamp of the snapshot. */
  readonly decidedAt: number;
  readonly action: "rebalance" | "hold";
  readonly reason: string;
  /** Canonical JSON (RFC 8785) of every input and output of the decision. */
  readonly record: string;
  /** keccak256 of `record`. */
  readonly recordHash: string;
}

/** A decision as people are shown it. `state`: the intent's state, or `held`, or `dry-run` where nothing was to be sent. */
export interface DecisionView extends DecisionRow {
  readonly state: IntentState | "held" | "dry-run" | "unplanned";
  readonly stateReason: string | null;
  /** Null for a hold and for a dry run. */
  readonly intentId: string | null;
  readonly includedBlock: number | null;
  readonly txHash: string | null;
}

export interface IntentRow {
  readonly id: string;
  readonly decisionId: string;
  readonly chainId: number;
  readonly vault: string;
  readonly keeper: string;
  /** The vault's plan nonce (epoch and count), decimal string. */
  readonly planNonce: string;
  /** The keeper account's transaction nonce: the same for every re-send, so that only one can land. */
  readonly accountNonce: number;
  readonly calldata: string;
  readonly gasLimit: string;
  /** Chain time after which the vault refuses the plan. */
  readonly deadline: number;
  /** Block of the decision: targets are after it. */
  readonly decidedBlock: number;
  readonly state: IntentState;
  readonly reason: string | null;
  readonly includedBlock: number | null;
  readonly includedBlockHash: string | null;
  readonly txHash: string | null;
}

export type SubmissionState = "signing" | "sent" | "refused" | "missed" | "included";

/** One bundle to one relay for one target block. Written before signing. */
export interface SubmissionRow {
  readonly id: string;
  readonly intentId: string;
  readonly relay: string;
  readonly targetBlock: number;
  readonly txHash: string | null;
  readonly bundleHash: string | null;
  readonly maxFeePerGas: string;
  readonly maxPriorityFeePerGas: string;
  readonly state: SubmissionState;
  readonly error: string | null;
}

export interface BundleCounts {
  readonly included: number;
  readonly missed: number;
}

/** Repositories. Every method is one transaction; a failure of the database is a `WorldFailure` with code `STORE_…`. */
export interface Store {
  /** One transaction: the snapshot, its observations and the tick, idempotent by (chain, vault, block hash). */
  saveSnapshot(snapshot: SnapshotRow, observations: readonly ObservationRow[], tick?: TickRow): Promise<void>;
  noteDecision(decision: TickDecision): Promise<void>;
  /** Base fees of the blocks in [from, to] that were seen, known by `knownBy`, oldest first. */
  baseFees(query: {
    chainId: number;
    vault: string;
    from: number;
    to: number;
    knownBy: number;
  }): Promise<SeenBlockFee[]>;
  /** Runs of a vault with a tick in [from, to], the oldest first. */
  tickRuns(query: { chainId: number; vault: string; from: number; to: number }): Promise<RunOfTicks[]>;
  /** Ticks of a run in its order, those after the one with the id `after` ("0": from the first on). */
  recordedTicks(query: { run: string; after: string; limit: number }): Promise<RecordedTick[]>;
  /** Observations of all venues of a chain with `observed_at` in [from, to] and `available_at` ≤ `knownBy`, oldest first. */
  observations(query: { chainId: number; from: number; to: number; knownBy: number }): Promise<ObservationRow[]>;
  /** Of each hour, the observations of the last block that was known at its end, or by `knownBy`; oldest first. */
  hourlyObservations(query: { chainId: number; from: number; knownBy: number }): Promise<ObservationRow[]>;
  latestSnapshot(chainId: number, vault: string): Promise<SnapshotRow | null>;
  snapshots(query: { chainId: number; vault: string; limit: number }): Promise<SnapshotRow[]>;
  /** The last share price of each hour since `from`, oldest first: decimal strings as in {@link SnapshotRow}. */
  sharePrices(query: {
    chainId: number;
    vault: string;
    from: number;
  }): Promise<{ readonly at: number; readonly sharePrice: string }[]>;

  /** Idempotent by id. `dryRun`: nothing was to be sent, so a rebalance without an intent is shown as `dry-run`. */
  saveDecision(decision: DecisionRow, options?: { readonly dryRun?: boolean }): Promise<void>;
  /**
   * Decision and intent in one transaction. Refuses (`WorldFailure`) when an intent with the same (vault, keeper, plan
   * nonce) is live (`STORE_INTENT_LIVE`) and when the decision was planned before (`STORE_DECISION_PLANNED`).
   */
  planIntent(
    decision: DecisionRow,
    intent: Omit<IntentRow, "id" | "state" | "reason" | "includedBlock" | "includedBlockHash" | "txHash">,
  ): Promise<IntentRow>;
  decision(id: string): Promise<DecisionView | null>;
  /** Newest first. */
  decisions(query: {
    chainId: number;
    vault: string;
    limit: number;
    action?: "rebalance" | "hold";
  }): Promise<DecisionView[]>;

  /** `decidedAt` of the newest decision whose plan is included or final; null if none. */
  lastRebalanceAt(chainId: number, vault: string): Promise<number | null>;

  intent(id: string): Promise<IntentRow | null>;
  liveIntents(chainId: number, vault: string, keeper: string): Promise<IntentRow[]>;
  /** Moves an intent from one of `from` to `to`; false if it was in another state (somebody else moved it). */
  moveIntent(
    id: string,
    from: readonly IntentState[],
    to: IntentState,
    change: {
      reason?: string;
      includedBlock?: number | null;
      includedBlockHash?: string | null;
      txHash?: string | null;
    },
  ): Promise<boolean>;

  /** Written before signing; idempotent by (intent, relay, target block). */
  openSubmission(row: {
    intentId: string;
    relay: string;
    targetBlock: number;
    maxFeePerGas: string;
    maxPriorityFeePerGas: string;
  }): Promise<SubmissionRow>;
  updateSubmission(
    id: string,
    change: { state: SubmissionState; txHash?: string; bundleHash?: string; error?: string },
  ): Promise<void>;
  submissions(intentId: string): Promise<SubmissionRow[]>;
  bundleCounts(chainId: number, vault: string): Promise<BundleCounts>;

  /** Takes the leader lock for (chain, vault, keeper) on a connection of its own; null when another instance holds it. */
  tryLead(chainId: number, vault: string, keeper: string): Promise<Lead | null>;
  /** The same for whoever collects a chain: two would store each bucket twice. */
  tryCollect(chainId: number): Promise<Lead | null>;
  /** The same for whoever refits the model on what is stored of a chain. */
  tryRefit(chainId: number): Promise<Lead | null>;

  /** What is collected. */
  readonly history: HistoryStore;
  /** The keeper's own breaker. */
  readonly breaker: BreakerStore;
  /** Trained models. */
  readonly models: ModelStore;
  /** Their refits. */
  readonly refits: RefitStore;
  /** Sweeps that processes share. */
  readonly trials: TrialStore;
  /** A queue of jobs that processes share. */
  jobQueue(options: JobQueueOptions): Promise<JobQueue>;

  ping(): Promise<void>;
  close(): Promise<void>;
}
