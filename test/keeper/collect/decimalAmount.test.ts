import { expect } from "chai";
import fc from "fast-check";
import { unitsOf } from "../../../keeper/collect/decimalAmount";

describe("a decimal amount in units of its token", () => {
  it("is exact to the last digit", () => {
    const cases: readonly (readonly [string, number, string])[] = [
      ["0", 18, "0"],
      ["1", 6, "1000000"],
      ["-1.5", 6, "-1500000"],
      ["0.000000000000000001", 18, "1"],
      ["9007199254740993.123456789012345678", 18, "9007199254740993123456789012345678"],
      ["1234.500000", 2, "123450"],
      ["007", 0, "7"],
      ["-0.0", 6, "0"],
      ["1.5e3", 2, "150000"],
      ["25E-2", 2, "25"],
    ];
    for (const [text, decimals, units] of cases) expect(unitsOf(text, decimals), text).to.equal(units);
  });

  it("is refused where it is no number, is finer than a unit, or has more digits than the index keeps", () => {
    const cases: readonly (readonly [string, number])[] = [
      ["", 6],
      [".5", 6],
      ["1.", 6],
      ["1,5", 6],
      ["0x10", 6],
      ["NaN", 6],
      ["1e9999", 6],
      ["0.0000001", 6],
      ["1.5", 0],
      ["25e-3", 2],
      ["12345678901234567.123456789012345678", 18],
      ["10000000000000000", 18],
    ];
    for (const [text, decimals] of cases) expect(unitsOf(text, decimals), text).to.equal(null);
  });

  it("comes back from any amount of up to 34 digits", () => {
    const amounts = fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n });
    fc.assert(
      fc.property(amounts, fc.integer({ min: 0, max: 30 }), (units, decimals) => {
        const digits = String(units < 0n ? -units : units).padStart(decimals + 1, "0");
        const whole = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
        expect(unitsOf(units < 0n ? `-${whole}` : whole, decimals)).to.equal(String(units));
      }),
      { seed: 6 },
    );
  });
});
