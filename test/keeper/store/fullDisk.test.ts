// A disk that is full, really: of the database's server, and of the place where a data set goes. It is said, nothing is
// stored or written in part, and the same again succeeds once there is room.
import { expect } from "chai";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { silent } from "../../../keeper/events/events";
import { writeDataset } from "../../../keeper/forecast/dataset";
import { serverFolder } from "../../../keeper/store/embedded";
import type { SeriesInfo } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import { findRunning } from "../../../keeper/store/serverProcess";
import { startTiller, writeConfig, writeSeries, type Ended } from "../cli/tillerProcess";
import { failureOf } from "../collect/failureOf";
import { BEGIN, FIXTURE_SERIES, fixtureStore } from "../forecast/datasetFixture";
import { ROWS, SERIES, historyRows } from "./fixtures/midCopy";
import { smallDisk, type SmallDisk } from "./fixtures/smallDisk";

const MIB = 1024 * 1024;
const PLENTY = 300 * MIB;

describe("a full disk", function () {
  this.timeout(60_000);
  let disk: SmallDisk;
  beforeEach(function () {
    disk = smallDisk(this, PLENTY);
  });
  afterEach(() => {
    const left = findRunning(serverFolder(disk.folder));
    if (left !== null) process.kill(left.pid, "SIGKILL");
    disk.close();
  });

  it("under a running server fails one insertion, and the next succeeds when there is room", async () => {
    const store = await openStore({ dataDir: disk.folder, sink: silent });
    await store.history.addHistory({ chainId: 1, name: "before" }, historyRows(10));
    disk.leave(3 * MIB);
    const failure = await failureOf(store.history.addHistory(SERIES, historyRows()));
    expect([failure.code, failure.exitCode]).to.deep.equal(["STORE_FULL", 1]);
    expect(failure.line()).to.match(/disk .* full.*Free room/);
    const named = ({ name, rows }: SeriesInfo) => [name, rows];
    expect((await store.history.series()).map(named)).to.deep.equal([["before", 10]]);
    disk.leave(PLENTY);
    expect(await store.history.addHistory(SERIES, historyRows())).to.deep.equal({ inserted: ROWS, unchanged: 0 });
    expect((await store.history.series()).map(named)).to.deep.equal([
      [SERIES.name, ROWS],
      ["before", 10],
    ]);
    await store.close();
  });

  it("that ends the server itself fails the import, which the same command completes when there is room", async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "tiller-full-"));
    try {
      writeConfig(folder, disk.folder);
      const rows = historyRows(20_000);
      const names = ["a", "b", "c", "d", "e", "f"];
      const files = names.map((name) => writeSeries(folder, name, rows));
      const tiller = (...args: string[]): Promise<Ended> => startTiller(folder, [...args, "--json"]).ended;
      const errorOf = ({ err }: Ended): unknown => (JSON.parse(err) as { error: unknown }).error;

      expect((await tiller("data", "report")).code).to.equal(0);
      // Enough for some rows, too little for one more file of the server's log.
      disk.leave(14 * MIB);
      const met = await tiller("data", "import", ...files);
      expect(met.code, `${met.out}${met.err}`).to.equal(1);
      expect(errorOf(met)).to.include({ code: "STORE_FULL" });
      // Now the server does not even start.
      const again = await tiller("data", "import", ...files);
      expect(again.code, `${again.out}${again.err}`).to.equal(1);
      expect(errorOf(again)).to.include({ code: "STORE_FULL", field: "dataDir" });
      expect(findRunning(serverFolder(disk.folder))).to.equal(null);

      disk.leave(PLENTY);
      const { series } = JSON.parse((await tiller("data", "report")).out) as { series: { rows: number }[] };
      expect(
        series.map((one) => one.rows),
        "each series whole or not there",
      ).to.deep.equal(series.map(() => rows.length));
      const completed = JSON.parse((await tiller("data", "import", ...files)).out) as Record<string, number>;
      const stood = series.length * rows.length;
      expect(completed).to.include({ rowsInserted: 6 * rows.length - stood, rowsUnchanged: stood });
      const unchanged = JSON.parse((await tiller("data", "import", ...files)).out) as Record<string, number>;
      expect(unchanged).to.include({ rowsInserted: 0, rowsUnchanged: 6 * rows.length });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  for (const room of [0, 20 * MIB]) {
    it(`with ${room / MIB} MiB left holds no new database, and no part of one`, async () => {
      disk.leave(room);
      const failure = await failureOf(openStore({ dataDir: disk.folder, sink: silent }));
      expect([failure.code, failure.field]).to.deep.equal(["STORE_FULL", "dataDir"]);
      disk.leave(PLENTY);
      const store = await openStore({ dataDir: disk.folder, sink: silent });
      await store.close();
      expect(readdirSync(disk.folder)).to.deep.equal(["postgres"]);
    });
  }

  it("leaves an earlier data set as it was, and nothing beside it", async () => {
    const out = path.join(disk.folder, "set");
    const store = fixtureStore();
    const small = { out, series: FIXTURE_SERIES, to: BEGIN + 48 * 3_600 };
    const earlier = await writeDataset(store, small);
    for (const room of [0, 16 * 1024, 200 * 1024]) {
      disk.leave(room);
      const opened = readdirSync("/proc/self/fd").length;
      const failure = await failureOf(writeDataset(store, { out, series: FIXTURE_SERIES }));
      expect([failure.code, failure.field, failure.exitCode]).to.deep.equal(["DATASET_UNWRITABLE", "--out", 1]);
      expect(readdirSync(disk.folder)).to.deep.equal(["set"]);
      expect(readdirSync("/proc/self/fd"), "no file is left open").to.have.length(opened);
      const manifest = readFileSync(path.join(out, "manifest.json"), "utf8");
      expect(JSON.parse(manifest)).to.deep.equal(JSON.parse(JSON.stringify(earlier)));
    }
    disk.leave(PLENTY);
    expect((await writeDataset(store, { out, series: FIXTURE_SERIES })).rows).to.be.above(earlier.rows);
  });
});
