// A recording played again: its snapshots are the history, block by block, and the keeper's own strategy decides on each. What it
// remembers of the rates, the forecasts and when it moved last are worked out anew; what the world said at a block (the
// snapshot, risk, the limits of the day) is as recorded. Equal hashes mean that live, dry run and backtest are one strategy.
import { snapshotFromJson } from "../chain/snapshotJson";
import type { VaultSnapshot } from "../chain/snapshot";
import { InputFailure } from "../config/failure";
import { Memory, type SeenFee } from "../decide/memory";
import { inputFrom, inputsText, memoryOf, recordOf } from "../decide/record";
import type { Forecast, Hold, Plan, Strategy, StrategyInput } from "../decide/strategy";
import type { ObservationRow } from "../store/records";
import { firstDifference } from "../decide/textDifference";
import { bookStepOf, booksOf, type Books, type BookStep } from "./recordedBooks";
import type { RecordedRun, Recording } from "./recording";

/** One block at which the recorded process decided. */
export interface ReplayedTick {
  readonly snapshot: VaultSnapshot;
  readonly output: Plan | Hold;
  readonly recordHash: string;
  /** Null: the recorded hash. */
  readonly difference: string | null;
}

export interface ReplayedRun {
  readonly run: string;
  readonly dryRun: boolean;
  /** Block times of the first tick and the last; null without any. */
  readonly from: number | null;
  readonly to: number | null;
  readonly ticks: number;
  readonly plans: number;
  readonly holds: number;
  /** Plans that a later snapshot shows to have landed. */
  readonly landed: number;
  /** What the decisions earned in the backtest's loop, and on the chain; null of a dry run, or where nothing was placed. */
  readonly books: Books | null;
  readonly differences: readonly { readonly block: number; readonly at: number; readonly what: string }[];
}

export interface ReplayOptions {
  readonly strategy: Strategy;
  readonly signal?: AbortSignal;
  readonly progress?: (ticks: number) => void;
  readonly onTick?: (tick: ReplayedTick) => void;
}

/** @throws InputFailure `RECORD_MALFORMED`, `SNAPSHOT_…`; what the recording throws; the reason of `signal`. */
export async function replayRecording(recording: Recording, options: ReplayOptions): Promise<ReplayedRun[]> {
  const runs: RunReplay[] = [];
  let ticks = 0;
  for await (const line of recording) {
    options.signal?.throwIfAborted();
    if (line.kind === "run") runs.push(new RunReplay(line, options.strategy));
    else if (line.kind === "remembered") runs.at(-1)?.remembered.push(line.row);
    else if (line.kind === "fee") runs.at(-1)?.fees.push(line);
    else {
      const tick = runs.at(-1)?.see(line) ?? null;
      if (tick !== null) options.onTick?.(tick);
      options.progress?.((ticks += 1));
    }
  }
  return runs.map((run) => run.result());
}

class RunReplay {
  readonly #of: RecordedRun;
  readonly #strategy: Strategy;
  readonly #memory: Memory;
  /** What earlier processes saw: complete with the first tick. */
  readonly remembered: ObservationRow[] = [];
  readonly fees: SeenFee[] = [];
  readonly #moves = new OwnMoves();
  readonly #steps: BookStep[] = [];
  readonly #differences: ReplayedRun["differences"][number][] = [];
  #from: number | null = null;
  #to: number | null = null;
  #ticks = 0;
  #plans = 0;
  #holds = 0;

  constructor(of: RecordedRun, strategy: Strategy) {
    this.#of = of;
    this.#strategy = strategy;
    this.#memory = new Memory(memoryOf(of.memory));
  }

