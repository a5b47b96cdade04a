// The keeper's own breaker: trips, which stay open until a person resets them, and the share price that falls are measured
// from.
import type { Database, Queryable } from "./database";
import type { BreakerStore, BreakerTrip, VaultKey } from "./breakerRecords";

const COLUMNS = `id, cause, detail, closes, block_number AS "blockNumber",
  extract(epoch FROM observed_at)::float8 AS "observedAt", extract(epoch FROM available_at)::float8 AS "availableAt",
  extract(epoch FROM reset_at)::float8 AS "resetAt", reset_reason AS "resetReason"`;
const OF_VAULT = "chain_id = $1 AND lower(vault) = lower($2)";

export function breakerStore(database: Database): BreakerStore {
  return {
    open: (of) => open(database, of),
    async trip(of, { cause, detail, closes, blockNumber, observedAt }) {
      const inserted = await database.run(
        `INSERT INTO breaker_trips (chain_id, vault, cause, detail, closes, block_number, observed_at)
         VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7))
         ON CONFLICT (chain_id, lower(vault), cause) WHERE reset_at IS NULL DO NOTHING`,
        [of.chainId, of.vault, cause, detail, closes, blockNumber, observedAt],
      );
      return inserted > 0;
    },
    close: (of) =>
      database.run(`UPDATE breaker_trips SET closes = TRUE WHERE ${OF_VAULT} AND reset_at IS NULL AND NOT closes`, [
        of.chainId,
        of.vault,
      ]),
    reset: (of, reason) =>
      database.transaction(async (transaction) => {
        await transaction.run("DELETE FROM breaker_references WHERE chain_id = $1 AND vault = lower($2)", [
          of.chainId,
          of.vault,
        ]);
        return transaction.rows<BreakerTrip & Record<string, unknown>>(
          `UPDATE breaker_trips SET reset_at = clock_timestamp(), reset_reason = $3
           WHERE ${OF_VAULT} AND reset_at IS NULL RETURNING ${COLUMNS}`,
          [of.chainId, of.vault, reason],
        );
      }),
    trips: (of, limit) =>
      database.rows<BreakerTrip & Record<string, unknown>>(
        `SELECT ${COLUMNS} FROM breaker_trips WHERE ${OF_VAULT} ORDER BY breaker_trips.id DESC LIMIT $3`,
        [of.chainId, of.vault, limit],
      ),
    async raise(of, { sharePrice, observedAt }) {
      await database.run(
        `INSERT INTO breaker_references (chain_id, vault, share_price, observed_at)
         VALUES ($1, lower($2), $3, to_timestamp($4))
         ON CONFLICT (chain_id, vault) DO UPDATE SET share_price = excluded.share_price, observed_at = excluded.observed_at
         WHERE excluded.share_price > breaker_references.share_price`,
        [of.chainId, of.vault, sharePrice, observedAt],
      );
    },
    async reference(of) {
      const [row] = await database.rows<{ sharePrice: string }>(
        `SELECT share_price AS "sharePrice" FROM breaker_references WHERE chain_id = $1 AND vault = lower($2)`,
        [of.chainId, of.vault],
      );
      return row?.sharePrice ?? null;
    },
  };
}

function open(queryable: Queryable, of: VaultKey): Promise<BreakerTrip[]> {
  return queryable.rows<BreakerTrip & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM breaker_trips WHERE ${OF_VAULT} AND reset_at IS NULL ORDER BY breaker_trips.id`,
    [of.chainId, of.vault],
  );
}
