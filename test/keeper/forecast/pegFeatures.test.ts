// The features of a pair's price: against a slow second reading of their definitions, and that nothing later than `at` reaches them.
import { expect } from "chai";
import fc from "fast-check";
import { POOL_DAY, POOL_STATE } from "../../../keeper/collect/poolFiles";
import { importedDollars, readDollars } from "../../../keeper/forecast/dollarPairs";
import { LOOKBACK_SECONDS } from "../../../keeper/forecast/features";
import {
  DEPEGGED,
  PEG_FEATURES,
  PegColumns,
  deviationOf,
  writePegFeatures,
  type PegState,
} from "../../../keeper/forecast/pegFeatures";

const HOUR = 3_600;
const START = 1_700_002_800;
const SIXES = [6, 6] as const;

/** States hours or minutes apart, some read late, some when nobody offered anything. */
const states: fc.Arbitrary<PegState[]> = fc
  .array(
    fc.record({
      step: fc.oneof(fc.integer({ min: 1, max: 2 * HOUR }), fc.integer({ min: 1, max: 3 * 86_400 })),
      late: fc.integer({ min: 0, max: 400 }),
      tick: fc.integer({ min: -60, max: 60 }),
      liquidity: fc.oneof(fc.constant(0), fc.double({ min: 1, max: 1e19, noNaN: true })),
    }),
    { minLength: 1, maxLength: 150 },
  )
  .map((steps) => {
    let [availableAt, observedAt] = [START, START];
    return steps.map(({ step, late, tick, liquidity }) => {
      availableAt += step;
      observedAt = Math.max(observedAt, availableAt - late);
      return { observedAt, availableAt, tick, liquidity };
    });
  });

function featuresOf(of: readonly PegState[], at: number): Float64Array | null {
  const pair = new PegColumns(SIXES);
  pair.add(of);
  const known = pair.knownAt(at);
  if (known === 0) return null;
  const out = new Float64Array(PEG_FEATURES.length);
  writePegFeatures(pair, { at, known }, out, 0);
  return out;
}

function named(of: readonly PegState[], at: number): Record<string, number> {
  const values = featuresOf(of, at) ?? [];
  return Object.fromEntries(PEG_FEATURES.map(({ name }, k) => [name, values[k] as number]));
}

const bits = (values: Float64Array | null): string =>
  values === null ? "" : Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex");

describe("features of a pair's price", () => {
  it("do not change by a bit when the future is cut off, shifted, or another one", () => {
    fc.assert(
      fc.property(states, states, fc.integer({ min: 0, max: 30 * 86_400 }), (rows, others, after) => {
        const at = START + after;
        const past = rows.filter(({ availableAt }) => availableAt <= at);
        const future = rows.filter(({ availableAt }) => availableAt > at);
        const moved = (of: readonly PegState[], by: number): PegState[] =>
          of.map((one) => ({ ...one, observedAt: one.observedAt + by, availableAt: one.availableAt + by }));
        const said = bits(featuresOf(rows, at));
        for (const [what, changed] of Object.entries({
          cut: past,
          shifted: [...past, ...moved(future, 977)],
          // Observed before, and known only afterwards.
          replaced: [...past, ...moved(others, at + 1 - START).map((one) => ({ ...one, observedAt: at }))],
        })) {
          expect(bits(featuresOf(changed, at)), what).to.equal(said);
        }
      }),
      { numRuns: 400, seed: 71 },
    );
  });

  it("are the same, bit for bit, of a week as of all of history, and of an hourly history as of every block", () => {
    fc.assert(
      fc.property(states, fc.integer({ min: 0, max: 30 * 24 }), (rows, hours) => {
        const at = START + hours * HOUR;
        const first = rows.reduce((found, one, k) => (one.availableAt <= at - LOOKBACK_SECONDS ? k : found), 0);
        expect(bits(featuresOf(rows.slice(first), at)), "of a week").to.equal(bits(featuresOf(rows, at)));
        const hourOf = ({ availableAt }: PegState): number => Math.ceil(availableAt / HOUR);
        const hourly = rows.filter((one, k) => hourOf(rows[k + 1] ?? { ...one, availableAt: Infinity }) > hourOf(one));
        expect(bits(featuresOf(hourly, at)), "hourly").to.equal(bits(featuresOf(rows, at)));
      }),
      { numRuns: 400, seed: 72 },
    );
  });

  it("do change with what was known, so that the two tests above can fail", () => {
    const rows = [
      { observedAt: START, availableAt: START, tick: 1, liquidity: 1e15 },
      { observedAt: START + 60, availableAt: START + 90, tick: 2, liquidity: 1e15 },
    ];
    expect(bits(featuresOf(rows, START + 89))).not.to.equal(bits(featuresOf(rows, START + 90)));
  });

  it("are what their words say, by a second reading hour by hour", () => {
    const rows = Array.from({ length: 260 }, (_, k) => ({
      ...{ observedAt: START + k * HOUR - 10, availableAt: START + k * HOUR },
      ...{
        tick: ((k * 31) % 23) - 11 + (k === 190 ? 40 : 0),
        liquidity: k % 11 === 0 ? 0 : 1e15 * (1 + ((k * 7) % 5)),
      },
    }));
    const at = START + 250 * HOUR;
    const found = named(rows, at);
    const at1 = (hour: number): (typeof rows)[number] => rows[250 - hour] as (typeof rows)[number];
    const deviation = (hour: number): number => 1.0001 ** at1(hour).tick - 1;
    const liquidity = (hour: number): number => Math.log(Math.max(1, at1(hour).liquidity / 1e6));
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const close = (name: string, value: number): Chai.Assertion =>
      expect(found[name], name).to.be.closeTo(value, 1e-12 * Math.max(1, Math.abs(value)));
    close("deviation", deviation(0));
    close("distance", Math.abs(deviation(0)));
    close("liquidity", liquidity(0));
    close("depeg_age", 60);
    close("age", 10 / 3_600);
    for (const [hours, frame] of [
      [1, "1h"],
      [4, "4h"],
      [24, "24h"],
      [168, "7d"],
    ] as const) {
      const past = Array.from({ length: hours + 1 }, (_, k) => deviation(k));
      close(`deviation_change_${frame}`, deviation(0) - deviation(hours));
      close(`distance_change_${frame}`, Math.abs(deviation(0)) - Math.abs(deviation(hours)));
      close(`liquidity_change_${frame}`, liquidity(0) - liquidity(hours));
      if (hours === 1) continue;
      close(`distance_mean_${frame}`, mean(past.map(Math.abs)));
      close(`distance_most_${frame}`, Math.max(...past.map(Math.abs)));
      close(`deviation_sd_${frame}`, Math.sqrt(mean(past.map((one) => (one - mean(past)) ** 2))));
    }
    close("liquidity_less_mean_7d", liquidity(0) - mean(Array.from({ length: 169 }, (_, k) => liquidity(k))));
    expect(Object.keys(found).length).to.equal(new Set(PEG_FEATURES.map(({ name }) => name)).size);
  });

  it("are unknown over frames that begin before the pair, and say so when none of a week was over 15 bps", () => {
    const rows = Array.from({ length: 10 }, (_, k) => ({
      ...{ observedAt: START + k * HOUR, availableAt: START + k * HOUR, tick: 14, liquidity: 0 },
    }));
    const found = named(rows, START + 9 * HOUR);
    expect(found["distance_most_4h"]).to.equal(found["distance"]);
    expect(found["distance_most_24h"]).to.be.NaN;
    expect(found["deviation_change_24h"]).to.be.NaN;
    expect(found["liquidity_less_mean_7d"]).to.be.NaN;
    expect(found).to.include({ depeg_age: 168, liquidity: 0, age: 0 });
  });
});

