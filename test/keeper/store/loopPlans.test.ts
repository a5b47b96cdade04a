// How PostgreSQL answers what the loop, the page, the registry of models and sweeps ask, on tables as a year or so leaves them: by
// an index, whatever the table has grown to. TILLER_PLANS=1 prints by which.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Client } from "pg";
import { silent } from "../../../keeper/events/events";
import { joinEmbedded } from "../../../keeper/store/embedded";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { readBy } from "./fixtures/askedPlans";
import { KEEPER, decisionRow, hash, intentFor } from "./fixtures/rows";

const CHAIN = 31_337;
const MINUTE = 60;
const HOUR = 3_600;
/** Of the last block. */
const NOW = 1_750_000_000;
/** A block a minute: three weeks of each vault. */
const BLOCKS = 30_000;
const VAULTS = 4;
const vaultAt = (k: number): string => `0x${String(k + 1).repeat(40)}`;
const OF = { chainId: CHAIN, vault: vaultAt(1) };
const [CHAMPION, CHALLENGER] = ["a".repeat(64), "b".repeat(64)];
const SWEEP = "c".repeat(32);

/** Each table as the loop fills it: every vault at each block, a plan at every hundredth, a bundle of two tries a plan. */
const FILL = [
  `INSERT INTO snapshots (chain_id, vault, block_number, block_hash, observed_at, available_at, payload, total_assets, share_price)
   SELECT ${CHAIN}, '0x' || repeat((v + 1)::text, 40), b, '0x' || md5(v || '-' || b), at, at, '{}', 1, 1
   FROM blocks, generate_series(0, ${VAULTS - 1}) AS v`,
  `INSERT INTO observations (chain_id, venue, adapter, block_number, block_hash, observed_at, available_at, source, vault_assets)
   SELECT ${CHAIN}, 'venue-' || a, '0x' || repeat(a::text, 40), b, '0x' || md5('0-' || b), at, at, 'lens', 0
   FROM blocks, generate_series(1, 3) AS a`,
  `INSERT INTO decisions (id, chain_id, vault, block_number, block_hash, decided_at, action, reason, record, record_hash)
   SELECT md5(v || '-' || b), ${CHAIN}, '0x' || repeat((v + 1)::text, 40), b, '0xab', at,
     CASE WHEN b % 100 = 0 THEN 'rebalance' ELSE 'hold' END, 'because', '{}', '0xcd'
   FROM blocks, generate_series(0, ${VAULTS - 1}) AS v`,
  `INSERT INTO intents (id, decision_id, chain_id, vault, keeper, plan_nonce, account_nonce, calldata, gas_limit, deadline,
     decided_block, state, reason, included_block)
   SELECT 'i' || id, id, chain_id, vault, '${KEEPER}', block_number, 0, '0x', 1, decided_at, block_number,
     CASE block_number % 1000 WHEN 0 THEN 'abandoned' ELSE 'final' END, 'because', block_number
   FROM (SELECT * FROM decisions UNION ALL
     SELECT md5('more' || n), ${CHAIN}, '${vaultAt(VAULTS)}', n, '0xab', now(), now(), 'rebalance', '', '', '0xcd', FALSE
     FROM generate_series(1, 4000) AS n) AS d WHERE action = 'rebalance'`,
  `INSERT INTO submissions (id, intent_id, relay, target_block, max_fee_per_gas, max_priority_fee_per_gas, state)
   SELECT 's' || id || try, id, 'relay', decided_block + try, 1, 1, CASE WHEN try = 2 THEN 'included' ELSE 'sent' END
   FROM intents, generate_series(1, 2) AS try`,
  `UPDATE submissions SET state = 'missed' WHERE target_block % 50 = 1`,
  `INSERT INTO ticks (chain_id, vault, run, dry_run, memory, block_hash, observed_at, available_at, base_fee)
   SELECT ${CHAIN}, '0x' || repeat((v + 1)::text, 40), 'run-' || v || '-' || b / 3000, FALSE, '{}', '0x' || md5(v || '-' || b), at, at, 1
   FROM blocks, generate_series(0, ${VAULTS - 1}) AS v`,
  `INSERT INTO breaker_trips (chain_id, vault, cause, detail, closes, block_number, observed_at, reset_at, reset_reason)
   SELECT ${CHAIN}, '0x' || repeat((1 + b % ${VAULTS})::text, 40), 'oracle', 'because', FALSE, b, at, at, 'because' FROM blocks`,
  `INSERT INTO models (hash, name, card, status)
   VALUES ('${CHAMPION}', 'champion', '{}', 'champion'), ('${CHALLENGER}', 'challenger', '{}', 'challenger')`,
  `INSERT INTO model_forecasts (chain_id, series, horizon_hours, made_at, model_hash, served, live, point, low, high, baseline, came)
   SELECT ${CHAIN}, 'series-' || s, 24, to_timestamp(${NOW} - h * ${HOUR}), hash, FALSE, TRUE, 0, 0, 0, 0,
     CASE WHEN h > 24 THEN 0 END
   FROM generate_series(1, 3) AS s, generate_series(0, 8759) AS h, models`,
  `INSERT INTO forecast_states (chain_id, series, model_hash, state, stepped_at)
   SELECT ${CHAIN}, 'series-' || n, '${CHAMPION}', '{}', now() FROM generate_series(1, 5000) AS n`,
];

