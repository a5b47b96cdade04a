// Each rule of quality: what it says, what it leaves alone, and that it looks at nothing that comes later.
import { expect } from "chai";
import fc from "fast-check";
import { SeriesQuality, namesOf, withFlags } from "../../../keeper/collect/quality";
import type { HistoryRow } from "../../../keeper/store/historyRecords";

const HOUR = 3_600;
const START = 1_700_000_000;

function row(k: number, over: Partial<HistoryRow> = {}): HistoryRow {
  return {
    ...{ observedAt: START + k * HOUR, availableAt: START + k * HOUR + 10, block: k, blockHash: null, source: "test" },
    ...{ suppliedUsd: 1e9, borrowedUsd: 8e8, supplyApr: 0.05, borrowApr: 0.06, index: null, flags: 0 },
    ...over,
  };
}

/** A week of rows has another rate at this utilisation. */
const JUMP = { borrowApr: 0.16, supplyApr: 0.12 };

/** Flags of the last row after a week of ordinary ones. */
function after(...rows: Partial<HistoryRow>[]): string[] {
  const week = Array.from({ length: 200 }, (_, k) => row(k, { supplyApr: 0.05 + (k % 7) * 1e-4 }));
  const flagged = withFlags(
    week,
    rows.map((over, k) => row(200 + k, over)),
  );
  return namesOf(flagged.at(-1)?.flags ?? 0);
}

describe("quality", () => {
  const cases: [string, Partial<HistoryRow>[], string[]][] = [
    ["an ordinary row", [{}], []],
    ["199 % APY", [{ borrowApr: Math.log(2.99), borrowedUsd: 9.9e8 }], []],
    ["201 % APY", [{ borrowApr: Math.log(3.01), borrowedUsd: 9.9e8 }], ["apy-over-200"]],
    ["a spike of utilisation", [{ borrowedUsd: 9.9e8, borrowApr: 0.9, supplyApr: 0.85 }], ["outlier"]],
    ["a rate three times the usual one", [{ supplyApr: 0.15, borrowedUsd: 9.5e8, borrowApr: 0.17 }], ["outlier"]],
    ["a rate at twice the usual", [{ supplyApr: 0.095, borrowedUsd: 9.5e8, borrowApr: 0.11 }], []],
    ["a rate that is another at the same utilisation", [JUMP], ["misaligned"]],
    ["the second such row", [JUMP, JUMP], ["misaligned"]],
    ["the third one", [JUMP, JUMP, JUMP], ["parameter-change"]],
    ["the rows after it", [JUMP, JUMP, JUMP, JUMP], []],
    [
      "a row that repeats the second one's state",
      [JUMP, JUMP, { ...JUMP, observedAt: START + 201 * HOUR }],
      ["misaligned"],
    ],
    ["an hour whose rate is of later amounts", [{ borrowApr: 0.09 }], ["misaligned"]],
    ["the hour after it", [{ borrowApr: 0.09 }, { borrowApr: 0.09, borrowedUsd: 9e8 }], []],
    ["no rate for three hours", Array(3).fill({ borrowApr: 0 }), ["zero-borrow-rate"]],
    ["the rate after such hours", [...Array(3).fill({ borrowApr: 0 }), {}], []],
    ["an amount below zero", [{ borrowedUsd: -1, borrowApr: 0.06 }], ["negative"]],
    ["a rate below zero", [{ supplyApr: -0.01 }], ["outlier", "negative"]],
    ["more lent than there is", [{ borrowedUsd: 1.01e9, borrowApr: 0.5, supplyApr: 0.07 }], ["over-utilised"]],
    ["an old state", [{ availableAt: START + 200 * HOUR + 6 * HOUR + 1 }], ["stale"]],
    ["a state of six hours", [{ availableAt: START + 200 * HOUR + 6 * HOUR }], []],
    ["debt at no rate", [{ borrowApr: 0, supplyApr: 0.05, borrowedUsd: 5e8 }], ["zero-borrow-rate"]],
    ["no debt at no rate", [{ borrowApr: 0, supplyApr: 0.05, borrowedUsd: 0 }], []],
    ["no rate", [{ supplyApr: null }], ["missing-rate"]],
    ["no borrow rate beside debt", [{ borrowApr: null }], ["missing-rate"]],
    ["savings, which have no debt", [{ borrowApr: null, borrowedUsd: null }], []],
    ["a small market", [{ suppliedUsd: 9e4, borrowedUsd: 7.2e4 }], ["tiny", "wound-down"]],
    ["a market of which 2 % is left", [{ suppliedUsd: 1.9e7, borrowedUsd: 1.52e7 }], ["wound-down"]],
    ["an index that fell", [{ index: "1000" }, { index: "999" }], ["index-down"]],
    ["an index that stayed", [{ index: "1000" }, { index: "1000" }], []],
  ];
  for (const [name, rows, flags] of cases) {
    it(`says ${flags.length === 0 ? "nothing" : flags.join(" and ")} of ${name}`, () => {
      expect(after(...rows)).to.deep.equal(flags);
    });
  }

  it("says nothing of the first rows but what a row says itself", () => {
    expect(
      withFlags([], [row(0, { supplyApr: 0.9 }), row(1, { supplyApr: 0.01, borrowedUsd: 1e8 })]).map(
        ({ flags }) => flags,
      ),
    ).to.deep.equal([0, 0]);
  });

  it("flags each row as if nothing came after it, however the series is cut", () => {
    const rate = fc.double({ min: -0.1, max: 3, noNaN: true });
    const amount = fc.double({ min: -10, max: 2e9, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(rate, rate, amount, amount), { minLength: 2, maxLength: 60 }),
        fc.nat(),
        (values, at) => {
          const rows = values.map(([supplyApr, borrowApr, suppliedUsd, borrowedUsd], k) =>
            row(k, { supplyApr, borrowApr, suppliedUsd, borrowedUsd }),
          );
          const cut = 1 + (at % (rows.length - 1));
          const whole = withFlags([], rows);
          expect(withFlags([], rows.slice(0, cut))).to.deep.equal(whole.slice(0, cut));
          expect(withFlags(rows.slice(0, cut), rows.slice(cut))).to.deep.equal(whole.slice(cut));
        },
      ),
      { numRuns: 200, seed: 6 },
    );
  });

  it("finds the middle of the last 168 as sorting them does", () => {
    // A thousand rates on a coarse grid, so that many are equal; the rule's own bound, worked out the slow way.
    const quality = new SeriesQuality();
    const seen: number[] = [];
    let state = 7;
    for (let k = 0; k < 1_000; k += 1) {
      state = (state * 48_271) % 2_147_483_647;
      const supplyApr = 0.01 * (1 + (state % 5)) * (state % 97 === 0 ? 20 : 1);
      const said = namesOf(quality.flagsOf(row(k, { supplyApr }))).includes("outlier");
      const window = seen.slice(-168);
      const sorted = [...window].sort((a, b) => a - b);
      const median = sorted[sorted.length >> 1] as number;
      const deviations = sorted.map((value) => Math.abs(value - median)).sort((a, b) => a - b);
      const scale = Math.max(1.4826 * (deviations[deviations.length >> 1] as number), 0.1 * median, 0.001);
      expect(said, `row ${k}`).to.equal(window.length >= 24 && Math.abs(supplyApr - median) > 10 * scale);
      seen.push(supplyApr);
    }
  });
});
