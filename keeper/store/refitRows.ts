// Refits of the model of rates: begun, ended, told.
import type { Database } from "./database";
import type { RefitRow, RefitStore } from "./refitRecords";

const REFIT = `id::text AS id, extract(epoch FROM begun_at)::float8 AS "begunAt",
  extract(epoch FROM ended_at)::float8 AS "endedAt", outcome, hash, reason`;

export function refitStore(database: Database): RefitStore {
  return {
    begin: (chainId) =>
      database.transaction(async (transaction) => {
        await transaction.run(
          `UPDATE refits SET outcome = 'abandoned', ended_at = clock_timestamp() WHERE chain_id = $1 AND outcome = 'running'`,
          [chainId],
        );
        const [row] = await transaction.rows<{ id: string }>(
          "INSERT INTO refits (chain_id) VALUES ($1) RETURNING id::text AS id",
          [chainId],
        );
        if (row === undefined) throw new TypeError("an insert that returned no row");
        return row.id;
      }),
    async end(id, end) {
      await database.run(
        `UPDATE refits SET outcome = $2, ended_at = clock_timestamp(), hash = $3, reason = $4
         WHERE id = $1 AND outcome = 'running'`,
        [id, end.outcome, end.outcome === "done" ? end.hash : null, end.outcome === "done" ? null : end.reason],
      );
    },
    list: (chainId, limit) =>
      database.rows<RefitRow & Record<string, unknown>>(
        `SELECT ${REFIT} FROM refits WHERE chain_id = $1 ORDER BY refits.id DESC LIMIT $2`,
        [chainId, limit],
      ),
  };
}
