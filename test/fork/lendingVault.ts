// The vault on genuine lending venues, as tests of exits, attacks and adapters need it: two depositors, money placed by
// the keeper's plan, hands that can change the venues' state, and readings of the same second with and without a call.
import { expect } from "chai";
import {
  AbiCoder,
  Contract,
  id,
  Interface,
  JsonRpcSigner,
  keccak256,
  MinInt256,
  toBeHex,
  toQuantity,
  type ContractTransactionReceipt,
  type HDNodeWallet,
} from "ethers";
import { localWallet } from "../../deploy/networks/localWallet";
import type { AddressFile } from "../../keeper/config/addressFile";
import { deployOnFork, networkOf } from "../../scripts/fork/deployOnFork";
import type { Fork } from "../../scripts/fork/startFork";
import {
  AaveV3Adapter__factory,
  Claims__factory,
  CompoundV3Adapter__factory,
  IERC20__factory,
  SwitchCondition__factory,
  Vault__factory,
  type AaveV3Adapter,
  type Claims,
  type CompoundV3Adapter,
  type IERC20,
  type Vault,
} from "../../typechain-types";
import { DAY, USDC } from "./forkSuite";

export const AAVE = "aave-v3-usdc";
export const COMET = "compound-v3-usdc";
/** Of the genuine 3pool, where the state holds it. */
export const THREE_POOL_VENUE = "curve-3pool";
export type Venue = typeof AAVE | typeof COMET | typeof THREE_POOL_VENUE;

/** The whole position, in a plan. */
export const ALL = MinInt256;

/** What the two depositors bring, and what the keeper's first plan puts into each venue. */
export const FIRST_DEPOSIT = 1_000_000n * USDC;
export const SECOND_DEPOSIT = 500_000n * USDC;
export const PLACED = 600_000n * USDC;

/** Aave and Comet round each balance by up to two units a call. */
export const ROUNDING = 2n;

/** Of an exit: Comet rounds both sides of a transfer, Aave one unit up or down. */
export const EXIT_ROUNDING = 2n * ROUNDING + 1n;

/** More than any call here uses: no estimate, which on a fork costs more time than the call. */
export const GAS = { gasLimit: 6_000_000n } as const;

export const POOL_ABI = [
  "function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)",
  "function withdraw(address asset, uint256 amount, address to) returns (uint256)",
  "function getReserveNormalizedIncome(address) view returns (uint256)",
  "function getReserveNormalizedVariableDebt(address) view returns (uint256)",
  "function getReserveData(address) view returns (tuple(uint256 configuration, uint128 liquidityIndex, uint128 currentLiquidityRate, uint128 variableBorrowIndex, uint128 currentVariableBorrowRate, uint128 currentStableBorrowRate, uint40 lastUpdateTimestamp, uint16 id, address aTokenAddress, address stableDebtTokenAddress, address variableDebtTokenAddress, address interestRateStrategyAddress, uint128 accruedToTreasury, uint128 unbacked, uint128 isolationModeTotalDebt))",
  "function getVirtualUnderlyingBalance(address) view returns (uint128)",
];
export const COMET_ABI = [
  "function supply(address asset, uint256 amount)",
  "function withdraw(address asset, uint256 amount)",
  "function pause(bool supplyPaused, bool transferPaused, bool withdrawPaused, bool absorbPaused, bool buyPaused)",
  "function pauseGuardian() view returns (address)",
  "function borrowBalanceOf(address) view returns (uint256)",
  "function isSupplyPaused() view returns (bool)",
  "error Paused()",
  "error NotCollateralized()",
];

/** Slot of the pool's mapping of reserves: PoolStorage, after VersionedInitializable's 52 slots. */
const RESERVES = 52;
/** Where the pool keeps the configuration of a reserve, which is its first word. */
export const aaveConfigurationSlot = (asset: string): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode(["address", "uint256"], [asset, RESERVES]));
const FROZEN = 1n << 57n;
const PAUSED = 1n << 60n;
const SUPPLY_CAP_BIT = 116n;
const SUPPLY_CAP_MASK = ((1n << 36n) - 1n) << SUPPLY_CAP_BIT;

/** USDC, aUSDC and Comet's balance of one account, all in units of USDC. */
export interface Holdings {
  readonly usdc: bigint;
  readonly aave: bigint;
  readonly comet: bigint;
}

export const sumOf = ({ usdc, aave, comet }: Holdings): bigint => usdc + aave + comet;

