// Forward-only migrations: numbered SQL files, applied once each, in order, under a lock, and never altered afterwards.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { WorldFailure } from "../config/failure";
import type { Database } from "./database";

export const MIGRATIONS_FOLDER = path.join(__dirname, "migrations");

/** First half of an advisory lock's key; the second tells its uses apart. Any constant will do: "till" in ASCII. */
export const LOCK_SPACE = 0x74696c6c;
export const LOCKS = { migration: 1, presence: 2, partitions: 3 } as const;

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;

interface Migration {
  readonly id: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

function migrationsIn(folder: string): Migration[] {
  const migrations = readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => {
      const match = FILE_NAME.exec(file);
      if (match === null) throw new RangeError(`migration ${file} is not named NNNN_what.sql`);
      const sql = readFileSync(path.join(folder, file), "utf8").replace(/\r\n/g, "\n");
      return { id: Number(match[1]), name: file, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    });
  migrations.forEach((migration, index) => {
    if (migration.id !== index + 1) throw new RangeError(`migration ${migration.name} is out of sequence`);
  });
  return migrations;
}

/**
 * Brings the database to this program's schema: all in one transaction, so that a killed process leaves nothing half,
 * and under a lock, so that several may start at once.
 *
 * @returns number of migrations applied now.
 * @throws WorldFailure `STORE_MIGRATION_ALTERED`, `STORE_NEWER`, or what `storeFailure` makes of the driver's error.
 */
export async function migrate(database: Database, folder: string = MIGRATIONS_FOLDER): Promise<number> {
  const migrations = migrationsIn(folder);
  return database.transaction(async (transaction) => {
    await transaction.run("SELECT pg_advisory_xact_lock($1, $2)", [LOCK_SPACE, LOCKS.migration]);
    await transaction.run(
      `CREATE TABLE IF NOT EXISTS tiller_migrations (
         id         INTEGER     PRIMARY KEY,
         name       TEXT        NOT NULL,
         checksum   TEXT        NOT NULL,
         applied_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
       )`,
    );
    const applied = await transaction.rows<{ id: number; name: string; checksum: string }>(
      "SELECT id, name, checksum FROM tiller_migrations ORDER BY id",
    );
    for (const row of applied) verify(row, migrations[row.id - 1]);
    const pending = migrations.slice(applied.length);
    for (const migration of pending) {
      await transaction.run(migration.sql);
      await transaction.run("INSERT INTO tiller_migrations (id, name, checksum) VALUES ($1, $2, $3)", [
        migration.id,
        migration.name,
        migration.checksum,
      ]);
    }
    return pending.length;
  });
}

function verify(row: { id: number; name: string; checksum: string }, known: Migration | undefined): void {
  if (known === undefined) {
    throw new WorldFailure("STORE_NEWER", `the database has migration ${row.name}, which this version does not know`, {
      field: "DATABASE_URL",
      remedy: "Run the version that made it, or a newer one.",
    });
  }
  if (known.checksum !== row.checksum) {
    throw new WorldFailure("STORE_MIGRATION_ALTERED", `migration ${row.name} was altered after it was applied`, {
      field: "keeper/store/migrations",
      remedy: "Restore the file as it was released; a change of the schema is a new migration.",
    });
  }
}
