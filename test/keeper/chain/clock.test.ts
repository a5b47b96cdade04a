import { expect } from "chai";
import { TimeIsUp, backOff, wallClock, within } from "../../../keeper/chain/clock";
import { HandClock, settled } from "./fixtures/clocks";

describe("a limit of time", () => {
  it("gives what the work gives, and leaves no timer behind", async () => {
    const clock = new HandClock();
    expect(await within({ ms: 1_000, clock }, async () => 7)).to.equal(7);
    await settled();
    expect(clock.sleepers).to.equal(0);
  });

  it("ends when time is up even though the work does not heed its signal", async () => {
    const clock = new HandClock();
    let told = false;
    const work = within({ ms: 1_000, clock }, (signal) => {
      signal.addEventListener("abort", () => (told = true));
      return new Promise<never>(() => undefined);
    }).catch((error: unknown) => error);
    await clock.turnTo(999);
    expect(told).to.be.false;
    await clock.turnTo(1_000);
    expect(await work).to.be.instanceOf(TimeIsUp);
    expect(told).to.be.true;
  });

  it("ends with the outer signal, with its reason", async () => {
    const clock = new HandClock();
    const outer = new AbortController();
    const reason = new Error("stop");
    const limit = { ms: 1_000, clock, signal: outer.signal };
    const work = within(limit, () => new Promise<never>(() => undefined)).catch((error: unknown) => error);
    outer.abort(reason);
    expect(await work).to.equal(reason);
    expect(await within(limit, async () => 1).catch((error: unknown) => error)).to.equal(reason);
  });
});

describe("the wall's clock", () => {
  it("sleeps, and wakes at once with the reason of its signal", async () => {
    const start = Date.now();
    await wallClock.sleep(20);
    expect(Date.now() - start).to.be.at.least(15);
    const reason = new Error("up");
    expect(await wallClock.sleep(60_000, AbortSignal.abort(reason)).catch((error: unknown) => error)).to.equal(reason);
  });

  it("does not wake at once from a sleep that is longer than Node's timers", async () => {
    const woke = wallClock.sleep(2 ** 31 + 5, AbortSignal.timeout(30)).then(
      () => "slept",
      () => "stopped",
    );
    expect(await woke).to.equal("stopped");
  });
});

describe("back-off", () => {
  it("is a uniform part of a span that doubles up to its bound", () => {
    const spans = [1, 2, 3, 4, 5].map((attempt) =>
      backOff(attempt, { firstMs: 500, longestMs: 3_000, random: () => 0.5 }),
    );
    expect(spans).to.deep.equal([250, 500, 1_000, 1_500, 1_500]);
    expect(backOff(3, { firstMs: 500, longestMs: 3_000, random: () => 0 })).to.equal(0);
  });
});
