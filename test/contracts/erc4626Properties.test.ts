// The properties of two public ERC-4626 suites, by their names and ids (a16z/erc4626-tests, crytic/properties
// ERC4626-001 to 037), as our own tests: each in each state that the vault can be in. Where a state closes entry, the
// property says so: `maxDeposit` and `maxMint` are zero, the previews answer, and every entry is refused.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { generator, nth } from "./bundle";
import { DAY, deploySystem, deposit, rebalance, withdraw, type System } from "./deployment";

const VIRTUAL_SHARES = 10n ** 12n;

interface State {
  readonly name: string;
  readonly open: boolean;
  readonly build: () => Promise<System>;
}

async function fresh(): Promise<System> {
  const system = await deploySystem({ venues: 2 });
  await time.increase(DAY);
  return system;
}

async function funded(): Promise<System> {
  const system = await fresh();
  await deposit(system, system.alice, 1_000_000n * system.unit);
  await deposit(system, system.bob, 345_678_901_234n);
  await time.increase(DAY);
  await rebalance(system, [
    [nth(system.adapters, 0), 500_000n * system.unit],
    [nth(system.adapters, 1), 300_000n * system.unit],
  ]);
  await time.increase(DAY);
  return system;
}

async function atALoss(): Promise<System> {
  const system = await funded();
  await system.token.burn(nth(system.venues, 0), 98_765_432_123n);
  await time.increase(60n);
  return system;
}

async function dripping(): Promise<System> {
  const system = await funded();
  await system.token.mint(system.vault, 54_321_987_654n);
  await system.token.mint(nth(system.venues, 1), 12_345_678_901n);
  await time.increase(DAY);
  return system;
}

async function tripped(): Promise<System> {
  const system = await dripping();
  await system.vault.connect(system.guardian).guardianTrip(7n * DAY);
  await time.increase(3_600n);
  return system;
}

async function illiquid(): Promise<System> {
  const system = await dripping();
  await withdraw(system, system.bob, 300_000n * system.unit);
  await nth(system.venues, 0).setLiquidity(0n);
  await nth(system.venues, 1).setLiquidity(7_654_321n);
  await time.increase(60n);
  return system;
}

async function quarantined(): Promise<System> {
  const system = await atALoss();
  await system.vault.connect(system.guardian).quarantine(nth(system.adapters, 0));
  await time.increase(60n);
  return system;
}

const STATES: readonly State[] = [
  { name: "fresh", open: true, build: fresh },
  { name: "funded", open: true, build: funded },
  { name: "at a loss", open: true, build: atALoss },
  { name: "at a gain being dripped", open: true, build: dripping },
  { name: "tripped", open: false, build: tripped },
  { name: "illiquid", open: true, build: illiquid },
  { name: "with a quarantined adapter", open: false, build: quarantined },
];

/** The vault's calls as Alice, who holds shares but when fresh; several in one transaction, without a trace. */
class Subject {
  constructor(
    readonly system: System,
    readonly open: boolean,
    readonly random: (below: bigint) => bigint,
  ) {}

  get vault() {
    return this.system.vault;
  }

  get me(): string {
    return this.system.alice.address;
  }

  encode(name: Call, amount: bigint): string {
    const { interface: abi } = this.vault;
    switch (name) {
      case "deposit":
        return abi.encodeFunctionData("deposit(uint256,address)", [amount, this.me]);
      case "mint":
        return abi.encodeFunctionData("mint(uint256,address)", [amount, this.me]);
      case "withdraw":
        return abi.encodeFunctionData("withdraw(uint256,address,address)", [amount, this.me, this.me]);
      case "redeem":
        return abi.encodeFunctionData("redeem(uint256,address,address)", [amount, this.me, this.me]);
      case "previewDeposit":
        return abi.encodeFunctionData("previewDeposit", [amount]);
      case "previewMint":
        return abi.encodeFunctionData("previewMint", [amount]);
      case "previewWithdraw":
        return abi.encodeFunctionData("previewWithdraw", [amount]);
      case "previewRedeem":
        return abi.encodeFunctionData("previewRedeem", [amount]);
      case "convertToShares":
        return abi.encodeFunctionData("convertToShares", [amount]);
      case "convertToAssets":
        return abi.encodeFunctionData("convertToAssets", [amount]);
    }
  }

