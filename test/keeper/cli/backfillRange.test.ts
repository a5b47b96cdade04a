import { expect } from "chai";
import { rangeEnd } from "../../../keeper/cli/backfillRange";
import { InputFailure } from "../../../keeper/config/failure";

describe("the ends of a range", () => {
  const at = (text: string): number => Date.parse(text) / 1000;

  it("are blocks, dates in UTC, or times with their zone", () => {
    expect(rangeEnd("19000000", "--from")).to.deep.equal({ kind: "block", block: 19_000_000 });
    expect(rangeEnd("2024-02-29", "--from")).to.deep.equal({ kind: "time", seconds: at("2024-02-29T00:00:00Z") });
    expect(rangeEnd("2024-02-29T12:00+02:00", "--to")).to.deep.equal({
      kind: "time",
      seconds: at("2024-02-29T10:00:00Z"),
    });
    expect(rangeEnd("final", "--to")).to.deep.equal({ kind: "final" });
  });

  for (const text of ["", "-1", "1.5", "0x10", "1e6", "2023-02-29", "2024-13-01", "2024-02-29T12:00", "today"]) {
    it(`are not ${JSON.stringify(text)}`, () => {
      expect(() => rangeEnd(text, "--to"))
        .to.throw(InputFailure)
        .with.property("code", "RANGE_MALFORMED");
    });
  }

  it("do not begin at the final block", () => {
    expect(() => rangeEnd("final", "--from")).to.throw(InputFailure);
  });
});
