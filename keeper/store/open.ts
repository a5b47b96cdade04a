// Opens the store: a PostgreSQL named by its URL, or the embedded one, brought to this program's schema.
import type { ClientConfig } from "pg";
import { InputFailure } from "../config/failure";
import type { Sink } from "../events/events";
import { breakerStore } from "./breakerRows";
import { Database } from "./database";
import { decision, decisions, insertDecision, lastRebalanceAt } from "./decisionRows";
import { joinEmbedded } from "./embedded";
import { historyStore } from "./historyStore";
import { openJobQueue } from "./jobQueue";
import { intent, liveIntents, moveIntent, planIntent } from "./intentRows";
import { collectorLock, leaderLock, refitLock, tryLead } from "./leaderLock";
import { hourlyObservations, latestSnapshot, observations, saveSnapshot, sharePrices, snapshots } from "./marketRows";
import { migrate } from "./migrate";
import { modelStore } from "./modelRows";
import type { Store } from "./records";
import { refitStore } from "./refitRows";
import type { ServerBinaries } from "./serverBinaries";
import { bundleCounts, openSubmission, submissions, updateSubmission } from "./submissionRows";
import { baseFees, noteDecision, recordedTicks, tickRuns } from "./tickRows";
import { trialStore } from "./trialRows";

export interface StoreOptions {
  /** Absent: the embedded server in `dataDir`. */
  readonly databaseUrl?: string | undefined;
  readonly dataDir: string;
  readonly sink: Sink;
  /** Of the embedded server. Default: npm's. */
  readonly binaries?: ServerBinaries;
  /** Of each statement but `COPY`. Default: 15 s. */
  readonly statementTimeoutMs?: number;
}

/**
 * Connects, migrates and returns the store. `close` ends every connection and, of the embedded server, leaves.
 *
 * @throws InputFailure `STORE_URL_MALFORMED`; WorldFailure `STORE_…` (see `storeFailure`, `migrate`, `joinEmbedded`).
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { statementTimeoutMs } = options;
  if (options.databaseUrl !== undefined) {
    const target = targetOf(options.databaseUrl);
    return opened(
      new Database(target, options.sink, { statementTimeoutMs }),
      () => target,
      async () => undefined,
    );
  }
  let database: Database | null = null;
  const server = await joinEmbedded({ ...options, onMoved: (target) => database?.retarget(target) });
  database = new Database(server.target(), options.sink, { reasonDown: () => server.trouble(), statementTimeoutMs });
  return opened(
    database,
    () => server.target(),
    () => server.leave(),
  );
}

function targetOf(url: string): ClientConfig {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new InputFailure("STORE_URL_MALFORMED", "is not a PostgreSQL URL", {
      field: "DATABASE_URL",
      remedy: "Use postgres://user:password@host:5432/database.",
    });
  }
  return { connectionString: url };
}

async function opened(database: Database, target: () => ClientConfig, leave: () => Promise<void>): Promise<Store> {
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    await database.close().catch(() => undefined);
    await leave();
  };
  try {
    await migrate(database);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    saveSnapshot: (snapshot, rows, tick) => saveSnapshot(database, snapshot, { observations: rows, tick }),
    noteDecision: (of) => noteDecision(database, of),
    baseFees: (query) => baseFees(database, query),
    tickRuns: (query) => tickRuns(database, query),
    recordedTicks: (query) => recordedTicks(database, query),
    observations: (query) => observations(database, query),
    hourlyObservations: (query) => hourlyObservations(database, query),
    latestSnapshot: (chainId, vault) => latestSnapshot(database, chainId, vault),
    snapshots: (query) => snapshots(database, query),
    sharePrices: (query) => sharePrices(database, query),
    saveDecision: (row, extra) =>
      database.transaction((transaction) => insertDecision(transaction, row, extra?.dryRun ?? false)),
    planIntent: (row, plan) => planIntent(database, row, plan),
    decision: (id) => decision(database, id),
    decisions: (query) => decisions(database, query),
    lastRebalanceAt: (chainId, vault) => lastRebalanceAt(database, chainId, vault),
    intent: (id) => intent(database, id),
    liveIntents: (chainId, vault, keeper) => liveIntents(database, { chainId, vault, keeper }),
    moveIntent: (id, from, to, change) => moveIntent(database, id, { from, to, change }),
    openSubmission: (row) => openSubmission(database, row),
    updateSubmission: (id, change) => updateSubmission(database, id, change),
    submissions: (intentId) => submissions(database, intentId),
    bundleCounts: (chainId, vault) => bundleCounts(database, chainId, vault),
    tryLead: (chainId, vault, keeper) => tryLead(target(), leaderLock(chainId, vault, keeper)),
    tryCollect: (chainId) => tryLead(target(), collectorLock(chainId)),
    tryRefit: (chainId) => tryLead(target(), refitLock(chainId)),
    history: historyStore(database),
    breaker: breakerStore(database),
    models: modelStore(database),
    refits: refitStore(database),
    trials: trialStore(database),
    jobQueue: (queue) => openJobQueue(database, queue),
    ping: async () => {
      await database.run("SELECT 1");
    },
    close: () => (closing ??= close()),
  };
}
