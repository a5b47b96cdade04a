// Jobs that any number of processes share, in the same database: pg-boss, in the schema `jobs`. A job that is taken is
// lent for a while; a process that dies, or takes longer, loses it to another one. Nothing else knows of pg-boss.
import PgBoss from "pg-boss";
import type { Database } from "./database";
import { storeFailure } from "./failures";

const SCHEMA = "jobs";
const RETRY_DELAY_SECONDS = 1;

export type JobState = "created" | "retry" | "active" | "completed" | "cancelled" | "failed";

export interface Job {
  readonly id: string;
  readonly data: unknown;
}

export interface JobView extends Job {
  readonly state: JobState;
  /** Times that it was taken again after it had failed or its lease was lost. */
  readonly retries: number;
  /** Of its last failure. */
  readonly reason: string | null;
}

export interface JobQueueOptions {
  /** Letters, digits, hyphens. */
  readonly name: string;
  /** How long a process may keep a job before it is another's. */
  readonly leaseSeconds: number;
  /** Failures, lost leases included, after which a job has failed for good. */
  readonly retries: number;
}

/** Every method fails as the store's do: `WorldFailure` with code `STORE_…`. */
export interface JobQueue {
  readonly leaseSeconds: number;
  put(data: readonly object[]): Promise<void>;
  /** The oldest job that nobody has; null where there is none now. Lost leases are called in first. */
  take(): Promise<Job | null>;
  /** Done. Nothing happens where the lease was lost. */
  complete(id: string): Promise<void>;
  /** To be tried again, a little later each time, until it has failed for good. */
  fail(id: string, reason: string): Promise<void>;
  /** In the order in which they were put. Done jobs are forgotten after a while. */
  list(states: readonly JobState[]): Promise<JobView[]>;
}

/** Opens a queue, made at its first use. */
export async function openJobQueue(database: Database, options: JobQueueOptions): Promise<JobQueue> {
  const { name, leaseSeconds, retries } = options;
  const boss = new PgBoss({
    schema: SCHEMA,
    db: { executeSql: (sql, values) => execute(database, sql, values) },
    // Lost leases are called in at each take; nothing runs by the clock.
    schedule: false,
    supervise: false,
  });
  // Every failure also reaches the caller of the method that met it.
  boss.on("error", () => undefined);
  const queue = {
    name,
    policy: "standard",
    expireInSeconds: leaseSeconds,
    retryLimit: retries,
    retryDelay: RETRY_DELAY_SECONDS,
    retryBackoff: true,
  } as const;
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeFailure(error);
    }
  };
  await guarded(async () => {
    await boss.start();
    await boss.createQueue(name, queue);
  });

  return {
    leaseSeconds,
    put: (data) =>
      guarded(async () => {
        const { policy: _, ...terms } = queue;
        if (data.length > 0) await boss.insert(data.map((item) => ({ ...terms, data: item })));
      }),
    take: () =>
      guarded(async () => {
        await boss.expire();
        const [job] = await boss.fetch(name);
        return job === undefined ? null : { id: job.id, data: job.data };
      }),
    complete: (id) => guarded(() => boss.complete(name, id)),
    fail: (id, reason) => guarded(() => boss.fail(name, id, { reason })),
    list: (states) =>
      guarded(() =>
        database.rows<JobView & Record<string, unknown>>(
          `SELECT id, data, state::text AS state, retry_count AS retries,
             coalesce(output->>'reason', output->'value'->>'message') AS reason
           FROM ${SCHEMA}.job WHERE name = $1 AND state::text = ANY($2) ORDER BY created_on, id`,
          [name, states],
        ),
      ),
  };
}

/** It tells by the driver's own words that another process made its schema first. */
async function execute(
  database: Database,
  sql: string,
  values: readonly unknown[] | undefined,
): Promise<{ rows: unknown[] }> {
  try {
    // Several statements at once give no rows.
    return { rows: (await database.rows(sql, values)) ?? [] };
  } catch (error) {
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
  }
}
