// Plans and the calldata that carries them. Withdrawals come first, as the vault demands; a move's data is its minimum, where
// it has one, as every adapter reads it.
import { AbiCoder, isHexString } from "ethers";
import type { Plan, PlanMove } from "../decide/strategy";
import { IVault__factory } from "../../typechain-types/factories/contracts/interfaces/IVault__factory";

const vaultInterface = IVault__factory.createInterface();

/** What the vault takes for "the whole position, out". */
export const ALL_ASSETS = -(2n ** 255n);

export const REBALANCE_SELECTOR = vaultInterface.getFunction("rebalance").selector;

export interface DecodedMove {
  readonly adapter: string;
  /** In the asset's unit; negative: out; {@link ALL_ASSETS}: the whole position, out. */
  readonly assets: bigint;
  readonly data: string;
}

export interface DecodedGuard {
  readonly nonce: bigint;
  readonly deadline: bigint;
  readonly maxLoss: bigint;
  readonly decision: string;
}

export interface DecodedRebalance {
  readonly moves: readonly DecodedMove[];
  readonly guard: DecodedGuard;
}

export type EncodablePlan = Pick<Plan, "nonce" | "deadline" | "maxLoss"> & { readonly moves: readonly PlanMove[] };

/**
 * Calldata of `rebalance` for a plan.
 * @param recordHash keccak256 of the decision record, the plan's commitment.
 */
export function encodePlan(plan: EncodablePlan, recordHash: string): string {
  const moves = plan.moves.map((move) => ({
    adapter: move.adapter,
    assets: move.all ? ALL_ASSETS : move.assets,
    data: move.minimum > 0n ? AbiCoder.defaultAbiCoder().encode(["uint256"], [move.minimum]) : "0x",
  }));
  const ordered = [...moves.filter(({ assets }) => assets < 0n), ...moves.filter(({ assets }) => assets >= 0n)];
  const guard = { nonce: plan.nonce, deadline: plan.deadline, maxLoss: plan.maxLoss, decision: recordHash };
  return vaultInterface.encodeFunctionData("rebalance", [ordered, guard]);
}

/** @returns null for anything but the canonical encoding of a call of `rebalance`. */
export function decodeRebalance(calldata: string): DecodedRebalance | null {
  if (!isHexString(calldata) || !calldata.toLowerCase().startsWith(REBALANCE_SELECTOR)) return null;
  try {
    const [moves, guard] = vaultInterface.decodeFunctionData("rebalance", calldata);
    const canonical = vaultInterface.encodeFunctionData("rebalance", [moves, guard]);
    if (canonical !== calldata.toLowerCase()) return null;
    return {
      moves: [...(moves as readonly DecodedMove[])].map(({ adapter, assets, data }) => ({ adapter, assets, data })),
      guard: { nonce: guard.nonce, deadline: guard.deadline, maxLoss: guard.maxLoss, decision: guard.decision },
    };
  } catch {
    return null;
  }
}
