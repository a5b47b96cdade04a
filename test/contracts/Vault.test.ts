// Accounting, ERC-4626 and exits of the vault. The keeper's side is in libraries/Rebalancing.test.ts.
import { loadFixture, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import type { Interface } from "ethers";
import { ethers } from "hardhat";
import {
  ALL,
  DAY,
  MAX,
  PERMIT_TYPES,
  WAD,
  YEAR,
  deploySystem,
  deposit,
  guardOf,
  movesOf,
  rebalance,
  redeem,
  withdraw,
  type System,
} from "./deployment";

const BURNED = "0x000000000000000000000000000000000000dEaD";

async function fresh(): Promise<System> {
  return deploySystem({ venues: 2 });
}

/** 1,000,000 of Alice's: 300,000 in venue 0, 200,000 in venue 1, the rest idle; a day old. */
async function invested(): Promise<System> {
  const system = await fresh();
  await deposit(system, system.alice, 1_000_000n * system.unit);
  await time.increase(DAY);
  await rebalance(system, [
    [system.adapters[0]!, 300_000n * system.unit],
    [system.adapters[1]!, 200_000n * system.unit],
  ]);
  await time.increase(DAY);
  await system.vault.accrue();
  return system;
}

describe("Vault: accounting", () => {
  it("is worth idle and what the adapters hold", async () => {
    const { vault, unit } = await loadFixture(invested);
    expect(await vault.totalAssets()).to.equal(1_000_001n * unit);
    expect(await vault.idle()).to.equal(500_001n * unit);
  });

  it("counts a loss at once and in full", async () => {
    const system = await loadFixture(invested);
    const { vault, unit, venues } = system;
    await venues[0]!.lose(100_000n * unit);
    const total = await vault.totalAssets();
    // The venue's burned shares bear their part of it.
    expect(total).to.be.within(900_001n * unit, 900_002n * unit);
    await vault.accrue();
    expect((await vault.accountedAssets())[0]).to.equal(total);
  });

  it("lets a gain drip in at the rate, whoever sends it and wherever", async () => {
    const system = await loadFixture(invested);
    const { vault, unit, token, venues, stranger } = system;
    await vault.accrue();
    const start = (await vault.accountedAssets())[0];
    const since = BigInt(await time.latest());
    await token.connect(stranger).transfer(vault, 50_000n * unit);
    await token.connect(stranger).transfer(venues[0]!, 50_000n * unit);
    await time.increaseTo(since + DAY);
    await vault.accrue();
    const elapsed = BigInt(await time.latest()) - since;
    const allowed = (start * (WAD / 2n) * elapsed) / (YEAR * WAD);
    const now = (await vault.accountedAssets())[0];
    // The rate is not compound between accruals: two or three small ones happened on the way.
    expect(now - start).to.be.within(allowed, allowed + allowed / 1_000n);
    await time.increase(100n * DAY);
    await vault.accrue();
    expect((await vault.accountedAssets())[0]).to.be.within(1_100_000n * unit, 1_100_001n * unit);
  });

  it("accrues once a block: a second read of the block changes nothing", async () => {
    const { vault, token, stranger, unit } = await loadFixture(invested);
    await ethers.provider.send("evm_setAutomine", [false]);
    await vault.accrue();
    await token.connect(stranger).transfer(vault, unit);
    const second = await vault.accrue();
    await ethers.provider.send("evm_mine", []);
    await ethers.provider.send("evm_setAutomine", [true]);
    expect((await second.wait())!.logs).to.have.length(0);
  });

  it("gives nothing of a waiting gain to who enters and leaves in the next block", async () => {
    const system = await loadFixture(invested);
    const { vault, unit, token, stranger, bob } = system;
    const before = await token.balanceOf(bob.address);
    await token.connect(stranger).transfer(vault, 100_000n * unit);
    await deposit(system, bob, 10_000_000n * unit);
    await redeem(system, bob, await vault.balanceOf(bob.address));
    const gain = (await token.balanceOf(bob.address)) - before;
    // A block's drip on eleven million at 50 % a year is about 0.17 a second; never the hundred thousand.
    expect(gain).to.be.lessThan(unit);
  });

  it("does not stop a small total's gain when it is poked every block", async () => {
    const system = await deploySystem({ decimals: 0, venues: 1 });
    const { vault, token, stranger } = system;
    await token.connect(stranger).transfer(vault, 1_000n);
    const before = (await vault.accountedAssets())[0];
    for (let i = 0; i < 12; i++) {
      await time.increase(10n);
      await vault.accrue();
    }
    // 1,000,000 at 50 % a year: one in 63 seconds, none in 11.
    const gained = (await vault.accountedAssets())[0] - before;
    expect(gained).to.be.within(1n, 3n);
  });

  it("answers before opening without entry", async () => {
    const system = await deploySystem({ open: false });
    const { vault, alice, unit } = system;
    expect(await vault.totalAssets()).to.equal(0n);
    expect(await vault.maxDeposit(alice.address)).to.equal(0n);
    expect(await vault.maxMint(alice.address)).to.equal(0n);
    await expect(deposit(system, alice, unit)).to.be.revertedWithCustomError(vault, "NotOpened");
  });

  it("closes entry when the shares have lost all but a millionth", async () => {
    const system = await deploySystem({ venues: 1, terms: { maxRate: 0n } });
    const { vault, alice, unit, adapters, venues } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapters[0]!, 1_000_001n * unit]]);
    await venues[0]!.lose(1_000_001n * unit + 999_999n);
    expect(await vault.maxDeposit(alice.address)).to.equal(0n);
    expect(await vault.maxMint(alice.address)).to.equal(0n);
    const least = (1_000_001n * unit) / 100n;
    await expect(deposit(system, alice, unit))
      .to.be.revertedWithCustomError(vault, "DepositsClosed")
      .withArgs(0n, 0n, false, await vault.totalAssets(), least);
  });

  it("takes back at once what comes back after next to everything was lost, since nobody could enter", async () => {
    const system = await deploySystem({ venues: 1 });
    const { vault, token, alice, adapters, venues, unit } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapters[0]!, 1_000_001n * unit]]);
    const held = await token.balanceOf(venues[0]!);
    await token.burn(venues[0]!, (held * 995n) / 1000n);
    await vault.accrue();
    expect(await vault.maxDeposit(alice.address)).to.equal(0n);
    await expect(deposit(system, alice, unit)).to.be.revertedWithCustomError(vault, "DepositsClosed");
    await token.mint(venues[0]!, held / 2n);
    await vault.accrue();
    expect(await vault.totalAssets()).to.be.within(504_990n * unit, 505_010n * unit);
    // Entry is open again: what comes back from now on drips.
    await token.mint(venues[0]!, held / 4n);
    await vault.accrue();
    expect(await vault.totalAssets()).to.be.lessThan(505_100n * unit);
  });

  it("does not count the seconds of a rate of zero at the next rate", async () => {
    const system = await loadFixture(deploySystem);
    const { vault, token, owner, alice, stranger, unit } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await vault.connect(owner).setMaxRate(0n);
    await token.connect(stranger).transfer(vault, 500_000n * unit);
    await time.increase(DAY);
    await vault.connect(owner).setMaxRate(WAD);
    await time.increase(99n);
    await vault.accrue();
    // 100 seconds of a year's doubling: 3.17.
    expect(await vault.totalAssets()).to.be.lessThan(1_000_001n * unit + 4n * unit);
  });

  it("mints nothing to itself", async () => {
    const { vault, alice, unit } = await loadFixture(deploySystem);
    await expect(vault.connect(alice)["deposit(uint256,address)"](unit, vault))
      .to.be.revertedWithCustomError(vault, "InvalidReceiver")
      .withArgs(vault);
  });
});

