// What an auditor can know from logs alone: rebuilt from events, the vault's state equals what its views say, through a
// long seeded scenario in which every event of the vault occurs.
import { impersonateAccount, mine, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import type { BaseContract, Log } from "ethers";
import { ethers } from "hardhat";
import type { Claims, HostileVenue, SwitchCondition } from "../../typechain-types";
import { generator, nth } from "./bundle";
import { ALL, DAY, WAD, deploySystem, deposit, guardOf, movesOf, redeem, withdraw, type System } from "./deployment";
import {
  ZERO_ADDRESS,
  availableAt,
  breakerAt,
  groupAllocation,
  limitBase,
  nextNonce,
  rebuild,
  type Rebuilt,
  type VaultEvent,
} from "./rebuild";

const DECIMALS = 6n;
const STEPS = 220;

/** Addresses in small letters, lists as lists: what the rebuilding compares by. */
function plain(value: unknown): unknown {
  if (typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value)) return value.toLowerCase();
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

/** All logs of the vault and its claims, in their order. */
async function eventsOf(vault: BaseContract, claims: BaseContract): Promise<VaultEvent[]> {
  const sources = { vault, claims } as const;
  const logs: { readonly log: Log; readonly source: "vault" | "claims" }[] = [];
  for (const source of ["vault", "claims"] as const) {
    for (const log of await ethers.provider.getLogs({ address: await sources[source].getAddress(), fromBlock: 0 })) {
      logs.push({ log, source });
    }
  }
  logs.sort((a, b) => a.log.blockNumber - b.log.blockNumber || a.log.index - b.log.index);
  const times = new Map<number, bigint>();
  const events: VaultEvent[] = [];
  for (const { log, source } of logs) {
    const parsed = sources[source].interface.parseLog(log);
    if (parsed === null) throw new Error(`a log that nobody knows: ${log.topics[0]}`);
    if (!times.has(log.blockNumber)) {
      const block = await ethers.provider.getBlock(log.blockNumber);
      times.set(log.blockNumber, BigInt(block?.timestamp ?? 0));
    }
    const args = Object.fromEntries(
      parsed.fragment.inputs.map(({ name }, i) => [name, plain(parsed.args[i] as unknown)]),
    );
    events.push({ source, name: parsed.name, args, timestamp: times.get(log.blockNumber) ?? 0n });
  }
  return events;
}

interface Scenario {
  readonly system: System;
  readonly claims: Claims;
  readonly venues: HostileVenue[];
  readonly condition: SwitchCondition;
  readonly conditionAddress: string;
  readonly random: (below: bigint) => bigint;
}

type Act = readonly [name: string, act: (scenario: Scenario) => Promise<unknown>];

async function pick(scenario: Scenario): Promise<{ getAddress(): Promise<string> }> {
  const list = await scenario.system.vault.adapters();
  const address = nth(list, Number(scenario.random(BigInt(list.length))));
  return { getAddress: () => Promise.resolve(address) };
}

async function who({ system, random }: Scenario) {
  return nth([system.alice, system.bob], Number(random(2n)));
}

async function plan(scenario: Scenario, legs: Parameters<typeof movesOf>[0]) {
  const { system } = scenario;
  return system.vault.connect(system.keeper).rebalance(await movesOf(legs), await guardOf(system));
}

/** Each may revert: the scenario tries them at random, and says at the end which events occurred. */
const ACTS: readonly Act[] = [
  ["deposit", async (s) => deposit(s.system, await who(s), s.random(200_000n * s.system.unit))],
  ["withdraw", async (s) => withdraw(s.system, await who(s), s.random(100_000n * s.system.unit))],
  [
    "redeem",
    async (s) => {
      const account = await who(s);
      return redeem(s.system, account, (await s.system.vault.balanceOf(account.address)) / (2n + s.random(5n)));
    },
  ],
  ["plan in", async (s) => plan(s, [[await pick(s), 1n + s.random(80_000n * s.system.unit)]])],
  ["plan in", async (s) => plan(s, [[await pick(s), 1n + s.random(40_000n * s.system.unit)]])],
  [
    "plan out",
    async (s) => plan(s, [[await pick(s), s.random(4n) === 0n ? ALL : -1n - s.random(50_000n * s.system.unit)]]),
  ],
  [
    "plan across",
    async (s) =>
      plan(s, [
        [await pick(s), -1n - s.random(20_000n * s.system.unit)],
        [await pick(s), 1n + s.random(20_000n * s.system.unit)],
      ]),
  ],
  ["venue fee", async (s) => nth(s.venues, Number(s.random(3n))).setFees(s.random(60n), 0n)],
  [
    "venue loss",
    async (s) => s.system.token.burn(nth(s.venues, Number(s.random(3n))), s.random(5_000n * s.system.unit)),
  ],
  ["gain", async (s) => s.system.token.mint(nth(s.venues, Number(s.random(3n))), s.random(500n * s.system.unit))],
  [
    "exit in kind",
    async (s) => {
      const account = await who(s);
      const shares = (await s.system.vault.balanceOf(account.address)) / (3n + s.random(9n));
      const skip = s.random(2n) === 0n ? [] : [await (await pick(s)).getAddress()];
      return s.system.vault.connect(account).redeemInKind(shares, account.address, skip);
    },
  ],
  ["receipts stop", async (s) => nth(s.venues, Number(s.random(3n))).setTransfersBroken(s.random(2n) === 0n)],
  [
    "claim moved",
    async (s) => {
      const [from, adapter] = [await who(s), await (await pick(s)).getAddress()];
      const units = await s.claims.balanceOf(from.address, BigInt(adapter));
      return s.claims.connect(from).transfer(s.system.stranger.address, BigInt(adapter), units / 3n);
    },
  ],
  [
    "claim redeemed",
    async (s) => {
      const account = nth([s.system.alice, s.system.bob, s.system.stranger], Number(s.random(3n)));
      const adapter = await (await pick(s)).getAddress();
      const units = await s.claims.balanceOf(account.address, BigInt(adapter));
      return s.system.vault
        .connect(account)
        .redeemClaim(adapter, s.random(2n) === 0n ? units : units / 2n, account.address);
    },
  ],
  ["refresh", async (s) => s.system.vault.refresh(await pick(s))],
  ["accrue", async (s) => s.system.vault.accrue()],
  ["venue breaks", async (s) => nth(s.venues, Number(s.random(3n))).setBroken(true)],
  [
    "venue mends",
    async (s) => {
      for (const venue of s.venues) await venue.setBroken(false);
    },
  ],
  [
    "venue mends",
    async (s) => {
      for (const venue of s.venues) await venue.setBroken(false);
    },
  ],
  ["report", async (s) => s.system.vault.reportUnreadable(await pick(s))],
  [
    "report twice",
    async (s) => {
      const a = await pick(s);
      await s.system.vault.reportUnreadable(a);
      await mine(60);
      await s.system.vault.reportUnreadable(a);
    },
  ],
  ["quarantine", async (s) => s.system.vault.connect(s.system.guardian).quarantine(await pick(s))],
  [
    "lift",
    async (s) => {
      for (const a of await s.system.vault.adapters())
        if ((await s.system.vault.adapter(a)).quarantined)
          await s.system.vault.connect(s.system.owner).liftQuarantine(a);
    },
  ],
  [
    "lift",
    async (s) => {
      for (const a of await s.system.vault.adapters())
        if ((await s.system.vault.adapter(a)).quarantined)
          await s.system.vault.connect(s.system.owner).liftQuarantine(a);
    },
  ],
  ["guardian trips", async (s) => s.system.vault.connect(s.system.guardian).guardianTrip(1n + s.random(DAY / 4n))],
  ["condition", async (s) => s.condition.set(s.random(2n) === 0n, false)],
  ["arm", async (s) => s.system.vault.arm(s.conditionAddress)],
  ["disarm", async (s) => s.system.vault.disarm(s.conditionAddress)],
  ["trip", async (s) => s.system.vault.trip(s.conditionAddress)],
  ["emergency exit", async (s) => s.system.vault.emergencyExit(await pick(s))],
  ["reset", async (s) => s.system.vault.connect(s.system.owner).resetBreaker()],
  ["reset", async (s) => s.system.vault.connect(s.system.owner).resetBreaker()],
  [
    "absolute cap",
    async (s) =>
      s.system.vault.connect(s.system.owner).setAbsoluteCap(await pick(s), 10n ** 14n + s.random(10n ** 13n)),
  ],
  [
    "relative cap",
    async (s) => s.system.vault.connect(s.system.owner).setRelativeCap(await pick(s), WAD - s.random(WAD / 10n)),
  ],
  ["group mask", async (s) => s.system.vault.connect(s.system.owner).setGroupMask(await pick(s), 1n + s.random(3n))],
  [
    "group cap",
    async (s) => s.system.vault.connect(s.system.owner).setGroupCap(s.random(2n), WAD - s.random(10n ** 9n)),
  ],
  ["deposit cap", async (s) => s.system.vault.connect(s.system.owner).setDepositCap(10n ** 14n + s.random(10n ** 14n))],
  ["minimum idle", async (s) => s.system.vault.connect(s.system.owner).setMinimumIdle(s.random(WAD / 50n))],
  [
    "loss of a plan",
    async (s) => s.system.vault.connect(s.system.owner).setLossPerCall(WAD / 1_000n + s.random(WAD / 1_000n)),
  ],
  [
    "loss budget",
    async (s) =>
      s.system.vault
        .connect(s.system.owner)
        .setLossBudget(WAD / 100n + s.random(WAD / 100n), DAY / (1n + s.random(3n))),
  ],
  [
    "turnover budget",
    async (s) =>
      s.system.vault
        .connect(s.system.guardian)
        .setTurnoverBudget((await s.system.vault.turnoverBudget())[0] - 1n - s.random(10n ** 15n), DAY),
  ],
  ["fees", async (s) => s.system.vault.connect(s.system.owner).setManagementFee(s.random(WAD / 50n))],
  ["fees", async (s) => s.system.vault.connect(s.system.owner).setPerformanceFee(s.random(WAD / 5n))],
  ["rate", async (s) => s.system.vault.connect(s.system.owner).setMaxRate(s.random(2n * WAD))],
  [
    "queue",
    async (s) => s.system.vault.connect(s.system.owner).setQueue([...(await s.system.vault.adapters())].reverse()),
  ],
  [
    "keeper",
    async (s) => {
      await s.system.vault.connect(s.system.owner).setKeeper(s.system.stranger.address, true);
      await s.system.vault.connect(s.system.guardian).setKeeper(s.system.stranger.address, false);
    },
  ],
  ["time", async (s) => time.increase(1n + s.random(DAY / 3n))],
];

/** What happens once, at a step of its own. */
const ONCE: Readonly<Record<number, Act>> = {
  20: [
    "add a group",
    async ({ system }) =>
      system.vault.connect(system.owner).addGroup({ name: ethers.encodeBytes32String("late"), relativeCap: WAD }),
  ],
  40: [
    "add an adapter",
    async (s) => {
      const { vault, token, owner } = s.system;
      const venue = await (await ethers.getContractFactory("HostileVenue")).deploy(token);
      s.venues.push(venue);
      const adapter = await (await ethers.getContractFactory("ERC4626Adapter")).deploy(vault, venue);
      const address = await adapter.getAddress();
      await vault
        .connect(owner)
        .addAdapter({ adapter: address, absoluteCap: 10n ** 14n, relativeCap: WAD, groupMask: 2n });
    },
  ],
  60: [
    "a claim made, transferred, redeemed in parts",
    async (s) => {
      const { vault, alice, stranger } = s.system;
      for (const venue of s.venues) await venue.setTransfersBroken(false);
      for (const adapter of await vault.adapters()) {
        await vault.connect(alice).redeemInKind((await vault.balanceOf(alice.address)) / 10n, alice.address, [adapter]);
        const units = await s.claims.balanceOf(alice.address, BigInt(adapter));
        if (units === 0n) continue;
        await s.claims.connect(alice).transfer(stranger.address, BigInt(adapter), units / 3n);
        await vault.connect(stranger).redeemClaim(adapter, units / 4n, stranger.address);
      }
    },
  ],
  170: [
    "a condition armed and disarmed",
    async ({ system, condition, conditionAddress }) => {
      const { vault, stranger } = system;
      await condition.set(true, false);
      if ((await vault.condition(conditionAddress))[1] === 0n) await vault.connect(stranger).arm(conditionAddress);
      await condition.set(false, false);
      await vault.connect(stranger).disarm(conditionAddress);
    },
  ],
  80: [
    "a new guardian",
    async ({ system }) => {
      await system.vault.connect(system.owner).setGuardian(system.feeRecipient.address);
      await system.vault.connect(system.feeRecipient).acceptGuardian();
      await system.vault.connect(system.owner).setGuardian(system.guardian.address);
      await system.vault.connect(system.guardian).acceptGuardian();
    },
  ],
  100: [
    "a new recipient",
    async ({ system }) => system.vault.connect(system.owner).setFeeRecipient(system.guardian.address),
  ],
  120: [
    "an adapter removed",
    async (s) => {
      const { vault, owner } = s.system;
      const adapter = await pick(s);
      if (!(await vault.adapter(adapter as never)).quarantined) await vault.connect(owner).quarantine(adapter as never);
      await vault.connect(owner).removeAdapter(adapter as never);
    },
  ],
  140: [
    "a condition unregistered",
    async ({ system, conditionAddress }) => {
      await system.vault.connect(system.owner).setCondition(conditionAddress, false);
      await system.vault.connect(system.owner).setCondition(conditionAddress, true);
    },
  ],
  160: ["a guardian offered", async ({ system }) => system.vault.connect(system.owner).setGuardian(system.bob.address)],
  180: [
    "a proven trip",
    async ({ system, condition, conditionAddress }) => {
      const { vault, stranger } = system;
      await condition.set(true, false);
      if ((await vault.breaker())[0] !== 0n) await vault.connect(system.owner).resetBreaker();
      if ((await vault.condition(conditionAddress))[1] === 0n) await vault.connect(stranger).arm(conditionAddress);
      await time.increase(1_800n);
      await vault.connect(stranger).trip(conditionAddress);
      for (const adapter of await vault.adapters()) await vault.emergencyExit(adapter).catch(() => undefined);
      await condition.set(false, false);
    },
  ],
  200: [
    "ownership offered",
    async ({ system }) => {
      const { vault, owner, guardian, timelock } = system;
      const other = await (await ethers.getContractFactory("VaultTimelock")).deploy(DAY, [], [], guardian.address);
      const address = await other.getAddress();
      await vault.connect(owner).transferOwnership(address);
      await impersonateAccount(address);
      await setBalance(address, 10n ** 20n);
      const accepting = vault.connect(await ethers.getSigner(address));
      await accepting.acceptOwnership();
      await accepting.transferOwnership(timelock);
      await vault.connect(owner).acceptOwnership();
    },
  ],
};

/** Everything that both sides know, as one value. */
async function chain({ system, claims, conditionAddress }: Scenario, state: Rebuilt) {
  const { vault } = system;
  const accounts = [...state.balances.keys()].sort();
  const adapters = await vault.adapters();
  const [lossLimit, lossWindow, lossAvailable] = await vault.lossBudget();
  const [turnoverLimit, turnoverWindow, turnoverAvailable] = await vault.turnoverBudget();
  const [accounted, earlier, updatedAt] = await vault.accountedAssets();
  const groups = await vault.groups();
  return {
    opened: await vault.opened(),
    roles: plain([
      await vault.owner(),
      await vault.pendingOwner(),
      await vault.guardian(),
      await vault.pendingGuardian(),
      await vault.feeRecipient(),
    ]),
    planEpoch: await vault.planEpoch(),
    limits: {
      managementFee: await vault.managementFee(),
      performanceFee: await vault.performanceFee(),
      maxRate: await vault.maxRate(),
      depositCap: await vault.depositCap(),
      minimumIdle: await vault.minimumIdle(),
      lossPerCall: await vault.lossPerCall(),
    },
    lossBudget: [lossLimit, lossWindow, lossAvailable],
    turnoverBudget: [turnoverLimit, turnoverWindow, turnoverAvailable],
    emergencyBudget: plain(await vault.emergencyBudget()),
    keepers: await Promise.all(
      [...state.keepers.keys()].map(async (k) => [k, await vault.isKeeper(k), await vault.nextNonce(k)]),
    ),
    queue: plain([...adapters]),
    adapters: await Promise.all(
      adapters.map(async (account) => {
        const record = await vault.adapter(account);
        return [
          record.absoluteCap,
          record.relativeCap,
          record.groupMask,
          record.exact,
          record.quarantined,
          record.recorded,
          record.claimUnits,
          record.claimUnits,
          record.totalUnits,
          await vault.readFailureAt(account),
        ];
      }),
    ),
    groups: await Promise.all(
      groups.map(async ({ name, relativeCap }, i) => [name, relativeCap, await vault.groupAllocation(i)]),
    ),
    claims: await Promise.all(
      [...state.claims].map(async ([adapter, holders]) =>
        Promise.all([...holders.keys()].map(async (h) => [adapter, h, await claims.balanceOf(h, BigInt(adapter))])),
      ),
    ),
    breaker: [...(await vault.breaker())],
    breakerTimes: [await vault.breakerResetAt(), await vault.guardianTripFrom()],
    condition: [...(await vault.condition(conditionAddress))],
    totals: [accounted, earlier, updatedAt, await vault.limitBase()],
    writtenOff: [...(await vault.writtenOff())],
    supply: await vault.totalSupply(),
    balances: await Promise.all(accounts.map(async (account) => [account, await vault.balanceOf(account)])),
  };
}

/** As {@link chain}, from events. */
function logs({ conditionAddress }: Scenario, state: Rebuilt, now: bigint): Awaited<ReturnType<typeof chain>> {
  const budget = (name: string) => {
    const found = state.budgets.get(name);
    if (found === undefined) throw new Error(`no budget ${name}`);
    return [found.limit, found.window, availableAt(found, now)];
  };
  const limit = (name: string): bigint => state.limits.get(name) ?? -1n;
  const breaker = breakerAt(state, now);
  const condition = state.conditions.get(conditionAddress.toLowerCase());
  return {
    opened: state.opened,
    roles: [state.owner, state.pendingOwner, state.guardian, state.pendingGuardian, state.feeRecipient],
    planEpoch: state.planEpoch,
    limits: {
      managementFee: limit("managementFee"),
      performanceFee: limit("performanceFee"),
      maxRate: limit("maxRate"),
      depositCap: limit("depositCap"),
      minimumIdle: limit("minimumIdle"),
      lossPerCall: limit("lossPerCall"),
    },
    lossBudget: budget("lossBudget"),
    turnoverBudget: budget("turnoverBudget"),
    emergencyBudget: budget("emergencyBudget"),
    keepers: [...state.keepers].map(([keeper, { allowed }]) => [keeper, allowed, nextNonce(state, keeper)]),
    queue: state.queue,
    adapters: state.queue.map((account) => {
      const adapter = state.adapters.get(account);
      const units = [...(state.claims.get(account)?.values() ?? [])].reduce((sum, held) => sum + held, 0n);
      return [
        adapter?.absoluteCap ?? -1n,
        adapter?.relativeCap ?? -1n,
        adapter?.groupMask ?? -1n,
        adapter?.exact ?? false,
        adapter?.quarantined ?? false,
        adapter?.recorded ?? -1n,
        units,
        state.units.get(account)?.claimed ?? 0n,
        state.units.get(account)?.total ?? 0n,
        state.readFailures.get(account) ?? 0n,
      ];
    }),
    groups: state.groups.map(({ name, relativeCap }, i) => [name, relativeCap, groupAllocation(state, i)]),
    claims: [...state.claims].map(([adapter, holders]) =>
      [...holders].map(([holder, units]) => [adapter, holder, units]),
    ),
    breaker: [breaker.state, breaker.until],
    breakerTimes: [state.breakerResetAt, state.guardianTripFrom],
    condition: [condition?.registered ?? false, condition?.armedAt ?? 0n],
    totals: [state.accounted, state.earlier, state.updatedAt, limitBase(state, now)],
    writtenOff: [state.writtenOff, state.uncounted],
    supply: state.supply,
    balances: [...state.balances].sort(([a], [b]) => (a < b ? -1 : 1)),
  } as Awaited<ReturnType<typeof chain>>;
}

async function begin(seed: bigint): Promise<Scenario> {
  const system = await deploySystem({
    venues: 3,
    terms: {
      managementFee: WAD / 100n,
      performanceFee: WAD / 10n,
      groups: [
        { name: ethers.encodeBytes32String("all"), relativeCap: WAD },
        { name: ethers.encodeBytes32String("some"), relativeCap: WAD },
      ],
    },
  });
  const { vault, owner, alice, bob, unit } = system;
  const claims = await ethers.getContractAt("Claims", await vault.claims());
  const condition = await (await ethers.getContractFactory("SwitchCondition")).deploy();
  const conditionAddress = await condition.getAddress();
  await vault.connect(owner).setCondition(conditionAddress, true);
  await deposit(system, alice, 1_000_000n * unit);
  await deposit(system, bob, 500_000n * unit);
  await time.increase(DAY);
  return { system, claims, venues: [...system.venues], condition, conditionAddress, random: generator(seed) };
}

describe("State rebuilt from events alone", () => {
  const seen = new Set<string>();

  for (const seed of [1n, 2n]) {
    it(`equals the chain's at every tenth step of a random scenario (seed ${seed})`, async function () {
      this.timeout(180_000);
      const scenario = await begin(seed);
      const { system, claims, random } = scenario;
      const { vault } = system;
      const compare = async (step: number) => {
        await mine(1);
        const events = await eventsOf(vault, claims);
        for (const { source, name } of events) if (source === "vault") seen.add(name);
        const state = rebuild(events, DECIMALS);
        const now = BigInt(await time.latest());
        expect(logs(scenario, state, now), `step ${step}`).to.deep.equal(await chain(scenario, state));
        return state;
      };
      for (let step = 1; step <= STEPS; step++) {
        const once = ONCE[step];
        if (once !== undefined) await once[1](scenario);
        const [, act] = nth(ACTS, Number(random(BigInt(ACTS.length))));
        await act(scenario).catch((error: unknown) => {
          if (!/revert/.test(String(error))) throw error;
        });
        if (step % 10 === 0) await compare(step);
      }
      // Everything that was lowered by exits in kind is read once, and then known to the unit.
      for (const venue of scenario.venues) await venue.setBroken(false);
      for (const adapter of await vault.adapters()) await vault.refresh(adapter);
      const state = await compare(STEPS + 1);
      expect([...state.adapters.values()].every(({ recorded }) => recorded !== undefined)).to.equal(true);
      expect(state.guardian).to.not.equal(ZERO_ADDRESS);
    });
  }

  it("has seen every event that the vault has", async () => {
    const { interface: abi } = await ethers.getContractAt("IVault", ZERO_ADDRESS);
    const all: string[] = [];
    abi.forEachEvent(({ name }) => all.push(name));
    expect(all.filter((name) => name !== "Approval" && !seen.has(name))).to.deep.equal([]);
    expect(all.length).to.be.greaterThan(30);
  });
});
