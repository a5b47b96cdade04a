// Runs the loop over heads until it is told to stop: keeps the lead, survives what the world does to a tick, and knows
// when a single run (`--once`) is over.
import type { Head } from "../chain/heads";
import { WorldFailure } from "../config/failure";
import type { Sink } from "../events/events";
import type { IntentRow, Store } from "../store/records";
import { failureOf, type Keeper, type Tick } from "./keeper";

export interface RunOptions {
  readonly keeper: Keeper;
  readonly heads: AsyncIterable<Head>;
  readonly store: Store;
  readonly sink: Sink;
  readonly signal: AbortSignal;
  /** Stop after one decision; a plan is waited for until it is included or given up. */
  readonly once: boolean;
  /** Called after every tick: the page lives on it. */
  readonly onTick?: (tick: Tick) => void;
  readonly onTrouble?: (message: string) => void;
}

export interface RunResult {
  readonly tick: Tick | null;
  /** The intent of a single run, as it ended. */
  readonly intent: IntentRow | null;
}

/**
 * @throws with `once`, the failure of the tick; otherwise a failed tick is an event and the next head is the next try.
 */
export async function runKeeper(options: RunOptions): Promise<RunResult> {
  const { keeper, sink, signal, once } = options;
  let decided: Tick | null = null;
  for await (const head of options.heads) {
    if (signal.aborted) break;
    try {
      const tick = await keeper.tick(head);
      options.onTick?.(tick);
      if (!once) continue;
      if (decided === null && tick.outcome.action !== "busy") decided = tick;
      const ended = decided === null ? null : await outcomeOf(decided, options.store);
      if (ended !== null) return ended;
    } catch (error) {
      if (signal.aborted) break;
      if (once) throw error;
      const failure = failureOf(error);
      sink.emit({ name: "tick.failed", block: head.number, ...failure });
      options.onTrouble?.(failure.message);
    }
  }
  if (once) {
    throw new WorldFailure("RUN_STOPPED", "stopped before the decision was carried out", {
      remedy: "Run it again: what was begun is picked up from the store.",
    });
  }
  return { tick: decided, intent: null };
}

/** @returns null while the plan of `tick` may still land. */
async function outcomeOf(tick: Tick, store: Store): Promise<RunResult | null> {
  if (tick.outcome.action !== "rebalance" || tick.outcome.intent === null) return { tick, intent: null };
  const intent = await store.intent(tick.outcome.intent.id);
  if (intent === null) return { tick, intent: null };
  return intent.state === "included" || intent.state === "final" || intent.state === "abandoned" ? { tick, intent } : null;
}
