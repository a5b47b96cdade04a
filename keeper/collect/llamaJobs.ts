// What DefiLlama is asked for, as jobs: states of pools and of protocols become readings, charts of pools become series. Each
// job may be run again for the same bucket and stores nothing twice.
import { WorldFailure } from "../config/failure";
import type { DefiLlamaConfig } from "../config/schema";
import { FAR_FUTURE, type HistoryRow, type HistoryStore } from "../store/historyRecords";
import { type Clock, wallClock } from "../chain/clock";
import {
  LLAMA_PROTOCOLS,
  LLAMA_YIELDS,
  type LlamaPool,
  type LlamaProtocol,
  type LlamaReadings,
  llamaChart,
  llamaPools,
  llamaProtocols,
} from "./defiLlama";
import { type HttpSource, openHttpSource } from "./httpSource";
import { wallTime } from "./jobTime";
import { rowsBefore, withFlags } from "./quality";
import type { Job } from "./scheduler";

export interface LlamaJobsOptions {
  /** Of what is stored; the pools are looked for on the chain that DefiLlama calls `chain` in their settings. */
  readonly chainId: number;
  readonly clock?: Clock;
}

/** Of one attempt: the lists have some ten megabytes. */
const TIMEOUT_MS = 45_000;
const DEADLINE_MS = 120_000;
const ATTEMPTS = 3;
const MAX_BODY_BYTES = 64 * 2 ** 20;
const BURST = 5;
/** A job's own limit: the question, and the store. */
const JOB_MS = DEADLINE_MS + 30_000;

const DAY_SECONDS = 86_400;
/** After midnight (UTC) until which the last point of a day may still be on its way: its hour, and caches before it. */
const SETTLING_SECONDS = 2 * 3_600;

/** The series of a chart. Never the name of one that is read from the chain: subjects have no full stop. */
export const chartSeries = (subject: string): string => `${subject}.defillama`;

/**
 * One job for the states of pools, one for those of protocols, one for each chart; what is not configured has none. Times are
 * the wall's.
 *
 * @param settings `collect.defiLlama`; absent: no jobs.
 * @throws WorldFailure `STORE_…`: where the jobs left off is not known then.
 */
export async function llamaJobs(
  settings: DefiLlamaConfig | undefined,
  store: HistoryStore,
  { chainId, clock = wallClock }: LlamaJobsOptions,
): Promise<Job[]> {
  if (settings === undefined) return [];
  const { everySeconds } = settings;
  const yields = openLlama("yieldsUrl", settings, clock);
  const api = openLlama("apiUrl", settings, clock);
  const pools = settings.charts.map((chart): LlamaPool => ({ ...chart, chainId }));
  const protocols = settings.protocols.map((slug): LlamaProtocol => ({ chainId, subject: slug, slug }));
  const common = { everySeconds, time: wallTime(clock), timeoutMs: JOB_MS };
  const room = { store, chainId, everySeconds };

  const readings = await Promise.all([
    readingsJob(pools, { ...room, source: LLAMA_YIELDS, read: (due, signal) => llamaPools(yields, due, { signal }) }),
    readingsJob(protocols, {
      ...room,
      source: LLAMA_PROTOCOLS,
      read: (due, signal) => llamaProtocols(api, due, { signal }),
    }),
  ]);
  const charts = pools.map((pool): Job => {
    const work: Job["work"] = (_bucket, signal) => storeChart(store, pool, { source: yields, signal });
    // A chart brings the days that were missed.
    return { ...common, source: `defillama-chart ${pool.subject}`, lastDone: null, work };
  });
  return [...readings.flatMap((job) => (job === null ? [] : [{ ...common, ...job }])), ...charts];
}

