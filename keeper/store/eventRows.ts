// Events of pools, and what of a chain can still be undone.
import { addChunk } from "./chunkRows";
import { copyBinary, type CopyWriter } from "./copyBinary";
import type { Database, Queryable } from "./database";
import type { BackfillKey, ChunkRow, EventRow, Inserted, TentativeRange } from "./historyRecords";
import { spanOf, type Partitions } from "./partitions";

const COLUMNS = [
  ...["chain_id", "source", "pool", "kind", "block_number", "block_hash", "tx_hash", "tx_index", "log_index"],
  ...[
    "observed_at",
    "available_at",
    "sender",
    "recipient",
    "amount0",
    "amount1",
    "sqrt_price_x96",
    "liquidity",
    "tick",
  ],
  ...["tick_lower", "tick_upper", "price_impact_bps", "gas_used", "gas_price_wei"],
  ...["coin_amounts", "coin_fees", "receipts"],
];

const SELECTED = `chain_id AS "chainId", source, pool, kind, block_number AS block, block_hash AS "blockHash",
  tx_hash AS "txHash", tx_index AS "txIndex", log_index AS "logIndex",
  extract(epoch FROM observed_at)::float8 AS "observedAt", extract(epoch FROM available_at)::float8 AS "availableAt",
  sender, recipient, amount0::text, amount1::text, sqrt_price_x96::text AS "sqrtPriceX96", liquidity::text, tick,
  tick_lower AS "tickLower", tick_upper AS "tickUpper", price_impact_bps AS "priceImpactBps",
  gas_used::text AS "gasUsed", gas_price_wei::text AS "gasPriceWei", coin_amounts::text[] AS "coinAmounts",
  coin_fees::text[] AS "coinFees", receipts::text`;

const ROWS_A_BATCH = 20_000;

export async function addEvents(
  database: Database,
  partitions: Partitions,
  of: { readonly key: BackfillKey; readonly chunk: ChunkRow; readonly rows: readonly EventRow[] },
): Promise<Inserted> {
  const { key, chunk, rows } = of;
  if (rows.length > 0) await partitions.ensure("pool_events", ...spanOf(rows.map(({ observedAt }) => observedAt)));
  const added = await addChunk(database, { key, chunk }, async (transaction) => {
    if (rows.length === 0) return;
    await transaction.copyIn("pool_events", COLUMNS, copyBinary(rows, COLUMNS.length, writeColumns));
  });
  return added ? { inserted: rows.length, unchanged: 0 } : { inserted: 0, unchanged: rows.length };
}

/** In the order of {@link COLUMNS}. */
function writeColumns(row: EventRow, to: CopyWriter): void {
  to.int8(row.chainId);
  to.text(row.source);
  to.text(row.pool.toLowerCase());
  to.text(row.kind);
  to.int8(row.block);
  to.text(row.blockHash);
  to.text(row.txHash);
  to.int4(row.txIndex);
  to.int4(row.logIndex);
  to.time(row.observedAt);
  to.time(row.availableAt);
  to.text(row.sender);
  to.text(row.recipient);
  to.numeric(row.amount0);
  to.numeric(row.amount1);
  to.numeric(row.sqrtPriceX96);
  to.numeric(row.liquidity);
  to.int4(row.tick);
  to.int4(row.tickLower);
  to.int4(row.tickUpper);
  to.float8(row.priceImpactBps);
  to.numeric(row.gasUsed);
  to.numeric(row.gasPriceWei);
  to.numerics(row.coinAmounts);
  to.numerics(row.coinFees);
  to.numeric(row.receipts);
}

/** Ranges of blocks of which something tentative is stored, with the hash of their last block as it was then. */
export async function tentativeRanges(database: Database, chainId: number): Promise<TentativeRange[]> {
  return database.rows<TentativeRange & Record<string, unknown>>(
    `SELECT from_block AS "fromBlock", to_block AS "toBlock", to_hash AS "toHash" FROM backfill_chunks
     WHERE chain_id = $1 AND tentative
     UNION SELECT block_number, block_number, block_hash FROM readings
     WHERE chain_id = $1 AND tentative AND block_hash IS NOT NULL
     UNION SELECT block_number, block_number, block_hash FROM history
     WHERE tentative AND block_hash IS NOT NULL AND series_id IN (SELECT id FROM series WHERE chain_id = $1)
     ORDER BY 1, 2`,
    [chainId],
  );
}

