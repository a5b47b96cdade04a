// Shapes as they come in histories of pools: curves, hours whose rate and amounts are of different moments, changes of
// parameters, rates that jitter. All made up.
import { expect } from "chai";
import fc from "fast-check";
import { RateCurve, type Standing } from "../../../keeper/collect/rateCurve";

const HOUR = 3_600;
const WINDOW = 168;
type Curve = (utilisation: number) => number;

const kinked =
  (base: number, slope: number, kink: number, steep: number): Curve =>
  (utilisation) =>
    base + slope * Math.min(utilisation, kink) + steep * Math.max(0, utilisation - kink);
const CURVE = kinked(0.01, 0.05, 0.9, 4);

/** What is said of points that come an hour apart, each a state of its own. */
function standings(points: readonly (readonly [utilisation: number, rate: number])[]): Standing[] {
  const curve = new RateCurve();
  return points.map(([utilisation, rate], k) => curve.standingOf({ utilisation, rate, observedAt: k * HOUR }));
}

/** The same numbers between 0 and 1 each time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** A week and more of utilisations that wander around `around`. */
function wandering(around: number, count = 200, seed = 6): number[] {
  const random = dice(seed);
  let at = around;
  return Array.from({ length: count }, () => (at += 0.2 * (around - at) + 0.02 * (random() - 0.5)));
}

const on = (curve: Curve, utilisations: readonly number[]): [number, number][] =>
  utilisations.map((utilisation) => [utilisation, curve(utilisation)]);
const saidAfter = (history: readonly [number, number][], ...points: [number, number][]): Standing[] =>
  standings([...history, ...points]).slice(history.length);

const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

describe("the curve of late", () => {
  it("has every point of any curve, wherever utilisation goes", () => {
    const curve = fc
      .tuple(between(0.001, 0.05), between(0, 0.5), between(0.3, 0.95), between(0.5, 30))
      .map(([base, slope, kink, steep]) => kinked(base, slope, kink, steep));
    fc.assert(
      fc.property(curve, fc.array(between(0, 1), { minLength: 1, maxLength: 300 }), (of, utilisations) => {
        expect(new Set(standings(on(of, utilisations)))).to.deep.equal(new Set(["on"]));
      }),
      { numRuns: 200, seed: 6 },
    );
  });

  it("has points whose utilisation is a little another than the one that the rate is of", () => {
    const random = dice(3);
    const utilisations = wandering(0.95, 400);
    const points = utilisations.map((at): [number, number] => [at, CURVE(at + 4e-4 * (random() - 0.5))]);
    expect(new Set(standings(points))).to.deep.equal(new Set(["on"]));
  });

  it("has not an hour whose rate is of the amounts that the next hour has, and the next hour", () => {
    const history = on(CURVE, wandering(0.8));
    const [before, after] = [0.93, 0.96];
    expect(
      saidAfter(history, ...on(CURVE, [before]), [before, CURVE(after)], ...on(CURVE, [after, after])),
    ).to.deep.equal([...["on", "off", "on", "on"]]);
  });

  it("has not an hour whose rate is of the amounts that the hour before had", () => {
    const history = on(CURVE, [...wandering(0.94), 0.98]);
    expect(saidAfter(history, ...on(CURVE, [0.93]), [0.96, CURVE(0.93)], ...on(CURVE, [0.96]))).to.deep.equal([
      ...["on", "off", "on"],
    ]);
  });

  it("stays the same through many such hours", () => {
    const random = dice(5);
    const utilisations = wandering(0.94, 2_000);
    const points = utilisations.map((at, k): [number, number] => [
      at,
      CURVE(random() < 0.1 ? (utilisations[k + 1] ?? at) : at),
    ]);
    const said = standings(points);
    expect(said.filter((standing) => standing === "off")).to.have.length.within(50, 250);
    expect(said).to.not.include("changed");
  });

  const LOWER = kinked(0.01, 0.05 - 0.005, 0.9, 4);
  const changes: [string, number[], Curve][] = [
    ["at an unchanged utilisation", [0.8, 0.8, 0.8, 0.8, 0.8], LOWER],
    ["while utilisation moves", [0.82, 0.79, 0.81, 0.78, 0.8], kinked(0.02, 0.05, 0.9, 4)],
    ["above the kink", [0.93, 0.95, 0.94, 0.93, 0.95], kinked(0.01, 0.05, 0.9, 6)],
    ["to a kink further up", [0.95, 0.96, 0.94, 0.95, 0.93], kinked(0.01, 0.05, 0.92, 4)],
    ["upwards, to four times the rate", [0.8, 0.81, 0.79, 0.8, 0.8], kinked(0.04, 0.2, 0.9, 4)],
  ];
  for (const [how, utilisations, next] of changes) {
    it(`is another one with the third state of a change of parameters ${how}`, () => {
      const history = on(CURVE, wandering(utilisations[0] as number));
      expect(saidAfter(history, ...on(next, utilisations))).to.deep.equal(["off", "off", "changed", "on", "on"]);
    });
  }

  it("is another one twice when parameters are changed and changed back", () => {
    const at = [0.8, 0.81, 0.79, 0.8];
    const said = saidAfter(on(CURVE, wandering(0.8)), ...on(LOWER, at), ...on(CURVE, at), ...on(LOWER, at));
    expect(said).to.deep.equal([...Array(3).keys()].flatMap(() => ["off", "off", "changed", "on"]));
  });

  it("is told from states that are off it each in its own way", () => {
    const off: [number, number][] = [0.01, 0.09, 0.02, 0.12, 0.015, 0.1].map((rate) => [0.8, rate]);
    expect(new Set(saidAfter(on(CURVE, wandering(0.8)), ...off))).to.deep.equal(new Set(["off"]));
  });

  it("is told by states, however often a row repeats one", () => {
    const curve = new RateCurve();
    const history = on(CURVE, wandering(0.8));
    const said = (points: readonly [number, number, at: number][]): Standing[] =>
      points.map(([utilisation, rate, observedAt]) => curve.standingOf({ utilisation, rate, observedAt }));
    said(history.map(([utilisation, rate], k) => [utilisation, rate, k]));
    const state = (at: number): [number, number, number] => [0.8, LOWER(0.8), at];
    expect(said([1_000, 1_000, 1_000, 1_000, 1_001, 1_001, 1_002, 1_002, 1_003].map(state))).to.deep.equal([
      ...["off", "off", "off", "off", "off", "off", "changed", "on", "on"],
    ]);
  });

  it("goes no further back than its window", () => {
    const once: [number, number][] = [[0.5, 0.09]];
    const steady = (count: number): [number, number][] => on(() => 0.1, wandering(0.8, count));
    const again: [number, number] = [0.5, 0.02];
    expect(saidAfter([...once, ...steady(WINDOW - 1)], again)).to.deep.equal(["off"]);
    expect(saidAfter([...once, ...steady(WINDOW)], again)).to.deep.equal(["on"]);
  });

  it("takes the jitter of a source for what it is, and a change that is more for one", () => {
    const random = dice(9);
    const jittering = (count: number, rate: number): [number, number][] =>
      Array.from({ length: count }, () => [0.3, rate * (1 + 0.01 * (random() - 0.5))]);
    const [usual, spike, changed] = [0.12, 0.125, 0.145];
    const calm: [number, number][] = Array.from({ length: 200 }, () => [0.3, usual]);
    expect(saidAfter(calm, ...jittering(4, spike))).to.deep.equal(["off", "off", "changed", "on"]);
    expect(saidAfter(jittering(200, usual), ...jittering(4, spike))).to.deep.equal(["on", "on", "on", "on"]);
    expect(saidAfter(jittering(200, usual), ...jittering(4, changed))).to.deep.equal(["off", "off", "changed", "on"]);
  });

  it("says what the rule says, worked out the slow way", () => {
    // Few utilisations, two of them always near, so that many are equal; rates about a curve, most near the least move off it.
    const point = fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(0, 3e-4, 6e-4), between(-0.003, 0.003), fc.nat(9))
      .map(([step, near, error, jump]): [number, number] => {
        const utilisation = step / 4 + near;
        return [utilisation, 0.05 + 0.2 * utilisation + error + (jump === 0 ? 0.05 : 0)];
      });
    fc.assert(
      fc.property(fc.array(point, { minLength: 100, maxLength: 600, size: "max" }), (points) => {
        expect(standings(points)).to.deep.equal(slowly(points));
      }),
      { numRuns: 60, seed: 6 },
    );
  });
});

