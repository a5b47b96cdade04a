// The keeper's look at risk, block by block: reads the feeds that the vault leans on, keeps what is needed of the past,
// judges every venue, and trips the keeper's own breaker. What has tripped stays in the store until a person resets it.
import type { AddressFile } from "../config/addressFile";
import { kappaOf } from "../allocate/riskTolerance";
import type { Config } from "../config/load";
import type { Chain } from "../chain/connect";
import type { Head } from "../chain/heads";
import type { VaultSnapshot } from "../chain/snapshot";
import { chainlinkCollector } from "../collect/chainlink";
import { sweep } from "../collect/sweep";
import { locateFeeds, type VaultFeed } from "../collect/vaultFeeds";
import type { RiskInput } from "../decide/strategy";
import type { Sink } from "../events/events";
import { ewmaForecast } from "../forecast/ewma";
import { assess, verdictOf, type RiskAssessment } from "../risk/assessment";
import { outageSignal, Patience, signalsOf, type Signal } from "../risk/breaker";
import { driftOf, together, type Drift } from "../risk/drift";
import type { FeedState } from "../risk/oracle";
import { VenuePast } from "../risk/past";
import { protocolsOf, readProtocols, type Protocol } from "../risk/protocolFile";
import { realisedOf, REALISED_SECONDS } from "../risk/realised";
import { readScenarios, type ScenarioFile } from "../risk/scenarios";
import type { BreakerTrip, VaultKey } from "../store/breakerRecords";
import type { ObservationRow, Store } from "../store/records";

const HOUR = 3_600;
const DAY = 86_400;
/** As it is recorded and used. */
const KAPPA_DIGITS = 12;
/** A forecast is held against what came over a day, however far it is meant to see: a week would need a fortnight of data. */
const DRIFT_HORIZON_SECONDS = DAY;
/** The walk over the past is made anew once an hour of the chain. */
const DRIFT_EVERY_SECONDS = HOUR;
/** Whether something is still collected is asked so often, by this machine's clock. */
const COLLECTOR_POLL_MS = 60_000;

export interface RiskSources {
  /** By venue id. */
  readonly protocols: ReadonlyMap<string, Protocol | null>;
  readonly scenarios: ScenarioFile;
}

/** @throws InputFailure `PROTOCOLS_…`, `PROTOCOL_UNKNOWN`. */
export function riskSources(config: Config, addresses: AddressFile): RiskSources {
  const protocols = readProtocols(config.risk.protocolFile);
  return { protocols: protocolsOf(addresses.adapters, config.risk.protocols, protocols), scenarios: readScenarios() };
}

/** Seconds of observations that risk is judged on. */
export function riskLookbackSeconds(config: Pick<Config, "risk">): number {
  return config.risk.breaker.driftWindowHours * HOUR + DRIFT_HORIZON_SECONDS;
}

/** The feeds' states at a block. @throws as `sweep`; a feed that cannot be read is one without a price. */
export async function readFeeds(chain: Chain, head: Head, feeds: readonly VaultFeed[]): Promise<FeedState[]> {
  const { readings } = await sweep(chain, head, feeds.map(chainlinkCollector));
  return feeds.map((feed) => {
    const state = readings.find(({ subject }) => subject === feed.subject)?.state;
    const answer = Number(state?.["answer"] ?? 0);
    const price = answer > 0 ? answer / 10 ** Number(state?.["decimals"]) : null;
    return { ...feed, price, ageSeconds: state === undefined ? null : Number(state["ageSeconds"]) };
  });
}

export interface RiskWatchDeps {
  readonly addresses: AddressFile;
  readonly config: Config;
  readonly sources: RiskSources;
  readonly chain: Chain;
  readonly store: Store;
  readonly sink: Sink;
  /** False: a dry run, whose trips are its own and stop nobody else. */
  readonly persist: boolean;
  /** Of a dry run: what closing everything would be for. Nothing is stored of it. */
  readonly closing?: string | undefined;
  /** This machine's clock, milliseconds. Default: `Date.now`. */
  readonly clock?: () => number;
}

export class RiskWatch {
  readonly #deps: RiskWatchDeps;
  readonly #of: VaultKey;
  readonly #past: VenuePast;
  readonly #patience = new Patience();
  /** Null: not located yet. */
  #feeds: readonly VaultFeed[] | null = null;
  #kappa: { readonly at: number; readonly kappa: number } | null = null;
  #drift: { readonly at: number; readonly drift: Drift | null } | null = null;
  /** As of the last look; a dry run's own trips among them. */
  #open: readonly BreakerTrip[] = [];
  #looked = false;
  /** Trips of a dry run, which are kept nowhere else. */
  readonly #own: BreakerTrip[] = [];
  #lastBlock: { readonly number: number; readonly timestamp: number; readonly seenAt: number } | null = null;
  #collected: { readonly newest: number; readonly changedAt: number; readonly askedAt: number } | null = null;

