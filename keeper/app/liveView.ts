// What the page shows while the keeper runs: the last tick, and a past that is read from the store once and then grows
// with each tick, so that a page that is open costs the database next to nothing.
import { snapshotFromJson } from "../chain/snapshotJson";
import type { VaultSnapshot } from "../chain/snapshot";
import type { AddressFile } from "../config/addressFile";
import { WorldFailure } from "../config/failure";
import type { Forecast } from "../decide/strategy";
import type { ObservationRow, Store } from "../store/records";
import type { Tick } from "./keeper";
import { decisionDetail, pageView, sharePriceText } from "./pageView";
import type { DecisionDetail, HistoryPoint, KeeperHealth, PageView, RatePoint } from "./view";

/** Points of each line that the page draws, and how far back they go when the keeper starts. */
const POINTS = 200;
const PAST_SECONDS = 3 * 86_400;
/** Later than any row: the page shows what is known, whenever it became known. */
const EVER = 253_402_300_799;
/** A head older than this, by this machine's clock, means that the node or the chain stands still. */
const HEAD_PATIENCE_SECONDS = 120;

export class LiveView {
  private snapshot: VaultSnapshot | null = null;
  private forecasts: readonly Forecast[] = [];
  private readonly history: HistoryPoint[] = [];
  private readonly rates = new Map<string, RatePoint[]>();
  private readonly listeners = new Set<(view: PageView) => void>();
  private state: KeeperHealth["state"] = "starting";
  private trouble: string | null = null;
  private lastTickBlock: number | null = null;
  private headBlock: number | null = null;
  private headSeenAt: number | null = null;

  constructor(
    private readonly addresses: AddressFile,
    private readonly store: Store,
  ) {}

  /** Fills in what earlier runs stored, so that the page has something to show before the first tick. */
  async load(): Promise<void> {
    const { chainId, vault } = this.addresses;
    const latest = await this.store.latestSnapshot(chainId, vault);
    if (latest === null) return;
    this.snapshot = snapshotFromJson(JSON.parse(latest.payload));
    const rows = await this.store.snapshots({ chainId, vault, limit: POINTS });
    for (const row of [...rows].reverse()) {
      this.history.push({
        at: row.observedAt,
        sharePrice: sharePriceText(BigInt(row.sharePrice), this.snapshot.assetDecimals),
        totalAssets: row.totalAssets,
      });
    }
    const to = latest.observedAt;
    this.addRates(await this.store.observations({ chainId, from: to - PAST_SECONDS, to, knownBy: EVER }));
  }

  /** @param change What is new about the keeper itself. */
  note(change: {
    readonly state?: KeeperHealth["state"];
    readonly trouble?: string | null;
    readonly headBlock?: number;
  }): void {
    if (change.state !== undefined) this.state = change.state;
    if (change.trouble !== undefined) this.trouble = change.trouble;
    if (change.headBlock !== undefined) {
      this.headBlock = change.headBlock;
      this.headSeenAt = Date.now();
    }
    this.publish();
  }

  tick(tick: Tick): void {
    this.snapshot = tick.snapshot;
    this.forecasts = tick.forecasts;
    this.lastTickBlock = tick.head.number;
    this.headBlock = tick.head.number;
    this.headSeenAt = Date.now();
    this.trouble = null;
    append(this.history, {
      at: tick.snapshot.timestamp,
      sharePrice: sharePriceText(tick.snapshot.sharePrice, tick.snapshot.assetDecimals),
      totalAssets: tick.snapshot.totalAssets.toString(),
    });
    this.addRates(tick.observations);
    this.publish();
  }

  async current(): Promise<PageView> {
    if (this.snapshot === null) {
      throw new WorldFailure("NO_BLOCK_YET", "the keeper has not read a block yet", {
        remedy: "Wait for the first block; the keeper's log says if the node does not answer.",
      });
    }
    return pageView(this.snapshot, {
      addresses: this.addresses,
      store: this.store,
      keeper: this.keeperHealth(),
      forecasts: this.forecasts,
      history: this.history,
      rates: this.addresses.adapters.map(({ id }) => ({ venue: id, points: this.rates.get(id) ?? [] })),
    });
  }

  decision(id: string): Promise<DecisionDetail | null> {
    return decisionDetail(id, this.store);
  }

  subscribe(listener: (view: PageView) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  health(): { readonly alive: boolean; readonly ready: boolean; readonly reasons: readonly string[] } {
    const { headAgeSeconds } = this.keeperHealth();
    const reasons = [
      ...(this.trouble === null ? [] : [this.trouble]),
      ...(this.snapshot === null ? ["no block has been read yet"] : []),
      ...(headAgeSeconds !== null && headAgeSeconds > HEAD_PATIENCE_SECONDS
        ? [`the newest block is ${headAgeSeconds} s old`]
        : []),
    ];
    return { alive: true, ready: reasons.length === 0, reasons };
  }

  private keeperHealth(): KeeperHealth {
    return {
      state: this.state,
      headBlock: this.headBlock,
      headAgeSeconds: this.headSeenAt === null ? null : Math.round((Date.now() - this.headSeenAt) / 1000),
      lastTickBlock: this.lastTickBlock,
      trouble: this.trouble,
    };
  }

  private addRates(rows: readonly ObservationRow[]): void {
    for (const row of rows) {
      if (row.supplyApr === null) continue;
      const points = this.rates.get(row.venue) ?? [];
      this.rates.set(row.venue, points);
      append(points, { at: row.observedAt, apr: row.supplyApr });
    }
  }

  private publish(): void {
    if (this.listeners.size === 0 || this.snapshot === null) return;
    this.current().then(
      (view) => {
        for (const listener of this.listeners) listener(view);
      },
      // The store is in trouble; the loop says so, and the next tick publishes again.
      () => undefined,
    );
  }
}

/** Adds a point that is newer than the last; when there are twice as many as are drawn, every other old one goes. */
function append<T extends { readonly at: number }>(points: T[], point: T): void {
  if (point.at <= (points.at(-1)?.at ?? -Infinity)) return;
  points.push(point);
  if (points.length < 2 * POINTS) return;
  const kept = points.filter((_, index) => index % 2 === 0 || index >= points.length - POINTS / 4);
  points.splice(0, points.length, ...kept);
}
