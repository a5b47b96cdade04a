// `tiller models refit` as a process, by hand and as a keeper starts it: what it says, and that nothing of it outlives who wanted it.
import { expect } from "chai";
import type { ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { refitProcess } from "../../../keeper/cli/refitProcess";
import { silent } from "../../../keeper/events/events";
import { openStore } from "../../../keeper/store/open";
import type { RefitRow } from "../../../keeper/store/refitRecords";
import { ENOUGH_HOURS, storeMarkets, trainerPython } from "../app/lendingMarkets";
import { writeModel } from "../forecast/onnxFixture";
import { TILLER, startTiller, type Ended } from "./tillerProcess";

/** Each with tries of its own: by hand, stopped with its keeper, without Python, carried out. */
const [CHAIN, STOPPED, BARE, WHOLE] = [1, 2, 3, 4];

describe("tiller models refit", function () {
  this.timeout(300_000);
  let folder: string;
  let config: string;
  let python: string;
  before(async function () {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-refit-command-"));
    python = trainerPython(this, folder);
    config = path.join(folder, "tiller.config.json");
    writeModel(path.join(folder, "shipped"), { bias: 0.001 }, { name: "shipped", trainWindow: { from: 0, to: 1 } });
    const store = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    for (const chain of [CHAIN, STOPPED, WHOLE]) await storeMarkets(store, chain, ENOUGH_HOURS);
    await store.close();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => configured({ python }));

  function configured(refit: object): void {
    const forecast = { models: "shipped", refit };
    writeFileSync(config, JSON.stringify({ dataDir: "state", forecast }));
  }
  const tiller = (...args: string[]): Promise<Ended> =>
    startTiller(folder, ["models", "refit", ...args, "--json"]).ended;
  const newest = async (chain = CHAIN): Promise<RefitRow | undefined> => {
    const store = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    const [row] = await store.refits.list(chain, 1);
    await store.close();
    return row;
  };
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  /** A trainer that notes who it is. @returns how to wait for it, which gives its process id. */
  function noting(name: string, over: object = {}): () => Promise<number> {
    const [file, pid] = [path.join(folder, name), path.join(folder, `${name}.pid`)];
    writeFileSync(file, `#!/bin/sh\n[ "$3" = refit ] && echo $$ > ${pid}\nexec ${python} "$@"\n`);
    chmodSync(file, 0o755);
    configured({ python: file, ...over });
    return async () => {
      while (!existsSync(pid) || readFileSync(pid, "utf8") === "") await sleep(20);
      return Number(readFileSync(pid, "utf8"));
    };
  }
  const gone = async (pid: number): Promise<void> => {
    while (isAlive(pid)) await sleep(20);
  };

  it("refuses to ask whether one is due where none ever is", async () => {
    const { code, err } = await tiller("--if-due");
    expect(code).to.equal(2);
    expect(err).to.include("REFIT_UNSCHEDULED").and.to.include("forecast.refit.everyDays");
  });

  it("says in one line what there is to do where Python is not there", async () => {
    configured({ python: "no/such/python" });
    const { code, err } = await startTiller(folder, ["models", "refit"]).ended;
    expect(code).to.equal(2);
    const there = path.join(folder, "no", "such", "python");
    expect(err).to.match(new RegExp(`^tiller: forecast.refit.python: there is no ${there} .*requirements.txt`));
  });

  it("stops on Ctrl-C with its trainer, and leaves nothing", async () => {
    const started = noting("interrupted");
    const { child, ended } = startTiller(folder, ["models", "refit"]);
    const pid = await started();
    child.kill("SIGINT");
    const { code, err } = await ended;
    expect(code).to.equal(130);
    expect(err).to.include("stopped; no model was made of it");
    expect(isAlive(pid)).to.equal(false);
    expect(await newest()).to.include({ outcome: "stopped" });
    expect(readdirSync(path.join(folder, "state"))).to.not.include(`refit-${CHAIN}`);
  });

  it("takes its trainer with it when it is killed, and the next one begins anew", async () => {
    const started = noting("killed");
    const { child, ended } = startTiller(folder, ["models", "refit"]);
    const pid = await started();
    (child as ChildProcess).kill("SIGKILL");
    await ended;
    await gone(pid);
    expect(await newest()).to.include({ outcome: "running" });
  });

  it("ends with the keeper that started it", async () => {
    const started = noting("of-keeper", { everyDays: 7 });
    const stop = new AbortController();
    const report = refitProcess(config, TILLER)(STOPPED, stop.signal);
    const pid = await started();
    stop.abort();
    await report;
    await gone(pid);
    expect(await newest(STOPPED)).to.include({ outcome: "stopped" });
  });

  it("tells the keeper why there is none", async () => {
    configured({ python: "no/such/python", everyDays: 7 });
    const report = await refitProcess(config, TILLER)(BARE, new AbortController().signal);
    expect(report).to.include({ kind: "failed", code: "REFIT_PYTHON" });
  });

  it("gives the keeper a challenger, which is told by list and is not due again", async () => {
    configured({ python, everyDays: 7 });
    const report = await refitProcess(config, TILLER)(WHOLE, new AbortController().signal);
    if (report.kind === "failed") throw new Error(report.message);
    const { out } = await startTiller(folder, ["models", "list", "--json"]).ended;
    const { models } = JSON.parse(out) as { models: { name: string; status: string }[] };
    expect(models.map(({ name, status }) => `${name} ${status}`)).to.have.members([
      "shipped champion",
      `${report.model} challenger`,
    ]);
    const again = JSON.parse((await tiller("--if-due", "--chain", String(WHOLE))).out) as {
      model: null;
      dueAt: number;
    };
    expect(again.model).to.equal(null);
    expect(again.dueAt - Date.now() / 1_000).to.be.within(6.9 * 86_400, 7 * 86_400);
  });
});
