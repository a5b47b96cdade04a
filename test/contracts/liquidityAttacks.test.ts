// What a market actor with all the capital in the world, alone or with a stolen keeper's key, can do to a vault that is in
// pools: Curve's 3pool (its model) and a genuine pool of Uniswap V3. One test a way, with what it cost depositors, the bound
// that held, and what it brought. The table is printed at the end.
//
// The attackers are also the only other providers of both pools, so that pushing a price costs them next to nothing: what
// they pay in fees is theirs again. Everything is counted in coins, each at par, and no adapter is believed. Only where it is
// said that others provide the pool, the fees are theirs.
import { anyValue } from "@nomicfoundation/hardhat-chai-matchers/withArgs";
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { expect } from "chai";
import type { AddressLike, ContractTransactionResponse } from "ethers";
import { ethers, network } from "hardhat";
import {
  DAI,
  UNITS,
  USDC,
  deployAdapter as deployCurveAdapter,
  openMarket,
  trade,
  type Market as CurveMarket,
} from "./adapters/threePoolMarket";
import {
  BLOCK,
  WINDOW,
  deployAdapter as deployUniswapAdapter,
  deployMarket,
  meanTick,
  priceAway,
  type Held,
} from "./adapters/uniswapMarket";
import { GAS, inOneBlock, nth } from "./bundle";
import {
  ALL,
  DAY,
  MAX,
  WAD,
  deploySystem,
  deposit,
  guardOf,
  movesOf,
  rebalance,
  redeem,
  type MoveOf,
} from "./deployment";
import { bpsOf, studyOf, tableOf, type Outcome, type Study } from "./study";

const outcomes: Outcome[] = [];
const UNIT = 10n ** 6n;
/** Of `defaultTerms`. */
const PER_PLAN_BPS = 10;
const BUCKET_BPS = 50;
const BUDGET_BPS = 100;
const EMERGENCY_BUCKET_BPS = 100;
/** Of all that there is, what each pool holds. */
const POSITION = 300_000n;
/** What attackers may gain by a push: rounding of shares, receipts and coins. */
const ROUNDING_BPS = 0.01;
/** Rounding of three coins, one of them of 18 decimals, in some dozen trades. */
const SLACK = 100n;

after(() => {
  if (outcomes.length > 0) console.log(`\n${tableOf(outcomes, UNIT)}\n`);
});

/** 1,000,001 of Alice's and the seed's, 250,000 of Bob's, who attacks; 300,000 in each pool, the rest idle and in one exact venue. */
async function invested() {
  const market = await deployMarket();
  const system = await deploySystem({ venues: 1, token: market.asset });
  const { vault, owner, alice, bob, unit, token } = system;
  const curve = await openMarket(system.feeRecipient, { usdc: token });
  const threePool = await deployCurveAdapter(curve, await vault.getAddress());
  const uniswap = await deployUniswapAdapter(market, {}, vault);
  for (const adapter of [threePool, uniswap]) {
    await vault.connect(owner).addAdapter({ adapter, absoluteCap: MAX, relativeCap: WAD, groupMask: 1n });
  }
  await deposit(system, alice, 1_000_000n * unit);
  await deposit(system, bob, 250_000n * unit);
  const scene = { system, vault, market, curve, threePool, uniswap, bob, pools: [market.trader] as AddressLike[] };
  await later(scene, DAY);
  await rebalance(system, [
    [nth(system.adapters, 0), 100_000n * unit],
    [threePool, POSITION * unit],
    [uniswap, POSITION * unit],
  ]);
  await later(scene, 2n * DAY);
  await vault.accrue();
  await later(scene, 60n);
  return scene;
}

type Scene = Awaited<ReturnType<typeof invested>>;

/** Time passes, and every feed says par again. */
async function later({ market, curve }: Pick<Scene, "market" | "curve">, seconds: bigint): Promise<void> {
  await time.increase(seconds);
  for (const feed of [market.assetFeed, market.pairedFeed]) await feed.push(await feed.latestAnswer());
  for (const feed of curve.feeds) await feed.connect(curve.trader).push(await feed.latestAnswer());
}

/* WHO HAS WHAT */

