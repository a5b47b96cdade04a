// What each tick decided on, and the hash of what it decided: the recording that a backtest plays again.
import type { Database, Queryable } from "./database";
import type { RecordedTick, RunOfTicks, SeenBlockFee, TickDecision, TickRow } from "./records";

/** Idempotent by (run, block hash). */
export async function insertTick(queryable: Queryable, tick: TickRow): Promise<void> {
  await queryable.run(
    `INSERT INTO ticks (chain_id, vault, run, dry_run, memory, block_hash, observed_at, available_at,
       base_fee)
     VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7), to_timestamp($8), $9)
     ON CONFLICT (run, block_hash) DO NOTHING`,
    [
      ...[tick.chainId, tick.vault, tick.run, tick.dryRun, tick.memory, tick.blockHash],
      ...[tick.observedAt, tick.availableAt, tick.baseFee],
    ],
  );
}

export async function noteDecision(database: Database, of: TickDecision): Promise<void> {
  await database.run("UPDATE ticks SET inputs = $3, record_hash = $4 WHERE run = $1 AND block_hash = $2", [
    ...[of.run, of.blockHash, of.inputs, of.recordHash],
  ]);
}

/** Base fees of the blocks that any process saw, each once, oldest first. */
export async function baseFees(
  database: Database,
  query: { chainId: number; vault: string; from: number; to: number; knownBy: number },
): Promise<SeenBlockFee[]> {
  return database.rows<SeenBlockFee>(
    `SELECT block_hash AS "blockHash", extract(epoch FROM min(observed_at))::float8 AS "observedAt",
       min(base_fee) AS "baseFee"
     FROM ticks WHERE chain_id = $1 AND lower(vault) = lower($2)
       AND observed_at BETWEEN to_timestamp($3) AND to_timestamp($4) AND available_at <= to_timestamp($5)
     GROUP BY block_hash ORDER BY min(observed_at), block_hash`,
    [query.chainId, query.vault, query.from, query.to, query.knownBy],
  );
}

/** Runs of a vault with a tick in [from, to], the oldest first. */
export async function tickRuns(
  database: Database,
  query: { chainId: number; vault: string; from: number; to: number },
): Promise<RunOfTicks[]> {
  return database.rows<RunOfTicks>(
    `SELECT r.run, t."dryRun", t.memory, t."from", t."to", t.ticks, t."firstBlockHash"
     FROM (SELECT DISTINCT run FROM ticks WHERE chain_id = $1 AND lower(vault) = lower($2)
       AND observed_at BETWEEN to_timestamp($3) AND to_timestamp($4)) AS r
     CROSS JOIN LATERAL (
       SELECT dry_run AS "dryRun", memory, extract(epoch FROM min(observed_at))::float8 AS "from",
         extract(epoch FROM max(observed_at))::float8 AS "to", count(*)::int AS ticks,
         (array_agg(block_hash ORDER BY id))[1] AS "firstBlockHash", min(id) AS first
       FROM ticks WHERE run = r.run AND chain_id = $1 AND lower(vault) = lower($2) GROUP BY dry_run, memory) AS t
     ORDER BY t.first`,
    [query.chainId, query.vault, query.from, query.to],
  );
}

/** Ticks of a run in the order in which it saw them, each with its block's snapshot. */
export async function recordedTicks(
  database: Database,
  query: { run: string; after: string; limit: number },
): Promise<RecordedTick[]> {
  return database.rows<RecordedTick>(
    `SELECT t.id::text AS id, extract(epoch FROM t.available_at)::float8 AS "availableAt", s.payload AS snapshot, t.inputs,
       t.record_hash AS "recordHash"
     FROM (SELECT * FROM ticks WHERE run = $1 AND id > $2::bigint ORDER BY id LIMIT $3) AS t
     JOIN snapshots s ON s.chain_id = t.chain_id AND lower(s.vault) = lower(t.vault) AND s.block_hash = t.block_hash
     ORDER BY t.id`,
    [query.run, query.after, query.limit],
  );
}
