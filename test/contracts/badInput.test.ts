// What nobody should send: each with the error that says why, and the numbers in it.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { anyValue } from "@nomicfoundation/hardhat-chai-matchers/withArgs";
import { expect } from "chai";
import { ethers } from "hardhat";
import { nth } from "./bundle";
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
  type MoveOf,
  type System,
} from "./deployment";

const NOBODY = ethers.ZeroAddress;
const MOST_OUT = ethers.MinInt256 + 1n;
const MOST_IN = ethers.MaxInt256;
const TOTAL = 1_000_001n * 10n ** 6n;
const MAX_TOTAL = 2n ** 104n - 1n;
const HALF = 500_000n * 10n ** 6n;

/** Alice has 1,000,000: 300,000 in venue 0, 200,000 in venue 1, and a claim on some of venue 1. */
async function invested(): Promise<System> {
  const system = await deploySystem({ venues: 3, terms: { maxRate: 0n } });
  await deposit(system, system.alice, 1_000_000n * system.unit);
  await time.increase(DAY);
  await rebalance(system, [
    [nth(system.adapters, 0), 300_000n * system.unit],
    [nth(system.adapters, 1), 200_000n * system.unit],
  ]);
  await time.increase(DAY);
  await system.vault.accrue();
  return system;
}

type Case = readonly [
  what: string,
  send: (system: System) => Promise<unknown>,
  error: string,
  args: (system: System) => Promise<readonly unknown[]>,
];

const none = () => Promise.resolve([]);
const these =
  (...args: readonly unknown[]) =>
  () =>
    Promise.resolve(args);
const addressOf = (index: number) => async (system: System) => [await nth(system.adapters, index).getAddress()];
const strangers = async ({ stranger }: System) => [stranger.address];
const mineOf = (system: System) => system.vault.connect(system.alice);
const ownersOf = (system: System) => system.vault.connect(system.owner);
const planOf = (legs: (system: System) => readonly MoveOf[]) => (system: System) => rebalance(system, legs(system));
const alien = { getAddress: () => Promise.resolve("0x000000000000000000000000000000000000a11e") };
const ALIEN = ethers.getAddress("0x000000000000000000000000000000000000a11e");

