// What would be sent, without a key and without a row: the exact transaction, simulated.
import type { Provider, TransactionLike } from "ethers";
import type { Plan } from "../decide/strategy";
import { transactionOf } from "./bundle";
import { encodePlan } from "./encode";
import type { ExecutionHead } from "./executor";
import { type FeeLimits, feesFor } from "./fees";
import { type Simulation, simulatePlan } from "./simulate";

export interface DryRunOptions {
  readonly provider: Provider;
  readonly chainId: number;
  readonly vault: string;
  readonly keeper: string;
  readonly settings: FeeLimits & { readonly gasLimit: bigint };
}

export interface DryRun {
  readonly targetBlock: number;
  /** Unsigned. Null when the base fee is over the ceiling: then nothing would be sent. */
  readonly transaction: TransactionLike<string> | null;
  readonly simulation: Simulation;
}

/** @param recordHash keccak256 of the decision record. */
export async function dryRun(
  options: DryRunOptions,
  { plan, recordHash }: { readonly plan: Plan; readonly recordHash: string },
  head: ExecutionHead,
): Promise<DryRun> {
  const { provider, chainId, vault, keeper, settings } = options;
  const calldata = encodePlan(plan, recordHash);
  const [accountNonce, simulation] = await Promise.all([
    provider.getTransactionCount(keeper, head.number),
    simulatePlan(provider, { vault, keeper, calldata, gasLimit: settings.gasLimit, block: head.number }),
  ]);
  const fees = feesFor(head.baseFeePerGas, settings);
  const gasLimit = settings.gasLimit.toString();
  return {
    targetBlock: head.number + 1,
    transaction: fees === null ? null : transactionOf({ chainId, accountNonce, vault, calldata, gasLimit }, fees),
    simulation,
  };
}
