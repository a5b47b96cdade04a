// What files of Uniswap pools say: each kind of row in one table, added once, refused where it contradicts what is stored.
import { WorldFailure } from "../config/failure";
import { copyBinary, type CopyWriter } from "./copyBinary";
import type { Database } from "./database";
import type { Inserted } from "./historyRecords";
import type { DescribedPool, PoolFileStore, PoolStateRow, PoolSubject, SampledSwap } from "./poolFileRecords";

interface FileTable<T> {
  readonly name: string;
  readonly key: readonly string[];
  /** What two rows of one key must agree on. */
  readonly values: readonly string[];
  /** Who said it, and times that follow from the key: those of the first row stay. */
  readonly about: readonly string[];
  /** In the order of key, values, about. */
  write(row: T, to: CopyWriter): void;
}

const STATES: FileTable<PoolStateRow> = {
  name: "pool_states",
  key: ["subject", "source", "chain_id", "observed_at"],
  values: ["block_number", "state"],
  about: ["available_at"],
  write(row, to) {
    to.text(row.subject);
    to.text(row.source);
    to.int8(row.chainId);
    to.time(row.observedAt);
    to.int8(row.block);
    to.text(row.state);
    to.time(row.availableAt);
  },
};

const SWAPS: FileTable<SampledSwap> = {
  name: "sampled_swaps",
  key: ["chain_id", "block_number", "log_index"],
  values: [
    ...["tx_index", "tx_hash", "sender", "recipient", "pool", "protocol", "amount0", "amount1", "sqrt_price_x96"],
    ...["liquidity", "tick", "reserve0", "reserve1", "gas_price_wei", "tip_wei"],
  ],
  about: ["observed_at", "available_at", "source"],
  write(row, to) {
    to.int8(row.chainId);
    to.int8(row.block);
    to.int4(row.logIndex);
    to.int4(row.txIndex);
    to.text(row.txHash);
    to.text(row.sender);
    to.text(row.recipient);
    to.text(row.pool);
    to.text(row.protocol);
    to.numeric(row.amount0);
    to.numeric(row.amount1);
    to.numeric(row.sqrtPriceX96);
    to.numeric(row.liquidity);
    to.int4(row.tick);
    to.numeric(row.reserve0);
    to.numeric(row.reserve1);
    to.numeric(row.gasPriceWei);
    to.numeric(row.tipWei);
    to.time(row.observedAt);
    to.time(row.availableAt);
    to.text(row.source);
  },
};

const POOLS: FileTable<DescribedPool> = {
  name: "described_pools",
  key: ["chain_id", "pool"],
  values: ["protocol", "token0", "token1", "fee_pips", "tick_spacing", "decimals0", "decimals1"],
  about: ["source"],
  write(row, to) {
    to.int8(row.chainId);
    to.text(row.pool);
    to.text(row.protocol);
    to.text(row.token0);
    to.text(row.token1);
    to.int4(row.feePips);
    to.int4(row.tickSpacing);
    to.int4(row.decimals0);
    to.int4(row.decimals1);
    to.text(row.source);
  },
};

const TIMES = `extract(epoch FROM observed_at)::float8 AS "observedAt", extract(epoch FROM available_at)::float8 AS "availableAt"`;
const STATE = `chain_id AS "chainId", source, subject, block_number AS block, ${TIMES}, state`;
const SWAP = `chain_id AS "chainId", block_number AS block, tx_index AS "txIndex", log_index AS "logIndex", tx_hash AS "txHash",
  ${TIMES}, source, sender, recipient, pool, protocol, amount0::text, amount1::text, sqrt_price_x96::text AS "sqrtPriceX96",
  liquidity::text, tick, reserve0::text, reserve1::text, gas_price_wei::text AS "gasPriceWei", tip_wei::text AS "tipWei"`;
const POOL = `chain_id AS "chainId", pool, source, protocol, token0, token1, fee_pips AS "feePips",
  tick_spacing AS "tickSpacing", decimals0, decimals1`;

const ROWS_A_BATCH = 20_000;

