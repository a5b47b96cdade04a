import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseProblem, readProblem } from "../../../keeper/allocate/problemFile";
import { InputFailure } from "../../../keeper/config/failure";
import { EXAMPLE } from "./example";

function lineOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof InputFailure && error.exitCode === 2) return error.line();
    throw error;
  }
  throw new Error("nothing was refused");
}

const good = JSON.stringify(EXAMPLE, null, 2);

describe("a problem file", () => {
  it("may leave out cap, current, costs, expected loss, groups and minimum idle", () => {
    const text =
      '{"total": 10, "horizonHours": 1, "gasUsdPerMove": 0, "venues": [{"id": "a", "model": {"kind": "fixed", "apr": 0.1}}]}';
    const { venues, ...rest } = parseProblem(text, "text");
    expect(rest).to.deep.equal({ total: 10, horizonHours: 1, gasUsdPerMove: 0, minIdle: 0, groups: [] });
    expect(venues).to.deep.equal([
      {
        ...{ id: "a", current: 0, cap: 10, floor: 0, costBps: 0, impactBpsPerMillion: 0, expectedLossApr: 0 },
        model: { kind: "fixed", apr: 0.1 },
      },
    ]);
  });

  it("may begin with a byte order mark and hold no venue", () => {
    expect(
      parseProblem('\uFEFF{"total": 1, "horizonHours": 1, "gasUsdPerMove": 0, "venues": []}', "text").venues,
    ).to.deep.equal([]);
  });

  const slips: readonly [string, (text: string) => string, RegExp][] = [
    ["a negative cap", (t) => t.replace('"cap": 500000', '"cap": -5'), /^venues\[0\]\.cap: is -5 .*at least 0\.$/],
    [
      "a cap in a string",
      (t) => t.replace('"cap": 500000', '"cap": "5e5"'),
      /^venues\[0\]\.cap: is the string "5e5" .*finite number\.$/,
    ],
    ["a cap of null", (t) => t.replace('"cap": 500000', '"cap": null'), /^venues\[0\]\.cap: is null /],
    [
      "a NaN",
      (t) => t.replace('"cap": 500000', '"cap": NaN'),
      /^venues\[0\]\.cap: text is not JSON: NaN is not a number at line 18, column 14 .*finite number\.$/,
    ],
    [
      "minus infinity",
      (t) => t.replace('"cap": 500000', '"cap": -Infinity'),
      /^venues\[0\]\.cap: .*-Infinity is not a number/,
    ],
    ["a number that overflows", (t) => t.replace('"cap": 500000', '"cap": 1e999'), /^venues\[0\]\.cap: is Infinity /],
    [
      "an absurd amount",
      (t) => t.replace('"cap": 500000', '"cap": 1e19'),
      /^venues\[0\]\.cap: is 10000000000000000000 .*at most/,
    ],
    [
      "a missing model",
      (t) => t.replace(/"model": \{\s*"kind": "fixed",\s*"apr": 0.045\s*\}/, '"cap": 1'),
      /^venues\[2\]\.model: is missing /,
    ],
    [
      "a model without a kind",
      (t) => t.replace('"kind": "fixed",', ""),
      /^venues\[2\]\.model\.kind: is missing .*aave, kinked-supply, fixed, liquidity/,
    ],
    [
      "an unknown kind",
      (t) => t.replace('"kind": "fixed"', '"kind": "fxed"'),
      /^venues\[2\]\.model\.kind: unknown kind the string "fxed" .*aave, kinked-supply, fixed, liquidity/,
    ],
    ["a missing rate", (t) => t.replace('"apr": 0.045', '"apr2": 0.045'), /^venues\[2\]\.model\.apr: is missing /],
    [
      "a kink above 1",
      (t) => t.replace('"kink": 0.92', '"kink": 92'),
      /^venues\[0\]\.model\.kink: is 92 .*at most 1\.$/,
    ],
    ["a misspelt field", (t) => t.replace('"costBps"', '"costsBps"'), /^venues\[0\]\.costsBps: no such field /],
    ["an empty id", (t) => t.replace('"id": "savings"', '"id": ""'), /^venues\[2\]\.id: is empty /],
    [
      "a horizon of nothing",
      (t) => t.replace('"horizonHours": 168', '"horizonHours": 0'),
      /^horizonHours: is 0 .*above 0\.$/,
    ],
    ["no total", (t) => t.replace('"total": 1000000,', ""), /^total: is missing /],
    [
      "venues that are no list",
      () => '{"total": 1, "horizonHours": 1, "gasUsdPerMove": 0, "venues": {}}',
      /^venues: is an object .*a list\.$/,
    ],
    ["a list at the top", () => "[]", /^--problem: is a list .*an object\.$/],
    [
      "a comma too many",
      (t) => t.replace('"apr": 0.045', '"apr": 0.045,'),
      /^venues\[2\]\.model: text is not JSON: unexpected \} at line \d+, column \d+ /,
    ],
    ["a text that is cut off", (t) => t.slice(0, 60), /^--problem: text is not JSON|^[a-z].*: text is not JSON/],
    ["an empty text", () => "", /^--problem: text is not JSON: the text ends too early at line 1, column 1 /],
    ["two texts", (t) => t + t, /^--problem: text is not JSON: unexpected \{/],
    ["a text nested without end", () => "[".repeat(1e6), /^(--problem|\[0\].*): text is not JSON/],
  ];
  for (const [what, spoil, line] of slips) {
    it(`is refused with ${what}, in one line`, () => {
      const text = spoil(good);
      expect(text).not.to.equal(good);
      const said = lineOf(() => parseProblem(text, "text"));
      expect(said).to.match(line);
      expect(said).not.to.include("\n");
    });
  }

  it("is refused when it is not there or is a folder", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "problem-"));
    try {
      expect(lineOf(() => readProblem(path.join(folder, "none.json")))).to.match(
        /^--problem: cannot read .*no such file .*path of a JSON file/,
      );
      expect(lineOf(() => readProblem(folder))).to.match(/^--problem: cannot read .*is a folder/);
      writeFileSync(path.join(folder, "good.json"), good);
      expect(readProblem(path.join(folder, "good.json")).venues).to.have.length(3);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
