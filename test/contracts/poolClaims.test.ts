// Claims on positions in pools: an exit in kind that leaves a pool out, and the claim paid later, in what the pool gives. Uniswap
// V3 is the genuine pool of npm; the 3pool is its model here, and the genuine one in test/fork/threePoolByPlans.test.ts.
import { impersonateAccount, loadFixture, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { expect } from "chai";
import { ethers } from "hardhat";
import type { Claims } from "../../typechain-types";
import { deployAdapter as deployCurveAdapter, openMarket } from "./adapters/threePoolMarket";
import {
  BLOCK,
  age,
  deployAdapter as deployUniswapAdapter,
  deployMarket,
  sorted,
  type MarketOptions,
} from "./adapters/uniswapMarket";
import { GAS, generator } from "./bundle";
import { ALL, MAX, WAD, deploySystem, deposit, rebalance, redeem, type System } from "./deployment";

const WHOLE = 1_000_000n;
/** Units that a position is divided into by its first claim (InKind.sol). */
const UNITS = 10n ** 27n;

interface Position {
  getAddress(): Promise<string>;
  fairValue(overrides: { blockTag: number }): Promise<bigint>;
}

const claimsOf = async ({ vault }: System): Promise<Claims> =>
  ethers.getContractAt("Claims", await vault.claims()) as unknown as Promise<Claims>;

/** Alice leaves with all of her shares; her part of `position` stays as a claim, which is returned. */
async function leaveWithClaim(system: System, position: Position): Promise<bigint> {
  const { vault, alice, token } = system;
  const claims = await claimsOf(system);
  const [shares, idle] = [await vault.balanceOf(alice.address), await vault.idle()];
  const supply = (await vault.totalSupply()) + 10n ** 12n;
  const purse = await token.balanceOf(alice.address);
  const sent = await vault.connect(alice).redeemInKind(shares, alice.address, [await position.getAddress()]);
  const blockTag = (await sent.wait())?.blockNumber ?? 0;
  const [accrued] = await vault.queryFilter(vault.filters.Accrued, blockTag, blockTag);
  // A gain that drips stays with those who stay, of the claim too.
  const accounted = accrued?.args.totalAssets ?? 0n;
  const sum = idle + (await position.fairValue({ blockTag }));
  const numerator = sum > accounted ? (shares * accounted) / sum : shares;
  expect((await token.balanceOf(alice.address)) - purse).to.equal((idle * numerator) / supply);
  const units = await claims.balanceOf(alice.address, await position.getAddress());
  expect(units).to.equal((UNITS * numerator) / supply);
  return units;
}

/** Nobody has a claim any more: the position is the vault's again. */
async function expectNoClaims(system: System, position: Position, holders: readonly HardhatEthersSigner[]) {
  const record = await system.vault.adapter(await position.getAddress());
  expect([record.claimUnits, record.totalUnits]).to.deep.equal([0n, 0n]);
  const claims = await claimsOf(system);
  for (const holder of holders) {
    expect(await claims.balanceOf(holder.address, await position.getAddress())).to.equal(0n);
  }
}

describe("Claims on a range of a genuine pool of Uniswap V3", () => {
  async function inVault(options: MarketOptions) {
    const market = await deployMarket(options);
    const system = await deploySystem({ venues: 0, token: market.asset });
    const adapter = await deployUniswapAdapter(market, {}, system.vault);
    await system.vault.connect(system.owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
    for (const who of [system.alice, system.bob]) await deposit(system, who, WHOLE * system.unit);
    await age(market, 3_600);
    await rebalance(system, [[adapter, WHOLE * system.unit]]);
    return { market, system, adapter };
  }

  type Scene = Awaited<ReturnType<typeof inVault>>;

  /** Trades around the middle, a block apart: fees are owed, and spot is not where it was. */
  async function trade({ market }: Scene, seed: bigint, times: number): Promise<void> {
    const random = generator(seed);
    for (let i = 0; i < times; i++) {
      await time.setNextBlockTimestamp((await time.latest()) + BLOCK);
      const target = market.middle + random(31n) - 15n;
      await market.trader.push((await market.probe.sqrtAt(target)) + BigInt(i + 1), GAS);
    }
  }

  /** What `units` of `total` of the position are: liquidity as the pool pays it, and the part of fees and of what lies there. */
  async function partOf({ market, adapter }: Scene, units: bigint, total: bigint): Promise<[bigint, bigint]> {
    const address = await adapter.getAddress();
    await impersonateAccount(address);
    await setBalance(address, 10n ** 18n);
    const pool = market.whole.connect(await ethers.getSigner(address)) as typeof market.whole;
    const { liquidity, lower, upper, fees0, fees1 } = await adapter.position();
    const burned = (await pool.getFunction("burn").staticCall(lower, upper, (liquidity * units) / total)) as [
      bigint,
      bigint,
    ];
    const [amount, paired] = sorted(market, [burned[0], burned[1]] as const);
    const [fees, pairedFees] = sorted(market, [fees0, fees1] as const);
    const [rest, pairedRest] = await coinsOf({ market }, address);
    return [amount + ((fees + rest) * units) / total, paired + ((pairedFees + pairedRest) * units) / total];
  }

  const coinsOf = async ({ market }: Pick<Scene, "market">, who: string): Promise<[bigint, bigint]> => [
    await market.asset.balanceOf(who),
    await market.paired.balanceOf(who),
  ];

  /** Pays `units` of a holder's claim, and holds what came to the pool's own numbers. */
  async function pay(scene: Scene, holder: HardhatEthersSigner, units: bigint): Promise<void> {
    const { system, adapter } = scene;
    const { totalUnits } = await system.vault.adapter(adapter);
    const expected = await partOf(scene, units, totalUnits);
    const { liquidity } = await adapter.position();
    const before = await coinsOf(scene, holder.address);
    await expect(system.vault.connect(holder).redeemClaim(adapter, units, holder.address))
      .to.emit(system.vault, "ClaimRedeemed")
      .withArgs(await adapter.getAddress(), holder.address, units, (liquidity * units) / totalUnits);
    const after = await coinsOf(scene, holder.address);
    expect([after[0] - before[0], after[1] - before[1]]).to.deep.equal(expected);
    expect(expected[0] > 0n && expected[1] > 0n, "both coins").to.equal(true);
    expect((await adapter.position()).liquidity).to.equal(liquidity - (liquidity * units) / totalUnits);
  }

  for (const [name, options] of [
    ["asset first", {}],
    ["asset second, the paired coin of 18 decimals", { assetFirst: false, pairedDecimals: 18 }],
  ] as const) {
    it(`are paid in both coins to the unit, to whoever holds them then, and leave nothing over (${name})`, async () => {
      const scene = await inVault(options);
      const { market, system, adapter } = scene;
      const { vault, alice, bob, stranger } = system;
      await trade(scene, 3n, 12);
      const { liquidity } = await adapter.position();
      const paired = await market.paired.balanceOf(alice.address);
      const units = await leaveWithClaim(system, adapter);
      expect((await adapter.position()).liquidity).to.equal(liquidity);
      expect(await market.paired.balanceOf(alice.address)).to.equal(paired);
      expect(units).to.be.within((UNITS * 49n) / 100n, UNITS / 2n);

      // A part goes to somebody else; the market trades on; each is paid a part of what is there by then.
      const claims = await claimsOf(system);
      const id = BigInt(await adapter.getAddress());
      await claims.connect(alice).transfer(stranger.address, id, units / 3n);
      await trade(scene, 4n, 12);
      await pay(scene, stranger, units / 3n);
      await expect(vault.connect(stranger).redeemClaim(adapter, 1n, stranger.address))
        .to.be.revertedWithCustomError(vault, "ClaimTooLarge")
        .withArgs(1n, 0n);
      await trade(scene, 5n, 6);
      await pay(scene, alice, 1n + units / 5n);
      await pay(scene, alice, await claims.balanceOf(alice.address, id));
      await expectNoClaims(system, adapter, [alice, stranger]);
      // No other hand moved liquidity: of what was there at first, the claim's part is gone, less a unit of rounding a payment.
      const gone = liquidity - (await adapter.position()).liquidity;
      expect(gone).to.be.within((liquidity * units) / UNITS - 3n, (liquidity * units) / UNITS);

      // What stays is the vault's, all of it.
      await market.trader.push(market.par);
      await age(market, 3_600);
      await rebalance(system, [[adapter, ALL]]);
      expect((await adapter.position()).liquidity).to.equal(0n);
      expect(await coinsOf(scene, await adapter.getAddress())).to.deep.equal([0n, 0n]);
      await redeem(system, bob, await vault.balanceOf(bob.address));
    });
  }

  it("keep their worth while the keeper moves the vault's own part, in and all of it out", async () => {
    const scene = await inVault({});
    const { market, system, adapter } = scene;
    const { vault, alice, unit } = system;
    await market.trader.push(market.par);
    await age(market, 3_600);
    const units = await leaveWithClaim(system, adapter);
    const worth = async (): Promise<bigint> => {
      const { totalUnits } = await vault.adapter(adapter);
      return ((await adapter.fairValue()) * units) / totalUnits;
    };
    const before = await worth();
    await rebalance(system, [[adapter, 200_000n * unit]]);
    expect(await worth()).to.be.within(before - 2n, before + 2n);
    await rebalance(system, [[adapter, ALL]]);
    // The fee of the trade that leaving takes comes to the position that stays.
    expect(await worth()).to.be.within(before - 2n, before + 20n * unit);
    const { claimUnits, totalUnits } = await vault.adapter(adapter);
    expect(claimUnits).to.equal(units);
    expect(((totalUnits - claimUnits) * WAD) / totalUnits).to.be.at.most(WAD / 10n ** 6n);
    await pay(scene, alice, units);
    await expectNoClaims(system, adapter, [alice]);
  });
});

describe("Claims on a position in the 3pool", () => {
  async function inVault() {
    const system = await deploySystem({ venues: 0 });
    const { vault, owner, alice, bob, unit } = system;
    const market = await openMarket(system.feeRecipient, { usdc: system.token });
    const adapter = await deployCurveAdapter(market, await vault.getAddress());
    await vault.connect(owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
    await deposit(system, alice, 3n * WHOLE * unit);
    await deposit(system, bob, WHOLE * unit);
    await time.increase(3_600n);
    await rebalance(system, [[adapter, 2n * WHOLE * unit]]);
    return { market, system, adapter };
  }

  it("are paid in the pool's receipts to the wei, to whoever holds them then, and leave nothing over", async () => {
    const { market, system, adapter } = await loadFixture(inVault);
    const { vault, alice, bob, stranger, token } = system;
    const { lpToken } = market;
    const claims = await claimsOf(system);
    const id = BigInt(await adapter.getAddress());
    const held = await lpToken.balanceOf(adapter);
    const units = await leaveWithClaim(system, adapter);
    expect(await lpToken.balanceOf(adapter)).to.equal(held);
    expect(await lpToken.balanceOf(alice.address)).to.equal(0n);

    await claims.connect(alice).transfer(stranger.address, id, units / 3n);
    // What lies there of the asset is the claim's too, by its part.
    await token.mint(adapter, 1_000_003n);
    const pay = async (holder: HardhatEthersSigner, amount: bigint): Promise<void> => {
      const { totalUnits } = await vault.adapter(adapter);
      const [receipts, strays] = [await lpToken.balanceOf(adapter), await token.balanceOf(adapter)];
      const [before, purse] = [await lpToken.balanceOf(holder.address), await token.balanceOf(holder.address)];
      await vault.connect(holder).redeemClaim(adapter, amount, holder.address);
      expect((await lpToken.balanceOf(holder.address)) - before).to.equal((receipts * amount) / totalUnits);
      expect((await token.balanceOf(holder.address)) - purse).to.equal((strays * amount) / totalUnits);
    };
    await pay(stranger, units / 3n);
    await pay(alice, 7n);
    await pay(alice, await claims.balanceOf(alice.address, id));
    await expectNoClaims(system, adapter, [alice, stranger]);
    const gone = held - (await lpToken.balanceOf(adapter));
    expect(gone).to.be.within((held * units) / UNITS - 3n, (held * units) / UNITS);

    // The receipts are the pool's own: it redeems them for all three coins.
    const got = await lpToken.balanceOf(stranger.address);
    expect(got).to.be.greaterThan(0n);
    await market.pool.connect(stranger).remove_liquidity(got, [1n, 1n, 1n]);
    expect(await lpToken.balanceOf(stranger.address)).to.equal(0n);

    await time.increase(3_600n);
    for (const feed of market.feeds) await feed.connect(market.trader).push(await feed.latestAnswer());
    await rebalance(system, [[adapter, ALL]]);
    expect([await lpToken.balanceOf(adapter), await token.balanceOf(adapter)]).to.deep.equal([0n, 0n]);
    await redeem(system, bob, await vault.balanceOf(bob.address));
  });
});
