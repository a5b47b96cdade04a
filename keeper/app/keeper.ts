// The loop: wires the rooms below together and owns no logic of its own. One head in, one tick out.
import { randomUUID } from "node:crypto";
import { canonicalSnapshot } from "../chain/snapshotJson";
import type { Head } from "../chain/heads";
import type { VaultSnapshot } from "../chain/snapshot";
import { Failure } from "../config/failure";
import { FEES_KEPT_SECONDS } from "../decide/gasTiming";
import { Memory, type MemorySettings } from "../decide/memory";
import { inputsText, memoryText, recordOf, type DecisionRecord } from "../decide/record";
import type { Forecast, Hold, OperatorLimits, Plan, RiskInput, Strategy, StrategyInput } from "../decide/strategy";
import type { Checkpoint } from "../events/steps";
import type { Sink } from "../events/events";
import type { DryRun } from "../execute/dryRun";
import type { Executor } from "../execute/executor";
import type { Unable } from "../execute/leaving";
import type { DecisionRow, IntentRow, IntentState, ObservationRow, Store } from "../store/records";
import type { Forecasting } from "./forecasting";
import type { RiskWatch } from "./riskWatch";

export interface KeeperDeps {
  readonly chainId: number;
  readonly vault: string;
  readonly keeper: string;
  readonly readSnapshot: (head: Head) => Promise<VaultSnapshot>;
  readonly store: Store;
  readonly execution: Execution;
  readonly strategy: Strategy;
  readonly risk: RiskWatch;
  readonly limits: OperatorLimits;
  readonly memory: MemorySettings;
  /** Null: the EWMA alone. */
  readonly forecasting: Forecasting | null;
  /** An unchanged hold is stored again after this many chain seconds. */
  readonly repeatHoldSeconds: number;
  readonly sink: Sink;
  readonly checkpoint: Checkpoint;
  /** This machine's clock, milliseconds. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** A dry run decides like a live one; its plan is simulated, and neither planned in the store nor sent. */
export type Execution = (
  | { readonly kind: "live"; readonly executor: Executor }
  | { readonly kind: "dry-run"; readonly rehearse: (plan: Plan, recordHash: string, head: Head) => Promise<DryRun> }
) & {
  /** Venues of a plan to idle that the chain would not let us leave at `head`. */
  readonly unableToLeave: (plan: Plan, head: Head) => Promise<readonly Unable[]>;
};

/** What one tick came to. */
export interface Tick {
  readonly head: Head;
  readonly snapshot: VaultSnapshot;
  readonly observations: readonly ObservationRow[];
  readonly forecasts: readonly Forecast[];
  readonly outcome:
    | { readonly action: "hold"; readonly hold: Hold; readonly decision: DecisionRecord }
    | {
        readonly action: "rebalance";
        readonly plan: Plan;
        readonly decision: DecisionRecord;
        /** Null in a dry run. */
        readonly intent: IntentRow | null;
        /** What would have been sent; null in a live run. */
        readonly rehearsal: DryRun | null;
      }
    | { readonly action: "busy"; readonly intents: readonly IntentRow[] };
}

/** While an intent is in one of these, its plan may still land: nothing new is decided. */
const IN_FLIGHT: readonly IntentState[] = ["planned", "simulated", "submitted", "missed", "reorged"];

export class Keeper {
  private readonly memory: Memory;
  /** Names this process's ticks. */
  private readonly run = randomUUID();
  private lastHold: { readonly code: string; readonly at: number } | null = null;
  private lastRebalanceAt: number | null = null;
  private started = false;

  constructor(private readonly deps: KeeperDeps) {
    this.memory = new Memory(deps.memory);
  }