/** As rateCurve.ts says it, with lists that are searched from end to end; each point is a state of its own. */
function slowly(points: readonly [number, number][]): Standing[] {
  let [curve, suspects]: [[number, number][], [number, number][]] = [[], []];
  const moves: number[] = [];
  return points.map(([utilisation, rate], k) => {
    const before = points[k - 1];
    if (before !== undefined && Math.abs(utilisation - before[0]) < 1e-4) moves.push(Math.abs(rate / before[1] - 1));
    const lately = moves.slice(-WINDOW).sort((a, b) => a - b);
    const tolerance = 0.002 + (lately.length < 24 ? 0 : 15 * (lately[lately.length >> 1] as number) * rate);
    const nearest = (of: [number, number][], error: number) => {
      const below = of.filter(([at]) => at <= utilisation - error).sort(([a], [b]) => a - b);
      const above = of.filter(([at]) => at >= utilisation + error).sort(([a], [b]) => a - b);
      // Sorting keeps the order of equal ones, which is that of time.
      return [below.at(-1), above.findLast(([at]) => at === above[0]?.[0])] as const;
    };
    const allows = (of: [number, number][]): boolean => {
      const [below, above] = nearest(of, 0);
      const rises = ([u0, r0]: readonly [number, number], [u1, r1]: readonly [number, number]): boolean =>
        r1 - r0 >= -tolerance && r1 - r0 <= 40 * (u1 - u0) + tolerance;
      const point = [utilisation, rate] as const;
      if ((below === undefined || rises(below, point)) && (above === undefined || rises(point, above))) return true;
      const [least, most] = nearest(of, 5e-4);
      return least !== undefined && most !== undefined && rate >= least[1] - tolerance && rate <= most[1] + tolerance;
    };
    if (allows(curve)) {
      suspects = [];
      curve = [...curve, [utilisation, rate] as [number, number]].slice(-WINDOW);
      return "on";
    }
    suspects = allows(suspects) ? [...suspects, [utilisation, rate]] : [[utilisation, rate]];
    if (suspects.length < 3) return "off";
    [curve, suspects] = [suspects, []];
    return "changed";
  });
}
