// Decisions, exactly as they were hashed, and how they ended.
import { WorldFailure } from "../config/failure";
import type { Database, Queryable } from "./database";
import type { DecisionRow, DecisionView } from "./records";

const VIEW = `SELECT d.id, d.chain_id AS "chainId", d.vault, d.block_number AS "blockNumber",
    d.block_hash AS "blockHash", extract(epoch FROM d.decided_at)::float8 AS "decidedAt", d.action, d.reason, d.record,
    d.record_hash AS "recordHash",
    coalesce(i.state, CASE WHEN d.action = 'hold' THEN 'held' WHEN d.dry_run THEN 'dry-run' ELSE 'unplanned' END)
      AS state,
    i.reason AS "stateReason", i.id AS "intentId", i.included_block AS "includedBlock", i.tx_hash AS "txHash"
  FROM decisions d LEFT JOIN intents i ON i.decision_id = d.id`;

/**
 * Idempotent by id. A decision that was stored by a dry run and is now to be sent stops being one.
 *
 * @throws WorldFailure `STORE_DECISION_CONFLICT` when another record has the id.
 */
export async function insertDecision(queryable: Queryable, decision: DecisionRow, dryRun: boolean): Promise<void> {
  const kept = await queryable.rows<{ recordHash: string }>(
    `INSERT INTO decisions (id, chain_id, vault, block_number, block_hash, decided_at, action, reason, record,
       record_hash, dry_run)
     VALUES ($1, $2, $3, $4, $5, to_timestamp($6), $7, $8, $9, $10, $11)
     ON CONFLICT (id) DO UPDATE SET dry_run = decisions.dry_run AND excluded.dry_run
     RETURNING record_hash AS "recordHash"`,
    [
      decision.id,
      decision.chainId,
      decision.vault,
      decision.blockNumber,
      decision.blockHash,
      decision.decidedAt,
      decision.action,
      decision.reason,
      decision.record,
      decision.recordHash,
      dryRun,
    ],
  );
  if (kept[0]?.recordHash === decision.recordHash) return;
  throw new WorldFailure("STORE_DECISION_CONFLICT", `another decision is stored under the id ${decision.id}`, {
    remedy: "Keep a copy of the database and report it: two records share 64 bits of their hash.",
  });
}

export async function decision(database: Database, id: string): Promise<DecisionView | null> {
  return (await database.rows<DecisionView>(`${VIEW} WHERE d.id = $1`, [id]))[0] ?? null;
}

export async function decisions(
  database: Database,
  query: { chainId: number; vault: string; limit: number; action?: "rebalance" | "hold" },
): Promise<DecisionView[]> {
  return database.rows<DecisionView>(
    `${VIEW} WHERE d.chain_id = $1 AND lower(d.vault) = lower($2) AND ($4::text IS NULL OR d.action = $4)
     ORDER BY d.block_number DESC, d.available_at DESC LIMIT $3`,
    [query.chainId, query.vault, query.limit, query.action ?? null],
  );
}

/** Block time of the newest decision whose plan is on the chain; null if none is. */
export async function lastRebalanceAt(database: Database, chainId: number, vault: string): Promise<number | null> {
  const [row] = await database.rows<{ at: number | null }>(
    `SELECT extract(epoch FROM max(d.decided_at))::float8 AS at
     FROM intents i JOIN decisions d ON d.id = i.decision_id
     WHERE i.chain_id = $1 AND lower(i.vault) = lower($2) AND i.state IN ('included', 'final')`,
    [chainId, vault],
  );
  return row?.at ?? null;
}
