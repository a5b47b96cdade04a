// Statements that wait for a lock which another connection holds: they end, say so, and leave nothing behind.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Client } from "pg";
import { silent } from "../../../keeper/events/events";
import { joinEmbedded, type EmbeddedServer } from "../../../keeper/store/embedded";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { failureOf } from "../collect/failureOf";
import { SERIES, calling, historyRows, standStill, ROWS } from "./fixtures/midCopy";

/** Enough for any statement here that waits for nobody. */
const LIMIT_MS = 2_000;
const POOL_SIZE = 8;

describe("a statement that waits for longer than its limit", function () {
  this.timeout(60_000);
  let dataDir: string;
  let store: Store;
  let server: EmbeddedServer;
  let other: Client;
  before(async () => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-waits-"));
    store = await openStore({ dataDir, sink: silent, statementTimeoutMs: LIMIT_MS });
    server = await joinEmbedded({ dataDir, sink: silent });
    other = new Client(server.target());
    await other.connect();
    await store.history.addHistory(SERIES, historyRows(10));
  });
  after(async () => {
    await other?.end();
    await server?.leave();
    await store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  afterEach(async () => {
    await other.query("ROLLBACK");
  });

  const stored = async (name: string): Promise<number> =>
    (await store.history.series()).find((series) => series.name === name)?.rows ?? 0;
  /** Statements that wait at the server: of one that the driver alone gave up, the server would not know. */
  const waitingStill = async (): Promise<number> => {
    const { rows } = await other.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
    );
    return rows[0]?.count ?? NaN;
  };
  const lockedBy = async (sql: string): Promise<void> => {
    await other.query("BEGIN");
    await other.query(sql);
  };

  it("ends before anything is stored, and the same succeeds when the lock is gone", async () => {
    await lockedBy(`SELECT 1 FROM series WHERE name = '${SERIES.name}' FOR UPDATE`);
    // As many as there are connections: one that was not given back would be missed.
    const waiting = Array.from({ length: POOL_SIZE }, () =>
      failureOf(store.history.addHistory(SERIES, historyRows(20))),
    );
    for (const failure of await Promise.all(waiting)) {
      expect([failure.code, failure.exitCode]).to.deep.equal(["STORE_TIMEOUT", 1]);
      expect(failure.remedy).to.match(/locks/);
    }
    expect(await waitingStill()).to.equal(0);
    expect(await stored(SERIES.name)).to.equal(10);
    await other.query("ROLLBACK");
    expect(await store.history.addHistory(SERIES, historyRows(20))).to.deep.equal({ inserted: 10, unchanged: 10 });
  });

  it("ends after a COPY too, and takes back what that wrote", async () => {
    await lockedBy("LOCK TABLE history_pending IN EXCLUSIVE MODE");
    const late = { chainId: 1, name: "late" };
    const failure = await failureOf(store.history.addHistory(late, historyRows(20)));
    expect(failure.code).to.equal("STORE_TIMEOUT");
    expect(await waitingStill()).to.equal(0);
    expect(await stored("late")).to.equal(0);
    await other.query("ROLLBACK");
    expect(await store.history.addHistory(late, historyRows(20))).to.deep.equal({ inserted: 20, unchanged: 0 });
  });

  it("is no COPY, whose rows may come as slowly as they do", async () => {
    let stood = false;
    const slowly = calling(historyRows(), () => {
      standStill(LIMIT_MS + 500);
      stood = true;
    });
    const slow = await store.history.addHistory({ chainId: 1, name: "slow" }, slowly);
    expect([slow.inserted, stood]).to.deep.equal([ROWS, true]);
  });
});
