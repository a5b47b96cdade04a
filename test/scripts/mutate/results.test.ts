import { expect } from "chai";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { summaryOf, summaryText } from "../../../scripts/mutate/report";
import { appendResult, isFinished, readResults, type Outcome, type Result } from "../../../scripts/mutate/results";

const result = (key: string, outcome: Outcome, file = "contracts/A.sol"): Result => ({
  key,
  file,
  operator: "boundary",
  where: "A.f",
  start: 0,
  end: 1,
  original: "<",
  replacement: "<=",
  line: 1,
  outcome,
  by: "",
  seconds: 1,
  testsHash: "today",
});

describe("results of a mutation run", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), "tiller-mutation-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("are read back, the last of each mutant, though the process died in the middle of a line", () => {
    const file = path.join(folder, "state", "results.jsonl");
    appendResult(file, result("a", "survived"));
    appendResult(file, result("b", "killed"));
    appendResult(file, result("a", "killed"));
    appendFileSync(file, '{"key":"c","outcome":"kil');
    const known = readResults(file);
    expect([...known.values()].map(({ key, outcome }) => `${key} ${outcome}`)).to.deep.equal(["a killed", "b killed"]);
  });

  it("are none where nothing ran yet", () => {
    expect(readResults(path.join(folder, "none.jsonl")).size).to.equal(0);
  });

  it("count for other tests too, but for a survivor's", () => {
    expect(isFinished(undefined, "today")).to.equal(false);
    expect(isFinished(result("a", "killed"), "tomorrow")).to.equal(true);
    expect(isFinished(result("a", "uncompiled"), "tomorrow")).to.equal(true);
    expect(isFinished(result("a", "survived"), "today")).to.equal(true);
    expect(isFinished(result("a", "survived"), "tomorrow")).to.equal(false);
  });

  it("are counted by file and by operator, with the share that was noticed of those that compile", () => {
    const results = [
      result("a", "killed"),
      result("b", "timeout"),
      result("c", "survived"),
      result("d", "killed", "contracts/B.sol"),
      result("e", "uncompiled", "contracts/B.sol"),
    ];
    const summary = summaryOf(results, 7);
    expect(summary).to.deep.include({ finished: 5, waiting: 2 });
    expect(summary.total).to.deep.equal({ killed: 2, timeout: 1, survived: 1, uncompiled: 1 });
    expect(summary.byFile["contracts/B.sol"]).to.deep.equal({ killed: 1, timeout: 0, survived: 0, uncompiled: 1 });
    expect(summaryText(summary)).to.match(/all files +2 +1 +1 +1 +75\.0 %/);
  });
});
