import { expect } from "chai";
import { assess, verdictOf, type AssessmentInput } from "../../../keeper/risk/assessment";
import { protocolsOf, readProtocols } from "../../../keeper/risk/protocolFile";
import { readScenarios } from "../../../keeper/risk/scenarios";
import type { PastPoint } from "../../../keeper/risk/past";
import { holding, snapshot } from "../decide/vaultSnapshot";
import { curveAdapter } from "./pools";

const USDC = 10n ** 6n;
const NOW = snapshot().timestamp;

function input(change: Partial<AssessmentInput> = {}): AssessmentInput {
  const vault = change.snapshot ?? snapshot();
  return {
    snapshot: vault,
    protocols: protocolsOf(vault.adapters, {}, readProtocols()),
    scenarios: readScenarios(),
    past: () => [],
    feeds: [],
    depegBps: 100,
    venueCaps: {},
    ...change,
  };
}

/** A point an hour whose index grows by `growth` and falls by `fall` every hundredth. */
const hourly = (growth: number, fall: number): PastPoint[] => {
  let index = 1;
  return Array.from({ length: 400 }, (_, k) => {
    index *= k % 100 === 50 ? 1 - fall : 1 + growth;
    const at = NOW - (400 - k) * 3_600;
    return { at, availableAt: at, apr: 0.05, cash: 1e12, debt: 1e13, ours: 0, index };
  });
};

describe("the assessment", () => {
  it("lets a known venue with cash hold all, and one that nobody knows a tenth", () => {
    const { venues } = assess(input());
    const of = (id: string) => venues.find(({ venue }) => venue === id);
    // All that the vault itself allows.
    expect(of("aave-v3-usdc")).to.include({ limit: 0.6, advice: "may-grow" });
    expect(of("savings-usdc")).to.include({ limit: 0.1, score: 45 });
    expect(of("savings-usdc")?.protocol.unknown).to.have.length(7);
  });

  it("never allows more than the operator does", () => {
    const { venues } = assess(input({ venueCaps: { "aave-v3-usdc": 0.25, "savings-usdc": 0.5 } }));
    expect(venues.map(({ limit }) => limit)).to.deep.equal([0.25, 0.6, 0.1]);
  });

  it("says reduce with the numbers where more is held than the score allows", () => {
    const { venues } = assess(input({ snapshot: holding({ "savings-usdc": 300_000n * USDC }) }));
    const savings = venues.find(({ venue }) => venue === "savings-usdc");
    expect(savings).to.include({ advice: "reduce" });
    expect(savings?.reason).to.match(/^reduce: holds 30\.0 % of at most 10\.0 % at a score of 45 \(protocol 20, /);
    expect(savings === undefined ? null : verdictOf(savings)).to.have.all.keys(
      ...["venue", "score", "limit", "advice", "reason"],
    );
  });

  it("lets no venue be saved by its other parts: a pool that lets nothing out may hold nothing", () => {
    const vault = { ...snapshot(), adapters: [curveAdapter(), curveAdapter({ steady: false })] };
    const [steady, shut] = assess(
      input({ snapshot: vault, protocols: protocolsOf(vault.adapters, {}, readProtocols()) }),
    ).venues;
    expect(steady?.limit).to.be.above(0);
    expect(shut).to.include({ limit: 0 });
    expect(shut?.score).to.equal(25);
  });

  it("hears of losses in the past of an index, and takes a rate that never falls for no risk", () => {
    const calm = assess(input({ past: () => hourly(1e-6, 0) })).venues[0];
    const wild = assess(input({ past: () => hourly(1e-6, 0.02) })).venues[0];
    expect(calm?.parts.market).to.equal(100);
    expect(wild?.parts.market).to.equal(0);
    expect(wild?.score).to.be.at.most(25);
    expect(wild?.market?.tails[1]?.historical?.cvar).to.be.closeTo(0.02, 1e-3);
    // Two days are too few to say anything of the worst hundredth, but enough for the worst twentieth.
    expect(assess(input({ past: () => hourly(1e-6, 0).slice(-48) })).venues[0]?.parts.market).to.equal(100);
    expect(assess(input({ past: () => hourly(1e-6, 0).slice(-10) })).venues[0]?.parts.market).to.equal(null);
  });

  it("gives the same for the same, and an expected loss for each venue", () => {
    expect(assess(input())).to.deep.equal(assess(input()));
    const { venues, scenarios } = assess(input());
    for (const { venue, expectedLossApr } of venues) expect(expectedLossApr, venue).to.be.within(0.0005, 0.03);
    const [aave, , savings] = venues;
    expect(savings?.expectedLossApr ?? 0).to.be.above(aave?.expectedLossApr ?? 1);
    expect(scenarios.length).to.be.above(3);
  });
});
