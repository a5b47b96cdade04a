// The repository of what is collected, over one database.
import { chunks } from "./chunkRows";
import type { Database } from "./database";
import { addEvents, events, finalise, rollBack, tentativeRanges } from "./eventRows";
import type { HistoryStore } from "./historyRecords";
import { addBlock, addHistory, history, newest, seriesInfo } from "./historyRows";
import { Partitions } from "./partitions";
import { poolFileStore } from "./poolFileRows";
import { pools, volumes } from "./poolVolumes";
import { addReadings, newestReading, readSubjects, readings } from "./readingRows";
import { buckets, maintain } from "./rollUps";
import { addSweeps, judge, unjudged } from "./sweepRows";

export function historyStore(database: Database): HistoryStore {
  const partitions = new Partitions(database);
  return {
    addHistory: (series, rows, options) =>
      addHistory(database, partitions, { series, rows, tentative: options?.tentative ?? false }),
    addReadings: (rows, options) => addReadings(database, partitions, { rows, tentative: options?.tentative ?? false }),
    addBlock: (block) => addBlock(database, partitions, block),
    addEvents: (key, chunk, rows) => addEvents(database, partitions, { key, chunk, rows }),
    addSweeps: (chunk) => addSweeps(database, partitions, chunk),
    unjudged: (chainId) => unjudged(database, chainId),
    judge: (series, points) => judge(database, series, points),
    chunks: (key, query) => chunks(database, key, query?.fromBlock ?? 0),
    tentativeRanges: (chainId) => tentativeRanges(database, chainId),
    rollBack: (chainId, block) => rollBack(database, chainId, block),
    finalise: (chainId, block) => finalise(database, chainId, block),
    maintain: (now) => maintain(database, partitions, now),
    series: () => seriesInfo(database),
    newest: (chainId, names, since) => newest(database, { chainId, names, since }),
    history: (series, query) => history(database, series, query ?? {}),
    buckets: (series, query) => buckets(database, series, query),
    readings: (query) => readings(database, query),
    readSubjects: (query) => readSubjects(database, query),
    newestReading: (of) => newestReading(database, of),
    pools: () => pools(database),
    volumes: (query) => volumes(database, query),
    events: (query) => events(database, query),
    poolFiles: poolFileStore(database),
  };
}