describe("Vault: fees", () => {
  it("takes the management fee by time, as shares", async () => {
    const system = await deploySystem({ venues: 1, terms: { managementFee: WAD / 50n } });
    const { vault, alice, feeRecipient, unit } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await time.increase(YEAR);
    await vault.accrue();
    const worth = await vault.previewRedeem(await vault.balanceOf(feeRecipient.address));
    expect(worth).to.be.within(19_999n * unit, 20_001n * unit);
    expect(await vault.totalAssets()).to.equal(1_000_001n * unit);
  });

  it("takes the performance fee of gains above the high-water mark only", async () => {
    const system = await deploySystem({ venues: 1, terms: { performanceFee: WAD / 5n, maxRate: WAD } });
    const { vault, alice, feeRecipient, unit, token, stranger, adapters, venues } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await vault.accrue();
    expect(await vault.balanceOf(feeRecipient.address)).to.equal(0n);

    await token.connect(stranger).transfer(vault, 100_000n * unit);
    await time.increase(YEAR);
    await vault.accrue();
    const fee = await vault.previewRedeem(await vault.balanceOf(feeRecipient.address));
    expect(fee).to.be.within(19_999n * unit, 20_000n * unit);

    const mark = await vault.highWaterMark();
    await rebalance(system, [[adapters[0]!, 500_000n * unit]]);
    await venues[0]!.lose(50_000n * unit);
    await vault.accrue();
    const held = await vault.balanceOf(feeRecipient.address);
    await token.connect(stranger).transfer(venues[0]!, 50_000n * unit);
    await time.increase(YEAR);
    await vault.accrue();
    // What was lost came back: below the mark there is no performance. (The price may end a rounding above it.)
    expect((await vault.balanceOf(feeRecipient.address)) - held).to.be.lessThan(WAD / 100n);
    expect(await vault.highWaterMark()).to.be.within(mark - 10n ** 12n, mark + 10n ** 20n);
  });

  it("previews and total supply know the fee that is due", async () => {
    const system = await deploySystem({ venues: 1, terms: { managementFee: WAD / 50n } });
    const { vault, alice, unit } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await time.increase(YEAR);
    const at = (await time.latest()) + 100;
    await time.setNextBlockTimestamp(at);
    await ethers.provider.send("evm_mine", []);
    const preview = await vault.previewRedeem(WAD);
    await time.setNextBlockTimestamp(at + 1);
    const before = await system.token.balanceOf(alice.address);
    await redeem(system, alice, WAD);
    expect((await system.token.balanceOf(alice.address)) - before).to.be.within(preview - 1n, preview);
    expect(preview).to.be.lessThan((99n * unit) / 100n);
  });

  it("a write-off that returns pays no performance fee, also when the fee began while it was written off", async () => {
    const system = await loadFixture(invested);
    const { vault, owner, guardian, adapters, feeRecipient, token, stranger, unit } = system;
    // A price above par, so that par is not the mark that protects.
    await token.connect(stranger).transfer(vault, 200_000n * unit);
    await time.increase(YEAR);
    await vault.connect(guardian).quarantine(adapters[0]!);
    await vault.connect(owner).setPerformanceFee(WAD / 5n);
    await vault.connect(owner).liftQuarantine(adapters[0]!);
    await time.increase(DAY);
    await vault.accrue();
    expect(await vault.sharePrice()).to.be.greaterThan((unit * WAD * 11n) / 10n);
    expect(await vault.balanceOf(feeRecipient.address)).to.be.lessThan(WAD);
  });
});

