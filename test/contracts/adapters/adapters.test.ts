// What each adapter promises to the vault, with an ordinary account as the vault, and the ways of its venue that it must
// cope with. The genuine protocols are tested on the local chain and on forks.
import { loadFixture, setCode } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import type { IAdapter } from "../../../typechain-types";
import { MAX } from "../deployment";

const UNIT = 1_000_000n;
const RAY = 10n ** 27n;

async function base() {
  const [vault, stranger] = await ethers.getSigners();
  const token = await (await ethers.getContractFactory("PlainToken")).deploy(6);
  await token.mint(vault!.address, 1_000_000n * UNIT);
  return { vault: vault!, stranger: stranger!, token };
}

async function aave() {
  const parts = await base();
  const pool = await (await ethers.getContractFactory("SmallAavePool")).deploy(parts.token);
  const factory = await ethers.getContractFactory("AaveV3Adapter");
  const adapter = await factory.deploy(parts.vault.address, pool, parts.token, ethers.ZeroAddress);
  const aToken = await ethers.getContractAt("SmallAaveToken", await pool.aToken());
  const debt = await ethers.getContractAt("SmallAaveDebt", await pool.debt());
  return { ...parts, pool, adapter, aToken, debt, factory };
}

async function comet() {
  const parts = await base();
  const venue = await (await ethers.getContractFactory("SmallComet")).deploy(parts.token);
  const adapter = await (
    await ethers.getContractFactory("CompoundV3Adapter")
  ).deploy(parts.vault.address, venue, ethers.ZeroAddress);
  return { ...parts, venue, adapter };
}

async function savings() {
  const parts = await base();
  const venue = await (await ethers.getContractFactory("HostileVenue")).deploy(parts.token);
  const adapter = await (await ethers.getContractFactory("ERC4626Adapter")).deploy(parts.vault.address, venue);
  return { ...parts, venue, adapter };
}

async function stingy() {
  const parts = await base();
  const venue = await (await ethers.getContractFactory("StingyVenue")).deploy(parts.token);
  const adapter = await (await ethers.getContractFactory("ERC4626Adapter")).deploy(parts.vault.address, venue);
  return { ...parts, venue, adapter };
}

type Parts = Awaited<ReturnType<typeof base>>;

/** As the vault does: pays the adapter, then tells it. */
async function put(parts: Parts & { adapter: unknown }, amount: bigint): Promise<void> {
  const adapter = parts.adapter as IAdapter;
  await parts.token.connect(parts.vault).transfer(await adapter.getAddress(), amount);
  await adapter.connect(parts.vault).deposit(amount, "0x");
}

const kinds = [
  ["AaveV3Adapter", "aave-v3", aave, async (p: Awaited<ReturnType<typeof aave>>) => p.pool.getAddress()],
  ["CompoundV3Adapter", "compound-v3", comet, async (p: Awaited<ReturnType<typeof comet>>) => p.venue.getAddress()],
  ["ERC4626Adapter", "erc4626", savings, async (p: Awaited<ReturnType<typeof savings>>) => p.venue.getAddress()],
] as const;

