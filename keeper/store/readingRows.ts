// What sources said, whole.
import { copyBinary, type CopyWriter } from "./copyBinary";
import type { Database, Transaction } from "./database";
import type { Inserted, ReadingRow } from "./historyRecords";
import { spanOf, type Partitions } from "./partitions";

const COLUMNS = [
  ...["chain_id", "source", "subject", "block_number", "block_hash", "observed_at", "available_at", "state"],
  "tentative",
];
const NAMED = COLUMNS.join(", ");

export async function addReadings(
  database: Database,
  partitions: Partitions,
  of: { readonly rows: readonly ReadingRow[]; readonly tentative: boolean },
): Promise<Inserted> {
  const { rows, tentative } = of;
  if (rows.length === 0) return { inserted: 0, unchanged: 0 };
  await partitions.ensure("readings", ...spanOf(rows.map(({ observedAt }) => observedAt)));
  const inserted = await database.transaction((transaction) => insertReadings(transaction, rows, tentative));
  return { inserted, unchanged: rows.length - inserted };
}

/** One that is there already stays as it is. @returns how many were not. */
export async function insertReadings(
  transaction: Transaction,
  rows: readonly ReadingRow[],
  tentative: boolean,
): Promise<number> {
  await transaction.run(
    "CREATE TEMPORARY TABLE incoming (LIKE readings INCLUDING DEFAULTS INCLUDING GENERATED) ON COMMIT DROP",
  );
  const bytes = copyBinary(rows, COLUMNS.length, (row, to) => writeColumns(row, to, tentative));
  await transaction.copyIn("incoming", COLUMNS, bytes);
  return transaction.run(`INSERT INTO readings (${NAMED}) SELECT ${NAMED} FROM incoming ON CONFLICT DO NOTHING`);
}

/** In the order of {@link COLUMNS}. */
function writeColumns(row: ReadingRow, to: CopyWriter, tentative: boolean): void {
  to.int8(row.chainId);
  to.text(row.source);
  to.text(row.subject);
  to.int8(row.block);
  to.text(row.blockHash);
  to.time(row.observedAt);
  to.time(row.availableAt);
  to.text(row.state);
  to.bool(tentative);
}

export async function readings(
  database: Database,
  query: {
    readonly chainId: number;
    readonly source: string;
    readonly subject: string;
    readonly from: number;
    readonly to: number;
  },
): Promise<ReadingRow[]> {
  return database.rows<ReadingRow & Record<string, unknown>>(
    `SELECT chain_id AS "chainId", source, subject, block_number AS block, block_hash AS "blockHash",
       extract(epoch FROM observed_at)::float8 AS "observedAt",
       extract(epoch FROM available_at)::float8 AS "availableAt", state
     FROM readings
     WHERE subject = $1 AND source = $2 AND chain_id = $3
       AND observed_at BETWEEN to_timestamp($4) AND to_timestamp($5)
     ORDER BY readings.observed_at, block_number`,
    [query.subject, query.source, query.chainId, query.from, query.to],
  );
}

/** In order of their names, from each to the next by the key: of one there are thousands of readings. */
export async function readSubjects(
  database: Database,
  query: { readonly chainId: number; readonly source: string; readonly from: number; readonly to: number },
): Promise<string[]> {
  const next = (after: string): string => `SELECT readings.subject FROM readings
    WHERE ${after} AND observed_at BETWEEN to_timestamp($3) AND to_timestamp($4) ORDER BY readings.subject LIMIT 1`;
  const found = await database.rows<{ subject: string }>(
    `WITH RECURSIVE names AS (
       (${next("TRUE")})
       UNION ALL SELECT following.subject FROM names CROSS JOIN LATERAL (${next("readings.subject > names.subject")}) AS following)
     SELECT subject FROM names WHERE EXISTS (
       SELECT FROM readings WHERE readings.subject = names.subject AND source = $2 AND chain_id = $1
         AND observed_at BETWEEN to_timestamp($3) AND to_timestamp($4))
     ORDER BY subject`,
    [query.chainId, query.source, query.from, query.to],
  );
  return found.map(({ subject }) => subject);
}

/** `observedAt` of the last one; null without any. */
export async function newestReading(
  database: Database,
  of: { readonly chainId: number; readonly source: string; readonly subject: string },
): Promise<number | null> {
  const [row] = await database.rows<{ at: number | null }>(
    `SELECT extract(epoch FROM max(observed_at))::float8 AS at FROM readings
     WHERE subject = $1 AND source = $2 AND chain_id = $3`,
    [of.subject, of.source, of.chainId],
  );
  return row?.at ?? null;
}
