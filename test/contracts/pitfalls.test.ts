// Known pitfalls of lending and ERC-4626 venues that no other test shows in the whole vault. The table of all that apply,
// with their defences and tests, is in contracts/README.md.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { nth } from "./bundle";
import { DAY, MAX, WAD, deploySystem, deposit, rebalance, redeem, withdraw, type System } from "./deployment";

/** What one transaction may use (EIP-7825). */
const TRANSACTION_GAS = 2n ** 24n;

/** Alice and Bob have 500,000 each; 90,000 in each of two venues. */
async function invested(): Promise<System> {
  const system = await deploySystem({ venues: 2 });
  await deposit(system, system.alice, 500_000n * system.unit);
  await deposit(system, system.bob, 500_000n * system.unit);
  await time.increase(DAY);
  await rebalance(system, [
    [nth(system.adapters, 0), 90_000n * system.unit],
    [nth(system.adapters, 1), 90_000n * system.unit],
  ]);
  await time.increase(DAY);
  return system;
}

describe("Pitfalls: deep withdrawals", () => {
  it("an exit through a venue with an exit fee costs those who stay nothing: the fee was taken off when it began", async () => {
    const system = await loadFixture(invested);
    const { vault, venues, adapters, alice, unit } = system;
    await nth(venues, 0).setFees(0n, 100n);
    await nth(venues, 1).setFees(0n, 100n);
    await vault.accrue();
    const price = await vault.sharePrice();
    expect(await vault.totalAssets()).to.be.within(998_200n * unit, 998_202n * unit);
    // Alice takes all idle and goes into the venues, where 1 % of what leaves stays behind.
    await withdraw(system, system.bob, 400_000n * unit);
    await redeem(system, alice, await vault.balanceOf(alice.address));
    expect(await nth(adapters, 0).fairValue()).to.be.lessThan(20_000n * unit);
    expect(await vault.sharePrice()).to.be.at.least(price);
  });
});

describe("Pitfalls: order of exits", () => {
  it("two equal holders who leave one after the other after losses in two venues get the same", async () => {
    const system = await loadFixture(invested);
    const { vault, token, venues, alice, bob, unit } = system;
    await token.burn(nth(venues, 0), 60_000n * unit);
    await token.burn(nth(venues, 1), 7_654_321n);
    const paid: bigint[] = [];
    for (const account of [alice, bob]) {
      const before = await token.balanceOf(account.address);
      await redeem(system, account, await vault.balanceOf(account.address));
      paid.push((await token.balanceOf(account.address)) - before);
    }
    expect(nth(paid, 0) - nth(paid, 1)).to.be.within(-2n, 2n);
    expect(nth(paid, 0)).to.be.lessThan(471_000n * unit);
  });
});

describe("Pitfalls: unbounded work", () => {
  /** Ten adapters with money in each, every one of which then burns all gas it is given, in reads and in payments. */
  async function burning(): Promise<System> {
    const system = await deploySystem({ venues: 10 });
    await deposit(system, system.alice, 1_000_000n * system.unit);
    await time.increase(DAY);
    for (const adapter of system.adapters) await rebalance(system, [[adapter, 50_000n * system.unit]]);
    for (const venue of system.venues) await venue.setBurnsGas(true);
    return system;
  }

  it("with ten adapters that burn all gas, idle is withdrawn within one transaction", async () => {
    const system = await loadFixture(burning);
    const { vault, alice, token, unit } = system;
    const before = await token.balanceOf(alice.address);
    const send = vault.connect(alice)["withdraw(uint256,address,address)"];
    await send(400_000n * unit, alice.address, alice.address, { gasLimit: TRANSACTION_GAS });
    expect((await token.balanceOf(alice.address)) - before).to.equal(400_000n * unit);
  });

  it("with ten adapters that burn all gas, a holder leaves in kind within one transaction, with claims", async () => {
    const system = await loadFixture(burning);
    const { vault, alice } = system;
    const shares = await vault.balanceOf(alice.address);
    const all = await vault.adapters();
    await vault.connect(alice).redeemInKind(shares, alice.address, [...all], { gasLimit: TRANSACTION_GAS });
    const claims = await ethers.getContractAt("Claims", await vault.claims());
    for (const adapter of all) expect(await claims.balanceOf(alice.address, BigInt(adapter))).to.be.greaterThan(0n);
  });

  it("with ten sound adapters, every call of a depositor's and a plan fit in a third of a transaction", async () => {
    const system = await deploySystem({ venues: 10 });
    const { vault, alice, adapters, unit } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await time.increase(DAY);
    const half = adapters.slice(0, 5).map((adapter) => [adapter, 50_000n * unit] as const);
    const gas = { used: 0n };
    const spend = async (sent: Promise<{ wait(): Promise<{ readonly gasUsed: bigint } | null> }>) => {
      const receipt = await (await sent).wait();
      gas.used = receipt === null || receipt.gasUsed < gas.used ? gas.used : receipt.gasUsed;
    };
    await spend(rebalance(system, half));
    await spend(
      rebalance(
        system,
        adapters.slice(5).map((adapter) => [adapter, 90_000n * unit] as const),
      ),
    );
    await spend(deposit(system, alice, unit));
    await spend(withdraw(system, alice, 900_000n * unit));
    await spend(vault.connect(alice).redeemInKind(WAD, alice.address, []));
    expect(gas.used).to.be.lessThan(TRANSACTION_GAS / 3n);
  });
});

describe("Pitfalls: empty venues", () => {
  it("a venue whose deposit mints no share at all is refused as a loss, not believed", async () => {
    const system = await loadFixture(invested);
    const { vault, token, owner, bob, unit } = system;
    const venue = await (await ethers.getContractFactory("PlainVenue")).deploy(token);
    const adapter = await (await ethers.getContractFactory("ERC4626Adapter")).deploy(vault, venue);
    const address = await adapter.getAddress();
    await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await token.connect(bob).approve(venue, MAX);
    await venue.connect(bob).deposit(1n, bob.address);
    await token.connect(bob).transfer(venue, 10_000n * unit);
    await expect(rebalance(system, [[adapter, 4_999n * unit]]))
      .to.be.revertedWithCustomError(vault, "LossExceeded")
      .withArgs(4_999n * unit, 1_000_001_000n);
  });
});
