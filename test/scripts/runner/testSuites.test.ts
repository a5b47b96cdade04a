import { expect } from "chai";
import { assignFiles } from "../../../scripts/testSuites";

describe("the dealing out of test files", () => {
  it("gives a file to the suite with the longest matching folder", () => {
    const { bySuite } = assignFiles(["test/scripts/relay/a.test.ts", "test/scripts/runner/b.test.ts"]);
    expect(bySuite.get("relay")).to.deep.equal(["test/scripts/relay/a.test.ts"]);
    expect(bySuite.get("tooling")).to.deep.equal(["test/scripts/runner/b.test.ts"]);
  });

  it("keeps Python and TypeScript of one folder apart, and ignores what is no test", () => {
    const { bySuite, unclaimed } = assignFiles([
      "test/crosscheck/a.test.ts",
      "test/crosscheck/test_b.py",
      "test/crosscheck/reference.py",
    ]);
    expect(bySuite.get("crosscheck")).to.deep.equal(["test/crosscheck/a.test.ts"]);
    expect(bySuite.get("crosscheck-python")).to.deep.equal(["test/crosscheck/test_b.py"]);
    expect(unclaimed).to.deep.equal([]);
  });

  it("reports a test that no suite would run", () => {
    expect(assignFiles(["test/elsewhere/a.test.ts", "test/keeper/test_a.py"]).unclaimed).to.deep.equal([
      "test/elsewhere/a.test.ts",
      "test/keeper/test_a.py",
    ]);
  });
});
