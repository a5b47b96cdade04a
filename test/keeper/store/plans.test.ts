// How PostgreSQL answers what features, backtests and the collector ask of what is collected: by an index, and of the months asked
// for alone. What the loop and the page ask: loopPlans.test.ts.
import { expect } from "chai";
import { Client } from "pg";
import { silent } from "../../../keeper/events/events";
import { joinEmbedded } from "../../../keeper/store/embedded";
import {
  FAR_FUTURE,
  type EventRow,
  type HistoryRow,
  type HistoryStore,
  type ReadingRow,
} from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import { readBy, scansOf } from "./fixtures/askedPlans";
import type { Store } from "../../../keeper/store/records";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const HOUR = 3_600;
const START = 1_640_995_200;
const SERIES = 12;
const HOURS = 9_000;

const SUBJECTS = 6;
const POOLS = 8;
const EVENTS = 3_000;
const HASH = `0x${"ab".repeat(32)}`;
const AT_POOL = { chainId: 1, source: "uniswap-v3" };
const poolAt = (k: number): string => `0x${String(k).repeat(40)}`;

function historyRow(hour: number): HistoryRow {
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
}

function readingsOf(subject: string): ReadingRow[] {
  return Array.from({ length: HOURS }, (_, hour) => ({
    ...{ chainId: 1, source: "test", subject, block: hour, blockHash: HASH, state: "{}" },
    ...{ observedAt: START + hour * HOUR, availableAt: START + hour * HOUR },
  }));
}

function eventOf(pool: string, block: number): EventRow {
  const at = START + block * HOUR;
  return {
    ...{ ...AT_POOL, pool, kind: "swap", block, blockHash: HASH, txHash: HASH, txIndex: 0, logIndex: 1 },
    ...{ observedAt: at, availableAt: at, sender: null, recipient: null, amount0: "5", amount1: "-4" },
    ...{ coinAmounts: null, coinFees: null, receipts: null, sqrtPriceX96: "9", liquidity: "7", tick: 1 },
    ...{ tickLower: null, tickUpper: null, priceImpactBps: null, gasUsed: null, gasPriceWei: null },
  };
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
      const rows = Array.from({ length: HOURS }, (_, hour) => historyRow(hour));
      await store.history.addHistory({ chainId: 1, name: `series-${k}` }, rows);
    }
    for (let k = 0; k < SUBJECTS; k += 1) await store.history.addReadings(readingsOf(`subject-${k}`));
    for (let k = 0; k < POOLS; k += 1) await fillPool(k);
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

  async function fillPool(k: number): Promise<void> {
    const pool = poolAt(k);
    const blocks = 300;
    for (let from = 0; from < EVENTS; from += blocks) {
      const rows = Array.from({ length: blocks }, (_, i) => eventOf(pool, from + i));
      const chunk = {
        fromBlock: from,
        toBlock: from + blocks - 1,
        toHash: HASH,
        rows: blocks,
        checksum: "ab".repeat(32),
      };
      await store.history.addEvents({ ...AT_POOL, subject: pool }, { ...chunk, tentative: false }, rows);
    }
  }

  const all = async (batches: AsyncIterable<readonly unknown[]>): Promise<number> => {
    let rows = 0;
    for await (const batch of batches) rows += batch.length;
    return rows;
  };

  // In this order: the last three change what is stored.
  const week = { from: START + 100 * 24 * HOUR, to: START + 107 * 24 * HOUR };
  const one = { chainId: 1, source: "test", subject: "subject-1" };
  const queries: Readonly<Record<string, (history: HistoryStore) => Promise<unknown>>> = {
    "a week of a series": (history) => all(history.history({ chainId: 1, name: "series-3" }, week)),
    "the newest row of some series": (history) => history.newest(1, ["series-3", "series-4"], START + 8_900 * HOUR),
    "days of a series": (history) => history.buckets({ chainId: 1, name: "series-3" }, { seconds: 86_400, ...week }),
    "a week of a source's readings": (history) => history.readings({ ...one, ...week }),
    "what was read of a source in a week": (history) => history.readSubjects({ ...one, ...week }),
    "the last reading of a source": (history) => history.newestReading(one),
    "events of a pool": (history) => all(history.events({ ...AT_POOL, pool: poolAt(2), fromBlock: 10, toBlock: 200 })),
    "what was traded in a pool in a week": (history) =>
      history.volumes({ ...AT_POOL, pool: poolAt(2), seconds: 86_400, ...week, knownBy: FAR_FUTURE }),
    "chunks of a pool": (history) => history.chunks({ ...AT_POOL, subject: poolAt(2) }, { fromBlock: 800 }),
    "what is tentative": (history) => history.tentativeRanges(1),
    "series with unjudged points": (history) => history.unjudged(1),
    "what a block adds": (history) =>
      history.addBlock({
        ...{ chainId: 1, tentative: true },
        points: ["series-1", "series-2"].map((series) => ({ series, row: { ...historyRow(HOURS), source: "block" } })),
        readings: readingsOf("subject-9").slice(0, 1),
      }),
    "rows of a reorganised chain": (history) => history.rollBack(1, 8_000),
    "rows that are final now": (history) => history.finalise(1, 8_000),
  };
  for (const [what, query] of Object.entries(queries)) {
    it(`reads no large table whole for ${what}, by the store's own statements`, async () => {
      const { whole, by } = await readBy(client, what, () => query(store.history));
      expect(whole).to.deep.equal([]);
      expect(by).to.not.have.length(0);
    });
  }

  const ofHistory = "SELECT supply_apr FROM history WHERE series_id = $1 AND available_at";

  it("reads a week of a series from one or two months, by the key", async () => {
    const scans = await scansOf(
      client,
      `${ofHistory} BETWEEN $2::timestamptz AND $3::timestamptz ORDER BY available_at`,
      [3, "2022-05-28", "2022-06-04"],
    );
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
      client,
      "SELECT * FROM history_buckets WHERE series_id = $1 AND seconds = 86400 AND bucket_at >= $2::timestamptz ORDER BY bucket_at",
      [3, "2022-05-01"],
    );
    expect(scans.map((scan) => scan["Index Name"])).to.deep.equal(["history_buckets_pkey"]);
  });

  it("finds what is tentative without reading what is final", async () => {
    const scans = await scansOf(client, "SELECT 1 FROM history WHERE tentative AND block_number > $1", [100]);
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
