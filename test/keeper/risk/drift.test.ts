import { expect } from "chai";
import { driftOf, together, type Served } from "../../../keeper/risk/drift";
import type { PastPoint } from "../../../keeper/risk/past";

const HOUR = 3_600;
const SPAN = { now: 200 * HOUR, windowSeconds: 100 * HOUR, horizonSeconds: 24 * HOUR };

const points = (apr: (hour: number) => number | null): PastPoint[] =>
  Array.from({ length: 201 }, (_, hour) => ({
    ...{ at: hour * HOUR, availableAt: hour * HOUR, apr: apr(hour) },
    ...{ cash: null, debt: null, ours: 0, index: null },
  }));
const persistence: Served = (known) => known.at(-1)?.apr ?? null;

describe("model drift", () => {
  it("is no error where rates stay as they are", () => {
    expect(
      driftOf(
        points(() => 0.05),
        persistence,
        SPAN,
      ),
    ).to.deep.equal({ samples: 101, served: 0, persistence: 0 });
  });

  it("holds a forecast that is off by a constant against what came, over the window", () => {
    const biased: Served = (known, at) => (persistence(known, at) ?? 0) + 0.03;
    const drift = driftOf(
      points(() => 0.05),
      biased,
      SPAN,
    );
    expect(drift?.served).to.be.closeTo(0.03, 1e-12);
    expect(drift?.persistence).to.be.closeTo(0, 1e-12);
    expect(drift?.samples).to.equal(101);
  });

  it("measures persistence by what a rate that climbs has come to on average", () => {
    // A thousandth an hour: the mean of the next day is 11.5 hours' climb above now.
    const drift = driftOf(
      points((hour) => hour / 1_000),
      () => 0,
      SPAN,
    );
    expect(drift?.persistence).to.be.closeTo(0.0115, 1e-9);
  });

  it("asks the forecast with what was known then, and nothing of after", () => {
    const asked: number[] = [];
    const spying: Served = (known, at) => {
      asked.push(at);
      for (const { availableAt, observedAt } of known) {
        expect(availableAt).to.be.at.most(at);
        expect(observedAt).to.be.at.most(at);
      }
      return 0.05;
    };
    driftOf(
      points(() => 0.05),
      spying,
      SPAN,
    );
    expect(asked[0]).to.equal(76 * HOUR);
    expect(asked.at(-1)).to.equal(176 * HOUR);
  });

  it("judges nothing before a horizon has passed, nor over hours that nobody saw", () => {
    expect(driftOf(points(() => 0.05).slice(0, 20), persistence, { ...SPAN, now: 20 * HOUR })).to.equal(null);
    expect(driftOf([], persistence, SPAN)).to.equal(null);
    const gap = points((hour) => (hour > 60 && hour < 190 ? null : 0.05));
    const drift = driftOf(gap, persistence, SPAN);
    // Only days that have an observation in them count.
    expect(drift?.samples).to.be.below(30);
  });

  it("counts each forecast once over several venues", () => {
    const sum = together([
      { samples: 30, served: 0.01, persistence: 0.02 },
      null,
      { samples: 10, served: 0.05, persistence: 0 },
    ]);
    expect(sum?.samples).to.equal(40);
    expect(sum?.served).to.be.closeTo(0.02, 1e-12);
    expect(sum?.persistence).to.be.closeTo(0.015, 1e-12);
    expect(together([null])).to.equal(null);
  });
});
