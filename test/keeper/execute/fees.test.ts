import { expect } from "chai";
import { feesFor, highestBaseFee } from "../../../keeper/execute/fees";

const GWEI = 10n ** 9n;
const limits = { maxFeePerGas: 60n * GWEI, maxPriorityFeePerGas: GWEI };

describe("fees of a bundle", () => {
  it("cover the base fee after a full block, and the tip", () => {
    const fees = feesFor(20n * GWEI, limits);
    expect(fees).to.deep.equal({ maxFeePerGas: (20n * GWEI * 1125n) / 1000n + 1n + GWEI, maxPriorityFeePerGas: GWEI });
    expect(highestBaseFee(20n * GWEI, 2)).to.equal((((20n * GWEI * 1125n) / 1000n + 1n) * 1125n) / 1000n + 1n);
  });

  it("stop at the ceiling", () => {
    expect(feesFor(59n * GWEI, limits)).to.deep.equal({ maxFeePerGas: 60n * GWEI, maxPriorityFeePerGas: GWEI });
  });

  it("are none when even an empty block would leave the base fee above the ceiling", () => {
    expect(feesFor(68n * GWEI, limits)).to.not.equal(null);
    expect(feesFor(69n * GWEI, limits)).to.equal(null);
  });

  it("never tip more than they pay", () => {
    expect(feesFor(0n, { maxFeePerGas: 5n, maxPriorityFeePerGas: GWEI })).to.deep.equal({
      maxFeePerGas: 5n,
      maxPriorityFeePerGas: 5n,
    });
  });
});