/** One second of the vault. */
export interface Reading {
  /** Idle, and what the adapters hold. */
  readonly vault: Holdings;
  readonly receiver: Holdings;
  readonly totalAssets: bigint;
  /** What the other depositor's shares are worth. */
  readonly others: bigint;
}

export interface Exit {
  readonly receipt: ContractTransactionReceipt;
  /** The second of the exit, had it not happened. */
  readonly before: Reading;
  readonly after: Reading;
  /** What the receiver got. */
  readonly got: Holdings;
}

type Sent = Promise<{ wait(): Promise<ContractTransactionReceipt | null> }>;

export class LendingVault {
  private constructor(
    readonly fork: Fork,
    readonly addresses: AddressFile,
    readonly vault: Vault,
    readonly claims: Claims,
    readonly first: HDNodeWallet,
    readonly second: HDNodeWallet,
    readonly keeper: HDNodeWallet,
    readonly guardian: HDNodeWallet,
    readonly stranger: HDNodeWallet,
  ) {}

  /** Deploys as on mainnet and takes both deposits; everything is idle. */
  static async open(fork: Fork, addressFile: string): Promise<LendingVault> {
    const addresses = await deployOnFork(fork, addressFile);
    const { provider } = fork;
    const vault = Vault__factory.connect(addresses.vault, provider);
    const opened = new LendingVault(
      fork,
      addresses,
      vault,
      Claims__factory.connect(await vault.claims(), provider),
      localWallet("depositor").connect(provider),
      localWallet("secondDepositor").connect(provider),
      localWallet("keeper").connect(provider),
      localWallet("guardian").connect(provider),
      localWallet("trader").connect(provider),
    );
    await opened.deposit(opened.first, FIRST_DEPOSIT);
    await opened.deposit(opened.second, SECOND_DEPOSIT);
    return opened;
  }

  /** All that came in: deposits and the seed. */
  get putIn(): bigint {
    return FIRST_DEPOSIT + SECOND_DEPOSIT + networkOf(this.fork).seed;
  }

  adapter(venue: Venue): string {
    const found = this.addresses.adapters.find((adapter) => adapter.id === venue);
    if (!found) throw new Error(`the vault has no ${venue}`);
    return found.adapter;
  }

  get aaveAdapter(): AaveV3Adapter {
    return AaveV3Adapter__factory.connect(this.adapter(AAVE), this.fork.provider);
  }
  get cometAdapter(): CompoundV3Adapter {
    return CompoundV3Adapter__factory.connect(this.adapter(COMET), this.fork.provider);
  }
  get usdc(): IERC20 {
    return this.token(this.fork.places.usdc);
  }
  token(address: string): IERC20 {
    return IERC20__factory.connect(address, this.fork.provider);
  }
  /** Where a venue takes USDC. */
  venueOf(venue: Venue): string {
    return venue === AAVE ? this.fork.places.aavePool : this.fork.places.comet;
  }

  /* Acts of those who have a part in the vault. */

  async deposit(user: HDNodeWallet, assets: bigint): Promise<void> {
    await this.fork.fundUsdc(user.address, assets);
    await this.mined(this.usdc.connect(user).approve(this.addresses.vault, assets));
    await this.mined(this.vault.connect(user)["deposit(uint256,address)"](assets, user.address, GAS));
  }

  /** The keeper's plan. `maxLoss`: what the keeper itself would bear. */
  async plan(
    moves: readonly (readonly [Venue, bigint])[],
    maxLoss = 1_000n * USDC,
  ): Promise<ContractTransactionReceipt> {
    return this.mined(this.vault.connect(this.keeper).rebalance(...(await this.planOf(moves, maxLoss)), GAS));
  }

  async planOf(moves: readonly (readonly [Venue, bigint])[], maxLoss = 1_000n * USDC) {
    return [
      moves.map(([venue, assets]) => ({ adapter: this.adapter(venue), assets, data: "0x" })),
      {
        nonce: await this.vault.nextNonce(this.keeper.address),
        deadline: (await this.now()) + DAY,
        maxLoss,
        decision: id("decision"),
      },
    ] as const;
  }

  /** A proven trip: a condition of the timelock's that holds for half an hour. */
  async tripByProof(): Promise<ContractTransactionReceipt> {
    const condition = await new SwitchCondition__factory(this.stranger).deploy();
    await condition.waitForDeployment();
    await this.mined(condition.set(true, false));
    const at = await condition.getAddress();
    await this.mined(this.vault.connect(await this.owner()).setCondition(at, true, GAS));
    await this.mined(this.vault.connect(this.stranger).arm(at, GAS));
    await this.fork.increaseTime(30 * 60);
    return this.mined(this.vault.connect(this.stranger).trip(at, GAS));
  }

