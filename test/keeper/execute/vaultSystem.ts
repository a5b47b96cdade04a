// The real vault with two ERC-4626 venues on a real anvil, the real relay before it: what the executor's tests run on.
import { randomUUID } from "node:crypto";
import { MaxUint256, NonceManager, encodeBytes32String, getCreateAddress, keccak256, toUtf8Bytes } from "ethers";
import type { Plan, PlanMove } from "../../../keeper/decide/strategy";
import type { ExecutionHead } from "../../../keeper/execute/executor";
import type { DecisionRow } from "../../../keeper/store/records";
import {
  Breaking__factory,
  ERC4626Adapter__factory,
  HostileVenue__factory,
  InKind__factory,
  IVault__factory,
  PlainToken__factory,
  Rebalancing__factory,
  Settings__factory,
  VaultTimelock__factory,
  Vault__factory,
  type HostileVenue,
  type IVault,
  type PlainToken,
} from "../../../typechain-types";
import { type TestNode, account, startAnvil } from "../../scripts/relay/devNodes";

export const CHAIN_ID = 31337;
export const USDC = 10n ** 6n;
const WAD = 10n ** 18n;
const DAY = 86_400n;
const DEPLOYER = 0;
const OWNER = 1;
const GUARDIAN = 2;
export const KEEPER = 3;

export interface VaultSystem {
  readonly node: TestNode;
  readonly token: PlainToken;
  readonly vault: IVault;
  readonly vaultAddress: string;
  readonly adapters: readonly [string, string];
  readonly venues: readonly HostileVenue[];
  stop(): Promise<void>;
}

/** Vault with 1,000,002 USDC idle; one block a transaction until a relay takes over. */
export async function startVaultSystem(): Promise<VaultSystem> {
  const node = await startAnvil();
  await node.provider.send("evm_setAutomine", [true]);
  const deployer = new NonceManager(account(DEPLOYER).connect(node.provider));
  const from = account(DEPLOYER).address;
  const token = await new PlainToken__factory(deployer).deploy(6);
  const asset = await token.getAddress();
  const timelock = await new VaultTimelock__factory(deployer).deploy(
    DAY,
    [account(OWNER).address],
    [account(OWNER).address],
    account(GUARDIAN).address,
  );
  const [breaking, inKind, rebalancing, settings] = await Promise.all(
    [Breaking__factory, InKind__factory, Rebalancing__factory, Settings__factory].map(async (Factory) =>
      (await new Factory(deployer).deploy()).getAddress(),
    ),
  );
  await (await token.mint(from, 10_000_000n * USDC)).wait();
  const venues: HostileVenue[] = [];
  for (let i = 0; i < 2; i++) {
    const venue = await new HostileVenue__factory(deployer).deploy(asset);
    await (await token.approve(venue, MaxUint256)).wait();
    await (await venue.deposit(USDC, "0x000000000000000000000000000000000000dEaD")).wait();
    venues.push(venue);
  }
  const future = getCreateAddress({ from, nonce: (await node.provider.getTransactionCount(from)) + venues.length });
  const adapters: string[] = [];
  for (const venue of venues) {
    adapters.push(await (await new ERC4626Adapter__factory(deployer).deploy(future, venue)).getAddress());
  }
  const deployed = await new Vault__factory(
    {
      "contracts/libraries/Breaking.sol:Breaking": breaking ?? "",
      "contracts/libraries/InKind.sol:InKind": inKind ?? "",
      "contracts/libraries/Rebalancing.sol:Rebalancing": rebalancing ?? "",
      "contracts/libraries/Settings.sol:Settings": settings ?? "",
    },
    deployer,
  ).deploy({
    asset,
    name: "Tiller USD Coin",
    symbol: "tUSDC",
    owner: await timelock.getAddress(),
    guardian: account(GUARDIAN).address,
    keepers: [account(KEEPER).address],
    feeRecipient: from,
    managementFee: 0n,
    performanceFee: 0n,
    maxRate: WAD / 2n,
    depositCap: MaxUint256,
    minimumIdle: 0n,
    lossPerCall: WAD / 1000n,
    lossBudget: { limit: WAD / 100n, window: DAY },
    turnoverBudget: { limit: 4n * WAD, window: DAY },
    emergencyBudget: { limit: WAD / 50n, window: 7n * DAY },
    adapters: adapters.map((adapter) => ({
      adapter,
      absoluteCap: MaxUint256,
      relativeCap: WAD,
      groupMask: 1n,
    })),
    groups: [{ name: encodeBytes32String("all"), relativeCap: WAD }],
    conditions: [],
  });
  const vaultAddress = await deployed.getAddress();
  const vault = IVault__factory.connect(vaultAddress, deployer);
  await (await token.approve(vaultAddress, MaxUint256)).wait();
  await (await vault.open(USDC)).wait();
  // An estimate made in the second of the last accrual leaves out the next one.
  await (await vault["deposit(uint256,address)"](1_000_000n * USDC, from, { gasLimit: 1_000_000n })).wait();
  // Limits are shares of the total of an earlier block: one more accrual, and the deposit counts in full.
  await node.provider.send("evm_increaseTime", [Number(DAY)]);
  await (await vault["deposit(uint256,address)"](USDC, from, { gasLimit: 1_000_000n })).wait();
  await node.provider.send("evm_mine", []);
  const [first, second] = adapters;
  return {
    node,
    token,
    vault,
    vaultAddress,
    adapters: [first ?? "", second ?? ""],
    venues,
    stop: () => node.stop(),
  };
}

