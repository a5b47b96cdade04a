import { expect } from "chai";
import fc from "fast-check";
import { dayAt, readProtocols, type Protocol } from "../../../keeper/risk/protocolFile";
import { scoreProtocol, UNKNOWN, WEIGHTS, type ScorePart } from "../../../keeper/risk/scorecard";

const NOW = dayAt("2026-06-30");
const YEAR = 365 * 86_400;

const known = <T>(value: T | null): { value: T | null; source: string; date: string } => ({
  ...{ value, source: "a test", date: "2026-01" },
});

/** As good as it gets: full depth, audits and age, no incident, nothing to change. */
const BEST: Protocol = {
  id: "best",
  name: "Best",
  researchedTo: "2026-06-30",
  tvlUsd: known(2e9),
  audits: known(6),
  since: known("2020-01"),
  incidents: known([]),
  oracle: known("none" as const),
  governance: known({ kind: "nobody" as const, delayHours: 0 }),
  upgradeability: known("none" as const),
  leansOn: known({ coins: [], oracles: [] }),
};

const scoreOf = (change: Partial<Protocol>): number => scoreProtocol({ ...BEST, ...change }, NOW).score;
const partOf = (part: ScorePart, change: Partial<Protocol>): number | null =>
  scoreProtocol({ ...BEST, ...change }, NOW).parts[part];

describe("the scorecard of a protocol", () => {
  it("has weights that add up to 100, and gives 100 to what could not be better", () => {
    expect(Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0)).to.equal(100);
    expect(scoreOf({})).to.equal(100);
  });

  it("takes what is not known for bad and says which parts that are", () => {
    const nobody = scoreProtocol(null, NOW);
    expect(nobody).to.include({ id: null, score: UNKNOWN });
    expect(nobody.unknown).to.have.length(7);
    const unaudited = scoreProtocol({ ...BEST, audits: known<number>(null) }, NOW);
    expect(unaudited.unknown).to.deep.equal(["audits"]);
    expect(unaudited.score).to.equal(100 - (WEIGHTS.audits * (100 - UNKNOWN)) / 100);
    // Worse than one audit, but no proof that there was none.
    expect(unaudited.score).to.be.below(scoreOf({ audits: known(1) }));
    expect(unaudited.score).to.be.above(scoreOf({ audits: known(0) }));
  });

  it("counts depth by its logarithm from a million to a billion", () => {
    expect(partOf("tvl", { tvlUsd: known(1e6) })).to.equal(0);
    expect(partOf("tvl", { tvlUsd: known(0) })).to.equal(0);
    expect(partOf("tvl", { tvlUsd: known(Math.sqrt(1e15)) })).to.equal(50);
    expect(partOf("tvl", { tvlUsd: known(1e12) })).to.equal(100);
  });

  it("counts age up to four years, and nothing for what begins in the future", () => {
    expect(partOf("age", { since: known("2024-06-30") })).to.be.closeTo(50, 0.1);
    expect(partOf("age", { since: known("2027-01") })).to.equal(0);
  });

  it("takes more for losses than for scares, and half of it two years later", () => {
    const incident = (severity: "nobody-lost" | "depositors-lost", date: string) => ({
      incidents: known([{ date, what: "x", severity }]),
    });
    const lost = 100 - (partOf("incidents", incident("depositors-lost", "2026-06-30")) ?? 0);
    expect(lost).to.equal(60);
    expect(100 - (partOf("incidents", incident("nobody-lost", "2026-06-30")) ?? 0)).to.equal(10);
    // Of before it happened it says nothing.
    const before = scoreProtocol({ ...BEST, ...incident("depositors-lost", "2026-06-30") }, NOW - YEAR);
    expect(before.parts.incidents).to.equal(scoreProtocol(BEST, NOW - YEAR).parts.incidents);
    const later = scoreProtocol({ ...BEST, ...incident("depositors-lost", "2026-06-30") }, NOW + 2 * YEAR);
    // What happened in the two years since the file was researched is not known either: ten points a year.
    expect(later.parts.incidents).to.be.closeTo(100 - 30 - 20, 0.1);
  });

  it("never falls when a fact gets better", () => {
    const amount = fc.double({ min: 0, max: 1e11, noNaN: true });
    const firms = fc.integer({ min: 0, max: 10 });
    const hours = fc.double({ min: 0, max: 1_000, noNaN: true });
    fc.assert(
      fc.property(amount, amount, firms, firms, hours, hours, (a, b, m, n, g, h) => {
        const score = (tvl: number, audits: number, delayHours: number): number =>
          scoreOf({
            ...{ tvlUsd: known(tvl), audits: known(audits) },
            governance: known({ kind: "vote" as const, delayHours }),
          });
        const [better, worse] = [
          score(Math.max(a, b), Math.max(m, n), Math.max(g, h)),
          score(Math.min(a, b), Math.min(m, n), Math.min(g, h)),
        ];
        expect(better).to.be.at.least(worse);
        expect(worse).to.be.within(0, 100);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("puts the venues of today in the order that their records speak for", () => {
    const scores = new Map(readProtocols().map((protocol) => [protocol.id, scoreProtocol(protocol, NOW).score]));
    const of = (id: string): number => scores.get(id) ?? NaN;
    expect(of("aave-v3")).to.be.above(75);
    expect(of("compound-v3")).to.be.within(70, of("aave-v3"));
    expect(of("sky")).to.be.within(45, 70);
    expect(of("morpho")).to.be.within(30, 60);
    expect(Math.min(...scores.values())).to.be.above(UNKNOWN);
  });
});
