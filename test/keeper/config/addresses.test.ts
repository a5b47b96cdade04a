import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { loadAddresses } from "../../../keeper/config/addresses";
import { InputFailure } from "../../../keeper/config/failure";

const A = (digit: string): string => `0x${digit.repeat(40)}`;
const deployment = {
  format: "tiller-addresses/1",
  network: "local",
  chainId: 31_337,
  genesisHash: `0x${"1".repeat(64)}`,
  deployedAtBlock: 7,
  asset: { address: A("1"), symbol: "USDC", decimals: 6 },
  vault: A("2"),
  timelock: A("3"),
  lens: A("4"),
  guardian: A("5"),
  keepers: ["0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"],
  adapters: [
    { id: "aave-v3-usdc", kind: "aave-v3", adapter: A("6"), venue: A("7") },
    { id: "savings-usdc", kind: "erc4626", adapter: A("8"), venue: A("9") },
  ],
};

describe("the address file", () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-addresses-"));
    file = path.join(folder, "addresses.json");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const failureOf = (content: unknown): InputFailure => {
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
    try {
      loadAddresses(file);
    } catch (error) {
      expect(error).to.be.instanceOf(InputFailure);
      return error as InputFailure;
    }
    throw new Error("the file was accepted");
  };

  it("is read with addresses in checksum form", () => {
    writeFileSync(file, JSON.stringify(deployment));
    const addresses = loadAddresses(file);
    expect(addresses.keepers[0]).to.equal("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
    expect(addresses.adapters.map((entry) => entry.id)).to.deep.equal(["aave-v3-usdc", "savings-usdc"]);
  });

  it("names the remedy when it is absent", () => {
    expect(() => loadAddresses(path.join(folder, "none.json")))
      .to.throw(InputFailure)
      .with.property("code", "ADDRESSES_MISSING");
  });

  it("names the file and the place that is wrong", () => {
    expect(failureOf({ ...deployment, vault: "0x12" }).line())
      .to.contain(file)
      .and.to.contain("vault");
    expect(failureOf({ ...deployment, typo: 1 }).code).to.equal("ADDRESSES_MALFORMED");
    expect(failureOf("{").message).to.contain("is not JSON");
  });

  it("refuses a checksum that does not hold", () => {
    const keepers = ["0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB49"];
    expect(failureOf({ ...deployment, keepers }).message).to.contain("keepers.0");
  });

  it("refuses one venue id or one adapter for two entries", () => {
    const [first, second] = deployment.adapters;
    const sameId = [first, { ...second, id: first?.id }];
    expect(failureOf({ ...deployment, adapters: sameId }).message).to.contain("adapters.1.id");
    const sameAdapter = [first, { ...second, adapter: first?.adapter }];
    expect(failureOf({ ...deployment, adapters: sameAdapter }).message).to.contain("adapters.1.adapter");
  });
});
