// The life of a plan, from its intent to its final block. Every step leaves a row before the next one begins, and every
// head is met with what the chain says: a process that died anywhere goes on from the rows.
import { InputFailure } from "../config/failure";
import type { Plan } from "../decide/strategy";
import type { DecisionRow, IntentRow, IntentState, SubmissionRow } from "../store/records";
import { type BundleDeps, type Target, openSubmissions, sendBundle, signBundle } from "./bundle";
import { encodePlan } from "./encode";
import type { ExecutionHead, ExecutorDeps } from "./executor";
import { feesFor } from "./fees";
import { type Inclusion, readInclusion } from "./inclusion";
import { PolicyFailure } from "./policy";
import { simulatePlan } from "./simulate";

const IN_FLIGHT: readonly IntentState[] = ["planned", "simulated", "submitted", "missed", "reorged"];
/** An estimate is of one state; the plan runs on a later one. */
const GAS_MARGIN_PERCENT = 130n;
/** Plans of the past that are looked at after a start, for one that was given up and landed all the same. */
const PAST_PLANS = 20;

/** Not for calls at the same time: `createExecutor` puts them in turn. */
export class Lifecycle {
  /** Given up, but signed and not past their deadline: whoever has seen the transaction could still land it. */
  private readonly strays = new Map<string, IntentRow>();

  constructor(private readonly deps: ExecutorDeps) {}

  async begin(decision: DecisionRow, plan: Plan, head: ExecutionHead): Promise<IntentRow> {
    const { vault, store, signer, relays } = this.deps;
    const { chainId, provider } = this.deps.chain;
    if (relays.length === 0) {
      throw new InputFailure("RELAYS_MISSING", "there is no relay to send the plan to", {
        field: "relays",
        remedy: "Name at least one relay with its url. Plans are never sent to the public pool.",
      });
    }
    const calldata = encodePlan(plan, decision.recordHash);
    const [accountNonce, gasLimit] = await Promise.all([
      provider.getTransactionCount(signer.address, head.number),
      this.gasLimitOf(calldata),
    ]);
    const intent = await store.planIntent(decision, {
      decisionId: decision.id,
      chainId,
      vault,
      keeper: signer.address,
      planNonce: plan.nonce.toString(),
      accountNonce,
      calldata,
      gasLimit: gasLimit.toString(),
      deadline: plan.deadline,
      decidedBlock: decision.blockNumber,
    });
    this.report(intent, "planned", null);
    this.deps.checkpoint("intent.stored");
    return this.proceed(intent, [], head);
  }

  async recover(head: ExecutionHead): Promise<void> {
    const { vault, store, signer } = this.deps;
    const { chainId } = this.deps.chain;
    const past = await store.decisions({ chainId, vault, limit: PAST_PLANS, action: "rebalance" });
    for (const { intentId, state } of past) {
      if (state !== "abandoned" || intentId === null) continue;
      const intent = await store.intent(intentId);
      if (intent === null || intent.keeper.toLowerCase() !== signer.address.toLowerCase()) continue;
      await this.watch(intent);
    }
    await this.advance(head);
  }

  async advance(head: ExecutionHead): Promise<void> {
    const { vault, store, signer } = this.deps;
    const { chainId } = this.deps.chain;
    for (const intent of await store.liveIntents(chainId, vault, signer.address)) {
      if (intent.state === "included") await this.confirm(intent, head);
      else if (IN_FLIGHT.includes(intent.state)) await this.settle(intent, head);
    }
    for (const stray of [...this.strays.values()]) await this.look(stray, head);
  }

  /** An intent that is not on the chain as far as the rows know. */
  private async settle(intent: IntentRow, head: ExecutionHead): Promise<void> {
    const rows = await this.deps.store.submissions(intent.id);
    const inclusion = await this.read(intent, rows, head);
    if (inclusion.kind === "included") return void (await this.include(intent, rows, inclusion));
    const failure = failureOf(inclusion, intent);
    const missed = await this.missed(intent, rows, head);
    if (failure !== null) return void (await this.abandon(missed, failure));
    await this.proceed(missed, await this.deps.store.submissions(intent.id), head);
  }

  /** An included intent: still there, deep enough, or reorganised away. */
  private async confirm(intent: IntentRow, head: ExecutionHead): Promise<void> {
    const { includedBlock } = intent;
    if (includedBlock === null) return;
    const block = includedBlock <= head.number ? await this.deps.chain.provider.getBlock(includedBlock) : null;
    if (block !== null && block.hash === intent.includedBlockHash) {
      if (head.number - includedBlock < this.deps.settings.finalityBlocks) return;
      await this.move(intent, ["included"], { to: "final", change: {} });
      this.deps.checkpoint("finality.stored");
      return;
    }
    const rows = await this.deps.store.submissions(intent.id);
    const inclusion = await this.read(intent, rows, head);
    if (inclusion.kind === "included") return void (await this.include(intent, rows, inclusion));
    for (const row of rows) {
      if (row.state === "included") await this.deps.store.updateSubmission(row.id, { state: "missed" });
    }
    const reorged = await this.move(intent, ["included"], {
      to: "reorged",
      change: {
        reason: `block ${includedBlock} was reorganised away`,
        includedBlock: null,
        includedBlockHash: null,
        txHash: null,
      },
    });
    if (reorged.state === "reorged") await this.settle(reorged, head);
  }

