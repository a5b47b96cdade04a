import { expect } from "chai";
import { RequestRate } from "../../../keeper/chain/requestRate";
import { HandClock } from "./fixtures/clocks";

/** Times, in seconds, at which each of `count` turns came that were all asked for at once. */
function turns(rate: RequestRate, clock: HandClock, count: number): { readonly at: number; readonly who: number }[] {
  const came: { at: number; who: number }[] = [];
  for (let who = 0; who < count; who += 1) {
    void rate.turn().then(() => came.push({ at: clock.now() / 1_000, who }));
  }
  return came;
}

describe("the rate of requests", () => {
  it("lets a burst go at once and then one for each token, in order of asking", async () => {
    const clock = new HandClock();
    const came = turns(new RequestRate({ perMinute: 30, burst: 3 }, clock), clock, 6);
    await clock.turnTo(60_000);
    expect(came).to.deep.equal([0, 0, 0, 2, 4, 6].map((at, who) => ({ at, who })));
  });

  it("gathers no more than a burst while nobody asks", async () => {
    const clock = new HandClock();
    const rate = new RequestRate({ perMinute: 60, burst: 2 }, clock);
    await clock.turnTo(3_600_000);
    const came = turns(rate, clock, 4);
    await clock.turnTo(3_660_000);
    expect(came.map(({ at }) => at)).to.deep.equal([3600, 3600, 3601, 3602]);
  });

  it("lets nobody go before the end of a pause, and no more than a burst at once after it", async () => {
    const clock = new HandClock();
    const rate = new RequestRate({ perMinute: 60, burst: 2 }, clock);
    const came = turns(rate, clock, 5);
    await clock.turnTo(500);
    rate.pause(10_000);
    await clock.turnTo(60_000);
    expect(came.map(({ at }) => at)).to.deep.equal([0, 0, 10, 10, 11]);
  });

  it("keeps the order where one in the middle gives up", async () => {
    const clock = new HandClock();
    // Whole milliseconds are slept, a token takes a little more: one who comes later could be ready sooner.
    const rate = new RequestRate({ perMinute: 60_000 / 1_000.4, burst: 1 }, clock);
    const order: string[] = [];
    void rate.turn();
    void rate.turn().then(() => order.push("second"));
    const stop = new AbortController();
    const third = rate.turn(stop.signal).catch(() => order.push("gave up"));
    void rate.turn().then(() => order.push("fourth"));
    await clock.turnTo(500.5);
    stop.abort();
    await third;
    await clock.turnTo(60_000);
    expect(order).to.deep.equal(["gave up", "second", "fourth"]);
  });

  it("gives the turn of one that gave up to the next, and to nobody before his time", async () => {
    const clock = new HandClock();
    const rate = new RequestRate({ perMinute: 60, burst: 1 }, clock);
    const came = turns(rate, clock, 2);
    const stop = new AbortController();
    const reason = new Error("enough");
    const given = rate.turn(stop.signal).catch((error: unknown) => error);
    const later = turns(rate, clock, 1);
    await clock.turnTo(500);
    stop.abort(reason);
    expect(await given).to.equal(reason);
    await clock.turnTo(900);
    expect(came.map(({ at }) => at)).to.deep.equal([0]);
    await clock.turnTo(60_000);
    expect(came.map(({ at }) => at)).to.deep.equal([0, 1]);
    expect(later.map(({ at }) => at)).to.deep.equal([2]);
    expect(clock.sleepers).to.equal(0);
  });
});