export async function headOf(system: VaultSystem): Promise<ExecutionHead> {
  const block = await system.node.provider.getBlock("latest");
  if (block?.hash === undefined || block.hash === null) throw new Error("the node has no block");
  const { number, hash, timestamp, baseFeePerGas } = block;
  return { number, hash, timestamp, baseFeePerGas: baseFeePerGas ?? 0n };
}

/** A plan on the vault's present nonce, and the decision that it belongs to. Every call is another decision. */
export async function planFor(
  system: VaultSystem,
  moves: readonly PlanMove[],
  change: Partial<Pick<Plan, "nonce" | "deadline" | "maxLoss">> = {},
): Promise<{ plan: Plan; decision: DecisionRow }> {
  const head = await headOf(system);
  const plan: Plan = {
    action: "rebalance",
    reason: "a test wants it",
    moves,
    nonce: await system.vault.nextNonce(account(KEEPER).address),
    deadline: head.timestamp + 600,
    maxLoss: 10n,
    expectedGainUsd: 1,
    costUsd: 0,
    ...change,
  };
  return { plan, decision: decisionFor(system, plan, head) };
}

export function decisionFor(system: VaultSystem, plan: Plan, head: ExecutionHead): DecisionRow {
  const output = {
    ...plan,
    nonce: plan.nonce.toString(),
    maxLoss: plan.maxLoss.toString(),
    moves: plan.moves.map((move) => ({
      ...move,
      ...{ assets: move.assets.toString(), minimum: move.minimum.toString() },
    })),
  };
  const record = JSON.stringify({ output, salt: randomUUID() });
  const recordHash = keccak256(toUtf8Bytes(record));
  return {
    id: recordHash.slice(2, 18),
    chainId: CHAIN_ID,
    vault: system.vaultAddress,
    blockNumber: head.number,
    blockHash: head.hash,
    decidedAt: head.timestamp,
    action: "rebalance",
    reason: plan.reason,
    record,
    recordHash,
  };
}

export function move(system: VaultSystem, venue: 0 | 1, assets: bigint): PlanMove {
  return { venue: `venue-${venue}`, adapter: system.adapters[venue], assets, all: false, minimum: 0n };
}

export interface Landing {
  readonly nonce: bigint;
  readonly decision: string;
  readonly txHash: string;
  readonly block: number;
}

/** Every plan that the vault carried out, from its log. */
export async function landings(system: VaultSystem): Promise<Landing[]> {
  const logs = await system.vault.queryFilter(system.vault.filters.Rebalanced(), 0, "latest");
  return logs.map((log) => ({
    nonce: log.args.nonce,
    decision: log.args.decision,
    txHash: log.transactionHash,
    block: log.blockNumber,
  }));
}