for (const [name, kind, fixture, venueOf] of kinds) {
  describe(`${name}: what every adapter promises`, () => {
    it("says what it is", async () => {
      const parts = await loadFixture(fixture as () => Promise<never>);
      const { adapter, vault, token } = parts as Parts & { adapter: IAdapter };
      expect(await adapter.kind()).to.equal(ethers.encodeBytes32String(kind));
      expect(await adapter.exact()).to.equal(true);
      expect(await adapter.vault()).to.equal(vault.address);
      expect(await adapter.asset()).to.equal(await token.getAddress());
      expect(await adapter.venue()).to.equal(await venueOf(parts));
    });

    it("takes orders from its vault only", async () => {
      const parts = await loadFixture(fixture as () => Promise<never>);
      const { adapter, stranger } = parts as Parts & { adapter: IAdapter };
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
      const parts = await loadFixture(fixture as () => Promise<never>);
      const { adapter, vault, token } = parts as Parts & { adapter: IAdapter };
      const start = await token.balanceOf(vault.address);
      await put(parts, 1_000n * UNIT);
      expect(await adapter.fairValue()).to.equal(1_000n * UNIT);
      expect(await adapter.exitValue()).to.equal(1_000n * UNIT);
      expect(await adapter.maxWithdraw()).to.equal(1_000n * UNIT);
      expect(await adapter.maxDeposit()).to.be.greaterThan(10n ** 30n);
      expect(await token.allowance(adapter, await adapter.venue())).to.equal(0n);
      await adapter.connect(vault).withdraw(300n * UNIT, "0x");
      expect(await token.balanceOf(vault.address)).to.equal(start - 700n * UNIT);
      await adapter.connect(vault).withdraw(MAX, "0x");
      expect(await token.balanceOf(vault.address)).to.equal(start);
      expect(await adapter.fairValue()).to.equal(0n);
      expect(await token.balanceOf(adapter)).to.equal(0n);
      expect(await adapter.connect(vault).withdraw.staticCall(MAX, "0x")).to.equal(0n);
    });

    it("pays in kind its part, rounded down", async () => {
      const parts = await loadFixture(fixture as () => Promise<never>);
      const { adapter, vault, stranger } = parts as Parts & { adapter: IAdapter };
      await put(parts, 1_000n * UNIT + 1n);
      const receipt = await ethers.getContractAt("IERC20", await adapter.receipt());
      const held = await receipt.balanceOf(adapter);
      await adapter.connect(vault).redeemInKind(1n, 2n, stranger.address);
      expect(await receipt.balanceOf(stranger.address)).to.equal(held / 2n);
      await adapter.connect(vault).redeemInKind(0n, 2n, stranger.address);
      expect(await receipt.balanceOf(stranger.address)).to.equal(held / 2n);
    });
  });
}

