import { expect } from "chai";
import { ChainTime, wallTime } from "../../../keeper/collect/jobTime";
import { HandClock, settled } from "../chain/fixtures/clocks";

describe("the time of jobs", () => {
  describe("by the wall", () => {
    it("reaches a moment then and not before", async () => {
      const clock = new HandClock(1_000_000);
      const time = wallTime(clock);
      let reached: number | null = null;
      void time.reached(1_300).then(() => (reached = time.now()));
      await clock.turnTo(1_299_999);
      expect(reached).to.equal(null);
      await clock.turnTo(1_400_000);
      expect(reached).to.equal(1_300);
      await time.reached(900);
    });

    it("notices a wall that was set back or forward", async () => {
      const clock = new HandClock(1_000_000);
      let shift = 0;
      const time = wallTime({ now: () => clock.now() + shift, sleep: (ms, signal) => clock.sleep(ms, signal) });
      let reached = false;
      void time.reached(1_100).then(() => (reached = true));
      await clock.turnTo(1_001_000);
      shift = -200_000;
      await clock.turnTo(1_200_000);
      expect(reached).to.be.false;
      shift = 3_600_000;
      await clock.turnTo(1_220_000);
      expect(reached).to.be.true;
    });
  });

  describe("by the chain", () => {
    it("reaches a moment with the first head at or after it", async () => {
      const time = new ChainTime(100);
      let reached = false;
      void time.reached(112).then(() => (reached = true));
      time.advance(111);
      await settled();
      expect(reached).to.be.false;
      time.advance(124);
      await settled();
      expect(reached).to.be.true;
      expect(time.now()).to.equal(124);
    });

    it("never goes back, as after a reorganisation", () => {
      const time = new ChainTime(100);
      time.advance(88);
      expect(time.now()).to.equal(100);
    });

    it("lets go of one that stopped waiting", async () => {
      const time = new ChainTime(100);
      const stop = new AbortController();
      const waiting = time.reached(112, stop.signal).catch((error: unknown) => error);
      const reason = new Error("stop");
      stop.abort(reason);
      expect(await waiting).to.equal(reason);
      time.advance(200);
      expect(await time.reached(300, stop.signal).catch((error: unknown) => error)).to.equal(reason);
    });
  });
});
