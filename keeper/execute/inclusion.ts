// What became of a plan, read from the chain alone: relays are not asked, and rows are not believed.
import { type Provider, toBeHex } from "ethers";
import type { IntentRow } from "../store/records";
import { IVault__factory } from "../../typechain-types/factories/contracts/interfaces/IVault__factory";
import { decodeRebalance } from "./encode";

export type Inclusion =
  | { readonly kind: "pending" }
  | { readonly kind: "included"; readonly block: number; readonly blockHash: string; readonly txHash: string }
  /** Our transaction is in a block and failed there: its account nonce is used, the plan was not carried out. */
  | { readonly kind: "reverted"; readonly block: number; readonly txHash: string }
  /** The vault carried out another plan under this nonce. */
  | { readonly kind: "superseded"; readonly decision: string; readonly txHash: string }
  /** The account sent something else under this nonce: no transaction of ours can land. */
  | { readonly kind: "overtaken" };

const vaultInterface = IVault__factory.createInterface();
const REBALANCED = vaultInterface.getEvent("Rebalanced");

/** A reorganisation may put a plan below the block that it was decided at. */
const REORG_MARGIN = 64;

/**
 * @param txHashes Of every transaction that was signed for the intent, as far as they are known.
 * @param head Number of the block to read at.
 */
export async function readInclusion(
  provider: Provider,
  intent: IntentRow,
  { txHashes, head }: { readonly txHashes: readonly string[]; readonly head: number },
): Promise<Inclusion> {
  const [logs, accountNonce] = await Promise.all([
    provider.getLogs({
      address: intent.vault,
      fromBlock: Math.max(0, intent.decidedBlock - REORG_MARGIN),
      toBlock: head,
      topics: vaultInterface.encodeFilterTopics(REBALANCED, [intent.keeper, toBeHex(BigInt(intent.planNonce))]),
    }),
    provider.getTransactionCount(intent.keeper, head),
  ]);
  const [log] = logs;
  if (log !== undefined) {
    const decision = log.topics[3] ?? "";
    if (decision === decodeRebalance(intent.calldata)?.guard.decision) {
      return { kind: "included", block: log.blockNumber, blockHash: log.blockHash, txHash: log.transactionHash };
    }
    return { kind: "superseded", decision, txHash: log.transactionHash };
  }
  if (accountNonce <= intent.accountNonce) return { kind: "pending" };
  for (const hash of txHashes) {
    const receipt = await provider.getTransactionReceipt(hash);
    if (receipt === null) continue;
    // A receipt of success without its log: the node is between two blocks. The next head tells.
    if (receipt.status !== 0) return { kind: "pending" };
    return { kind: "reverted", block: receipt.blockNumber, txHash: hash };
  }
  return { kind: "overtaken" };
}
