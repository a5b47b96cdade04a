// The features: against a slow second reading of their definitions, and that nothing later than `at` reaches them.
import { expect } from "chai";
import fc from "fast-check";
import {
  FEATURES,
  HORIZONS,
  LOOKBACK_SECONDS,
  SeriesColumns,
  currentRate,
  peersOf,
  targetAt,
  writeFeatures,
  type Peers,
} from "../../../keeper/forecast/features";
import type { HistoryRow } from "../../../keeper/store/historyRecords";

const HOUR = 3_600;
const START = 1_700_002_800;
const PEERS: Peers = { mean: 0.04, best: 0.07 };

function row(over: Partial<HistoryRow> & { observedAt: number; availableAt: number }): HistoryRow {
  return {
    ...{ block: 1, blockHash: null, source: "test", suppliedUsd: 1e9, borrowedUsd: 8e8 },
    ...{ supplyApr: 0.05, borrowApr: 0.06, index: null, flags: 0 },
    ...over,
  };
}

/** Rows as data sets have them: hours or days apart, states that repeat, rates that are missing. */
const history: fc.Arbitrary<HistoryRow[]> = fc
  .array(
    fc.record({
      step: fc.oneof(fc.integer({ min: 1, max: 4 * HOUR }), fc.integer({ min: 1, max: 4 * 86_400 })),
      age: fc.integer({ min: 0, max: 5_000 }),
      repeats: fc.boolean(),
      supplyApr: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 12 }),
      borrowApr: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 12 }),
      suppliedUsd: fc.option(fc.double({ min: 0, max: 1e10, noNaN: true }), { freq: 12 }),
      borrowedUsd: fc.option(fc.double({ min: 0, max: 1e10, noNaN: true }), { freq: 12 }),
      flags: fc.constantFrom(0, 0, 0, 2, 128, 130),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map((steps) => {
    let [availableAt, observedAt] = [START, START - 100];
    return steps.map(({ step, age, repeats, ...rest }) => {
      availableAt += step;
      // A later row never is of an earlier state.
      if (!repeats) observedAt = Math.max(observedAt, availableAt - age);
      return row({ observedAt, availableAt, ...rest });
    });
  });

function featuresOf(rows: readonly HistoryRow[], at: number): Float64Array | null {
  const series = new SeriesColumns();
  series.add(rows);
  const known = series.knownAt(at);
  if (known === 0) return null;
  const out = new Float64Array(FEATURES.length);
  writeFeatures(series, { at, known, peers: PEERS }, out, 0);
  return out;
}

function named(rows: readonly HistoryRow[], at: number): Record<string, number> {
  const values = featuresOf(rows, at) ?? [];
  return Object.fromEntries(FEATURES.map(({ name }, k) => [name, values[k] as number]));
}

const bits = (values: Float64Array | null): string =>
  values === null ? "" : Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex");