/** Coins of the 3pool that so many receipts stand for, each at par, in the asset's unit. */
async function ofThreePool({ curve }: Scene, receipts: bigint): Promise<bigint> {
  let sum = 0n;
  for (const k of [0, 1, 2]) sum += ((await curve.pool.balances(k)) * 10n ** 18n) / nth(UNITS, k);
  return (sum * receipts) / (await curve.lpToken.totalSupply()) / 10n ** 12n;
}

/** Both coins behind somebody's liquidity in Uniswap's pool, at spot. */
async function ofUniswap({ market }: Scene, account: AddressLike, lower: bigint, upper: bigint): Promise<bigint> {
  const owner = await ethers.resolveAddress(account);
  const key = ethers.solidityPackedKeccak256(["address", "int24", "int24"], [owner, lower, upper]);
  const { liquidity } = await market.pool.positions(key);
  if (liquidity === 0n) return 0n;
  const [amount0, amount1] = await market.probe.amounts(
    liquidity,
    lower,
    upper,
    (await market.pool.slot0()).sqrtPriceX96,
  );
  return amount0 + amount1;
}

async function coinsOf({ market, curve }: Scene, account: AddressLike): Promise<bigint> {
  let sum = await market.paired.balanceOf(account);
  for (const [k, coin] of curve.coins.entries()) sum += ((await coin.balanceOf(account)) * UNIT) / nth(UNITS, k);
  return sum;
}

/** Shares of the exact venue. */
async function ofVenue({ system }: Scene, account: AddressLike): Promise<bigint> {
  const venue = nth(system.venues, 0);
  return venue.convertToAssets(await venue.balanceOf(account));
}

async function there(scene: Scene): Promise<bigint> {
  const { vault, system, curve, threePool, uniswap } = scene;
  const { fees0, fees1, lower, upper } = await uniswap.position();
  return (
    (await vault.idle()) +
    (await nth(system.adapters, 0).fairValue()) +
    (await ofThreePool(scene, await curve.lpToken.balanceOf(threePool))) +
    (await coinsOf(scene, threePool)) +
    (await ofUniswap(scene, uniswap, lower, upper)) +
    (await coinsOf(scene, uniswap)) +
    fees0 +
    fees1
  );
}

/** @param providers whether the attackers are the pools' other providers. */
async function studied(attack: string, scene: Scene, friends: AddressLike[] = [], providers = true): Promise<Study> {
  const { vault, bob, curve, market } = scene;
  const accounts = [bob.address, ...friends, ...(providers ? [curve.trader.address, market.trader] : [])];
  const shareOf = async (): Promise<readonly [held: bigint, supply: bigint]> => [
    await vault.balanceOf(bob.address),
    await vault.totalSupply(),
  ];
  const others = async (): Promise<bigint> => {
    const [held, supply] = await shareOf();
    return ((await there(scene)) * (supply - held)) / supply;
  };
  const theirs = async (): Promise<bigint> => {
    const { lower, upper } = market.depth;
    // Collects what it is owed.
    if (providers) await market.trader.burn(lower, upper, 0n);
    const [held, supply] = await shareOf();
    let sum = ((await there(scene)) * held) / supply;
    if (providers) sum += await ofUniswap(scene, market.trader, lower, upper);
    for (const account of accounts) {
      sum += await coinsOf(scene, account);
      sum += await ofThreePool(scene, await curve.lpToken.balanceOf(account));
      sum += await ofVenue(scene, account);
    }
    return sum;
  };
  return studyOf(attack, { others, theirs }, SLACK);
}

/* PUSHES */

type Sent = () => Promise<ContractTransactionResponse>;

/** There and back, for one block. */
interface Push {
  readonly there: Sent;
  readonly back: Sent;
}

async function snapshot(): Promise<() => Promise<void>> {
  const id: unknown = await network.provider.send("evm_snapshot", []);
  return async () => void (await network.provider.send("evm_revert", [id]));
}

/** Pays millions of coin `i` for coin `j` of the 3pool, and what came back again. */
async function pushThreePool({ curve }: Scene, [i, j]: readonly [number, number], amount: bigint): Promise<Push> {
  const got = await curve.pool.get_dy(i, j, amount);
  const as = curve.pool.connect(curve.trader);
  return { there: () => as.exchange(i, j, amount, 0, GAS), back: () => as.exchange(j, i, got, 0, GAS) };
}