  /**
   * Everything that a new head asks for: read, store, settle what is in flight, decide, and begin a plan.
   * Failures of the world are thrown as they are; nothing is sent that was not stored before.
   * @param options.settleOnly Decide nothing new: see to what is in flight.
   */
  async tick(head: Head, options: { readonly settleOnly?: boolean } = {}): Promise<Tick> {
    const { deps } = this;
    const times = { snapshot: 0, store: 0, decide: 0, submit: 0 };
    const timed = async <T>(part: keyof typeof times, work: () => Promise<T> | T): Promise<T> => {
      const from = performance.now();
      try {
        return await work();
      } finally {
        times[part] += performance.now() - from;
      }
    };

    deps.checkpoint("head.seen");
    const seenAt = this.now();
    const snapshot = await timed("snapshot", () => deps.readSnapshot(head));
    deps.checkpoint("snapshot.read");
    if (!this.started) await timed("store", () => this.remember(head));

    const availableAt = head.timestamp + Math.ceil((this.now() - seenAt) / 1000);
    const observations = this.memory.observe(snapshot, availableAt);
    await timed("store", () => this.saveSnapshot(snapshot, observations, availableAt));
    this.memory.add(snapshot, observations);
    deps.checkpoint("snapshot.stored");

    // Before anything is sent again: a plan in flight that puts money out must not go on once the breaker has tripped.
    const risk = await timed("snapshot", () => deps.risk.look(head, snapshot, observations));
    await timed("submit", () => this.settle(head));
    this.lastRebalanceAt = await timed("store", () => deps.store.lastRebalanceAt(deps.chainId, deps.vault));
    const inFlight = deps.execution.kind === "dry-run" ? [] : await timed("store", () => this.inFlight());
    const forecasts = await timed("decide", () => this.forecasts(snapshot, observations, availableAt));
    const outcome =
      inFlight.length > 0 || options.settleOnly === true
        ? ({ action: "busy", intents: inFlight } as const)
        : await this.decide(snapshot, { head, forecasts, risk, timed });
    const tick: Tick = { head, snapshot, observations, forecasts, outcome };
    deps.sink.emit({
      name: "tick.end",
      block: head.number,
      action: outcome.action,
      reason: reasonOf(outcome),
      totalAssets: snapshot.totalAssets.toString(),
      snapshotMs: times.snapshot,
      storeMs: times.store,
      decideMs: times.decide,
      submitMs: times.submit,
    });
    return tick;
  }

  /** Chain truth first: what this process or an earlier one left behind is settled before anything is decided. */
  private async settle(head: Head): Promise<void> {
    const { execution } = this.deps;
    if (execution.kind === "live") {
      if (this.started) await execution.executor.advance(head);
      else await execution.executor.recover(head);
    }
    this.started = true;
  }

  /** The rates that an earlier process saw. */
  private async remember(head: Head): Promise<void> {
    const { deps } = this;
    const rows = await deps.store.observations({
      chainId: deps.chainId,
      from: head.timestamp - deps.memory.reachSeconds,
      to: head.timestamp,
      knownBy: head.timestamp,
    });
    const { chainId, vault } = deps;
    const fees = {
      chainId,
      vault,
      from: head.timestamp - FEES_KEPT_SECONDS,
      to: head.timestamp,
      knownBy: head.timestamp,
    };
    this.memory.remember(rows, await deps.store.baseFees(fees));
    deps.risk.remember(rows);
  }

  private async saveSnapshot(
    snapshot: VaultSnapshot,
    observations: readonly ObservationRow[],
    availableAt: number,
  ): Promise<void> {
    const { deps } = this;
    await deps.store.saveSnapshot(
      {
        chainId: snapshot.chainId,
        vault: snapshot.vault,
        blockNumber: snapshot.blockNumber,
        blockHash: snapshot.blockHash,
        observedAt: snapshot.timestamp,
        availableAt,
        payload: canonicalSnapshot(snapshot),
        totalAssets: snapshot.totalAssets.toString(),
        sharePrice: snapshot.sharePrice.toString(),
      },
      observations,
      {
        ...{ chainId: snapshot.chainId, vault: snapshot.vault, blockHash: snapshot.blockHash },
        ...{ run: this.run, dryRun: deps.execution.kind === "dry-run", memory: memoryText(deps.memory) },
        ...{ observedAt: snapshot.timestamp, availableAt, baseFee: snapshot.baseFeePerGas.toString() },
      },
    );
  }

  private async forecasts(
    snapshot: VaultSnapshot,
    observations: readonly ObservationRow[],
    at: number,
  ): Promise<readonly Forecast[]> {
    const ewma = this.memory.forecasts(snapshot, at);
    const seen = { observations, decimals: snapshot.assetDecimals };
    return this.deps.forecasting === null ? ewma : this.deps.forecasting.serve(ewma, seen, at);
  }

  private now(): number {
    return (this.deps.clock ?? Date.now)();
  }

