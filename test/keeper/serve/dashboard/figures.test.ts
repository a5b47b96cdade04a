// What the page makes of numbers: amounts, prices, times, scales, runs of decisions.
import { expect } from "chai";
import fc from "fast-check";
import { amountText, growthText, percentText, priceText, shortHex } from "../../../../keeper/serve/dashboard/amounts";
import { decisionRuns } from "../../../../keeper/serve/dashboard/runs";
import { nearestIndex, rateScale, timeTicks } from "../../../../keeper/serve/dashboard/scale";
import { spanText, timeText } from "../../../../keeper/serve/dashboard/times";
import { NOW, pageView } from "../fixture";

const SEED = { seed: 20_261_121, numRuns: 500 };

describe("dashboard: amounts", () => {
  it("cuts, groups and never rounds up", () => {
    expect(amountText("1204311829999", 6)).to.equal("1,204,311.82");
    expect(amountText("999999", 6)).to.equal("0.99");
    expect(amountText("0", 6)).to.equal("0.00");
    expect(amountText("9999", 6)).to.equal("<0.01");
    expect(amountText("10000", 6)).to.equal("0.01");
    expect(amountText("-1500000", 6)).to.equal("−1.50");
    expect(amountText("722587092439", 6, 0)).to.equal("722,587");
    expect(amountText("1234", 0)).to.equal("1,234");
    expect(amountText("1000000000000000000", 18)).to.equal("1.00");
  });

  it("keeps every digit of an amount that a number would lose", () => {
    expect(amountText("12345678901234567890123456", 6)).to.equal("12,345,678,901,234,567,890.12");
  });

  it("is the exact decimal, cut, for any amount and number of decimals", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 30n), fc.integer({ min: 2, max: 18 }), (units, decimals) => {
        const cents = units / 10n ** BigInt(decimals - 2);
        fc.pre(cents > 0n);
        const text = amountText(String(units), decimals);
        return BigInt(text.replace(/[,.]/g, "")) === cents;
      }),
      SEED,
    );
  });

  it("cuts a share price without rounding", () => {
    expect(priceText("1.000123456789012345")).to.equal("1.00012345");
    expect(priceText("0.999999999999999999")).to.equal("0.99999999");
    expect(priceText("2")).to.equal("2.00000000");
    expect(priceText("12345.5")).to.equal("12,345.50000000");
  });

  it("shows two digits of a change however small", () => {
    expect(growthText(0.0000632)).to.equal("+0.0063%");
    expect(growthText(-0.00000034)).to.equal("−0.000034%");
    expect(growthText(0)).to.equal("±0.00%");
    expect(growthText(0.1234)).to.equal("+12.34%");
    expect(percentText(12.5)).to.equal("1,250.00%");
    expect(percentText(-0.00001)).to.equal("0.00%");
  });

  it("shortens a hash and leaves a short text alone", () => {
    expect(shortHex("0x5FbDB2315678afecb367f032d93F642f64180aa3")).to.equal("0x5FbD…0aa3");
    expect(shortHex("0x12")).to.equal("0x12");
  });
});

describe("dashboard: times", () => {
  it("writes UTC whatever the machine's zone", () => {
    expect(timeText(NOW)).to.equal("21 Nov 2026, 12:00:00 UTC");
  });

  it("names a length of time in its largest unit", () => {
    expect([0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(spanText)).to.deep.equal([
      "0 s",
      "119 s",
      "2 min",
      "119 min",
      "2 h",
      "47 h",
      "2 days",
    ]);
    expect(spanText(-5)).to.equal("0 s");
  });
});

describe("dashboard: scales", () => {
  it("holds every rate between its first and last tick, with three to nine round ticks", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 40 }), (rates) => {
        const { min, max, ticks } = rateScale(rates);
        const inside = rates.every((rate) => rate >= min - 1e-12 && rate <= max + 1e-12);
        return inside && ticks.length >= 3 && ticks.length <= 9 && max > min;
      }),
      SEED,
    );
  });

  it("starts at zero unless the rates lie far above it", () => {
    expect(rateScale([0.01, 0.05]).min).to.equal(0);
    expect(rateScale([0.045, 0.05]).min).to.be.greaterThan(0.03);
  });

  it("gives the ticks enough decimals to tell them apart", () => {
    for (const rates of [
      [0.0501, 0.0502],
      [0.01, 0.9],
      [0.03, 0.05],
    ]) {
      const { ticks, places } = rateScale(rates);
      const labels = ticks.map((tick) => percentText(tick, places));
      expect(new Set(labels).size, labels.join(" ")).to.equal(labels.length);
    }
  });

  it("puts at most five round times inside the window", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2e9 }), fc.integer({ min: 1, max: 1e8 }), (from, span) => {
        const { step, ticks } = timeTicks(from, from + span);
        return ticks.length <= 5 && ticks.every((at) => at > from && at < from + span && at % step === 0);
      }),
      SEED,
    );
    expect(timeTicks(5, 5).ticks).to.deep.equal([]);
  });

  it("finds the nearest of sorted values", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { minLength: 1 }), fc.integer(), (values, wanted) => {
        const sorted = [...values].sort((a, b) => a - b);
        const found = sorted[nearestIndex(sorted, wanted)]!;
        return sorted.every((value) => Math.abs(found - wanted) <= Math.abs(value - wanted));
      }),
      SEED,
    );
    expect(nearestIndex([], 3)).to.equal(-1);
  });
});

describe("dashboard: runs of decisions", () => {
  it("gathers consecutive holds under the newest and keeps every rebalance to itself", () => {
    const runs = decisionRuns(pageView().decisions);
    expect(runs.map(({ newest, earlier }) => [newest.action, earlier.length])).to.deep.equal([
      ["hold", 9],
      ["rebalance", 0],
      ["hold", 0],
      ["rebalance", 0],
      ["hold", 5],
      ["rebalance", 0],
    ]);
    const back = runs.flatMap(({ newest, earlier }) => [newest, ...earlier]);
    expect(back).to.deep.equal(pageView().decisions);
  });
});
