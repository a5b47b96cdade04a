import { expect } from "chai";
import { setTimeout as sleep } from "node:timers/promises";
import { wallClock } from "../../../keeper/chain/clock";
import { ChainTime, wallTime } from "../../../keeper/collect/jobTime";
import { type Job, type Scheduler, type SchedulerOptions, startScheduler } from "../../../keeper/collect/scheduler";
import { WorldFailure } from "../../../keeper/config/failure";
import type { KeeperEvent } from "../../../keeper/events/events";
import { HandClock, settled } from "../chain/fixtures/clocks";

/** A bucket of 300 s begins here. */
const BASE = 1_700_000_100;
const down = new WorldFailure("SOURCE_UNREACHABLE", "the-source cannot be reached", { remedy: "Wait." });

interface Stage {
  readonly clock: HandClock;
  readonly events: KeeperEvent[];
  readonly stop: AbortController;
  /** To so many seconds after `BASE`. */
  readonly to: (seconds: number) => Promise<void>;
  readonly start: (jobs: readonly Partial<Job>[], options?: Partial<SchedulerOptions>) => Scheduler;
}

function stage(startSeconds: number): Stage {
  const clock = new HandClock((BASE + startSeconds) * 1_000);
  const events: KeeperEvent[] = [];
  const stop = new AbortController();
  const sink = { emit: (event: KeeperEvent) => void events.push(event) };
  return {
    clock,
    events,
    stop,
    to: (seconds) => clock.turnTo((BASE + seconds) * 1_000),
    start: (jobs, options) => {
      const once = { source: "one", everySeconds: 300, timeoutMs: 60_000, lastDone: null };
      const common = { ...once, time: wallTime(clock), work: async () => {} };
      const all = jobs.map((job) => ({ ...common, ...job }));
      return startScheduler(all, { sink, signal: stop.signal, clock, random: () => 0.5, ...options });
    },
  };
}

/** Work that notes its buckets, in seconds after `BASE`, and when they began. */
function noting(clock: HandClock, then: (bucket: number, signal: AbortSignal) => Promise<void> = async () => {}) {
  const runs: { readonly bucket: number; readonly at: number }[] = [];
  const work: Job["work"] = async (bucket, signal) => {
    runs.push({ bucket: bucket - BASE, at: clock.now() / 1_000 - BASE });
    await then(bucket - BASE, signal);
  };
  return { runs, work };
}