describe("Vault: next to nothing left", () => {
  it("closes entry at the unit below a hundredth of par, and opens it again with that unit", async () => {
    const { vault, token, alice, stranger, ...system } = await deploySystem({ venues: 0 });
    await deposit({ vault, token, alice, stranger, ...system }, alice, 1_000_000n * system.unit);
    // With the seed of 1 and the virtual unit: par is 1,000,001.000001.
    const least = 10_000_010_000n;
    const bearer = await ethers.getImpersonatedSigner(await vault.getAddress());
    await setBalance(bearer.address, WAD);
    await token.connect(bearer).transfer(stranger.address, (await vault.totalAssets()) - least);
    await vault.accrue();
    expect(await vault.totalAssets()).to.equal(least);
    expect(await vault.maxDeposit(alice.address)).to.be.greaterThan(0n);
    await token.connect(bearer).transfer(stranger.address, 1n);
    await vault.accrue();
    expect(await vault.maxDeposit(alice.address)).to.equal(0n);
    await expect(vault.connect(alice)["deposit(uint256,address)"](1n, alice.address))
      .to.be.revertedWithCustomError(vault, "DepositsClosed")
      .withArgs(0n, 0n, false, least - 1n, least);
    await token.connect(stranger).transfer(vault, 1n);
    await vault.accrue();
    expect(await vault.maxDeposit(alice.address)).to.be.greaterThan(0n);
  });
});