describe("plans of what the loop and the page ask", function () {
  this.timeout(120_000);
  let dataDir: string;
  let store: Store;
  let client: Client;
  let leave: () => Promise<void>;
  before(async () => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-plans-"));
    store = await openStore({ dataDir, sink: silent });
    const server = await joinEmbedded({ dataDir, sink: silent, onMoved: () => undefined });
    leave = () => server.leave();
    client = new Client(server.target());
    await client.connect();
    await client.query(
      `CREATE TEMPORARY TABLE blocks AS
       SELECT b, to_timestamp(${NOW} - (${BLOCKS} - b) * ${MINUTE}) AS at FROM generate_series(1, ${BLOCKS}) AS b`,
    );
    // The 4,000 plans of a further vault have decisions too.
    await client.query("SET session_replication_role = replica");
    for (const sql of FILL) await client.query(sql);
    await client.query("SET session_replication_role = DEFAULT");
    await store.trials.put(
      SWEEP,
      Array.from({ length: 20_000 }, (_, k) => k.toString(16).padStart(32, "0")),
    );
    await client.query("ANALYZE");
  });
  after(async () => {
    await client?.end();
    await leave?.();
    await store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const ofKeeper = decisionRow(BLOCKS + 1, { vault: OF.vault, decidedAt: NOW });
  const own = `i${"0".repeat(31)}`;
  /** What is asked, and the indices by which alone it may be answered; where two are named for a table, either is as good. */
  const queries: Readonly<Record<string, { ask: (store: Store) => Promise<unknown>; by: readonly string[] }>> = {
    "the newest snapshot": {
      ask: ({ latestSnapshot }) => latestSnapshot(OF.chainId, OF.vault),
      by: ["snapshots_by_height"],
    },
    "the page's snapshots": { ask: (of) => of.snapshots({ ...OF, limit: 300 }), by: ["snapshots_by_height"] },
    "a week of share prices": {
      ask: (of) => of.sharePrices({ ...OF, from: NOW - 168 * HOUR }),
      by: ["snapshots_by_time"],
    },
    "an hour of observations": {
      ask: (of) => of.observations({ chainId: CHAIN, from: NOW - HOUR, to: NOW, knownBy: NOW }),
      by: ["observations_default_chain_id_observed_at_available_at_idx"],
    },
    "the observations at the ends of a week's hours": {
      ask: (of) => of.hourlyObservations({ chainId: CHAIN, from: NOW - 168 * HOUR, knownBy: NOW }),
      by: ["observations_default_chain_id_observed_at_available_at_idx", "observations_default_pkey"],
    },
    "the page's decisions": {
      ask: (of) => of.decisions({ ...OF, limit: 50 }),
      by: ["decisions_by_height", "intents_decision_id_key"],
    },
    "the latest rebalances": {
      ask: (of) => of.decisions({ ...OF, limit: 20, action: "rebalance" }),
      by: ["decisions_rebalances", "intents_decision_id_key"],
    },
    "a decision": { ask: (of) => of.decision("0".repeat(32)), by: ["decisions_pkey", "intents_decision_id_key"] },
    "the last rebalance that landed": {
      ask: (of) => of.lastRebalanceAt(OF.chainId, OF.vault),
      by: ["intents_by_keeper", "decisions_pkey"],
    },
    "live plans": {
      ask: (of) => of.liveIntents(OF.chainId, OF.vault, KEEPER),
      by: ["intents_live", "intents_by_keeper"],
    },
    "a plan": { ask: (of) => of.intent(own), by: ["intents_pkey"] },
    "a plan's bundles": { ask: (of) => of.submissions(own), by: ["submissions_intent_id_relay_target_block_key"] },
    "how many bundles were included and missed": {
      ask: (of) => of.bundleCounts(OF.chainId, OF.vault),
      by: ["intents_by_keeper", "submissions_missed"],
    },
    "base fees of an hour": {
      ask: (of) => of.baseFees({ ...OF, from: NOW - HOUR, to: NOW, knownBy: NOW }),
      by: ["ticks_by_vault"],
    },
    "recorded days": {
      ask: (of) => of.tickRuns({ ...OF, from: NOW - 24 * HOUR, to: NOW }),
      by: ["ticks_by_vault", "ticks_of_run"],
    },
    "a page of a recorded day": {
      ask: (of) => of.recordedTicks({ run: "run-1-3", after: "0", limit: 200 }),
      by: ["ticks_of_run", "snapshots_by_block"],
    },
    "the breaker's open trips": { ask: ({ breaker }) => breaker.open(OF), by: ["breaker_open"] },
    "the breaker's latest trips": {
      ask: ({ breaker }) => breaker.trips(OF, 20),
      by: ["breaker_by_time", "breaker_trips_pkey"],
    },
    "what two models said in the last month": {
      ask: ({ models }) => models.pairs({ challenger: CHALLENGER, champion: CHAMPION, from: NOW - 720 * HOUR }),
      by: ["model_forecasts_by_time", "model_forecasts_pkey"],
    },
    "what a model and the baseline said in the last month": {
      ask: ({ models }) => models.pairs({ challenger: CHALLENGER, champion: null, from: NOW - 720 * HOUR }),
      by: ["model_forecasts_by_time"],
    },
    "forecasts that came true": {
      ask: ({ models }) =>
        models.comeTrue([{ chainId: CHAIN, series: "series-1", horizonHours: 24, madeAt: NOW - HOUR, came: 0.1 }]),
      by: ["model_forecasts_pkey"],
    },
    "a series' state of a model": {
      ask: ({ models }) => models.state({ chainId: CHAIN, series: "series-7", modelHash: CHAMPION }),
      by: ["forecast_states_pkey"],
    },
    "a sweep's next trial": {
      ask: ({ trials }) => trials.take(SWEEP, { leaseSeconds: 60, mostTries: 3 }),
      by: ["trials_left", "trials_pkey"],
    },
    "a trial's result": {
      ask: ({ trials }) =>
        trials.complete(SWEEP, 5, { daily: new Float64Array(2), moves: 1, costsUsd: 1, turnoverUsd: 1 }),
      by: ["trials_left", "trials_pkey"],
    },
    "results of a sweep": { ask: ({ trials }) => trials.results(SWEEP, 0, 100), by: ["trials_pkey", "trials_done"] },
    // These change what is stored.
    "what a tick decided": {
      ask: (of) => of.noteDecision({ run: "run-1-3", blockHash: hash(7), inputs: "{}", recordHash: hash(1) }),
      by: ["ticks_run_block_hash_key"],
    },
    "a plan's next state": {
      ask: async (of) => {
        const { id } = await of.planIntent(ofKeeper, intentFor(ofKeeper));
        await of.moveIntent(id, ["planned"], "simulated", {});
      },
      by: ["intents_pkey", "intents_live"],
    },
  };
  for (const [what, { ask, by }] of Object.entries(queries)) {
    it(`${what}: by ${by.join(" and ")}`, async () => {
      const found = await readBy(client, what, () => ask(store));
      expect(found.whole).to.deep.equal([]);
      expect(by).to.include.members(found.by.filter((name) => !/, whole$/.test(name)));
    });
  }
});