  /** The timelock itself, as if its delay had passed. */
  owner(): Promise<JsonRpcSigner> {
    return this.as(this.addresses.timelock);
  }

  async as(address: string): Promise<JsonRpcSigner> {
    const { provider } = this.fork;
    await provider.getBalance(address);
    await provider.send("hardhat_impersonateAccount", [address]);
    await provider.send("hardhat_setBalance", [address, toQuantity(10n ** 20n)]);
    return new JsonRpcSigner(provider, address);
  }

  async mined(sent: Sent): Promise<ContractTransactionReceipt> {
    const receipt = await (await sent).wait();
    if (receipt === null) throw new Error("not mined");
    return receipt;
  }

  /* Hands that change the venues. */

  /** A call by `user` to a contract that is not ours. */
  async call(user: HDNodeWallet | JsonRpcSigner, [to, abi]: readonly [string, readonly string[]], ...call: unknown[]) {
    const [method, ...args] = call;
    return this.mined(new Contract(to, abi, user).getFunction(String(method))(...args, GAS) as Sent);
  }

  /** Writes bits of Aave's reserve, as its configurator does: its own contract is not in the recorded state. */
  async configureAave({ paused, frozen, supplyCap }: { paused?: boolean; frozen?: boolean; supplyCap?: bigint }) {
    const { provider, places } = this.fork;
    const slot = aaveConfigurationSlot(places.usdc);
    let word = await this.aaveConfiguration();
    expect(BigInt(await provider.getStorage(places.aavePool, slot)), "the reserve's slot").to.equal(word);
    if (paused !== undefined) word = paused ? word | PAUSED : word & ~PAUSED;
    if (frozen !== undefined) word = frozen ? word | FROZEN : word & ~FROZEN;
    if (supplyCap !== undefined) word = (word & ~SUPPLY_CAP_MASK) | (supplyCap << SUPPLY_CAP_BIT);
    await provider.send("hardhat_setStorageAt", [places.aavePool, toQuantity(BigInt(slot)), toBeHex(word, 32)]);
    expect(await this.aaveConfiguration()).to.equal(word);
  }

  async aaveConfiguration(): Promise<bigint> {
    return (await this.aaveReserve()).configuration;
  }

  async aaveReserve() {
    const pool = new Contract(this.fork.places.aavePool, POOL_ABI, this.fork.provider);
    return (await pool.getFunction("getReserveData")(this.fork.places.usdc)) as {
      readonly configuration: bigint;
      readonly variableBorrowIndex: bigint;
      readonly accruedToTreasury: bigint;
      readonly aTokenAddress: string;
      readonly variableDebtTokenAddress: string;
    };
  }

  /** Comet's own guardian pauses. */
  async pauseComet({ supply = false, transfer = false, withdraw = false }): Promise<void> {
    const at = [this.fork.places.comet, COMET_ABI] as const;
    const guardian = String(await new Contract(...at, this.fork.provider).getFunction("pauseGuardian")());
    await this.call(await this.as(guardian), at, "pause", supply, transfer, withdraw, false, false);
  }

  /** All but `left` of a venue's cash goes to borrowers. Returns what gives it back. */
  async drain(venue: Venue, left = 0n): Promise<() => Promise<void>> {
    const { aUsdc, comet } = this.fork.places;
    const purse = await this.as(venue === AAVE ? aUsdc : comet);
    const borrower = localWallet("borrower").connect(this.fork.provider);
    const taken = (await this.usdc.balanceOf(purse.address)) - left;
    await this.mined(this.usdc.connect(purse).transfer(borrower.address, taken, GAS));
    return async () => void (await this.mined(this.usdc.connect(borrower).transfer(purse.address, taken, GAS)));
  }

  /* Readings. */

  async now(): Promise<number> {
    return (await this.fork.provider.getBlock("latest"))?.timestamp ?? 0;
  }

  async holdings(of: string): Promise<Holdings> {
    const { usdc, aUsdc, comet } = this.fork.places;
    const [a = 0n, b = 0n, c = 0n] = await Promise.all([usdc, aUsdc, comet].map((at) => this.token(at).balanceOf(of)));
    return { usdc: a, aave: b, comet: c };
  }