  /** What each call would answer, all in one transaction of `from`. */
  async ask(calls: readonly (readonly [Call, bigint])[], from: HardhatEthersSigner = this.system.alice) {
    const data = calls.map(([name, amount]) => this.encode(name, amount));
    const answers = await this.vault.connect(from).multicall.staticCall(data, { blockTag: "latest" });
    return answers.map((answer) => BigInt(answer));
  }

  async one(name: Call, amount: bigint, from?: HardhatEthersSigner): Promise<bigint> {
    return nth(await this.ask([[name, amount]], from), 0);
  }

  /** Zero, one, some between, the most. */
  samples(most: bigint): bigint[] {
    const some = [1, 2, 3].map(() => this.random(most + 1n));
    return [...new Set([0n, 1n, 1_000_003n, ...some, most])].filter((amount) => amount <= most);
  }

  async amounts(name: Call): Promise<bigint[]> {
    const { vault, me } = this;
    const purse = await this.system.token.balanceOf(me);
    switch (name) {
      case "deposit":
      case "previewDeposit": {
        const most = await vault.maxDeposit(me);
        return this.samples(this.open && most < purse ? most : purse);
      }
      case "mint":
      case "previewMint": {
        const most = await vault.maxMint(me);
        const payable_ = await vault.convertToShares(purse);
        return this.samples(this.open && most < payable_ ? most : payable_);
      }
      case "withdraw":
        return this.samples(await vault.maxWithdraw(me));
      case "redeem":
        return this.samples(await vault.maxRedeem(me));
      case "previewWithdraw":
      case "convertToShares":
        return this.samples(10n ** 15n);
      case "previewRedeem":
      case "convertToAssets":
        return this.samples(10n ** 27n);
    }
  }

  /** Whether the withdrawal would burn more than there is after `first`; then it is refused with the numbers. */
  async short(first: Call, amount: bigint, assets: bigint): Promise<boolean> {
    const held = await this.vault.balanceOf(this.me);
    const [answer, needed] = await this.ask([
      [first, amount],
      ["previewWithdraw", assets],
    ]);
    const minted = first === "mint" ? amount : (answer ?? 0n);
    if (held + minted >= (needed ?? 0n)) return false;
    const calls = [
      [first, amount],
      ["withdraw", assets],
    ] as const;
    await expect(this.ask(calls))
      .to.be.revertedWithCustomError(this.vault, "ERC20InsufficientBalance")
      .withArgs(this.me, held + minted, needed);
    return true;
  }

  async refused(calls: readonly (readonly [Call, bigint])[]): Promise<void> {
    await expect(this.ask(calls)).to.be.revertedWithCustomError(this.vault, "DepositsClosed");
  }
}

type Call =
  | "deposit"
  | "mint"
  | "withdraw"
  | "redeem"
  | "previewDeposit"
  | "previewMint"
  | "previewWithdraw"
  | "previewRedeem"
  | "convertToShares"
  | "convertToAssets";
type Property = readonly [name: string, holds: (subject: Subject) => Promise<unknown>];

const enters = (name: Call): boolean => name === "deposit" || name === "mint";

/** `first` with an amount, `then` with `pass` of that amount and the answer; what must hold of all three numbers. */
function roundTrip(
  [first, then]: readonly [Call, Call],
  pass: (amount: bigint, answer: bigint) => bigint,
  holds: (amount: bigint, answer: bigint, second: bigint) => void,
) {
  return async (subject: Subject): Promise<void> => {
    for (const amount of await subject.amounts(first)) {
      if (!subject.open && enters(first)) {
        await subject.refused([[first, amount]]);
        continue;
      }
      const answer = await subject.one(first, amount);
      const next = pass(amount, answer);
      const both = [
        [first, amount],
        [then, next],
      ] as const;
      if (!subject.open) {
        await subject.refused(both);
        continue;
      }
      if (then === "withdraw" && (await subject.short(first, amount, next))) continue;
      const [again, second] = await subject.ask(both);
      expect(again).to.equal(answer);
      holds(amount, answer, second ?? -1n);
    }
  };
}

const given = (amount: bigint): bigint => amount;
const got = (_amount: bigint, answer: bigint): bigint => answer;