describe("a price of one dollar in another", () => {
  it("is that of the tick, whatever the coins' decimals are", () => {
    expect(deviationOf(0, SIXES)).to.equal(0);
    expect(deviationOf(15, SIXES)).to.be.closeTo(0.00150105, 1e-8);
    expect(deviationOf(15, SIXES)).to.be.above(DEPEGGED);
    expect(deviationOf(-15, SIXES)).to.be.within(-DEPEGGED, 0);
    // 1e18 of one for 1e6 of the other: a price of 1e-12 as the pool counts.
    expect(deviationOf(-276_325, [18, 6])).to.be.closeTo(0, 1e-4);
    expect(deviationOf(276_324, [6, 18])).to.be.closeTo(0, 1e-4);
    expect(deviationOf(-276_325 - 700, [18, 6])).to.be.closeTo(Math.exp(-0.07) - 1, 1e-3);
  });

  it("is known of imported states of two dollars, and of nothing else", () => {
    const of = (subject: string, source = POOL_STATE): unknown => importedDollars({ chainId: 1, source, subject });
    expect(of("v3-usdc-usdt-1bp-hourly-state")).to.deep.equal([6, 6]);
    expect(of("v3-dai-usdc-1bp")).to.deep.equal([18, 6]);
    for (const name of ["v3-usdc-weth-5bp", "v3-usdc-usdc-1bp", "usdc-usdt", "v3-usdc-usdt", "v3-toString-usdc-1bp"]) {
      expect(of(name), name).to.equal(null);
    }
    expect(of("v3-usdc-usdt-1bp-daily", POOL_DAY), "a day is no moment").to.equal(null);
  });

  it("is known of a pool that was read by its coins' addresses", () => {
    const [usdc, usdt] = ["0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "0xdac17f958d2ee523a2206206994597c13d831ec7"];
    const read = (tokens: readonly unknown[]): ReturnType<typeof readDollars> =>
      readDollars({
        ...{ observedAt: START, availableAt: START + 2 },
        state: JSON.stringify({ tokens, decimals: [6, 6], tick: -3, liquidity: "430394234327008495", meanTick: null }),
      });
    expect(read([usdc, usdt])).to.deep.equal({
      decimals: [6, 6],
      state: { observedAt: START, availableAt: START + 2, tick: -3, liquidity: 4.303942343270085e17 },
    });
    expect(read([usdc, "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"])).to.equal(null);
    expect(read([usdc, 7]), "what is no reading of a pool").to.equal(null);
  });
});
