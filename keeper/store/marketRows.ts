// Snapshots of the vault and observations of its venues.
import type { Database, Queryable } from "./database";
import type { ObservationRow, SnapshotRow, TickRow } from "./records";
import { insertTick } from "./tickRows";

const SNAPSHOT_COLUMNS = `chain_id AS "chainId", vault, block_number AS "blockNumber", block_hash AS "blockHash",
  extract(epoch FROM observed_at)::float8 AS "observedAt", extract(epoch FROM available_at)::float8 AS "availableAt",
  payload, total_assets AS "totalAssets", share_price AS "sharePrice"`;

const OBSERVATION_COLUMNS = `chain_id AS "chainId", venue, adapter, block_number AS "blockNumber",
  block_hash AS "blockHash", extract(epoch FROM observed_at)::float8 AS "observedAt",
  extract(epoch FROM available_at)::float8 AS "availableAt", source, supplied, borrowed, supply_apr AS "supplyApr",
  supply_apr_without_us AS "supplyAprWithoutUs", borrow_apr AS "borrowApr", vault_assets AS "vaultAssets", yield_index AS "index"`;

export async function saveSnapshot(
  database: Database,
  snapshot: SnapshotRow,
  { observations, tick }: { readonly observations: readonly ObservationRow[]; readonly tick: TickRow | undefined },
): Promise<void> {
  await database.transaction(async (transaction) => {
    await transaction.run(
      `INSERT INTO snapshots (chain_id, vault, block_number, block_hash, observed_at, available_at, payload,
         total_assets, share_price)
       VALUES ($1, $2, $3, $4, to_timestamp($5), to_timestamp($6), $7, $8, $9)
       ON CONFLICT (chain_id, lower(vault), block_hash) DO NOTHING`,
      [
        snapshot.chainId,
        snapshot.vault,
        snapshot.blockNumber,
        snapshot.blockHash,
        snapshot.observedAt,
        snapshot.availableAt,
        snapshot.payload,
        snapshot.totalAssets,
        snapshot.sharePrice,
      ],
    );
    await insertObservations(transaction, observations);
    if (tick !== undefined) await insertTick(transaction, tick);
  });
}

/** One statement for all rows: arrays by column, so that the number of parameters does not grow with the rows. */
async function insertObservations(queryable: Queryable, rows: readonly ObservationRow[]): Promise<void> {
  if (rows.length === 0) return;
  await queryable.run(
    `INSERT INTO observations (chain_id, venue, adapter, block_number, block_hash, observed_at, available_at, source,
       supplied, borrowed, supply_apr, supply_apr_without_us, borrow_apr, vault_assets, yield_index)
     SELECT chain_id, venue, adapter, block_number, block_hash, to_timestamp(observed_at), to_timestamp(available_at),
       source, supplied, borrowed, supply_apr, supply_apr_without_us, borrow_apr, vault_assets, yield_index
     FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::float8[], $7::float8[],
       $8::text[], $9::numeric[], $10::numeric[], $11::float8[], $12::float8[], $13::float8[], $14::numeric[],
       $15::numeric[])
       AS t (chain_id, venue, adapter, block_number, block_hash, observed_at, available_at, source, supplied, borrowed,
         supply_apr, supply_apr_without_us, borrow_apr, vault_assets, yield_index)
     ON CONFLICT DO NOTHING`,
    [
      rows.map((row) => row.chainId),
      rows.map((row) => row.venue),
      rows.map((row) => row.adapter),
      rows.map((row) => row.blockNumber),
      rows.map((row) => row.blockHash),
      rows.map((row) => row.observedAt),
      rows.map((row) => row.availableAt),
      rows.map((row) => row.source),
      rows.map((row) => row.supplied),
      rows.map((row) => row.borrowed),
      rows.map((row) => row.supplyApr),
      rows.map((row) => row.supplyAprWithoutUs),
      rows.map((row) => row.borrowApr),
      rows.map((row) => row.vaultAssets),
      rows.map((row) => row.index ?? null),
    ],
  );
}

