// Bounds that adapt: how often they hold, and that nothing but errors that have come true moves them.
import { expect } from "chai";
import { Conformal, LEVELS, type ConformalState } from "../../../keeper/forecast/conformal";
import { seeded } from "../../../scripts/bench/randomProblems";

const HOUR = 3_600;
const BEGIN = 1_700_002_800;
const CALM = { distance: 0.001, deviation: 0.002, said: NaN };

/** Rates whose swings are ten times as wide in every other month. */
function swinging(hours: number, seed = 1): Float64Array {
  const random = seeded(seed);
  return Float64Array.from({ length: hours }, (_, k) => {
    const width = Math.floor(k / 720) % 2 === 0 ? 0.002 : 0.02;
    return 0.1 + width * (random() + random() + random() - 1.5);
  });
}

interface Given {
  readonly at: number;
  readonly bounds: readonly number[];
}

/** A forecast an hour of a rate that is there at its horizon's end. */
function run(rates: Float64Array, hours: number, conformal: Conformal, from = 0): Given[] {
  const given: Given[] = [];
  for (let k = from; k < rates.length; k += 1) {
    const at = BEGIN + k * HOUR;
    conformal.learn(at, (then) => rates[(then - BEGIN) / HOUR + hours] ?? NaN);
    given.push({ at, bounds: conformal.bounds({ at, point: 0.1, ...CALM }, { remember: true }) });
  }
  return given;
}

describe("conformal bounds", () => {
  for (const hours of [1, 4, 24, 168]) {
    it(`hold as often as they say over ${hours} h, through months that swing ten times as wide`, () => {
      const rates = swinging(20_000);
      const given = run(rates, hours, new Conformal(hours)).slice(2_000, -hours);
      LEVELS.forEach((level, l) => {
        const below = given.filter(({ bounds }, k) => (rates[k + 2_000 + hours] as number) <= (bounds[l] as number));
        expect(below.length / given.length, `level ${level}`).to.be.within(level - 0.03, level + 0.03);
      });
    });
  }

  it("never ask for the truth of a forecast whose horizon is not over", () => {
    const conformal = new Conformal(24);
    let asked = 0;
    for (let k = 0; k < 100; k += 1) {
      const now = BEGIN + k * HOUR;
      conformal.learn(now, (at) => {
        asked += 1;
        expect(at + 24 * HOUR, "end of the horizon").to.be.at.most(now);
        return 0.5;
      });
      conformal.bounds({ at: now, point: 0.1, ...CALM }, { remember: true });
    }
    expect(asked).to.equal(76);
  });

  it("are the same to the last bit whatever comes later", () => {
    const rates = swinging(3_000);
    const other = rates.map((rate, k) => (k < 2_000 ? rate : 5));
    for (const hours of [1, 24, 168]) {
      const [one, two] = [rates, other].map((each) => run(each, hours, new Conformal(hours)));
      expect(two?.slice(0, 2_000)).to.deep.equal(one?.slice(0, 2_000));
      expect(two?.at(-1)).not.to.deep.equal(one?.at(-1));
    }
  });

  it("go on from what was kept of them as if nothing had happened", () => {
    const rates = swinging(1_500);
    const whole = run(rates, 24, new Conformal(24));
    const first = new Conformal(24);
    run(rates.slice(0, 1_000), 24, first);
    const kept = JSON.parse(JSON.stringify(first.state())) as ConformalState;
    expect(run(rates, 24, new Conformal(24, kept), 1_000)).to.deep.equal(whole.slice(1_000));
  });

  it("do not learn from forecasts that are only shown", () => {
    const conformal = new Conformal(1);
    conformal.bounds({ at: BEGIN, point: 0.1, ...CALM }, { remember: false });
    conformal.learn(BEGIN + HOUR, () => 0.9);
    expect(conformal.errors).to.equal(0);
  });

  it("wait for a truth that comes late, in order, and forget one that does not come for a week", () => {
    const conformal = new Conformal(1);
    for (const k of [0, 1]) conformal.bounds({ at: BEGIN + k * HOUR, point: 0.1, ...CALM }, { remember: true });
    conformal.learn(BEGIN + 5 * HOUR, (at) => (at === BEGIN ? NaN : 0.1));
    expect(conformal.errors, "the second has to wait for the first").to.equal(0);
    conformal.learn(BEGIN + 169 * HOUR, (at) => (at === BEGIN ? NaN : 0.1));
    expect(conformal.errors).to.equal(1);
    expect(conformal.state().pending).to.deep.equal([]);
  });

  it("are as wide as the model's own word for a day, and not for a week", () => {
    const widthOf = (hours: number, said: number): number => {
      const bounds = new Conformal(hours).bounds({ at: BEGIN, point: 0.5, ...CALM, said }, { remember: false });
      return (bounds.at(-1) ?? 0) - (bounds[0] ?? 0);
    };
    expect(widthOf(24, 0.02)).to.be.closeTo(2 * widthOf(24, 0.01), 1e-4);
    expect(widthOf(168, 0.02)).to.equal(widthOf(168, NaN));
  });

  it("are in order and never below zero", () => {
    const rates = swinging(5_000, 7);
    for (const { bounds } of run(rates, 4, new Conformal(4))) {
      expect(bounds).to.deep.equal([...bounds].sort((a, b) => a - b));
      expect(bounds[0]).to.be.at.least(0);
    }
    const low = new Conformal(1).bounds(
      { at: BEGIN, point: 0.001, distance: 0.1, deviation: 0.1, said: NaN },
      { remember: true },
    );
    expect(low[0]).to.equal(0);
  });
});