async function pushUniswap({ market }: Scene, ticks: bigint): Promise<Push> {
  const [away, spot] = [await priceAway(market as unknown as Held, ticks), (await market.pool.slot0()).sqrtPriceX96];
  return { there: () => market.trader.push(away, GAS), back: () => market.trader.push(spot, GAS) };
}

/** The most of coin `i` for coin `j` after which something still goes, to ten thousand. */
async function edge(
  scene: { readonly curve: CurveMarket },
  [i, j]: readonly [number, number],
  goes: () => Promise<boolean>,
): Promise<bigint> {
  let [low, high] = [0n, 64_000_000n];
  while (high - low > 10_000n) {
    const middle = (low + high) / 2n;
    const undo = await snapshot();
    await trade(scene.curve, i, j, middle * nth(UNITS, i));
    if (await goes()) low = middle;
    else high = middle;
    await undo();
  }
  return low * nth(UNITS, i);
}

const works = async (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => true,
    () => false,
  );

interface Venue {
  readonly name: string;
  readonly adapter: (scene: Scene) => MoveOf[0];
  /** The asset becomes plentiful (what enters gets less), or scarce (what leaves does): as far as the pool is steady and, if
   * given, as something goes. */
  readonly within: (scene: Scene, plentiful: boolean, goes?: () => Promise<unknown>) => Promise<Push>;
  readonly beyond: (scene: Scene, plentiful: boolean) => Promise<Push>;
}

const VENUES: readonly Venue[] = [
  {
    name: "3pool",
    adapter: ({ threePool }) => threePool,
    within: async (scene, plentiful, goes) => {
      const pair = plentiful ? ([USDC, DAI] as const) : ([DAI, USDC] as const);
      const most = await edge(scene, pair, () => (goes ? works(goes()) : scene.threePool.steady()));
      return pushThreePool(scene, pair, most);
    },
    beyond: (scene, plentiful) =>
      plentiful
        ? pushThreePool(scene, [USDC, DAI], 60_000_000n * nth(UNITS, USDC))
        : pushThreePool(scene, [DAI, USDC], 60_000_000n * nth(UNITS, DAI)),
  },
  {
    name: "Uniswap",
    adapter: ({ uniswap }) => uniswap,
    within: (scene, plentiful) => pushUniswap(scene, plentiful ? 9n : -9n),
    beyond: (scene, plentiful) => pushUniswap(scene, plentiful ? 900n : -900n),
  },
];

const statusOf = (receipts: readonly { readonly status: number | null }[]) => receipts.map(({ status }) => status);
const planOf = async ({ system }: Scene, legs: readonly MoveOf[]): Promise<Sent> => {
  const [moves, guard] = [await movesOf(legs), await guardOf(system)];
  return () => system.vault.connect(system.keeper).rebalance(moves, guard, GAS);
};
/** The same, to see whether it would go. */
const triedPlan = async ({ system }: Scene, legs: readonly MoveOf[]): Promise<() => Promise<unknown>> => {
  const [moves, guard] = [await movesOf(legs), await guardOf(system)];
  return () => system.vault.connect(system.keeper).rebalance.staticCall(moves, guard);
};
const depositTx =
  ({ vault }: Scene, who: HardhatEthersSigner, assets: bigint): Sent =>
  () =>
    vault.connect(who)["deposit(uint256,address)"](assets, who.address, GAS);

