// The ranges of blocks that were collected whole, each with its rows in one transaction.
import { WorldFailure } from "../config/failure";
import type { Database, Transaction } from "./database";
import type { BackfillKey, ChunkRow } from "./historyRecords";

const COLUMNS = `from_block AS "fromBlock", to_block AS "toBlock", to_hash AS "toHash", rows, checksum, tentative`;

const keyValues = ({ chainId, source, subject }: BackfillKey): unknown[] => [chainId, source, subject];

/**
 * A chunk, and what `add` stores in the same transaction. Nothing happens where its blocks are stored already.
 *
 * @returns whether it was added.
 * @throws WorldFailure `HISTORY_CHUNKS_OVERLAP`; what `add` throws.
 */
export async function addChunk(
  database: Database,
  { key, chunk }: { readonly key: BackfillKey; readonly chunk: ChunkRow },
  add: (transaction: Transaction) => Promise<void>,
): Promise<boolean> {
  return database.transaction(async (transaction) => {
    await lock(transaction, key);
    if (await isStored(transaction, key, chunk)) return false;
    await transaction.run(
      `INSERT INTO backfill_chunks (chain_id, source, subject, from_block, to_block, to_hash, rows, checksum, tentative)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [...keyValues(key), chunk.fromBlock, chunk.toBlock, chunk.toHash, chunk.rows, chunk.checksum, chunk.tentative],
    );
    await add(transaction);
    return true;
  });
}

/** Held to the end of the transaction: chunks of one backfill are added one after the other. */
async function lock(transaction: Transaction, key: BackfillKey): Promise<void> {
  await transaction.run("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
    `chunks ${key.chainId} ${key.source} ${key.subject}`,
  ]);
}

async function isStored(transaction: Transaction, key: BackfillKey, chunk: ChunkRow): Promise<boolean> {
  const met = await transaction.rows<{ fromBlock: number; toBlock: number }>(
    `SELECT from_block AS "fromBlock", to_block AS "toBlock" FROM backfill_chunks
     WHERE chain_id = $1 AND source = $2 AND subject = $3 AND from_block <= $5 AND to_block >= $4`,
    [...keyValues(key), chunk.fromBlock, chunk.toBlock],
  );
  if (met.length === 0) return false;
  let covered = 0;
  for (const { fromBlock, toBlock } of met) {
    covered += Math.min(toBlock, chunk.toBlock) - Math.max(fromBlock, chunk.fromBlock) + 1;
  }
  if (covered === chunk.toBlock - chunk.fromBlock + 1) return true;
  throw new WorldFailure(
    "HISTORY_CHUNKS_OVERLAP",
    `of the blocks ${chunk.fromBlock} to ${chunk.toBlock} of ${key.subject}, ${covered} are stored already`,
    { field: key.subject, remedy: "Run the backfill again: it asks only for what is missing." },
  );
}

/** Chunks of one key do not overlap: of those that begin before `fromBlock` only the last may reach it. */
export async function chunks(database: Database, key: BackfillKey, fromBlock: number): Promise<ChunkRow[]> {
  const ofKey = "FROM backfill_chunks WHERE chain_id = $1 AND source = $2 AND subject = $3";
  return database.rows<ChunkRow & Record<string, unknown>>(
    `SELECT ${COLUMNS} ${ofKey}
       AND from_block >= coalesce((SELECT max(from_block) ${ofKey} AND from_block <= $4), 0) AND to_block >= $4
     ORDER BY from_block`,
    [...keyValues(key), fromBlock],
  );
}