  /** Idle and both positions. */
  async position(): Promise<Holdings> {
    const { usdc, aUsdc, comet } = this.fork.places;
    const [a, b, c] = await Promise.all([
      this.token(usdc).balanceOf(this.addresses.vault),
      this.token(aUsdc).balanceOf(this.adapter(AAVE)),
      this.token(comet).balanceOf(this.adapter(COMET)),
    ]);
    return { usdc: a, aave: b, comet: c };
  }

  /** `read` in the second after the next ones, as if nothing else happened; the next block is then made in that second. */
  async undisturbed<T>(read: () => Promise<T>, seconds = 12): Promise<T> {
    const { provider } = this.fork;
    const at = toQuantity((await this.now()) + seconds);
    const snapshot: unknown = await provider.send("evm_snapshot", []);
    await provider.send("evm_setNextBlockTimestamp", [at]);
    await provider.send("evm_mine", []);
    const value = await read();
    await provider.send("evm_revert", [snapshot]);
    await provider.send("evm_setNextBlockTimestamp", [at]);
    return value;
  }

  async reading(receiver: string, other: string): Promise<Reading> {
    const [vault, received, totalAssets, shares] = await Promise.all([
      this.position(),
      this.holdings(receiver),
      this.vault.totalAssets(),
      this.vault.balanceOf(other),
    ]);
    return { vault, receiver: received, totalAssets, others: await this.vault.previewRedeem(shares) };
  }

  /**
   * Carries out an exit and holds it to what every exit must do: nothing appears or is lost but the venues' rounding,
   * those who stay are not worse off, nothing rests in an adapter and no allowance stays.
   */
  async exit(by: HDNodeWallet, send: () => Sent, receiver = by.address): Promise<Exit> {
    const other = by.address === this.first.address ? this.second.address : this.first.address;
    const before = await this.undisturbed(() => this.reading(receiver, other));
    const receipt = await this.mined(send());
    const after = await this.reading(receiver, other);
    const missing = sumOf(before.vault) + sumOf(before.receiver) - sumOf(after.vault) - sumOf(after.receiver);
    expect(Number(missing), "what the venues' rounding took").to.be.within(
      -Number(EXIT_ROUNDING),
      Number(EXIT_ROUNDING),
    );
    expect(Number(after.others - before.others), "of those who stay").to.be.at.least(-Number(EXIT_ROUNDING));
    await this.expectClean();
    const got = {
      usdc: after.receiver.usdc - before.receiver.usdc,
      aave: after.receiver.aave - before.receiver.aave,
      comet: after.receiver.comet - before.receiver.comet,
    };
    return { receipt, before, after, got };
  }

  async expectClean(): Promise<void> {
    for (const venue of [AAVE, COMET] as const) {
      const at = this.adapter(venue);
      expect(await this.usdc.balanceOf(at), `USDC at rest in the adapter of ${venue}`).to.equal(0n);
      expect(await this.usdc.allowance(at, this.venueOf(venue)), `allowance to ${venue}`).to.equal(0n);
    }
    const { aave, comet } = await this.holdings(this.addresses.vault);
    expect([aave, comet], "receipts in the vault itself").to.deep.equal([0n, 0n]);
  }

  withdraw(user: HDNodeWallet, assets: bigint): Sent {
    return this.vault.connect(user)["withdraw(uint256,address,address)"](assets, user.address, user.address, GAS);
  }
  redeem(user: HDNodeWallet, shares: bigint): Sent {
    return this.vault.connect(user)["redeem(uint256,address,address)"](shares, user.address, user.address, GAS);
  }
  redeemInKind(user: HDNodeWallet, shares: bigint, skip: readonly Venue[] = []): Sent {
    const skipped = skip.map((venue) => this.adapter(venue));
    return this.vault.connect(user).redeemInKind(shares, user.address, skipped, GAS);
  }
}

const ERRORS = [
  ...[Vault__factory, AaveV3Adapter__factory, CompoundV3Adapter__factory].map((factory) => factory.createInterface()),
  new Interface(COMET_ABI),
  new Interface(["error Error(string)"]),
];

/** The name of the error that a call ends with (of Aave: its number), or "none". */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "none";
  } catch (error) {
    const { data } = error as { data?: unknown };
    if (typeof data !== "string") throw error;
    for (const errors of ERRORS) {
      const parsed = errors.parseError(data);
      if (parsed) return parsed.name === "Error" ? String(parsed.args[0]) : parsed.name;
    }
    return data;
  }
}
