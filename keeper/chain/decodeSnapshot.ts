// The lens's answer as the keeper's snapshot: decoded, named by the address file, and checked against the head that it
// was asked for. Pure.
import { AbiCoder, decodeBytes32String } from "ethers";
import type { AddressFile } from "../config/addressFile";
import { InputFailure, WorldFailure } from "../config/failure";
import type { IVaultLens } from "../../typechain-types";
import { IVaultLens__factory } from "../../typechain-types/factories/contracts/interfaces/IVaultLens__factory";
import type { Head } from "./heads";
import type { AdapterSnapshot, BreakerState, BudgetSnapshot, VaultSnapshot, VenueKind, VenueState } from "./snapshot";

const lens = IVaultLens__factory.createInterface();

/** Order of `IVault.Breaker`. */
const BREAKER_STATES: readonly BreakerState[] = ["closed", "guardian-tripped", "tripped"];

/** Calldata of the one call that reads everything. */
export function encodeSnapshotCall(vault: string, keeper: string): string {
  return lens.encodeFunctionData("snapshot", [vault, keeper]);
}

/**
 * Decodes the return data of that call.
 *
 * @throws WorldFailure `LENS_GARBAGE` (not this lens's answer), `SNAPSHOT_OF_ANOTHER_BLOCK` (the node answered from
 * another state than it was asked for); InputFailure `ADAPTER_UNKNOWN` (the vault has one that the address file does not
 * name), `LENS_OF_ANOTHER_VAULT`.
 */
export function decodeSnapshot(
  data: string,
  asked: { readonly addresses: AddressFile; readonly head: Head },
): VaultSnapshot {
  const raw = decoded(data);
  verify(raw, asked);
  const { head, addresses } = asked;
  return {
    chainId: integer(raw.chainId),
    blockNumber: integer(raw.blockNumber),
    blockHash: head.hash,
    timestamp: integer(raw.timestamp),
    // Nodes show a base fee of zero to a call without a gas price: the header has the real one.
    baseFeePerGas: head.baseFeePerGas,
    vault: raw.vault,
    asset: raw.asset,
    assetDecimals: integer(raw.assetDecimals),
    shareDecimals: integer(raw.decimals),
    opened: raw.opened,
    idle: raw.idle,
    totalAssets: raw.totalAssets,
    accountedAssets: raw.accountedAssets,
    totalSupply: raw.totalSupply,
    sharePrice: raw.sharePrice,
    depositCap: raw.depositCap,
    minimumIdle: raw.minimumIdle,
    maxRate: raw.maxRate,
    lossPerCall: raw.lossPerCall,
    lossBudget: budget(raw.lossBudget),
    turnoverBudget: budget(raw.turnoverBudget),
    breaker: breaker(raw.breaker),
    breakerUntil: integer(raw.breakerUntil),
    keeper: raw.keeper,
    isKeeper: raw.isKeeper,
    planEpoch: raw.planEpoch,
    nextNonce: raw.nextNonce,
    groups: raw.groups.map((group) => ({ name: bytes32Text(group.name), relativeCap: group.relativeCap })),
    adapters: raw.adapters.map((view) => adapterOf(view, addresses)),
  };
}

function decoded(data: string): IVaultLens.SnapshotStructOutput {
  try {
    return lens.decodeFunctionResult("snapshot", data)[0] as IVaultLens.SnapshotStructOutput;
  } catch (error) {
    throw lensGarbage(error);
  }
}

