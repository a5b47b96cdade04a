// A refit, with a real database, the real trainer and the runtime that serves: what it leaves when it succeeds, and what when not.
import { expect } from "chai";
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkConfig } from "../../../keeper/app/checkConfig";
import { ModelRegistry } from "../../../keeper/app/modelRegistry";
import { refit, refitDueAt, type Refit, type RefitOptions } from "../../../keeper/app/refit";
import { utcDay } from "../../../keeper/collect/utcDay";
import { loadConfig } from "../../../keeper/config/load";
import { silent } from "../../../keeper/events/events";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import type { RefitRow } from "../../../keeper/store/refitRecords";
import { cardOfModel, writeModel } from "../forecast/onnxFixture";
import { failureOf } from "./failureOf";
import { BEGIN, ENOUGH_HOURS, SERIES, marketRows, storeMarkets, trainerPython } from "./lendingMarkets";

const [CHAIN, EMPTY_CHAIN, SHORT_CHAIN] = [1, 5, 7];
const DAY = 86_400;
/** The last whole hour that something is known of. */
const ENDS = BEGIN + (ENOUGH_HOURS - 1) * 3_600;

describe("a refit", function () {
  this.timeout(300_000);
  let folder: string;
  let python: string;
  let store: Store;
  let registry: ModelRegistry;
  before(async function () {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-refit-"));
    python = trainerPython(this, folder);
    store = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    await storeMarkets(store, CHAIN, ENOUGH_HOURS);
    await storeMarkets(store, SHORT_CHAIN, 2_000);
    writeModel(path.join(folder, "shipped"), { bias: 0.001 }, { name: "shipped", trainWindow: { from: 0, to: 1 } });
    registry = new ModelRegistry(store.models, path.join(folder, "shipped"), path.join(folder, "refits"));
  });
  after(async () => {
    await store?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const run = (over: Partial<RefitOptions> = {}): Promise<Refit> =>
    refit({
      ...{ store, registry, chainId: CHAIN, python, mostMinutes: 10, keepDays: 90 },
      ...{ work: path.join(folder, "work"), signal: new AbortController().signal, ...over },
    });
  const newest = async (chainId = CHAIN): Promise<RefitRow | undefined> => (await store.refits.list(chainId, 1))[0];
  const refits = (): string[] => (existsSync(registry.refits) ? readdirSync(registry.refits) : []);
  /** A Python that runs a line of shell before the trainer does its work, or in its place. */
  function script(name: string, lines: string): string {
    const file = path.join(folder, name);
    writeFileSync(file, `#!/bin/sh\n[ "$3" = refit ] || exit 0\n${lines}\n`);
    chmodSync(file, 0o755);
    return file;
  }
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  describe("that fails", () => {
    afterEach(() => {
      expect(refits(), "nothing half is left").to.deep.equal([]);
      expect(existsSync(path.join(folder, "work"))).to.equal(false);
    });

    it("says which Python is not there, or what it lacks", async () => {
      expect(await failureOf(run({ python: "/nowhere/python" }))).to.equal("REFIT_PYTHON: there is no /nowhere/python");
      expect((await newest())?.reason).to.match(/^forecast\.refit\.python: .*pip install -r ml\/requirements\.txt/);
      expect(await failureOf(run({ python: "no-such-python" }))).to.match(/^REFIT_PYTHON: .*ENOENT/);
      const bare = path.join(folder, "bare");
      writeFileSync(bare, `#!/bin/sh\necho "No module named xgboost" >&2\nexit 1\n`);
      chmodSync(bare, 0o755);
      expect(await failureOf(run({ python: bare }))).to.match(/^REFIT_PYTHON: .*No module named xgboost/);
    });

    it("is told of by the check of a config that has them on schedule", async () => {
      const dataDir = path.join(folder, "state");
      const checked = async (refitting: object): Promise<string[]> => {
        const overrides = { dataDir, forecast: { refit: refitting }, chain: { rpcUrls: ["http://127.0.0.1:1"] } };
        const results = await checkConfig(loadConfig({ env: {}, cwd: folder, overrides }), {});
        return results.flatMap(({ name, failure: is }) => (name === "refits" ? [is?.code ?? "well"] : []));
      };
      expect(await checked({})).to.deep.equal([]);
      expect(await checked({ everyDays: 7, python })).to.deep.equal(["well"]);
      expect(await checked({ everyDays: 7, python: "no/python" })).to.deep.equal(["REFIT_PYTHON"]);
    });

    it("says that there is nothing, or too little, to train on", async () => {
      expect(await failureOf(run({ chainId: EMPTY_CHAIN }))).to.match(/^DATASET_EMPTY: nothing of chain 5/);
      expect(await failureOf(run({ chainId: SHORT_CHAIN }))).to.match(/^REFIT_REFUSED: 0 half-years of this data/);
      expect(await newest(SHORT_CHAIN)).to.include({ outcome: "failed", hash: null });
    });

    it("takes no model that answers otherwise here than where it was trained", async () => {
      const made = writeModel(path.join(folder, "made"), { bias: 0.5 }, { name: "made" });
      writeFileSync(path.join(made, "model.onnx"), "not that one");
      const fake = script("fake", `mkdir -p "$6" && cp ${made}/* "$6"`);
      expect(await failureOf(run({ python: fake }))).to.match(/^MODEL_HASH/);
      expect(await store.models.all()).to.deep.equal([]);
    });

    it("tells what a trainer that broke said last, and stops one that takes too long", async () => {
      const broken = script("broken", `echo "Traceback" >&2; echo "MemoryError" >&2; exit 1`);
      expect(await failureOf(run({ python: broken }))).to.equal(
        "REFIT_TRAINER: the trainer ended with status 1: MemoryError",
      );
      const slow = script("slow", `exec sleep 600`);
      expect(await failureOf(run({ python: slow, mostMinutes: 0.01 }))).to.match(/^REFIT_TIMEOUT/);
    });

    it("gives the trainer no secret of ours", async () => {
      process.env["TILLER_KEEPER_KEY"] = "0xsecret";
      try {
        const curious = script("curious", `env > ${folder}/seen; exit 1`);
        await failureOf(run({ python: curious }));
      } finally {
        delete process.env["TILLER_KEEPER_KEY"];
      }
      expect(readFileSync(path.join(folder, "seen"), "utf8"))
        .to.include("PYTHONPATH")
        .and.not.include("secret");
    });

    it("ends the trainer when it is told to stop, and counts for nothing", async () => {
      const stop = new AbortController();
      const noting = script("noting", `echo $$ > ${folder}/pid; exec ${python} "$@"`);
      const work = failureOf(run({ python: noting, signal: stop.signal }));
      const pidFile = path.join(folder, "pid");
      while (!existsSync(pidFile) || readFileSync(pidFile, "utf8") === "") await sleep(20);
      const pid = Number(readFileSync(pidFile, "utf8"));
      expect(isAlive(pid)).to.equal(true);
      stop.abort();
      expect(await work).to.not.equal("nothing failed");
      expect(isAlive(pid)).to.equal(false);
      expect(await newest()).to.include({ outcome: "stopped" });
    });

    it("is left to the process that is at it", async () => {
      const other = await store.tryRefit(CHAIN);
      const many = (await store.refits.list(CHAIN, 100)).length;
      expect(await failureOf(run())).to.equal("REFIT_RUNNING: another process refits already");
      expect((await store.refits.list(CHAIN, 100)).length).to.equal(many);
      await other?.release();
    });
  });

  describe("that succeeds", () => {
    it("becomes a challenger of what is served, checked by the runtime that would serve it", async () => {
      const said: string[] = [];
      const done = await run({ progress: (line) => said.push(line) });
      expect(done.isNew).to.equal(true);
      expect(done.model).to.equal(`refit-${utcDay(ENDS)}-${done.dataHash.slice(0, 8)}`);
      expect(refits()).to.deep.equal([done.model]);
      expect(existsSync(path.join(folder, "work"))).to.equal(false);
      const { card, norms } = await registry.load({ hash: done.hash, name: done.model });
      expect(card).to.include({ role: "served", dataHash: done.dataHash });
      expect(card.trainSeries).to.deep.equal(SERIES);
      expect(norms).to.not.equal(null);
      expect(said.some((line) => /^fold \d{4}-\d{2}-\d{2} done$/.test(line))).to.equal(true);
      const status = (await registry.list()).map(({ name, status: is }) => `${name} ${is}`);
      expect(status).to.have.members(["shipped champion", `${done.model} challenger`]);
      expect(await newest()).to.include({ outcome: "done", hash: done.hash });
    });

    it("is not done twice on the same data", async () => {
      const absent = script("absent", "exit 1");
      const again = await run({ python: absent });
      expect(again.isNew).to.equal(false);
      expect(again.model).to.equal(refits()[0]);
    });

    it("deletes those before it that never served once they are old, and keeps the others", async () => {
      const old = ["refit-2024-01-01-00000001", "refit-2024-01-02-00000002", "refit-2024-01-03-00000003"];
      const [idle, served, followed] = old as [string, string, string];
      old.forEach((name, k) => writeModel(registry.refits, { bias: 0.01 * (k + 1) }, { name }));
      writeModel(registry.refits, { bias: 0.09 }, { name: "by-hand" });
      await registry.register();
      const change = { kind: "promoted", reason: "test", scores: null } as const;
      const hashOf = (k: number): string => cardOfModel({ bias: 0.01 * (k + 1) }).sha256;
      await store.models.serve(hashOf(1), change);
      await store.models.serve(hashOf(2), change);
      const at = (days: number) => () => Date.now() + days * DAY * 1_000;
      expect((await run({ clock: at(89) })).deleted).to.deep.equal([]);
      const { deleted, model } = await run({ clock: at(91) });
      expect(deleted).to.deep.equal([idle]);
      expect(refits()).to.have.members([served, followed, "by-hand", model]);
      expect((await registry.rollBack("test")).to).to.equal(served);
    });

    it("is begun anew by the next process where one was gone in the middle", async () => {
      const abandoned = await store.refits.begin(CHAIN);
      await run();
      const rows = await store.refits.list(CHAIN, 2);
      expect(rows.map(({ outcome }) => outcome)).to.deep.equal(["done", "abandoned"]);
      expect(rows[1]?.id).to.equal(abandoned);
    });

    it("has new data as soon as an hour was stored", async () => {
      const [first] = refits();
      await store.history.addHistory(
        { chainId: CHAIN, name: SERIES[0] as string },
        marketRows(0, ENOUGH_HOURS + 24).slice(-24),
      );
      const wanted = script("wanted", `echo "$6" > ${folder}/wanted; exit 1`);
      await failureOf(run({ python: wanted }));
      expect(path.basename(readFileSync(path.join(folder, "wanted"), "utf8").trim())).to.match(
        new RegExp(`^refit-${utcDay(ENDS + DAY)}-`),
      );
      expect(refits()).to.include(first);
    });
  });
});

describe("the next refit", () => {
  const row = (outcome: RefitRow["outcome"], begunAt: number): RefitRow => ({
    ...{ id: "1", begunAt, endedAt: outcome === "running" ? null : begunAt + 100, outcome },
    ...{ hash: outcome === "done" ? "a" : null, reason: null },
  });
  const NOW = 1_800_000_000;

  it("is due at once where there was none, and so many days after one was done", () => {
    expect(refitDueAt([], 7)).to.equal(0);
    expect(refitDueAt([row("done", NOW)], 7)).to.equal(NOW + 100 + 7 * DAY);
    expect(refitDueAt([row("stopped", NOW + 5_000), row("done", NOW)], 30)).to.equal(NOW + 100 + 30 * DAY);
  });

  it("is due at once after one that was told to stop, and once more after one that failed", () => {
    expect(refitDueAt([row("stopped", NOW), row("stopped", NOW - 1), row("stopped", NOW - 2)], 7)).to.equal(0);
    expect(refitDueAt([row("failed", NOW)], 7)).to.equal(0);
  });

  it("waits a day after two failures or lost processes", () => {
    expect(refitDueAt([row("failed", NOW), row("running", NOW - 50)], 7)).to.equal(NOW - 50 + DAY);
    const between = [row("abandoned", NOW), row("stopped", NOW - 10), row("failed", NOW - 20)];
    expect(refitDueAt(between, 7)).to.equal(NOW - 20 + DAY);
  });

  it("does not count failures before the last that was done", () => {
    const due = refitDueAt([row("failed", NOW + 8 * DAY), row("done", NOW), row("failed", NOW - 20)], 7);
    expect(due).to.equal(NOW + 100 + 7 * DAY);
  });
});