for (const venue of VENUES) {
  describe(`Attacks on pools: a push of ${venue.name} around entry and exit of depositors`, () => {
    for (const plentiful of [true, false]) {
      const side = plentiful ? "the asset plentiful" : "the asset scarce";

      it(`nobody enters at a pushed price, and who enters within the bound gains nothing (${side})`, async () => {
        const scene = await loadFixture(invested);
        const { bob, system, vault } = scene;
        const attack = await studied(`${venue.name}: push, deposit, unpush, ${side}; leaving later`, scene);
        const far = await venue.beyond(scene, plentiful);
        const refused = await inOneBlock([far.there, depositTx(scene, bob, 10_000_000n * UNIT), far.back]);
        expect(statusOf(refused)).to.deep.equal([1, 0, 1]);
        await later(scene, WINDOW + 60n);
        const near = await venue.within(scene, plentiful);
        const taken = await inOneBlock([near.there, depositTx(scene, bob, 10_000_000n * UNIT), near.back]);
        expect(statusOf(taken)).to.deep.equal([1, 1, 1]);
        await redeem(system, bob, await vault.maxRedeem(bob.address));
        await vault.connect(bob).redeemInKind(await vault.balanceOf(bob.address), bob.address, []);
        outcomes.push(await attack.close(ROUNDING_BPS, "rounding"));
      });

      it(`who leaves in the middle of a push gains nothing, in assets or in kind (${side})`, async () => {
        const scene = await loadFixture(invested);
        const { bob, vault } = scene;
        const half = (await vault.balanceOf(bob.address)) / 2n;
        const leaving: readonly (readonly [string, Sent])[] = [
          ["redeem", () => vault.connect(bob)["redeem(uint256,address,address)"](half, bob.address, bob.address, GAS)],
          ["redeemInKind", () => vault.connect(bob).redeemInKind(half, bob.address, [], GAS)],
        ];
        for (const [name, leave] of leaving) {
          const attack = await studied(`${venue.name}: push, ${name}, unpush, ${side}`, scene);
          const push = await venue.beyond(scene, plentiful);
          expect(statusOf(await inOneBlock([push.there, leave, push.back]))).to.deep.equal([1, 1, 1]);
          outcomes.push(await attack.close(ROUNDING_BPS, "rounding"));
          await later(scene, WINDOW + 60n);
        }
      });
    }

    it("a pool out of balance for days gives who leaves in kind his part, and no more", async () => {
      const scene = await loadFixture(invested);
      const { bob, vault } = scene;
      const attack = await studied(`${venue.name}: imbalance for a day, leaving in kind, balance`, scene);
      const push = await venue.beyond(scene, false);
      await push.there();
      await later(scene, DAY);
      await vault.accrue();
      await vault.connect(bob).redeemInKind(await vault.balanceOf(bob.address), bob.address, []);
      await push.back();
      outcomes.push(await attack.close(ROUNDING_BPS, "rounding"));
    });

    it("who gives to the adapter before he enters does not get it back", async () => {
      const scene = await loadFixture(invested);
      const { bob, system, vault } = scene;
      const attack = await studied(`${venue.name}: donation to the adapter, entry, exit in kind`, scene);
      await system.token.connect(bob).transfer(venue.adapter(scene), 10_000n * UNIT);
      await deposit(system, bob, 10_000_000n * UNIT);
      await vault.connect(bob).redeemInKind(await vault.balanceOf(bob.address), bob.address, []);
      const outcome = await attack.close(ROUNDING_BPS, "rounding; maxRate × seconds");
      expect(outcome.gain).to.be.lessThan(0n);
      outcomes.push(outcome);
    });
  });

  describe(`Attacks on pools: a stolen key and a push of ${venue.name}`, () => {
    it("a plan at a price beyond the bound is refused, into the pool and out of it", async () => {
      const scene = await loadFixture(invested);
      for (const [plentiful, assets] of [
        [true, 100_000n * UNIT],
        [false, -100_000n * UNIT],
        [false, ALL],
      ] as const) {
        const push = await venue.beyond(scene, plentiful);
        const plan = await planOf(scene, [[venue.adapter(scene), assets]]);
        expect(statusOf(await inOneBlock([push.there, plan, push.back]))).to.deep.equal([1, 0, 1]);
        await later(scene, WINDOW + 60n);
      }
    });

    for (const [name, plentiful, assets] of [
      ["entry", true, 300_000n * UNIT],
      ["exit", false, ALL],
    ] as const) {
      it(`a sandwich around one plan takes no more than the bound of a plan (${name})`, async () => {
        const scene = await loadFixture(invested);
        const attack = await studied(`${venue.name}: sandwich around a plan's ${name}, at the edge of steady`, scene);
        const legs = [[venue.adapter(scene), assets]] as const;
        const push = await venue.within(scene, plentiful, await triedPlan(scene, legs));
        const plan = await planOf(scene, legs);
        expect(statusOf(await inOneBlock([push.there, plan, push.back]))).to.deep.equal([1, 1, 1]);
        const outcome = await attack.close(PER_PLAN_BPS, "loss of one plan");
        expect(outcome.lossBps).to.be.greaterThan(0);
        outcomes.push(outcome);
      });
    }

    it("many small plans between pushes lose the bucket at most, and then each is refused", async function () {
      this.timeout(300_000);
      const scene = await loadFixture(invested);
      const { vault } = scene;
      const attack = await studied(`${venue.name}: sandwiches around many plans, in and out`, scene);
      await vault.connect(scene.system.owner).setTurnoverBudget(16n * WAD, DAY);
      const since = await time.latest();
      let ran = 0;
      for (; ran < 100; ran++) {
        const entry = ran % 2 === 1;
        const legs = [[venue.adapter(scene), entry ? 290_000n * UNIT : ALL]] as const;
        const tried = await triedPlan(scene, legs);
        const refused = () => expect(tried()).to.be.revertedWithCustomError(vault, "LossBudgetExceeded");
        if (!(await works(tried()))) {
          await refused();
          break;
        }
        const push = await venue.within(scene, entry, tried);
        const plan = await planOf(scene, legs);
        const statuses = statusOf(await inOneBlock([push.there, plan, push.back]));
        if (statuses[1] === 0) {
          await push.there();
          await refused();
          await push.back();
          break;
        }
        // Spot has to come back to the mean where the mean has followed.
        await later(scene, 24n);
      }
      expect(ran).to.be.greaterThan(3);
      const refilled = (BUDGET_BPS * ((await time.latest()) - since)) / Number(DAY);
      const outcome = await attack.close(BUCKET_BPS + refilled, "half of the loss budget, and its refill");
      const [, , left] = await vault.lossBudget();
      // What depositors lost is what the budget was charged with, and what waits as a gain of the pool's fees apart.
      expect(outcome.lossBps).to.be.at.most(Number((WAD / 200n - left) / 10n ** 14n) + refilled + 1);
      outcomes.push({ ...outcome, attack: `${outcome.attack} (${ran} plans)` });
    });

    it("what the attackers give to the adapter first makes up for no loss of their plan", async () => {
      const scene = await loadFixture(invested);
      const { system, bob, vault } = scene;
      await vault.connect(system.guardian).setLossPerCall(WAD / 100_000n);
      const attack = await studied(`${venue.name}: donation, then a sandwich that loses more than a plan may`, scene);
      await system.token.connect(bob).transfer(venue.adapter(scene), 5_000n * UNIT);
      const push = await venue.within(scene, true);
      const plan = await planOf(scene, [[venue.adapter(scene), 300_000n * UNIT]]);
      expect(statusOf(await inOneBlock([push.there, plan, push.back]))).to.deep.equal([1, 0, 1]);
      const outcome = await attack.close(0.1, "loss of one plan, here a tenth of a basis point");
      expect(outcome.gain).to.be.lessThan(0n);
      outcomes.push(outcome);
    });
  });

  describe(`Attacks on pools: a guardian who is in it, and feeds that are silent, at ${venue.name}`, () => {
    it("the guardian's exit at a pushed price loses no more than the emergency budget", async () => {
      const scene = await loadFixture(invested);
      const { system, vault } = scene;
      const attack = await studied(`${venue.name}: the guardian trips and leaves at the edge of steady`, scene);
      await vault.connect(system.guardian).guardianTrip(DAY);
      const as = vault.connect(system.guardian);
      const exit = () => as.guardianExit(venue.adapter(scene), MAX, 0n, GAS);
      const far = await venue.beyond(scene, false);
      expect(statusOf(await inOneBlock([far.there, exit, far.back]))).to.deep.equal([1, 0, 1]);
      await later(scene, WINDOW + 60n);
      const near = await venue.within(scene, false, () => as.guardianExit.staticCall(venue.adapter(scene), MAX, 0n));
      expect(statusOf(await inOneBlock([near.there, exit, near.back]))).to.deep.equal([1, 1, 1]);
      const outcome = await attack.close(EMERGENCY_BUCKET_BPS, "half of the emergency budget");
      expect(outcome.lossBps).to.be.greaterThan(0);
      outcomes.push(outcome);
    });

    it("while a feed is silent nobody enters, no plan runs, and who leaves gains nothing", async () => {
      const scene = await loadFixture(invested);
      const { system, vault, bob, market, curve } = scene;
      const attack = await studied(`${venue.name}: stale feed, push, leaving in kind, unpush`, scene);
      const feed = venue.name === "3pool" ? nth(curve.feeds, USDC).connect(curve.trader) : market.pairedFeed;
      await feed.pushAt(10n ** 8n, BigInt(await time.latest()) - 2n * DAY);
      await expect(deposit(system, bob, UNIT)).to.be.revertedWithCustomError(vault, "DepositsClosed");
      for (const assets of [UNIT, -UNIT, ALL]) {
        const refused = expect(rebalance(system, [[venue.adapter(scene), assets]]));
        await (assets > 0n
          ? refused.to.be.revertedWithCustomError(vault, "AdapterUnreadable").withArgs(venue.adapter(scene))
          : refused.to.be.revertedWithCustomError(scene.threePool, "PriceStale").withArgs(feed, anyValue, anyValue));
      }
      const push = await venue.beyond(scene, false);
      const shares = await vault.balanceOf(bob.address);
      const leave = () => vault.connect(bob).redeemInKind(shares, bob.address, [], GAS);
      expect(statusOf(await inOneBlock([push.there, leave, push.back]))).to.deep.equal([1, 1, 1]);
      await feed.push(10n ** 8n);
      await vault.accrue();
      outcomes.push(await attack.close(ROUNDING_BPS, "rounding"));
    });
  });
}

