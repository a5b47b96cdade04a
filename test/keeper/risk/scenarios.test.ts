import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { InputFailure } from "../../../keeper/config/failure";
import { readProtocols } from "../../../keeper/risk/protocolFile";
import {
  expectedLossApr,
  readScenarios,
  SCENARIO_FILE,
  scenarioCvar,
  scenarioMatrix,
  type ExposedVenue,
  type Scenario,
} from "../../../keeper/risk/scenarios";

const PROTOCOLS = new Map(readProtocols().map((protocol) => [protocol.id, protocol]));
const venue = (name: string, kind: ExposedVenue["kind"], id: string | null, score = 80): ExposedVenue => ({
  ...{ venue: name, kind, score },
  protocol: id === null ? null : (PROTOCOLS.get(id) ?? null),
});
const VENUES = [
  venue("aave", "aave-v3", "aave-v3"),
  venue("comet", "compound-v3", "compound-v3"),
  venue("sky", "sky-savings", "sky"),
  venue("3pool", "curve-3pool", "curve-3pool"),
  venue("uni", "uniswap-v3", "uniswap-v3"),
  venue("vault", "erc4626", null, 20),
];

describe("joint shocks", () => {
  const matrix = scenarioMatrix(readScenarios(), VENUES);
  const row = (id: string): Scenario => {
    const found = matrix.find((scenario) => scenario.id === id);
    if (found === undefined) throw new Error(`no ${id}`);
    return found;
  };

  it("hit on one day all that lean on the same coin, oracle or chain, and spare the others", () => {
    expect(Object.keys(row("usdt-depeg").lossShare)).to.have.members(["3pool", "uni"]);
    expect(Object.keys(row("dai-depeg").lossShare)).to.have.members(["3pool", "sky"]);
    expect(Object.keys(row("chainlink-failure").lossShare)).to.have.members(["aave", "comet"]);
    expect(Object.keys(row("chain-stress").lossShare)).to.have.members(VENUES.map((one) => one.venue));
  });

  it("are a protocol's failure for each, likelier the lower its score; two venues of one fail together", () => {
    expect(row("failure-of-aave-v3").lossShare).to.deep.equal({ aave: 0.5 });
    expect(row("failure-of-aave-v3").probabilityPerYear).to.be.closeTo(0.05 / 16, 1e-9);
    expect(row("failure-of-vault").probabilityPerYear).to.be.closeTo(0.05 / 2, 1e-9);
    const two = scenarioMatrix(readScenarios(), [
      VENUES[0] ?? venue("a", "aave-v3", null),
      venue("b", "aave-v3", "aave-v3", 60),
    ]);
    const failures = two.filter(({ id }) => id.startsWith("failure"));
    expect(failures).to.have.length(1);
    expect(failures[0]?.lossShare).to.deep.equal({ aave: 0.5, b: 0.5 });
    // The likelier of the two: it is one protocol.
    expect(failures[0]?.probabilityPerYear).to.be.closeTo(0.05 / 8, 1e-9);
  });

  it("have probabilities and losses in [0, 1], no empty row, and together leave most years without any", () => {
    for (const { probabilityPerYear, lossShare } of matrix) {
      expect(probabilityPerYear).to.be.within(0, 1);
      expect(Object.keys(lossShare)).to.not.have.length(0);
      for (const loss of Object.values(lossShare)) expect(loss).to.be.within(0, 1);
    }
    expect(matrix.reduce((sum, { probabilityPerYear }) => sum + probabilityPerYear, 0)).to.be.below(0.2);
  });

  it("cost a venue the sum over what hits it", () => {
    const two: Scenario[] = [
      { id: "a", probabilityPerYear: 0.01, lossShare: { x: 0.5, y: 0.1 } },
      { id: "b", probabilityPerYear: 0.02, lossShare: { x: 0.25 } },
    ];
    expect(expectedLossApr(two, "x")).to.be.closeTo(0.01, 1e-15);
    expect(expectedLossApr(two, "y")).to.be.closeTo(0.001, 1e-15);
    expect(expectedLossApr(two, "z")).to.equal(0);
  });

  it("have a mean loss in the worst years that fills up from the worst event, then with years in which nothing happens", () => {
    const two: Scenario[] = [
      { id: "a", probabilityPerYear: 0.004, lossShare: { x: 0.5 } },
      { id: "b", probabilityPerYear: 0.03, lossShare: { x: 0.1, y: 0.1 } },
    ];
    // Of the worst hundredth: 0.4 % lose a half, 0.6 % a tenth.
    expect(scenarioCvar(two, { x: 1 }, 0.99)).to.be.closeTo((0.004 * 0.5 + 0.006 * 0.1) / 0.01, 1e-12);
    // Of the worst twentieth 3.4 % lose something.
    expect(scenarioCvar(two, { x: 1 }, 0.95)).to.be.closeTo((0.004 * 0.5 + 0.03 * 0.1) / 0.05, 1e-12);
    expect(scenarioCvar(two, {}, 0.99)).to.equal(0);
    // Spread out it is no more than all in one place.
    expect(scenarioCvar(two, { x: 0.5, y: 0.5 }, 0.99)).to.be.below(scenarioCvar(two, { x: 1 }, 0.99));
  });

  it("are refused from a file that is not as it should be, by the field", () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "tiller-scenarios-"));
    try {
      const file = path.join(folder, "s.json");
      const json = JSON.parse(readFileSync(SCENARIO_FILE, "utf8")) as { shocks: { probabilityPerYear: number }[] };
      const [first] = json.shocks;
      if (first === undefined) throw new Error("there is one");
      first.probabilityPerYear = 1.5;
      writeFileSync(file, JSON.stringify(json));
      expect(() => readScenarios(file))
        .to.throw(InputFailure)
        .that.includes({ code: "SCENARIOS_MALFORMED", field: "shocks.0.probabilityPerYear" });
      writeFileSync(file, "no");
      expect(() => readScenarios(file))
        .to.throw(InputFailure)
        .that.includes({ code: "SCENARIOS_MALFORMED", field: file });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
