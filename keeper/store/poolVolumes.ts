// What was traded in a pool, bucket by bucket, summed from its events when it is asked for: events are few beside what a copy of
// them would have to follow when blocks are reorganised away or brought later.
import type { Database } from "./database";
import type { PoolInfo, VolumeQuery, VolumeRow } from "./historyRecords";

export async function volumes(database: Database, query: VolumeQuery): Promise<VolumeRow[]> {
  const rows = await database.rows<{ at: number; swaps: number; sold: string; bought: string }>(
    `SELECT extract(epoch FROM bucket)::float8 AS at, count(*)::int AS swaps,
       sum(greatest(amount, 0))::text AS sold, sum(greatest(-amount, 0))::text AS bought
     FROM (
       SELECT date_bin(make_interval(secs => $4::integer), observed_at, TIMESTAMPTZ '1970-01-01 00:00:00+00') AS bucket,
         coalesce(coin_amounts, ARRAY[amount0, amount1]) AS amounts
       FROM pool_events
       WHERE pool = $1 AND source = $2 AND chain_id = $3 AND kind = 'swap'
         AND observed_at BETWEEN to_timestamp($5) AND to_timestamp($6)
         AND available_at <= to_timestamp($7)
     ) AS swaps, unnest(amounts) WITH ORDINALITY AS coin (amount, place)
     GROUP BY bucket, place ORDER BY bucket, place`,
    [
      ...[query.pool.toLowerCase(), query.source, query.chainId, query.seconds],
      ...[query.from, query.to, query.knownBy],
    ],
  );
  const buckets = new Map<number, { at: number; swaps: number; sold: string[]; bought: string[] }>();
  for (const { at, swaps, sold, bought } of rows) {
    const bucket = buckets.get(at) ?? { at, swaps, sold: [], bought: [] };
    bucket.sold.push(sold);
    bucket.bought.push(bought);
    buckets.set(at, bucket);
  }
  return [...buckets.values()];
}

/** Subjects of other backfills than of a pool's events are no addresses. */
export async function pools(database: Database): Promise<PoolInfo[]> {
  return database.rows<PoolInfo & Record<string, unknown>>(
    `SELECT chain_id AS "chainId", source, subject AS pool, min(from_block) AS "fromBlock", max(to_block) AS "toBlock",
       sum(to_block - from_block + 1)::float8 AS blocks, sum(rows)::float8 AS events
     FROM backfill_chunks WHERE subject ~ '^0x[0-9a-f]{40}$' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  );
}