/** The preview and the call in one transaction. The suites allow them to differ in one direction; here they do not. */
function previewed(preview: Call, call: Call) {
  return async (subject: Subject): Promise<void> => {
    for (const amount of await subject.amounts(call)) {
      if (!subject.open && enters(call)) {
        await subject.one(preview, amount);
        await subject.refused([[call, amount]]);
        continue;
      }
      const [expected, actual] = await subject.ask([
        [preview, amount],
        [call, amount],
      ]);
      expect(actual, `${call}(${amount})`).to.equal(expected);
    }
  };
}

/** What is sent for real is sent a second later: the price may have moved by a drip. */
const settled = (amount: bigint): bigint => amount - amount / 1_000n;

/** Balances, supply, allowance and idle money after one call, for real. */
function accounted(call: Call) {
  return async (subject: Subject): Promise<void> => {
    const { system, vault, me } = subject;
    const { token, alice, stranger } = system;
    const as = vault.connect(alice);
    const to = stranger.address;
    for (const asked of await subject.amounts(call)) {
      const amount = settled(asked);
      if (!subject.open && enters(call)) {
        await subject.refused([[call, amount]]);
        continue;
      }
      await token.connect(alice).approve(vault, 10n ** 30n);
      const read = async () => ({
        mine: await token.balanceOf(me),
        theirs: await token.balanceOf(to),
        shares: await vault.balanceOf(me),
        theirShares: await vault.balanceOf(to),
        supply: await vault.totalSupply(),
        allowance: await token.allowance(me, vault),
      });
      const snapshot = (await ethers.provider.send("evm_snapshot", [])) as string;
      const before = await read();
      const filter = enters(call) ? "Deposit" : "Withdraw";
      const sent = {
        deposit: () => as["deposit(uint256,address)"](amount, to),
        mint: () => as["mint(uint256,address)"](amount, to),
        withdraw: () => as["withdraw(uint256,address,address)"](amount, to, me),
        redeem: () => as["redeem(uint256,address,address)"](amount, to, me),
      }[call as "deposit" | "mint" | "withdraw" | "redeem"];
      const receipt = await (await sent()).wait();
      const own = await vault.getAddress();
      const logs = receipt?.logs.filter(({ address }) => address === own).map((l) => vault.interface.parseLog(l));
      const log = logs?.find((l) => l?.name === filter);
      const assets = log?.args["assets"] as bigint;
      const shares = log?.args["shares"] as bigint;
      expect(call === "deposit" || call === "withdraw" ? assets : shares).to.equal(amount);
      const done = await read();
      if (enters(call)) {
        expect(before.mine - done.mine).to.equal(assets);
        expect(before.allowance - done.allowance).to.equal(assets);
        expect(done.theirShares - before.theirShares).to.equal(shares);
        expect(done.shares).to.equal(before.shares);
        expect(done.supply - before.supply).to.equal(shares);
      } else {
        expect(done.theirs - before.theirs).to.equal(assets);
        expect(done.mine).to.equal(before.mine);
        expect(before.shares - done.shares).to.equal(shares);
        expect(before.supply - done.supply).to.equal(shares);
      }
      await ethers.provider.send("evm_revert", [snapshot]);
    }
  };
}

/** Rounds as said, and by less than one: giving one unit more would be for the caller. */
function rounded(call: Call, direction: "down" | "up") {
  const ofAssets = ["deposit", "previewDeposit", "convertToShares", "withdraw", "previewWithdraw"].includes(call);
  return async (subject: Subject): Promise<void> => {
    const { vault } = subject;
    for (const amount of await subject.amounts(call)) {
      if (!subject.open && enters(call)) {
        await subject.refused([[call, amount]]);
        continue;
      }
      const supply = (await vault.totalSupply()) + VIRTUAL_SHARES;
      const total = (await vault.totalAssets()) + 1n;
      const answer = await subject.one(call, amount);
      const [numerator, denominator] = ofAssets ? [supply, total] : [total, supply];
      const exact = amount * numerator;
      if (direction === "down") expect(exact - answer * denominator).to.be.within(0n, denominator - 1n);
      else expect(answer * denominator - exact).to.be.within(0n, denominator - 1n);
    }
  };
}

