// A position in Curve's 3pool, on its model: what the adapter promises, and what a market of unlimited capital, a keeper who
// is the attacker, feeds and the pool's owner can do to it. The model is held to the genuine pool by test/fork.
import { loadFixture, mine, setCode, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { expect } from "chai";
import { ethers, network } from "hardhat";
import type { Curve3PoolAdapter, PriceFeedModel } from "../../../typechain-types";
import { generator, nth } from "../bundle";
import { ALL, deploySystem, deposit, MAX, rebalance, WAD } from "../deployment";
import {
  DAI,
  deployAdapter,
  DOLLAR,
  FEE_DENOMINATOR,
  HEARTBEAT,
  mint,
  openMarket,
  report,
  SLIPPAGE,
  STEADINESS,
  TERMS,
  trade,
  UNITS,
  USDC,
  USDT,
  type Market,
} from "./threePoolMarket";

const UNIT = nth(UNITS, USDC);
const PLACED = 500_000n * UNIT;
/** Units that the adapter leaves to the pool's rounding. */
const ROUNDING = 1_000n;
/** So that a market of the genuine pool's size can reach the floor while steady. */
const TIGHT = WAD / 5_000n;
const HUNDRED_DOLLARS = 10_000_000_000n;

interface Scene extends Market {
  readonly vault: HardhatEthersSigner;
  readonly stranger: HardhatEthersSigner;
  readonly adapter: Curve3PoolAdapter;
}

async function bare(): Promise<Scene> {
  const [trader, vault, stranger] = (await ethers.getSigners()) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const market = await openMarket(trader);
  const adapter = await deployAdapter(market, vault.address);
  return { ...market, vault, stranger, adapter };
}

async function placed(): Promise<Scene> {
  const scene = await bare();
  await put(scene, PLACED);
  return scene;
}

/** Where an attacker's trades cost nothing. */
async function feeless(): Promise<Scene> {
  const scene = await bare();
  const market = await openMarket(scene.trader, { terms: [TERMS[0], 0n, 0n] });
  return { ...scene, ...market, adapter: await deployAdapter(market, scene.vault.address) };
}

const POOLS = [
  ["of mainnet's fee", placed],
  ["without a fee", feeless],
] as const;

/** As the vault does: pays the adapter, then tells it. */
async function put(scene: Scene, amount: bigint, data = "0x", place = USDC): Promise<void> {
  await mint(scene, place, await scene.adapter.getAddress(), amount);
  await scene.adapter.connect(scene.vault).deposit(amount, data);
}

const minimum = (amount: bigint): string => ethers.AbiCoder.defaultAbiCoder().encode(["uint256"], [amount]);

/** USDC and USDT are bought with DAI until each costs `dollars` (1e-8) of it. */
async function leaveDai(scene: Market, dollars: bigint): Promise<void> {
  const target = (dollars * nth(UNITS, DAI)) / DOLLAR;
  let step = 8_000_000n;
  for (let i = 0; i < 400; i++) {
    const cheap = [];
    for (const k of [USDC, USDT]) if ((await scene.pool.get_dy(k, DAI, UNIT)) < target) cheap.push(k);
    if (cheap.length === 0) return;
    for (const k of cheap) {
      const undo = await snapshot();
      await trade(scene, DAI, k, step * nth(UNITS, DAI));
      // No further than a tenth of a percent.
      if ((await scene.pool.get_dy(k, DAI, UNIT)) < (target * 1_001n) / 1_000n) continue;
      await undo();
      step = step / 2n + 1n;
    }
  }
  throw new Error("the price was not reached");
}

/** The asset becomes dearer, by what is steady and too much for a bound of {@link TIGHT}. */
async function leaveLess(scene: Market): Promise<void> {
  await trade(scene, DAI, USDC, 30_000_000n * nth(UNITS, DAI));
}

async function snapshot(): Promise<() => Promise<void>> {
  const id: unknown = await network.provider.send("evm_snapshot", []);
  return async () => void (await network.provider.send("evm_revert", [id]));
}

describe("Curve3PoolAdapter: what every adapter promises", () => {
  it("says what it is", async () => {
    const { adapter, vault, pool, lpToken, coins } = await loadFixture(bare);
    expect(await adapter.kind()).to.equal(ethers.encodeBytes32String("curve-3pool"));
    expect(await adapter.exact()).to.equal(false);
    expect(await adapter.vault()).to.equal(vault.address);
    expect(await adapter.asset()).to.equal(await nth(coins, USDC).getAddress());
    expect(await adapter.venue()).to.equal(await pool.getAddress());
    expect(await adapter.receipt()).to.equal(await lpToken.getAddress());
    expect(await adapter.index()).to.equal(USDC);
    expect([await adapter.slippage(), await adapter.steadiness()]).to.deep.equal([SLIPPAGE, STEADINESS]);
  });

  it("takes orders from its vault only", async () => {
    const { adapter, stranger } = await loadFixture(placed);
    const as = adapter.connect(stranger);
    for (const call of [
      () => as.deposit(0n, "0x"),
      () => as.withdraw(MAX, "0x"),
      () => as.redeemInKind(1n, 1n, stranger.address),
    ]) {
      await expect(call()).to.be.revertedWithCustomError(adapter, "NotVault").withArgs(stranger.address);
    }
  });

  for (const [name, place] of [
    ["DAI", DAI],
    ["USDC", USDC],
    ["USDT", USDT],
  ] as const) {
    it(`puts ${name} to work, pays an amount exactly, pays all, and leaves neither money nor allowance behind`, async () => {
      const base = await loadFixture(bare);
      const scene = { ...base, adapter: await deployAdapter(base, base.vault.address, { place }) };
      const { adapter, vault, pool, lpToken } = scene;
      const coin = nth(scene.coins, place);
      const unit = nth(UNITS, place);
      await put(scene, 500_000n * unit, "0x", place);
      const value = await adapter.fairValue();
      // Half of the fee of 1 bp at the most, and the curve's slippage.
      expect(value).to.be.within(499_950n * unit, 500_100n * unit);
      expect(await coin.allowance(adapter, pool)).to.equal(0n);
      await adapter.connect(vault).withdraw(123_456n * unit + 7n, "0x");
      expect(await coin.balanceOf(vault.address)).to.equal(123_456n * unit + 7n);
      expect(value - (await adapter.fairValue())).to.be.within(123_440n * unit, 123_475n * unit);
      const [exit, promised] = [await adapter.exitValue(), await adapter.fairValue()];
      const paid = await adapter.connect(vault).withdraw.staticCall(MAX, "0x");
      expect(exit).to.equal(paid < promised ? paid : promised);
      await adapter.connect(vault).withdraw(MAX, "0x");
      expect(await coin.balanceOf(vault.address)).to.equal(123_456n * unit + 7n + paid);
      expect(await coin.balanceOf(vault.address)).to.be.within(499_900n * unit, 500_000n * unit);
      for (const held of [coin, lpToken]) expect(await held.balanceOf(adapter)).to.equal(0n);
      expect(await adapter.fairValue()).to.equal(0n);
      expect(await adapter.exitValue()).to.equal(0n);
      expect(await adapter.connect(vault).withdraw.staticCall(MAX, "0x")).to.equal(0n);
    });
  }

  it("pays in kind its part, rounded down", async () => {
    const { adapter, vault, stranger, lpToken } = await loadFixture(placed);
    const held = await lpToken.balanceOf(adapter);
    await adapter.connect(vault).redeemInKind(2n, 3n, stranger.address);
    expect(await lpToken.balanceOf(stranger.address)).to.equal((held * 2n) / 3n);
    await adapter.connect(vault).redeemInKind(0n, 3n, stranger.address);
    expect(await lpToken.balanceOf(stranger.address)).to.equal((held * 2n) / 3n);
    await lpToken.connect(stranger).transfer(vault.address, 1n);
  });

  it("counts what strangers sent of the asset, and of no other coin, in what it is worth and pays", async () => {
    const scene = await loadFixture(placed);
    const { adapter } = scene;
    const read = async () =>
      [await adapter.fairValue(), await adapter.exitValue(), await adapter.maxWithdraw()] as const;
    const before = await read();
    await mint(scene, DAI, await adapter.getAddress(), 777n * WAD);
    expect(await read()).to.deep.equal(before);
    await mint(scene, USDC, await adapter.getAddress(), 777n * UNIT);
    expect(await read()).to.deep.equal(before.map((value) => value + 777n * UNIT));
  });

  it("pays an amount out of what lies there first, then exactly out of the pool, and all of both", async () => {
    const scene = await loadFixture(placed);
    const { adapter, vault, coins, lpToken } = scene;
    const usdc = nth(coins, USDC);
    await mint(scene, USDC, await adapter.getAddress(), 777n * UNIT);
    const held = await lpToken.balanceOf(adapter);
    await adapter.connect(vault).withdraw(700n * UNIT, "0x");
    expect(await usdc.balanceOf(vault.address)).to.equal(700n * UNIT);
    expect(await lpToken.balanceOf(adapter)).to.equal(held);
    // Receipts that must be left are asked of what the pool is not asked for, too.
    await expect(adapter.connect(vault).withdraw(UNIT, minimum(held + 1n)))
      .to.be.revertedWithCustomError(adapter, "FloorMissed")
      .withArgs(held, held + 1n);
    await adapter.connect(vault).withdraw(1_077n * UNIT, "0x");
    expect(await usdc.balanceOf(vault.address)).to.equal(1_777n * UNIT);
    expect(await usdc.balanceOf(adapter)).to.equal(0n);
    expect(held - (await lpToken.balanceOf(adapter))).to.be.within(999n * WAD, 1_001n * WAD);
    await mint(scene, USDC, await adapter.getAddress(), 5n * UNIT);
    const paid = await adapter.connect(vault).withdraw.staticCall(MAX, "0x");
    const value = await adapter.fairValue();
    expect(paid).to.be.within(value - 100n * UNIT, value);
    await expect(adapter.connect(vault).withdraw(MAX, minimum(paid + 1n)))
      .to.be.revertedWithCustomError(adapter, "FloorMissed")
      .withArgs(paid, paid + 1n);
    await adapter.connect(vault).withdraw(MAX, minimum(paid));
    expect(await usdc.balanceOf(vault.address)).to.equal(1_777n * UNIT + paid);
    for (const empty of [usdc, lpToken]) expect(await empty.balanceOf(adapter)).to.equal(0n);
  });

  it("the caller's own minimum is nothing or one word", async () => {
    const scene = await loadFixture(placed);
    const { adapter, vault } = scene;
    await mint(scene, USDC, await adapter.getAddress(), 777n * UNIT);
    for (const length of [1, 31, 33, 64]) {
      const data = ethers.hexlify(new Uint8Array(length));
      const as = adapter.connect(vault);
      const put = () => as.deposit(777n * UNIT, data);
      for (const move of [put, () => as.withdraw(UNIT, data), () => as.withdraw(MAX, data)]) {
        await expect(move()).to.be.revertedWithCustomError(adapter, "MalformedData").withArgs(length, 32);
      }
    }
  });

  it("what lies there makes up for no slippage: the floor is that of what the pool pays", async () => {
    const scene = await loadFixture(bare);
    const strict = await deployAdapter(scene, scene.vault.address, { slippage: TIGHT });
    const tight = { ...scene, adapter: strict };
    await put(tight, PLACED);
    await leaveLess(tight);
    expect(await strict.steady()).to.equal(true);
    await expect(strict.connect(scene.vault).withdraw(MAX, "0x")).to.be.revertedWithCustomError(strict, "FloorMissed");
    await mint(scene, USDC, await strict.getAddress(), PLACED);
    await expect(strict.connect(scene.vault).withdraw(MAX, "0x")).to.be.revertedWithCustomError(strict, "FloorMissed");
    await expect(strict.connect(scene.vault).withdraw(PLACED + 400_000n * UNIT, "0x")).to.be.revertedWithCustomError(
      strict,
      "FloorMissed",
    );
    // Alone it leaves.
    await strict.connect(scene.vault).withdraw(PLACED, "0x");
  });

  it("returns what lies there with a deposit, no more of it at once than the deposit brings", async () => {
    const scene = await loadFixture(placed);
    const { adapter, vault, coins } = scene;
    const usdc = nth(coins, USDC);
    await mint(scene, USDC, await adapter.getAddress(), 777n * UNIT);
    const value = await adapter.fairValue();
    await put(scene, 500n * UNIT);
    expect(await usdc.balanceOf(vault.address)).to.equal(500n * UNIT);
    expect(await usdc.balanceOf(adapter)).to.equal(277n * UNIT);
    // 500 went in and 500 came back: the cost of a deposit is all that it lost.
    expect(value - (await adapter.fairValue())).to.be.within(0n, UNIT / 10n);
    await put(scene, PLACED);
    expect(await usdc.balanceOf(vault.address)).to.equal(777n * UNIT);
    expect(await usdc.balanceOf(adapter)).to.equal(0n);
  });

  it("pays what lies there while it has no position, whatever pool and feeds say", async () => {
    const scene = await loadFixture(placed);
    const { adapter, vault, coins, pool, feeds } = scene;
    const usdc = nth(coins, USDC);
    await mint(scene, USDC, await adapter.getAddress(), 777n * UNIT);
    await pool.kill_me();
    // With a position it promises nothing while the pool is killed.
    expect([await adapter.exitValue(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
    await nth(feeds, DAI).push(0n);
    await expect(adapter.connect(vault).withdraw(UNIT, "0x"))
      .to.be.revertedWithCustomError(adapter, "PriceNotPositive")
      .withArgs(await nth(feeds, DAI).getAddress(), 0n);
    await adapter.connect(vault).redeemInKind(1n, 1n, vault.address);
    expect(await usdc.balanceOf(vault.address)).to.equal(777n * UNIT);
    await mint(scene, USDC, await adapter.getAddress(), 5n * UNIT);
    expect(await adapter.fairValue()).to.equal(5n * UNIT);
    expect(await adapter.exitValue()).to.equal(5n * UNIT);
    expect(await adapter.maxWithdraw()).to.equal(5n * UNIT);
    await adapter.connect(vault).withdraw(2n * UNIT, "0x");
    await adapter.connect(vault).withdraw(MAX, "0x");
    expect(await usdc.balanceOf(vault.address)).to.equal(782n * UNIT);
    expect(await adapter.fairValue()).to.equal(0n);
  });

  it("pays in kind the part of what lies there too, rounded down", async () => {
    const scene = await loadFixture(placed);
    const { adapter, vault, stranger, lpToken, coins } = scene;
    await mint(scene, USDC, await adapter.getAddress(), 778n);
    const held = await lpToken.balanceOf(adapter);
    await adapter.connect(vault).redeemInKind(1n, 3n, stranger.address);
    expect(await lpToken.balanceOf(stranger.address)).to.equal(held / 3n);
    expect(await nth(coins, USDC).balanceOf(stranger.address)).to.equal(259n);
    await adapter.connect(vault).redeemInKind(1n, 1n, stranger.address);
    expect(await nth(coins, USDC).balanceOf(stranger.address)).to.equal(778n);
    expect(await adapter.fairValue()).to.equal(0n);
  });

  it("counts receipts that strangers gave it", async () => {
    const scene = await loadFixture(placed);
    const before = await scene.adapter.fairValue();
    await scene.lpToken.connect(scene.trader).transfer(scene.adapter, 1_000n * WAD);
    expect((await scene.adapter.fairValue()) - before).to.be.within(1_000n * UNIT - 1n, 1_000n * UNIT + 1_000n);
  });
});

describe("Curve3PoolAdapter: value", () => {
  it("grows by the fees of others' trades, and falls by none", async () => {
    const scene = await loadFixture(placed);
    const below = generator(5n);
    const first = await scene.adapter.fairValue();
    let last = first;
    for (let i = 0; i < 60; i++) {
      const from = Number(below(3n));
      const to = (from + 1 + Number(below(2n))) % 3;
      await trade(scene, from, to, (below(8_000_000n) + 1n) * nth(UNITS, from));
      const now = await scene.adapter.fairValue();
      expect(now).to.be.at.least(last);
      last = now;
    }
    expect(last).to.be.greaterThan(first);
  });

  it("cannot be lowered by a trade of any size, nor raised without giving the pool's providers as much", async () => {
    const scene = await loadFixture(placed);
    const { adapter, pool, lpToken } = scene;
    const supply = await lpToken.totalSupply();
    for (const [i, j] of [
      [DAI, USDC],
      [USDC, DAI],
      [USDC, USDT],
      [USDT, USDC],
      [DAI, USDT],
    ] as const) {
      for (const millions of [1n, 20n, 60n, 100n, 1_000n, 100_000n]) {
        const undo = await snapshot();
        const [value, price] = [await adapter.fairValue(), await pool.get_virtual_price()];
        const paid = millions * 1_000_000n * nth(UNITS, i);
        const got = await trade(scene, i, j, paid);
        expect(await adapter.fairValue(), `behind ${millions} M of ${i} for ${j}`).to.be.at.least(value);
        // And back: what the trader is poorer by, in coins that are worth the same.
        const back = await trade(scene, j, i, got);
        const lost = ((paid - back) * WAD) / nth(UNITS, i);
        const [after, priceAfter] = [await adapter.fairValue(), await pool.get_virtual_price()];
        expect(after, `${millions} M of ${i} for ${j}`).to.be.at.least(value);
        const given = ((priceAfter - price) * supply) / WAD;
        expect(given, `${millions} M of ${i} for ${j}`).to.be.at.most(lost);
        // Trades that stay within what the pool has move it by the fee, of which the providers get half.
        if (millions <= 20n) expect((after - value) * 10_000n).to.be.at.most(value);
        await undo();
      }
    }
  });

  it("is never raised by what a provider does in one transaction beyond what it costs, nor lowered", async () => {
    const scene = await loadFixture(placed);
    const { adapter, pool, lpToken, trader, coins } = scene;
    const below = generator(9n);
    const held = async (): Promise<bigint> => {
      const whole = await Promise.all(
        coins.map(async (coin, k) => ((await coin.balanceOf(trader.address)) * WAD) / nth(UNITS, k)),
      );
      return whole.reduce((a, b) => a + b, 0n);
    };
    for (let round = 0; round < 12; round++) {
      const undo = await snapshot();
      const [value, own, money] = [await adapter.fairValue(), await lpToken.balanceOf(trader.address), await held()];
      const amounts = [0, 1, 2].map((k) => below(2_000_000_000n) * nth(UNITS, k)) as [bigint, bigint, bigint];
      await pool.connect(trader).add_liquidity(amounts, 0);
      expect(await adapter.fairValue()).to.be.at.least(value);
      const minted = (await lpToken.balanceOf(trader.address)) - own;
      if (round % 3 === 0) await pool.connect(trader).remove_liquidity(minted, [0, 0, 0]);
      else if (round % 3 === 1) await pool.connect(trader).remove_liquidity_one_coin(minted, round % 2, 0);
      else await pool.connect(trader).remove_liquidity_imbalance([amounts[0] / 2n, amounts[1], 0], minted);
      const rest = (await lpToken.balanceOf(trader.address)) - own;
      if (rest > 0n) await pool.connect(trader).remove_liquidity(rest, [0, 0, 0]);
      const gained = (await adapter.fairValue()) - value;
      expect(gained).to.be.at.least(0n);
      const lost = money - (await held());
      // The position has a part of the pool; the whole pool gained what the provider lost at the most.
      const part = ((await lpToken.balanceOf(adapter)) * WAD) / (await lpToken.totalSupply());
      // Coins in other proportions than before are not counted by their prices in the pool: 1 % for that.
      expect(gained * 10n ** 12n).to.be.at.most(((lost + lost / 100n) * part) / WAD + 10n ** 13n);
      await undo();
    }
  });

  it("is that of the worst coin, measured in the asset", async () => {
    const scene = await loadFixture(placed);
    const { adapter } = scene;
    const value = await adapter.fairValue();
    for (const [dollars, share] of [
      [[1n, 1n, 1n], 1_000n],
      [[900n, 1_000n, 1_000n], 900n],
      [[1_000n, 1_000n, 950n], 950n],
      [[900n, 1_000n, 950n], 900n],
      // Better coins are no gain, and an asset below its peg is worth 1 of itself.
      [[1_100n, 1_000n, 1_000n], 1_000n],
      [[1_000n, 800n, 1_000n], 1_000n],
      // An asset above its peg: what the pool may be left with is worth less of it.
      [[1_000n, 1_250n, 1_000n], 800n],
      [[700n, 800n, 1_000n], 875n],
    ] as const) {
      await report(
        scene,
        dollars.map((price) => (price * DOLLAR) / 1_000n || DOLLAR),
      );
      expect(await adapter.fairValue(), String(dollars)).to.be.within(
        (value * share) / 1_000n - 1n,
        (value * share) / 1_000n,
      );
    }
  });

  it("is the most that an exit counts for, also where the pool pays more", async () => {
    const scene = await loadFixture(placed);
    const { adapter, pool, lpToken } = scene;
    await trade(scene, USDC, DAI, 40_000_000n * UNIT);
    const pays = await pool.calc_withdraw_one_coin(await lpToken.balanceOf(adapter), USDC);
    expect(pays).to.be.greaterThan(await adapter.fairValue());
    expect(await adapter.exitValue()).to.equal(await adapter.fairValue());
  });

  it("stays what it was when the pool is killed, while an exit pays nothing", async () => {
    const scene = await loadFixture(placed);
    const { adapter, pool, vault, stranger, lpToken, trader } = scene;
    const value = await adapter.fairValue();
    expect(await adapter.maxDeposit()).to.be.greaterThan(0n);
    expect(await adapter.maxWithdraw()).to.be.greaterThan(0n);
    await pool.kill_me();
    expect(await adapter.fairValue()).to.equal(value);
    expect([await adapter.exitValue(), await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([
      0n,
      0n,
      0n,
    ]);
    await mint(scene, USDC, await adapter.getAddress(), UNIT);
    const as = adapter.connect(vault);
    for (const move of [
      () => as.deposit(UNIT, "0x"),
      () => as.withdraw(2n * UNIT, "0x"),
      () => as.withdraw(MAX, "0x"),
    ]) {
      await expect(move())
        .to.be.revertedWithCustomError(adapter, "PoolKilled")
        .withArgs(await pool.getAddress());
    }
    // Receipts leave, and are redeemed in every coin.
    const held = await lpToken.balanceOf(adapter);
    await adapter.connect(vault).redeemInKind(1n, 1n, stranger.address);
    await pool.connect(stranger).remove_liquidity(held, [1n, 1n, 1n]);
    await pool.connect(trader).unkill_me();
    expect(await adapter.maxDeposit()).to.be.greaterThan(0n);
  });

  it("is read, with all it takes, within the vault's gas", async () => {
    const { adapter } = await loadFixture(placed);
    expect(await adapter.fairValue.estimateGas()).to.be.lessThan(200_000n);
  });
});

describe("Curve3PoolAdapter: feeds", () => {
  /** Breaks a feed, and says what its error tells besides the feed. */
  type Trouble = (feed: PriceFeedModel) => Promise<readonly bigint[]>;
  const silent = async (feed: PriceFeedModel, updatedAt: bigint) => {
    await feed.pushAt(DOLLAR, updatedAt);
    return [updatedAt, HEARTBEAT];
  };
  const saying = async (feed: PriceFeedModel, answer: bigint) => {
    await feed.push(answer);
    return [answer];
  };
  const running = async (feed: PriceFeedModel, code: string) => {
    await setCode(await feed.getAddress(), code);
    return [];
  };
  const trouble: readonly (readonly [string, string, Trouble])[] = [
    ["stale", "PriceStale", async (feed) => silent(feed, BigInt(await time.latest()) - HEARTBEAT - 1n)],
    ["of the future", "PriceStale", async (feed) => silent(feed, BigInt(await time.latest()) + 1_000n)],
    ["zero", "PriceNotPositive", async (feed) => saying(feed, 0n)],
    ["negative", "PriceNotPositive", async (feed) => saying(feed, -DOLLAR)],
    ["gone", "PriceUnreadable", async (feed) => running(feed, "0x")],
    // REVERT(0, 0), and RETURN(0, 4 words).
    ["reverting", "PriceUnreadable", async (feed) => running(feed, "0x60006000fd")],
    ["answering less than a round", "PriceUnreadable", async (feed) => running(feed, "0x60806000f3")],
  ];
  for (const k of [DAI, USDC, USDT]) {
    for (const [what, error, spoil] of trouble) {
      it(`feed ${k} ${what}: no value, not steady, no moves; in kind goes on`, async () => {
        const scene = await loadFixture(placed);
        const { adapter, vault, stranger, lpToken, feeds } = scene;
        const told = [await nth(feeds, k).getAddress(), ...(await spoil(nth(feeds, k)))];
        const refused = (call: Promise<unknown>) =>
          expect(call)
            .to.be.revertedWithCustomError(adapter, error)
            .withArgs(...told);
        await refused(adapter.fairValue());
        expect(await adapter.steady()).to.equal(false);
        expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
        await mint(scene, USDC, await adapter.getAddress(), UNIT);
        await refused(adapter.connect(vault).deposit(UNIT, "0x"));
        await refused(adapter.connect(vault).withdraw(2n * UNIT, "0x"));
        await refused(adapter.connect(vault).withdraw(MAX, "0x"));
        const held = await lpToken.balanceOf(adapter);
        await adapter.connect(vault).redeemInKind(1n, 2n, stranger.address);
        expect(await lpToken.balanceOf(stranger.address)).to.equal(held / 2n);
      });
    }
  }

  it("are fresh up to their heartbeats", async () => {
    const scene = await loadFixture(placed);
    const last = await nth(scene.feeds, USDT).latestTimestamp();
    // Calls are answered as of the block that would come next.
    await report(scene, [DOLLAR, DOLLAR]);
    await time.increaseTo(last + HEARTBEAT - 1n);
    await report(scene, [DOLLAR, DOLLAR]);
    await time.increaseTo(last + HEARTBEAT + 10n);
    await expect(scene.adapter.fairValue())
      .to.be.revertedWithCustomError(scene.adapter, "PriceStale")
      .withArgs(await nth(scene.feeds, USDT).getAddress(), last, HEARTBEAT);
  });

  it("are not asked while there is no position", async () => {
    const { adapter, feeds } = await loadFixture(bare);
    await nth(feeds, DAI).push(0n);
    expect(await adapter.fairValue()).to.equal(0n);
    expect(await adapter.steady()).to.equal(false);
  });
});

describe("Curve3PoolAdapter: steadiness", () => {
  it("ends where the pool's price of the asset leaves the bound, on either side and against either coin", async () => {
    const scene = await loadFixture(placed);
    const { adapter, pool, vault } = scene;
    for (const [i, j] of [
      [DAI, USDC],
      [USDC, DAI],
      [USDT, USDC],
      [USDC, USDT],
    ] as const) {
      const undo = await snapshot();
      const other = i === USDC ? j : i;
      let seen = 0;
      for (let step = 0; step < 80 && seen < 5; step++) {
        await trade(scene, i, j, 1_000_000n * nth(UNITS, i));
        const dy = await pool.get_dy(USDC, other, UNIT);
        const spot = (dy * WAD * FEE_DENOMINATOR) / nth(UNITS, other) / (FEE_DENOMINATOR - TERMS[1]);
        const off = spot > WAD ? spot - WAD : WAD - spot;
        expect(await adapter.steady(), `${i} for ${j}, off by ${off}`).to.equal(off <= STEADINESS);
        if (off <= STEADINESS) continue;
        seen++;
        // To the unit.
        for (const [steadiness, expected] of [
          [off, true],
          [off - 1n, false],
        ] as const) {
          const just = await deployAdapter(scene, vault.address, { steadiness });
          expect(await just.steady(), `${i} for ${j}, off by ${off}`).to.equal(expected);
        }
      }
      expect(seen).to.be.greaterThan(0);
      await mint(scene, USDC, await adapter.getAddress(), UNIT);
      expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
      // Of the first coin that is off: DAI if it is, whatever USDT is.
      const off = async (k: number) => {
        const spot =
          ((await pool.get_dy(USDC, k, UNIT)) * WAD * FEE_DENOMINATOR) / nth(UNITS, k) / (FEE_DENOMINATOR - TERMS[1]);
        return [spot, spot < WAD - STEADINESS || spot > WAD + STEADINESS] as const;
      };
      const [dai, daiOff] = await off(DAI);
      const spot = daiOff ? dai : (await off(USDT))[0];
      for (const move of [
        () => adapter.connect(vault).deposit(UNIT, "0x"),
        () => adapter.connect(vault).withdraw(2n * UNIT, "0x"),
        () => adapter.connect(vault).withdraw(MAX, "0x"),
      ]) {
        await expect(move())
          .to.be.revertedWithCustomError(adapter, "Unsteady")
          .withArgs(spot, WAD - STEADINESS, WAD + STEADINESS);
      }
      // The value did not notice.
      expect(await adapter.fairValue()).to.be.within(PLACED - 100n * UNIT, PLACED + 100n * UNIT);
      await undo();
    }
  });

  it("is judged by the feeds: a depeg that the pool has not followed, and one that it has", async () => {
    const scene = await loadFixture(placed);
    const { adapter, vault, coins } = scene;
    const value = await adapter.fairValue();
    await report(scene, [(DOLLAR * 97n) / 100n, DOLLAR, DOLLAR]);
    expect(await adapter.steady()).to.equal(false);
    await leaveDai(scene, (DOLLAR * 100n) / 97n);
    expect(await adapter.steady()).to.equal(true);
    const fallen = await adapter.fairValue();
    expect(fallen).to.be.within((value * 97n) / 100n - UNIT, (value * 98n) / 100n);
    // Entering pays the good coin for receipts of the bad one.
    await mint(scene, USDC, await adapter.getAddress(), 100_000n * UNIT);
    await expect(adapter.connect(vault).deposit(100_000n * UNIT, "0x")).to.be.revertedWithCustomError(
      adapter,
      "FloorMissed",
    );
    // Leaving is worth what it is worth.
    await adapter.connect(vault).withdraw(MAX, "0x");
    const paid = (await nth(coins, USDC).balanceOf(vault.address)) - 100_000n * UNIT;
    expect(paid).to.be.at.least((fallen * (WAD - SLIPPAGE)) / WAD);
    expect(paid).to.be.lessThan(value);
  });

  it("returns with the price", async () => {
    const scene = await loadFixture(placed);
    const got = await trade(scene, DAI, USDC, 64_000_000n * nth(UNITS, DAI));
    expect(await scene.adapter.steady()).to.equal(false);
    await trade(scene, USDC, DAI, got);
    expect(await scene.adapter.steady()).to.equal(true);
  });

  it("is false where the pool does not answer", async () => {
    const { adapter, pool } = await loadFixture(placed);
    expect(await adapter.steady()).to.equal(true);
    await setCode(await pool.getAddress(), "0x");
    expect(await adapter.steady()).to.equal(false);
    expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
    await expect(adapter.fairValue())
      .to.be.revertedWithCustomError(adapter, "PoolLocked")
      .withArgs(await pool.getAddress());
  });
});

describe("Curve3PoolAdapter: an empty pool", () => {
  it("takes nothing and says so; it is no pool to be deployed for either", async () => {
    const scene = await loadFixture(bare);
    const { adapter, vault, pool, lpToken, trader } = scene;
    await pool.connect(trader).remove_liquidity(await lpToken.balanceOf(trader.address), [0n, 0n, 0n]);
    expect(await lpToken.totalSupply()).to.equal(0n);
    expect([await adapter.steady(), await adapter.fairValue()]).to.deep.equal([false, 0n]);
    expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
    await mint(scene, USDC, await adapter.getAddress(), UNIT);
    for (const refused of [
      () => adapter.connect(vault).deposit(UNIT, "0x"),
      () => deployAdapter(scene, vault.address),
    ]) {
      await expect(refused())
        .to.be.revertedWithCustomError(adapter, "NoVirtualPrice")
        .withArgs(await pool.getAddress(), 0n);
    }
  });

  it("that names no virtual price although it has receipts cannot be read, and is left in kind", async () => {
    const scene = await loadFixture(placed);
    const { vault, lpToken, stranger } = scene;
    const odd = await (await ethers.getContractFactory("OddPool")).deploy(scene.pool);
    const adapter = await deployAdapter({ ...scene, pool: odd as never }, vault.address);
    await lpToken.connect(scene.trader).transfer(adapter, WAD);
    await odd.set(scene.pool.interface.encodeFunctionData("get_virtual_price"), 0n);
    await expect(adapter.fairValue())
      .to.be.revertedWithCustomError(adapter, "NoVirtualPrice")
      .withArgs(await odd.getAddress(), await lpToken.totalSupply());
    expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
    await adapter.connect(vault).redeemInKind(1n, 1n, stranger.address);
    expect(await lpToken.balanceOf(stranger.address)).to.equal(WAD);
  });
});

describe("Curve3PoolAdapter: a pool that refuses", () => {
  it("is passed on with its own reason where it is not killed", async () => {
    const { adapter, vault, coins } = await loadFixture(placed);
    await expect(adapter.connect(vault).deposit(UNIT, "0x")).to.be.revertedWithCustomError(
      nth(coins, USDC),
      "ERC20InsufficientBalance",
    );
  });
});

describe("Curve3PoolAdapter: floors", () => {
  for (const [fees, fixture] of POOLS) {
    it(`bound the loss of moves between an attacker's trades of any size, in a pool ${fees}`, async () => {
      const base = await loadFixture(fixture);
      const scene = { ...base, adapter: await deployAdapter(base, base.vault.address, { slippage: TIGHT }) };
      const { adapter, vault, coins } = scene;
      const usdc = nth(coins, USDC);
      const worst = { deposit: 0n, withdrawal: 0n, gain: 0n };
      const seen = new Set<string>();
      const amount = 5_000_000n * UNIT;
      await put(scene, amount);
      for (const [i, j] of [
        [USDC, DAI],
        [DAI, USDC],
        [USDT, USDC],
        [USDC, USDT],
      ] as const) {
        for (let millions = 1n; millions <= 64n; millions += 3n) {
          for (const move of ["deposit", "withdrawal", "amount"] as const) {
            const undo = await snapshot();
            const paid = millions * 1_000_000n * nth(UNITS, i);
            const got = await trade(scene, i, j, paid);
            const [value, money] = [await adapter.fairValue(), await usdc.balanceOf(vault.address)];
            const given = move === "deposit" ? amount : 0n;
            const moved = await (
              move === "deposit"
                ? put(scene, amount)
                : adapter.connect(vault).withdraw(move === "amount" ? amount / 2n : MAX, "0x")
            ).then(
              () => true,
              (error: Error) => {
                seen.add(`${move} ${/FloorMissed|Unsteady/.exec(error.message)?.[0] ?? error.message}`);
                return false;
              },
            );
            if (moved) {
              seen.add(`${move} done`);
              const now = (await adapter.fairValue()) + (await usdc.balanceOf(vault.address));
              const lost = value + money + given - now;
              const turned = move === "deposit" ? amount : value - (await adapter.fairValue());
              const share = lost <= 0n ? 0n : (lost * WAD) / turned;
              expect(share, `${move} behind ${millions} M of ${i} for ${j}`).to.be.at.most(TIGHT);
              const name = move === "deposit" ? "deposit" : "withdrawal";
              if (share > worst[name]) worst[name] = share;
            }
            const back = await trade(scene, j, i, got);
            const gain = ((back - paid) * UNIT) / nth(UNITS, i);
            if (gain > worst.gain) worst.gain = gain;
            if (!moved) expect(gain).to.be.at.most(0n);
            // What an attacker gains is what the vault lost, less fees.
            expect(gain).to.be.at.most((amount * 2n * TIGHT) / WAD);
            await undo();
          }
        }
      }
      for (const move of ["deposit", "withdrawal", "amount"]) {
        for (const end of ["done", "FloorMissed", "Unsteady"]) expect([...seen]).to.include(`${move} ${end}`);
      }
      console.log(
        `      worst share lost: deposit ${Number(worst.deposit) / 1e14} bps, withdrawal ${Number(worst.withdrawal) / 1e14} bps; ` +
          `most gained by the attacker ${Number(worst.gain) / 1e6} of ${Number(amount) / 1e6}`,
      );
    });
  }

  it("says what came and what the floor was", async () => {
    const scene = await loadFixture(placed);
    const strict = { ...scene, adapter: await deployAdapter(scene, scene.vault.address, { slippage: 1n }) };
    const { adapter, vault, pool, lpToken } = strict;
    await mint(scene, USDC, await adapter.getAddress(), PLACED);
    const price = await pool.get_virtual_price();
    const refused = adapter.connect(vault).deposit(PLACED, "0x");
    const scaled = PLACED * 10n ** 12n * (WAD - 1n);
    const floor = (scaled + price - 1n) / price;
    await expect(refused)
      .to.be.revertedWithCustomError(adapter, "FloorMissed")
      .withArgs((received: bigint) => received < floor && received > (floor * 9_999n) / 10_000n, floor);
    expect(await adapter.maxDeposit()).to.equal(0n);
    await lpToken.connect(scene.trader).transfer(adapter, 1_000_000n * WAD);
    await expect(adapter.connect(vault).withdraw(MAX, "0x")).to.be.revertedWithCustomError(adapter, "FloorMissed");
    // The deposit that was refused still lies here: it alone can leave.
    await expect(adapter.connect(vault).withdraw(PLACED + UNIT, "0x")).to.be.revertedWithCustomError(
      adapter,
      "FloorMissed",
    );
    expect(await adapter.maxWithdraw()).to.equal(PLACED);
  });

  it("are narrowed by the keeper's own minimum, and not widened", async () => {
    const scene = await loadFixture(placed);
    const { adapter, vault, lpToken } = scene;
    const held = await lpToken.balanceOf(adapter);
    await mint(scene, USDC, await adapter.getAddress(), PLACED);
    const as = adapter.connect(vault);
    const undo = await snapshot();
    await as.deposit(PLACED, "0x");
    const received = (await lpToken.balanceOf(adapter)) - held;
    await undo();
    await expect(as.deposit(PLACED, minimum(received + 1n)))
      .to.be.revertedWithCustomError(adapter, "FloorMissed")
      .withArgs(received, received + 1n);
    await as.deposit(PLACED, minimum(received));

    const paid = await as.withdraw.staticCall(MAX, "0x");
    await expect(as.withdraw(MAX, minimum(paid + 1n)))
      .to.be.revertedWithCustomError(adapter, "FloorMissed")
      .withArgs(paid, paid + 1n);
    const again = await snapshot();
    await as.withdraw(PLACED, "0x");
    const left = await lpToken.balanceOf(adapter);
    await again();
    await expect(as.withdraw(PLACED, minimum(left + 1n)))
      .to.be.revertedWithCustomError(adapter, "FloorMissed")
      .withArgs(left, left + 1n);
    await as.withdraw(PLACED, minimum(left));
    await as.withdraw(MAX, minimum(1n));

    const strict = await deployAdapter(scene, vault.address, { slippage: 1n });
    await mint(scene, USDC, await strict.getAddress(), PLACED);
    await lpToken.connect(scene.trader).transfer(strict, 1_000_000n * WAD);
    for (const low of [0n, 1n]) {
      await expect(strict.connect(vault).deposit(PLACED, minimum(low))).to.be.revertedWithCustomError(
        strict,
        "FloorMissed",
      );
      await expect(strict.connect(vault).withdraw(MAX, minimum(low))).to.be.revertedWithCustomError(
        strict,
        "FloorMissed",
      );
      await expect(strict.connect(vault).withdraw(PLACED + UNIT, minimum(low))).to.be.revertedWithCustomError(
        strict,
        "FloorMissed",
      );
    }
  });

  for (const [fees, fixture] of POOLS) {
    it(`let out and in what the greatest withdrawal and deposit say, in any steady state of a pool ${fees}`, async () => {
      const scene = await loadFixture(fixture);
      const { lpToken, trader, vault } = scene;
      const below = generator(21n);
      const places = [DAI, USDC, USDT];
      const adapters = await Promise.all(
        places.map((place) => deployAdapter(scene, vault.address, { place, slippage: WAD / 2_500n })),
      );
      const seen = { whole: 0, almostAll: 0, part: 0, smaller: 0, none: 0 };
      for (let round = 0; round < 25; round++) {
        const undo = await snapshot();
        const from = Number(below(3n));
        await trade(scene, from, (from + 1 + Number(below(2n))) % 3, below(60_000_000n) * nth(UNITS, from) + 1n);
        for (const [place, adapter] of adapters.entries()) {
          await lpToken
            .connect(trader)
            .transfer(adapter, ((below(55n) + 1n) * WAD * 10n ** 6n) / (1n + 9n * below(3n)));
          const as = adapter.connect(vault);
          const out = await adapter.maxWithdraw();
          if (!(await adapter.steady())) {
            expect(out).to.equal(0n);
            expect(await adapter.maxDeposit()).to.equal(0n);
            seen.none++;
            continue;
          }
          if (out > 0n) expect(await as.withdraw.staticCall(out, "0x"), `round ${round}, coin ${place}`).to.equal(out);
          const everything = await as.withdraw.staticCall(MAX, "0x").catch(() => null);
          if (everything === null) {
            seen.part++;
          } else {
            seen.whole++;
            // But for rounding, or a half where rounding decides.
            if (out !== everything - ROUNDING)
              expect(out).to.be.within(everything / 2n - everything / 100n, everything / 2n);
            else seen.almostAll++;
          }
          const most = await adapter.maxDeposit();
          if (most > 0n) {
            await mint(scene, place, await adapter.getAddress(), most);
            await as.deposit.staticCall(most, "0x");
            seen.smaller++;
          }
        }
        await undo();
      }
      expect(Object.entries(seen).filter(([, times]) => times === 0)).to.deep.equal([]);
    });
  }

  it("do not let out more than the position, which the pool refuses", async () => {
    const { adapter, vault } = await loadFixture(placed);
    await expect(adapter.connect(vault).withdraw(PLACED * 2n, "0x")).to.be.revertedWith("Slippage screwed you");
  });

  it("do not pass less on than was asked", async () => {
    const [trader, vault] = await ethers.getSigners();
    const usdc = await (await ethers.getContractFactory("HostileToken")).deploy();
    const market = await openMarket(trader!, { usdc });
    const adapter = await deployAdapter(market, vault!.address);
    await market.lpToken.connect(trader!).transfer(adapter, 1_000_000n * WAD);
    await usdc.setFeeBps(1n);
    await expect(adapter.connect(vault!).withdraw(1_000n * UNIT, "0x"))
      .to.be.revertedWithCustomError(adapter, "Inexact")
      .withArgs(1_000n * UNIT, (1_000n * UNIT * 9_999n) / 10_000n);
  });

  it("take the allowance back when the pool takes less, and return the rest", async () => {
    const scene = await loadFixture(bare);
    const { vault, trader, lpToken, coins } = scene;
    const odd = await (await ethers.getContractFactory("OddPool")).deploy(scene.pool);
    const adapter = await deployAdapter({ ...scene, pool: odd as never }, vault.address);
    await lpToken.connect(trader).transfer(odd, 600_000n * WAD);
    await odd.takeHalf(lpToken);
    await put({ ...scene, adapter }, PLACED);
    const usdc = nth(coins, USDC);
    expect(await usdc.allowance(adapter, odd)).to.equal(0n);
    expect(await usdc.balanceOf(adapter)).to.equal(0n);
    expect(await usdc.balanceOf(vault.address)).to.equal(PLACED / 2n);
  });
});

describe("Curve3PoolAdapter: a coin that calls back", () => {
  async function hostile() {
    const [trader, vault, attacker] = (await ethers.getSigners()) as [
      HardhatEthersSigner,
      HardhatEthersSigner,
      HardhatEthersSigner,
    ];
    const token = await (await ethers.getContractFactory("HostileToken")).deploy();
    const market = await openMarket(trader, { dai: token });
    const adapter = await deployAdapter(market, vault.address);
    await market.lpToken.connect(trader).transfer(adapter, 500_000n * WAD);
    await market.lpToken.connect(trader).transfer(attacker, 100_000_000n * WAD);
    return { ...market, vault, attacker, adapter, token };
  }

  it("finds no value, no steadiness and no room while the pool pays, though its virtual price answers", async () => {
    const { adapter, pool, attacker, token } = await loadFixture(hostile);
    const price = await pool.get_virtual_price();
    const leave = () => pool.connect(attacker).remove_liquidity(90_000_000n * WAD, [0, 0, 0]);
    const during = async (
      target: { getAddress(): Promise<string> },
      data: string,
    ): Promise<readonly [boolean, string]> => {
      const undo = await snapshot();
      await token.setHook(attacker.address, target, data);
      await leave();
      const seen = [await token.lastSuccess(), await token.lastAnswer()] as const;
      await undo();
      return seen;
    };
    const [answered, low] = await during(pool, pool.interface.encodeFunctionData("get_virtual_price"));
    expect(answered).to.equal(true);
    expect(BigInt(low)).to.be.lessThan((price * 9n) / 10n);
    expect(await during(adapter, adapter.interface.encodeFunctionData("fairValue"))).to.deep.equal([
      false,
      adapter.interface.encodeErrorResult("PoolLocked", [await pool.getAddress()]),
    ]);
    for (const view of ["steady", "maxDeposit", "maxWithdraw"] as const) {
      expect(await during(adapter, adapter.interface.encodeFunctionData(view as "steady")), view).to.deep.equal([
        true,
        ethers.ZeroHash,
      ]);
    }
    expect((await during(adapter, adapter.interface.encodeFunctionData("exitValue")))[0]).to.equal(false);
    await leave();
    expect(await adapter.fairValue()).to.be.within(500_000n * UNIT - 1n, 500_000n * UNIT);
  });
});

describe("Curve3PoolAdapter: what it is not deployed for", () => {
  async function deploying(over: Record<number, unknown>) {
    const scene = await loadFixture(bare);
    const { vault, pool, lpToken, coins, feeds } = scene;
    const factory = await ethers.getContractFactory("Curve3PoolAdapter");
    const args: unknown[] = [
      vault.address,
      pool,
      lpToken,
      nth(coins, USDC),
      feeds,
      [HEARTBEAT, HEARTBEAT, HEARTBEAT],
      SLIPPAGE,
      STEADINESS,
    ];
    for (const [at, value] of Object.entries(over)) args[Number(at)] = value;
    const deploy = (...with_: unknown[]) => factory.deploy(...(with_ as Parameters<typeof factory.deploy>));
    return {
      ...scene,
      factory,
      sent: () => deploy(...args),
      again: (at: number, value: unknown) => deploy(...args.with(at, value)),
    };
  }

  it("a bound that is none", async () => {
    const widest = WAD / 10n;
    for (const at of [6, 7]) {
      for (const bound of [0n, widest + 1n, WAD]) {
        const { factory, sent } = await deploying({ [at]: bound });
        await expect(sent()).to.be.revertedWithCustomError(factory, "BoundOutOfRange").withArgs(bound, widest);
      }
      await (await deploying({ [at]: widest })).sent();
    }
  });

  it("an asset that the pool has not", async () => {
    const { factory, again, lpToken } = await deploying({});
    const other = await lpToken.getAddress();
    await expect(again(3, other)).to.be.revertedWithCustomError(factory, "NotACoin").withArgs(other);
  });

  it("feeds in another order, of other decimals, or without a heartbeat", async () => {
    const { factory, again, feeds, trader } = await deploying({});
    await expect(again(4, [feeds[0], feeds[2], feeds[1]]))
      .to.be.revertedWithCustomError(factory, "WrongFeed")
      .withArgs(1, "USDT / USD", "PLAIN");
    const eighteen = await (
      await ethers.getContractFactory("PriceFeedModel")
    ).deploy(trader.address, 18, "USDT / USD", HUNDRED_DOLLARS);
    await expect(again(4, [feeds[0], feeds[1], eighteen]))
      .to.be.revertedWithCustomError(factory, "WrongFeedDecimals")
      .withArgs(2, 18);
    await expect(again(5, [HEARTBEAT, 0n, HEARTBEAT]))
      .to.be.revertedWithCustomError(factory, "NoHeartbeat")
      .withArgs(1);
  });

  it("a token that is not the pool's receipts", async () => {
    const { factory, again, coins, lpToken } = await deploying({});
    const other = nth(coins, DAI);
    await expect(again(2, other))
      .to.be.revertedWithCustomError(factory, "NotTheReceipt")
      .withArgs(await other.getAddress(), await other.totalSupply(), (expected: bigint) => expected > 0n);
    // The same number of another token's units is not enough if they are other units.
    const same = await (await ethers.getContractFactory("PlainToken")).deploy(6);
    await same.mint(coins[0]!, await lpToken.totalSupply());
    await expect(again(2, same)).to.be.revertedWithCustomError(factory, "NotTheReceipt");
  });

  it("a pool with another A, virtual price, number of coins, or a native coin", async () => {
    const scene = await loadFixture(bare);
    const { factory } = await deploying({});
    const small = await openMarket(scene.trader, { terms: [9n, TERMS[1], TERMS[2]] });
    await expect(deployAdapter(small, scene.vault.address))
      .to.be.revertedWithCustomError(factory, "ImplausibleA")
      .withArgs(9);

    const odd = await (await ethers.getContractFactory("OddPool")).deploy(scene.pool);
    /** Deploys on a pool that differs from the good one by one answer. */
    const differing = async (signature: string, args: readonly unknown[], answer: bigint) => {
      const interface_ = new ethers.Interface([`function ${signature}`]);
      await odd.set(interface_.encodeFunctionData(interface_.getFunction(signature)!, args), answer);
      return deployAdapter({ ...scene, pool: odd as never }, scene.vault.address);
    };
    const plain = await ethers.getContractFactory("PlainToken");
    const [six, nineteen] = [await plain.deploy(6), await plain.deploy(19)].map((token) => token.getAddress());
    const refusals: readonly (readonly [string, readonly unknown[], bigint, string, readonly unknown[] | null])[] = [
      ["coins(uint256)", [3], 1n, "NotThreeCoins", [await odd.getAddress()]],
      ["coins(uint256)", [0], BigInt(scene.stranger.address), "NotAToken", [0, scene.stranger.address]],
      ["coins(uint256)", [0], BigInt((await nineteen) ?? 0), "UnsupportedDecimals", [0, 19]],
      ["coins(uint256)", [0], BigInt((await six) ?? 0), "ImplausibleBalances", null],
      ["A()", [], 10n ** 6n + 1n, "ImplausibleA", [10n ** 6n + 1n]],
      ["get_virtual_price()", [], WAD - 1n, "ImplausibleVirtualPrice", [WAD - 1n]],
      ["get_virtual_price()", [], 2n * WAD + 1n, "ImplausibleVirtualPrice", [2n * WAD + 1n]],
      // In its bounds, but more than there is in the pool.
      ["get_virtual_price()", [], (11n * WAD) / 10n, "ImplausibleBalances", null],
    ];
    await deployAdapter({ ...scene, pool: odd as never }, scene.vault.address);
    for (const [signature, args, answer, error, said] of refusals) {
      const undo = await snapshot();
      const refused = expect(differing(signature, args, answer), error).to.be.revertedWithCustomError(factory, error);
      await (said === null ? refused : refused.withArgs(...said));
      await undo();
    }
  });

  it("a pool that is in the middle of a call, or whose lock does not show", async () => {
    const { factory, sent, pool } = await deploying({});
    const slot = [await pool.getAddress(), "0x3", ethers.toBeHex(1, 32)];
    await network.provider.send("hardhat_setStorageAt", slot);
    await expect(sent())
      .to.be.revertedWithCustomError(factory, "PoolLocked")
      .withArgs(await pool.getAddress());
  });
});

describe("Curve3PoolAdapter: in a vault", () => {
  async function invested() {
    const system = await deploySystem({ venues: 1 });
    const { vault, owner, alice, bob, unit, token } = system;
    const market = await openMarket(system.feeRecipient, { usdc: token });
    const adapter = await deployAdapter(market, await vault.getAddress());
    const configuration = { adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n };
    await vault.connect(owner).addAdapter(configuration);
    await deposit(system, alice, 3_000_000n * unit);
    await deposit(system, bob, 1_000_000n * unit);
    await time.increase(3_600n);
    return { ...market, system, vault, adapter, token };
  }

  /** The asset is plentiful in the pool: who brings more of it gets less than fair value, by more than a plan may lose. */
  async function pricey() {
    const parts = await invested();
    await parts.vault.connect(parts.system.guardian).setLossPerCall(WAD / 10_000n);
    await trade(parts, USDC, DAI, 25_000_000n * nth(UNITS, USDC));
    return { ...parts, token: parts.system.token, scene: parts };
  }

  it("a plan's deposit is booked at fair value, its cost as a loss of the price", async () => {
    const { system, adapter, vault } = await loadFixture(invested);
    const before = await vault.totalAssets();
    await rebalance(system, [[adapter, 2_000_000n * UNIT]]);
    const lost = 2_000_000n * UNIT - (await adapter.fairValue());
    expect(lost).to.be.within(1n, 200n * UNIT);
    expect(await vault.totalAssets()).to.equal(before - lost);
    await rebalance(system, [[adapter, -500_000n * UNIT]]);
    await rebalance(system, [[adapter, ALL]]);
    expect(await adapter.fairValue()).to.equal(0n);
    expect(await vault.totalAssets()).to.be.within(before - 500n * UNIT, before);
  });

  it("a plan that the pool was pushed for is refused, nobody enters, and who leaves is not held up", async () => {
    const scene = await loadFixture(invested);
    const { system, adapter, vault } = scene;
    await rebalance(system, [[adapter, 2_000_000n * UNIT]]);
    const total = await vault.totalAssets();
    await trade(scene, DAI, USDC, 64_000_000n * nth(UNITS, DAI));
    for (const assets of [1_000_000n * UNIT, -UNIT, ALL]) {
      await expect(rebalance(system, [[adapter, assets]])).to.be.revertedWithCustomError(adapter, "Unsteady");
    }
    expect(await vault.totalAssets()).to.be.within(total, total + 1_000n * UNIT);
    await vault
      .connect(system.bob)
      ["redeem(uint256,address,address)"](
        await vault.maxRedeem(system.bob.address),
        system.bob.address,
        system.bob.address,
      );
    expect(await vault.maxDeposit(system.stranger.address)).to.equal(0n);
    await expect(deposit(system, system.stranger, UNIT)).to.be.revertedWithCustomError(vault, "VenueUnsteady");
    await trade(scene, USDC, DAI, 64_000_000n * nth(UNITS, USDC));
    await deposit(system, system.stranger, UNIT);
  });

  it("a plan that loses above the bound is refused although a stranger gave the adapter more than that", async () => {
    const { system, adapter, vault, token, scene } = await loadFixture(pricey);
    await token.mint(adapter, 50_000n * UNIT);
    for (const before of [0n, 1n]) {
      // Accrued or not: what was given waits as a gain, and pays for no loss.
      if (before === 1n) await vault.accrue();
      await expect(rebalance(system, [[adapter, 1_500_000n * UNIT]])).to.be.revertedWithCustomError(
        vault,
        "LossExceeded",
      );
    }
    expect(await adapter.steady()).to.equal(true);
    await trade(scene, DAI, USDC, 25_000_000n * nth(UNITS, DAI));
    await rebalance(system, [[adapter, 1_500_000n * UNIT]]);
  });

  it("what a stranger gave refuses no good deposit, of any size, and is the vault's in the end", async () => {
    const { system, adapter, vault, token } = await loadFixture(invested);
    await rebalance(system, [[adapter, 1_000_000n * UNIT]]);
    const total = (await vault.idle()) + (await adapter.fairValue());
    await token.mint(adapter, 50_000n * UNIT);
    for (const assets of [1_000n, 60_000n]) {
      const [, , before] = await vault.lossBudget();
      await rebalance(system, [[adapter, assets * UNIT]]);
      const [, , after] = await vault.lossBudget();
      // A basis point of the deposit, as a share of four million: the way in, and nothing of what lay there.
      expect(before - after).to.be.at.most((assets * WAD) / 4_000_000n / 10_000n);
    }
    expect(await token.balanceOf(adapter)).to.equal(0n);
    await rebalance(system, [[adapter, ALL]]);
    expect(await vault.idle()).to.be.within(total + 49_800n * UNIT, total + 50_000n * UNIT);
  });

  it("an exit in kind takes its part of what a stranger gave as it drips, and leaves the rest", async () => {
    const { system, adapter, vault, token } = await loadFixture(invested);
    await rebalance(system, [[adapter, 1_000_000n * UNIT]]);
    await token.mint(adapter, 1_000n * UNIT);
    const [shares, supply] = [await vault.balanceOf(system.alice.address), await vault.totalSupply()];
    const before = await token.balanceOf(system.alice.address);
    const idle = await vault.idle();
    await vault.connect(system.alice).redeemInKind(shares, system.alice.address, []);
    const came = (await token.balanceOf(system.alice.address)) - before;
    const whole = ((idle + 1_000n * UNIT) * shares) / supply;
    expect(came).to.be.within((whole * 999n) / 1_000n, whole);
    expect(await token.balanceOf(adapter)).to.be.within(249n * UNIT, 252n * UNIT);
  });

  it("whose feed or pool says nothing is written off by two reports, and left in kind", async () => {
    const scene = await loadFixture(invested);
    const { system, adapter, vault, lpToken, pool, feeds } = scene;
    await rebalance(system, [[adapter, 2_000_000n * UNIT]]);
    const address = await adapter.getAddress();
    for (const broken of [await nth(feeds, DAI).getAddress(), await pool.getAddress()]) {
      const undo = await snapshot();
      await setCode(broken, "0x");
      const shares = await vault.balanceOf(system.alice.address);
      await vault.reportUnreadable(adapter);
      await mine(50);
      await vault.reportUnreadable(adapter);
      expect((await vault.adapter(address)).quarantined).to.equal(true);
      await vault.connect(system.alice).redeemInKind(shares, system.alice.address, []);
      expect(await lpToken.balanceOf(system.alice.address)).to.be.greaterThan(0n);
      await undo();
    }
  });

  it("pays its part in kind while killed, stale and pushed", async () => {
    const scene = await loadFixture(invested);
    const { system, adapter, vault, lpToken, pool, feeds } = scene;
    await rebalance(system, [[adapter, 2_000_000n * UNIT]]);
    await trade(scene, DAI, USDC, 64_000_000n * nth(UNITS, DAI));
    await pool.kill_me();
    const held = await lpToken.balanceOf(adapter);
    const [shares, supply] = [await vault.balanceOf(system.alice.address), await vault.totalSupply()];
    const undo = await snapshot();
    await vault.connect(system.alice).redeemInKind(shares, system.alice.address, []);
    expect(await lpToken.balanceOf(system.alice.address)).to.be.within((held * 74n) / 100n, (held * shares) / supply);
    await undo();
    await nth(feeds, USDT).connect(scene.trader).push(0n);
    expect(await vault.maxDeposit(system.bob.address)).to.equal(0n);
    await vault.connect(system.alice).redeemInKind(shares, system.alice.address, []);
    expect(await lpToken.balanceOf(system.alice.address)).to.be.within((held * 74n) / 100n, (held * shares) / supply);
  });
});
