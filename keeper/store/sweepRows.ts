// Sweeps of blocks of long ago: what sources said at them, and the points that this adds to series, out of order. How a point
// stands in its series only the rows before it tell, which may come later: until then it is marked as unjudged.
import { addChunk } from "./chunkRows";
import { copyBinary } from "./copyBinary";
import type { Database, Transaction } from "./database";
import { UNJUDGED, type Inserted, type JudgedPoint, type SeriesName, type SweptChunk } from "./historyRecords";
import { HISTORY_COLUMNS, lockedSeries, writeHistoryRow } from "./historyRows";
import { spanOf, type Partitions } from "./partitions";
import { insertReadings } from "./readingRows";

const NAMED = HISTORY_COLUMNS.join(", ");

/** A row that was collected when its block was new is known some time after it, never so long. */
const KNOWN_WITHIN = "1 hour";

export async function addSweeps(database: Database, partitions: Partitions, of: SweptChunk): Promise<Inserted> {
  const { key, chunk, readings, points } = of;
  if (readings.length > 0) await partitions.ensure("readings", ...spanOf(readings.map((row) => row.observedAt)));
  if (points.length > 0) await partitions.ensure("history", ...spanOf(points.map(({ row }) => row.availableAt)));
  let inserted = 0;
  await addChunk(database, { key, chunk }, async (transaction) => {
    if (readings.length > 0) inserted = await insertReadings(transaction, readings, chunk.tentative);
    if (points.length > 0) await insertPoints(transaction, of);
  });
  return { inserted, unchanged: readings.length - inserted };
}

/** What a series has of a block, or of that moment, stays as it is. */
async function insertPoints(transaction: Transaction, { key, chunk, points }: SweptChunk): Promise<void> {
  const names = new Set(points.map(({ series }) => series));
  const { ids } = await lockedSeries(transaction, key.chainId, [...names]);
  await transaction.run("CREATE TEMPORARY TABLE incoming_points (LIKE history INCLUDING DEFAULTS) ON COMMIT DROP");
  const bytes = copyBinary(points, HISTORY_COLUMNS.length, ({ series, row }, to) => {
    const marked = { ...row, flags: row.flags | UNJUDGED };
    writeHistoryRow(marked, to, { id: ids.get(series) as number, tentative: chunk.tentative });
  });
  await transaction.copyIn("incoming_points", HISTORY_COLUMNS, bytes);
  await transaction.run(
    `WITH added AS (
       INSERT INTO history (${NAMED}) SELECT ${NAMED} FROM incoming_points i
       WHERE NOT EXISTS (
         SELECT 1 FROM history h WHERE h.series_id = i.series_id AND h.block_number = i.block_number
           AND h.available_at BETWEEN i.observed_at AND i.observed_at + interval '${KNOWN_WITHIN}')
       ON CONFLICT (series_id, available_at) DO NOTHING RETURNING series_id, available_at)
     INSERT INTO history_pending (series_id, first_at, last_at)
     SELECT series_id, min(available_at), max(available_at) FROM added GROUP BY series_id`,
  );
}

/** Series with points that are not judged. */
export async function unjudged(database: Database, chainId: number): Promise<string[]> {
  const found = await database.rows<{ name: string }>(
    `SELECT name FROM series s WHERE chain_id = $1
       AND EXISTS (SELECT 1 FROM history h WHERE h.series_id = s.id AND h.flags & ${UNJUDGED} <> 0) ORDER BY name`,
    [chainId],
  );
  return found.map(({ name }) => name);
}

/** Points that somebody else has judged meanwhile stay as they are. */
export async function judge(database: Database, series: SeriesName, points: readonly JudgedPoint[]): Promise<void> {
  if (points.length === 0) return;
  const [first, last] = spanOf(points.map(({ availableAt }) => availableAt));
  await database.transaction(async (transaction) => {
    const id = (await lockedSeries(transaction, series.chainId, [series.name])).ids.get(series.name);
    const judged = await transaction.run(
      `UPDATE history h SET supply_apr = j.apr, flags = j.flags
       FROM unnest($2::float8[], $3::float8[], $4::int[]) AS j(at, apr, flags)
       WHERE h.series_id = $1 AND h.available_at = to_timestamp(j.at) AND h.flags & ${UNJUDGED} <> 0
         AND h.available_at BETWEEN to_timestamp($5) AND to_timestamp($6)`,
      [
        ...[id, points.map(({ availableAt }) => availableAt), points.map(({ supplyApr }) => supplyApr)],
        ...[points.map(({ flags }) => flags), first, last],
      ],
    );
    if (judged === 0) return;
    await transaction.run(
      "INSERT INTO history_pending (series_id, first_at, last_at) VALUES ($1, to_timestamp($2), to_timestamp($3))",
      [id, first, last],
    );
  });
}
