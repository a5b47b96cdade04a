// Rows as PostgreSQL's COPY reads them.
import { expect } from "chai";
import fc from "fast-check";
import { copyText, copyTime } from "../../../keeper/store/copyText";

describe("the text of a COPY", () => {
  it("has a line a row, columns by tab, null by its mark, and no character that would end them", () => {
    const rows = [
      ["a", 1, true, null],
      ["tab\tline\nreturn\rback\\", -0.5, false, "\\N"],
    ];
    expect([...copyText(rows, (row) => row)].join("")).to.equal(
      "a\t1\ttrue\t\\N\ntab\\tline\\nreturn\\rback\\\\\t-0.5\tfalse\t\\\\N\n",
    );
  });

  it("comes in pieces that together are the whole", () => {
    const rows = Array.from({ length: 4_500 }, (_, k) => k);
    const pieces = [...copyText(rows, (row) => [row])];
    expect(pieces).to.have.length(3);
    expect(pieces.join("")).to.equal(rows.map((row) => `${row}\n`).join(""));
  });

  it("writes any second as it is, whatever came before", () => {
    const second = fc.oneof(
      fc.integer({ min: -1e9, max: 7e9 }),
      fc.integer({ min: 0, max: 80_000 }).map((day) => day * 86_400),
      fc.integer({ min: 1, max: 80_000 }).map((day) => day * 86_400 - 1),
      fc.integer({ min: 0, max: 4e12 }).map((ms) => ms / 1_000),
    );
    fc.assert(
      fc.property(fc.array(second, { minLength: 1, maxLength: 9 }), (seconds) => {
        for (const at of seconds) expect(Date.parse(copyTime(at)), String(at)).to.equal(Math.trunc(at * 1_000));
      }),
      { numRuns: 500, seed: 3 },
    );
  });
});