describe("Vault: ERC-4626", () => {
  for (const decimals of [0, 6, 8, 18]) {
    it(`gives shares 18 decimals over an asset of ${decimals}, and back what was given`, async () => {
      const system = await deploySystem({ decimals, venues: 1 });
      const { vault, alice, bob, token, unit } = system;
      expect(await vault.decimals()).to.equal(18n);
      const amount = 1_000n * unit;
      await deposit(system, alice, amount);
      expect(await vault.balanceOf(alice.address)).to.equal(1_000n * WAD);
      expect(await vault.sharePrice()).to.equal(unit * WAD);
      expect(await vault.balanceOf(BURNED)).to.equal(
        (unit > 1_000_000n ? unit : 1_000_000n) * 10n ** BigInt(18 - decimals),
      );
      const before = await token.balanceOf(bob.address);
      await vault.connect(bob)["mint(uint256,address)"](123n * WAD + 1n, bob.address);
      const paid = before - (await token.balanceOf(bob.address));
      expect(paid).to.equal(123n * unit + 1n);
      await redeem(system, bob, 123n * WAD + 1n);
      expect(await token.balanceOf(bob.address)).to.be.within(before - 1n, before);
      await redeem(system, alice, 1_000n * WAD);
      expect(await vault.balanceOf(alice.address)).to.equal(0n);
    });
  }

  it("previews what the next call of the same block does", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, unit, token, stranger } = system;
    await token.connect(stranger).transfer(vault, 7_777_777n);
    await time.increase(DAY);
    const amount = 123_456_789n;
    const calls: [string, bigint, unknown[], string][] = [
      ["previewDeposit", amount, [alice.address], "deposit(uint256,address)"],
      ["previewMint", 987_654_321_987_654_321n, [alice.address], "mint(uint256,address)"],
      ["previewWithdraw", amount, [alice.address, alice.address], "withdraw(uint256,address,address)"],
      ["previewRedeem", 987_654_321_987_654_321n, [alice.address, alice.address], "redeem(uint256,address,address)"],
    ];
    for (const [preview, value, rest, call] of calls) {
      const expected = (await vault.getFunction(preview).staticCall(value, { blockTag: "pending" })) as bigint;
      const done = (await vault
        .connect(alice)
        .getFunction(call)
        .staticCall(value, ...rest, {
          blockTag: "pending",
        })) as bigint;
      expect(done, call).to.equal(expected);
      await vault
        .connect(alice)
        .getFunction(call)
        .send(value, ...rest);
    }
    void unit;
  });

  it("rounds for the vault in all four directions", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, token, stranger } = system;
    await token.connect(stranger).transfer(vault, 333_333_333n);
    await time.increase(30n * DAY);
    await vault.accrue();
    const price = await vault.sharePrice();
    for (let i = 1n; i < 8n; i++) {
      await vault.connect(alice)["deposit(uint256,address)"](i, alice.address);
      await vault.connect(alice)["mint(uint256,address)"](i * 10n ** 11n + i, alice.address);
      await vault.connect(alice)["withdraw(uint256,address,address)"](i, alice.address, alice.address);
      await vault.connect(alice)["redeem(uint256,address,address)"](i * 10n ** 11n, alice.address, alice.address);
    }
    expect(await vault.sharePrice()).to.be.at.least(price);
  });

  it("no round trip ends with more than it began", async () => {
    const system = await deploySystem({ venues: 2, terms: { maxRate: 0n } });
    const { vault, alice, bob, token, stranger, venues, adapters, unit } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapters[0]!, 300_000n * unit]]);
    await token.connect(stranger).transfer(venues[0]!, 1_234_567n);
    await venues[0]!.lose(98_765_432_123n);
    let seed = 7n;
    const random = (below: bigint) => {
      seed = (seed * 6364136223846793005n + 1442695040888963407n) % (1n << 64n);
      return 1n + ((seed >> 20n) % below);
    };
    for (let i = 0; i < 12; i++) {
      const before = await token.balanceOf(bob.address);
      const amount = random(1_000n * unit);
      if (i % 2 === 0) await deposit(system, bob, amount);
      else await vault.connect(bob)["mint(uint256,address)"](amount * 10n ** 12n + random(10n ** 12n), bob.address);
      const shares = await vault.balanceOf(bob.address);
      if (i % 3 === 0) {
        const most = await vault.maxWithdraw(bob.address);
        await withdraw(system, bob, most);
        await redeem(system, bob, await vault.balanceOf(bob.address));
      } else if (i % 3 === 1) await redeem(system, bob, shares);
      else await vault.connect(bob).redeemInKind(shares, bob.address, []);
      let after = await token.balanceOf(bob.address);
      // In kind: the venue's shares at the venue's price.
      const receipts = await venues[0]!.balanceOf(bob.address);
      if (receipts > 0n) {
        await venues[0]!.connect(bob).redeem(receipts, bob.address, bob.address);
        after = await token.balanceOf(bob.address);
      }
      expect(after, `trip ${i}`).to.be.at.most(before);
    }
  });

  it("max* are what the call takes, exactly", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, bob, unit, guardian, venues } = system;
    await vault.connect(guardian).setDepositCap(1_500_000n * unit);
    const room = await vault.maxDeposit(bob.address);
    expect(room).to.equal(499_999n * unit);
    await expect(deposit(system, bob, room + 1n))
      .to.be.revertedWithCustomError(vault, "DepositCapExceeded")
      .withArgs(room + 1n, room);
    const most = await vault.maxMint(bob.address);
    await expect(vault.connect(bob)["mint(uint256,address)"](most + 1n, bob.address))
      .to.be.revertedWithCustomError(vault, "DepositCapExceeded")
      .withArgs(most + 1n, most);
    await vault.connect(bob)["mint(uint256,address)"](most, bob.address);
    expect(await vault.maxDeposit(bob.address)).to.be.at.most(1n);

    await venues[0]!.setLiquidity(1_000n * unit);
    await withdraw(system, bob, await vault.maxWithdraw(bob.address));
    const payable_ = await vault.maxWithdraw(alice.address);
    expect(payable_).to.be.within(700_999n * unit, 701_002n * unit);
    await expect(withdraw(system, alice, payable_ + 1n))
      .to.be.revertedWithCustomError(vault, "InsufficientLiquidity")
      .withArgs(payable_ + 1n, payable_);
    const shares = await vault.maxRedeem(alice.address);
    await redeem(system, alice, shares);
    await venues[0]!.setLiquidity(0n);
    expect(await vault.maxRedeem(alice.address)).to.be.at.most(10n ** 12n);
  });

  it("max* never revert, with every venue broken in its own way", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, unit, venues } = system;
    await venues[0]!.setBroken(true);
    await venues[1]!.setBurnsGas(true);
    expect(await vault.maxDeposit(alice.address)).to.equal(0n);
    expect(await vault.maxMint(alice.address)).to.equal(0n);
    expect(await vault.maxWithdraw(alice.address)).to.be.within(500_000n * unit, 500_001n * unit);
    expect(await vault.maxRedeem(alice.address)).to.equal(await vault.balanceOf(alice.address));
  });

  it("takes the greatest numbers with an error that says why", async () => {
    const { vault, alice } = await loadFixture(invested);
    const as = vault.connect(alice);
    await expect(as["deposit(uint256,address)"](MAX, alice.address)).to.be.revertedWithCustomError(
      vault,
      "DepositCapExceeded",
    );
    await expect(as["mint(uint256,address)"](MAX, alice.address)).to.be.revertedWithCustomError(
      vault,
      "DepositCapExceeded",
    );
    await expect(
      as["withdraw(uint256,address,address)"](MAX, alice.address, alice.address),
    ).to.be.revertedWithCustomError(vault, "InsufficientLiquidity");
    await expect(
      as["redeem(uint256,address,address)"](MAX, alice.address, alice.address),
    ).to.be.revertedWithCustomError(vault, "ERC20InsufficientBalance");
  });

  it("guards each entry and exit by the caller's bound", async () => {
    const { vault, alice, unit } = await loadFixture(invested);
    const as = vault.connect(alice);
    const me = alice.address;
    const shares = await vault.previewDeposit(unit);
    await as["deposit(uint256,address,uint256)"](unit, me, shares);
    await expect(as["deposit(uint256,address,uint256)"](unit, me, shares + 1n))
      .to.be.revertedWithCustomError(vault, "BoundMissed")
      .withArgs(shares, shares + 1n);
    await as["mint(uint256,address,uint256)"](WAD, me, unit);
    await expect(as["mint(uint256,address,uint256)"](WAD, me, unit - 1n)).to.be.revertedWithCustomError(
      vault,
      "BoundMissed",
    );
    await as["withdraw(uint256,address,address,uint256)"](unit, me, me, WAD);
    await expect(as["withdraw(uint256,address,address,uint256)"](unit, me, me, WAD - 1n)).to.be.revertedWithCustomError(
      vault,
      "BoundMissed",
    );
    await as["redeem(uint256,address,address,uint256)"](WAD, me, me, unit);
    await expect(as["redeem(uint256,address,address,uint256)"](WAD, me, me, unit + 1n)).to.be.revertedWithCustomError(
      vault,
      "BoundMissed",
    );
  });

  it("spends the allowance of who is not the holder", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, bob } = system;
    const take = () => vault.connect(bob)["redeem(uint256,address,address)"](WAD, bob.address, alice.address);
    await expect(take()).to.be.revertedWithCustomError(vault, "ERC20InsufficientAllowance");
    await vault.connect(alice).approve(bob.address, WAD);
    await take();
    expect(await vault.allowance(alice.address, bob.address)).to.equal(0n);
  });

  it("pays neither itself nor nobody", async () => {
    const { vault, alice } = await loadFixture(invested);
    for (const receiver of [await vault.getAddress(), ethers.ZeroAddress]) {
      await expect(vault.connect(alice)["redeem(uint256,address,address)"](WAD, receiver, alice.address))
        .to.be.revertedWithCustomError(vault, "InvalidReceiver")
        .withArgs(receiver);
      await expect(vault.connect(alice).redeemInKind(WAD, receiver, [])).to.be.revertedWithCustomError(
        vault,
        "InvalidReceiver",
      );
    }
  });

  it("refuses an asset that charges on transfer", async () => {
    const token = await (await ethers.getContractFactory("HostileToken")).deploy();
    const system = await deploySystem({ venues: 0, token });
    await token.setFeeBps(10n);
    await expect(deposit(system, system.alice, 1_000_000n))
      .to.be.revertedWithCustomError(system.vault, "TransferMismatch")
      .withArgs(1_000_000n, 999_000n);
  });

  it("refuses an asset of more than 18 decimals", async () => {
    const { vault } = await loadFixture(fresh);
    await expect(deploySystem({ decimals: 19, venues: 0 }))
      .to.be.revertedWithCustomError(vault, "UnsupportedDecimals")
      .withArgs(19);
  });

  it("batches calls, with the asset's permit before a deposit, and does not rely on the permit", async () => {
    const system = await loadFixture(fresh);
    const { vault, token, alice, unit } = system;
    await token.connect(alice).approve(vault, 0n);
    const deadline = MAX;
    const signature = ethers.Signature.from(
      await alice.signTypedData(
        { name: "Plain", version: "1", chainId: 31337n, verifyingContract: await token.getAddress() },
        PERMIT_TYPES,
        { owner: alice.address, spender: await vault.getAddress(), value: unit, nonce: 0n, deadline },
      ),
    );
    const call = vault.interface;
    const permit = call.encodeFunctionData("permitAsset", [unit, deadline, signature.v, signature.r, signature.s]);
    const put = call.encodeFunctionData("deposit(uint256,address)", [unit, alice.address]);
    await vault.connect(alice).multicall([permit, put]);
    expect(await vault.balanceOf(alice.address)).to.equal(WAD);
    // Somebody used the signature first: the permit fails, the allowance is there, the deposit works.
    await token.connect(alice).approve(vault, unit);
    await vault.connect(alice).multicall([permit, put]);
    expect(await vault.balanceOf(alice.address)).to.equal(2n * WAD);
    await expect(vault.connect(alice).multicall([put])).to.be.revertedWithCustomError(
      token,
      "ERC20InsufficientAllowance",
    );
  });

  it("converts as it previews, and says whose fees there are and what permits were used", async () => {
    const { vault, unit, alice, feeRecipient } = await loadFixture(invested);
    expect(await vault.convertToShares(7n * unit)).to.equal(await vault.previewDeposit(7n * unit));
    expect(await vault.convertToAssets(7n * WAD)).to.equal(await vault.previewRedeem(7n * WAD));
    expect(await vault.convertToAssets(7n * WAD)).to.equal(7n * unit);
    expect(await vault.nonces(alice.address)).to.equal(0n);
    expect(await vault.feeRecipient()).to.equal(feeRecipient.address);
    expect([await vault.managementFee(), await vault.performanceFee()]).to.deep.equal([0n, 0n]);
  });

  it("does not take what is worth no share", async () => {
    const system = await deploySystem({ decimals: 18, venues: 0 });
    const { vault, alice, token, stranger, unit } = system;
    await token.connect(stranger).transfer(vault, unit);
    await time.increase(YEAR);
    await expect(deposit(system, alice, 1n))
      .to.be.revertedWithCustomError(vault, "ZeroShares")
      .withArgs(1n);
  });
});

