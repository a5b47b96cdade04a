// What the venues cost that are no lending: Curve's 3pool (its model), a genuine pool of Uniswap V3, Sky's savings through the
// PSM (their models). Measured as in measure.ts, in a vault with one ERC-4626 venue and then this one besides, both funded and
// two hours old; the rows stand under N=1. Feeds have answered since. The plans are of one leg, of a part of the position
// unless the row says otherwise. Uniswap's fees have no call of their own: every move and every exit in kind collects them.
// Rows that say so are of a position whose range was traded through, in both directions, since it was last touched.
import { ethers, network } from "hardhat";
import type { ContractTransactionResponse } from "ethers";
import type { PriceFeedModel } from "../../typechain-types";
import { deployAdapter as deployCurveAdapter, openMarket } from "../contracts/adapters/threePoolMarket";
import { deployAdapter as deployUniswapAdapter, deployMarket } from "../contracts/adapters/uniswapMarket";
import {
  ALL,
  WAD,
  deploySystem,
  deposit,
  rebalance,
  type MoveOf,
  type Options,
  type System,
} from "../contracts/deployment";
import { deploySky, deploySkyAdapter } from "../contracts/sky";
import { DEADLINE, gasOfOne, later, type Gas } from "./measure";

const ALICES = 200_000n;
const INVESTED = 60_000n;
const AMOUNT = 1_000n;
const TRADED_TICKS = 20n;

/** A vault, and a venue that is not in it yet. */
interface Scene {
  readonly system: System;
  readonly adapter: { getAddress(): Promise<string> };
  readonly feeds: readonly PriceFeedModel[];
  /** Trades by which the position earns fees, and after which the price is what it was. */
  readonly trade?: () => Promise<unknown>;
}

const VENUES: readonly (readonly [name: string, scene: () => Promise<Scene>])[] = [
  ["3pool", threePool],
  ["Uniswap V3", uniswap],
  ["Sky", sky],
];

async function threePool(): Promise<Scene> {
  const system = await deploySystem(options());
  const market = await openMarket(system.feeRecipient, { usdc: system.token });
  return { system, adapter: await deployCurveAdapter(market, await system.vault.getAddress()), feeds: market.feeds };
}

async function uniswap(): Promise<Scene> {
  const market = await deployMarket();
  const system = await deploySystem({ ...options(), token: market.asset });
  const adapter = await deployUniswapAdapter(market, {}, system.vault);
  const [above, asset] = [await market.probe.sqrtAt(market.middle + TRADED_TICKS), await market.asset.getAddress()];
  // Out and back in one transaction: the pool's mean does not notice.
  const trade = () => market.trader.pushAndCall(above, asset, market.asset.interface.encodeFunctionData("decimals"));
  return { system, adapter, feeds: [market.assetFeed, market.pairedFeed], trade };
}

async function sky(): Promise<Scene> {
  const system = await deploySystem(options());
  const adapter = await deploySkyAdapter(await deploySky(system.token), "usds", system.vault);
  return { system, adapter, feeds: [] };
}

const options = (): Options => ({
  venues: 1,
  venueName: "PlainVenue",
  terms: { depositCap: 10_000_000n * 10n ** 6n, minimumIdle: WAD / 20n },
  adapterTerms: () => ({ absoluteCap: 5_000_000n * 10n ** 6n, relativeCap: (8n * WAD) / 10n }),
});

/** Rows of every venue. Leaves Hardhat's chain in no particular state. */
export async function measurePools(): Promise<Gas> {
  const gas: Record<string, Gas[string]> = {};
  for (const [name, make] of VENUES) {
    await network.provider.send("hardhat_reset");
    const scene = await make();
    for (const [what, used] of Object.entries(await measureOne(scene))) gas[`${name}: ${what}`] = { 1: used };
  }
  return gas;
}

async function measureOne({ system, adapter, feeds, trade }: Scene): Promise<Readonly<Record<string, number>>> {
  const { vault, owner, alice, unit, adapters } = system;
  const plan = async (...legs: readonly MoveOf[]): Promise<ContractTransactionResponse> =>
    rebalance(system, legs, { deadline: DEADLINE });
  const report = async (): Promise<void> => {
    for (const feed of feeds) {
      await later();
      await feed.connect(await ethers.getSigner(await feed.reporter())).push(await feed.latestAnswer());
    }
  };
  const depositing = { send: () => deposit(system, alice, AMOUNT * unit) };
  await later();
  await deposit(system, alice, ALICES * unit);
  await later();
  await plan([adapters[0] as MoveOf[0], INVESTED * unit]);
  await later();
  const accruing = { send: () => vault.accrue() };
  const [deposited, accrued] = [await gasOfOne(later, depositing), await gasOfOne(later, accruing)];
  await later();
  const address = await adapter.getAddress();
  const caps = { absoluteCap: 5_000_000n * unit, relativeCap: (8n * WAD) / 10n, groupMask: 1n };
  await vault.connect(owner).addAdapter({ adapter: address, ...caps });
  await report();
  await later();
  await plan([adapter, INVESTED * unit]);
  await later();
  await plan([adapter, -AMOUNT * unit]);
  await report();
  const moves = async (suffix: string): Promise<Readonly<Record<string, number>>> => {
    const of = (assets: bigint) => gasOfOne(later, { send: () => plan([adapter, assets]) });
    return {
      [`plan, entry${suffix}`]: await of(AMOUNT * unit),
      [`plan, exit${suffix}`]: await of(-AMOUNT * unit),
      [`plan, exit of all${suffix}`]: await of(ALL),
      [`redeemInKind${suffix}`]: await gasOfOne(later, {
        send: () => vault.connect(alice).redeemInKind(AMOUNT * 10n ** 18n, alice.address, []),
      }),
    };
  };
  const rows = {
    "added to a deposit": (await gasOfOne(later, depositing)) - deposited,
    "added to an accrual": (await gasOfOne(later, accruing)) - accrued,
    ...(await moves("")),
  };
  if (trade === undefined) return rows;
  await later();
  await trade();
  await report();
  return { ...rows, ...(await moves(", collecting fees")) };
}