  constructor(deps: RiskWatchDeps) {
    this.#deps = deps;
    this.#of = { chainId: deps.addresses.chainId, vault: deps.addresses.vault };
    this.#past = new VenuePast({ keepSeconds: riskLookbackSeconds(deps.config) });
    const { closing, persist } = deps;
    if (closing === undefined || persist) return;
    const trip = { cause: "operator", detail: closing, closes: true, blockNumber: 0, observedAt: 0 } as const;
    this.#own.push({ ...trip, ...UNSTORED });
  }

  /** Whether the keeper is stopped, as of the last look: what the signing policy asks. */
  get isTripped(): boolean {
    return this.#open.length > 0;
  }

  /** Observations of an earlier process, oldest first. */
  remember(rows: readonly ObservationRow[]): void {
    this.#past.add(rows);
  }

  /**
   * Everything that a new block says of risk. New trips are stored before they count.
   * @throws what node and store throw.
   */
  async look(head: Head, snapshot: VaultSnapshot, rows: readonly ObservationRow[]): Promise<RiskInput> {
    const { chain, config, store } = this.#deps;
    this.#past.add(rows);
    this.#feeds ??= await locateFeeds(chain, head, this.#deps.addresses);
    const [feeds, reference, drift] = await Promise.all([
      readFeeds(chain, head, this.#feeds),
      store.breaker.reference(this.#of),
      this.#driftAt(head.timestamp),
      this.#refresh(),
    ]);
    const settings = config.risk.breaker;
    const signals = signalsOf(
      {
        ...{ snapshot, feeds, feeCeiling: config.fees.maxFeePerGas },
        reference: reference === null ? null : BigInt(reference),
        drift,
      },
      settings,
    );
    this.#lastBlock = { number: head.number, timestamp: head.timestamp, seenAt: this.#now() };
    await this.#trip(this.#patience.ripe(signals, head.timestamp, settings));
    const price = { sharePrice: snapshot.sharePrice.toString(), observedAt: snapshot.timestamp };
    if (this.#deps.persist) await store.breaker.raise(this.#of, price);
    return this.#inputOf(this.#assess(snapshot, feeds), await this.#kappaAt(head.timestamp));
  }

  /** What only the clock tells: that no block came, or that nothing was collected any more. */
  async lookAtClock(): Promise<void> {
    const last = this.#lastBlock;
    if (last === null) return;
    const now = this.#now();
    const settings = this.#deps.config.risk.breaker;
    const block = outageSignal("block could be read", (now - last.seenAt) / 1_000, settings);
    const silence = block === null ? await this.#collectorSilence(now, last.timestamp) : 0;
    const signal = block ?? outageSignal("row was collected", silence, settings);
    if (signal !== null) await this.#trip([signal]);
  }

  #now(): number {
    return (this.#deps.clock ?? Date.now)();
  }

  #assess(snapshot: VaultSnapshot, feeds: readonly FeedState[]): RiskAssessment {
    const { sources, config } = this.#deps;
    return assess({
      ...{ snapshot, feeds, ...sources },
      past: (venue) => this.#past.of(venue),
      depegBps: config.risk.breaker.depegBps,
      venueCaps: config.limits.venueCaps,
    });
  }

  /** Of the tail; once an hour anew where it follows what the vault has been through. */
  async #kappaAt(now: number): Promise<number> {
    const { kappa, tolerance } = this.#deps.config.risk.tail;
    if (tolerance === undefined || kappa === 0) return kappa;
    if (this.#kappa !== null && now < this.#kappa.at + HOUR) return this.#kappa.kappa;
    const prices = await this.#deps.store.sharePrices({ ...this.#of, from: now - REALISED_SECONDS });
    const points = prices
      .map(({ at, sharePrice }) => ({ at, value: Number(sharePrice) }))
      .filter(({ at }) => at <= now);
    const realised = realisedOf(points);
    const found = realised === null ? kappa : kappaOf({ ...tolerance, kappa }, realised);
    this.#kappa = { at: now, kappa: Number(found.toPrecision(KAPPA_DIGITS)) };
    return this.#kappa.kappa;
  }

  #inputOf({ venues, scenarios }: RiskAssessment, kappa: number): RiskInput {
    const { limitPositions, tail } = this.#deps.config.risk;
    return {
      verdicts: limitPositions ? venues.map(verdictOf) : [],
      scenarios: limitPositions ? scenarios : [],
      ...(limitPositions && kappa > 0 ? { tail: { kappa, confidence: tail.confidence } } : {}),
      tripped: this.#open.map(({ cause, detail }) => ({ cause, detail })),
      closing: this.#open.some(({ closes }) => closes) ? { unable: [] } : null,
    };
  }

  /** What is open now, and a word about it where that changed without this process's doing. */
  async #refresh(): Promise<void> {
    const { store, sink } = this.#deps;
    const stored = await store.breaker.open(this.#of);
    const before = this.#open;
    this.#open = [...stored, ...this.#own];
    const known = new Set(before.map(({ cause }) => cause));
    const fresh = this.#open.filter(({ cause }) => !known.has(cause));
    const reason = fresh.map(({ cause, detail }) => `${cause}: ${detail}`).join(", ");
    if (!this.#looked && fresh.length > 0) {
      sink.emit({ name: "breaker.open", causes: fresh.map(({ cause }) => cause), reason });
    } else {
      for (const { cause, detail, blockNumber } of fresh) this.#tell(cause, detail, blockNumber);
    }
    this.#looked = true;
    if (before.length > 0 && this.#open.length === 0) {
      const [last] = await store.breaker.trips(this.#of, 1);
      sink.emit({ name: "breaker.reset", reason: last?.resetReason ?? "reset" });
    }
  }

  async #trip(signals: readonly Signal[]): Promise<void> {
    const { store, persist, config } = this.#deps;
    const open = new Set(this.#open.map(({ cause }) => cause));
    for (const { cause, detail } of signals) {
      if (open.has(cause)) continue;
      const trip = {
        ...{ cause, detail, closes: config.risk.breaker.closeOnTrip },
        blockNumber: this.#lastBlock?.number ?? 0,
        observedAt: this.#lastBlock?.timestamp ?? 0,
      };
      if (persist) await store.breaker.trip(this.#of, trip);
      else this.#own.push({ ...trip, ...UNSTORED });
    }
    if (signals.some(({ cause }) => !open.has(cause))) await this.#refresh();
  }

  #tell(cause: string, detail: string, block: number): void {
    this.#deps.sink.emit({ name: "breaker.tripped", cause, reason: detail, block });
  }

  /** Of what was served: a model's word where decisions rested on it, else the EWMA's. */
  async #driftAt(now: number): Promise<Drift | null> {
    if (this.#drift !== null && now < this.#drift.at + DRIFT_EVERY_SECONDS) return this.#drift.drift;
    const { config, addresses, store } = this.#deps;
    const { halfLifeHours } = config.forecast;
    const span = {
      ...{ now, horizonSeconds: DRIFT_HORIZON_SECONDS },
      windowSeconds: config.risk.breaker.driftWindowHours * HOUR,
    };
    const drifts = addresses.adapters.map(async ({ id }) => {
      const rows = await store.models.served({
        ...{ chainId: addresses.chainId, series: id, horizonHours: DRIFT_HORIZON_SECONDS / HOUR },
        from: now - riskLookbackSeconds(config),
      });
      const said = new Map(rows.map(({ madeAt, point }) => [madeAt, point]));
      return driftOf(
        this.#past.of(id),
        (known, at) => said.get(at) ?? ewmaForecast(known, at, { halfLifeHours })?.apr ?? null,
        span,
      );
    });
    const drift = together(await Promise.all(drifts));
    this.#drift = { at: now, drift };
    return drift;
  }

  /** Seconds since the newest collected row changed; zero where nobody has collected since this process began. */
  async #collectorSilence(now: number, chainTime: number): Promise<number> {
    const { store, addresses } = this.#deps;
    const before = this.#collected;
    if (before !== null && now < before.askedAt + COLLECTOR_POLL_MS) return seen(before, now);
    const names = addresses.adapters.map(({ id }) => id);
    const newest = (await store.history.newest(addresses.chainId, names, chainTime - DAY)) ?? before?.newest ?? 0;
    const moved = before !== null && newest > before.newest;
    // Rows from before the start say nothing of whether anybody collects now.
    const changedAt = moved ? now : (before?.changedAt ?? NEVER);
    this.#collected = { newest, changedAt, askedAt: now };
    return seen(this.#collected, now);
  }
}

const NEVER = -1;
const UNSTORED = { id: 0, availableAt: 0, resetAt: null, resetReason: null } as const;

function seen({ changedAt }: { readonly changedAt: number }, now: number): number {
  return changedAt === NEVER ? 0 : (now - changedAt) / 1_000;
}
