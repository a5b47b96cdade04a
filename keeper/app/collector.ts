// Keeps a chain collected for as long as the process runs: sweeps, maintenance of the store, sources of the web, each a job on
// its buckets. Of all processes with one database one collects a chain, the others stand by. Whatever goes wrong, it goes on.
import { setTimeout as sleep } from "node:timers/promises";
import type { Chain } from "../chain/connect";
import { newestBlock, type Head } from "../chain/heads";
import { backOff } from "../chain/clock";
import { ChainTime } from "../collect/jobTime";
import { startScheduler } from "../collect/scheduler";
import { targetsOf, type CollectedTargets } from "../collect/targets";
import type { AddressFile } from "../config/addressFile";
import type { Config } from "../config/load";
import type { Sink } from "../events/events";
import type { Store } from "../store/records";
import { ChainCollecting, type CollectedBlock } from "./collecting";
import { collectorJobs, type SeenHead } from "./collectorJobs";
import { failureOf } from "./keeper";

/** How often a process that stands by asks whether it may collect. */
const STANDBY_POLL_MS = 2_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface CollectorParts {
  readonly config: Config;
  readonly addresses: AddressFile;
  readonly chain: Chain;
  readonly store: Store;
  readonly sink: Sink;
}

/** One block, as it was collected now. */
export interface CollectedOnce extends CollectedBlock {
  /** Another process collects this chain: nothing was stored here. */
  readonly elsewhere: boolean;
}

export class Collector {
  readonly #parts: CollectorParts;
  readonly #targets: CollectedTargets;
  #state: "collecting" | "standby" | null = null;
  #troubleSince: number | null = null;

  /** @throws InputFailure `COLLECTED_TWICE`. */
  constructor(parts: CollectorParts) {
    const { config, addresses } = parts;
    this.#parts = parts;
    this.#targets = targetsOf(addresses, config.collect.targets, { assetUsd: config.limits.assetUsd });
  }

  /**
   * The newest block, now.
   *
   * @throws WorldFailure `BLOCK_GONE`, `RPC_…`, `STORE_…`.
   */
  async once(): Promise<CollectedOnce> {
    const { chain, store } = this.#parts;
    const collecting = this.#collecting();
    const lead = await store.tryCollect(chain.chainId);
    try {
      const head = await newestBlock(chain);
      if (lead !== null) return { ...(await collecting.collect(head, Date.now())), elsewhere: false };
      return { ...(await collecting.read(head)), stored: 0, forgotten: 0, elsewhere: true };
    } finally {
      await lead?.release();
    }
  }

  /** Until `signal` is raised; never fails. @param heads As `headStream`. */
  async run(
    signal: AbortSignal,
    options: { readonly everySeconds: number; readonly heads: (signal: AbortSignal) => AsyncIterable<Head> },
  ): Promise<void> {
    const { chain, store } = this.#parts;
    for (let failures = 0; !signal.aborted;) {
      let pauseMs = STANDBY_POLL_MS;
      try {
        const lead = await store.tryCollect(chain.chainId);
        if (lead === null) this.#is("standby");
        else {
          const lost = new AbortController();
          void lead.lost.then(() => lost.abort());
          try {
            await this.#collect(AbortSignal.any([signal, lost.signal]), options);
          } finally {
            await lead.release().catch(() => undefined);
          }
          pauseMs = 0;
        }
        failures = 0;
        this.#worked();
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.#trouble(error);
        pauseMs = backOff(failures, { firstMs: FIRST_PAUSE_MS, longestMs: LONGEST_PAUSE_MS, random: Math.random });
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #collect(
    signal: AbortSignal,
    options: { readonly everySeconds: number; readonly heads: (signal: AbortSignal) => AsyncIterable<Head> },
  ): Promise<void> {
    const { chain, sink } = this.#parts;
    const first = await newestBlock(chain);
    const time = new ChainTime(first.timestamp);
    let newest: SeenHead = { head: first, seenAt: Date.now() };
    const jobs = await collectorJobs({
      ...this.#parts,
      targets: this.#targets,
      collecting: this.#collecting(),
      everySeconds: options.everySeconds,
      time,
      newest: () => newest,
    });
    this.#is("collecting");
    this.#worked();
    const stop = new AbortController();
    const { finished } = startScheduler(jobs, { sink, signal: AbortSignal.any([signal, stop.signal]) });
    try {
      for await (const head of options.heads(signal)) {
        newest = { head, seenAt: Date.now() };
        time.advance(head.timestamp);
      }
    } finally {
      stop.abort();
      await finished;
    }
  }

  #collecting(): ChainCollecting {
    const { config, chain, store, sink } = this.#parts;
    const { finalityBlocks } = config.chain;
    return new ChainCollecting({ chain, store: store.history, sources: this.#targets.sources, finalityBlocks, sink });
  }

  #is(state: "collecting" | "standby"): void {
    if (this.#state === state) return;
    this.#state = state;
    const { chain, sink } = this.#parts;
    sink.emit({ name: "collect.state", chainId: chain.chainId, state });
  }

  /** Outages of one source are told by its job; this is of what stops all of them. */
  #trouble(error: unknown): void {
    if (this.#troubleSince !== null) return;
    this.#troubleSince = Date.now();
    this.#parts.sink.emit({ name: "source.trouble", source: COLLECTOR, ...failureOf(error) });
  }

  #worked(): void {
    if (this.#troubleSince === null) return;
    const outageMs = Date.now() - this.#troubleSince;
    this.#troubleSince = null;
    this.#parts.sink.emit({ name: "source.recovered", source: COLLECTOR, outageMs });
  }
}

const COLLECTOR = "collector";
