// One plan for one target block: rows first, then policy, signature, relays.
import type { Provider, TransactionLike } from "ethers";
import type { Checkpoint } from "../events/steps";
import type { Sink } from "../events/events";
import type { DecisionRow, IntentRow, Store, SubmissionRow } from "../store/records";
import type { Fees } from "./fees";
import { type PolicyLimits, checkPolicy } from "./policy";
import { type BundleRelay, RelayFailure } from "./relay";
import { type KeeperSigner, type SignedTransaction, signChecked } from "./signer";
import { describeRevert } from "./simulate";

export interface BundleDeps {
  /** The chain as `connectChain` gives it. */
  readonly chain: { readonly chainId: number; readonly provider: Provider };
  readonly vault: string;
  readonly store: Store;
  readonly relays: readonly BundleRelay[];
  readonly signer: KeeperSigner;
  /** Limits of now. */
  readonly policyLimits: () => PolicyLimits | Promise<PolicyLimits>;
  readonly sink: Sink;
  readonly checkpoint: Checkpoint;
  readonly settings: {
    /** Ceilings, wei and gas. */
    readonly maxFeePerGas: bigint;
    readonly maxPriorityFeePerGas: bigint;
    readonly gasLimit: bigint;
    /** Ask relays to simulate before sending (`eth_callBundle`). Counts against the sender's reputation there. */
    readonly simulateOnRelay: boolean;
  };
}

export interface Target {
  readonly block: number;
  readonly fees: Fees;
  /** The head that is signed on. */
  readonly head: { readonly number: number; readonly timestamp: number };
}

/** The transaction of a plan, without its signature. */
export function transactionOf(
  intent: Pick<IntentRow, "chainId" | "accountNonce" | "vault" | "calldata" | "gasLimit">,
  fees: Fees,
): TransactionLike<string> {
  return {
    type: 2,
    chainId: intent.chainId,
    nonce: intent.accountNonce,
    to: intent.vault,
    value: 0n,
    data: intent.calldata,
    gasLimit: BigInt(intent.gasLimit),
    maxFeePerGas: fees.maxFeePerGas,
    maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
  };
}

/** Rows for every relay, written before anything is signed. Rows that are there keep their fees. */
export async function openSubmissions(deps: BundleDeps, intent: IntentRow, target: Target): Promise<SubmissionRow[]> {
  const rows: SubmissionRow[] = [];
  for (const { name } of deps.relays) {
    rows.push(
      await deps.store.openSubmission({
        intentId: intent.id,
        relay: name,
        targetBlock: target.block,
        maxFeePerGas: target.fees.maxFeePerGas.toString(),
        maxPriorityFeePerGas: target.fees.maxPriorityFeePerGas.toString(),
      }),
    );
  }
  deps.checkpoint("submission.stored");
  return rows;
}

/** @throws PolicyFailure before, WorldFailure `SIGNER_MISMATCH` after the signature. */
export async function signBundle(
  deps: BundleDeps,
  intent: IntentRow,
  { decision, target }: { readonly decision: Pick<DecisionRow, "record" | "recordHash">; readonly target: Target },
): Promise<SignedTransaction> {
  const transaction = transactionOf(intent, target.fees);
  checkPolicy(transaction, {
    chainId: deps.chain.chainId,
    vault: deps.vault,
    intent,
    decision,
    limits: await deps.policyLimits(),
    fees: deps.settings,
    now: target.head.timestamp,
  });
  deps.checkpoint("policy.passed");
  const signed = await signChecked(deps.signer, transaction);
  deps.checkpoint("bundle.signed");
  return signed;
}

/** To all relays at once; what each said goes into its row. A relay that fails does not hinder the others. */
export async function sendBundle(
  deps: BundleDeps,
  rows: readonly SubmissionRow[],
  {
    signed,
    target,
    deadline,
  }: { readonly signed: SignedTransaction; readonly target: Target; readonly deadline: number },
): Promise<void> {
  const answers = await Promise.all(
    rows
      .filter(({ state }) => state === "signing")
      .map(async (row) => ({ row, answer: await sendToOne(deps, row, { signed, target, deadline }) })),
  );
  deps.checkpoint("bundle.sent");
  for (const { row, answer } of answers) {
    const { intentId, relay } = row;
    if (answer.kind === "sent") {
      await deps.store.updateSubmission(row.id, { state: "sent", txHash: signed.hash, bundleHash: answer.bundleHash });
      deps.sink.emit({ name: "bundle.sent", intentId, relay, targetBlock: target.block });
      continue;
    }
    const error = `${answer.code}: ${answer.message}`;
    await deps.store.updateSubmission(row.id, { state: "refused", txHash: signed.hash, error });
    const { code, message } = answer;
    deps.sink.emit({ name: "bundle.refused", intentId, relay, targetBlock: target.block, code, message });
  }
}

type Answer =
  | { readonly kind: "sent"; readonly bundleHash: string }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

async function sendToOne(
  deps: BundleDeps,
  row: SubmissionRow,
  {
    signed,
    target,
    deadline,
  }: { readonly signed: SignedTransaction; readonly target: Target; readonly deadline: number },
): Promise<Answer> {
  const relay = deps.relays.find(({ name }) => name === row.relay);
  if (relay === undefined)
    return { kind: "refused", code: "RELAY_GONE", message: "the relay is not in the config any more" };
  try {
    if (deps.settings.simulateOnRelay) {
      const reason = await revertAtRelay(relay, signed, target);
      if (reason !== null)
        return { kind: "refused", code: "SIMULATION_REVERTED", message: `there, the plan ${reason}` };
    }
    const { bundleHash } = await relay.send([signed.raw], target.block, { maxTimestamp: deadline });
    return { kind: "sent", bundleHash };
  } catch (failure) {
    if (!(failure instanceof RelayFailure)) throw failure;
    return { kind: "refused", code: failure.code, message: failure.message };
  }
}

/** @returns null also where the relay cannot simulate: the keeper's own simulation has passed. */
async function revertAtRelay(relay: BundleRelay, signed: SignedTransaction, target: Target): Promise<string | null> {
  try {
    const simulation = await relay.simulate([signed.raw], target.block, { stateBlock: target.head.number });
    return simulation.kind === "reverts" ? describeRevert(simulation.reason) : null;
  } catch (failure) {
    if (failure instanceof RelayFailure) return null;
    throw failure;
  }
}
