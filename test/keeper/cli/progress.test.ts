import { expect } from "chai";
import { duration, ProgressDisplay, RateMeter } from "../../../keeper/cli/progress";

/** What takes the line away that is there. */
const ERASED = "\r\x1b[K";

function display(isTTY: boolean, quietUnlessTerminal = false) {
  let clock = 0;
  const written: string[] = [];
  const stream = { isTTY, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream;
  const shown = new ProgressDisplay({ stream, quietUnlessTerminal, now: () => clock });
  const at = (ms: number, stored: number, rows = 0): void => {
    clock = ms;
    shown.update({ blocks: 1_000, stored, rows });
  };
  return { shown, written, at };
}

describe("progress", () => {
  it("tells speeds of the last seconds, not of what was stored before or long ago", () => {
    const meter = new RateMeter();
    meter.add({ blocks: 100_000, stored: 60_000, rows: 0 }, 0);
    const slow = meter.add({ blocks: 100_000, stored: 60_100, rows: 50 }, 10_000);
    expect(slow).to.include({ blocksPerSecond: 10, rowsPerSecond: 5 });
    for (let second = 11; second <= 40; second += 1) {
      meter.add({ blocks: 100_000, stored: 60_100 + 1_000 * (second - 10), rows: 0 }, second * 1_000);
    }
    const fast = meter.add({ blocks: 100_000, stored: 91_100, rows: 0 }, 41_000);
    expect(fast.blocksPerSecond).to.be.closeTo(1_000, 1);
    expect(fast.secondsLeft).to.be.closeTo(8.9, 0.1);
  });

  it("promises no end while nothing moves, and no negative speed after a reorganisation", () => {
    const meter = new RateMeter();
    meter.add({ blocks: 100, stored: 50, rows: 9 }, 0);
    expect(meter.add({ blocks: 100, stored: 40, rows: 9 }, 1_000)).to.deep.equal({
      blocksPerSecond: 0,
      rowsPerSecond: 0,
      secondsLeft: null,
    });
  });

  it("draws one bar over itself on a terminal and takes it away", () => {
    const { shown, written, at } = display(true);
    at(0, 0);
    at(10, 1);
    at(1_000, 500, 2_000);
    shown.end();
    expect(written).to.have.length(3);
    expect(written[1]?.startsWith(ERASED)).to.equal(true);
    expect(written[1]).to.match(/50\.0 % {2}500 of 1,000 blocks {2}500 blocks\/s {2}2,000 rows\/s {2}0:01 left$/);
    expect(written[2]).to.equal(ERASED);
  });

  it("writes a line now and then elsewhere, and the last one; none where a program reads", () => {
    const { written, at } = display(false);
    for (let second = 0; second < 25; second += 1) at(second * 1_000, second * 40);
    at(25_000, 1_000);
    expect(written.map((line) => line.slice(0, 7))).to.deep.equal(["  0.0 %", " 40.0 %", " 80.0 %", "100.0 %"]);
    expect(written.every((line) => line.endsWith("\n") && !line.includes("\x1b"))).to.equal(true);
    const silent = display(false, true);
    silent.at(0, 1_000);
    expect(silent.written).to.deep.equal([]);
  });

  it("says 100 % of all only", () => {
    const { written, at } = display(false);
    at(0, 999);
    expect(written[0]).to.match(/^ 99\.9 %/);
  });

  it("writes durations as clocks do", () => {
    expect([0, 59.2, 75, 3_675].map(duration)).to.deep.equal(["0:00", "1:00", "1:15", "1:01:15"]);
  });
});
