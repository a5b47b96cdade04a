import { expect } from "chai";
import { checkHeader, headerHash, headerSchema } from "../../../scripts/fork/header";
import { HEADER } from "./sampleTape";

describe("block header", () => {
  it("hashes mainnet's block 20,000,000 to its hash", () => {
    expect(headerHash(HEADER)).to.equal("0xd24fd73f794058a3807db926d8898c6481e902b7edb91ce0d479d6760f276183");
    expect(checkHeader(HEADER)).to.equal("verified");
  });

  for (const [field, value] of [
    ["timestamp", "0x665ba280"],
    ["baseFeePerGas", "0x12643ff15"],
    ["gasLimit", "0x1c9c381"],
    ["stateRoot", `0x${"11".repeat(32)}`],
    ["nonce", "0x0000000000000001"],
    ["parentBeaconBlockRoot", `0x${"22".repeat(32)}`],
  ] as const) {
    it(`is not its hash when ${field} is another`, () => {
      expect(checkHeader({ ...HEADER, [field]: value })).to.equal("mismatch");
    });
  }

  it("says nothing of a header with a hashed field that it does not know", () => {
    const { hash: _, ...rest } = HEADER;
    const foreign = { ...rest, hash: `0x${"33".repeat(32)}`, l1BlockNumber: "0x1" };
    expect(checkHeader(headerSchema.parse(foreign))).to.equal("unknown-fields");
  });

  it("does not count size or total difficulty as hashed", () => {
    expect(checkHeader({ ...HEADER, size: "0x1", totalDifficulty: "0x1" })).to.equal("verified");
  });
});
