// What a collector does in each bucket: the sweep of the chain's sources, the events of its pools, the upkeep of the store, and
// what the web is asked for.
import { wallClock } from "../chain/clock";
import type { Chain } from "../chain/connect";
import type { Head } from "../chain/heads";
import { blockFees } from "../collect/baseFee";
import { wallTime, type JobTime } from "../collect/jobTime";
import { EVENTS_BUDGET_MS, followEvents } from "../collect/liveEvents";
import { llamaJobs } from "../collect/llamaJobs";
import { RANGE_SOURCES, rangeSource } from "../collect/rangeSources";
import type { Job } from "../collect/scheduler";
import type { CollectedTargets, PoolTarget } from "../collect/targets";
import type { Config } from "../config/load";
import type { Sink } from "../events/events";
import type { Store } from "../store/records";
import type { ChainCollecting } from "./collecting";

/** Of one sweep, by the wall. */
const SWEEP_TIMEOUT_MS = 30_000;
/** For the chunk that is being stored when the events' time is up. */
const EVENTS_GRACE_MS = 30_000;
const MAINTENANCE_SECONDS = 3_600;
const MAINTENANCE_TIMEOUT_MS = 600_000;

export interface SeenHead {
  readonly head: Head;
  /** Milliseconds of the wall. */
  readonly seenAt: number;
}

export interface CollectorJobsParts {
  readonly config: Config;
  readonly chain: Chain;
  readonly store: Store;
  readonly sink: Sink;
  readonly targets: CollectedTargets;
  readonly collecting: ChainCollecting;
  /** Of the jobs that collect the chain, by its own time. */
  readonly everySeconds: number;
  readonly time: JobTime;
  readonly newest: () => SeenHead;
}

/** @throws WorldFailure `STORE_…`: where the jobs left off is not known then. */
export async function collectorJobs(parts: CollectorJobsParts): Promise<Job[]> {
  const { config, chain, store, targets } = parts;
  return [
    await sweepJob(parts),
    ...targets.pools.map((pool) => eventsJob(pool, parts)),
    {
      source: "store",
      everySeconds: MAINTENANCE_SECONDS,
      time: wallTime(wallClock),
      timeoutMs: MAINTENANCE_TIMEOUT_MS,
      lastDone: null,
      work: async () => {
        const now = Math.floor(Date.now() / 1_000);
        await store.history.maintain(now);
        await store.models.prune(now);
      },
    },
    ...(await llamaJobs(config.collect.defiLlama, store.history, { chainId: chain.chainId })),
  ];
}

async function sweepJob(parts: CollectorJobsParts): Promise<Job> {
  const { chain, store, sink, collecting, newest, everySeconds, time } = parts;
  return {
    ...{ everySeconds, time },
    source: "chain",
    timeoutMs: SWEEP_TIMEOUT_MS,
    // Every sweep stores the fees of its block.
    lastDone: await store.history.newestReading({ chainId: chain.chainId, ...blockFees }),
    work: async () => {
      const { head, seenAt } = newest();
      const { at, readings, failures, stored } = await collecting.collect(head, seenAt);
      const counts = { readings: readings.length, failures: failures.length, stored };
      sink.emit({ name: "collect.swept", block: at.number, observedAt: at.timestamp, ...counts });
    },
  };
}

function eventsJob({ source: of, subject, pool }: PoolTarget, parts: CollectorJobsParts): Job {
  const { chain, store, sink, collecting, everySeconds, time } = parts;
  const name = `${of} ${subject} events`;
  const key = { chainId: chain.chainId, source: of, subject: pool.toLowerCase() };
  const source = rangeSource(RANGE_SOURCES, chain, key);
  const options = { source, name, store: store.history, settle: () => collecting.settle(), sink };
  return {
    ...{ everySeconds, time },
    source: name,
    timeoutMs: EVENTS_BUDGET_MS + EVENTS_GRACE_MS,
    // What is missing is known from what is stored.
    lastDone: null,
    work: (_bucket, signal) => {
      const { head, seenAt } = parts.newest();
      const now = (): number => head.timestamp + Math.ceil((Date.now() - seenAt) / 1_000);
      return followEvents(options, { number: head.number, now }, signal);
    },
  };
}
