// How PostgreSQL answers what the loop, the page, features and backtests ask: by an index, and of the months asked for alone.
import { expect } from "chai";
import { Client } from "pg";
import { silent } from "../../../keeper/events/events";
import { joinEmbedded } from "../../../keeper/store/embedded";
import type { HistoryRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const HOUR = 3_600;
const START = 1_640_995_200;
const SERIES = 12;
const HOURS = 9_000;

interface Plan {
  readonly "Node Type": string;
  readonly "Index Name"?: string;
  readonly "Relation Name"?: string;
  readonly Plans?: readonly Plan[];
}

describe("plans", function () {
  this.timeout(60_000);
  let dataDir: string;
  let store: Store;
  let client: Client;
  let leave: () => Promise<void>;
  before(async () => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-plans-"));
    store = await openStore({ dataDir, sink: silent });
    for (let k = 0; k < SERIES; k += 1) {
      const rows = Array.from({ length: HOURS }, (_, hour): HistoryRow => {
        const at = START + hour * HOUR;
        return {
          ...{
            observedAt: at,
            availableAt: at,
            block: hour,
            blockHash: null,
            source: "test",
            suppliedUsd: 1,
            borrowedUsd: 1,
          },
          ...{ supplyApr: 0.05, borrowApr: 0.06, index: null, flags: 0 },
        };
      });
      await store.history.addHistory({ chainId: 1, name: `series-${k}` }, rows);
    }
    await store.history.maintain(START + HOURS * HOUR);
    const server = await joinEmbedded({ dataDir, sink: silent, onMoved: () => undefined });
    leave = () => server.leave();
    client = new Client(server.target());
    await client.connect();
    await client.query("ANALYZE history, history_buckets");
  });
  after(async () => {
    await client?.end();
    await leave?.();
    await store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function scansOf(sql: string, values: readonly unknown[]): Promise<Plan[]> {
    const { rows } = await client.query<{ "QUERY PLAN": { Plan: Plan }[] }>(`EXPLAIN (FORMAT JSON) ${sql}`, [
      ...values,
    ]);
    const scans: Plan[] = [];
    const visit = (plan: Plan): void => {
      if (plan["Relation Name"] !== undefined || plan["Index Name"] !== undefined) scans.push(plan);
      plan.Plans?.forEach(visit);
    };
    visit(rows[0]?.["QUERY PLAN"][0]?.Plan as Plan);
    return scans;
  }

  const ofHistory = "SELECT supply_apr FROM history WHERE series_id = $1 AND available_at";

  it("reads a week of a series from one or two months, by the key", async () => {
    const scans = await scansOf(`${ofHistory} BETWEEN $2::timestamptz AND $3::timestamptz ORDER BY available_at`, [
      3,
      "2022-05-28",
      "2022-06-04",
    ]);
    expect(scans.map((scan) => scan["Index Name"] ?? scan["Node Type"])).to.deep.equal([
      "history_2022_05_pkey",
      "history_2022_06_pkey",
    ]);
  });

  it("reads the newest row of a series by the key, without sorting", async () => {
    const { rows } = await client.query<{ "QUERY PLAN": string }>(
      `EXPLAIN ${ofHistory} <= '2022-08-01' ORDER BY available_at DESC LIMIT 1`.replace("$1", "3"),
    );
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    expect(plan).not.to.include("Sort");
    expect(plan).not.to.include("Seq Scan on history");
    expect(plan).to.include("Index Scan Backward using history_2022_07_pkey");
  });

  it("reads days of a series by the key of buckets", async () => {
    const scans = await scansOf(
      "SELECT * FROM history_buckets WHERE series_id = $1 AND seconds = 86400 AND bucket_at >= $2::timestamptz ORDER BY bucket_at",
      [3, "2022-05-01"],
    );
    expect(scans.map((scan) => scan["Index Name"])).to.deep.equal(["history_buckets_pkey"]);
  });

  it("finds what is tentative without reading what is final", async () => {
    const scans = await scansOf("SELECT 1 FROM history WHERE tentative AND block_number > $1", [100]);
    const names = scans.map((scan) => scan["Index Name"] ?? `${scan["Node Type"]} of ${scan["Relation Name"]}`);
    expect(names.filter((name) => !/_block_number_idx/.test(name))).to.deep.equal([]);
  });

  it("finds the next trial of a large sweep by its index, from the moment on that it was put", async () => {
    const sweep = "a".repeat(32);
    await store.trials.put(
      sweep,
      Array.from({ length: 100_000 }, (_, k) => k.toString(16).padStart(32, "0")),
    );
    const { rows } = await client.query<{ "QUERY PLAN": string }>(
      `EXPLAIN SELECT place FROM trials WHERE sweep = '${sweep}' AND daily IS NULL AND tries < 3
         AND (holder IS NULL OR lease_until < clock_timestamp())
       ORDER BY place LIMIT 1 FOR UPDATE SKIP LOCKED`,
    );
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    expect(plan).to.include("Index Scan using trials_left");
    expect(plan).not.to.include("Sort");
  });
});
