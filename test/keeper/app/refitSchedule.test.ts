// Refits on schedule: when one is begun, what is said of it, and that nothing of it reaches the keeper.
import { expect } from "chai";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { keepRefitting, type RefitReport, type StartRefit } from "../../../keeper/app/refitSchedule";
import { silent, type KeeperEvent } from "../../../keeper/events/events";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";

const DAY_MS = 86_400_000;
/** A look asks the database twice. */
const SEVERAL_LOOKS_MS = 500;
const HASH = "a".repeat(64);
const DONE: RefitReport = { kind: "done", model: "refit-2026-01-01-0a0b0c0d", hash: HASH, horizonsHours: [24] };

describe("refits on schedule", function () {
  this.timeout(60_000);
  let folder: string;
  let store: Store;
  let stop: AbortController;
  let events: KeeperEvent[];
  /** Days that have passed. */
  let day: number;
  /** Each test has one of its own, without a refit. */
  let chain = 0;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-schedule-"));
    store = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    await store.models.register({ hash: HASH, name: "refit", card: "{}" });
  });
  after(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    stop = new AbortController();
    events = [];
    day = 0;
    chain += 1;
  });
  afterEach(() => stop.abort());

  const keep = (start: StartRefit, of: Store = store): Promise<void> => {
    const sink = { emit: (event: KeeperEvent) => void events.push(event) };
    const clock = (): number => Date.now() + day * DAY_MS;
    const looks = { firstMs: 0, everyMs: 10 };
    return keepRefitting({ chainId: chain, everyDays: 7, store: of, sink, start, looks, clock }, stop.signal);
  };
  const until = async (is: () => boolean): Promise<void> => {
    while (!is() && !stop.signal.aborted) await sleep(5);
  };
  /** As a refit leaves it. */
  const noted = async (outcome: "done" | "failed"): Promise<void> => {
    const id = await store.refits.begin(chain);
    await store.refits.end(id, outcome === "done" ? { outcome, hash: HASH } : { outcome, reason: "no Python" });
  };
  const many = async (): Promise<number> => (await store.refits.list(chain, 100)).length;

  it("are begun when one is due, one after the other, and what came of it is said", async () => {
    let running = 0;
    let most = 0;
    const kept = keep(async () => {
      most = Math.max(most, (running += 1));
      await sleep(30);
      await noted("done");
      running -= 1;
      return DONE;
    });
    await until(() => events.length === 2);
    await sleep(SEVERAL_LOOKS_MS);
    expect(events).to.deep.equal([
      { name: "refit.begun", chainId: chain },
      { name: "refit.done", model: DONE.model, hash: HASH, horizonsHours: [24] },
    ]);
    day = 6.9;
    await sleep(SEVERAL_LOOKS_MS);
    expect(events.length, "a week has not passed").to.equal(2);
    day = 7.1;
    await until(() => events.length === 4);
    stop.abort();
    await kept;
    expect(most).to.equal(1);
  });

  it("fail without harm: it is said, and after two the next try waits for a day", async () => {
    const kept = keep(async () => {
      await noted("failed");
      return { kind: "failed", code: "REFIT_PYTHON", message: "there is none" };
    });
    await until(() => events.length === 4);
    await sleep(SEVERAL_LOOKS_MS);
    expect(events.length).to.equal(4);
    expect(events[1]).to.deep.equal({ name: "refit.failed", code: "REFIT_PYTHON", message: "there is none" });
    day = 1.1;
    await until(() => events.length >= 6);
    stop.abort();
    await kept;
  });

  it("go on after one whose starting is a defect of ours, which is said", async () => {
    const kept = keep(async () => {
      await noted("failed");
      throw new TypeError("a defect");
    });
    await until(() => events.length === 4);
    expect(events[1]).to.deep.equal({ name: "refit.failed", code: "DEFECT", message: "TypeError: a defect" });
    stop.abort();
    await kept;
  });

  it("leave it to whoever is at it already", async () => {
    const lead = await store.tryRefit(chain);
    const before = await many();
    const kept = keep(async () => DONE);
    await sleep(SEVERAL_LOOKS_MS);
    expect(events).to.deep.equal([]);
    await lead?.release();
    await until(() => events.length > 0);
    stop.abort();
    await kept;
    expect(await many()).to.equal(before);
  });

  it("end the one that runs when the keeper ends, and wait for it", async () => {
    let ended = false;
    const kept = keep(async (_chain, signal) => {
      await once(signal, "abort");
      await sleep(30);
      ended = true;
      return DONE;
    });
    await until(() => events.length === 1);
    stop.abort();
    await kept;
    expect(ended).to.equal(true);
    expect(events.map(({ name }) => name)).to.deep.equal(["refit.begun"]);
  });

  it("outlast a database that cannot be asked", async () => {
    const other = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    await other.close();
    let over = false;
    const kept = keep(async () => DONE, other).then(() => (over = true));
    await sleep(SEVERAL_LOOKS_MS);
    expect(over).to.equal(false);
    expect(events).to.deep.equal([]);
    stop.abort();
    await kept;
  });
});