/** Whoever asks gets the same answer, also one with nothing. */
function independent(call: Call) {
  return async (subject: Subject): Promise<void> => {
    const { alice, keeper } = subject.system;
    for (const amount of await subject.amounts(call)) {
      expect(await subject.one(call, amount, keeper)).to.equal(await subject.one(call, amount, alice));
    }
  };
}

/** A limit is there for whoever asks, is what the call takes, and one more is not. */
function limit(max: "maxDeposit" | "maxMint" | "maxWithdraw" | "maxRedeem", call: Call) {
  return async (subject: Subject): Promise<void> => {
    const { vault, me, system, open } = subject;
    // The purse is not a limit of the vault's.
    if (enters(call) && open) await system.token.mint(me, 2n ** 110n);
    const most = await vault[max](me);
    expect(await vault.connect(system.keeper)[max](me)).to.equal(most);
    expect(await vault[max](ethers.ZeroAddress)).to.be.at.least(0n);
    if (enters(call)) expect(most > 0n, "entry").to.equal(open);
    if (!open && enters(call)) await subject.refused([[call, 0n]]);
    else await subject.one(call, most);
    const error =
      call === "redeem" && most === (await vault.balanceOf(me))
        ? "ERC20InsufficientBalance"
        : enters(call)
          ? open
            ? "DepositCapExceeded"
            : "DepositsClosed"
          : undefined;
    const above = subject.ask([[call, most + (call === "redeem" ? 2n * VIRTUAL_SHARES : 1n)]]);
    if (error === undefined) await expect(above).to.be.reverted;
    else await expect(above).to.be.revertedWithCustomError(vault, error);
  };
}

const neverReverts = (read: (subject: Subject) => Promise<unknown>) => async (subject: Subject) => {
  await read(subject);
};

/** Who is not the holder needs the holder's allowance, exactly, and uses it up. */
function byAllowance(call: "withdraw" | "redeem", allowed: "none" | "enough" | "one less") {
  return async (subject: Subject): Promise<void> => {
    const { vault, system, me } = subject;
    const { alice, keeper } = system;
    const to = keeper.address;
    const act = (amount: bigint) =>
      call === "redeem"
        ? vault.connect(keeper)["redeem(uint256,address,address)"](amount, to, me)
        : vault.connect(keeper)["withdraw(uint256,address,address)"](amount, to, me);
    // What a withdrawal burns depends on the second: each try is made at the same one.
    const approved = (await time.latest()) + 60;
    const grant = async (shares: bigint): Promise<void> => {
      await time.setNextBlockTimestamp(approved);
      await vault.connect(alice).approve(to, shares);
      await time.setNextBlockTimestamp(approved + 60);
    };
    const needed = async (amount: bigint): Promise<bigint> => {
      const snapshot = (await ethers.provider.send("evm_snapshot", [])) as string;
      const held = await vault.balanceOf(me);
      await grant(ethers.MaxUint256);
      await act(amount);
      const burned = held - (await vault.balanceOf(me));
      await ethers.provider.send("evm_revert", [snapshot]);
      return burned;
    };
    for (const amount of (await subject.amounts(call)).map(settled).filter((amount) => amount > 0n)) {
      const shares = await needed(amount);
      const granted = { none: 0n, "one less": shares - 1n, enough: shares }[allowed];
      const snapshot = (await ethers.provider.send("evm_snapshot", [])) as string;
      await grant(granted);
      if (allowed === "enough") {
        await act(amount);
        expect(await vault.allowance(me, to)).to.equal(0n);
      } else {
        await expect(act(amount))
          .to.be.revertedWithCustomError(vault, "ERC20InsufficientAllowance")
          .withArgs(to, granted, shares);
      }
      await ethers.provider.send("evm_revert", [snapshot]);
    }
  };
}

async function inflation(subject: Subject): Promise<void> {
  const { vault, system } = subject;
  const { token, alice, bob, unit } = system;
  if (!subject.open) return subject.refused([["deposit", unit]]);
  for (const donation of [1n, unit, 1_000_000n * unit]) {
    const snapshot = (await ethers.provider.send("evm_snapshot", [])) as string;
    await deposit(system, bob, 1n);
    await token.connect(bob).transfer(vault, donation);
    const held = await vault.balanceOf(alice.address);
    await deposit(system, alice, 1_000n * unit);
    const worth = await vault.previewRedeem((await vault.balanceOf(alice.address)) - held);
    expect(worth).to.be.at.least(1_000n * unit - 1n);
    await ethers.provider.send("evm_revert", [snapshot]);
  }
}