/** By pages along the chain's own order. */
export async function* events(
  database: Database,
  query: {
    readonly chainId: number;
    readonly source: string;
    readonly pool: string;
    readonly fromBlock: number;
    readonly toBlock: number;
  },
): AsyncGenerator<EventRow[], void, void> {
  let [block, logIndex] = [query.fromBlock, -1];
  for (;;) {
    const rows: EventRow[] = await database.rows<EventRow & Record<string, unknown>>(
      `SELECT ${SELECTED} FROM pool_events
       WHERE pool = $1 AND source = $2 AND chain_id = $3 AND (block_number, log_index) > ($4, $5) AND block_number <= $6
       ORDER BY block_number, log_index LIMIT ${ROWS_A_BATCH}`,
      [query.pool.toLowerCase(), query.source, query.chainId, block, logIndex, query.toBlock],
    );
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_A_BATCH) return;
    [block, logIndex] = [last.block, last.logIndex];
  }
}

/** Everything tentative of a chain above `block`; a chunk that reaches over it goes as a whole, with its events. */
export async function rollBack(database: Database, chainId: number, block: number): Promise<number> {
  return database.transaction(async (transaction) => {
    const gone = await transaction.rows<{ source: string; subject: string; from: number; to: number }>(
      `DELETE FROM backfill_chunks WHERE chain_id = $1 AND to_block > $2 AND tentative
       RETURNING source, subject, from_block AS from, to_block AS to`,
      [chainId, block],
    );
    let rows = 0;
    for (const { source, subject, from, to } of gone) {
      rows += await transaction.run(
        `DELETE FROM pool_events WHERE pool = $1 AND source = $2 AND chain_id = $3 AND block_number BETWEEN $4 AND $5`,
        [subject.toLowerCase(), source, chainId, from, to],
      );
    }
    rows += await transaction.run("DELETE FROM readings WHERE chain_id = $1 AND block_number > $2 AND tentative", [
      chainId,
      block,
    ]);
    const taken = await transaction.rows<{ id: number; count: number; first: number; last: number }>(
      `WITH gone AS (
         DELETE FROM history WHERE tentative AND block_number > $2
           AND series_id IN (SELECT id FROM series WHERE chain_id = $1) RETURNING series_id, available_at)
       SELECT series_id AS id, count(*)::int AS count, extract(epoch FROM min(available_at))::float8 AS first,
         extract(epoch FROM max(available_at))::float8 AS last FROM gone GROUP BY series_id`,
      [chainId, block],
    );
    for (const { id, count, first, last } of taken) {
      rows += count;
      await transaction.run(
        "INSERT INTO history_pending (series_id, first_at, last_at) VALUES ($1, to_timestamp($2), to_timestamp($3))",
        [id, first, last],
      );
    }
    return rows;
  });
}

/** What is at or below `block` stays for good; a chunk once all of it does. */
export async function finalise(database: Database, chainId: number, block: number): Promise<void> {
  await database.transaction(async (transaction: Queryable) => {
    await transaction.run(
      "UPDATE backfill_chunks SET tentative = FALSE WHERE chain_id = $1 AND to_block <= $2 AND tentative",
      [chainId, block],
    );
    await transaction.run(
      "UPDATE readings SET tentative = FALSE WHERE chain_id = $1 AND block_number <= $2 AND tentative",
      [chainId, block],
    );
    await transaction.run(
      `UPDATE history SET tentative = FALSE WHERE tentative AND block_number <= $2
         AND series_id IN (SELECT id FROM series WHERE chain_id = $1)`,
      [chainId, block],
    );
  });
}
