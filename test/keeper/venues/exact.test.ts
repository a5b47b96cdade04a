import { expect } from "chai";
import fc from "fast-check";
import { ratio, wholeUnits } from "../../../keeper/venues/exact";

describe("an exact ratio as a double", () => {
  it("is the nearest one: what the language makes of the same decimal", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), fc.integer({ min: 0, max: 27 }), (amount, decimals) => {
        const digits = amount.toString().padStart(decimals + 1, "0");
        const text = `${digits.slice(0, digits.length - decimals)}.${digits.slice(digits.length - decimals)}`;
        expect(wholeUnits(amount, decimals)).to.equal(Number(text));
      }),
      { seed: 5, numRuns: 2_000 },
    );
  });

  it("keeps sign and zero", () => {
    expect(ratio(-1n, 4n)).to.equal(-0.25);
    expect(ratio(0n, 4n)).to.equal(0);
    expect(ratio(1n, 10n ** 27n)).to.equal(1e-27);
    expect(ratio(2n ** 255n, 1n)).to.equal(2 ** 255);
  });
});