const DEPOSITORS: readonly Case[] = [
  [
    "deposit of the greatest number",
    (s) => mineOf(s)["deposit(uint256,address)"](MAX, s.alice.address),
    "DepositCapExceeded",
    these(MAX, MAX_TOTAL - TOTAL),
  ],
  [
    "mint of the greatest number",
    (s) => mineOf(s)["mint(uint256,address)"](MAX, s.alice.address),
    "DepositCapExceeded",
    async ({ vault, alice }) => [MAX, await vault.maxMint(alice.address)],
  ],
  [
    "withdrawal of the greatest number",
    (s) => mineOf(s)["withdraw(uint256,address,address)"](MAX, s.alice.address, s.alice.address),
    "InsufficientLiquidity",
    these(MAX, TOTAL),
  ],
  [
    "redemption of the greatest number",
    (s) => mineOf(s)["redeem(uint256,address,address)"](MAX, s.alice.address, s.alice.address),
    "ERC20InsufficientBalance",
    async ({ alice }) => [alice.address, 1_000_000n * WAD, MAX],
  ],
  [
    "exit in kind of the greatest number",
    (s) => mineOf(s).redeemInKind(MAX, s.alice.address, []),
    "ERC20InsufficientBalance",
    async ({ alice }) => [alice.address, 1_000_000n * WAD, MAX],
  ],
  [
    "claim of the greatest number",
    async (s) => mineOf(s).redeemClaim(nth(s.adapters, 0), MAX, s.alice.address),
    "ClaimTooLarge",
    these(MAX, 0n),
  ],
  [
    "claim of nothing",
    async (s) => mineOf(s).redeemClaim(nth(s.adapters, 0), 0n, s.alice.address),
    "ClaimTooLarge",
    these(0n, 0n),
  ],
  [
    "claim on what was never an adapter",
    (s) => mineOf(s).redeemClaim(ALIEN, 1n, s.alice.address),
    "ClaimTooLarge",
    these(1n, 0n),
  ],
  ["deposit to nobody", (s) => mineOf(s)["deposit(uint256,address)"](1n, NOBODY), "InvalidReceiver", these(NOBODY)],
  ["mint to nobody", (s) => mineOf(s)["mint(uint256,address)"](1n, NOBODY), "InvalidReceiver", these(NOBODY)],
  [
    "deposit to the vault",
    (s) => mineOf(s)["deposit(uint256,address)"](1n, s.vault),
    "InvalidReceiver",
    async ({ vault }) => [await vault.getAddress()],
  ],
  [
    "withdrawal to nobody",
    (s) => mineOf(s)["withdraw(uint256,address,address)"](1n, NOBODY, s.alice.address),
    "InvalidReceiver",
    these(NOBODY),
  ],
  [
    "withdrawal to the vault",
    (s) => mineOf(s)["withdraw(uint256,address,address)"](1n, s.vault, s.alice.address),
    "InvalidReceiver",
    async ({ vault }) => [await vault.getAddress()],
  ],
  [
    "redemption to the vault",
    (s) => mineOf(s)["redeem(uint256,address,address)"](1n, s.vault, s.alice.address),
    "InvalidReceiver",
    async ({ vault }) => [await vault.getAddress()],
  ],
  [
    "exit in kind to the vault",
    (s) => mineOf(s).redeemInKind(1n, s.vault, []),
    "InvalidReceiver",
    async ({ vault }) => [await vault.getAddress()],
  ],
  ["exit in kind to nobody", (s) => mineOf(s).redeemInKind(1n, NOBODY, []), "InvalidReceiver", these(NOBODY)],
  [
    "claim to the vault",
    (s) => mineOf(s).redeemClaim(nth(s.adapters, 0), 1n, s.vault),
    "InvalidReceiver",
    async ({ vault }) => [await vault.getAddress()],
  ],
  ["claim to nobody", (s) => mineOf(s).redeemClaim(nth(s.adapters, 0), 1n, NOBODY), "InvalidReceiver", these(NOBODY)],
  [
    "exit in kind that skips what is no adapter",
    (s) => mineOf(s).redeemInKind(1n, s.alice.address, [ALIEN]),
    "UnknownAdapter",
    these(ALIEN),
  ],
  ["refresh of what is no adapter", ({ vault }) => vault.refresh(ALIEN), "UnknownAdapter", these(ALIEN)],
  ["report of what is no adapter", ({ vault }) => vault.reportUnreadable(ALIEN), "UnknownAdapter", these(ALIEN)],
  ["arming of what is no condition", ({ vault }) => vault.arm(ALIEN), "UnknownCondition", these(ALIEN)],
  ["tripping of what is no condition", ({ vault }) => vault.trip(ALIEN), "UnknownCondition", these(ALIEN)],
  ["disarming of what is no condition", ({ vault }) => vault.disarm(ALIEN), "UnknownCondition", these(ALIEN)],
  ["terms of what is no adapter", ({ vault }) => vault.adapter(ALIEN), "UnknownAdapter", these(ALIEN)],
  ["sum of what is no group", ({ vault }) => vault.groupAllocation(MAX), "UnknownGroup", these(MAX)],
];