  private async inFlight(): Promise<IntentRow[]> {
    const { deps } = this;
    const live = await deps.store.liveIntents(deps.chainId, deps.vault, deps.keeper);
    return live.filter((intent) => IN_FLIGHT.includes(intent.state));
  }

  private async decide(
    snapshot: VaultSnapshot,
    context: {
      readonly head: Head;
      readonly forecasts: readonly Forecast[];
      readonly risk: RiskInput;
      readonly timed: <T>(part: "store" | "decide" | "submit", work: () => Promise<T> | T) => Promise<T>;
    },
  ): Promise<Tick["outcome"]> {
    const { deps } = this;
    const { timed } = context;
    const { input, output, decision } = await timed("decide", async () => {
      const strategyInput = await withoutUnable(
        {
          snapshot,
          forecasts: context.forecasts,
          limits: deps.limits,
          lastRebalanceAt: this.lastRebalanceAt,
          risk: context.risk,
          ...this.memory.gas(),
        },
        deps,
        context.head,
      );
      const made = deps.strategy(strategyInput);
      return { input: strategyInput, output: made, decision: recordOf(strategyInput, made) };
    });
    const noted = { inputs: inputsText(input), recordHash: decision.hash };
    await timed("store", () => deps.store.noteDecision({ run: this.run, blockHash: snapshot.blockHash, ...noted }));
    const row = decisionRow(input, { decision, output });
    deps.sink.emit({ name: "decision.made", id: decision.id, action: output.action, reason: output.reason });
    deps.checkpoint("decision.made");

    if (output.action === "hold") {
      await timed("store", () => this.storeHold(output, row));
      return { action: "hold", hold: output, decision };
    }
    this.lastHold = null;
    const { execution } = deps;
    if (execution.kind === "dry-run") {
      const rehearsal = await timed("submit", () => execution.rehearse(output, decision.hash, context.head));
      await timed("store", () => deps.store.saveDecision(row, { dryRun: true }));
      return { action: "rebalance", plan: output, decision, intent: null, rehearsal };
    }
    const intent = await timed("submit", () => execution.executor.begin(row, output, context.head));
    return { action: "rebalance", plan: output, decision, intent, rehearsal: null };
  }

  /** A hold is stored when its cause changes, and once in a while; the log has every one. */
  private async storeHold(hold: Hold, row: DecisionRow): Promise<void> {
    const last = this.lastHold;
    if (last !== null && last.code === hold.code && row.decidedAt < last.at + this.deps.repeatHoldSeconds) return;
    await this.deps.store.saveDecision(row);
    this.lastHold = { code: hold.code, at: row.decidedAt };
  }
}

/** When all is to go to idle: the input with the venues that the chain would not let us leave at this block. */
export async function withoutUnable(
  input: StrategyInput,
  { strategy, execution }: { readonly strategy: Strategy; readonly execution: Pick<Execution, "unableToLeave"> },
  head: Head,
): Promise<StrategyInput> {
  const { risk } = input;
  if (risk === undefined || risk.closing === null) return input;
  const wanted = strategy(input);
  if (wanted.action === "hold") return input;
  const unable = await execution.unableToLeave(wanted, head);
  return unable.length === 0 ? input : { ...input, risk: { ...risk, closing: { unable } } };
}

function decisionRow(
  input: StrategyInput,
  made: { readonly decision: DecisionRecord; readonly output: Plan | Hold },
): DecisionRow {
  const { snapshot } = input;
  return {
    id: made.decision.id,
    chainId: snapshot.chainId,
    vault: snapshot.vault,
    blockNumber: snapshot.blockNumber,
    blockHash: snapshot.blockHash,
    decidedAt: snapshot.timestamp,
    action: made.output.action,
    reason: made.output.reason,
    record: made.decision.json,
    recordHash: made.decision.hash,
  };
}

function reasonOf(outcome: Tick["outcome"]): string {
  switch (outcome.action) {
    case "hold":
      return outcome.hold.reason;
    case "rebalance":
      return outcome.plan.reason;
    case "busy":
      return `waiting for ${outcome.intents.map((intent) => `${intent.decisionId} (${intent.state})`).join(", ")}`;
  }
}

/** One line for a failed tick; what is not a {@link Failure} is a defect and keeps its own name. */
export function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof Failure) return { code: error.code, message: error.line() };
  return { code: "DEFECT", message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}
