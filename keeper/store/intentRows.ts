// Intents: plans that may reach the chain. Written before anything is signed; moved from state to state by
// compare-and-set, so that two processes cannot both move one.
import { randomUUID } from "node:crypto";
import { WorldFailure } from "../config/failure";
import type { Database } from "./database";
import { insertDecision } from "./decisionRows";
import { isUniqueViolation } from "./failures";
import { LIVE_INTENT_STATES, type DecisionRow, type IntentRow, type IntentState } from "./records";

const COLUMNS = `id, decision_id AS "decisionId", chain_id AS "chainId", vault, keeper, plan_nonce AS "planNonce",
  account_nonce AS "accountNonce", calldata, gas_limit AS "gasLimit", extract(epoch FROM deadline)::float8 AS deadline,
  decided_block AS "decidedBlock", state, reason, included_block AS "includedBlock",
  included_block_hash AS "includedBlockHash", tx_hash AS "txHash"`;

export type NewIntent = Omit<IntentRow, "id" | "state" | "reason" | "includedBlock" | "includedBlockHash" | "txHash">;

export interface IntentChange {
  readonly reason?: string;
  readonly includedBlock?: number | null;
  readonly includedBlockHash?: string | null;
  readonly txHash?: string | null;
}

export async function planIntent(database: Database, decision: DecisionRow, intent: NewIntent): Promise<IntentRow> {
  return database.transaction(async (transaction) => {
    await insertDecision(transaction, decision, false);
    const rows = await transaction
      .rows<IntentRow>(
        `INSERT INTO intents (id, decision_id, chain_id, vault, keeper, plan_nonce, account_nonce, calldata, gas_limit,
           deadline, decided_block)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, to_timestamp($10), $11) RETURNING ${COLUMNS}`,
        [
          randomUUID(),
          intent.decisionId,
          intent.chainId,
          intent.vault,
          intent.keeper,
          intent.planNonce,
          intent.accountNonce,
          intent.calldata,
          intent.gasLimit,
          intent.deadline,
          intent.decidedBlock,
        ],
      )
      .catch((error: unknown) => {
        throw asLiveFailure(error, intent.planNonce);
      });
    return only(rows);
  });
}

export async function intent(database: Database, id: string): Promise<IntentRow | null> {
  return (await database.rows<IntentRow>(`SELECT ${COLUMNS} FROM intents WHERE id = $1`, [id]))[0] ?? null;
}

/** Oldest plan first. */
export async function liveIntents(
  database: Database,
  query: { chainId: number; vault: string; keeper: string },
): Promise<IntentRow[]> {
  return database.rows<IntentRow>(
    `SELECT ${COLUMNS} FROM intents
     WHERE chain_id = $1 AND lower(vault) = lower($2) AND lower(keeper) = lower($3) AND state = ANY ($4)
     ORDER BY plan_nonce, observed_at`,
    [query.chainId, query.vault, query.keeper, LIVE_INTENT_STATES],
  );
}

/** A member of `change` that is absent leaves its column; null empties it. */
export async function moveIntent(
  database: Database,
  id: string,
  move: { readonly from: readonly IntentState[]; readonly to: IntentState; readonly change: IntentChange },
): Promise<boolean> {
  const { change } = move;
  const set = (value: unknown): boolean => value !== undefined;
  const moved = await database.transaction((transaction) =>
    transaction
      .run(
        `UPDATE intents SET state = $3, available_at = clock_timestamp(),
           reason = CASE WHEN $4 THEN $5 ELSE reason END,
           included_block = CASE WHEN $6 THEN $7::bigint ELSE included_block END,
           included_block_hash = CASE WHEN $8 THEN $9 ELSE included_block_hash END,
           tx_hash = CASE WHEN $10 THEN $11 ELSE tx_hash END
         WHERE id = $1 AND state = ANY ($2)`,
        [
          id,
          move.from,
          move.to,
          set(change.reason),
          change.reason ?? null,
          set(change.includedBlock),
          change.includedBlock ?? null,
          set(change.includedBlockHash),
          change.includedBlockHash ?? null,
          set(change.txHash),
          change.txHash ?? null,
        ],
      )
      .catch((error: unknown) => {
        throw asLiveFailure(error, null);
      }),
  );
  return moved === 1;
}

function asLiveFailure(error: unknown, planNonce: string | null): unknown {
  if (isUniqueViolation(error, "intents_live")) {
    const nonce = planNonce === null ? "its plan nonce" : `plan nonce ${planNonce}`;
    return new WorldFailure("STORE_INTENT_LIVE", `another plan with ${nonce} is live`, {
      remedy: "Wait until it is included, or abandoned with its reason.",
    });
  }
  if (isUniqueViolation(error, "intents_decision_id_key")) {
    return new WorldFailure("STORE_DECISION_PLANNED", "the decision was planned before", {
      remedy: "Decide anew at a later block; a decision is sent at most once.",
    });
  }
  return error;
}

function only<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new RangeError("the statement returned no row");
  return row;
}