const PLANS: readonly Case[] = [
  ["plan of no moves", planOf(() => []), "NoMoves", none],
  ["plan whose only move is of nothing", planOf(({ adapters }) => [[nth(adapters, 0), 0n]]), "EmptyMove", these(0n)],
  [
    "plan with a move of nothing among others",
    planOf(({ adapters }) => [
      [nth(adapters, 0), -1n],
      [nth(adapters, 1), 0n],
      [nth(adapters, 2), 1n],
    ]),
    "EmptyMove",
    these(1n),
  ],
  [
    "plan that takes out after it has put in",
    planOf(({ adapters }) => [
      [nth(adapters, 0), -1n],
      [nth(adapters, 2), 1n],
      [nth(adapters, 1), -1n],
    ]),
    "UnorderedMove",
    these(2n),
  ],
  [
    "plan that takes out of one adapter twice, with another between",
    planOf(({ adapters }) => [
      [nth(adapters, 0), -1n],
      [nth(adapters, 1), -1n],
      [nth(adapters, 0), -1n],
    ]),
    "DuplicateMove",
    async (system) => [2n, ...(await addressOf(0)(system))],
  ],
  [
    "plan that puts into one adapter twice",
    planOf(({ adapters }) => [
      [nth(adapters, 2), 1n],
      [nth(adapters, 2), 1n],
    ]),
    "DuplicateMove",
    async (system) => [1n, ...(await addressOf(2)(system))],
  ],
  ["plan for what is no adapter", planOf(() => [[alien, 1n]]), "UnknownAdapter", these(ALIEN)],
  ["plan out of what is no adapter", planOf(() => [[alien, ALL]]), "UnknownAdapter", these(ALIEN)],
  [
    "plan for the adapter of nobody",
    planOf(() => [[{ getAddress: async () => NOBODY }, 1n]]),
    "UnknownAdapter",
    these(NOBODY),
  ],
  [
    "plan that puts in the greatest number",
    planOf(({ adapters }) => [[nth(adapters, 0), MOST_IN]]),
    "IdleExceeded",
    these(MOST_IN, HALF + 10n ** 6n),
  ],
  [
    "plan that takes all out of an empty adapter",
    planOf(({ adapters }) => [[nth(adapters, 2), ALL]]),
    "EmptyMove",
    these(0n),
  ],
  [
    "plan with the greatest nonce",
    async (s) =>
      s.vault.connect(s.keeper).rebalance(await movesOf([[nth(s.adapters, 0), 1n]]), await guardOf(s, { nonce: MAX })),
    "WrongNonce",
    these(MAX, 1n),
  ],
  [
    "plan without a deadline",
    async (s) =>
      s.vault
        .connect(s.keeper)
        .rebalance(await movesOf([[nth(s.adapters, 0), 1n]]), await guardOf(s, { deadline: 0n })),
    "DeadlinePassed",
    these(0n, anyValue),
  ],
  [
    "plan by a stranger",
    async (s) => s.vault.connect(s.stranger).rebalance(await movesOf([[nth(s.adapters, 0), 1n]]), await guardOf(s)),
    "NotKeeper",
    strangers,
  ],
];

const asciiWord = (text: string): string => ethers.encodeBytes32String(text);
const SETTERS: readonly Case[] = [
  [
    "fee above all bounds",
    (s) => ownersOf(s).setManagementFee(MAX),
    "OutOfRange",
    these(asciiWord("managementFee"), MAX, WAD / 50n),
  ],
  [
    "performance fee above all bounds",
    (s) => ownersOf(s).setPerformanceFee(MAX),
    "OutOfRange",
    these(asciiWord("performanceFee"), MAX, WAD / 5n),
  ],
  [
    "rate above all bounds",
    (s) => ownersOf(s).setMaxRate(MAX),
    "OutOfRange",
    these(asciiWord("maxRate"), MAX, 2n * WAD),
  ],
  ["idle above all", (s) => ownersOf(s).setMinimumIdle(MAX), "OutOfRange", these(asciiWord("minimumIdle"), MAX, WAD)],
  ["loss above all", (s) => ownersOf(s).setLossPerCall(MAX), "OutOfRange", these(asciiWord("lossPerCall"), MAX, WAD)],
  [
    "loss budget above all bounds",
    (s) => ownersOf(s).setLossBudget(MAX, DAY),
    "OutOfRange",
    these(asciiWord("lossBudget"), MAX, 16n * WAD),
  ],
  [
    "window of the greatest number",
    (s) => ownersOf(s).setTurnoverBudget(WAD, MAX),
    "OutOfRange",
    these(asciiWord("turnoverBudget"), MAX, 365n * DAY),
  ],
  [
    "window of nothing",
    (s) => ownersOf(s).setTurnoverBudget(WAD, 0n),
    "OutOfRange",
    these(asciiWord("turnoverBudget"), 0n, 3_600n),
  ],
  [
    "relative cap above all",
    async (s) => ownersOf(s).setRelativeCap(nth(s.adapters, 0), MAX),
    "OutOfRange",
    these(asciiWord("relativeCap"), MAX, WAD),
  ],
  [
    "group cap above all",
    (s) => ownersOf(s).setGroupCap(0n, MAX),
    "OutOfRange",
    these(asciiWord("groupCap"), MAX, WAD),
  ],
  ["cap of what is no group", (s) => ownersOf(s).setGroupCap(MAX, 0n), "UnknownGroup", these(MAX)],
  [
    "mask of all groups there could be",
    (s) => ownersOf(s).setGroupMask(nth(s.adapters, 0), MAX),
    "UnknownGroup",
    these(255n),
  ],
  ["cap of what is no adapter", (s) => ownersOf(s).setAbsoluteCap(ALIEN, 0n), "UnknownAdapter", these(ALIEN)],
  ["relative cap of what is no adapter", (s) => ownersOf(s).setRelativeCap(ALIEN, 0n), "UnknownAdapter", these(ALIEN)],
  ["groups of what is no adapter", (s) => ownersOf(s).setGroupMask(ALIEN, 0n), "UnknownAdapter", these(ALIEN)],
  ["removal of what is no adapter", (s) => ownersOf(s).removeAdapter(ALIEN), "UnknownAdapter", these(ALIEN)],
  ["quarantine of what is no adapter", (s) => ownersOf(s).quarantine(ALIEN), "UnknownAdapter", these(ALIEN)],
  ["lifting of what is no adapter", (s) => ownersOf(s).liftQuarantine(ALIEN), "UnknownAdapter", these(ALIEN)],
  ["queue of nothing", (s) => ownersOf(s).setQueue([]), "NotPermutation", these(0n, 3n)],
  [
    "queue with one twice",
    async (s) =>
      ownersOf(s).setQueue([nth(s.adapters, 0), nth(s.adapters, 0), nth(s.adapters, 1)].map((a) => a.target as string)),
    "NotPermutation",
    these(1n, 3n),
  ],
  ["keeper that is nobody", (s) => ownersOf(s).setKeeper(NOBODY, true), "ZeroAddress", these(asciiWord("keeper"))],
  ["guardian that is nobody", (s) => ownersOf(s).setGuardian(NOBODY), "ZeroAddress", these(asciiWord("guardian"))],
  ["owner that is nobody", (s) => ownersOf(s).transferOwnership(NOBODY), "ZeroAddress", these(asciiWord("owner"))],
  [
    "condition that is nobody",
    (s) => ownersOf(s).setCondition(NOBODY, true),
    "ZeroAddress",
    these(asciiWord("condition")),
  ],
  [
    "adapter that is nobody",
    (s) => ownersOf(s).addAdapter({ adapter: NOBODY, absoluteCap: 0n, relativeCap: 0n, groupMask: 0n }),
    "ZeroAddress",
    these(asciiWord("adapter")),
  ],
  ["trip of nothing", (s) => s.vault.connect(s.guardian).guardianTrip(0n), "TripTooLong", these(0n, 7n * DAY)],
  [
    "trip of the greatest number",
    (s) => s.vault.connect(s.guardian).guardianTrip(MAX),
    "TripTooLong",
    these(MAX, 7n * DAY),
  ],
  ["seed of the greatest number", (s) => s.vault.open(MAX), "AlreadyOpened", none],
];