describe("the scheduler", () => {
  it("runs a job on buckets aligned to the epoch, whenever it started, without drift", async () => {
    const { clock, to, start } = stage(200);
    const { runs, work } = noting(clock, () => clock.sleep(7_123));
    start([{ work }]);
    await to(3_000);
    expect(runs.map(({ bucket }) => bucket)).to.deep.equal([
      300, 600, 900, 1_200, 1_500, 1_800, 2_100, 2_400, 2_700, 3_000,
    ]);
    for (const { bucket, at } of runs) expect(at).to.equal(bucket);
  });

  it("runs at once where it starts on the edge of a bucket", async () => {
    const { clock, to, start } = stage(0);
    const { runs, work } = noting(clock);
    start([{ work, everySeconds: 60 }]);
    await to(59);
    expect(runs).to.deep.equal([{ bucket: 0, at: 0 }]);
  });

  it("skips and counts buckets that pass while the job is at an earlier one, and never runs it beside itself", async () => {
    const { clock, events, to, start } = stage(0);
    let beside = 0;
    let most = 0;
    const { runs, work } = noting(clock, async (bucket) => {
      most = Math.max(most, (beside += 1));
      await clock.sleep(bucket === 300 ? 650_000 : 1_000);
      beside -= 1;
    });
    const scheduler = start([{ work, timeoutMs: 3_600_000 }]);
    await to(1_300);
    expect(runs).to.deep.equal([
      { bucket: 0, at: 0 },
      { bucket: 300, at: 300 },
      { bucket: 1_200, at: 1_200 },
    ]);
    expect(most).to.equal(1);
    expect(scheduler.states()[0]).to.include({ done: 3, skipped: 2, lastDone: BASE + 1_200 });
    const gap = { source: "one", from: BASE + 600, to: BASE + 900, buckets: 2, reason: "busy" };
    expect(events).to.deep.equal([{ name: "source.gap", ...gap }]);
  });

  it("runs a bucket whose edge the earlier work just met", async () => {
    const { clock, to, start } = stage(0);
    const { runs, work } = noting(clock, (bucket) => clock.sleep(bucket === 0 ? 300_000 : 0));
    start([{ work, timeoutMs: 3_600_000 }]);
    await to(301);
    expect(runs.map(({ bucket }) => bucket)).to.deep.equal([0, 300]);
  });

  it("tries again inside the bucket, with jittered pauses that double, and tells nobody when that helps", async () => {
    const { clock, events, to, start } = stage(0);
    let failures = 3;
    const { runs, work } = noting(clock, async () => {
      if ((failures -= 1) >= 0) throw down;
    });
    const scheduler = start([{ work }]);
    await to(299);
    expect(runs.map(({ at }) => at)).to.deep.equal([0, 1, 3, 7]);
    expect(events).to.deep.equal([]);
    expect(scheduler.states()[0]).to.include({ done: 1, failed: 0, down: false });
  });

  it("begins no attempt after the bucket's end, and is on time for the next one", async () => {
    const { clock, to, start } = stage(0);
    const { runs, work } = noting(clock, async (bucket) => {
      if (bucket === 300) return;
      await clock.sleep(4_000);
      throw down;
    });
    start(
      [
        { work, everySeconds: 10 },
        { work: async () => {}, source: "two" },
      ],
      { attempts: 50 },
    );
    await to(9.9);
    expect(runs.map(({ at }) => at)).to.deep.equal([0, 5]);
    await to(10);
    expect(runs.at(-1)).to.deep.equal({ bucket: 10, at: 10 });
  });

  it("tells once that a source is down, however long, and once that it is back", async () => {
    const { clock, events, to, start } = stage(0);
    let broken = true;
    const { work } = noting(clock, async () => {
      if (broken) throw down;
    });
    const scheduler = start([{ work }]);
    await to(3_100);
    expect(events).to.deep.equal([
      { name: "source.trouble", source: "one", code: "SOURCE_UNREACHABLE", message: "the-source cannot be reached" },
    ]);
    expect(scheduler.states()[0]).to.include({ down: true, done: 0, failed: 11, lastDone: null });
    broken = false;
    await to(4_000);
    // It went down with the last attempt of the first bucket, after pauses of 1, 2 and 4 s.
    expect(events.slice(1)).to.deep.equal([{ name: "source.recovered", source: "one", outageMs: 3_293_000 }]);
    broken = true;
    await to(5_000);
    expect(events.map(({ name }) => name)).to.deep.equal(["source.trouble", "source.recovered", "source.trouble"]);
  });

  it("keeps every other job on time while one fails, hangs, throws at once or blocks its buckets", async () => {
    const { clock, events, to, start } = stage(0);
    const good = noting(clock);
    start([
      { source: "failing", work: () => Promise.reject(down) },
      { source: "hanging", work: () => new Promise(() => undefined) },
      {
        source: "throwing",
        work: () => {
          throw new TypeError("secret of a defect");
        },
      },
      { source: "good", work: good.work },
    ]);
    await to(1_500);
    expect(good.runs.map(({ at }) => at)).to.deep.equal([0, 300, 600, 900, 1_200, 1_500]);
    const troubles = events.filter((event) => event.name === "source.trouble");
    expect(troubles.map(({ source, code }) => `${source} ${code}`)).to.have.members([
      "failing SOURCE_UNREACHABLE",
      "hanging SOURCE_TIMEOUT",
      "throwing SOURCE_DEFECT",
    ]);
    expect(JSON.stringify(events)).not.to.contain("secret");
  });

  it("ends an attempt by its timeout and makes the next one", async () => {
    const { clock, to, start } = stage(0);
    const reasons: unknown[] = [];
    const { runs, work } = noting(clock, (_, signal) =>
      runs.length > 1
        ? Promise.resolve()
        : clock.sleep(3_600_000, signal).catch((error: unknown) => {
            reasons.push((error as Error).name);
            throw error;
          }),
    );
    const scheduler = start([{ work, timeoutMs: 20_000 }]);
    await to(100);
    expect(runs.map(({ at }) => at)).to.deep.equal([0, 21]);
    expect(reasons).to.deep.equal(["TimeIsUp"]);
    expect(scheduler.states()[0]).to.include({ done: 1, running: false });
  });

  it("makes no attempt beside work that does not heed its signal, and goes on when that ends", async () => {
    const { clock, events, to, start } = stage(0);
    const { runs, work } = noting(clock, (bucket) => clock.sleep(bucket === 0 ? 700_000 : 1_000));
    const scheduler = start([{ work, timeoutMs: 20_000 }], { attempts: 1 });
    await to(699);
    expect(runs).to.have.length(1);
    expect(scheduler.states()[0]).to.include({ down: true, running: true });
    await to(1_000);
    expect(runs.map(({ at }) => at)).to.deep.equal([0, 900]);
    expect(scheduler.states()[0]).to.include({ down: false, done: 1, failed: 1, skipped: 2 });
    expect(events.map(({ name }) => name)).to.deep.equal(["source.trouble", "source.gap", "source.recovered"]);
  });

  it("reports what was missed while it was not running, and does not run it late", async () => {
    const { clock, events, to, start } = stage(1_000);
    const { runs, work } = noting(clock);
    const scheduler = start([{ work, lastDone: BASE }]);
    await to(1_199);
    expect(runs).to.deep.equal([]);
    const gap = { source: "one", from: BASE + 300, to: BASE + 900, buckets: 3, reason: "stopped" };
    expect(events).to.deep.equal([{ name: "source.gap", ...gap }]);
    expect(scheduler.states()[0]).to.include({ missed: 3, lastDone: BASE });
    await to(1_200);
    expect(runs).to.deep.equal([{ bucket: 1_200, at: 1_200 }]);
  });

  it("counts what was missed in buckets of the length of now", async () => {
    const { clock, events, to, start } = stage(1_000);
    const { runs, work } = noting(clock);
    start([{ work, lastDone: BASE + 130 }]);
    await to(1_201);
    expect(events).to.have.length(1);
    expect(events[0]).to.include({ from: BASE + 300, to: BASE + 900, buckets: 3 });
    expect(runs.map(({ bucket }) => bucket)).to.deep.equal([1_200]);
  });

  it("reports nothing where nothing was missed, and does no bucket twice", async () => {
    for (const lastDone of [null, BASE + 300, BASE + 600]) {
      const { clock, events, to, start } = stage(400);
      const { runs, work } = noting(clock);
      start([{ work, lastDone }]);
      await to(901);
      expect(events).to.deep.equal([]);
      expect(runs.map(({ bucket }) => bucket)).to.deep.equal(lastDone === BASE + 600 ? [900] : [600, 900]);
    }
  });

  it("runs jobs of the chain by the chain's time, which may jump", async () => {
    const { clock, events, start } = stage(0);
    const time = new ChainTime(BASE + 5);
    const { runs, work } = noting(clock);
    const scheduler = start([{ work, time }]);
    for (const at of [250, 299, 311, 323, 1_900, 1_912]) {
      time.advance(BASE + at);
      await settled();
    }
    expect(runs.map(({ bucket }) => bucket)).to.deep.equal([300, 1_800]);
    expect(scheduler.states()[0]).to.include({ skipped: 4, done: 2 });
    const gap = { source: "one", from: BASE + 600, to: BASE + 1_500, buckets: 4, reason: "time jumped" };
    expect(events).to.deep.equal([{ name: "source.gap", ...gap }]);
  });

  it("gives up a bucket whose end the chain has come to, without waiting out its pause", async () => {
    const { clock, start } = stage(0);
    const time = new ChainTime(BASE);
    const { runs, work } = noting(clock, async (bucket) => {
      if (bucket === 0) throw down;
    });
    start([{ work, time }]);
    await settled();
    time.advance(BASE + 300);
    await settled();
    expect(runs.map(({ bucket }) => bucket)).to.deep.equal([0, 300]);
  });

  it("stops when told: no new work, running work is told and waited for", async () => {
    const { clock, stop, to, start } = stage(0);
    let ended = false;
    const { runs, work } = noting(clock, async (_, signal) => {
      await clock.sleep(3_600_000, signal).catch(() => undefined);
      await clock.sleep(3_000);
      ended = true;
    });
    const scheduler = start([{ work }, { source: "idle" }]);
    let finished = false;
    void scheduler.finished.then(() => (finished = true));
    await to(10);
    stop.abort();
    await to(12);
    expect([ended, finished]).to.deep.equal([false, false]);
    await to(13);
    expect([ended, finished]).to.deep.equal([true, true]);
    await to(3_000);
    expect(runs).to.have.length(1);
    expect(clock.sleepers).to.equal(0);
  });

  it("does not wait for ever for work that will not stop, nor call the stop a failure", async () => {
    const { events, stop, to, start } = stage(0);
    const scheduler = start([{ work: () => new Promise(() => undefined) }], { stopMs: 5_000 });
    let finished = false;
    void scheduler.finished.then(() => (finished = true));
    await to(10);
    stop.abort();
    await to(14.9);
    expect(finished).to.be.false;
    await to(15);
    expect(finished).to.be.true;
    expect(events).to.deep.equal([]);
  });

  it("keeps to the wall with real timers", async () => {
    const starts: number[] = [];
    const stop = new AbortController();
    const work = async (bucket: number): Promise<void> => {
      starts.push(bucket);
      expect(Date.now() / 1_000).to.be.at.least(bucket);
      await sleep(30);
    };
    const job = { source: "one", everySeconds: 1, time: wallTime(wallClock), timeoutMs: 500, lastDone: null, work };
    const { finished } = startScheduler([job], { sink: { emit: () => undefined }, signal: stop.signal });
    while (starts.length < 3) await sleep(20);
    stop.abort();
    await finished;
    expect(starts).to.deep.equal([0, 1, 2].map((index) => (starts[0] ?? 0) + index));
  });
});
