// A vault on a bare Hardhat chain, as a deployment makes it: libraries, timelock, adapters at the vault's future address,
// vault, opening. Venues and tokens are the small ones of ./hostile.
import { setBalance, impersonateAccount, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { ethers } from "hardhat";
import type {
  ERC4626Adapter,
  HostileToken,
  HostileVenue,
  PlainToken,
  Vault,
  VaultTimelock,
} from "../../typechain-types";
import type { IVault } from "../../typechain-types/contracts/Vault";

export const WAD = 10n ** 18n;
export const DAY = 86_400n;
export const YEAR = 365n * DAY;
export const MAX = ethers.MaxUint256;

/** ERC-2612's struct, as EIP-712 types. */
export const PERMIT_TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};
/** `Move.assets` for "all of it, out". */
export const ALL = ethers.MinInt256;
export const DECISION = ethers.id("decision");

/** The four libraries that the vault links, by the names that Hardhat wants. */
export async function deployLibraries(): Promise<Record<string, string>> {
  const libraries: Record<string, string> = {};
  for (const name of ["Breaking", "InKind", "Rebalancing", "Settings"]) {
    const library = await (await ethers.getContractFactory(name)).deploy();
    libraries[name] = await library.getAddress();
  }
  return libraries;
}

export type Terms = Omit<IVault.ConfigurationStruct, "adapters">;

export interface System {
  readonly token: PlainToken;
  readonly vault: Vault;
  readonly timelock: VaultTimelock;
  /** The timelock's address as a signer, so that a test need not schedule. */
  readonly owner: HardhatEthersSigner;
  readonly deployer: HardhatEthersSigner;
  readonly guardian: HardhatEthersSigner;
  readonly keeper: HardhatEthersSigner;
  readonly alice: HardhatEthersSigner;
  readonly bob: HardhatEthersSigner;
  readonly feeRecipient: HardhatEthersSigner;
  readonly stranger: HardhatEthersSigner;
  readonly venues: readonly HostileVenue[];
  readonly adapters: readonly ERC4626Adapter[];
  /** One whole asset. */
  readonly unit: bigint;
}

export interface Options {
  readonly decimals?: number;
  readonly venues?: number;
  readonly terms?: Partial<Terms>;
  readonly adapterTerms?: (index: number) => Partial<IVault.AdapterConfigurationStruct>;
  readonly open?: boolean;
  readonly token?: PlainToken | HostileToken;
  /** A venue that behaves instead of the one that does as told. */
  readonly venueName?: "HostileVenue" | "PlainVenue";
}

export const defaultTerms = {
  name: "Tiller USD Coin",
  symbol: "tUSDC",
  managementFee: 0n,
  performanceFee: 0n,
  maxRate: WAD / 2n,
  depositCap: MAX,
  minimumIdle: 0n,
  lossPerCall: WAD / 1000n,
  lossBudget: { limit: WAD / 100n, window: DAY },
  turnoverBudget: { limit: 4n * WAD, window: DAY },
  emergencyBudget: { limit: WAD / 50n, window: 7n * DAY },
  groups: [{ name: ethers.encodeBytes32String("all"), relativeCap: WAD }],
  conditions: [] as string[],
} as const;

export async function deploySystem(options: Options = {}): Promise<System> {
  const decimals = options.decimals ?? 6;
  const signers = await ethers.getSigners();
  const [deployer, proposer, guardian, keeper, alice, bob, feeRecipient, stranger] = signers as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const token = (options.token ??
    (await (await ethers.getContractFactory("PlainToken")).deploy(decimals))) as unknown as PlainToken;
  const asset = await token.getAddress();
  const timelock = await (
    await ethers.getContractFactory("VaultTimelock")
  ).deploy(DAY, [proposer.address], [proposer.address], guardian.address);
  const libraries = await deployLibraries();

  const venues: HostileVenue[] = [];
  for (let i = 0; i < (options.venues ?? 2); i++) {
    const factory = await ethers.getContractFactory(options.venueName ?? "HostileVenue");
    const venue = (await factory.deploy(asset)) as unknown as HostileVenue;
    // A venue's first shares are burned, as the adapter asks of whoever adds one.
    await token.mint(deployer.address, 10n ** 6n);
    await token.approve(venue, MAX);
    await venue.deposit(10n ** 6n, "0x000000000000000000000000000000000000dEaD");
    venues.push(venue);
  }
  const future = ethers.getCreateAddress({
    from: deployer.address,
    nonce: (await deployer.getNonce()) + venues.length,
  });
  const adapters: ERC4626Adapter[] = [];
  for (const venue of venues) {
    adapters.push(await (await ethers.getContractFactory("ERC4626Adapter")).deploy(future, venue));
  }
  const configuration = {
    asset,
    owner: await timelock.getAddress(),
    guardian: guardian.address,
    keepers: [keeper.address],
    feeRecipient: feeRecipient.address,
    ...defaultTerms,
    ...options.terms,
    adapters: await Promise.all(
      adapters.map(async (adapter, i) => ({
        adapter: await adapter.getAddress(),
        absoluteCap: MAX,
        relativeCap: WAD,
        groupMask: 1n,
        ...options.adapterTerms?.(i),
      })),
    ),
  };
  const vault = await (await ethers.getContractFactory("Vault", { libraries })).deploy(configuration as never);
  const unit = 10n ** BigInt(decimals);
  for (const account of [deployer, alice, bob, stranger]) {
    await token.mint(account.address, 10n ** 9n * (unit > 10n ** 6n ? unit : 10n ** 6n));
    await token.connect(account).approve(vault, MAX);
  }
  if (options.open !== false) await vault.open(unit > 10n ** 6n ? unit : 10n ** 6n);

  await impersonateAccount(await timelock.getAddress());
  await setBalance(await timelock.getAddress(), 10n ** 20n);
  const owner = await ethers.getSigner(await timelock.getAddress());
  return {
    token,
    vault,
    timelock,
    owner,
    deployer,
    guardian,
    keeper,
    alice,
    bob,
    feeRecipient,
    stranger,
    venues,
    adapters,
    unit,
  };
}

/** Deposits by the plain two-argument function. */
export async function deposit(system: System, who: HardhatEthersSigner, assets: bigint) {
  return system.vault.connect(who)["deposit(uint256,address)"](assets, who.address);
}

export async function withdraw(system: System, who: HardhatEthersSigner, assets: bigint) {
  return system.vault.connect(who)["withdraw(uint256,address,address)"](assets, who.address, who.address);
}

export async function redeem(system: System, who: HardhatEthersSigner, shares: bigint) {
  return system.vault.connect(who)["redeem(uint256,address,address)"](shares, who.address, who.address);
}

export type MoveOf = readonly [adapter: { getAddress(): Promise<string> }, assets: bigint];

export async function movesOf(legs: readonly MoveOf[]): Promise<IVault.MoveStruct[]> {
  return Promise.all(
    legs.map(async ([adapter, assets]) => ({ adapter: await adapter.getAddress(), assets, data: "0x" })),
  );
}

export async function guardOf(system: System, over: Partial<IVault.GuardStruct> = {}): Promise<IVault.GuardStruct> {
  return {
    nonce: await system.vault.nextNonce(system.keeper.address),
    deadline: BigInt(await time.latest()) + 1_000_000n,
    maxLoss: MAX,
    decision: DECISION,
    ...over,
  };
}

/** A plan by the keeper. */
export async function rebalance(system: System, legs: readonly MoveOf[], over: Partial<IVault.GuardStruct> = {}) {
  return system.vault.connect(system.keeper).rebalance(await movesOf(legs), await guardOf(system, over));
}