describe("Vault: exits", () => {
  it("takes idle first, then the queue in its order", async () => {
    const system = await loadFixture(invested);
    const { adapters, unit, vault, owner } = system;
    await withdraw(system, system.alice, 500_001n * unit);
    expect(await adapters[0]!.fairValue()).to.equal(300_000n * unit);
    await withdraw(system, system.alice, 100_000n * unit);
    expect(await adapters[0]!.fairValue()).to.equal(200_000n * unit);
    await vault.connect(owner).setQueue([await adapters[1]!.getAddress(), await adapters[0]!.getAddress()]);
    await expect(withdraw(system, system.alice, 50_000n * unit))
      .to.emit(vault, "Allocated")
      .withArgs(await adapters[1]!.getAddress(), -50_000n * unit, 150_000n * unit);
    expect(await adapters[0]!.fairValue()).to.equal(200_000n * unit);
  });

  const troubles: [string, (system: System) => Promise<unknown>][] = [
    ["an adapter cannot be read", ({ venues }) => venues[0]!.setBroken(true)],
    ["a venue refuses to pay", ({ venues }) => venues[0]!.setWithdrawalsBroken(true)],
    ["a venue has no cash", ({ venues }) => venues[0]!.setLiquidity(0n)],
    ["a venue's reads use all their gas", ({ venues }) => venues[0]!.setBurnsGas(true)],
    [
      "an adapter is in quarantine",
      ({ vault, guardian, adapters }) => vault.connect(guardian).quarantine(adapters[0]!),
    ],
    ["the guardian has tripped", ({ vault, guardian }) => vault.connect(guardian).guardianTrip(DAY)],
    [
      "the keeper is removed",
      ({ vault, guardian, keeper }) => vault.connect(guardian).setKeeper(keeper.address, false),
    ],
    ["the deposit cap is zero", ({ vault, guardian }) => vault.connect(guardian).setDepositCap(0n)],
  ];
  for (const [what, break_] of troubles) {
    it(`pays from the rest when ${what}`, async () => {
      const system = await loadFixture(invested);
      await break_(system);
      await withdraw(system, system.alice, 600_000n * system.unit);
      await redeem(system, system.alice, WAD);
    });
  }

  it("does not believe a failure for which the caller brought too little gas", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, unit } = system;
    let refused = 0;
    for (let gasLimit = 150_000n; gasLimit <= 900_000n; gasLimit += 50_000n) {
      const call = vault.connect(alice)["withdraw(uint256,address,address)"];
      try {
        await call(600_000n * unit, alice.address, alice.address, { gasLimit });
      } catch {
        refused++;
        continue;
      }
      // If it passes, nothing was written off.
      expect((await vault.writtenOff())[1]).to.equal(false);
      break;
    }
    expect(refused).to.be.greaterThan(3);
    await expect(vault.accrue({ gasLimit: 200_000n })).to.be.revertedWithCustomError(vault, "InsufficientGas");
  });

  it("does not keep a price from a moment's failure for the rest of the block", async () => {
    const system = await loadFixture(invested);
    const { vault, venues, alice, unit } = system;
    await ethers.provider.send("evm_setAutomine", [false]);
    await venues[0]!.setBroken(true, { gasLimit: 100_000 });
    await vault.accrue({ gasLimit: 3_000_000 });
    await venues[0]!.setBroken(false, { gasLimit: 100_000 });
    const exit = await vault
      .connect(alice)
      ["redeem(uint256,address,address)"](WAD, alice.address, alice.address, { gasLimit: 3_000_000 });
    await ethers.provider.send("evm_mine", []);
    await ethers.provider.send("evm_setAutomine", [true]);
    const paid = (await exit.wait())!.logs
      .map((log) => vault.interface.parseLog(log))
      .find((log) => log?.name === "Withdraw")!.args["assets"] as bigint;
    expect(paid).to.equal(unit);
  });

  it("counts an adapter that cannot be read for nothing, closes entry, and takes it back at once when it can", async () => {
    const system = await loadFixture(invested);
    const { vault, venues, alice, bob, unit } = system;
    await venues[0]!.setBroken(true);
    expect(await vault.totalAssets()).to.equal(700_001n * unit);
    await expect(deposit(system, bob, unit)).to.be.revertedWithCustomError(vault, "DepositsClosed");
    await redeem(system, alice, 100_000n * WAD);
    expect((await vault.writtenOff())[0]).to.equal(300_000n * unit);
    await venues[0]!.setBroken(false);
    await vault.accrue();
    const [amount, uncounted] = await vault.writtenOff();
    expect([amount, uncounted]).to.deep.equal([0n, false]);
    // Who left got 70,000 for 100,000; what they left behind is the others'.
    expect(await vault.totalAssets()).to.be.within(930_000n * unit, 930_002n * unit);
  });

  it("does not take back more than was written off", async () => {
    const system = await loadFixture(invested);
    const { vault, venues, unit, token, stranger } = system;
    await vault.accrue();
    const before = (await vault.accountedAssets())[0];
    await venues[0]!.setBroken(true);
    await vault.accrue();
    await token.connect(stranger).transfer(venues[0]!, 200_000n * unit);
    await venues[0]!.setBroken(false);
    await vault.accrue();
    expect(await vault.totalAssets()).to.be.within(before, before + unit);
  });

  it("gives the seconds in which all was written off no growth of their own once it is back", async () => {
    const system = await deploySystem({ venues: 1 });
    const { vault, venues, adapters, token, stranger, alice, unit } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapters[0]!, 1_000_001n * unit]]);
    await venues[0]!.setBroken(true);
    await vault.accrue();
    expect(await vault.totalAssets()).to.equal(0n);
    await token.connect(stranger).transfer(venues[0]!, 200_000n * unit);
    await time.increase(43_200);
    await venues[0]!.setBroken(false);
    await vault.accrue();
    const back = (await vault.accountedAssets())[0];
    expect(back).to.be.within(1_000_000n * unit, 1_000_001n * unit);
    await vault.accrue();
    const [, , since] = await vault.accountedAssets();
    await time.setNextBlockTimestamp(since + 12n);
    await vault.accrue();
    // Of the gain that waits, twelve seconds at 50 % a year and the second between: 0.2 in a million.
    expect((await vault.accountedAssets())[0] - back).to.be.at.most((back * 14n) / (2n * YEAR) + 1n);
  });

  it("leaves only the seed when everybody has left", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, unit } = system;
    const all = await vault.balanceOf(alice.address);
    await redeem(system, alice, all);
    expect(await vault.totalAssets()).to.be.within(unit, unit + 10n);
  });

  it("records what is left in an adapter that is in no group, too", async () => {
    const system = await deploySystem({ venues: 1, adapterTerms: () => ({ groupMask: 0n }) });
    const { vault, alice, adapters, unit } = system;
    await deposit(system, alice, 1_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapters[0]!, 600n * unit]]);
    await withdraw(system, alice, 700n * unit);
    expect(await adapters[0]!.fairValue()).to.equal(301n * unit);
    expect((await vault.adapter(adapters[0]!)).recorded).to.equal(301n * unit);
  });

  it("never sells a position that does not pay exact amounts", async () => {
    const system = await deploySystem({ venues: 0 });
    const { vault, alice, owner, token, unit } = system;
    const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
    await adapter.setExact(false);
    const address = await adapter.getAddress();
    await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await deposit(system, alice, 1_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapter, 600n * unit]]);
    expect(await vault.maxWithdraw(alice.address)).to.equal(401n * unit);
    await expect(withdraw(system, alice, 402n * unit))
      .to.be.revertedWithCustomError(vault, "InsufficientLiquidity")
      .withArgs(402n * unit, 401n * unit);
  });

  it("takes nothing from an adapter that does not say what it can pay, or names more than there can be", async () => {
    const system = await deploySystem({ venues: 0 });
    const { vault, alice, owner, token, unit } = system;
    const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
    const address = await adapter.getAddress();
    await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await deposit(system, alice, 1_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapter, 600n * unit]]);
    expect(await vault.maxWithdraw(alice.address)).to.be.greaterThan(999n * unit);
    for (const [reads] of ["Reverts", "BurnsGas", "Nothing", "Bomb", "Huge"].entries()) {
      await adapter.setLimits(reads + 1);
      expect(await vault.maxWithdraw(alice.address)).to.equal(401n * unit);
      await expect(withdraw(system, alice, 402n * unit))
        .to.be.revertedWithCustomError(vault, "InsufficientLiquidity")
        .withArgs(402n * unit, 401n * unit);
    }
  });
});