  /** A plan that was given up and may land all the same. */
  private async look(stray: IntentRow, head: ExecutionHead): Promise<void> {
    const rows = await this.deps.store.submissions(stray.id);
    const inclusion = await this.read(stray, rows, head);
    if (inclusion.kind === "included") await this.include(stray, rows, inclusion);
    const isOver = inclusion.kind !== "pending" || head.timestamp > stray.deadline;
    if (isOver) this.strays.delete(stray.id);
  }

  /** Sends the plan for the block after `head`, if it still can and may be sent. */
  private async proceed(intent: IntentRow, rows: readonly SubmissionRow[], head: ExecutionHead): Promise<IntentRow> {
    const { settings, store } = this.deps;
    const block = head.number + 1;
    const targets = [...new Set(rows.map(({ targetBlock }) => targetBlock))].sort((a, b) => a - b);
    const last = targets.at(-1) ?? 0;
    const current = rows.filter(({ targetBlock }) => targetBlock === block);
    // Ahead of this head, after a reorganisation; or sent before, for this very block.
    if (last > block || (current.length > 0 && current.every(({ state }) => state !== "signing"))) return intent;
    if (intent.deadline <= head.timestamp) {
      return this.abandon(intent, `its deadline passed before it landed${refusals(rows)}`);
    }
    if (current.length === 0 && targets.length >= settings.blocks) {
      return this.abandon(intent, `missed ${targets.length} target blocks, ${targets[0]} to ${last}${refusals(rows)}`);
    }
    const fees = feesOf(current) ?? feesFor(head.baseFeePerGas, settings);
    if (fees === null) return intent;

    const obstacle = await this.obstacle(intent, { block, fees, head });
    this.deps.checkpoint("bundle.simulated");
    if (obstacle !== null) return this.abandon(intent, obstacle);
    const simulated =
      intent.state === "planned" ? await this.move(intent, ["planned"], { to: "simulated", change: {} }) : intent;
    this.deps.checkpoint("simulation.stored");
    if (!IN_FLIGHT.includes(simulated.state)) return simulated;

    const decision = await store.decision(intent.decisionId);
    if (decision === null) return this.abandon(simulated, "its decision is not in the store");
    return this.submit(simulated, decision, { block, fees, head });
  }

  private async submit(
    intent: IntentRow,
    decision: Pick<DecisionRow, "record" | "recordHash">,
    target: Target,
  ): Promise<IntentRow> {
    const rows = await openSubmissions(this.deps, intent, target);
    try {
      const signed = await signBundle(this.deps, intent, { decision, target });
      await sendBundle(this.deps, rows, { signed, target, deadline: intent.deadline });
    } catch (failure) {
      if (!(failure instanceof PolicyFailure)) throw failure;
      for (const row of rows) {
        await this.deps.store.updateSubmission(row.id, { state: "refused", error: failure.code });
      }
      return this.abandon(intent, `${failure.message} (${failure.code})`);
    }
    const submitted =
      intent.state === "submitted"
        ? intent
        : await this.move(intent, ["planned", "simulated", "missed", "reorged"], { to: "submitted", change: {} });
    this.deps.checkpoint("sending.stored");
    return submitted;
  }

  /** Why the plan would not work in the next block; null if nothing speaks against it. */
  private async obstacle(intent: IntentRow, { fees, head }: Target): Promise<string | null> {
    const { provider } = this.deps.chain;
    const gasLimit = BigInt(intent.gasLimit);
    const [simulation, balance] = await Promise.all([
      simulatePlan(provider, { ...intent, gasLimit, block: head.number }),
      provider.getBalance(intent.keeper, head.number),
    ]);
    if (simulation.kind === "reverts") return `its simulation at block ${head.number} reverts: ${simulation.reason}`;
    const cost = gasLimit * fees.maxFeePerGas;
    if (balance >= cost) return null;
    return `the keeper's account holds ${balance} wei and the plan may cost ${cost}: send ether to ${intent.keeper}`;
  }

  /** Marks the bundles whose block has passed. */
  private async missed(intent: IntentRow, rows: readonly SubmissionRow[], head: ExecutionHead): Promise<IntentRow> {
    const passed = rows.filter(({ targetBlock }) => targetBlock <= head.number);
    const open = passed.filter(({ state }) => state === "signing" || state === "sent");
    for (const row of open) await this.deps.store.updateSubmission(row.id, { state: "missed" });
    for (const targetBlock of new Set(open.map((row) => row.targetBlock))) {
      this.deps.sink.emit({ name: "bundle.missed", intentId: intent.id, targetBlock });
    }
    const isMissed = passed.length > 0 && passed.length === rows.length;
    if (!isMissed || intent.state === "missed" || intent.state === "reorged") return intent;
    return this.move(intent, ["planned", "simulated", "submitted"], { to: "missed", change: {} });
  }

