// Series of rates.
import { WorldFailure } from "../config/failure";
import { copyText, copyTime, type CopyValue } from "./copyText";
import type { Database, Transaction } from "./database";
import type { HistoryRow, Inserted, SeriesInfo, SeriesName } from "./historyRecords";
import { spanOf, type Partitions } from "./partitions";

const COLUMNS = [
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
].join(", ");

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
    const id = await seriesId(transaction, series);
    const columns = (row: HistoryRow): CopyValue[] => [
      id,
      copyTime(row.observedAt),
      copyTime(row.availableAt),
      row.block,
      row.blockHash,
      row.source,
      row.suppliedUsd,
      row.borrowedUsd,
      row.supplyApr,
      row.borrowApr,
      row.index,
      row.flags,
      tentative,
    ];
    const inserted = (await holdsAny(transaction, id, [first, last]))
      ? await merge(transaction, { series, id, span: [first, last] }, copyText(rows, columns))
      : await copyAll(transaction, copyText(rows, columns), rows.length);
    if (inserted > 0) {
      await transaction.run(
        "INSERT INTO history_pending (series_id, first_at, last_at) VALUES ($1, to_timestamp($2), to_timestamp($3))",
        [id, first, last],
      );
    }
    return { inserted, unchanged: rows.length - inserted };
  });
}

/** The series, made when there is none, and locked: what one insertion found does not change under it. */
async function seriesId(transaction: Transaction, { chainId, name }: SeriesName): Promise<number> {
  await transaction.run("INSERT INTO series (chain_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING", [chainId, name]);
  const [row] = await transaction.rows<{ id: number }>(
    "SELECT id FROM series WHERE chain_id = $1 AND name = $2 FOR UPDATE",
    [chainId, name],
  );
  if (row === undefined) throw new TypeError("a series that was just made is there");
  return row.id;
}

async function holdsAny(transaction: Transaction, id: number, [first, last]: [number, number]): Promise<boolean> {
  const found = await transaction.rows(
    `SELECT 1 FROM history WHERE series_id = $1 AND available_at BETWEEN to_timestamp($2) AND to_timestamp($3) LIMIT 1`,
    [id, first, last],
  );
  return found.length > 0;
}

async function copyAll(transaction: Transaction, text: Iterable<string>, count: number): Promise<number> {
  await transaction.copyIn(`COPY history (${COLUMNS}) FROM STDIN`, text);
  return count;
}

async function merge(
  transaction: Transaction,
  of: { readonly series: SeriesName; readonly id: number; readonly span: readonly [number, number] },
  text: Iterable<string>,
): Promise<number> {
  const { series, id, span } = of;
  await transaction.run("CREATE TEMPORARY TABLE incoming (LIKE history INCLUDING DEFAULTS) ON COMMIT DROP");
  await transaction.copyIn(`COPY incoming (${COLUMNS}) FROM STDIN`, text);
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
    `INSERT INTO history (${COLUMNS}) SELECT ${COLUMNS} FROM incoming ON CONFLICT (series_id, available_at) DO NOTHING`,
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
  let after: number | null = null;
  for (;;) {
    const rows: HistoryRow[] = await database.rows<HistoryRow & Record<string, unknown>>(
      `SELECT ${SELECTED} FROM history
       WHERE series_id = (SELECT id FROM series WHERE chain_id = $1 AND name = $2)
         AND available_at ${after === null ? ">=" : ">"} to_timestamp($3) AND available_at <= to_timestamp($4)
       ORDER BY history.available_at LIMIT ${ROWS_A_BATCH}`,
      [series.chainId, series.name, after ?? query.from ?? 0, query.to ?? FAR_FUTURE],
    );
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_A_BATCH) return;
    after = last.availableAt;
  }
}

/** The year 2200: later than any row, and within what PostgreSQL plans partitions for. */
export const FAR_FUTURE = 7_258_118_400;
