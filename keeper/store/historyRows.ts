// Series of rates.
import { WorldFailure } from "../config/failure";
import { copyBinary, type CopyWriter } from "./copyBinary";
import type { Database, Transaction } from "./database";
import {
  FAR_FUTURE,
  type CollectedRows,
  type HistoryRow,
  type Inserted,
  type SeriesInfo,
  type SeriesName,
  type SeriesPoint,
} from "./historyRecords";
import { spanOf, type Partitions } from "./partitions";
import { insertReadings } from "./readingRows";

export const HISTORY_COLUMNS = [
  "series_id",
  "observed_at",
  "available_at",
  "block_number",
  "block_hash",
  "source",
  "supplied_usd",
  "borrowed_usd",
  "supply_apr",
  "borrow_apr",
  "yield_index",
  "flags",
  "tentative",
];
const NAMED = HISTORY_COLUMNS.join(", ");

/** What makes two rows of one moment the same; flags and source are what we think of them. */
const VALUES = "observed_at, block_number, supplied_usd, borrowed_usd, supply_apr, borrow_apr, yield_index";

const SELECTED = `extract(epoch FROM observed_at)::float8 AS "observedAt",
  extract(epoch FROM available_at)::float8 AS "availableAt", block_number AS block, block_hash AS "blockHash", source,
  supplied_usd AS "suppliedUsd", borrowed_usd AS "borrowedUsd", supply_apr AS "supplyApr", borrow_apr AS "borrowApr",
  yield_index::text AS index, flags`;

const ROWS_A_BATCH = 20_000;

export async function addHistory(
  database: Database,
  partitions: Partitions,
  of: { readonly series: SeriesName; readonly rows: readonly HistoryRow[]; readonly tentative: boolean },
): Promise<Inserted> {
  const { series, rows, tentative } = of;
  if (rows.length === 0) return { inserted: 0, unchanged: 0 };
  await partitions.ensure("history", ...spanOf(rows.map(({ availableAt }) => availableAt)));
  const points = rows.map((row) => ({ series: series.name, row }));
  const inserted = await database.transaction((transaction) =>
    insertPoints(transaction, { chainId: series.chainId, points, tentative }),
  );
  return { inserted, unchanged: rows.length - inserted };
}

/** What one block said: points of any series and readings, all or none of them. */
export async function addBlock(database: Database, partitions: Partitions, of: CollectedRows): Promise<Inserted> {
  const { chainId, points, readings, tentative } = of;
  if (readings.length > 0) await partitions.ensure("readings", ...spanOf(readings.map((row) => row.observedAt)));
  if (points.length > 0) await partitions.ensure("history", ...spanOf(points.map(({ row }) => row.availableAt)));
  const inserted = await database.transaction(
    async (transaction) =>
      (await insertPoints(transaction, { chainId, points, tentative })) +
      (await insertReadings(transaction, readings, tentative)),
  );
  return { inserted, unchanged: points.length + readings.length - inserted };
}

/** @returns how many were not there. @throws WorldFailure `HISTORY_CONTRADICTION`. */
async function insertPoints(
  transaction: Transaction,
  of: { readonly chainId: number; readonly points: readonly SeriesPoint[]; readonly tentative: boolean },
): Promise<number> {
  const { chainId, points, tentative } = of;
  if (points.length === 0) return 0;
  const spans = spansOf(points);
  const { ids, isNew } = await lockedSeries(transaction, chainId, [...spans.keys()]);
  const into = { ids: [...ids.values()], span: spanOf([...spans.values()].flat()) };
  const bytes = copyBinary(points, HISTORY_COLUMNS.length, ({ series, row }, to) =>
    writeHistoryRow(row, to, { id: ids.get(series) as number, tentative }),
  );
  let inserted = points.length;
  if (!isNew && (await holdsAny(transaction, into))) inserted = await merge(transaction, into, bytes);
  else await transaction.copyIn("history", HISTORY_COLUMNS, bytes);
  if (inserted > 0) {
    const changed = [...spans].map(([name, [first, last]]) => ({ id: ids.get(name) as number, first, last }));
    await transaction.run(
      `INSERT INTO history_pending (series_id, first_at, last_at)
       SELECT id, to_timestamp(first), to_timestamp(last) FROM unnest($1::int[], $2::float8[], $3::float8[]) AS t (id, first, last)`,
      [changed.map(({ id }) => id), changed.map(({ first }) => first), changed.map(({ last }) => last)],
    );
  }
  return inserted;
}

/** Of each series, the first and last `availableAt` of its points. */
function spansOf(points: readonly SeriesPoint[]): Map<string, [first: number, last: number]> {
  const spans = new Map<string, [number, number]>();
  for (const { series, row } of points) {
    const span = spans.get(series);
    if (span === undefined) spans.set(series, [row.availableAt, row.availableAt]);
    else {
      span[0] = Math.min(span[0], row.availableAt);
      span[1] = Math.max(span[1], row.availableAt);
    }
  }
  return spans;
}

/** In the order of {@link HISTORY_COLUMNS}. */
export function writeHistoryRow(
  row: HistoryRow,
  to: CopyWriter,
  { id, tentative }: { readonly id: number; readonly tentative: boolean },
): void {
  to.int4(id);
  to.time(row.observedAt);
  to.time(row.availableAt);
  to.int8(row.block);
  to.text(row.blockHash);
  to.text(row.source);
  to.float8(row.suppliedUsd);
  to.float8(row.borrowedUsd);
  to.float8(row.supplyApr);
  to.float8(row.borrowApr);
  to.numeric(row.index);
  to.int4(row.flags);
  to.bool(tentative);
}