export async function observations(
  database: Database,
  query: { chainId: number; from: number; to: number; knownBy: number },
): Promise<ObservationRow[]> {
  return database.rows<ObservationRow>(
    `SELECT ${OBSERVATION_COLUMNS} FROM observations
     WHERE chain_id = $1 AND observed_at BETWEEN to_timestamp($2) AND to_timestamp($3)
       AND available_at <= to_timestamp($4)
     ORDER BY observations.observed_at, block_number, venue, observations.available_at`,
    [query.chainId, query.from, query.to, query.knownBy],
  );
}

/**
 * Of the last block that was known at the end of each hour, all venues. Found hour by hour by the key: a month of blocks has
 * hundreds of thousands of rows.
 */
export async function hourlyObservations(
  database: Database,
  query: { chainId: number; from: number; knownBy: number },
): Promise<ObservationRow[]> {
  return database.rows<ObservationRow>(
    `SELECT ${OBSERVATION_COLUMNS}
     FROM generate_series(ceil($2::float8 / 3600)::bigint, ceil($3::float8 / 3600)::bigint) AS hour
     CROSS JOIN LATERAL (
       SELECT observed_at AS last FROM observations
       WHERE chain_id = $1 AND observed_at > to_timestamp((hour - 1) * 3600) AND observed_at <= to_timestamp(hour * 3600)
         AND available_at <= to_timestamp(least(hour * 3600, $3::float8))
       ORDER BY chain_id, observed_at DESC LIMIT 1) AS block
     JOIN observations ON chain_id = $1 AND observed_at = last
       AND available_at <= to_timestamp(least(hour * 3600, $3::float8))
     ORDER BY observations.observed_at, block_number, venue, observations.available_at`,
    [query.chainId, query.from, query.knownBy],
  );
}

export async function latestSnapshot(database: Database, chainId: number, vault: string): Promise<SnapshotRow | null> {
  return (await snapshots(database, { chainId, vault, limit: 1 }))[0] ?? null;
}

/** Newest first; of two at one height, the one that was known later. */
export async function snapshots(
  database: Database,
  query: { chainId: number; vault: string; limit: number },
): Promise<SnapshotRow[]> {
  return database.rows<SnapshotRow>(
    `SELECT ${SNAPSHOT_COLUMNS} FROM snapshots WHERE chain_id = $1 AND lower(vault) = lower($2)
     ORDER BY block_number DESC, snapshots.available_at DESC LIMIT $3`,
    [query.chainId, query.vault, query.limit],
  );
}

/** Of the last snapshot of each hour. Found hour by hour by an index: a year of blocks has millions of snapshots. */
export async function sharePrices(
  database: Database,
  query: { chainId: number; vault: string; from: number },
): Promise<{ at: number; sharePrice: string }[]> {
  return database.rows<{ at: number; sharePrice: string }>(
    `SELECT extract(epoch FROM observed_at)::float8 AS at, share_price AS "sharePrice"
     FROM (
       SELECT min(observed_at) AS first, max(observed_at) AS last FROM snapshots
       WHERE chain_id = $1 AND lower(vault) = lower($2) AND observed_at >= to_timestamp($3)) AS span
     CROSS JOIN generate_series(floor(extract(epoch FROM first) / 3600)::bigint, floor(extract(epoch FROM last) / 3600)::bigint) AS hour
     CROSS JOIN LATERAL (
       SELECT observed_at, share_price FROM snapshots
       WHERE chain_id = $1 AND lower(vault) = lower($2)
         AND observed_at >= greatest(to_timestamp(hour * 3600), to_timestamp($3)) AND observed_at < to_timestamp((hour + 1) * 3600)
       ORDER BY chain_id, lower(vault), observed_at DESC LIMIT 1) AS newest
     ORDER BY observed_at`,
    [query.chainId, query.vault, query.from],
  );
}
