// The caller's own minimum at the adapter of Sky's savings: what it is counted in, each way, to the unit, and that nothing is
// refused without one. The PSM's fee is what it guards against: it may change between a plan and its block.
import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { MAX, WAD } from "../deployment";
import { STILL, deploySky, deploySkyAdapter, file, partsOf, setRate, type Form } from "../sky";

const UNIT = 10n ** 6n;
const PUT = 1_000n * UNIT;
/** A tenth of a percent. */
const FEE = WAD / 1_000n;

const encoded = (least: bigint): string => ethers.AbiCoder.defaultAbiCoder().encode(["uint256"], [least]);

async function scene(form: Form) {
  const [vault] = await ethers.getSigners();
  if (vault === undefined) throw new Error("no signers");
  const token = await (await ethers.getContractFactory("PlainToken")).deploy(6);
  const sky = await deploySky(token);
  await setRate(sky, STILL);
  const adapter = await deploySkyAdapter(sky, form, vault.address);
  await token.mint(vault.address, 100n * PUT);
  const errors = await ethers.getContractAt("ILiquidityAdapter", await adapter.getAddress());
  const { savings } = partsOf(sky, form);
  const put = async (data: string) => {
    await token.connect(vault).transfer(adapter, PUT);
    return adapter.connect(vault).deposit(PUT, data);
  };
  return { vault, token, sky, adapter, errors, savings, put };
}

const usds = () => scene("usds");
const dai = () => scene("dai");

for (const fixture of [usds, dai]) {
  describe(`SkySavingsAdapter: the caller's own minimum (${fixture.name})`, () => {
    it("of a deposit is the least shares that come, those that were there not among them", async () => {
      const { adapter, errors, savings, sky, put } = await loadFixture(fixture);
      await put("0x");
      const shares = await savings.balanceOf(adapter);
      await put(encoded(shares));
      await expect(put(encoded(shares + 1n)))
        .to.be.revertedWithCustomError(errors, "FloorMissed")
        .withArgs(shares, shares + 1n);
      await file(sky, "tin", FEE);
      await expect(put(encoded(shares)))
        .to.be.revertedWithCustomError(errors, "FloorMissed")
        .withArgs((came: bigint) => came < shares && came > (shares * 998n) / 1_000n, shares);
      // Who asks for nothing pays the fee.
      await put("0x");
    });

    it("is nothing or one word", async () => {
      const { adapter, errors, vault, put } = await loadFixture(fixture);
      await put("0x");
      for (const length of [1, 31, 33, 64]) {
        const data = ethers.hexlify(new Uint8Array(length));
        for (const move of [() => put(data), () => adapter.connect(vault).withdraw(1n, data)]) {
          await expect(move()).to.be.revertedWithCustomError(errors, "MalformedData").withArgs(length, 32);
        }
      }
    });

    it("of a withdrawal of an amount is the least shares that are left", async () => {
      const { adapter, errors, savings, sky, vault, put } = await loadFixture(fixture);
      await put("0x");
      const as = adapter.connect(vault);
      const held = await savings.balanceOf(adapter);
      await as.withdraw(PUT / 4n, "0x");
      const left = (await savings.balanceOf(adapter)) - (held - (await savings.balanceOf(adapter)));
      await as.withdraw(PUT / 4n, encoded(left - 1n));
      const rest = await savings.balanceOf(adapter);
      await file(sky, "tout", FEE);
      await expect(as.withdraw(PUT / 4n, encoded(rest / 2n)))
        .to.be.revertedWithCustomError(errors, "FloorMissed")
        .withArgs((reached: bigint) => reached < rest / 2n && reached > rest / 2n - rest / 900n, rest / 2n);
      await as.withdraw(PUT / 4n, "0x");
    });

    it("of a withdrawal of everything is the least assets that come, also when nothing can", async () => {
      const { adapter, errors, token, sky, vault, put } = await loadFixture(fixture);
      await put("0x");
      const as = adapter.connect(vault);
      const value = await adapter.fairValue();
      await expect(as.withdraw(MAX, encoded(PUT + 1n)))
        .to.be.revertedWithCustomError(errors, "FloorMissed")
        .withArgs((reached: bigint) => reached >= value && reached <= PUT, PUT + 1n);
      await file(sky, "tout", FEE);
      await expect(as.withdraw(MAX, encoded(value))).to.be.revertedWithCustomError(errors, "FloorMissed");
      await file(sky, "tout", MAX);
      await expect(as.withdraw(MAX, encoded(1n))).to.be.revertedWithCustomError(adapter, "BuyingHalted");
      await file(sky, "tout", 0n);
      const pocket = await sky.psm.pocket();
      const gems = await token.balanceOf(pocket);
      await token.burn(pocket, gems);
      await expect(as.withdraw(MAX, encoded(1n)))
        .to.be.revertedWithCustomError(errors, "FloorMissed")
        .withArgs(0n, 1n);
      await token.mint(pocket, gems);
      const before = await token.balanceOf(vault.address);
      await as.withdraw(MAX, encoded(value));
      expect((await token.balanceOf(vault.address)) - before).to.be.at.least(value);
    });
  });
}
