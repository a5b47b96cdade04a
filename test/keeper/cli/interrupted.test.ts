// Ctrl-C, and two at once, in the middle of `tiller data import`: what holds the processes there is a lock on a table that
// each of their insertions needs, so that they are there for certain.
import { expect } from "chai";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { silent } from "../../../keeper/events/events";
import { serverFolder } from "../../../keeper/store/embedded";
import type { HistoryRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { findRunning, password } from "../../../keeper/store/serverProcess";
import { historyRows } from "../store/fixtures/midCopy";
import { startTiller, writeConfig, writeSeries, type TillerProcess } from "./tillerProcess";

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"];
const ROWS = 500;

describe("tiller data import", function () {
  this.timeout(60_000);
  let folder: string;
  let files: string[];
  let store: Store;
  let clean: Record<string, HistoryRow[]>;
  const started: TillerProcess[] = [];

  const stateOf = (name: string): string => path.join(folder, name, "state");
  const running = (name: string) => findRunning(serverFolder(stateOf(name)));
  const tiller = (...args: string[]): TillerProcess => {
    const one = startTiller(folder, args);
    started.push(one);
    return one;
  };

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-interrupted-"));
    files = NAMES.map((name, k) => writeSeries(folder, name, historyRows(ROWS + k)));
    writeConfig(folder, stateOf("clean"));
    const { code, err } = await tiller("data", "import", ...files).ended;
    expect(code, err).to.equal(0);
    clean = await rowsOf("clean");
    expect(Object.keys(clean)).to.deep.equal(NAMES);
  });
  afterEach(async () => {
    await store.close();
    for (const { child, ended } of started.splice(0)) {
      if (child.exitCode === null) child.kill("SIGKILL");
      await ended;
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function open(name: string): Promise<Store> {
    writeConfig(folder, stateOf(name));
    return (store = await openStore({ dataDir: stateOf(name), sink: silent }));
  }
  async function rowsOf(name: string): Promise<Record<string, HistoryRow[]>> {
    const reading = await open(name);
    const found: Record<string, HistoryRow[]> = {};
    for (const series of await reading.history.series()) {
      const rows: HistoryRow[] = [];
      for await (const page of reading.history.history(series)) rows.push(...page);
      found[series.name] = rows;
    }
    await reading.close();
    return found;
  }
  /** A connection that does not count as somebody who is there, with the lock. */
  async function lockOn(name: string, table: string): Promise<Client> {
    const port = running(name)?.port ?? 0;
    const client = new Client({
      ...{ host: "127.0.0.1", port, user: "tiller", password: password(serverFolder(stateOf(name))) },
      database: "postgres",
    });
    client.on("error", () => undefined);
    await client.connect();
    await client.query(`BEGIN; LOCK TABLE ${table} IN SHARE MODE`);
    return client;
  }
  async function waiting(client: Client, count: number): Promise<void> {
    for (let tries = 0; tries < 1_200; tries += 1) {
      const { rows } = await client.query<{ held: number }>(
        "SELECT count(*)::int AS held FROM pg_locks WHERE NOT granted",
      );
      if ((rows[0]?.held ?? 0) >= count) return;
      await sleep(25);
    }
    throw new Error(`never: ${count} wait for the lock`);
  }

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends at ${signal} with the files in hand stored whole, says so, and goes on the next time`, async () => {
      const mine = await open(signal);
      // Its rows are copied; what is left is to say that their buckets wait.
      const lock = await lockOn(signal, "history_pending");
      const one = tiller("data", "import", ...files);
      await waiting(lock, 3);
      one.child.kill(signal);
      await sleep(100);
      // As npm does, which passes on what the terminal had sent already.
      one.child.kill(signal);
      await mine.close();
      await sleep(100);
      await lock.query("COMMIT");
      await lock.end();
      const { code, err, out } = await one.ended;
      expect(code, err).to.equal(130);
      expect(err).to.equal("tiller: stopped; files that were stored stay, and a second import goes on\n");
      expect(out).to.equal("");
      expect(running(signal), "the server ended with the last who was there").to.equal(null);

      const stood = await rowsOf(signal);
      expect(Object.keys(stood)).to.have.length(3);
      for (const [name, rows] of Object.entries(stood)) expect(rows).to.deep.equal(clean[name]);
      const second = await tiller("data", "import", ...files).ended;
      expect(second.code, second.err).to.equal(0);
      expect(await rowsOf(signal)).to.deep.equal(clean);
      expect(running(signal)).to.equal(null);
    });
  }

  it("by two processes at once stores each row once, and both succeed", async () => {
    const mine = await open("two");
    const lock = await lockOn("two", "series");
    const both = [tiller("data", "import", ...files, "--json"), tiller("data", "import", ...files, "--json")];
    await waiting(lock, 6);
    await lock.query("COMMIT");
    await lock.end();
    const sum = { rowsInserted: 0, rowsUnchanged: 0 };
    for (const { ended } of both) {
      const { code, out, err } = await ended;
      expect(code, err).to.equal(0);
      const report = JSON.parse(out) as typeof sum;
      sum.rowsInserted += report.rowsInserted;
      sum.rowsUnchanged += report.rowsUnchanged;
    }
    const rows = Object.values(clean).reduce((count, one) => count + one.length, 0);
    expect(sum).to.deep.equal({ rowsInserted: rows, rowsUnchanged: rows });
    await mine.close();
    expect(await rowsOf("two")).to.deep.equal(clean);
  });

  it("ends at Ctrl-C while it still reads its files, with nothing stored", async () => {
    await (await open("reading")).close();
    const large = NAMES.map((name) => writeSeries(folder, `large-${name}`, historyRows(60_000)));
    const one = tiller("data", "import", ...large);
    const lockFile = path.join(serverFolder(stateOf("reading")), "data", "postmaster.pid");
    while (!existsSync(lockFile) || running("reading") === null) await sleep(10);
    // It has joined, or is about to: what follows is seconds of reading.
    await sleep(300);
    one.child.kill("SIGINT");
    const { code, err } = await one.ended;
    expect(code, err).to.equal(130);
    expect(await rowsOf("reading")).to.deep.equal({});
  });
});
