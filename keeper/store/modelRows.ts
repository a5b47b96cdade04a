// Trained models: which are known, which is served, what each said, and what its online part knows.
import type { Database } from "./database";
import type { ForecastPair, ModelChange, ModelRow, ModelStore } from "./modelRecords";
import { MODELS_KEPT_SECONDS } from "./policies";

const MODEL = `hash, name, card, status, extract(epoch FROM registered_at)::float8 AS "registeredAt"`;
const CHANGE = `kind, hash, previous, reason, scores, extract(epoch FROM changed_at)::float8 AS "changedAt"`;

export function modelStore(database: Database): ModelStore {
  return {
    async register({ hash, name, card }) {
      const inserted = await database.run(
        "INSERT INTO models (hash, name, card, status) VALUES ($1, $2, $3, 'challenger') ON CONFLICT DO NOTHING",
        [hash, name, card],
      );
      return inserted > 0;
    },
    all: () =>
      database.rows<ModelRow & Record<string, unknown>>(
        `SELECT ${MODEL} FROM models ORDER BY models.registered_at, hash`,
      ),
    async champion() {
      const rows = `SELECT ${MODEL} FROM models WHERE status = 'champion'`;
      return (await database.rows<ModelRow & Record<string, unknown>>(rows))[0] ?? null;
    },
    serve: (hash, change) =>
      database.transaction(async (transaction) => {
        // One change at a time: the second waits and sees what the first did.
        await transaction.run("LOCK TABLE models IN SHARE ROW EXCLUSIVE MODE");
        const [champion] = await transaction.rows<{ hash: string }>(
          "SELECT hash FROM models WHERE status = 'champion'",
        );
        const previous = champion?.hash ?? null;
        if (previous === hash) return false;
        await transaction.run("UPDATE models SET status = 'retired' WHERE status = 'champion'");
        await transaction.run("UPDATE models SET status = 'champion' WHERE hash = $1", [hash]);
        await transaction.run(
          "INSERT INTO model_changes (kind, hash, previous, reason, scores) VALUES ($1, $2, $3, $4, $5)",
          [change.kind, hash, previous, change.reason, change.scores],
        );
        return true;
      }),
    changes: (limit) =>
      database.rows<ModelChange & Record<string, unknown>>(
        `SELECT ${CHANGE} FROM model_changes ORDER BY model_changes.id DESC LIMIT $1`,
        [limit],
      ),
    async addForecasts(rows) {
      if (rows.length === 0) return;
      await database.run(
        `INSERT INTO model_forecasts (chain_id, series, horizon_hours, made_at, model_hash, served, live, point, low, high, baseline)
         SELECT chain_id, series, horizon_hours, to_timestamp(made_at), model_hash, served, live, point, low, high, baseline
         FROM unnest($1::bigint[], $2::text[], $3::int[], $4::float8[], $5::text[], $6::bool[], $7::bool[],
           $8::float8[], $9::float8[], $10::float8[], $11::float8[])
           AS t (chain_id, series, horizon_hours, made_at, model_hash, served, live, point, low, high, baseline)
         ON CONFLICT DO NOTHING`,
        [
          ...[rows.map((row) => row.chainId), rows.map((row) => row.series), rows.map((row) => row.horizonHours)],
          ...[rows.map((row) => row.madeAt), rows.map((row) => row.modelHash), rows.map((row) => row.served)],
          rows.map((row) => row.live),
          ...[rows.map((row) => row.point), rows.map((row) => row.low), rows.map((row) => row.high)],
          rows.map((row) => row.baseline),
        ],
      );
    },
    async comeTrue(rows) {
      if (rows.length === 0) return;
      await database.run(
        `UPDATE model_forecasts SET came = t.came
         FROM unnest($1::bigint[], $2::text[], $3::int[], $4::float8[], $5::float8[])
           AS t (chain_id, series, horizon_hours, made_at, came)
         WHERE model_forecasts.chain_id = t.chain_id AND model_forecasts.series = t.series
           AND model_forecasts.horizon_hours = t.horizon_hours AND model_forecasts.made_at = to_timestamp(t.made_at)
           AND model_hash IN (SELECT hash FROM models)`,
        [
          ...[rows.map((row) => row.chainId), rows.map((row) => row.series), rows.map((row) => row.horizonHours)],
          ...[rows.map((row) => row.madeAt), rows.map((row) => row.came)],
        ],
      );
    },
    pairs: ({ challenger, champion, from }) =>
      database.rows<ForecastPair & Record<string, unknown>>(
        `SELECT c.series, c.horizon_hours AS "horizonHours", extract(epoch FROM c.made_at)::float8 AS "madeAt",
           c.point AS challenger, c.low, c.high, ${champion === null ? "c.baseline" : "p.point"} AS champion, c.came
         FROM model_forecasts c ${
           champion === null
             ? ""
             : `JOIN model_forecasts p ON p.model_hash = $3 AND p.chain_id = c.chain_id AND p.series = c.series
                AND p.horizon_hours = c.horizon_hours AND p.made_at = c.made_at AND p.made_at >= to_timestamp($2)`
         }
         WHERE c.model_hash = $1 AND c.live AND c.made_at >= to_timestamp($2) AND c.came IS NOT NULL
         ORDER BY c.made_at, c.chain_id, c.series, c.horizon_hours`,
        champion === null ? [challenger, from] : [challenger, from, champion],
      ),
    served: ({ chainId, series, horizonHours, from }) =>
      database.rows<{ madeAt: number; point: number }>(
        `SELECT extract(epoch FROM made_at)::float8 AS "madeAt", point FROM model_forecasts
         WHERE model_hash IN (SELECT hash FROM models) AND chain_id = $1 AND series = $2 AND horizon_hours = $3
           AND made_at >= to_timestamp($4) AND served AND live AND point <> baseline
         ORDER BY made_at`,
        [chainId, series, horizonHours, from],
      ),
    async saveStates(states) {
      if (states.length === 0) return;
      await database.run(
        `INSERT INTO forecast_states (chain_id, series, model_hash, state, stepped_at)
         SELECT chain_id, series, model_hash, state, to_timestamp(at)
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::float8[]) AS t (chain_id, series, model_hash, state, at)
         ON CONFLICT (chain_id, series, model_hash) DO UPDATE SET state = excluded.state, stepped_at = excluded.stepped_at
         WHERE forecast_states.stepped_at <= excluded.stepped_at`,
        [
          ...[states.map((one) => one.chainId), states.map((one) => one.series), states.map((one) => one.modelHash)],
          ...[states.map((one) => one.state), states.map((one) => one.at)],
        ],
      );
    },
    async state({ chainId, series, modelHash }) {
      const [row] = await database.rows<{ state: string }>(
        "SELECT state FROM forecast_states WHERE chain_id = $1 AND series = $2 AND model_hash = $3",
        [chainId, series, modelHash],
      );
      return row?.state ?? null;
    },
    prune: (now) =>
      database.transaction(async (transaction) => {
        const { model_forecasts: said, forecast_states: known } = MODELS_KEPT_SECONDS;
        const run = (statement: string, kept: number): Promise<number> => transaction.run(statement, [now - kept]);
        const forecasts = await run("DELETE FROM model_forecasts WHERE made_at < to_timestamp($1)", said);
        return forecasts + (await run("DELETE FROM forecast_states WHERE stepped_at < to_timestamp($1)", known));
      }),
  };
}