function verify(
  raw: IVaultLens.SnapshotStructOutput,
  { addresses, head }: { readonly addresses: AddressFile; readonly head: Head },
): void {
  // anvil does not know the hashes of old blocks right after it was started again; a real chain always does.
  const unknownParent = addresses.network === "local" && BigInt(raw.parentHash) === 0n;
  const sameBlock =
    raw.blockNumber === BigInt(head.number) &&
    raw.timestamp === BigInt(head.timestamp) &&
    (unknownParent || raw.parentHash.toLowerCase() === head.parentHash);
  if (!sameBlock || raw.chainId !== BigInt(addresses.chainId)) {
    throw new WorldFailure(
      "SNAPSHOT_OF_ANOTHER_BLOCK",
      `block ${head.number} was asked for, the node answered from block ${raw.blockNumber} of chain ${raw.chainId}`,
      { field: "chain.rpcUrls", remedy: "Nothing, if the chain was just reorganised; else use another endpoint." },
    );
  }
  if (raw.vault.toLowerCase() === addresses.vault.toLowerCase()) return;
  throw new InputFailure("LENS_OF_ANOTHER_VAULT", "the lens answers for another vault", {
    field: "addresses",
    remedy: "Deploy again, or name the right address file.",
  });
}

function adapterOf(view: IVaultLens.AdapterViewStructOutput, addresses: AddressFile): AdapterSnapshot {
  const entry = addresses.adapters.find((known) => known.adapter.toLowerCase() === view.adapter.toLowerCase());
  if (entry === undefined) {
    throw new InputFailure(
      "ADAPTER_UNKNOWN",
      `the vault has the adapter ${view.adapter}, which the file does not name`,
      {
        field: "addresses",
        remedy: "Add it to the file's adapters with an id, its kind and its venue.",
      },
    );
  }
  const kind = bytes32Text(view.kind);
  // An adapter that cannot be read may not say its kind either.
  if (kind !== entry.kind && (view.readable || kind !== "")) {
    throw new InputFailure("ADAPTER_UNKNOWN", `the adapter ${view.adapter} is of kind "${kind}", not ${entry.kind}`, {
      field: `addresses.adapters (${entry.id})`,
      remedy: "Correct the kind in the file.",
    });
  }
  return {
    id: entry.id,
    adapter: view.adapter,
    venue: view.venue,
    receipt: view.receipt,
    kind: entry.kind,
    exact: view.exact,
    readable: view.readable,
    quarantined: view.quarantined,
    fairValue: view.fairValue,
    exitValue: view.exitValue,
    counted: view.counted,
    maxDeposit: view.maxDeposit,
    maxWithdraw: view.maxWithdraw,
    absoluteCap: view.absoluteCap,
    relativeCap: view.relativeCap,
    groupMask: view.groupMask,
    state: view.state === "0x" ? null : stateOf(entry.kind, view.state),
  };
}

/** The structs' types, from the function that exists to hold them. */
const [aaveType, compoundType, erc4626Type, skyType, curveType, uniswapType] = lens.getFunction("stateShapes").outputs;