describe("AaveV3Adapter: the ways of Aave", () => {
  it("refuses an asset that the pool has no reserve for", async () => {
    const { factory, vault, pool, stranger } = await loadFixture(aave);
    await expect(factory.deploy(vault.address, pool, stranger.address, ethers.ZeroAddress))
      .to.be.revertedWithCustomError(factory, "NoReserve")
      .withArgs(await pool.getAddress(), stranger.address);
  });

  it("takes nothing while inactive, frozen or paused; pays while frozen", async () => {
    const parts = await loadFixture(aave);
    const { pool, adapter } = parts;
    await put(parts, UNIT);
    for (const [active, frozen, paused, deposits, withdraws] of [
      [false, false, false, 0n, 0n],
      [true, true, false, 0n, UNIT],
      [true, false, true, 0n, 0n],
      [true, false, false, MAX, UNIT],
    ] as const) {
      await pool.configure(6, active, frozen, paused, 0, 0);
      expect(await adapter.maxDeposit()).to.equal(deposits);
      expect(await adapter.maxWithdraw()).to.equal(withdraws);
      expect(await adapter.exitValue()).to.equal(withdraws);
    }
    expect(await adapter.fairValue()).to.equal(UNIT);
  });

  it("knows the room under the supply cap: interest, and what the treasury is owed and will be, included", async () => {
    const parts = await loadFixture(aave);
    const { pool, adapter, debt } = parts;
    await put(parts, 600n * UNIT);
    await pool.configure(6, true, false, false, 1_000, 1_000);
    expect(await adapter.maxDeposit()).to.equal(400n * UNIT);
    await pool.setIndices((RAY * 11n) / 10n, RAY, 10n * UNIT);
    expect(await adapter.maxDeposit()).to.equal(1_000n * UNIT - 671n * UNIT);
    // 500 of debt grew by 20 % since the last update: a tenth of 100 is the treasury's.
    await debt.set(500n * UNIT);
    await pool.setIndices((RAY * 11n) / 10n, (RAY * 12n) / 10n, 10n * UNIT);
    expect(await adapter.maxDeposit()).to.equal(1_000n * UNIT - 681n * UNIT);
  });

  it("has no room, and does not underflow, under a cap that was cut below the supply", async () => {
    const parts = await loadFixture(aave);
    await put(parts, 600n * UNIT);
    await parts.pool.configure(6, true, false, false, 100, 0);
    expect(await parts.adapter.maxDeposit()).to.equal(0n);
  });

  it("pays no more than the pool's cash, in either generation", async () => {
    const parts = await loadFixture(aave);
    const { pool, adapter, token, aToken } = parts;
    await put(parts, 600n * UNIT);
    await token.burn(await aToken.getAddress(), 500n * UNIT);
    expect(await adapter.maxWithdraw()).to.equal(100n * UNIT);
    await pool.modernise(70n * UNIT);
    expect(await adapter.maxWithdraw()).to.equal(70n * UNIT);
    expect(await adapter.exitValue()).to.equal(70n * UNIT);
    expect(await adapter.fairValue()).to.equal(600n * UNIT);
  });

  it("copes with balances that read a unit or two low", async () => {
    const parts = await loadFixture(aave);
    await parts.aToken.setRounding(2n);
    await put(parts, 600n * UNIT);
    expect(await parts.adapter.fairValue()).to.equal(600n * UNIT - 2n);
    await parts.adapter.connect(parts.vault).withdraw(600n * UNIT - 2n, "0x");
  });

  it("does not pass less on than was asked, and never reverts when asked for limits", async () => {
    const parts = await loadFixture(aave);
    const { pool, adapter, vault } = parts;
    await put(parts, 600n * UNIT);
    await pool.misbehave(1n, false, false);
    await expect(adapter.connect(vault).withdraw(100n, "0x"))
      .to.be.revertedWithCustomError(adapter, "Inexact")
      .withArgs(100n, 99n);
    await pool.misbehave(0n, false, true);
    expect(await adapter.maxDeposit()).to.equal(0n);
    expect(await adapter.maxWithdraw()).to.equal(0n);
    await expect(adapter.exitValue()).to.be.reverted;
  });

  it("takes its allowance back when the pool takes less, and returns the rest", async () => {
    const parts = await loadFixture(aave);
    const { pool, adapter, token } = parts;
    await pool.misbehave(0n, true, false);
    const before = await token.balanceOf(parts.vault.address);
    await put(parts, 600n * UNIT);
    expect(await token.allowance(adapter, pool)).to.equal(0n);
    expect(await token.balanceOf(adapter)).to.equal(0n);
    expect(await token.balanceOf(parts.vault.address)).to.equal(before - 300n * UNIT);
  });
});

describe("CompoundV3Adapter: the ways of Comet", () => {
  it("never borrows: more than the balance is refused", async () => {
    const parts = await loadFixture(comet);
    const { adapter, vault } = parts;
    await put(parts, 100n * UNIT);
    await expect(adapter.connect(vault).withdraw(100n * UNIT + 1n, "0x"))
      .to.be.revertedWithCustomError(adapter, "OverWithdrawal")
      .withArgs(100n * UNIT + 1n, 100n * UNIT);
  });

  it("knows the pauses of supply and withdrawal apart", async () => {
    const parts = await loadFixture(comet);
    const { adapter, venue } = parts;
    await put(parts, 100n * UNIT);
    await venue.pause(true, false, false);
    expect(await adapter.maxDeposit()).to.equal(0n);
    expect(await adapter.maxWithdraw()).to.equal(100n * UNIT);
    await venue.pause(false, true, false);
    expect(await adapter.maxDeposit()).to.be.greaterThan(0n);
    expect(await adapter.maxWithdraw()).to.equal(0n);
    expect(await adapter.exitValue()).to.equal(0n);
    expect(await adapter.fairValue()).to.equal(100n * UNIT);
  });

  it("pays no more than Comet's cash, and takes no more than Comet can count", async () => {
    const parts = await loadFixture(comet);
    const { adapter, venue, token } = parts;
    await put(parts, 100n * UNIT);
    await token.burn(await venue.getAddress(), 60n * UNIT);
    expect(await adapter.maxWithdraw()).to.equal(40n * UNIT);
    await venue.setTotalSupply(2n ** 103n - 6n);
    expect(await adapter.maxDeposit()).to.equal(5n);
    await venue.setTotalSupply(2n ** 105n);
    expect(await adapter.maxDeposit()).to.equal(0n);
  });

  it("copes with rounded balances, and does not pass less on than was asked", async () => {
    const parts = await loadFixture(comet);
    const { adapter, venue, vault } = parts;
    await venue.misbehave(2n, 0n, false);
    await put(parts, 100n * UNIT);
    expect(await adapter.fairValue()).to.equal(100n * UNIT - 2n);
    await venue.misbehave(2n, 1n, false);
    await expect(adapter.connect(vault).withdraw(50n, "0x"))
      .to.be.revertedWithCustomError(adapter, "Inexact")
      .withArgs(50n, 49n);
    await venue.misbehave(0n, 0n, true);
    expect(await adapter.maxWithdraw()).to.equal(0n);
  });

  it("takes its allowance back when Comet takes less, and returns the rest, with what strangers sent", async () => {
    const parts = await loadFixture(comet);
    const { adapter, venue, vault, token } = parts;
    await venue.setLeaves(250n * UNIT);
    const before = await token.balanceOf(vault.address);
    await put(parts, 600n * UNIT);
    expect(await token.allowance(adapter, venue)).to.equal(0n);
    expect(await token.balanceOf(adapter)).to.equal(0n);
    expect(await token.balanceOf(vault.address)).to.equal(before - 350n * UNIT);
  });

  it("takes and pays nothing when Comet does not answer", async () => {
    const { adapter, venue } = await loadFixture(comet);
    await setCode(await venue.getAddress(), "0x");
    expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
  });
});