function openLlama(
  which: "yieldsUrl" | "apiUrl",
  { requestsPerMinute, ...settings }: DefiLlamaConfig,
  clock: Clock,
): HttpSource {
  return openHttpSource({
    name: "defillama",
    field: `collect.defiLlama.${which}`,
    baseUrl: settings[which],
    rate: { perMinute: requestsPerMinute, burst: Math.min(requestsPerMinute, BURST) },
    timeoutMs: TIMEOUT_MS,
    deadlineMs: DEADLINE_MS,
    attempts: ATTEMPTS,
    maxBodyBytes: MAX_BODY_BYTES,
    clock,
  });
}

interface ReadingsRoom<T> {
  readonly source: string;
  readonly store: HistoryStore;
  readonly chainId: number;
  readonly everySeconds: number;
  readonly read: (due: readonly T[], signal: AbortSignal) => Promise<LlamaReadings>;
}

/** Null: nothing is wanted. */
async function readingsJob<T extends { readonly subject: string }>(
  wanted: readonly T[],
  room: ReadingsRoom<T>,
): Promise<Pick<Job, "source" | "lastDone" | "work"> | null> {
  if (wanted.length === 0) return null;
  const { source, store, chainId, everySeconds } = room;
  const newest = await Promise.all(wanted.map(({ subject }) => store.newestReading({ chainId, source, subject })));
  const last = newest.reduce((most, at) => (at !== null && (most === null || at > most) ? at : most), null);
  return {
    source,
    lastDone: last === null ? null : last - (last % everySeconds),
    work: async (bucket, signal) => {
      const due = await withoutReading(wanted, bucket, room);
      if (due.length === 0) return;
      const { rows, missing } = await room.read(due, signal);
      signal.throwIfAborted();
      await store.addReadings(rows);
      if (missing.length > 0) throw notListed(source, missing);
    },
  };
}

/** Those that have no reading of the bucket yet: an attempt may fail after it stored some, or all. */
async function withoutReading<T extends { readonly subject: string }>(
  wanted: readonly T[],
  bucket: number,
  { store, chainId, source, everySeconds }: ReadingsRoom<T>,
): Promise<T[]> {
  const ends = { from: bucket, to: bucket + everySeconds - 1 };
  const stored = await Promise.all(wanted.map(({ subject }) => store.readings({ chainId, source, subject, ...ends })));
  return wanted.filter((_, index) => stored[index]?.length === 0);
}

function notListed(source: string, subjects: readonly string[]): WorldFailure {
  const ofPools = source === LLAMA_YIELDS;
  const code = ofPools ? "SOURCE_POOL_UNKNOWN" : "SOURCE_PROTOCOL_UNKNOWN";
  return new WorldFailure(code, `defillama does not list ${subjects.join(", ")}`, {
    field: `collect.defiLlama.${ofPools ? "charts" : "protocols"}`,
    remedy: "Take its id from its page at DefiLlama, or remove it; what is listed is stored.",
  });
}

/**
 * Adds the days of a chart that are newer than what is stored. Older ones are left as they were known: a source that corrects
 * its past does not change what could be known then, and flags stay decided by the rows before.
 */
async function storeChart(
  store: HistoryStore,
  pool: LlamaPool,
  { source, signal }: { readonly source: HttpSource; readonly signal: AbortSignal },
): Promise<void> {
  const series = { chainId: pool.chainId, name: chartSeries(pool.subject) };
  const stored = await rowsBefore(store, series, FAR_FUTURE);
  const last = stored.at(-1)?.observedAt ?? -Infinity;
  const settled = settledBefore(source.clock);
  // The last day that is over is there already: nothing new until the next one is.
  if (last >= settled - DAY_SECONDS) return;
  const rows = (await llamaChart(source, pool, { signal })).filter(isNew(last, settled));
  signal.throwIfAborted();
  await store.addHistory(series, withFlags(stored, rows));
}

/** Start of the first day whose last point may still come. */
function settledBefore(clock: Clock): number {
  const time = Math.floor(clock.now() / 1_000) - SETTLING_SECONDS;
  return time - (time % DAY_SECONDS);
}

const isNew =
  (last: number, settled: number) =>
  ({ observedAt }: HistoryRow): boolean =>
    observedAt > last && observedAt < settled;
