// The snapshot: every field from where it should be, both generations of Aave, and one broken venue that breaks nothing.
import { loadFixture, setCode, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import type { IVaultLens } from "../../../typechain-types";
import * as curve from "../adapters/threePoolMarket";
import * as uniswap from "../adapters/uniswapMarket";
import { DAY, MAX, WAD, deploySystem, deposit, rebalance } from "../deployment";
import { BUFFER, POCKET, RATE, STILL, deploySky, deploySkyAdapter, file, partsOf, setRate } from "../sky";

const RAY = 10n ** 27n;

/** A vault over one venue of each kind, with money in each. */
async function mixed() {
  const system = await deploySystem({ venues: 1 });
  const { vault, token, owner, unit, alice } = system;
  const lens = await (await ethers.getContractFactory("VaultLens")).deploy();
  const pool = await (await ethers.getContractFactory("SmallAavePool")).deploy(token);
  const comet = await (await ethers.getContractFactory("SmallComet")).deploy(token);
  const aave = await (await ethers.getContractFactory("AaveV3Adapter")).deploy(vault, pool, token, ethers.ZeroAddress);
  const compound = await (
    await ethers.getContractFactory("CompoundV3Adapter")
  ).deploy(vault, comet, ethers.ZeroAddress);
  for (const adapter of [aave, compound]) {
    const address = await adapter.getAddress();
    await vault
      .connect(owner)
      .addAdapter({ adapter: address, absoluteCap: 10n ** 15n, relativeCap: WAD / 2n, groupMask: 1n });
  }
  await deposit(system, alice, 1_000_000n * unit);
  await time.increase(DAY);
  await rebalance(system, [
    [system.adapters[0]!, 100_000n * unit],
    [aave, 200_000n * unit],
    [compound, 300_000n * unit],
  ]);
  const shapes = lens.interface.getFunction("stateShapes").outputs;
  const decode = (index: number, data: string) =>
    ethers.AbiCoder.defaultAbiCoder().decode([shapes[index]!], data)[0] as Record<string, bigint | boolean>;
  return { system, lens, pool, comet, aave, compound, decode };
}

describe("VaultLens", () => {
  it("holds the vault's totals, limits and roles", async () => {
    const { system, lens } = await loadFixture(mixed);
    const { vault, keeper, guardian, owner, token, unit } = system;
    await vault.connect(guardian).setMinimumIdle(WAD / 20n);
    const snap = await lens.snapshot(vault, keeper.address);
    const block = (await ethers.provider.getBlock("latest"))!;
    expect(snap.chainId).to.equal(31337n);
    expect(snap.blockNumber).to.be.within(BigInt(block.number), BigInt(block.number + 1));
    const parent = await ethers.provider.getBlock(Number(snap.blockNumber) - 1);
    expect(snap.parentHash).to.equal(parent!.hash);
    expect(snap.vault).to.equal(await vault.getAddress());
    expect(snap.asset).to.equal(await token.getAddress());
    expect([snap.assetDecimals, snap.decimals]).to.deep.equal([6n, 18n]);
    expect(snap.opened).to.equal(true);
    expect(snap.idle).to.equal(400_001n * unit);
    expect(snap.totalAssets).to.equal(1_000_001n * unit);
    expect(snap.accountedAssets).to.equal(1_000_001n * unit);
    expect(snap.totalSupply).to.equal(1_000_001n * WAD);
    expect(snap.sharePrice).to.equal(unit * WAD);
    expect(snap.depositCap).to.equal(2n ** 120n - 1n);
    expect(snap.minimumIdle).to.equal(WAD / 20n);
    expect(snap.maxRate).to.equal(WAD / 2n);
    expect(snap.lossPerCall).to.equal(WAD / 1000n);
    expect(snap.lossBudget).to.deep.equal([WAD / 100n, DAY, WAD / 200n]);
    expect(snap.turnoverBudget.limit).to.equal(4n * WAD);
    expect(snap.turnoverBudget.available).to.be.lessThan(2n * WAD);
    expect([snap.breaker, snap.breakerUntil]).to.deep.equal([0n, 0n]);
    expect([snap.owner, snap.guardian, snap.keeper]).to.deep.equal([owner.address, guardian.address, keeper.address]);
    expect(snap.isKeeper).to.equal(true);
    expect(snap.planEpoch).to.equal(1n);
    expect(snap.nextNonce).to.equal((1n << 64n) | 1n);
    expect(snap.groups).to.deep.equal([[ethers.encodeBytes32String("all"), WAD]]);
  });

  it("holds each adapter's values and terms", async () => {
    const { system, lens, aave, pool, comet, compound } = await loadFixture(mixed);
    const { vault, keeper, unit } = system;
    const snap = await lens.snapshot(vault, keeper.address);
    const [savings, a, c] = snap.adapters;
    expect(a!.adapter).to.equal(await aave.getAddress());
    expect(a!.venue).to.equal(await pool.getAddress());
    expect(a!.receipt).to.equal(await pool.aToken());
    expect([savings!.kind, a!.kind, c!.kind].map(ethers.decodeBytes32String)).to.deep.equal([
      "erc4626",
      "aave-v3",
      "compound-v3",
    ]);
    expect(c!.adapter).to.equal(await compound.getAddress());
    expect(c!.receipt).to.equal(await comet.getAddress());
    expect(snap.adapters.map((x) => [x.fairValue, x.exitValue, x.counted, x.maxWithdraw])).to.deep.equal(
      [100_000n, 200_000n, 300_000n].map((v) => [v * unit, v * unit, v * unit, v * unit]),
    );
    expect([a!.exact, a!.readable, a!.quarantined]).to.deep.equal([true, true, false]);
    expect([a!.absoluteCap, a!.relativeCap, a!.groupMask]).to.deep.equal([10n ** 15n, WAD / 2n, 1n]);
    expect(savings!.maxDeposit).to.equal(MAX);
  });

  it("decodes Aave before virtual balances: cash of the aToken, a strategy of the reserve", async () => {
    const { system, lens, pool, decode } = await loadFixture(mixed);
    const { vault, keeper, unit } = system;
    const debt = await ethers.getContractAt("SmallAaveDebt", await pool.debt());
    await debt.set(100_000n * unit);
    await pool.setIndices((RAY * 11n) / 10n, (RAY * 12n) / 10n, 0n);
    await pool.configure(6, true, true, false, 5_000_000, 1_000);
    const state = decode(0, (await lens.snapshot(vault, keeper.address)).adapters[1]!.state);
    expect(state["cash"]).to.equal(200_000n * unit);
    expect(state["borrowed"]).to.equal(120_000n * unit);
    expect(state["aTokenSupply"]).to.equal(222_000n * unit);
    expect(state["supplyCap"]).to.equal(5_000_000n * unit);
    expect(state["liquidityIndex"]).to.equal((RAY * 11n) / 10n);
    expect(state["liquidityRate"]).to.equal(RAY / 20n);
    expect(state["variableBorrowRate"]).to.equal((RAY * 7n) / 100n);
    expect([state["baseRate"], state["slope1"], state["slope2"], state["optimalUsage"]]).to.deep.equal([
      RAY / 100n,
      (RAY * 9n) / 100n,
      (RAY * 6n) / 10n,
      (RAY * 92n) / 100n,
    ]);
    expect(state["reserveFactorBps"]).to.equal(1_000n);
    expect([state["active"], state["frozen"], state["paused"]]).to.deep.equal([true, true, false]);
  });

  it("decodes Aave with virtual balances and a common strategy to the same shape", async () => {
    const { system, lens, pool, decode } = await loadFixture(mixed);
    await pool.modernise(77n);
    const state = decode(0, (await lens.snapshot(system.vault, system.keeper.address)).adapters[1]!.state);
    expect(state["cash"]).to.equal(77n);
    expect([state["baseRate"], state["slope1"], state["slope2"], state["optimalUsage"]]).to.deep.equal([
      RAY / 100n,
      (RAY * 9n) / 100n,
      (RAY * 6n) / 10n,
      (RAY * 92n) / 100n,
    ]);
  });

  it("decodes Comet", async () => {
    const { system, lens, comet, decode } = await loadFixture(mixed);
    await comet.pause(true, false, false);
    const state = decode(1, (await lens.snapshot(system.vault, system.keeper.address)).adapters[2]!.state);
    expect(state).to.deep.equal([
      300_000n * system.unit,
      300_000n * system.unit,
      700n * system.unit,
      (WAD * 7n) / 10n,
      (WAD * 8n) / 10n,
      1n,
      1_030_568_239n,
      12_683_916_793n,
      700_000_000n,
      1_400_000_000n,
      true,
      false,
    ]);
  });

  it("decodes an ERC-4626 vault, its index growing", async () => {
    const { system, lens, decode } = await loadFixture(mixed);
    const { vault, keeper, venues, token, stranger, unit } = system;
    const read = async () => decode(2, (await lens.snapshot(vault, keeper.address)).adapters[0]!.state);
    expect((await read())["assetsPerShare"]).to.equal(WAD * WAD);
    await token.connect(stranger).transfer(venues[0]!, 100_001n * unit);
    await venues[0]!.setLiquidity(1_000n * unit);
    const state = await read();
    expect(state["assetsPerShare"]).to.be.within(2n * WAD * WAD - 10n ** 30n, 2n * WAD * WAD);
    expect(state["totalAssets"]).to.equal(200_002n * unit);
    expect(state["totalShares"]).to.equal(100_001n * unit);
    expect(state["vaultMaxWithdraw"]).to.be.within(1_000n * unit - 2n, 1_000n * unit);
  });

  for (const form of ["usds", "dai"] as const) {
    it(`decodes Sky's savings and their PSM (${form})`, async () => {
      const system = await deploySystem({ venues: 0 });
      const { vault, owner, keeper, token, unit, alice } = system;
      const lens = await (await ethers.getContractFactory("VaultLens")).deploy();
      const sky = await deploySky(token);
      const adapter = await deploySkyAdapter(sky, form, vault);
      await vault
        .connect(owner)
        .addAdapter({ adapter: await adapter.getAddress(), absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
      await deposit(system, alice, 1_000_000n * unit);
      await time.increase(DAY);
      await rebalance(system, [[adapter, 200_000n * unit]]);
      await setRate(sky, STILL);
      const shape = lens.interface.getFunction("stateShapes").outputs[3];
      if (shape === undefined) throw new Error("no shape");
      const read = async () => {
        const view = (await lens.snapshot(vault, keeper.address)).adapters[0];
        if (view === undefined) throw new Error("no adapter");
        return ethers.AbiCoder.defaultAbiCoder().decode([shape], view.state)[0] as Record<string, bigint | boolean>;
      };
      const { savings } = partsOf(sky, form);
      const index = await savings.convertToAssets(WAD);
      expect(index).to.be.within((102n * WAD) / 100n, (103n * WAD) / 100n);
      await file(sky, "tin", 3n);
      await file(sky, "tout", 5n);
      await (form === "usds" ? sky.sUsds.setSsr(RATE) : sky.pot.setDsr(RATE));
      const state = await read();
      expect(state["ratePerSecond"]).to.equal(RATE);
      expect(state["assetsPerShare"]).to.be.within(index, index + 10n ** 11n);
      expect(state["totalAssets"]).to.be.within(200_000n * unit, 200_100n * unit);
      expect(state["cash"]).to.equal((POCKET + 200_000n) * unit);
      expect(state["room"]).to.equal((POCKET + BUFFER - 200_000n) * unit);
      expect([state["tin"], state["tout"], state["sellingHalted"], state["buyingHalted"]]).to.deep.equal([
        3n,
        5n,
        false,
        false,
      ]);
      await file(sky, "tin", MAX);
      const selling = await read();
      expect([selling["tin"], selling["sellingHalted"], selling["buyingHalted"]]).to.deep.equal([0n, true, false]);
      await file(sky, "tout", MAX);
      const both = await read();
      expect([both["tout"], both["sellingHalted"], both["buyingHalted"]]).to.deep.equal([0n, true, true]);
    });
  }

  it("marks what cannot be read, and reads the rest", async () => {
    const { system, lens, pool } = await loadFixture(mixed);
    const { vault, keeper, venues, guardian, adapters, unit } = system;
    await pool.misbehave(0n, false, true);
    await venues[0]!.setBroken(true);
    const snap = await lens.snapshot(vault, keeper.address);
    const [savings, aave, compound] = snap.adapters;
    expect([savings!.readable, savings!.fairValue, savings!.counted, savings!.state]).to.deep.equal([
      false,
      0n,
      0n,
      "0x",
    ]);
    // Its aToken still says what the position is worth; the pool says nothing of what it takes or pays.
    expect([aave!.readable, aave!.fairValue]).to.deep.equal([true, 200_000n * unit]);
    expect([aave!.exitValue, aave!.maxDeposit, aave!.maxWithdraw, aave!.state]).to.deep.equal([0n, 0n, 0n, "0x"]);
    expect(compound!.readable).to.equal(true);
    await venues[0]!.setBroken(false);
    await vault.connect(guardian).quarantine(adapters[0]!);
    const after = (await lens.snapshot(vault, keeper.address)).adapters[0]!;
    expect([after.readable, after.quarantined, after.fairValue, after.counted]).to.deep.equal([
      true,
      true,
      100_000n * unit,
      0n,
    ]);
  });

  it("reads nothing but values of an adapter whose kind or identity it does not know", async () => {
    const { system, lens } = await loadFixture(mixed);
    const { vault, token, owner, keeper } = system;
    const hostile = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
    const address = await hostile.getAddress();
    await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: 0n, relativeCap: 0n, groupMask: 0n });
    const view = (await lens.snapshot(vault, keeper.address)).adapters[3]!;
    expect([view.readable, view.state]).to.deep.equal([true, "0x"]);
    expect(await lens.stateShapes()).to.have.length(6);
  });

  it("counts for the vault only its part of a position with claims on it", async () => {
    const { system, lens } = await loadFixture(mixed);
    const { vault, alice, adapters, keeper, unit } = system;
    await vault.connect(alice).redeemInKind(500_000n * WAD, alice.address, [await adapters[0]!.getAddress()]);
    const view = (await lens.snapshot(vault, keeper.address)).adapters[0]!;
    expect(view.fairValue).to.equal(100_000n * unit);
    expect(view.counted).to.be.within(50_000n * unit, 50_001n * unit);
  });

  it("names an adapter that does not say what it is, and nothing more of it", async () => {
    const { system, lens } = await loadFixture(mixed);
    const { vault, adapters, keeper } = system;
    const gone = await adapters[0]!.getAddress();
    await setCode(gone, "0x");
    const [view, next] = (await lens.snapshot(vault, keeper.address)).adapters;
    expect([view!.adapter, view!.venue, view!.readable, view!.fairValue]).to.deep.equal([
      gone,
      ethers.ZeroAddress,
      false,
      0n,
    ]);
    expect(next!.readable).to.equal(true);
  });

  it("decodes Curve's 3pool", async () => {
    const { system, lens, decode } = await loadFixture(mixed);
    const { vault, owner, feeRecipient, token, alice, unit, keeper } = system;
    const market = await curve.openMarket(feeRecipient, { usdc: token });
    const adapter = await curve.deployAdapter(market, await vault.getAddress());
    await vault.connect(owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
    const { pool, lpToken } = market;
    const stateOf = async () => {
      const view = (await lens.snapshot(vault, keeper.address)).adapters.at(-1)!;
      return { view, state: decode(4, view.state) };
    };
    // Empty it is read whatever the feeds say: a price that is none is zero.
    await curve.report(market, [curve.DOLLAR, -1n, curve.DOLLAR]);
    const priceless = await stateOf();
    expect(priceless.view.readable).to.equal(true);
    expect([priceless.state["steady"], priceless.state["held"]]).to.deep.equal([false, 0n]);
    expect(priceless.state["dollars"]).to.deep.equal([curve.DOLLAR, 0n, curve.DOLLAR]);
    await curve.report(market, [curve.DOLLAR, curve.DOLLAR, curve.DOLLAR]);
    await deposit(system, alice, 3_000_000n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapter, 2_000_000n * unit]]);
    const { view, state } = await stateOf();
    expect(view.kind).to.equal(ethers.encodeBytes32String("curve-3pool"));
    expect(view.exact).to.equal(false);
    expect(view.fairValue).to.equal(await adapter.fairValue());
    const held = await lpToken.balanceOf(adapter);
    expect([...Object.values(state)]).to.deep.equal([
      ...[await pool.get_virtual_price(), await lpToken.totalSupply(), held],
      [await pool.balances(0), await pool.balances(1), await pool.balances(2)],
      [1n, 10n ** 12n, 10n ** 12n],
      ...[2_000n, 1_000_000n, 1n, [curve.DOLLAR, curve.DOLLAR, curve.DOLLAR], curve.SLIPPAGE, true],
    ]);
    await curve.report(market, [curve.DOLLAR, curve.DOLLAR, (curve.DOLLAR * 9n) / 10n]);
    const off = await stateOf();
    expect(off.state["steady"]).to.equal(false);
    expect(off.state["dollars"]).to.deep.equal([curve.DOLLAR, curve.DOLLAR, (curve.DOLLAR * 9n) / 10n]);
  });

  for (const assetFirst of [true, false]) {
    it(`decodes a range of Uniswap V3 whose asset is token${assetFirst ? 0 : 1}`, async () => {
      const market = await uniswap.deployMarket({ assetFirst });
      const system = await deploySystem({ venues: 0, token: market.asset });
      const { vault, owner, alice, keeper, unit } = system;
      const adapter = await uniswap.deployAdapter(market, {}, vault);
      await vault.connect(owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
      const lens = await (await ethers.getContractFactory("VaultLens")).deploy();
      const shapes = lens.interface.getFunction("stateShapes").outputs;
      const stateOf = async () => {
        const view = (await lens.snapshot(vault, keeper.address)).adapters[0]!;
        expect(view.readable).to.equal(true);
        return ethers.AbiCoder.defaultAbiCoder().decode([shapes[5]!], view.state)[0] as IVaultLens.UniswapV3StateStruct;
      };
      await deposit(system, alice, 1_000_000n * unit);
      await uniswap.age(market, 3_600);
      const empty = await stateOf();
      expect([empty.held, empty.tickLower, empty.tickUpper]).to.deep.equal([0n, 0n, 0n]);
      await rebalance(system, [[adapter, 500_000n * unit]]);
      await uniswap.age(market, 9 * Number(uniswap.WINDOW));
      const { pool, asset, paired } = market;
      const state = await stateOf();
      const position = await adapter.position();
      expect(state.sqrtPrice).to.equal((await pool.slot0()).sqrtPriceX96);
      expect([state.liquidity, state.held]).to.deep.equal([await pool.liquidity(), position.liquidity]);
      expect([state.tickLower, state.tickUpper]).to.deep.equal([position.lower, position.upper]);
      const growths = [await pool.feeGrowthGlobal0X128(), await pool.feeGrowthGlobal1X128()];
      const [own, others] = assetFirst ? growths : [...growths].reverse();
      expect([state.feeGrowthAsset, state.feeGrowthPaired]).to.deep.equal([own, others]);
      expect(state.feeGrowthAsset).to.be.greaterThan(0n);
      expect(state.cash).to.equal(await asset.balanceOf(pool));
      expect(state.pairedDecimals).to.equal(await paired.decimals());
      expect([state.assetFirst, state.steady, state.window]).to.deep.equal([assetFirst, true, uniswap.WINDOW]);
      expect([state.feePips, state.halfWidth]).to.deep.equal([await pool.fee(), await adapter.halfWidth()]);
      expect(state.slippage).to.equal(await adapter.slippage());
      // The means of windows that lie one after another, the latest first.
      expect(state.meanTicks).to.have.length(8);
      const moments = [0n, 1n, 2n].map((k) => k * uniswap.WINDOW);
      const [sums] = await pool.observe(moments);
      for (const k of [0, 1]) {
        const mean = (sums[k]! - sums[k + 1]!) / uniswap.WINDOW;
        expect(state.meanTicks[k]).to.be.within(mean - 1n, mean + 1n);
      }
    });
  }
});