export function poolFileStore(database: Database): PoolFileStore {
  return {
    addStates: (rows) => add(database, STATES, rows),
    addSwaps: (rows) => add(database, SWAPS, rows),
    addPools: (rows) => add(database, POOLS, rows),
    subjects: () =>
      database.rows<PoolSubject & Record<string, unknown>>(
        `SELECT DISTINCT chain_id AS "chainId", source, subject FROM pool_states ORDER BY 1, 3, 2`,
      ),
    states: (of) => states(database, of),
    async swapChains() {
      const found = await database.rows<{ id: number }>("SELECT DISTINCT chain_id AS id FROM sampled_swaps ORDER BY 1");
      return found.map(({ id }) => id);
    },
    swaps: (query) => swaps(database, query),
    pools: (chainId) =>
      database.rows<DescribedPool & Record<string, unknown>>(
        `SELECT ${POOL} FROM described_pools WHERE chain_id = $1 ORDER BY pool`,
        [chainId],
      ),
  };
}

async function add<T>(database: Database, table: FileTable<T>, rows: readonly T[]): Promise<Inserted> {
  if (rows.length === 0) return { inserted: 0, unchanged: 0 };
  const { name, key, values, about } = table;
  const columns = [...key, ...values, ...about];
  const of = (alias: string): string => values.map((column) => `${alias}.${column}`).join(", ");
  const inserted = await database.transaction(async (transaction) => {
    // Between the comparison and the insertion nobody else may add a row that differs.
    await transaction.run(`LOCK TABLE ${name} IN SHARE ROW EXCLUSIVE MODE`);
    await transaction.run(`CREATE TEMPORARY TABLE incoming (LIKE ${name}) ON COMMIT DROP`);
    await transaction.copyIn("incoming", columns, copyBinary(rows, columns.length, table.write.bind(table)));
    await transaction.run("ANALYZE incoming");
    const [other] = await transaction.rows<{ key: string }>(
      `SELECT concat_ws(', ', ${key.map((column) => `i.${column}`).join(", ")}) AS key
       FROM incoming i JOIN ${name} t USING (${key.join(", ")}) WHERE (${of("i")}) IS DISTINCT FROM (${of("t")}) LIMIT 1`,
    );
    if (other !== undefined) {
      throw new WorldFailure(
        "HISTORY_CONTRADICTION",
        `the row of ${key.join(", ")} = ${other.key} is stored with other values`,
        {
          field: name,
          remedy: "Find out which is right; is it of another chain (--chain ID)?",
        },
      );
    }
    const named = columns.join(", ");
    return transaction.run(`INSERT INTO ${name} (${named}) SELECT ${named} FROM incoming ON CONFLICT DO NOTHING`);
  });
  return { inserted, unchanged: rows.length - inserted };
}

async function* states(database: Database, of: PoolSubject): AsyncGenerator<PoolStateRow[], void, void> {
  let after: number | null = null;
  for (;;) {
    const rows: PoolStateRow[] = await database.rows<PoolStateRow & Record<string, unknown>>(
      `SELECT ${STATE} FROM pool_states WHERE subject = $1 AND source = $2 AND chain_id = $3
         AND ($4::float8 IS NULL OR observed_at > to_timestamp($4)) ORDER BY pool_states.observed_at LIMIT ${ROWS_A_BATCH}`,
      [of.subject, of.source, of.chainId, after],
    );
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_A_BATCH) return;
    after = last.observedAt;
  }
}

async function* swaps(
  database: Database,
  query: { readonly chainId: number; readonly fromBlock: number; readonly toBlock: number },
): AsyncGenerator<SampledSwap[], void, void> {
  let [block, logIndex] = [query.fromBlock, -1];
  for (;;) {
    const rows: SampledSwap[] = await database.rows<SampledSwap & Record<string, unknown>>(
      `SELECT ${SWAP} FROM sampled_swaps
       WHERE chain_id = $1 AND (block_number, log_index) > ($2, $3) AND block_number <= $4
       ORDER BY block_number, log_index LIMIT ${ROWS_A_BATCH}`,
      [query.chainId, block, logIndex, query.toBlock],
    );
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_A_BATCH) return;
    [block, logIndex] = [last.block, last.logIndex];
  }
}
