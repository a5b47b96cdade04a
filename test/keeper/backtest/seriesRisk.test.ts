import { expect } from "chai";
import { protocolRisk, scoreHindsight, seriesTail } from "../../../keeper/backtest/seriesRisk";
import { readProtocols } from "../../../keeper/risk/protocolFile";
import { readScenarios } from "../../../keeper/risk/scenarios";
import { scoreProtocol } from "../../../keeper/risk/scorecard";

const AT = Date.UTC(2024, 0, 1) / 1_000;
const YEAR = 365 * 86_400;

describe("what is known of a series' protocol", () => {
  const protocols = readProtocols();
  const risk = protocolRisk(protocols);

  it("is what its scorecard lacks to a hundred as of the day, and a protocol without one is as one that nobody knows", () => {
    const aave = protocols.find(({ id }) => id === "aave-v3") ?? null;
    expect(risk("aave-v3-usdc", AT)).to.be.closeTo(1 - scoreProtocol(aave, AT).score / 100, 1e-12);
    expect(risk("aave-v3-usdc", AT - YEAR)).to.be.greaterThan(risk("aave-v3-usdc", AT));
    for (const unknown of ["aave-v2-usdc", "aave-v30-usdc", "my-own"]) expect(risk(unknown, AT)).to.equal(0.8);
    expect(risk("compound-v3-weth", AT)).to.be.within(0, 0.5);
  });

  it("is of the latest day of research, and said so, where any of the series has a scorecard", () => {
    const researched = protocols.map((one) => (one.id === "aave-v3" ? { ...one, researchedTo: "2031-02" } : one));
    expect(scoreHindsight(["compound-v3-usdc", "aave-v3-usdc"], researched)).to.match(/ are as of 2031-02$/);
    expect(scoreHindsight(["compound-v3-usdc"], researched)).not.to.contain("2031");
    expect(scoreHindsight(["aave-v2-usdc"], protocols)).to.equal(null);
  });

  it("is the shocks that reach the series together, and each protocol's own failure", () => {
    const names = ["aave-v3-usdc", "compound-v3-usdc", "aave-v2-usdc"];
    const settings = { kappa: 0.5, confidence: 0.99 };
    const tail = seriesTail(names, settings, { protocols, scenarios: readScenarios(), at: AT });
    expect(tail).to.include(settings);
    const reached = tail.scenarios.map(({ losses }) => Object.keys(losses).sort().join(" "));
    expect(reached).to.include("aave-v3-usdc compound-v3-usdc");
    for (const name of names) expect(reached).to.include(name);
    const failure = (name: string): number =>
      tail.scenarios.find(({ losses }) => Object.keys(losses).join(" ") === name)?.probability ?? NaN;
    expect(failure("aave-v2-usdc")).to.be.greaterThan(2 * failure("aave-v3-usdc"));
  });
});
