// What the vault's calls cost: the real contracts on Hardhat's chain, each call one cold transaction in a block of its
// own, intrinsic gas included, after refunds. The numbers are exact and repeat: addresses, times and amounts are fixed,
// and every call of a table's column starts from the same state.
//
// That state is the one a running vault is in, with everything on that costs gas:
// - a 6-decimals token; N of OpenZeppelin's ERC-4626 vaults, all funded, at par; fees off; a new block since the last
//   accrual, so that each call accrues;
// - deposit cap, minimum idle, absolute and relative caps, one group that all adapters are in, both budgets, a condition
//   registered with the breaker: none at its neutral value;
// - the turnover budget partly used by earlier plans, so that charging it rewrites a slot and does not fill an empty one;
// - balances that a call touches are above nothing before it, idle's too, where the row does not say otherwise;
//   allowances are unlimited.
// Where a row says that it loses to rounding, the venues have earned something uneven since, as they do in life, and an
// earlier plan has used some of the loss budget too: such a plan also charges that budget and asks for a new accrual.
import { takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import type { ContractTransactionResponse } from "ethers";
import { ethers, network } from "hardhat";
import {
  MAX,
  WAD,
  deploySystem,
  deposit,
  rebalance,
  withdraw,
  type MoveOf,
  type System,
} from "../contracts/deployment";

/** 10 is the most that a vault takes. */
export const VENUES = [1, 3, 5, 10] as const;
export type Venues = (typeof VENUES)[number];

/** Gas by operation and number of venues; an operation that is not possible with so few is left out. */
export type Gas = Readonly<Record<string, Readonly<Partial<Record<Venues, number>>>>>;

/** Any time later than today's: nothing that is measured may depend on the clock. */
export const START = 2_000_000_000;
export const DEADLINE = 3_000_000_000n;
const HOUR = 3_600;

const ALICES = 198_000n;
const BOBS = 2_000n;
const INVESTED = 120_000n;
const AMOUNT = 1_000n;
/** Before the rows that lose to rounding: what each venue earns, in the token's unit, and what others have in it. */
const UNEVEN = 1_234_567n;
const OTHERS = 1_000_000n;

interface Bench {
  readonly system: System;
  /** Puts the next transaction an hour after the last one. */
  readonly later: () => Promise<void>;
  /** Sends a plan of moves, of so many whole assets, at the adapters' places. */
  readonly plan: (...legs: readonly Leg[]) => Promise<ContractTransactionResponse>;
}

type Leg = readonly [place: number, assets: bigint];

interface Operation {
  readonly name: string;
  readonly fewestVenues?: number;
  readonly prepare?: (bench: Bench) => Promise<unknown>;
  readonly send: (bench: Bench) => Promise<ContractTransactionResponse>;
}

const AT_PAR: readonly Operation[] = [
  {
    name: "deposit, existing holder, to idle",
    send: ({ system }) => deposit(system, system.alice, AMOUNT * system.unit),
  },
  {
    name: "first deposit",
    send: ({ system }) => deposit(system, system.stranger, AMOUNT * system.unit),
  },
  {
    name: "withdraw from idle",
    send: ({ system }) => withdraw(system, system.alice, AMOUNT * system.unit),
  },
  {
    name: "withdraw through one venue",
    send: async ({ system }) => withdraw(system, system.alice, (await system.vault.idle()) + AMOUNT * system.unit),
  },
  {
    name: "rebalance of two legs",
    fewestVenues: 2,
    send: ({ plan }) => plan([0, -AMOUNT], [1, AMOUNT]),
  },
  {
    name: "share transfer",
    send: ({ system }) => system.vault.connect(system.alice).transfer(system.bob.address, WAD),
  },
  { name: "rebalance of one leg, into a venue", send: ({ plan }) => plan([0, AMOUNT]) },
  { name: "rebalance of one leg, to idle", send: ({ plan }) => plan([0, -AMOUNT]) },
  {
    name: "withdraw through one venue, idle empty before",
    prepare: async ({ system }) => withdraw(system, system.alice, await system.vault.idle()),
    send: ({ system }) => withdraw(system, system.alice, AMOUNT * system.unit),
  },
  {
    name: "withdraw through every venue",
    send: async ({ system }) => {
      const partOfLast = (INVESTED / BigInt(system.adapters.length) / 2n) * system.unit;
      return withdraw(system, system.alice, (await system.vault.totalAssets()) - partOfLast);
    },
  },
  {
    name: "redeemInKind, no receipts held before",
    send: ({ system }) => system.vault.connect(system.alice).redeemInKind(AMOUNT * WAD, system.alice.address, []),
  },
  { name: "accrue", send: ({ system }) => system.vault.accrue() },
];

const ROUNDING: readonly Operation[] = [
  {
    name: "rebalance of two legs, losing to rounding",
    fewestVenues: 2,
    send: losing,
  },
];

/** Puts the next transaction an hour after the last one, and not before {@link START}. */
export async function later(): Promise<void> {
  const next = (await time.latest()) + HOUR;
  await time.setNextBlockTimestamp(Math.max(next, START));
}

async function benchOf(venues: Venues): Promise<Bench> {
  await network.provider.send("hardhat_reset");
  const system = await deploySystem({
    venues,
    venueName: "PlainVenue",
    terms: {
      depositCap: 10_000_000n * 10n ** 6n,
      minimumIdle: WAD / 20n,
      groups: [{ name: ethers.encodeBytes32String("all"), relativeCap: (9n * WAD) / 10n }],
    },
    adapterTerms: () => ({ absoluteCap: 5_000_000n * 10n ** 6n, relativeCap: (8n * WAD) / 10n }),
  });
  const plan = async (...legs: readonly Leg[]): Promise<ContractTransactionResponse> => {
    const moves = legs.map(([place, assets]): MoveOf => {
      const adapter = system.adapters[place];
      if (adapter === undefined) throw new RangeError(`there is no adapter at ${place}`);
      return [adapter, assets * system.unit];
    });
    return rebalance(system, moves, { deadline: DEADLINE });
  };
  return { system, later, plan };
}

/** Brings a new vault into the state that the head of this file describes. */
async function settle({ system, later, plan }: Bench): Promise<void> {
  const { adapters, alice, bob, owner, unit, vault } = system;
  await later();
  const condition = await (await ethers.getContractFactory("SwitchCondition")).deploy();
  await later();
  await vault.connect(owner).setCondition(condition, true);
  await later();
  await deposit(system, alice, ALICES * unit);
  await later();
  await deposit(system, bob, BOBS * unit);
  await later();
  await plan(...adapters.map((_, place): Leg => [place, INVESTED / BigInt(adapters.length)]));
}

/** Venues earn what leaves their shares at no round price, and a first plan loses by that. */
async function unsettle(bench: Bench): Promise<void> {
  const { stranger, token, unit, venues } = bench.system;
  for (const venue of venues) {
    // What a withdrawal is rounded down by is not the vault's own only where others hold shares too.
    await bench.later();
    await token.connect(stranger).approve(venue, MAX);
    await bench.later();
    await venue.connect(stranger).deposit(OTHERS * unit, stranger.address);
    await bench.later();
    await token.mint(venue, UNEVEN);
  }
  await bench.later();
  await losing(bench);
}

async function losing({ system: { vault }, plan }: Bench): Promise<ContractTransactionResponse> {
  const sent = await plan([0, -AMOUNT], [1, AMOUNT]);
  const [event] = await vault.queryFilter(vault.filters.Rebalanced, sent.blockNumber ?? undefined);
  if (event === undefined || event.args.lost === 0n) throw new Error("a plan that should lose to rounding did not");
  return sent;
}

async function gasOf(bench: Bench, { prepare, send }: Operation): Promise<number> {
  return gasOfOne(bench.later, {
    ...(prepare === undefined ? {} : { prepare: () => prepare(bench) }),
    send: () => send(bench),
  });
}

/** Gas of one transaction, and of nothing that comes before it; the chain is then as it was. */
export async function gasOfOne(
  later: () => Promise<void>,
  call: { readonly prepare?: () => Promise<unknown>; readonly send: () => Promise<ContractTransactionResponse> },
): Promise<number> {
  const before = await takeSnapshot();
  try {
    if (call.prepare !== undefined) {
      await later();
      await call.prepare();
    }
    await later();
    const receipt = await (await call.send()).wait();
    if (receipt === null) throw new Error("a transaction without a receipt");
    return Number(receipt.gasUsed);
  } finally {
    await before.restore();
  }
}

/** All rows about exact venues. Takes some seconds, and leaves Hardhat's chain in no particular state. */
export async function measure(): Promise<Gas> {
  const gas: Record<string, Partial<Record<Venues, number>>> = {};
  const run = async (bench: Bench, operations: readonly Operation[]): Promise<void> => {
    const venues = bench.system.venues.length as Venues;
    for (const operation of operations) {
      const row = (gas[operation.name] ??= {});
      if (venues >= (operation.fewestVenues ?? 1)) row[venues] = await gasOf(bench, operation);
    }
  };
  for (const venues of VENUES) {
    const bench = await benchOf(venues);
    await settle(bench);
    await run(bench, AT_PAR);
    if (venues > 1) await unsettle(bench);
    await run(bench, ROUNDING);
  }
  return gas;
}
