// The adapter for Sky's savings: what it promises to a vault, the ways of the PSM, and the whole vault with it. In both
// forms (USDS through the wrapper, DAI through the LitePSM), over models that are untested against the genuine code.
import { loadFixture, setBalance, setCode, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import type { HostileVenue } from "../../../typechain-types";
import { ALL, DAY, MAX, WAD, deploySystem, deposit, rebalance, redeem, withdraw, type System } from "../deployment";
import { BUFFER, POCKET, RATE, STILL, deploySky, deploySkyAdapter, file, partsOf, setRate, type Form } from "../sky";

const PERCENT = WAD / 100n;
const STABLE = 10n ** 18n;
const HALTED = MAX;

/** A deposit's rounding in the gem's unit: one, or the two wei that the savings vault rounds where the gem has 18. */
const roundingOf = (decimals: number) => (decimals === 18 ? 2n : 1n);

/** An adapter whose vault is an ordinary account; the savings stand still, at a crooked index. */
async function alone(form: Form, decimals: number, psmName?: "StingyPsm") {
  const [vault, stranger] = await ethers.getSigners();
  if (vault === undefined || stranger === undefined) throw new Error("no signers");
  const token = await (await ethers.getContractFactory("PlainToken")).deploy(decimals);
  const sky = await deploySky(token, psmName);
  await setRate(sky, STILL);
  const adapter = await deploySkyAdapter(sky, form, vault.address);
  const { unit } = sky;
  await token.mint(vault.address, 1_000_000n * unit);
  await token.mint(stranger.address, 20_000_000n * unit);
  const put = async (amount: bigint) => {
    await token.connect(vault).transfer(adapter, amount);
    await adapter.connect(vault).deposit(amount, "0x");
  };
  return { form, decimals, vault, stranger, token, sky, adapter, unit, put, ...partsOf(sky, form) };
}

type Alone = Awaited<ReturnType<typeof alone>>;

/** What a stranger's gems buy of the stable token, in the stranger's hands. */
async function stableFor(parts: Alone, gems: bigint): Promise<bigint> {
  const { token, stranger, psm, stable } = parts;
  await token.connect(stranger).approve(psm, gems);
  const before = await stable.balanceOf(stranger.address);
  await psm.connect(stranger).sellGem(stranger.address, gems);
  return (await stable.balanceOf(stranger.address)) - before;
}

/** Nothing of the adapter's is anybody's to take, and no token of the way lies in it but a gem's worth of dust. */
async function expectClean({ token, stable, psm, savings, adapter, decimals }: Alone): Promise<void> {
  expect(await token.balanceOf(adapter)).to.equal(0n);
  expect(await token.allowance(adapter, psm)).to.equal(0n);
  expect(await stable.allowance(adapter, psm)).to.equal(0n);
  expect(await stable.allowance(adapter, savings)).to.equal(0n);
  expect(await stable.balanceOf(adapter)).to.be.lessThan(2n * 10n ** BigInt(18 - decimals));
}

const usds6 = () => alone("usds", 6);
const usds18 = () => alone("usds", 18);
const dai6 = () => alone("dai", 6);
const dai18 = () => alone("dai", 18);

for (const fixture of [usds6, usds18, dai6, dai18]) {
  describe(`SkySavingsAdapter: what every adapter promises (${fixture.name})`, () => {
    it("says what it is", async () => {
      const { adapter, vault, token, psm, savings, stable, sky, decimals } = await loadFixture(fixture);
      expect(await adapter.kind()).to.equal(ethers.encodeBytes32String("sky-savings"));
      expect(await adapter.exact()).to.equal(true);
      expect(await adapter.vault()).to.equal(vault.address);
      expect(await adapter.asset()).to.equal(await token.getAddress());
      expect(await adapter.venue()).to.equal(await savings.getAddress());
      expect(await adapter.receipt()).to.equal(await savings.getAddress());
      expect(await adapter.psm()).to.equal(await psm.getAddress());
      expect(await adapter.litePsm()).to.equal(await sky.psm.getAddress());
      expect(await adapter.pocket()).to.equal(await sky.psm.pocket());
      expect(await adapter.stable()).to.equal(await stable.getAddress());
      expect(await adapter.prefunded()).to.equal(await sky.dai.getAddress());
      expect(await adapter.stablePerUnit()).to.equal(10n ** BigInt(18 - decimals));
    });

    it("takes orders from its vault only", async () => {
      const { adapter, stranger } = await loadFixture(fixture);
      const as = adapter.connect(stranger);
      for (const call of [
        () => as.deposit(0n, "0x"),
        () => as.withdraw(0n, "0x"),
        () => as.redeemInKind(1n, 1n, stranger.address),
      ]) {
        await expect(call()).to.be.revertedWithCustomError(adapter, "NotVault").withArgs(stranger.address);
      }
    });

    it("puts to work, pays exactly, pays all, and leaves neither money nor allowance behind", async () => {
      const parts = await loadFixture(fixture);
      const { adapter, vault, token, savings, put, unit, decimals } = parts;
      const start = await token.balanceOf(vault.address);
      await put(1_000n * unit);
      expect(await adapter.fairValue()).to.be.within(1_000n * unit - roundingOf(decimals), 1_000n * unit);
      await expectClean(parts);
      await adapter.connect(vault).withdraw(300n * unit, "0x");
      expect(await token.balanceOf(vault.address)).to.equal(start - 700n * unit);
      await expectClean(parts);
      await adapter.connect(vault).withdraw(MAX, "0x");
      expect(await token.balanceOf(vault.address)).to.be.within(start - roundingOf(decimals), start + 1n);
      expect(await savings.balanceOf(adapter)).to.equal(0n);
      expect(await adapter.fairValue()).to.equal(0n);
      await expectClean(parts);
      expect(await adapter.connect(vault).withdraw.staticCall(MAX, "0x")).to.equal(0n);
    });

    it("earns the savings rate by the second", async () => {
      const { adapter, sky, put, unit } = await loadFixture(fixture);
      await put(100_000n * unit);
      const before = await adapter.fairValue();
      await setRate(sky, RATE);
      await time.increase(365n * DAY);
      const growth = Number(((await adapter.fairValue()) - before) * 1_000_000_000n) / Number(before) / 1e9;
      expect(growth).to.be.closeTo(0.045, 1e-7);
    });

    it("pays in kind its part of the savings shares, rounded down", async () => {
      const { adapter, vault, stranger, savings, put, unit } = await loadFixture(fixture);
      await put(1_000n * unit + 1n);
      const held = await savings.balanceOf(adapter);
      await adapter.connect(vault).redeemInKind(1n, 3n, stranger.address);
      expect(await savings.balanceOf(stranger.address)).to.equal(held / 3n);
      await adapter.connect(vault).redeemInKind(0n, 3n, stranger.address);
      expect(await savings.balanceOf(stranger.address)).to.equal(held / 3n);
      expect(await savings.balanceOf(adapter)).to.equal(held - held / 3n);
    });

    it("pays what it is worth to the last unit, with any amount, fee and index, and then is worth nothing", async () => {
      const parts = await loadFixture(fixture);
      const { adapter, vault, token, sky, put, unit } = parts;
      const fees = [0n, 1n, 10n ** 14n + 7n, PERCENT, 3n * PERCENT + 1n, WAD / 2n];
      for (const [round, fee] of fees.entries()) {
        await file(sky, "tout", fee);
        await put(12_345n * unit + BigInt(round * 7_654_321 + 1));
        await setRate(sky, RATE);
        await time.increase(DAY * BigInt(round + 1) + 13n);
        await setRate(sky, STILL);
        const worth = await adapter.fairValue();
        expect(await adapter.exitValue()).to.equal(worth);
        const before = await token.balanceOf(vault.address);
        // A part first, then what is left: neither may cost more than the rounding.
        await adapter.connect(vault).withdraw(worth / 3n, "0x");
        const rest = await adapter.maxWithdraw();
        expect(rest).to.be.at.least(worth - worth / 3n - 2n);
        await adapter.connect(vault).withdraw(rest, "0x");
        expect((await token.balanceOf(vault.address)) - before).to.equal(worth / 3n + rest);
        expect(await adapter.fairValue(), `fee ${fee}`).to.be.at.most(2n);
        await expectClean(parts);
        await adapter.connect(vault).withdraw(MAX, "0x");
        expect(await adapter.fairValue()).to.equal(0n);
      }
    });
  });
}

for (const fixture of [usds6, dai6]) {
  describe(`SkySavingsAdapter: the ways of the PSM (${fixture.name})`, () => {
    it("is worth what remains after the fee on buying gems, and a withdrawal is then no loss", async () => {
      const { adapter, vault, sky, savings, put, unit } = await loadFixture(fixture);
      await put(1_000n * unit);
      await file(sky, "tout", PERCENT);
      const stable = await savings.previewRedeem(await savings.balanceOf(adapter));
      const before = await adapter.fairValue();
      expect(before).to.equal((stable * 100n) / 101n / 10n ** 12n);
      await adapter.connect(vault).withdraw(400n * unit, "0x");
      expect(await adapter.fairValue()).to.be.within(before - 400n * unit - 1n, before - 400n * unit);
    });

    it("enters with less by the fee on selling gems", async () => {
      const { adapter, sky, put, unit } = await loadFixture(fixture);
      await file(sky, "tin", PERCENT);
      await put(1_000n * unit);
      expect(await adapter.fairValue()).to.be.within(990n * unit - 1n, 990n * unit);
    });

    it("neither takes nor pays while halted, and is worth what it would be without a fee", async () => {
      const parts = await loadFixture(fixture);
      const { adapter, vault, sky, savings, put, unit } = parts;
      // All of nothing is nothing, and no complaint.
      expect(await adapter.connect(vault).withdraw.staticCall(MAX, "0x")).to.equal(0n);
      await put(1_000n * unit);
      await file(sky, "tout", PERCENT);
      await file(sky, "tin", HALTED);
      expect([await adapter.maxDeposit(), await adapter.depositableNow()]).to.deep.equal([0n, 0n]);
      expect(await adapter.maxWithdraw()).to.be.greaterThan(990n * unit - 2n);
      await file(sky, "tout", HALTED);
      expect(await adapter.maxWithdraw()).to.equal(0n);
      expect(await adapter.exitValue()).to.equal(0n);
      expect(await adapter.fairValue()).to.be.within(1_000n * unit - 1n, 1_000n * unit);
      const psm = await parts.psm.getAddress();
      for (const assets of [1n, MAX]) {
        await expect(adapter.connect(vault).withdraw(assets, "0x"))
          .to.be.revertedWithCustomError(adapter, "BuyingHalted")
          .withArgs(psm, HALTED);
      }
      await parts.token.connect(vault).transfer(adapter, unit);
      await expect(adapter.connect(vault).deposit(unit, "0x"))
        .to.be.revertedWithCustomError(adapter, "SellingHalted")
        .withArgs(psm, HALTED);
      // In kind needs no PSM.
      await adapter.connect(vault).redeemInKind(1n, 2n, parts.stranger.address);
      expect(await savings.balanceOf(parts.stranger.address)).to.equal(await savings.balanceOf(adapter));
    });

    it("takes nothing where selling gems costs all of it", async () => {
      const { adapter, sky } = await loadFixture(fixture);
      await file(sky, "tin", WAD);
      expect([await adapter.maxDeposit(), await adapter.depositableNow()]).to.deep.equal([0n, 0n]);
      await file(sky, "tin", WAD - 1n);
      expect(await adapter.maxDeposit()).to.be.greaterThan(10n ** 20n);
    });

    it("puts nothing into the savings where nothing came of the gems", async () => {
      const { adapter, token, vault, sky, savings, put, unit } = await loadFixture(fixture);
      await put(1_000n * unit);
      const [shares, money] = [await savings.balanceOf(adapter), await token.balanceOf(vault.address)];
      await file(sky, "tin", WAD);
      await token.connect(vault).transfer(adapter, 10n * unit);
      await expect(adapter.connect(vault).deposit(10n * unit, "0x")).not.to.emit(savings, "Deposit");
      expect(await savings.balanceOf(adapter)).to.equal(shares);
      expect(await token.balanceOf(vault.address)).to.equal(money - 10n * unit);
    });

    it("passes on what the PSM says where neither a halt nor what it pays with is the reason", async () => {
      const { adapter, vault, sky, token, put, unit } = await loadFixture(fixture);
      await put(1_000n * unit);
      // Gems that are not here, and a pocket that lets none go.
      await expect(adapter.connect(vault).deposit(unit, "0x")).to.be.revertedWithCustomError(
        token,
        "ERC20InsufficientBalance",
      );
      const undo = await takeSnapshot();
      const pocket = await sky.psm.pocket();
      await setBalance(pocket, WAD);
      await token.connect(await ethers.getImpersonatedSigner(pocket)).approve(sky.psm, 0n);
      await expect(adapter.connect(vault).withdraw(unit, "0x")).to.be.revertedWithCustomError(
        token,
        "ERC20InsufficientAllowance",
      );
      await undo.restore();
      // The LitePSM's own DAI and the gems are there; the PSM is no contract any more.
      await setCode(await sky.psm.getAddress(), "0x60006000fd");
      await token.connect(vault).transfer(adapter, unit);
      await expect(adapter.connect(vault).deposit(unit, "0x"))
        .to.be.revertedWithCustomError(adapter, "NoAnswer")
        .withArgs(await adapter.psm(), ethers.id("tin()").slice(0, 10));
    });

    it("takes to the last unit what the LitePSM has minted beforehand, fee included, and no more", async () => {
      const { adapter, token, vault, stranger, sky, put, unit } = await loadFixture(fixture);
      expect(await adapter.maxDeposit()).to.equal((POCKET + BUFFER) * unit);
      await file(sky, "tin", 3n * PERCENT + 1n);
      // A stranger leaves 97,000.5 DAI and a little there.
      await token.connect(stranger).approve(sky.psm, MAX);
      const out = (gems: bigint) => gems * 10n ** 12n - (gems * 10n ** 12n * (3n * PERCENT + 1n)) / WAD;
      const free = (await sky.dai.balanceOf(sky.psm)) - 97_000n * STABLE - STABLE / 2n;
      await sky.psm
        .connect(stranger)
        .sellGem(stranger.address, (free * WAD) / (10n ** 12n * (WAD - 3n * PERCENT - 1n)));
      const room = await adapter.maxDeposit();
      const left = await sky.dai.balanceOf(sky.psm);
      expect(out(room)).to.be.at.most(left);
      expect(out(room + 1n)).to.be.greaterThan(left);
      await token.connect(vault).transfer(adapter, room + 1n);
      await expect(adapter.connect(vault).deposit(room + 1n, "0x"))
        .to.be.revertedWithCustomError(adapter, "PsmDry")
        .withArgs(await sky.dai.getAddress(), out(room + 1n), left);
      await adapter.connect(vault).deposit(room, "0x");
      expect(await adapter.maxDeposit()).to.equal(0n);
      // Anybody may have more minted: the stranger's gems and ours back it.
      await sky.psm.fill();
      await file(sky, "tin", 0n);
      await put(unit);
    });

    it("pays to the last unit what the pocket has, and all of it means that", async () => {
      const { adapter, token, vault, stranger, sky, savings, put, unit } = await loadFixture(fixture);
      await put(1_000n * unit);
      await file(sky, "tout", PERCENT);
      await token.burn(await sky.psm.pocket(), (POCKET + 1_000n - 70n) * unit);
      expect(await adapter.maxWithdraw()).to.equal(70n * unit);
      expect(await adapter.exitValue()).to.equal(70n * unit);
      const before = await adapter.fairValue();
      await expect(adapter.connect(vault).withdraw(70n * unit + 1n, "0x"))
        .to.be.revertedWithCustomError(adapter, "PsmDry")
        .withArgs(await token.getAddress(), 70n * unit + 1n, 70n * unit);
      const money = await token.balanceOf(vault.address);
      await adapter.connect(vault).withdraw(MAX, "0x");
      expect((await token.balanceOf(vault.address)) - money).to.equal(70n * unit);
      expect(await adapter.fairValue()).to.be.within(before - 70n * unit - 1n, before - 70n * unit);
      expect(await savings.balanceOf(adapter)).to.be.greaterThan(0n);
      expect(await adapter.maxWithdraw()).to.equal(0n);
      await expect(adapter.connect(vault).withdraw(MAX, "0x"))
        .to.be.revertedWithCustomError(adapter, "PsmDry")
        .withArgs(await token.getAddress(), await adapter.fairValue(), 0n);
      // Gems come back with whoever sells some.
      await token.connect(stranger).approve(sky.psm, MAX);
      await sky.psm.connect(stranger).sellGem(stranger.address, 5_000n * unit);
      await adapter.connect(vault).withdraw(MAX, "0x");
      expect(await savings.balanceOf(adapter)).to.equal(0n);
    });

    it("copes with gifts of each token on its way: they count for nothing, or are the vault's", async () => {
      const parts = await loadFixture(fixture);
      const { adapter, vault, stranger, token, stable, savings, put, unit } = parts;
      await put(1_000n * unit);
      const before = await adapter.fairValue();
      const gift = await stableFor(parts, 50n * unit);
      await stable.connect(stranger).transfer(adapter, gift);
      await token.connect(stranger).transfer(adapter, 7n * unit);
      expect(await adapter.fairValue()).to.equal(before);
      expect(await adapter.maxWithdraw()).to.equal(before);
      const money = await token.balanceOf(vault.address);
      // A deposit puts the stable token to work and gives the gems to the vault.
      await put(10n * unit);
      expect(await adapter.fairValue()).to.be.within(before + 60n * unit - 1n, before + 60n * unit + 1n);
      expect(await token.balanceOf(vault.address)).to.equal(money - 3n * unit);
      await expectClean(parts);
      // A full withdrawal takes what lies here along.
      const second = await stableFor(parts, 50n * unit);
      await stable.connect(stranger).transfer(adapter, second);
      const worth = await adapter.fairValue();
      await adapter.connect(vault).withdraw(MAX, "0x");
      const paid = (await token.balanceOf(vault.address)) - money + 3n * unit;
      expect(paid).to.be.within(worth + 50n * unit, worth + 50n * unit + 1n);
      expect(await adapter.fairValue()).to.equal(0n);
      // Savings shares are worth what they are.
      await stable.connect(stranger).approve(savings, MAX);
      const third = await stableFor(parts, 50n * unit);
      await savings.connect(stranger).deposit(third, adapter);
      expect(await adapter.fairValue()).to.be.within(50n * unit - 1n, 50n * unit);
      await adapter.connect(vault).withdraw(MAX, "0x");
      await expectClean(parts);
    });

    it("pays what the pocket has where a gift alone would buy more, and redeems nothing for it", async () => {
      const parts = await loadFixture(fixture);
      const { adapter, vault, stranger, token, stable, savings, sky, put, unit } = parts;
      await put(1_000n * unit);
      await stable.connect(stranger).transfer(adapter, await stableFor(parts, 50n * unit));
      await token.burn(await sky.psm.pocket(), (POCKET + 1_050n - 30n) * unit);
      const shares = await savings.balanceOf(adapter);
      const money = await token.balanceOf(vault.address);
      await adapter.connect(vault).withdraw(MAX, "0x");
      expect((await token.balanceOf(vault.address)) - money).to.equal(30n * unit);
      expect(await savings.balanceOf(adapter)).to.equal(shares);
      // What is left of the gift goes first, and only the rest is redeemed.
      await token.mint(await sky.psm.pocket(), 70n * unit);
      const worth = await adapter.fairValue();
      await adapter.connect(vault).withdraw(MAX, "0x");
      expect((await token.balanceOf(vault.address)) - money).to.equal(100n * unit);
      expect(await adapter.fairValue()).to.be.within(worth - 50n * unit - 1n, worth - 50n * unit);
      expect(await stable.balanceOf(adapter)).to.equal(0n);
    });

    it("keeps its value when strangers give to the savings vault and the PSM, or empty them", async () => {
      const parts = await loadFixture(fixture);
      const { adapter, stranger, token, stable, savings, sky, put, unit } = parts;
      await put(1_000n * unit);
      const before = await adapter.fairValue();
      await stable.connect(stranger).transfer(savings, await stableFor(parts, 100_000n * unit));
      await token.connect(stranger).transfer(await sky.psm.pocket(), 100_000n * unit);
      await token.connect(stranger).approve(sky.psm, MAX);
      await sky.psm.connect(stranger).sellGem(stranger.address, 9_000_000n * unit);
      expect(await adapter.fairValue()).to.equal(before);
    });

    it("takes and pays nothing when the PSM does not answer, and cannot be valued", async () => {
      const { adapter, psm, put, unit } = await loadFixture(fixture);
      await put(unit);
      await setCode(await psm.getAddress(), "0x");
      expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
      await expect(adapter.fairValue())
        .to.be.revertedWithCustomError(adapter, "NoAnswer")
        .withArgs(await psm.getAddress(), ethers.id("tout()").slice(0, 10));
    });

    it("takes and pays nothing when the savings vault does not answer", async () => {
      const { adapter, savings, put, unit } = await loadFixture(fixture);
      await put(unit);
      await setCode(await savings.getAddress(), "0x");
      expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
    });

    it("is read for less than a fifth of the gas that the vault gives a read, after a year without an accrual", async () => {
      const { adapter, sky, put, unit } = await loadFixture(fixture);
      await put(unit);
      await setRate(sky, RATE);
      await time.increase(365n * DAY);
      const estimate = await adapter.fairValue.estimateGas();
      expect(estimate - 21_000n).to.be.lessThan(80_000n);
    });
  });
}

describe("SkySavingsAdapter: a PSM that does other than asked", () => {
  const stingy = () => alone("dai", 6, "StingyPsm");

  async function set(parts: Alone, leaves: bigint, keeps: bigint): Promise<void> {
    const psm = await ethers.getContractAt("StingyPsm", await parts.psm.getAddress());
    await psm.set(leaves, keeps);
  }

  it("takes its allowance back when the PSM takes less, and returns the rest", async () => {
    const parts = await loadFixture(stingy);
    const { adapter, vault, token, put, unit } = parts;
    const before = await token.balanceOf(vault.address);
    await set(parts, 250n * unit, 0n);
    await put(600n * unit);
    expect(await token.balanceOf(vault.address)).to.equal(before - 350n * unit);
    await expectClean(parts);
    await set(parts, 10n * unit, 0n);
    await adapter.connect(vault).withdraw(300n * unit, "0x");
    expect(await parts.stable.allowance(adapter, parts.psm)).to.equal(0n);
  });

  it("does not pass less on than was asked", async () => {
    const parts = await loadFixture(stingy);
    await parts.put(600n * parts.unit);
    await set(parts, 0n, 1n);
    await expect(parts.adapter.connect(parts.vault).withdraw(50n, "0x"))
      .to.be.revertedWithCustomError(parts.adapter, "Inexact")
      .withArgs(50n, 49n);
  });
});

describe("SkySavingsAdapter: a savings vault that limits or takes less", () => {
  /** Its first shares are burned. */
  async function limited(name: "HostileVenue" | "StingyVenue") {
    const parts = await alone("dai", 6);
    const { vault, stranger, sky, token, unit } = parts;
    const savings = (await (
      await ethers.getContractFactory(name)
    ).deploy(await sky.dai.getAddress())) as unknown as HostileVenue;
    const gift = await stableFor(parts, unit);
    await sky.dai.connect(stranger).approve(savings, MAX);
    await savings.connect(stranger).deposit(gift, stranger.address);
    const adapter = await (
      await ethers.getContractFactory("SkySavingsAdapter")
    ).deploy(vault.address, sky.psm, savings);
    const put = async (amount: bigint) => {
      await token.connect(vault).transfer(adapter, amount);
      await adapter.connect(vault).deposit(amount, "0x");
    };
    return { ...parts, savings, adapter, put };
  }
  const hostile = () => limited("HostileVenue");
  const stingy = () => limited("StingyVenue");

  it("takes and pays no more than the savings vault does", async () => {
    const { adapter, vault, token, savings, put, unit } = await loadFixture(hostile);
    await put(1_000n * unit);
    await savings.setDepositLimit(7n * STABLE + STABLE / 2n);
    expect(await adapter.maxDeposit()).to.equal(7_500_000n);
    await savings.setLiquidity(300n * STABLE);
    expect(await adapter.maxWithdraw()).to.equal(300n * unit);
    expect(await adapter.exitValue()).to.equal(300n * unit);
    expect(await adapter.fairValue()).to.equal(1_000n * unit);
    const before = await token.balanceOf(vault.address);
    await adapter.connect(vault).withdraw(MAX, "0x");
    expect((await token.balanceOf(vault.address)) - before).to.equal(300n * unit);
    expect(await adapter.fairValue()).to.equal(700n * unit);
  });

  it("is worth what leaving the savings vault pays, after its fee", async () => {
    const { adapter, savings, put, unit } = await loadFixture(hostile);
    await put(1_000n * unit);
    await savings.setFees(0n, 100n);
    expect(await adapter.fairValue()).to.equal(990n * unit);
  });

  it("takes its allowance back when the savings vault takes less; what it left goes with the next deposit", async () => {
    const { adapter, savings, stable, put, unit } = await loadFixture(stingy);
    const venue = await ethers.getContractAt("StingyVenue", await savings.getAddress());
    await venue.set(250n * STABLE, 0n);
    await put(600n * unit);
    expect(await stable.allowance(adapter, savings)).to.equal(0n);
    expect(await stable.balanceOf(adapter)).to.equal(250n * STABLE);
    await venue.set(0n, 0n);
    await put(unit);
    expect(await stable.balanceOf(adapter)).to.equal(0n);
  });
});

describe("SkySavingsAdapter: what it refuses to be made of", () => {
  async function made() {
    const parts = await alone("usds", 6);
    const factory = await ethers.getContractFactory("SkySavingsAdapter");
    const make = async (psm: { getAddress(): Promise<string> }, savings: { getAddress(): Promise<string> }) =>
      factory.deploy(parts.vault.address, psm, savings);
    const posing = async (over: { gem?: string; dai?: string; pocket?: string; factor?: bigint; psm?: string }) => {
      const { token, sky } = parts;
      const arguments_ = [
        over.gem ?? (await token.getAddress()),
        over.dai ?? (await sky.usds.getAddress()),
        over.pocket ?? (await sky.psm.pocket()),
        over.factor ?? 10n ** 12n,
      ] as const;
      if (over.psm === undefined) return (await ethers.getContractFactory("PosingPsm")).deploy(...arguments_);
      return (await ethers.getContractFactory("PosingWrapper")).deploy(...arguments_, over.psm);
    };
    return { ...parts, factory, make, posing };
  }

  it("a savings vault of another token than the PSM's", async () => {
    const { make, factory, sky } = await loadFixture(made);
    const [usds, dai] = [await sky.usds.getAddress(), await sky.dai.getAddress()];
    await expect(make(sky.wrapper, sky.sDai))
      .to.be.revertedWithCustomError(factory, "WrongSavings")
      .withArgs(await sky.sDai.getAddress(), dai, usds);
    await expect(make(sky.psm, sky.sUsds))
      .to.be.revertedWithCustomError(factory, "WrongSavings")
      .withArgs(await sky.sUsds.getAddress(), usds, dai);
  });

  it("a PSM or a savings vault that is none", async () => {
    const { make, factory, sky, token, stranger } = await loadFixture(made);
    const selector = (name: string) => ethers.id(`${name}()`).slice(0, 10);
    await expect(make(token, sky.sUsds))
      .to.be.revertedWithCustomError(factory, "NoAnswer")
      .withArgs(await token.getAddress(), selector("gem"));
    await expect(make(stranger, sky.sUsds))
      .to.be.revertedWithCustomError(factory, "NoAnswer")
      .withArgs(stranger.address, selector("gem"));
    await expect(make(sky.wrapper, token))
      .to.be.revertedWithCustomError(factory, "NoAnswer")
      .withArgs(await token.getAddress(), selector("asset"));
  });

  it("a factor that the decimals do not bear out", async () => {
    const { make, factory, posing, sky } = await loadFixture(made);
    const plain = await ethers.getContractFactory("PlainToken");
    for (const [over, factor, gemDecimals, stableDecimals] of [
      [{ factor: 10n ** 11n }, 10n ** 11n, 6n, 18n],
      [{ gem: await (await plain.deploy(18)).getAddress() }, 10n ** 12n, 18n, 18n],
      [{ gem: await (await plain.deploy(24)).getAddress() }, 10n ** 12n, 24n, 18n],
      [{ dai: await (await plain.deploy(6)).getAddress() }, 10n ** 12n, 6n, 6n],
    ] as const) {
      await expect(make(await posing(over), sky.sUsds))
        .to.be.revertedWithCustomError(factory, "WrongConversion")
        .withArgs(factor, gemDecimals, stableDecimals);
    }
  });

  it("a wrapper around a PSM with another gem or another pocket", async () => {
    const { make, factory, posing, sky, token, stranger } = await loadFixture(made);
    const [gem, pocket, psm] = [await token.getAddress(), await sky.psm.pocket(), await sky.psm.getAddress()];
    await expect(make(await posing({ pocket: stranger.address, psm }), sky.sUsds))
      .to.be.revertedWithCustomError(factory, "WrongLitePsm")
      .withArgs(psm, gem, pocket);
    const other = await (await ethers.getContractFactory("PlainToken")).deploy(6);
    await expect(make(await posing({ gem: await other.getAddress(), psm }), sky.sUsds))
      .to.be.revertedWithCustomError(factory, "WrongLitePsm")
      .withArgs(psm, gem, pocket);
  });
});

/** Alice has 1,000,000 in a vault with a plain venue and Sky, 100,000 in each; Bob has 500,000. */
async function inVault(form: Form, decimals: number) {
  const system = await deploySystem({ venues: 1, decimals });
  const sky = await deploySky(system.token);
  const adapter = await deploySkyAdapter(sky, form, system.vault);
  await system.vault
    .connect(system.owner)
    .addAdapter({ adapter: await adapter.getAddress(), absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
  const { unit } = system;
  await deposit(system, system.alice, 1_000_000n * unit);
  await deposit(system, system.bob, 500_000n * unit);
  await time.increase(DAY);
  const plain = system.adapters[0];
  if (plain === undefined) throw new Error("no venue");
  await rebalance(system, [
    [plain, 100_000n * unit],
    [adapter, 100_000n * unit],
  ]);
  await time.increase(DAY);
  return { system, sky, adapter, plain, unit, ...partsOf(sky, form) };
}

async function paidTo(system: System, who: string, act: () => Promise<unknown>): Promise<bigint> {
  const before = await system.token.balanceOf(who);
  await act();
  return (await system.token.balanceOf(who)) - before;
}

const vaultUsds6 = () => inVault("usds", 6);
const vaultUsds18 = () => inVault("usds", 18);
const vaultDai6 = () => inVault("dai", 6);

for (const fixture of [vaultUsds6, vaultUsds18, vaultDai6]) {
  describe(`SkySavingsAdapter: in a vault (${fixture.name})`, () => {
    it("30 days of the savings rate come to the holders, and every holder leaves with them", async () => {
      const { system, adapter, unit } = await loadFixture(fixture);
      const { vault, alice, bob } = system;
      await time.increase(30n * DAY);
      await vault.accrue();
      // 100,000 at 4.5 % for 31 days and some transactions.
      const gain = (await adapter.fairValue()) - 100_000n * unit;
      expect(gain).to.be.within(374n * unit, 375n * unit);
      const before = await vault.totalAssets();
      expect(before).to.be.within(1_500_374n * unit, 1_500_376n * unit);
      // Bob is paid from idle, Alice from idle and both venues.
      const bobs = await paidTo(system, bob.address, async () =>
        redeem(system, bob, await vault.balanceOf(bob.address)),
      );
      const alices = await paidTo(system, alice.address, async () =>
        redeem(system, alice, await vault.balanceOf(alice.address)),
      );
      expect(bobs).to.be.within(500_124n * unit, 500_126n * unit);
      expect(alices).to.be.within(1_000_249n * unit, 1_000_251n * unit);
      expect(await adapter.fairValue()).to.be.lessThan(2n * unit);
    });

    it("an exit that needs the venue is paid exactly, and costs those who stay nothing, fee or not", async () => {
      const { system, sky, unit } = await loadFixture(fixture);
      const { vault, alice, bob } = system;
      await file(sky, "tout", PERCENT);
      await vault.accrue();
      const price = await vault.sharePrice();
      expect(await vault.totalAssets()).to.be.within(1_499_000n * unit, 1_499_100n * unit);
      await withdraw(system, bob, 450_000n * unit);
      const paid = await paidTo(system, alice.address, async () => withdraw(system, alice, 980_000n * unit));
      expect(paid).to.equal(980_000n * unit);
      expect(await vault.sharePrice()).to.be.at.least(price);
    });

    it("a plan takes all of it out, and the adapter can be removed", async () => {
      const { system, adapter } = await loadFixture(fixture);
      await rebalance(system, [[adapter, ALL]], { maxLoss: 2n });
      expect(await adapter.fairValue()).to.equal(0n);
      await system.vault.connect(system.owner).removeAdapter(adapter);
      expect(await system.vault.adapters()).to.have.length(1);
    });

    it("a plan that enters at a fee is a loss, refused above the vault's bound, booked below", async () => {
      const { system, sky, adapter, unit } = await loadFixture(fixture);
      const { vault } = system;
      await file(sky, "tin", PERCENT);
      await expect(rebalance(system, [[adapter, 200_000n * unit]])).to.be.revertedWithCustomError(
        vault,
        "LossExceeded",
      );
      const before = await vault.totalAssets();
      await rebalance(system, [[adapter, 100_000n * unit]]);
      expect(before - (await vault.totalAssets())).to.be.within(999n * unit, 1_000n * unit + 2n);
    });

    it("a fee that governance raises is a loss at once, for who leaves and who stays alike", async () => {
      const { system, sky, adapter } = await loadFixture(fixture);
      const { vault } = system;
      await setRate(sky, STILL);
      await vault.accrue();
      const [before, worth] = [await vault.totalAssets(), await adapter.fairValue()];
      await file(sky, "tout", WAD / 10n);
      await vault.accrue();
      expect(before - (await vault.totalAssets())).to.be.within(worth / 11n - 1n, worth / 11n + 1n);
    });

    it("halted, exits are paid from the rest, plans from it fail, and nothing is lost", async () => {
      const { system, sky, adapter, psm, plain, unit } = await loadFixture(fixture);
      const { vault, alice, bob } = system;
      await file(sky, "tout", HALTED);
      await file(sky, "tin", HALTED);
      await expect(rebalance(system, [[adapter, unit]]))
        .to.be.revertedWithCustomError(adapter, "SellingHalted")
        .withArgs(await psm.getAddress(), HALTED);
      expect(await vault.totalAssets()).to.be.within(1_500_000n * unit, 1_500_030n * unit);
      expect(await paidTo(system, alice.address, async () => withdraw(system, alice, 1_000_000n * unit))).to.equal(
        1_000_000n * unit,
      );
      expect(await paidTo(system, bob.address, async () => withdraw(system, bob, 399_000n * unit))).to.equal(
        399_000n * unit,
      );
      for (const assets of [-unit, ALL]) {
        await expect(rebalance(system, [[adapter, assets]]))
          .to.be.revertedWithCustomError(adapter, "BuyingHalted")
          .withArgs(await psm.getAddress(), HALTED);
      }
      // What is left is in Sky and on the way: the last of Bob's waits, or leaves in kind.
      expect(await plain.fairValue()).to.be.lessThan(2_000n * unit);
      await expect(withdraw(system, bob, 90_000n * unit)).to.be.revertedWithCustomError(vault, "InsufficientLiquidity");
      await file(sky, "tout", 0n);
      await withdraw(system, bob, 90_000n * unit);
    });

    it("with a dry pocket, exits are paid from the rest and take from it what it has", async () => {
      const { system, sky, adapter, unit } = await loadFixture(fixture);
      const { vault, token, alice } = system;
      await token.burn(await sky.psm.pocket(), (POCKET + 100_000n - 300n) * unit);
      expect(await vault.maxWithdraw(alice.address)).to.be.at.least(1_000_000n * unit);
      expect(await adapter.maxWithdraw()).to.equal(300n * unit);
      await withdraw(system, alice, 999_999n * unit);
      await withdraw(system, system.bob, 400_200n * unit);
      expect(await adapter.maxWithdraw()).to.be.lessThan(300n * unit);
    });

    it("in kind pays the savings shares, halted or not", async () => {
      const { system, sky, adapter, savings, stable, unit } = await loadFixture(fixture);
      const { vault, alice, token } = system;
      await file(sky, "tout", HALTED);
      const shares = await vault.balanceOf(alice.address);
      const money = await paidTo(system, alice.address, async () =>
        vault.connect(alice).redeemInKind(shares, alice.address, []),
      );
      // Two thirds of idle and of each position.
      expect(money).to.be.within(866_666n * unit, 866_668n * unit);
      const got = await savings.balanceOf(alice.address);
      expect(await savings.convertToAssets(got)).to.be.within(66_666n * STABLE, 66_700n * STABLE);
      expect(await adapter.fairValue()).to.be.within(33_333n * unit, 33_350n * unit);
      // They are hers: she redeems them for the stable token herself.
      await savings.connect(alice).redeem(got, alice.address, alice.address);
      expect(await stable.balanceOf(alice.address)).to.be.at.least(66_666n * STABLE);
      expect(await token.balanceOf(adapter)).to.equal(0n);
    });

    it("gifts to the adapter enter as a gain that drips, and stop nobody", async () => {
      const { system, adapter, psm, stable, savings, unit } = await loadFixture(fixture);
      const { vault, token, stranger, alice } = system;
      await vault.accrue();
      const before = await vault.totalAssets();
      await token.connect(stranger).approve(psm, MAX);
      await psm.connect(stranger).sellGem(stranger.address, 30_000n * unit);
      await stable.connect(stranger).approve(savings, MAX);
      await savings.connect(stranger).deposit(10_000n * STABLE, adapter);
      await stable.connect(stranger).transfer(adapter, 10_000n * STABLE);
      await token.connect(stranger).transfer(adapter, 10_000n * unit);
      await vault.accrue();
      // maxRate is 50 % a year: a few seconds of it.
      expect((await vault.totalAssets()) - before).to.be.lessThan(unit);
      await rebalance(system, [[adapter, 1_000n * unit]]);
      await time.increase(30n * DAY);
      await vault.accrue();
      expect((await vault.totalAssets()) - before).to.be.within(30_000n * unit, 31_000n * unit);
      await withdraw(system, alice, 1_000_000n * unit);
    });

    it("a vault of another asset refuses it", async () => {
      const { system, sky } = await loadFixture(fixture);
      const other = await deploySystem({ venues: 0 });
      const foreign = await deploySkyAdapter(sky, "usds", other.vault);
      await expect(
        other.vault
          .connect(other.owner)
          .addAdapter({ adapter: await foreign.getAddress(), absoluteCap: MAX, relativeCap: WAD, groupMask: 0n }),
      ).to.be.revertedWithCustomError(other.vault, "AdapterOfOtherAsset");
      expect(await system.vault.adapters()).to.have.length(2);
    });
  });
}

describe("Sky's models", () => {
  it("grow by the rate a second, whenever they are accrued", async () => {
    const { sky } = await loadFixture(usds6);
    await setRate(sky, RATE);
    const before = await sky.sUsds.convertToAssets(10n ** 27n);
    const at = await time.latest();
    for (let day = 0; day < 5; day++) {
      await time.increase(73n * DAY);
      await sky.sUsds.drip();
    }
    const growth = Number(((await sky.sUsds.convertToAssets(10n ** 27n)) * 10n ** 12n) / before) / 1e12 - 1;
    const seconds = (await time.latest()) - at;
    expect(growth).to.be.closeTo((Number(RATE) / 1e27) ** seconds - 1, 1e-6);
  });
});
