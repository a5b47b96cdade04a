// The months of the tables that grow: made before their first row, dropped when their table's policy says so.
import { LOCKS, LOCK_SPACE } from "./migrate";
import type { Database } from "./database";
import { KEPT_SECONDS } from "./policies";

export type PartitionedTable = "history" | "readings" | "pool_events";

interface Month {
  readonly name: string;
  /** Both as PostgreSQL reads them; the end is excluded. */
  readonly from: string;
  readonly to: string;
}

function monthAt(year: number, month: number): Month {
  const text = (at: Date): string => `${at.toISOString().slice(0, 10)} 00:00:00+00`;
  const from = new Date(Date.UTC(year, month, 1));
  const suffix = from.toISOString().slice(0, 7).replace("-", "_");
  return { name: suffix, from: text(from), to: text(new Date(Date.UTC(year, month + 1, 1))) };
}

/** The months that hold the unix seconds [first, last]. */
export function monthsBetween(first: number, last: number): Month[] {
  const [start, end] = [new Date(first * 1000), new Date(last * 1000)];
  const months: Month[] = [];
  const count = (end.getUTCFullYear() - start.getUTCFullYear()) * 12 + end.getUTCMonth() - start.getUTCMonth();
  for (let k = 0; k <= count; k += 1) months.push(monthAt(start.getUTCFullYear(), start.getUTCMonth() + k));
  return months;
}

/** Least and greatest; of none, an empty range. */
export function spanOf(times: readonly number[]): [first: number, last: number] {
  let [first, last] = [Infinity, -Infinity];
  for (const time of times) {
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  return [first, last];
}

/** Makes months once a process, under a lock, for two that make the same one would collide; the database is asked only about those that this process has not seen. */
export class Partitions {
  readonly #database: Database;
  readonly #seen = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Makes what is missing for rows with times in [first, last], in a transaction of its own: making one locks its table,
   * which must not happen in the middle of another's insertion.
   */
  async ensure(table: PartitionedTable, first: number, last: number): Promise<void> {
    const missing = monthsBetween(first, last).filter(({ name }) => !this.#seen.has(`${table}_${name}`));
    if (missing.length === 0) return;
    await this.#database.transaction(async (transaction) => {
      await transaction.run("SELECT pg_advisory_xact_lock($1, $2)", [LOCK_SPACE, LOCKS.partitions]);
      const known = await transaction.rows<{ name: string }>(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass",
        [table],
      );
      const there = new Set(known.map(({ name }) => name));
      for (const { name, from, to } of missing) {
        if (there.has(`${table}_${name}`)) continue;
        await transaction.run(
          `CREATE TABLE ${table}_${name} PARTITION OF ${table} FOR VALUES FROM ('${from}') TO ('${to}')`,
        );
      }
    });
    // Another process may drop a month that its policy no longer keeps.
    const kept = KEPT_SECONDS[table];
    if (kept !== null && first < Date.now() / 1_000 - kept) return;
    for (const { name } of missing) this.#seen.add(`${table}_${name}`);
  }

  /**
   * Drops the months of `table` that ended before `before`.
   * @returns their names.
   */
  async drop(table: PartitionedTable, before: number): Promise<string[]> {
    const [last] = monthsBetween(before, before);
    if (last === undefined) return [];
    return this.#database.transaction(async (transaction) => {
      await transaction.run("SELECT pg_advisory_xact_lock($1, $2)", [LOCK_SPACE, LOCKS.partitions]);
      const known = await transaction.rows<{ name: string }>(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1",
        [table],
      );
      // Names sort as the months do.
      const old = known.map(({ name }) => name).filter((name) => name < `${table}_${last.name}`);
      for (const name of old) {
        await transaction.run(`DROP TABLE ${name}`);
        this.#seen.delete(name);
      }
      return old;
    });
  }
}
