// Keeps what policies.ts declares.
import type { Database, Transaction } from "./database";
import type { BucketRow, Maintained, SeriesName } from "./historyRecords";
import type { PartitionedTable, Partitions } from "./partitions";
import { BUCKET_SECONDS, KEPT_SECONDS } from "./policies";

export async function maintain(database: Database, partitions: Partitions, now: number): Promise<Maintained> {
  let rolledUp = 0;
  while (await rollUpOne(database)) rolledUp += 1;
  const dropped: string[] = [];
  for (const [table, kept] of Object.entries(KEPT_SECONDS) as [PartitionedTable, number | null][]) {
    if (kept !== null) dropped.push(...(await partitions.drop(table, now - kept)));
  }
  return { rolledUp, dropped };
}

/** One series, in a transaction of its own: several processes may share the work, and none waits for another. */
async function rollUpOne(database: Database): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const [next] = await transaction.rows<{ id: number }>(
      "SELECT series_id AS id FROM history_pending ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
    );
    if (next === undefined) return false;
    // What is being added meanwhile is not seen here, and waits for the next round with a row of its own.
    const pending = await transaction.rows<{ first: string; last: string }>(
      `WITH taken AS (
         DELETE FROM history_pending WHERE id IN
           (SELECT id FROM history_pending WHERE series_id = $1 FOR UPDATE SKIP LOCKED)
         RETURNING first_at, last_at)
       SELECT min(first_at)::text AS first, max(last_at)::text AS last FROM taken`,
      [next.id],
    );
    for (const span of pending) {
      for (const seconds of BUCKET_SECONDS) await rollUp(transaction, { id: next.id, seconds, ...span });
    }
    return true;
  });
}

async function rollUp(
  transaction: Transaction,
  of: { readonly id: number; readonly seconds: number; readonly first: string; readonly last: string },
): Promise<void> {
  const bucket = (time: string): string =>
    `date_bin(make_interval(secs => $2::integer), ${time}, TIMESTAMPTZ '1970-01-01 00:00:00+00')`;
  const values = [of.id, of.seconds, of.first, of.last];
  await transaction.run(
    `DELETE FROM history_buckets
     WHERE series_id = $1::integer AND seconds = $2::integer AND bucket_at BETWEEN ${bucket("$3::timestamptz")} AND $4::timestamptz`,
    values,
  );
  const last = (column: string): string =>
    `(array_agg(${column} ORDER BY available_at DESC) FILTER (WHERE ${column} IS NOT NULL))[1]`;
  await transaction.run(
    `INSERT INTO history_buckets (series_id, seconds, bucket_at, rows, supply_apr_mean, supply_apr_least,
       supply_apr_most, supply_apr_last, borrow_apr_last, supplied_usd_last, borrowed_usd_last, flags)
     SELECT $1::integer, $2::integer, ${bucket("available_at")} AS bucket_at, count(*), avg(supply_apr), min(supply_apr), max(supply_apr),
       ${last("supply_apr")}, ${last("borrow_apr")}, ${last("supplied_usd")}, ${last("borrowed_usd")}, bit_or(flags)
     FROM history
     WHERE series_id = $1::integer AND available_at >= ${bucket("$3::timestamptz")}
       AND available_at < ${bucket("$4::timestamptz")} + make_interval(secs => $2::integer)
     GROUP BY 3`,
    values,
  );
}

export async function buckets(
  database: Database,
  series: SeriesName,
  query: { readonly seconds: number; readonly from: number; readonly to: number },
): Promise<BucketRow[]> {
  return database.rows<BucketRow & Record<string, unknown>>(
    `SELECT extract(epoch FROM bucket_at)::float8 AS at, seconds, rows, supply_apr_mean AS "supplyAprMean",
       supply_apr_least AS "supplyAprLeast", supply_apr_most AS "supplyAprMost", supply_apr_last AS "supplyAprLast",
       borrow_apr_last AS "borrowAprLast", supplied_usd_last AS "suppliedUsdLast",
       borrowed_usd_last AS "borrowedUsdLast", flags
     FROM history_buckets
     WHERE series_id = (SELECT id FROM series WHERE chain_id = $1 AND name = $2) AND seconds = $3
       AND bucket_at BETWEEN to_timestamp($4) AND to_timestamp($5)
     ORDER BY bucket_at`,
    [series.chainId, series.name, query.seconds, query.from, query.to],
  );
}