for (const [subject, cases] of [
  ["depositors and anybody", DEPOSITORS],
  ["plans", PLANS],
  ["setters", SETTERS],
] as const) {
  describe(`Bad input: ${subject}`, () => {
    for (const [what, send, error, args] of cases) {
      it(`refuses a ${what}`, async () => {
        const system = await loadFixture(invested);
        await expect(send(system))
          .to.be.revertedWithCustomError(system.vault, error)
          .withArgs(...(await args(system)));
      });
    }
  });
}

describe("Bad input: what does nothing", () => {
  it("entries and exits of nothing move nothing", async () => {
    const system = await loadFixture(invested);
    const { vault, token, alice } = system;
    const as = mineOf(system);
    const me = alice.address;
    const read = async () => [
      await vault.totalSupply(),
      await vault.totalAssets(),
      await token.balanceOf(me),
      await vault.idle(),
      (await vault.adapter(nth(system.adapters, 0))).totalUnits,
    ];
    const before = await read();
    await as["deposit(uint256,address)"](0n, me);
    await as["mint(uint256,address)"](0n, me);
    await as["withdraw(uint256,address,address)"](0n, me, me);
    await as["redeem(uint256,address,address)"](0n, me, me);
    await as.redeemInKind(0n, me, []);
    await as.redeemInKind(0n, me, [nth(system.adapters, 0)]);
    expect(await read()).to.deep.equal(before);
  });

  it("a cap of the greatest number means none, and a plan's greatest loss and deadline are the vault's own bounds", async () => {
    const system = await loadFixture(invested);
    const { vault, owner, guardian, adapters, unit } = system;
    await vault.connect(guardian).setDepositCap(2_000_000n * unit);
    await vault.connect(owner).setDepositCap(MAX);
    expect(await vault.depositCap()).to.equal(2n ** 120n - 1n);
    await vault.connect(guardian).setAbsoluteCap(nth(adapters, 0), unit);
    await vault.connect(owner).setAbsoluteCap(nth(adapters, 0), MAX);
    expect((await vault.adapter(nth(adapters, 0))).absoluteCap).to.equal(2n ** 120n - 1n);
    await rebalance(system, [[nth(adapters, 0), unit]], { maxLoss: MAX, deadline: MAX });
  });

  it("a plan that asks more of a venue than it has is the venue's to refuse", async () => {
    const system = await loadFixture(invested);
    await expect(rebalance(system, [[nth(system.adapters, 0), MOST_OUT]])).to.be.revertedWithCustomError(
      nth(system.venues, 0),
      "ERC4626ExceededMaxWithdraw",
    );
  });
});