function stateOf(kind: VenueKind, data: string): VenueState {
  switch (kind) {
    case "aave-v3": {
      const raw = decodeState<IVaultLens.AaveV3StateStructOutput>(aaveType, data);
      return {
        kind,
        cash: raw.cash,
        borrowed: raw.borrowed,
        aTokenSupply: raw.aTokenSupply,
        supplyCap: raw.supplyCap,
        liquidityIndex: raw.liquidityIndex,
        liquidityRate: raw.liquidityRate,
        variableBorrowRate: raw.variableBorrowRate,
        baseRate: raw.baseRate,
        slope1: raw.slope1,
        slope2: raw.slope2,
        optimalUsage: raw.optimalUsage,
        reserveFactorBps: raw.reserveFactorBps,
        active: raw.active,
        frozen: raw.frozen,
        paused: raw.paused,
      };
    }
    case "compound-v3": {
      const raw = decodeState<IVaultLens.CompoundV3StateStructOutput>(compoundType, data);
      return {
        kind,
        cash: raw.cash,
        supplied: raw.supplied,
        borrowed: raw.borrowed,
        utilization: raw.utilization,
        supplyKink: raw.supplyKink,
        supplyBasePerSecond: raw.supplyBasePerSecond,
        supplySlopeLowPerSecond: raw.supplySlopeLowPerSecond,
        supplySlopeHighPerSecond: raw.supplySlopeHighPerSecond,
        supplyRatePerSecond: raw.supplyRatePerSecond,
        borrowRatePerSecond: raw.borrowRatePerSecond,
        supplyPaused: raw.supplyPaused,
        withdrawPaused: raw.withdrawPaused,
      };
    }
    case "erc4626": {
      const raw = decodeState<IVaultLens.Erc4626StateStructOutput>(erc4626Type, data);
      return {
        kind,
        totalAssets: raw.totalAssets,
        totalShares: raw.totalShares,
        assetsPerShare: raw.assetsPerShare,
        vaultMaxWithdraw: raw.vaultMaxWithdraw,
      };
    }
    case "sky-savings": {
      const raw = decodeState<IVaultLens.SkySavingsStateStructOutput>(skyType, data);
      return {
        kind,
        ratePerSecond: raw.ratePerSecond,
        assetsPerShare: raw.assetsPerShare,
        totalAssets: raw.totalAssets,
        cash: raw.cash,
        room: raw.room,
        tin: raw.tin,
        tout: raw.tout,
        sellingHalted: raw.sellingHalted,
        buyingHalted: raw.buyingHalted,
      };
    }
    case "curve-3pool": {
      const raw = decodeState<IVaultLens.Curve3PoolStateStructOutput>(curveType, data);
      return {
        kind,
        virtualPrice: raw.virtualPrice,
        receipts: raw.receipts,
        held: raw.held,
        balances: [...raw.balances],
        scales: [...raw.scales],
        amplification: raw.amplification,
        fee: raw.fee,
        place: integer(raw.place),
        dollars: [...raw.dollars],
        slippage: raw.slippage,
        steady: raw.steady,
      };
    }
    case "uniswap-v3": {
      const raw = decodeState<IVaultLens.UniswapV3StateStructOutput>(uniswapType, data);
      return {
        kind,
        sqrtPrice: raw.sqrtPrice,
        meanTick: Number(raw.meanTick),
        meanTicks: raw.meanTicks.map(Number),
        windowSeconds: integer(raw.window),
        liquidity: raw.liquidity,
        held: raw.held,
        tickLower: Number(raw.tickLower),
        tickUpper: Number(raw.tickUpper),
        halfWidth: Number(raw.halfWidth),
        feeGrowthAsset: raw.feeGrowthAsset,
        feeGrowthPaired: raw.feeGrowthPaired,
        cash: raw.cash,
        pairedDecimals: integer(raw.pairedDecimals),
        feePips: integer(raw.feePips),
        assetFirst: raw.assetFirst,
        tickSpacing: Number(raw.spacing),
        oracleBound: Number(raw.oracleBound),
        assetDollars: raw.assetDollars,
        pairedDollars: raw.pairedDollars,
        slippage: raw.slippage,
        steady: raw.steady,
      };
    }
  }
}

function decodeState<T>(type: typeof aaveType, data: string): T {
  if (type === undefined) throw new TypeError("the lens's ABI has no state structs");
  try {
    return AbiCoder.defaultAbiCoder().decode([type], data)[0] as T;
  } catch (error) {
    throw lensGarbage(error);
  }
}

function lensGarbage(cause: unknown): WorldFailure {
  return new WorldFailure("LENS_GARBAGE", "the answer is not that of this version's lens", {
    field: "addresses.lens",
    remedy: "Deploy this version's lens and name it in the address file.",
    cause,
  });
}

function budget(raw: IVaultLens.BudgetViewStructOutput): BudgetSnapshot {
  return { limit: raw.limit, windowSeconds: integer(raw.window), available: raw.available };
}

function breaker(raw: bigint): BreakerState {
  const state = BREAKER_STATES[Number(raw)];
  if (state === undefined) throw lensGarbage(`breaker state ${raw}`);
  return state;
}

/** Times and block numbers. A time that never comes is the largest that fits. */
function integer(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function bytes32Text(value: string): string {
  try {
    return decodeBytes32String(value);
  } catch {
    // 32 bytes without a final zero, or not UTF-8: shown as they are.
    return value;
  }
}
