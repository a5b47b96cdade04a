import { expect } from "chai";
import { erasOf, extentsOf, type Extent } from "../../../keeper/backtest/eras";
import { RateSeries } from "../../../keeper/backtest/series";
import { rowsOf, START } from "./synthetic";

const DAY = 86_400;
const extent = (name: string, from: number, to: number): Extent => ({ name, from: from * DAY, to: to * DAY });
const eras = (extents: readonly Extent[], from = 0, to = 10_000): (string | number)[][] =>
  erasOf(extents, { from: from * DAY, to: to * DAY }).map((era) => [
    era.series.join(" "),
    era.from / DAY,
    era.to / DAY,
  ]);

describe("eras", () => {
  it("begin anew where a series begins or ends, and have at least two", () => {
    const three = [extent("a", 0, 2_000), extent("b", 500, 1_500), extent("c", 1_000, 3_000)];
    expect(eras(three)).to.deep.equal([
      ["a b", 500, 1_000],
      ["a b c", 1_000, 1_500],
      ["a c", 1_500, 2_000],
    ]);
  });

  it("begin anew after a silence", () => {
    const rows = rowsOf({ apr: () => 0.05, hours: 100 });
    const series = new RateSeries("x", [...rows.slice(0, 20), ...rows.slice(45, 46), ...rows.slice(69, 100)]);
    const hours = (maxGap: number): number[][] =>
      extentsOf(series, maxGap * 3_600).map(({ from, to }) => [(from - START) / 3_600, (to - START) / 3_600]);
    expect(hours(26)).to.deep.equal([[0, 99]]);
    expect(hours(25)).to.deep.equal([
      [0, 19],
      [45, 99],
    ]);
    expect(hours(23)).to.deep.equal([
      [0, 19],
      [45, 45],
      [69, 99],
    ]);
  });

  it("are whole days within the span asked for", () => {
    const two = [extent("a", 0.5, 1_000.5), extent("b", 10.2, 900.9)];
    expect(eras(two)).to.deep.equal([["a b", 11, 900]]);
    expect(eras(two, 100, 400)).to.deep.equal([["a b", 100, 400]]);
  });

  it("are not cut by a series of less than half a year, and none is shorter", () => {
    const two = [extent("a", 0, 1_000), extent("b", 0, 1_000)];
    expect(eras([...two, extent("short", 300, 479)])).to.deep.equal([["a b", 0, 1_000]]);
    expect(eras([...two, extent("late", 850, 2_000)])).to.deep.equal([["a b", 0, 850]]);
    expect(eras([...two, extent("whole", 300, 480)])).to.deep.equal([
      ["a b", 0, 300],
      ["a b whole", 300, 480],
      ["a b", 480, 1_000],
    ]);
    expect(eras([extent("alone", 0, 1_000)])).to.deep.equal([]);
    expect(eras([])).to.deep.equal([]);
  });
});