async function reasonable(call: "convertToShares" | "convertToAssets", subject: Subject): Promise<void> {
  for (const amount of [0n, 1n, 10n ** 6n, 10n ** 18n, 2n ** 64n, 2n ** 104n - 1n]) await subject.one(call, amount);
}

const A16Z: readonly Property[] = [
  [
    "RT_deposit_redeem: redeem(deposit(a)) ≤ a",
    roundTrip(["deposit", "redeem"], got, (a, _, b) => expect(b).to.be.at.most(a)),
  ],
  [
    "RT_deposit_withdraw: withdraw(a) burns no less than deposit(a) minted",
    roundTrip(["deposit", "withdraw"], given, (_, s, t) => expect(t).to.be.at.least(s)),
  ],
  [
    "RT_redeem_deposit: deposit(redeem(s)) ≤ s",
    roundTrip(["redeem", "deposit"], got, (s, _, t) => expect(t).to.be.at.most(s)),
  ],
  [
    "RT_redeem_mint: mint(s) costs no less than redeem(s) paid",
    roundTrip(["redeem", "mint"], given, (_, a, b) => expect(b).to.be.at.least(a)),
  ],
  [
    "RT_mint_withdraw: withdraw(mint(s)) ≥ s",
    roundTrip(["mint", "withdraw"], got, (s, _, t) => expect(t).to.be.at.least(s)),
  ],
  [
    "RT_mint_redeem: redeem(s) pays no more than mint(s) cost",
    roundTrip(["mint", "redeem"], given, (_, a, b) => expect(b).to.be.at.most(a)),
  ],
  [
    "RT_withdraw_mint: mint(withdraw(a)) ≥ a",
    roundTrip(["withdraw", "mint"], got, (a, _, b) => expect(b).to.be.at.least(a)),
  ],
  [
    "RT_withdraw_deposit: deposit(a) mints no more than withdraw(a) burned",
    roundTrip(["withdraw", "deposit"], given, (_, s, t) => expect(t).to.be.at.most(s)),
  ],
  [
    "asset: does not revert",
    async ({ vault, system }) => expect(await vault.asset()).to.equal(await system.token.getAddress()),
  ],
  ["totalAssets: does not revert", async ({ vault }) => expect(await vault.totalAssets()).to.be.greaterThan(0n)],
  ["convertToShares: does not vary with the caller", independent("convertToShares")],
  ["convertToAssets: does not vary with the caller", independent("convertToAssets")],
  ["maxDeposit: does not revert, and is what deposit takes", limit("maxDeposit", "deposit")],
  ["previewDeposit: not above what deposit mints", previewed("previewDeposit", "deposit")],
  ["deposit: takes the assets and the allowance, mints to the receiver", accounted("deposit")],
  ["maxMint: does not revert, and is what mint takes", limit("maxMint", "mint")],
  ["previewMint: not below what mint takes", previewed("previewMint", "mint")],
  ["mint: takes the assets and the allowance, mints to the receiver", accounted("mint")],
  ["maxWithdraw: does not revert, and is what withdraw pays", limit("maxWithdraw", "withdraw")],
  ["previewWithdraw: not below what withdraw burns", previewed("previewWithdraw", "withdraw")],
  ["withdraw: burns the holder's shares, pays the receiver", accounted("withdraw")],
  ["maxRedeem: does not revert, and is what redeem takes", limit("maxRedeem", "redeem")],
  ["previewRedeem: not above what redeem pays", previewed("previewRedeem", "redeem")],
  ["redeem: burns the holder's shares, pays the receiver", accounted("redeem")],
];