/**
 * Series by their names, made where there is none, and locked: what one insertion found does not change under it. In the order of
 * names, so that two who lock several do not wait for each other.
 *
 * @returns `isNew`: all of them were just made.
 */
export async function lockedSeries(
  transaction: Transaction,
  chainId: number,
  names: readonly string[],
): Promise<{ readonly ids: ReadonlyMap<string, number>; readonly isNew: boolean }> {
  const sorted = [...names].sort();
  const made = await transaction.run(
    "INSERT INTO series (chain_id, name) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING",
    [chainId, sorted],
  );
  const rows = await transaction.rows<{ id: number; name: string }>(
    `SELECT id, name FROM series WHERE chain_id = $1 AND name = ANY($2::text[]) ORDER BY name COLLATE "C" FOR UPDATE`,
    [chainId, sorted],
  );
  if (rows.length !== sorted.length) throw new TypeError("series that were just made are there");
  return { ids: new Map(rows.map(({ id, name }) => [name, id])), isNew: made === sorted.length };
}

interface Into {
  readonly ids: readonly number[];
  /** Unix seconds of `availableAt`. */
  readonly span: readonly [first: number, last: number];
}

async function holdsAny(transaction: Transaction, { ids, span }: Into): Promise<boolean> {
  const found = await transaction.rows(
    `SELECT 1 FROM history WHERE series_id = ANY($1::int[]) AND available_at BETWEEN to_timestamp($2) AND to_timestamp($3) LIMIT 1`,
    [ids, ...span],
  );
  return found.length > 0;
}

async function merge(transaction: Transaction, { ids, span }: Into, bytes: Iterable<Buffer>): Promise<number> {
  await transaction.run("CREATE TEMPORARY TABLE incoming_points (LIKE history INCLUDING DEFAULTS) ON COMMIT DROP");
  await transaction.copyIn("incoming_points", HISTORY_COLUMNS, bytes);
  // Fresh tables have no statistics: a planner that guesses few rows would compare each with each.
  await transaction.run("SET LOCAL enable_nestloop = off");
  const named = (table: string): string =>
    VALUES.split(", ")
      .map((column) => `${table}.${column}`)
      .join(", ");
  const [other] = await transaction.rows<{ at: string; name: string }>(
    `SELECT to_char(h.available_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at, s.name
     FROM incoming_points i JOIN history h USING (series_id, available_at) JOIN series s ON s.id = h.series_id
     WHERE h.series_id = ANY($1::int[]) AND h.available_at BETWEEN to_timestamp($2) AND to_timestamp($3)
       AND (${named("i")}) IS DISTINCT FROM (${named("h")})
     ORDER BY h.available_at LIMIT 1`,
    [ids, ...span],
  );
  if (other !== undefined) {
    throw new WorldFailure(
      "HISTORY_CONTRADICTION",
      `the row of ${other.name} that was available at ${other.at} is stored with other values`,
      { field: other.name, remedy: "Find out which is right; import the other under a name of its own." },
    );
  }
  const inserted = await transaction.run(
    `INSERT INTO history (${NAMED}) SELECT ${NAMED} FROM incoming_points ON CONFLICT (series_id, available_at) DO NOTHING`,
  );
  await transaction.run("SET LOCAL enable_nestloop TO DEFAULT");
  return inserted;
}

export async function seriesInfo(database: Database): Promise<SeriesInfo[]> {
  return database.rows<SeriesInfo & Record<string, unknown>>(
    `SELECT s.id, s.chain_id AS "chainId", s.name, count(h.available_at)::int AS rows,
       extract(epoch FROM min(h.available_at))::float8 AS first, extract(epoch FROM max(h.available_at))::float8 AS last
     FROM series s LEFT JOIN history h ON h.series_id = s.id GROUP BY s.id ORDER BY s.chain_id, s.name`,
  );
}

export async function newest(
  database: Database,
  query: { readonly chainId: number; readonly names: readonly string[]; readonly since: number },
): Promise<number | null> {
  const [row] = await database.rows<{ at: number | null }>(
    `SELECT extract(epoch FROM max(h.available_at))::float8 AS at
     FROM series s JOIN history h ON h.series_id = s.id
     WHERE s.chain_id = $1 AND s.name = ANY($2::text[]) AND h.available_at >= to_timestamp($3)`,
    [query.chainId, query.names, query.since],
  );
  return row?.at ?? null;
}

/** By pages along the key, so that memory and locks do not grow with the series. */
export async function* history(
  database: Database,
  series: SeriesName,
  query: { readonly from?: number; readonly to?: number },
): AsyncGenerator<HistoryRow[], void, void> {
  // Asked first: of a series that is not there, the plan alone would take as long as a thousand rows.
  const [known] = await database.rows<{ id: number }>("SELECT id FROM series WHERE chain_id = $1 AND name = $2", [
    series.chainId,
    series.name,
  ]);
  if (known === undefined) return;
  let after: number | null = null;
  for (;;) {
    const rows: HistoryRow[] = await database.rows<HistoryRow & Record<string, unknown>>(
      `SELECT ${SELECTED} FROM history
       WHERE series_id = $1 AND available_at ${after === null ? ">=" : ">"} to_timestamp($2)
         AND available_at <= to_timestamp($3)
       ORDER BY history.available_at LIMIT ${ROWS_A_BATCH}`,
      [known.id, after ?? query.from ?? 0, query.to ?? FAR_FUTURE],
    );
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_A_BATCH) return;
    after = last.availableAt;
  }
}