  /** @returns null where the recorded process decided nothing. */
  see(tick: {
    readonly availableAt: number;
    readonly snapshot: string;
    readonly inputs: string | null;
    readonly recordHash: string | null;
  }): ReplayedTick | null {
    const snapshot = snapshotOf(tick.snapshot);
    if (this.#ticks === 0) this.#memory.remember(this.remembered.splice(0), this.fees.splice(0));
    const rows = this.#memory.observe(snapshot, tick.availableAt);
    this.#memory.add(snapshot, rows);
    this.#moves.see(snapshot);
    this.#ticks += 1;
    this.#from ??= snapshot.timestamp;
    this.#to = snapshot.timestamp;
    const made =
      tick.inputs === null || tick.recordHash === null
        ? null
        : this.#decide(snapshot, { ...tick, inputs: tick.inputs });
    const plan = made?.output.action === "rebalance" ? made.output : null;
    if (!this.#of.dryRun) this.#steps.push(bookStepOf(snapshot, rows, plan));
    return made;
  }

  #decide(
    snapshot: VaultSnapshot,
    tick: { readonly availableAt: number; readonly inputs: string; readonly recordHash: string | null },
  ): ReplayedTick {
    const { gas: _, ...recorded } = inputFrom(snapshot, tick.inputs);
    const input: StrategyInput = {
      ...recorded,
      ...this.#memory.gas(),
      forecasts: withTrained(this.#memory.forecasts(snapshot, tick.availableAt), recorded.forecasts),
      // A dry run's plans never land: when the vault was last moved it is told by others.
      lastRebalanceAt: this.#of.dryRun ? recorded.lastRebalanceAt : this.#moves.last(recorded.lastRebalanceAt),
    };
    const output = this.#strategy(input);
    const { hash: recordHash } = recordOf(input, output);
    if (output.action === "hold") this.#holds += 1;
    else {
      this.#plans += 1;
      this.#moves.plan(output.nonce, snapshot.timestamp);
    }
    const difference = recordHash === tick.recordHash ? null : differenceOf(tick.inputs, input, output);
    if (difference !== null) {
      this.#differences.push({ block: snapshot.blockNumber, at: snapshot.timestamp, what: difference });
    }
    return { snapshot, output, recordHash, difference };
  }

  result(): ReplayedRun {
    return {
      ...{ run: this.#of.run, dryRun: this.#of.dryRun, from: this.#from, to: this.#to, ticks: this.#ticks },
      ...{ plans: this.#plans, holds: this.#holds, landed: this.#moves.landed },
      ...{ books: booksOf(this.#steps), differences: this.#differences },
    };
  }
}

/** What a trained model forecast is as recorded: how it learnt is not in a recording. All else is worked out anew. */
function withTrained(own: readonly Forecast[], recorded: readonly Forecast[]): Forecast[] {
  return own.map((forecast) => {
    const found = recorded.find(({ venue }) => venue === forecast.venue);
    if (found?.trained === undefined) return forecast;
    const { model, apr, frames, trained } = found;
    return { ...forecast, model, apr, frames, trained };
  });
}

/** When the keeper's own plans landed, as the vault's count of them says. */
class OwnMoves {
  readonly #planned = new Map<bigint, number>();
  readonly #landedAt = new Map<bigint, number>();
  #before: number | null | undefined;

  get landed(): number {
    return this.#landedAt.size;
  }

  plan(nonce: bigint, decidedAt: number): void {
    this.#planned.set(nonce, decidedAt);
  }

  see({ nextNonce }: VaultSnapshot): void {
    const decidedAt = this.#planned.get(nextNonce - 1n);
    if (decidedAt !== undefined) this.#landedAt.set(nextNonce - 1n, decidedAt);
    // A reorganisation took it back.
    this.#landedAt.delete(nextNonce);
  }

  /** @param recorded Counts once: of what landed before the first decision the recording says nothing else. */
  last(recorded: number | null): number | null {
    if (this.#before === undefined) this.#before = recorded;
    const all = [...this.#landedAt.values(), ...(this.#before === null ? [] : [this.#before])];
    return all.length === 0 ? null : Math.max(...all);
  }
}

function snapshotOf(text: string): VaultSnapshot {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InputFailure("RECORD_MALFORMED", "a snapshot is not JSON", {
      field: "snapshot",
      remedy: "Write the recording anew with `tiller backtest recorded --out`.",
      cause,
    });
  }
  return snapshotFromJson(json);
}

function differenceOf(recorded: string, input: StrategyInput, output: Plan | Hold): string {
  const inputs = inputsText(input);
  if (inputs !== recorded) return `other inputs: ${firstDifference(recorded, inputs)}`;
  return `another decision of the same inputs, now: ${output.action}, ${output.reason}`;
}