describe("Attacks on pools: the mean of Uniswap's pool, held down over blocks", () => {
  for (const blocks of [1, 3, 10, 30]) {
    it(`costs by far more than who enters by it gains, over ${blocks} block${blocks > 1 ? "s" : ""}`, async function () {
      this.timeout(300_000);
      const scene = await loadFixture(invested);
      const { market, vault, system, bob, uniswap } = scene;
      const thief = await (await ethers.getContractFactory("PoolTrader")).deploy(market.pool);
      await market.asset.mint(thief, 10n ** 15n * UNIT);
      await market.paired.mint(thief, 10n ** 15n * UNIT);
      // As far as the mean may be away from spot: 10 ticks, less one for the time that the entry takes.
      const ticks = (9n * WINDOW) / BigInt(BLOCK * blocks);
      const away = await priceAway(market as unknown as Held, -ticks);
      const held = await coinsOf(scene, thief);
      for (let block = 0; block < blocks; block++) {
        await time.setNextBlockTimestamp((await time.latest()) + (block === 0 ? BLOCK : 1));
        await thief.push(away);
        // Whoever sees it trades the pool back at the beginning of the next block.
        await time.setNextBlockTimestamp((await time.latest()) + BLOCK);
        await market.trader.push(market.par);
      }
      const cost = held - (await coinsOf(scene, thief));
      expect(await meanTick(market)).to.be.within(7n, 10n);
      expect(await uniswap.steady()).to.equal(true);
      const { fees0, fees1, lower, upper } = await uniswap.position();
      const worth = (await ofUniswap(scene, uniswap, lower, upper)) + (await coinsOf(scene, uniswap)) + fees0 + fees1;
      const fallen = worth - (await uniswap.fairValue());
      expect(fallen).to.be.within(1n, worth / 1_000n);
      const attack = await studied(
        `Uniswap: mean held down over ${blocks} block${blocks > 1 ? "s" : ""}, then entry and exit in kind; 3.6 M of each coin in 10 ticks`,
        scene,
        [thief],
        false,
      );
      const before = await vault.balanceOf(bob.address);
      await deposit(system, bob, 10_000_000n * UNIT);
      const bought = (await vault.balanceOf(bob.address)) - before;
      await vault.connect(bob).redeemInKind(bought, bob.address, []);
      const outcome = await attack.close(bpsOf(worth / 1_000n, 1_000_000n * UNIT), "10 ticks of the position");
      // Of what the position is undervalued by, at most all.
      expect(outcome.gain).to.be.at.most(fallen + SLACK);
      expect(cost).to.be.greaterThan(100n * fallen);
      outcomes.push({ ...outcome, gain: outcome.gain - cost });
    });
  }
});