describe("Vault: reentrancy", () => {
  async function hooked() {
    const token = await (await ethers.getContractFactory("HostileToken")).deploy();
    const system = await deploySystem({ venues: 1, token });
    await deposit(system, system.alice, 1_000_000n * system.unit);
    return { system, token };
  }

  it("refuses to be entered again while the asset calls back", async () => {
    const { system, token } = await loadFixture(hooked);
    const { vault, alice, bob, unit } = system;
    const data = vault.interface.encodeFunctionData("deposit(uint256,address)", [0n, bob.address]);
    await token.setHook(alice.address, await vault.getAddress(), data);
    await deposit(system, alice, unit);
    expect(await token.lastSuccess()).to.equal(false);
    expect(await token.lastAnswer()).to.equal(vault.interface.encodeErrorResult("ReentrancyGuardReentrantCall"));
  });

  it("shows the price of the last accrual to who reads in the middle of a call", async () => {
    const { system, token } = await loadFixture(hooked);
    const { vault, alice, unit } = system;
    const price = await vault.sharePrice();
    await token.setHook(alice.address, await vault.getAddress(), vault.interface.encodeFunctionData("sharePrice"));
    await withdraw(system, alice, 999_000n * unit);
    expect(BigInt(await token.lastAnswer())).to.equal(price);
    await deposit(system, alice, 5_000_000n * unit);
    expect(BigInt(await token.lastAnswer())).to.equal(price);
    await token.setHook(
      alice.address,
      await vault.getAddress(),
      vault.interface.encodeFunctionData("maxWithdraw", [alice.address]),
    );
    await withdraw(system, alice, unit);
    expect(BigInt(await token.lastAnswer())).to.equal(0n);
  });

  it("shows whole total assets while a plan is half carried out", async () => {
    const { system } = await loadFixture(hooked);
    const { vault, adapters, venues, unit } = system;
    await time.increase(DAY);
    await venues[0]!.setCall(await vault.getAddress(), vault.interface.encodeFunctionData("totalAssets"));
    await rebalance(system, [[adapters[0]!, 400_000n * unit]]);
    expect(BigInt(await venues[0]!.callAnswer())).to.equal(1_000_001n * unit);
    await venues[0]!.setCall(await vault.getAddress(), vault.interface.encodeFunctionData("accrue"));
    await rebalance(system, [[adapters[0]!, ALL]]);
    expect(await venues[0]!.callSucceeded()).to.equal(false);
  });

  it("refuses a keeper's plan from within a deposit", async () => {
    const { system, token } = await loadFixture(hooked);
    const { vault, alice, adapters, unit } = system;
    await vault.connect(system.owner).setKeeper(await token.getAddress(), true);
    const guard = await guardOf(system, { nonce: await vault.nextNonce(await token.getAddress()) });
    const data = vault.interface.encodeFunctionData("rebalance", [await movesOf([[adapters[0]!, unit]]), guard]);
    await token.setHook(alice.address, await vault.getAddress(), data);
    await deposit(system, alice, unit);
    expect(await token.lastSuccess()).to.equal(false);
    expect(await token.lastAnswer()).to.equal(vault.interface.encodeErrorResult("ReentrancyGuardReentrantCall"));
  });

  it("refuses to be entered again through any of its functions", async () => {
    const { system, token } = await loadFixture(hooked);
    const { vault, alice, unit } = system;
    const at = ethers.ZeroAddress;
    const caps = { adapter: at, absoluteCap: 0n, relativeCap: 0n, groupMask: 0n };
    const data = (name: string, args: readonly unknown[]): string =>
      (vault.interface as Interface).encodeFunctionData(name, args);
    const calls = new Map<string, readonly unknown[]>([
      ["open", [1n]],
      ["accrue", []],
      ["refresh", [at]],
      ["setMaxRate", [1n]],
      ["setFeeRecipient", [at]],
      ["setManagementFee", [1n]],
      ["setPerformanceFee", [1n]],
      ["addAdapter", [caps]],
      ["removeAdapter", [at]],
      ["setQueue", [[]]],
      ["quarantine", [at]],
      ["liftQuarantine", [at]],
      ["arm", [at]],
      ["trip", [at]],
      ["disarm", [at]],
      ["reportUnreadable", [at]],
      ["emergencyExit", [at]],
      ["guardianExit", [at, 1n, 0n]],
      ["deposit(uint256,address)", [1n, at]],
      ["mint(uint256,address)", [1n, at]],
      ["withdraw(uint256,address,address)", [1n, at, at]],
      ["redeem(uint256,address,address)", [1n, at, at]],
      ["redeemInKind", [1n, at, []]],
      ["redeemClaim", [at, 1n, at]],
    ]);
    for (const [name, args] of calls) {
      await token.setHook(alice.address, await vault.getAddress(), data(name, args));
      await deposit(system, alice, unit);
      expect(await token.lastAnswer(), name).to.equal(
        vault.interface.encodeErrorResult("ReentrancyGuardReentrantCall"),
      );
    }
  });

  it("takes and pays nothing by its own word while a call is under way", async () => {
    const { system, token } = await loadFixture(hooked);
    const { vault, alice, unit } = system;
    for (const name of ["maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"] as const) {
      const data = (vault.interface as Interface).encodeFunctionData(name, [alice.address]);
      await token.setHook(alice.address, await vault.getAddress(), data);
      await deposit(system, alice, unit);
      expect(await token.lastSuccess()).to.equal(true);
      expect(BigInt(await token.lastAnswer()), name).to.equal(0n);
    }
  });
});
