// Series of rates.
import { WorldFailure } from "../config/failure";
import { copyBinary, type CopyWriter } from "./copyBinary";
import type { Database, Transaction } from "./database";
import { FAR_FUTURE, type HistoryRow, type Inserted, type SeriesInfo, type SeriesName } from "./historyRecords";
import { spanOf, type Partitions } from "./partitions";

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
  const [first, last] = spanOf(rows.map(({ availableAt }) => availableAt));
  await partitions.ensure("history", first, last);
  return database.transaction(async (transaction) => {
    const { id, isNew } = await lockedSeries(transaction, series);
    const bytes = copyBinary(rows, HISTORY_COLUMNS.length, (row, to) => writeHistoryRow(row, to, { id, tentative }));
    let inserted = rows.length;
    if (!isNew && (await holdsAny(transaction, id, [first, last]))) {
      inserted = await merge(transaction, { series, id, span: [first, last] }, bytes);
    } else await transaction.copyIn("history", HISTORY_COLUMNS, bytes);
    if (inserted > 0) {
      await transaction.run(
        "INSERT INTO history_pending (series_id, first_at, last_at) VALUES ($1, to_timestamp($2), to_timestamp($3))",
        [id, first, last],
      );
    }
    return { inserted, unchanged: rows.length - inserted };
  });
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

/** The series, made when there is none, and locked: what one insertion found does not change under it. */
export async function lockedSeries(
  transaction: Transaction,
  { chainId, name }: SeriesName,
): Promise<{ readonly id: number; readonly isNew: boolean }> {
  const made = await transaction.run("INSERT INTO series (chain_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
    chainId,
    name,
  ]);
  const [row] = await transaction.rows<{ id: number }>(
    "SELECT id FROM series WHERE chain_id = $1 AND name = $2 FOR UPDATE",
    [chainId, name],
  );
  if (row === undefined) throw new TypeError("a series that was just made is there");
  return { id: row.id, isNew: made > 0 };
}

async function holdsAny(transaction: Transaction, id: number, [first, last]: [number, number]): Promise<boolean> {
  const found = await transaction.rows(
    `SELECT 1 FROM history WHERE series_id = $1 AND available_at BETWEEN to_timestamp($2) AND to_timestamp($3) LIMIT 1`,
    [id, first, last],
  );
  return found.length > 0;
}

async function merge(
  transaction: Transaction,
  of: { readonly series: SeriesName; readonly id: number; readonly span: readonly [number, number] },
  bytes: Iterable<Buffer>,
): Promise<number> {
  const { series, id, span } = of;
  await transaction.run("CREATE TEMPORARY TABLE incoming (LIKE history INCLUDING DEFAULTS) ON COMMIT DROP");
  await transaction.copyIn("incoming", HISTORY_COLUMNS, bytes);
  // Fresh tables have no statistics: a planner that guesses few rows would compare each with each.
  await transaction.run("SET LOCAL enable_nestloop = off");
  const named = (table: string): string =>
    VALUES.split(", ")
      .map((column) => `${table}.${column}`)
      .join(", ");
  const [other] = await transaction.rows<{ at: string }>(
    `SELECT to_char(h.available_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at
     FROM incoming i JOIN history h USING (series_id, available_at)
     WHERE h.series_id = $1 AND h.available_at BETWEEN to_timestamp($2) AND to_timestamp($3)
       AND (${named("i")}) IS DISTINCT FROM (${named("h")})
     ORDER BY h.available_at LIMIT 1`,
    [id, ...span],
  );
  if (other !== undefined) {
    throw new WorldFailure(
      "HISTORY_CONTRADICTION",
      `the row of ${series.name} that was available at ${other.at} is stored with other values`,
      { field: series.name, remedy: "Find out which is right; import the other under a name of its own." },
    );
  }
  return transaction.run(
    `INSERT INTO history (${NAMED}) SELECT ${NAMED} FROM incoming ON CONFLICT (series_id, available_at) DO NOTHING`,
  );
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
