// Builds what people and programs are shown from a snapshot and the store. Pure but for the store's reads.
import type { AddressFile } from "../config/addressFile";
import type { AdapterSnapshot, VaultSnapshot } from "../chain/snapshot";
import type { DecisionView, Store, SubmissionRow } from "../store/records";
import type { Forecast } from "../decide/strategy";
import { observationsOf } from "../venues/observations";
import { poolPosition } from "../venues/poolPosition";
import type {
  AllocationStatus,
  AllocationView,
  BundleView,
  DecisionDetail,
  HistoryPoint,
  KeeperHealth,
  PageDecision,
  PageView,
  StatusView,
  VenueRates,
} from "./view";

const WAD = 10n ** 18n;
const SHARE_PRICE_DIGITS = 18;

/** How many decisions are shown: the newest, and the newest rebalances among or after them. */
const SHOWN = { decisions: 40, rebalances: 15 };

export interface ViewContext {
  readonly addresses: AddressFile;
  readonly store: Store;
  readonly keeper: KeeperHealth;
  readonly forecasts: readonly Forecast[];
  readonly history: readonly HistoryPoint[];
  readonly rates: readonly VenueRates[];
}

/** The answer of `tiller status --json`. */
export async function statusView(snapshot: VaultSnapshot, store: Store): Promise<StatusView> {
  const { chainId, vault } = snapshot;
  const [decisions, bundles] = await Promise.all([decisionsOf(snapshot, store), store.bundleCounts(chainId, vault)]);
  return {
    vault,
    block: snapshot.blockNumber,
    totalAssets: snapshot.totalAssets.toString(),
    sharePrice: sharePriceText(snapshot.sharePrice, snapshot.assetDecimals),
    breaker: snapshot.breaker,
    allocations: snapshot.adapters.map((adapter) => allocationStatus(adapter, snapshot)),
    decisions: decisions.map(({ id, action, state, reason }) => ({ id, action, state, reason })),
    bundles,
  };
}

export async function pageView(snapshot: VaultSnapshot, context: ViewContext): Promise<PageView> {
  const { store, addresses, keeper, history, rates } = context;
  const [status, decisions] = await Promise.all([statusView(snapshot, store), decisionsOf(snapshot, store)]);
  return {
    ...status,
    decisions: decisions.map(pageDecision),
    chainId: snapshot.chainId,
    network: addresses.network,
    blockTimestamp: snapshot.timestamp,
    asset: { symbol: addresses.asset.symbol, decimals: snapshot.assetDecimals },
    idle: snapshot.idle.toString(),
    allocations: allocationsOf(snapshot, context.forecasts),
    history,
    rates,
    keeper,
  };
}

export async function decisionDetail(id: string, store: Store): Promise<DecisionDetail | null> {
  const decision = await store.decision(id);
  if (decision === null) return null;
  const submissions = decision.intentId === null ? [] : await store.submissions(decision.intentId);
  return { ...pageDecision(decision), record: decision.record, bundles: submissions.map(bundleView) };
}

/** Newest first; the newest rebalances are among them however many holds came after. */
async function decisionsOf(snapshot: VaultSnapshot, store: Store): Promise<DecisionView[]> {
  const query = { chainId: snapshot.chainId, vault: snapshot.vault };
  const [newest, rebalances] = await Promise.all([
    store.decisions({ ...query, limit: SHOWN.decisions }),
    store.decisions({ ...query, limit: SHOWN.rebalances, action: "rebalance" }),
  ]);
  const known = new Set(newest.map((decision) => decision.id));
  return [...newest, ...rebalances.filter((decision) => !known.has(decision.id))];
}

function allocationStatus(adapter: AdapterSnapshot, snapshot: VaultSnapshot): AllocationStatus {
  const pool = poolPosition(adapter, snapshot);
  return {
    venue: adapter.id,
    assets: adapter.counted.toString(),
    quarantined: adapter.quarantined,
    ...(pool === undefined ? {} : { pool }),
  };
}

function allocationsOf(snapshot: VaultSnapshot, forecasts: readonly Forecast[]): AllocationView[] {
  const base = snapshot.accountedAssets < snapshot.totalAssets ? snapshot.accountedAssets : snapshot.totalAssets;
  const now = new Map(
    observationsOf(snapshot, { availableAt: snapshot.timestamp, previous: [] }).map((row) => [row.venue, row]),
  );
  return snapshot.adapters.map((adapter) => {
    const relative = (adapter.relativeCap * base) / WAD;
    const cap = adapter.absoluteCap < relative ? adapter.absoluteCap : relative;
    const forecast = forecasts.find((candidate) => candidate.venue === adapter.id);
    return {
      ...allocationStatus(adapter, snapshot),
      kind: adapter.kind,
      cap: cap.toString(),
      supplyApr: now.get(adapter.id)?.supplyApr ?? forecast?.currentApr ?? null,
      forecastApr: forecast?.apr ?? null,
      ...utilisationOf(adapter),
    };
  });
}

function utilisationOf(adapter: AdapterSnapshot): { utilisation: number | null; kink: number | null } {
  const state = adapter.state;
  if (state === null) return { utilisation: null, kink: null };
  switch (state.kind) {
    case "aave-v3": {
      const total = state.cash + state.borrowed;
      return {
        utilisation: total === 0n ? 0 : Number((state.borrowed * WAD) / total) / 1e18,
        kink: Number(state.optimalUsage) / 1e27,
      };
    }
    case "compound-v3":
      return { utilisation: Number(state.utilization) / 1e18, kink: Number(state.supplyKink) / 1e18 };
    case "erc4626":
    case "sky-savings":
    case "curve-3pool":
    case "uniswap-v3":
      return { utilisation: null, kink: null };
  }
}

function pageDecision(decision: DecisionView): PageDecision {
  return {
    id: decision.id,
    action: decision.action,
    state: decision.state,
    reason: decision.reason,
    block: decision.blockNumber,
    decidedAt: decision.decidedAt,
    stateReason: decision.stateReason,
    txHash: decision.txHash,
    includedBlock: decision.includedBlock,
    recordHash: decision.recordHash,
  };
}

function bundleView(row: SubmissionRow): BundleView {
  return { relay: row.relay, targetBlock: row.targetBlock, state: row.state, error: row.error };
}

/** @param sharePrice Smallest units for one whole share, WAD-scaled. @returns whole units, 18 decimals. */
export function sharePriceText(sharePrice: bigint, assetDecimals: number): string {
  const scaled = sharePrice / 10n ** BigInt(assetDecimals);
  const whole = scaled / WAD;
  return `${whole}.${(scaled % WAD).toString().padStart(SHARE_PRICE_DIGITS, "0")}`;
}
