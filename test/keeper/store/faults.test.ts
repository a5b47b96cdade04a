// The server ends in the middle of a `COPY`, each in another way: what was being stored is not there, in no part, and can
// be stored again. Real servers, real kills.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { WorldFailure, type Failure } from "../../../keeper/config/failure";
import { silent } from "../../../keeper/events/events";
import { serverFolder } from "../../../keeper/store/embedded";
import type { HistoryStore, Inserted } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { findRunning, password } from "../../../keeper/store/serverProcess";
import { failureOf } from "../collect/failureOf";
import {
  CHUNK,
  POOL,
  ROWS,
  SERIES,
  calling,
  eventRows,
  historyRows,
  serverProcesses,
  standStill,
} from "./fixtures/midCopy";

const TABLES = ["series", "history", "history_pending", "pool_events", "backfill_chunks"] as const;
type Counts = Record<(typeof TABLES)[number], number>;

/** How a server ends; told the server and its process that serves the `COPY`. */
const ENDS: Readonly<Record<string, (server: number, serving: number) => void>> = {
  "kill -9 of all its processes": (server) => {
    const children = serverProcesses(server);
    process.kill(server, "SIGKILL");
    for (const { pid } of children) process.kill(pid, "SIGKILL");
  },
  "kill -9 of the one process that serves it": (_, serving) => process.kill(serving, "SIGKILL"),
  // What pg_ctl sends for -m immediate and -m fast; the store itself starts the server again.
  "an immediate restart": (server) => process.kill(server, "SIGQUIT"),
  "a fast restart": (server) => process.kill(server, "SIGINT"),
};

/** What is inserted; `before` stands already when the server ends. */
const INSERTIONS: Readonly<Record<string, { insert: Insert; before: Insert; counts: Counts }>> = {
  "a series": {
    before: async () => ({ inserted: 0, unchanged: 0 }),
    insert: (store, call) => store.addHistory(SERIES, calling(historyRows(), call)),
    counts: { series: 1, history: ROWS, history_pending: 1, pool_events: 0, backfill_chunks: 0 },
  },
  "rows that are merged with those of a series": {
    before: (store) => store.addHistory(SERIES, historyRows(10)),
    insert: (store, call) => store.addHistory(SERIES, calling(historyRows(), call)),
    counts: { series: 1, history: ROWS, history_pending: 2, pool_events: 0, backfill_chunks: 0 },
  },
  "a chunk of events": {
    before: async () => ({ inserted: 0, unchanged: 0 }),
    insert: (store, call) => store.addEvents(POOL, CHUNK, calling(eventRows(), call)),
    counts: { series: 0, history: 0, history_pending: 0, pool_events: ROWS, backfill_chunks: 1 },
  },
};
type Insert = (store: HistoryStore, call: () => void) => Promise<Inserted>;

describe("a server that ends in the middle of a COPY", function () {
  this.timeout(60_000);
  let dataDir: string;
  let store: Store;

  before(() => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-faults-"));
  });
  beforeEach(async () => {
    store = await openStore({ dataDir, sink: silent });
  });
  afterEach(async () => {
    await onServer(`TRUNCATE ${TABLES.join(", ")}`);
    await store.close();
    expect(running(), "the last one to leave stopped the server").to.equal(null);
  });
  after(() => rmSync(dataDir, { recursive: true, force: true }));

  const running = () => findRunning(serverFolder(dataDir));

  async function onServer<T>(sql: string): Promise<T[]> {
    const port = running()?.port ?? 0;
    const client = new Client({
      ...{ host: "127.0.0.1", port, user: "tiller", password: password(serverFolder(dataDir)), database: "postgres" },
    });
    await client.connect();
    const { rows } = await client.query(sql);
    await client.end();
    return rows as T[];
  }
  async function counts(): Promise<Counts> {
    const counted = TABLES.map((name) => `(SELECT count(*)::int FROM ${name}) AS ${name}`);
    return (await onServer<Counts>(`SELECT ${counted.join(", ")}`))[0] as Counts;
  }
  /** The server, and which of its processes is in a `COPY` at this moment. */
  function serving(): { server: number; serving: number } {
    const server = running()?.pid ?? 0;
    // It goes on with what it was sent while this process stands still.
    standStill(100);
    const copying = serverProcesses(server).filter(({ title }) => title.endsWith("COPY"));
    expect(copying, "one COPY runs").to.have.length(1);
    return { server, serving: copying[0]?.pid ?? 0 };
  }
  /** Everything that is not an outage is a defect. */
  async function answers(): Promise<void> {
    for (let tries = 0; tries < 600; tries += 1) {
      const failure: Failure | null = await store.ping().then(
        () => null,
        (error: unknown) => error as Failure,
      );
      if (failure === null) return;
      expect(failure.code).to.equal("STORE_UNREACHABLE");
      await sleep(25);
    }
    throw new Error("never: the store answers again");
  }

  for (const [what, { before: stands, insert, counts: whole }] of Object.entries(INSERTIONS)) {
    for (const [how, end] of Object.entries(ENDS)) {
      it(`${what}: by ${how}, stores nothing of it, says so, and stores all of it the next time`, async () => {
        await stands(store.history, () => undefined);
        const earlier = await counts();
        let seen: unknown = "the COPY was never in its middle";
        const failure = await failureOf(
          insert(store.history, () => {
            try {
              const found = serving();
              end(found.server, found.serving);
              seen = null;
            } catch (error) {
              seen = error;
            }
          }),
        );
        if (seen !== null) throw seen;
        expect(failure).to.be.instanceOf(WorldFailure);
        expect(failure.code).to.equal("STORE_UNREACHABLE");
        expect(failure.remedy).to.match(/database|DATABASE_URL/);

        await answers();
        expect(await counts()).to.deep.equal(earlier);
        const added = ROWS - earlier.history;
        expect(await insert(store.history, () => undefined)).to.deep.equal({
          inserted: added,
          unchanged: ROWS - added,
        });
        expect(await counts()).to.deep.equal(whole);
      });
    }
  }
});