const CRYTIC: readonly Property[] = [
  ["ERC4626-001: asset does not revert", neverReverts(({ vault }) => vault.asset())],
  ["ERC4626-002: totalAssets does not revert", neverReverts(({ vault }) => vault.totalAssets())],
  [
    "ERC4626-003: convertToAssets does not revert for reasonable values",
    (subject) => reasonable("convertToAssets", subject),
  ],
  [
    "ERC4626-004: convertToShares does not revert for reasonable values",
    (subject) => reasonable("convertToShares", subject),
  ],
  ["ERC4626-005: maxDeposit does not revert", neverReverts(({ vault, me }) => vault.maxDeposit(me))],
  ["ERC4626-006: maxMint does not revert", neverReverts(({ vault, me }) => vault.maxMint(me))],
  ["ERC4626-007: maxRedeem does not revert", neverReverts(({ vault, me }) => vault.maxRedeem(me))],
  ["ERC4626-008: maxWithdraw does not revert", neverReverts(({ vault, me }) => vault.maxWithdraw(me))],
  ["ERC4626-009: redeem by a third party uses its allowance", byAllowance("redeem", "enough")],
  ["ERC4626-010: withdraw by a third party uses its allowance", byAllowance("withdraw", "enough")],
  ["ERC4626-011: withdraw by a third party needs an allowance", byAllowance("withdraw", "none")],
  ["ERC4626-012: redeem by a third party needs an allowance", byAllowance("redeem", "none")],
  ["ERC4626-013: previewDeposit rounds down", rounded("previewDeposit", "down")],
  ["ERC4626-014: previewMint rounds up", rounded("previewMint", "up")],
  ["ERC4626-015: convertToShares rounds down", rounded("convertToShares", "down")],
  ["ERC4626-016: previewRedeem rounds down", rounded("previewRedeem", "down")],
  ["ERC4626-017: previewWithdraw rounds up", rounded("previewWithdraw", "up")],
  ["ERC4626-018: convertToAssets rounds down", rounded("convertToAssets", "down")],
  ["ERC4626-019: deposit rounds down", rounded("deposit", "down")],
  ["ERC4626-020: mint rounds up", rounded("mint", "up")],
  ["ERC4626-021: withdraw rounds up", rounded("withdraw", "up")],
  ["ERC4626-022: redeem rounds down", rounded("redeem", "down")],
  ["ERC4626-023: maxDeposit takes the sender's assets to be infinite", limit("maxDeposit", "deposit")],
  ["ERC4626-024: maxMint takes the sender's assets to be infinite", limit("maxMint", "mint")],
  ["ERC4626-025: previewMint does not depend on the sender", independent("previewMint")],
  ["ERC4626-026: previewDeposit does not depend on the sender", independent("previewDeposit")],
  ["ERC4626-027: previewWithdraw does not depend on the sender", independent("previewWithdraw")],
  ["ERC4626-028: previewRedeem does not depend on the sender", independent("previewRedeem")],
  ["ERC4626-029: deposit accounts for assets and shares", accounted("deposit")],
  ["ERC4626-030: mint accounts for assets and shares", accounted("mint")],
  ["ERC4626-031: redeem accounts for assets and shares", accounted("redeem")],
  ["ERC4626-032: withdraw accounts for assets and shares", accounted("withdraw")],
  ["ERC4626-033: a share price cannot be inflated against the next depositor", inflation],
  [
    "ERC4626-034: the shares have no fewer decimals than the asset",
    async ({ vault, system }) => expect(await vault.decimals()).to.be.at.least(await system.token.decimals()),
  ],
  ["ERC4626-035: withdraw needs all of the allowance", byAllowance("withdraw", "one less")],
  ["ERC4626-036: redeem needs all of the allowance", byAllowance("redeem", "one less")],
  [
    "ERC4626-037: convertToShares does not revert for the amounts of this state",
    async (subject) => {
      for (const amount of await subject.amounts("convertToShares")) await subject.one("convertToShares", amount);
    },
  ],
];

for (const [suite, properties] of [
  ["a16z", A16Z],
  ["crytic", CRYTIC],
] as const) {
  for (const state of STATES) {
    describe(`ERC-4626 properties (${suite}): ${state.name}`, () => {
      for (const [index, [name, holds]] of properties.entries()) {
        it(name, async () => {
          const system = await loadFixture(state.build);
          await holds(new Subject(system, state.open, generator(BigInt(index) + 1n)));
        });
      }
    });
  }
}