  private async include(
    intent: IntentRow,
    rows: readonly SubmissionRow[],
    inclusion: Extract<Inclusion, { kind: "included" }>,
  ): Promise<IntentRow> {
    const { block, blockHash, txHash } = inclusion;
    this.deps.checkpoint("inclusion.read");
    // Rows before the intent: an included intent is not looked at again for them.
    for (const row of rows) {
      const isOpen = row.state === "signing" || row.state === "sent";
      if (isOpen)
        await this.deps.store.updateSubmission(row.id, { state: row.targetBlock === block ? "included" : "missed" });
    }
    const included = await this.move(intent, [...IN_FLIGHT, "included", "abandoned"], {
      to: "included",
      change: { reason: `in block ${block}`, includedBlock: block, includedBlockHash: blockHash, txHash },
    });
    this.deps.sink.emit({ name: "bundle.included", intentId: intent.id, block, txHash });
    this.deps.checkpoint("inclusion.stored");
    return included;
  }

  private async abandon(intent: IntentRow, reason: string): Promise<IntentRow> {
    const abandoned = await this.move(intent, IN_FLIGHT, { to: "abandoned", change: { reason } });
    if (abandoned.state === "abandoned") await this.watch(abandoned);
    return abandoned;
  }

  private async watch(intent: IntentRow): Promise<void> {
    const rows = await this.deps.store.submissions(intent.id);
    if (rows.some(({ txHash, state }) => txHash !== null || state === "signing" || state === "missed")) {
      this.strays.set(intent.id, intent);
    }
  }

  /** @returns the intent as it stands afterwards: moved, or as somebody else moved it before. */
  private async move(
    intent: IntentRow,
    from: readonly IntentState[],
    { to, change }: { readonly to: IntentState; readonly change: Parameters<BundleDeps["store"]["moveIntent"]>[3] },
  ): Promise<IntentRow> {
    const { store } = this.deps;
    const moved = await store.moveIntent(intent.id, from, to, change);
    if (moved) this.report(intent, to, change.reason ?? null);
    return (await store.intent(intent.id)) ?? intent;
  }

  private report(intent: IntentRow, state: IntentState, reason: string | null): void {
    const { id: intentId, decisionId } = intent;
    this.deps.sink.emit({ name: "intent.state", intentId, decisionId, state, reason });
  }

  private read(intent: IntentRow, rows: readonly SubmissionRow[], head: ExecutionHead): Promise<Inclusion> {
    const txHashes = [...new Set(rows.flatMap(({ txHash }) => (txHash === null ? [] : [txHash])))];
    return readInclusion(this.deps.chain.provider, intent, { txHashes, head: head.number });
  }

  /** The ceiling where the node cannot tell: the simulation then says why. */
  private async gasLimitOf(calldata: string): Promise<bigint> {
    const { chain, signer, vault, settings } = this.deps;
    try {
      const estimate = await chain.provider.estimateGas({ from: signer.address, to: vault, data: calldata });
      const limit = (estimate * GAS_MARGIN_PERCENT) / 100n;
      return limit < settings.gasLimit ? limit : settings.gasLimit;
    } catch {
      return settings.gasLimit;
    }
  }
}

/** Why an intent can no longer be carried out, from what the chain says; null while it can. */
function failureOf(inclusion: Exclude<Inclusion, { kind: "included" }>, intent: IntentRow): string | null {
  switch (inclusion.kind) {
    case "pending":
      return null;
    case "reverted":
      return `reverted on-chain in block ${inclusion.block} (transaction ${inclusion.txHash})`;
    case "superseded":
      return `plan nonce ${intent.planNonce} was used by decision ${inclusion.decision} (transaction ${inclusion.txHash})`;
    case "overtaken":
      return `account nonce ${intent.accountNonce} of ${intent.keeper} was used by another transaction`;
  }
}

function feesOf(rows: readonly SubmissionRow[]): Target["fees"] | null {
  const [row] = rows;
  if (row === undefined) return null;
  return { maxFeePerGas: BigInt(row.maxFeePerGas), maxPriorityFeePerGas: BigInt(row.maxPriorityFeePerGas) };
}

/** What relays said, for the reason of an abandoned plan: each failure once. */
function refusals(rows: readonly SubmissionRow[]): string {
  const errors = rows.flatMap(({ relay, error }) => (error === null ? [] : [`${relay} ${error.split(":")[0]}`]));
  return errors.length === 0 ? "" : `; relays: ${[...new Set(errors)].join(", ")}`;
}