describe("features", () => {
  it("do not change by a bit when the future is cut off, shifted, or another one", () => {
    fc.assert(
      fc.property(history, history, fc.integer({ min: 0, max: 40 * 86_400 }), (rows, others, after) => {
        const at = START + after;
        const past = rows.filter(({ availableAt }) => availableAt <= at);
        const future = rows.filter(({ availableAt }) => availableAt > at);
        const said = bits(featuresOf(rows, at));
        const shifted = future.map((one) => ({
          ...one,
          observedAt: one.observedAt + 977,
          availableAt: one.availableAt + 977,
        }));
        const replaced = others.map((one) => ({
          ...one,
          observedAt: at + 1,
          availableAt: at + 1 + one.availableAt - START,
        }));
        for (const [what, changed] of Object.entries({
          cut: past,
          shifted: [...past, ...shifted],
          replaced: [...past, ...replaced],
        })) {
          expect(bits(featuresOf(changed, at)), what).to.equal(said);
        }
      }),
      { numRuns: 400, seed: 61 },
    );
  });

  it("are the same, bit for bit, of a week as of all of history", () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 40 * 86_400 }), (rows, after) => {
        const at = START + after;
        const usable = rows.filter(({ supplyApr }) => supplyApr !== null);
        // The row that was in force a week before, and all later ones.
        const first = usable.reduce((found, { observedAt }, k) => (observedAt <= at - LOOKBACK_SECONDS ? k : found), 0);
        expect(bits(featuresOf(usable.slice(first), at))).to.equal(bits(featuresOf(rows, at)));
      }),
      { numRuns: 400, seed: 62 },
    );
  });

  it("do change with what was known, so that the two tests above can fail", () => {
    const rows = [
      row({ observedAt: START, availableAt: START }),
      row({ observedAt: START + 60, availableAt: START + 90, supplyApr: 0.09 }),
    ];
    expect(bits(featuresOf(rows, START + 89))).not.to.equal(bits(featuresOf(rows, START + 90)));
  });

  it("are what their words say, by a second reading minute by minute", () => {
    // Rates that change on whole minutes, so that minutes add up to the same means.
    const rows = Array.from({ length: 300 }, (_, k) => {
      const at = START + Math.floor(k * 47 + ((k * 7_919) % 31)) * 60;
      return row({
        observedAt: at,
        availableAt: at + 30,
        supplyApr: 0.03 + ((k * 31) % 17) / 500,
        borrowApr: 0.05 + ((k * 13) % 11) / 300,
        suppliedUsd: 1e9 + ((k * 37) % 101) * 1e6,
        borrowedUsd: 7e8 + ((k * 53) % 89) * 1e6,
      });
    });
    const at = START + 9 * 86_400 + 30 * 60;
    const found = named(rows, at);
    const known = rows.filter(({ availableAt }) => availableAt <= at);
    const inForce = (time: number): HistoryRow =>
      known.filter(({ observedAt }) => observedAt <= time).at(-1) as HistoryRow;
    const now = known.at(-1) as HistoryRow;
    const u = (one: HistoryRow): number => (one.borrowedUsd as number) / (one.suppliedUsd as number);
    for (const [hours, name] of [
      [1, "1h"],
      [4, "4h"],
      [24, "24h"],
      [168, "7d"],
    ] as const) {
      const minutes = Array.from({ length: hours * 60 }, (_, k) => inForce(at - (k + 1) * 60));
      const rates = minutes.map(({ supplyApr }) => supplyApr as number);
      const mean = rates.reduce((a, b) => a + b, 0) / rates.length;
      const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
      const before = inForce(at - hours * HOUR);
      expect(found[`apr_mean_${name}`], name).to.be.closeTo(mean, 1e-12);
      expect(found[`apr_least_${name}`], name).to.equal(Math.min(...rates));
      expect(found[`apr_most_${name}`], name).to.equal(Math.max(...rates));
      expect(found[`apr_sd_${name}`], name).to.be.closeTo(Math.sqrt(variance), 1e-10);
      expect(found[`apr_change_${name}`]).to.equal((now.supplyApr as number) - (before.supplyApr as number));
      expect(found[`utilisation_mean_${name}`]).to.be.closeTo(
        minutes.reduce((a, one) => a + u(one), 0) / minutes.length,
        1e-12,
      );
      expect(found[`utilisation_change_${name}`]).to.equal(u(now) - u(before));
      expect(found[`supplied_change_${name}`]).to.be.closeTo(
        Math.log((now.suppliedUsd as number) / (before.suppliedUsd as number)),
        1e-12,
      );
      expect(found[`borrowed_change_${name}`]).to.be.closeTo(
        Math.log((now.borrowedUsd as number) / (before.borrowedUsd as number)),
        1e-12,
      );
    }
    const weights = Array.from({ length: 168 * 60 }, (_, k) => 2 ** (-(k + 0.5) / (24 * 60)));
    const weighted = weights.reduce(
      (sum, weight, k) => sum + weight * (inForce(at - (k + 1) * 60).supplyApr as number),
      0,
    );
    expect(found["ewma_24h"]).to.be.closeTo(weighted / weights.reduce((a, b) => a + b, 0), 1e-9);
    expect(found["cash"]).to.be.closeTo(Math.log((now.suppliedUsd as number) - (now.borrowedUsd as number)), 1e-12);
    expect(found["age"]).to.be.closeTo((at - now.observedAt) / HOUR, 1e-12);
    expect(found["rows_7d"]).to.equal(known.filter(({ availableAt }) => availableAt > at - LOOKBACK_SECONDS).length);
    expect(found["spread_mean"]).to.equal((now.supplyApr as number) - 0.04);
    expect(found["spread_best"]).to.equal((now.supplyApr as number) - 0.07);
  });

  it("do not make up what lies before the series", () => {
    const rows = [
      row({ observedAt: START, availableAt: START }),
      row({ observedAt: START + 2 * HOUR, availableAt: START + 2 * HOUR }),
    ];
    const found = named(rows, START + 3 * HOUR);
    expect(found["apr_mean_1h"]).to.equal(0.05);
    for (const name of ["apr_mean_4h", "apr_change_24h", "utilisation_mean_7d", "supplied_change_4h"])
      expect(found[name]).to.be.NaN;
  });

  it("say how long ago parameters changed, and whether the row is an outlier", () => {
    const rows = [0, 1, 2].map((k) =>
      row({ observedAt: START + k * HOUR, availableAt: START + k * HOUR, flags: [0, 128, 2][k] as number }),
    );
    expect(named(rows, START + 4 * HOUR)).to.include({ parameters_age: 3, outlier: 1 });
    expect(named(rows.slice(0, 1), START + 4 * HOUR)).to.include({ parameters_age: 168, outlier: 0 });
  });
});

