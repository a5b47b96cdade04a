// Submissions: one bundle to one relay for one target block, written before it is signed.
import { randomUUID } from "node:crypto";
import { WorldFailure } from "../config/failure";
import type { Database } from "./database";
import type { BundleCounts, SubmissionRow, SubmissionState } from "./records";

const COLUMNS = `id, intent_id AS "intentId", relay, target_block AS "targetBlock", tx_hash AS "txHash",
  bundle_hash AS "bundleHash", max_fee_per_gas AS "maxFeePerGas",
  max_priority_fee_per_gas AS "maxPriorityFeePerGas", state, error`;

export type NewSubmission = Pick<
  SubmissionRow,
  "intentId" | "relay" | "targetBlock" | "maxFeePerGas" | "maxPriorityFeePerGas"
>;

/** The row of (intent, relay, target block): a new one in state `signing`, or the one that is there, untouched. */
export async function openSubmission(database: Database, row: NewSubmission): Promise<SubmissionRow> {
  const rows = await database.rows<SubmissionRow>(
    `INSERT INTO submissions (id, intent_id, relay, target_block, max_fee_per_gas, max_priority_fee_per_gas)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (intent_id, relay, target_block) DO UPDATE SET relay = excluded.relay
     RETURNING ${COLUMNS}`,
    [randomUUID(), row.intentId, row.relay, row.targetBlock, row.maxFeePerGas, row.maxPriorityFeePerGas],
  );
  const [submission] = rows;
  if (submission === undefined) throw new RangeError("the statement returned no row");
  return submission;
}

export async function updateSubmission(
  database: Database,
  id: string,
  change: { state: SubmissionState; txHash?: string; bundleHash?: string; error?: string },
): Promise<void> {
  const touched = await database.run(
    `UPDATE submissions SET state = $2, tx_hash = coalesce($3, tx_hash), bundle_hash = coalesce($4, bundle_hash),
       error = coalesce($5, error), available_at = clock_timestamp()
     WHERE id = $1`,
    [id, change.state, change.txHash ?? null, change.bundleHash ?? null, change.error ?? null],
  );
  if (touched === 1) return;
  throw new WorldFailure("STORE_ROW_MISSING", `there is no submission ${id}`, {
    remedy: "Rows were deleted by hand, or this is another database than the one that the keeper started with.",
  });
}

/** In the order of target blocks. */
export async function submissions(database: Database, intentId: string): Promise<SubmissionRow[]> {
  return database.rows<SubmissionRow>(
    `SELECT ${COLUMNS} FROM submissions WHERE intent_id = $1 ORDER BY target_block, observed_at, relay`,
    [intentId],
  );
}

/**
 * A bundle is one plan for one target block, to however many relays. Included: plans that are on the chain. Missed:
 * target blocks that passed without the plan that was sent for them.
 */
export async function bundleCounts(database: Database, chainId: number, vault: string): Promise<BundleCounts> {
  const [counts] = await database.rows<BundleCounts & Record<string, number>>(
    `SELECT
       (SELECT count(*) FROM intents WHERE chain_id = $1 AND lower(vault) = lower($2)
          AND state IN ('included', 'final')) AS included,
       (SELECT count(DISTINCT (s.intent_id, s.target_block)) FROM submissions s JOIN intents i ON i.id = s.intent_id
          WHERE i.chain_id = $1 AND lower(i.vault) = lower($2) AND s.state = 'missed'
            AND s.target_block IS DISTINCT FROM i.included_block) AS missed`,
    [chainId, vault],
  );
  return { included: counts?.included ?? 0, missed: counts?.missed ?? 0 };
}