describe("Bad input: an adapter that fails without a reason", () => {
  async function silent() {
    const system = await deploySystem({ venues: 1 });
    const { vault, owner, alice, unit, token } = system;
    await deposit(system, alice, 1_000_000n * unit);
    await time.increase(DAY);
    const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
    await vault
      .connect(owner)
      .addAdapter({ adapter: await adapter.getAddress(), absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await rebalance(system, [[adapter, 200_000n * unit]]);
    await adapter.setSilent(true);
    return { system, adapter, address: await adapter.getAddress() };
  }

  it("is named by a plan, in and out, with the gas that was left", async () => {
    const { system, adapter, address } = await loadFixture(silent);
    const { vault, keeper } = system;
    for (const assets of [1n, -1n, ALL]) {
      const moves = await movesOf([[adapter, assets]]);
      await expect(vault.connect(keeper).rebalance(moves, await guardOf(system), { gasLimit: 2_000_000n }))
        .to.be.revertedWithCustomError(vault, "AdapterFailed")
        .withArgs(address, (gasLeft: bigint) => gasLeft > 1_000_000n && gasLeft < 2_000_000n);
    }
  });

  it("is told from one that ran out of gas", async () => {
    const { system, adapter, address } = await loadFixture(silent);
    const { vault, keeper } = system;
    await adapter.setSilent(false);
    await adapter.setBurnsGasOnExit(true);
    const moves = await movesOf([[adapter, -1n]]);
    await expect(vault.connect(keeper).rebalance(moves, await guardOf(system), { gasLimit: 2_000_000n }))
      .to.be.revertedWithCustomError(vault, "AdapterFailed")
      .withArgs(address, (gasLeft: bigint) => gasLeft > 0n && gasLeft < 2_000_000n / 63n);
  });

  for (const exact of [true, false]) {
    it(`is named by ${exact ? "an emergency exit" : "the guardian's exit"}`, async () => {
      const { system } = await loadFixture(silent);
      const { vault, owner, guardian, token, unit } = system;
      const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, token);
      await adapter.setExact(exact);
      const address = await adapter.getAddress();
      await vault.connect(owner).addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
      await rebalance(system, [[adapter, 100_000n * unit]]);
      const condition = await (await ethers.getContractFactory("SwitchCondition")).deploy();
      await vault.connect(owner).setCondition(condition, true);
      await condition.set(true, false);
      await vault.arm(condition);
      await time.increase(1_800n);
      await vault.trip(condition);
      const exit = () =>
        exact ? vault.emergencyExit(adapter) : vault.connect(guardian).guardianExit(adapter, MAX, 0n);
      await adapter.setSilent(true);
      await expect(exit()).to.be.revertedWithCustomError(vault, "AdapterFailed").withArgs(address, anyValue);
      await adapter.setSilent(false);
      await exit();
      expect(await token.balanceOf(adapter)).to.equal(0n);
    });
  }

  it("keeps a claim, and is named", async () => {
    const { system, adapter, address } = await loadFixture(silent);
    const { vault, alice } = system;
    const shares = await vault.balanceOf(alice.address);
    await vault.connect(alice).redeemInKind(shares / 2n, alice.address, []);
    const claims = await ethers.getContractAt("Claims", await vault.claims());
    const held = await claims.balanceOf(alice.address, BigInt(address));
    expect(held).to.be.greaterThan(0n);
    await expect(vault.connect(alice).redeemClaim(adapter, held, alice.address))
      .to.be.revertedWithCustomError(vault, "AdapterFailed")
      .withArgs(address, anyValue);
    expect(await claims.balanceOf(alice.address, BigInt(address))).to.equal(held);
    await adapter.setSilent(false);
    await vault.connect(alice).redeemClaim(adapter, held, alice.address);
  });
});

describe("Bad input: an asset that charges on transfer", () => {
  async function charging() {
    const token = await (await ethers.getContractFactory("HostileToken")).deploy();
    const system = await deploySystem({ venues: 1, token });
    await deposit(system, system.alice, 1_000_000n * system.unit);
    await time.increase(DAY);
    const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(system.vault, token);
    const address = await adapter.getAddress();
    await system.vault
      .connect(system.owner)
      .addAdapter({ adapter: address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await token.setFeeBps(100n);
    return { system, token, adapter };
  }

  it("is refused at each entry", async () => {
    const { system } = await loadFixture(charging);
    const { vault, bob } = system;
    await expect(deposit(system, bob, 1_000_000n))
      .to.be.revertedWithCustomError(vault, "TransferMismatch")
      .withArgs(1_000_000n, 990_000n);
    await expect(vault.connect(bob)["mint(uint256,address)"](WAD, bob.address))
      .to.be.revertedWithCustomError(vault, "TransferMismatch")
      .withArgs(1_000_000n, 990_000n);
    const token = await (await ethers.getContractFactory("HostileToken")).deploy();
    const closed = await deploySystem({ venues: 0, token, open: false });
    await token.setFeeBps(100n);
    await expect(closed.vault.open(1_000_000n))
      .to.be.revertedWithCustomError(closed.vault, "TransferMismatch")
      .withArgs(1_000_000n, 990_000n);
  });

  it("that begins to charge later is measured as a loss of plans, and does not stop exits", async () => {
    const { system, token, adapter } = await loadFixture(charging);
    const { vault, alice, unit } = system;
    await expect(rebalance(system, [[adapter, 200_000n * unit]]))
      .to.be.revertedWithCustomError(vault, "LossExceeded")
      .withArgs(2_000n * unit, 1_000_001_000n);
    await rebalance(system, [[adapter, 100_000n * unit]]);
    const before = await token.balanceOf(alice.address);
    await vault.connect(alice)["withdraw(uint256,address,address)"](100n * unit, alice.address, alice.address);
    expect((await token.balanceOf(alice.address)) - before).to.equal(99n * unit);
  });
});

describe("Bad input: too little gas", () => {
  it("an exit in kind is paid in receipts or refused, at every amount of gas, and never a claim", async () => {
    const system = await loadFixture(invested);
    const { vault, alice, adapters } = system;
    let passed = 0;
    for (let gasLimit = 200_000n; gasLimit <= 2_000_000n; gasLimit += 60_000n) {
      try {
        await vault.connect(alice).redeemInKind(WAD, alice.address, [], { gasLimit });
        passed++;
      } catch (error) {
        expect(String(error)).to.match(/InsufficientGas|out of gas|ran out/);
      }
      for (const adapter of adapters) expect((await vault.adapter(adapter)).totalUnits).to.equal(0n);
    }
    expect(passed).to.be.greaterThan(3);
  });

  it("a plan, an accrual, a refresh and an emergency exit write nothing off for want of gas", async () => {
    const system = await loadFixture(invested);
    const { vault, keeper, adapters, owner, unit } = system;
    const condition = await (await ethers.getContractFactory("SwitchCondition")).deploy();
    const address = await condition.getAddress();
    await vault.connect(owner).setCondition(address, true);
    await condition.set(true, false);
    await vault.arm(address);
    await time.increase(1_800n);
    await vault.trip(address);
    const moves = await movesOf([[nth(adapters, 0), -unit]]);
    for (let gasLimit = 150_000n; gasLimit <= 450_000n; gasLimit += 50_000n) {
      const calls = [
        async () => vault.connect(keeper).rebalance(moves, await guardOf(system), { gasLimit }),
        async () => vault.accrue({ gasLimit }),
        async () => vault.refresh(nth(adapters, 0), { gasLimit }),
        async () => vault.emergencyExit(nth(adapters, 0), { gasLimit }),
      ];
      for (const call of calls) {
        await expect(call()).to.be.revertedWithCustomError(vault, "InsufficientGas").withArgs(anyValue, 415_000n);
      }
    }
    expect(await vault.writtenOff()).to.deep.equal([0n, false]);
    expect(await vault.totalAssets()).to.equal(TOTAL);
  });

  it("a limit that cannot be known for want of gas is not answered", async () => {
    const system = await loadFixture(invested);
    const { vault, alice } = system;
    await time.increase(DAY);
    for (const max of ["maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"] as const) {
      await expect(vault[max](alice.address, { gasLimit: 300_000n }))
        .to.be.revertedWithCustomError(vault, "InsufficientGas")
        .withArgs(anyValue, 415_000n);
    }
  });
});