describe("ERC4626Adapter: the ways of ERC-4626 vaults", () => {
  it("is worth what leaving pays: after the venue's exit fee", async () => {
    const parts = await loadFixture(savings);
    await put(parts, 1_000n * UNIT);
    await parts.venue.setFees(0n, 100n);
    expect(await parts.adapter.fairValue()).to.equal(990n * UNIT);
  });

  it("knows what the venue pays and takes now", async () => {
    const parts = await loadFixture(savings);
    const { adapter, venue, vault, token } = parts;
    await put(parts, 1_000n * UNIT);
    await venue.setLiquidity(300n * UNIT);
    await venue.setDepositLimit(7n);
    expect(await adapter.maxWithdraw()).to.equal(300n * UNIT);
    expect(await adapter.exitValue()).to.equal(300n * UNIT);
    expect(await adapter.maxDeposit()).to.equal(7n);
    const before = await token.balanceOf(vault.address);
    await adapter.connect(vault).withdraw(MAX, "0x");
    expect((await token.balanceOf(vault.address)) - before).to.equal(300n * UNIT);
  });

  it("never reverts when asked for limits", async () => {
    const parts = await loadFixture(savings);
    await put(parts, 1_000n * UNIT);
    await parts.venue.setBroken(true);
    expect(await parts.adapter.maxWithdraw()).to.equal(0n);
    await expect(parts.adapter.fairValue()).to.be.revertedWithCustomError(parts.venue, "Broken");
  });

  it("takes its allowance back when the venue takes less, and returns the rest", async () => {
    const parts = await loadFixture(stingy);
    const { adapter, venue, vault, token } = parts;
    await venue.set(250n * UNIT, 0n);
    const before = await token.balanceOf(vault.address);
    await put(parts, 600n * UNIT);
    expect(await token.allowance(adapter, venue)).to.equal(0n);
    expect(await token.balanceOf(adapter)).to.equal(0n);
    expect(await token.balanceOf(vault.address)).to.equal(before - 350n * UNIT);
  });

  it("does not pass less on than was asked", async () => {
    const parts = await loadFixture(stingy);
    const { adapter, venue, vault } = parts;
    await put(parts, 600n * UNIT);
    await venue.set(0n, 1n);
    await expect(adapter.connect(vault).withdraw(50n, "0x"))
      .to.be.revertedWithCustomError(adapter, "Inexact")
      .withArgs(50n, 49n);
  });

  it("takes and pays nothing when the venue does not answer", async () => {
    const { adapter, venue } = await loadFixture(savings);
    await setCode(await venue.getAddress(), "0x");
    expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
  });
});