describe("peers", () => {
  it("are the others that were heard of within a week", () => {
    const series = new SeriesColumns();
    series.add([row({ observedAt: START, availableAt: START })]);
    expect(currentRate(series, 0, START)).to.be.NaN;
    expect(currentRate(series, 1, START + LOOKBACK_SECONDS)).to.equal(0.05);
    expect(currentRate(series, 1, START + LOOKBACK_SECONDS + 1)).to.be.NaN;
    expect(peersOf([0.02, NaN, 0.04])).to.deep.equal({ mean: 0.03, best: 0.04 });
    expect(peersOf([NaN])).to.deep.equal({ mean: NaN, best: NaN });
  });
});

describe("targets", () => {
  const series = new SeriesColumns();
  series.add([
    row({ observedAt: START, availableAt: START + 600, supplyApr: 0.02 }),
    row({ observedAt: START + 1_800, availableAt: START + HOUR, supplyApr: 0.06 }),
    row({ observedAt: START + 5_400, availableAt: START + 2 * HOUR, supplyApr: 0.1 }),
    row({ observedAt: START + 5_400, availableAt: START + 4 * HOUR, supplyApr: 0.1 }),
  ]);

  it("are the mean of the rates in force, known then or not", () => {
    const at = START + 1_200;
    // 600 s at 2 %, which was known, then at 6 %, which was not.
    expect(targetAt(series, at, 1, 1)).to.be.closeTo((600 * 0.02 + 3_000 * 0.06) / 3_600, 1e-15);
    // 6 % was in force already, and not known.
    expect(targetAt(series, START + 2_400, 1, 1)).to.be.closeTo((3_000 * 0.06 + 600 * 0.1) / 3_600, 1e-15);
  });

  it("are not known where the series ends before", () => {
    expect(targetAt(series, START + 3 * HOUR, 1, 3)).to.equal(0.1);
    expect(targetAt(series, START + 3 * HOUR + 1, 1, 3)).to.be.NaN;
    expect(HORIZONS.map((hours) => Number.isNaN(targetAt(series, START + HOUR, hours, 2)))).to.deep.equal([
      false,
      true,
      true,
      true,
    ]);
  });
});
