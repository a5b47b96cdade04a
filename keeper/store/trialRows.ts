// Trials of sweeps that processes share. A trial is its own job, and its result the job's end, in one row: what is done
// cannot be told to do again.
import type { Database } from "./database";
import type { TakenTrial, TrialResult, TrialStore } from "./trialRecords";

const KEPT = "30 days";
const DOUBLE = 8;
/** Trials that one statement puts, well within the time that a statement may take. */
const AT_ONCE = 20_000;
const LEFT = "sweep = $1 AND daily IS NULL";
const NOBODYS = "(holder IS NULL OR lease_until < clock_timestamp())";

export function trialStore(database: Database): TrialStore {
  return {
    async put(sweep, keys) {
      await database.run(`DELETE FROM trials WHERE put_at < clock_timestamp() - interval '${KEPT}' AND ${NOBODYS}`);
      for (let from = 0; from < keys.length; from += AT_ONCE) {
        await database.run(
          `INSERT INTO trials (sweep, place, key)
           SELECT $1, $3 + number - 1, key FROM unnest($2::text[]) WITH ORDINALITY AS asked (key, number)
           ON CONFLICT (sweep, place) DO NOTHING`,
          [sweep, keys.slice(from, from + AT_ONCE), from],
        );
      }
      // Else what follows, and every first of a hundred thousand trials, is looked for in all of them.
      await database.run("ANALYZE trials");
      for (let from = 0; from < keys.length; from += AT_ONCE) {
        await database.run(
          `UPDATE trials t SET (daily, moves, costs_usd, turnover_usd)
             = (known.daily, known.moves, known.costs_usd, known.turnover_usd), holder = NULL, lease_until = NULL
           FROM trials known WHERE t.sweep = $1 AND t.place >= $2 AND t.place < $3 AND t.daily IS NULL
             AND known.key = t.key AND known.daily IS NOT NULL`,
          [sweep, from, from + AT_ONCE],
        );
      }
      await database.run(`UPDATE trials SET tries = 0 WHERE ${LEFT} AND ${NOBODYS} AND tries > 0`, [sweep]);
    },
    async take(sweep, { leaseSeconds, mostTries }) {
      const [taken] = await database.rows<TakenTrial & Record<string, unknown>>(
        `UPDATE trials SET holder = gen_random_uuid(), tries = tries + 1,
           lease_until = clock_timestamp() + make_interval(secs => $2)
         WHERE sweep = $1 AND place = (
           SELECT place FROM trials WHERE ${LEFT} AND ${NOBODYS} AND tries < $3
           ORDER BY place LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING place, holder`,
        [sweep, leaseSeconds, mostTries],
      );
      return taken ?? null;
    },
    async renew(sweep, holders, leaseSeconds) {
      await database.run(
        `UPDATE trials SET lease_until = clock_timestamp() + make_interval(secs => $3)
         WHERE ${LEFT} AND holder = ANY($2::uuid[])`,
        [sweep, holders, leaseSeconds],
      );
    },
    async giveBack(sweep, holders) {
      await database.run(
        `UPDATE trials SET holder = NULL, lease_until = NULL, tries = tries - 1
         WHERE ${LEFT} AND holder = ANY($2::uuid[])`,
        [sweep, holders],
      );
    },
    async fail(sweep, holder, reason) {
      await database.run(
        `UPDATE trials SET holder = NULL, lease_until = NULL, reason = $3 WHERE ${LEFT} AND holder = $2`,
        [sweep, holder, reason],
      );
    },
    async complete(sweep, place, { daily, moves, costsUsd, turnoverUsd }) {
      await database.run(
        `UPDATE trials SET holder = NULL, lease_until = NULL,
           daily = $3, moves = $4, costs_usd = $5, turnover_usd = $6
         WHERE ${LEFT} AND place = $2`,
        [sweep, place, bytesOf(daily), moves, costsUsd, turnoverUsd],
      );
    },
    async standing(sweep, mostTries) {
      const [count] = await database.rows<{ left: number }>(`SELECT count(*) AS left FROM trials WHERE ${LEFT}`, [
        sweep,
      ]);
      const [failed] = await database.rows<{ count: number; place: number; reason: string | null }>(
        `SELECT count(*) OVER () AS count, place, reason FROM trials WHERE ${LEFT} AND ${NOBODYS} AND tries >= $2 ORDER BY place LIMIT 1`,
        [sweep, mostTries],
      );
      return { left: count?.left ?? 0, failed: failed ?? null };
    },
    async results(sweep, from, to) {
      const rows = await database.rows<ResultRow>(
        `SELECT daily, moves, costs_usd AS "costsUsd", turnover_usd AS "turnoverUsd" FROM trials
         WHERE sweep = $1 AND place >= $2 AND place < $3 AND daily IS NOT NULL ORDER BY place`,
        [sweep, from, to],
      );
      return rows.map(({ daily, ...rest }) => ({ ...rest, daily: doublesOf(daily) }));
    },
  };
}

type ResultRow = Omit<TrialResult, "daily"> & { readonly daily: Buffer };

function bytesOf(values: Float64Array): Buffer {
  const bytes = Buffer.alloc(values.length * DOUBLE);
  values.forEach((value, k) => bytes.writeDoubleLE(value, k * DOUBLE));
  return bytes;
}

function doublesOf(bytes: Buffer): Float64Array {
  return Float64Array.from({ length: bytes.length / DOUBLE }, (_, k) => bytes.readDoubleLE(k * DOUBLE));
}
