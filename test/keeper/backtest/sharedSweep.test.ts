// A sweep that is shared through the database, in this process: real threads, a real PostgreSQL.
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { constantGas } from "../../../keeper/backtest/gasPrices";
import type { Parameters } from "../../../keeper/backtest/parameters";
import { runSharedTrials, type SharedSweepOptions } from "../../../keeper/backtest/sharedSweep";
import { runTrials } from "../../../keeper/backtest/sweep";
import type { SweepRoom } from "../../../keeper/backtest/sweepWorker";
import { WorldFailure } from "../../../keeper/config/failure";
import { silent } from "../../../keeper/events/events";
import { joinEmbedded, type EmbeddedServer } from "../../../keeper/store/embedded";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import type { TrialStore } from "../../../keeper/store/trialRecords";
import { historyCsv } from "./historyCsv";
import { FROM, rowsOf, START, wave } from "./synthetic";

const HOURS = 900;
const GOOD: Parameters = {
  ...{ halfLifeHours: 24, horizonHours: 168, minGainUsd: 5, noTradeBandBps: 1, cooldownSeconds: 3_600 },
  ...{ maxShareOfVenue: 1, gasPatienceHours: 0 },
};
const TRIALS = [1, 5, 24, 100, 300, 700].map((halfLifeHours) => ({ ...GOOD, halfLifeHours }));

describe("a sweep that is shared through the database", function () {
  this.timeout(120_000);
  let folder: string;
  let server: EmbeddedServer;
  let store: Store;
  let room: SweepRoom;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-shared-"));
    for (const [name, phase] of [
      ["one", 0],
      ["two", 2],
    ] as const) {
      const rows = rowsOf({ apr: wave(0.05, 0.03, 170, phase), hours: HOURS });
      writeFileSync(path.join(folder, `${name}.csv`), historyCsv(rows));
    }
    server = await joinEmbedded({ dataDir: path.join(folder, "state"), sink: silent });
    store = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    room = {
      ...{ folder, names: ["one", "two"], now: START + HOURS * 3_600, run: { capital: 1e6, costBps: 0 } },
      settings: {
        ...{ from: FROM, to: FROM + 600 * 3_600, stepSeconds: 3_600, lagSeconds: 3_600, capital: 1e6 },
        ...{ priceTaker: true, maxGapSeconds: 7 * 86_400, gas: constantGas(15) },
      },
    };
  });
  after(async () => {
    await store?.close();
    await server?.leave();
    rmSync(folder, { recursive: true, force: true });
  });

  const optionsOf = (name: string, change: Partial<SharedSweepOptions> = {}): SharedSweepOptions => ({
    ...{ name, room, dataHash: "one", trials: TRIALS, workers: 2, store: store.trials },
    signal: new AbortController().signal,
    ...change,
  });

  it("gives what a sweep without it gives, in the order asked for, to each who shares it", async () => {
    const alone = await runTrials({ ...optionsOf("none"), out: undefined });
    const [first, second] = await Promise.all([runSharedTrials(optionsOf("one")), runSharedTrials(optionsOf("one"))]);
    expect(first).to.deep.equal(alone);
    expect(second).to.deep.equal(alone);
    expect(new Set(alone.map(({ daily }) => daily.at(-1))).size).to.be.greaterThan(2);
  });

  it("runs only what is new in a wider grid, and all of it under another name or on other data", async () => {
    const done = async (change: Partial<SharedSweepOptions>, name = "one"): Promise<number> => {
      const told: number[] = [];
      await runSharedTrials(optionsOf(name, { ...change, progress: (known) => told.push(known) }));
      return told[0] as number;
    };
    const wider = { trials: [{ ...GOOD, halfLifeHours: 50 }, ...TRIALS] };
    expect(await done(wider)).to.equal(TRIALS.length);
    expect(await done({}, "other")).to.equal(0);
    expect(await done({ dataHash: "other" })).to.equal(0);
    expect(await done({ room: { ...room, run: { ...room.run, costBps: 10 } } })).to.equal(0);
  });

  it("runs all others where a trial fails, then says which one and why, and tries it anew the next time", async () => {
    const trials = [{ ...GOOD, horizonHours: Number.NaN }, ...TRIALS];
    const attempt = (): Promise<unknown> =>
      runSharedTrials(optionsOf("failing", { trials, workers: 1 })).then(
        () => null,
        (reason: unknown) => reason,
      );
    for (let times = 0; times < 2; times++) {
      const failure = await attempt();
      if (!(failure instanceof WorldFailure)) throw failure;
      expect(failure.code).to.equal("SWEEP_TRIAL");
      expect(failure.message).to.match(/^trial 1 was tried 3 times: ./);
      expect(failure.message).not.to.contain("ended in the middle");
    }
    const told: number[] = [];
    await runSharedTrials(optionsOf("failing", { progress: (known) => told.push(known) }));
    expect(told[0]).to.equal(TRIALS.length);
  });

  it("does not answer with a part of it where the rest was forgotten", async () => {
    const client = new pg.Client(server.target());
    await client.connect();
    const forgetful: TrialStore = {
      ...store.trials,
      async results(sweep, from, to) {
        await client.query("UPDATE trials SET put_at = now() - interval '31 days' WHERE sweep = $1 AND place = 2", [
          sweep,
        ]);
        // As another process would that begins a sweep.
        await store.trials.put("f".repeat(32), []);
        return store.trials.results(sweep, from, to);
      },
    };
    try {
      const failure: unknown = await runSharedTrials(optionsOf("forgotten", { store: forgetful })).catch(
        (reason: unknown) => reason,
      );
      expect(failure).to.be.instanceOf(WorldFailure).and.to.include({ code: "SWEEP_FORGOTTEN" });
      expect(await runSharedTrials(optionsOf("forgotten"))).to.have.length(TRIALS.length);
    } finally {
      await client.end();
    }
  });

  it("keeps a trial that takes longer than its lease from everybody else", async () => {
    const long = { ...room, settings: { ...room.settings, stepSeconds: 1 } };
    const change = { room: long, trials: [GOOD], leaseSeconds: 0.4 };
    let taken = 0;
    const counting: TrialStore = {
      ...store.trials,
      async take(sweep, terms) {
        const trial = await store.trials.take(sweep, terms);
        if (trial !== null) taken += 1;
        return trial;
      },
    };
    await Promise.all([1, 2].map(() => runSharedTrials(optionsOf("long", { ...change, store: counting }))));
    expect(taken).to.equal(1);
  });
});
