import { expect } from "chai";
import { parseReport } from "../../../scripts/invariants/report";
import { assignFiles } from "../../../scripts/testSuites";

const step = (name: string, raw: string): object => ({
  sender: "0x01",
  calldata: "0x",
  contract_name: "test/invariants/handlers/Keeper.sol:Keeper",
  func_name: name,
  signature: `${name}(uint256)`,
  raw_args: raw,
});

const metrics = { "test/invariants/handlers/Keeper.sol:Keeper.grind": { calls: 7, reverts: 1, discards: 0 } };

const REPORT = {
  "test/invariants/Invariants.t.sol:SixDecimals": {
    test_results: {
      "invariant_holds()": {
        status: "Success",
        reason: null,
        counterexample: null,
        kind: { Invariant: { runs: 2, calls: 9, reverts: 1, metrics } },
      },
      "invariant_falls()": {
        status: "Failure",
        reason: "lost (3 against 2)",
        counterexample: { Sequence: [2, [step("grind", "5"), step("bundle", "6")]] },
        kind: { Invariant: { runs: 1, calls: 2, reverts: 0, metrics: {} } },
      },
      "test_reaches()": { status: "Success", reason: null, kind: { Unit: { gas: 1 } } },
    },
  },
};

describe("the report of the invariants", () => {
  it("counts calls of every law and of every handler, and shows the calls that broke one", () => {
    const output = `{"event":"failure"}\n${JSON.stringify(REPORT)}\n`;
    expect(parseReport(output)).to.deep.equal([
      {
        name: "invariant_holds",
        contract: "SixDecimals",
        counts: { runs: 2, calls: 9, reverts: 1 },
        calls: [{ handler: "Keeper.grind", calls: 7, reverts: 1 }],
      },
      {
        name: "invariant_falls",
        contract: "SixDecimals",
        failure: "lost (3 against 2)\n  Keeper.grind(5)\n  Keeper.bundle(6)",
        counts: { runs: 1, calls: 2, reverts: 0 },
        calls: [],
      },
      { name: "test_reaches", contract: "SixDecimals", calls: [] },
    ]);
  });

  it("is empty where forge wrote none", () => {
    expect(parseReport("Error: Compiler run failed\n")).to.deep.equal([]);
  });

  it("comes from a suite of its own: files of forge go to the runner of that name", () => {
    const { bySuite, unclaimed } = assignFiles([
      "test/invariants/A.t.sol",
      "test/invariants/Scene.sol",
      "test/B.t.sol",
    ]);
    expect(bySuite.get("invariants")).to.deep.equal(["test/invariants/A.t.sol"]);
    expect(unclaimed).to.deep.equal(["test/B.t.sol"]);
  });
});
