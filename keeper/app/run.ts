// Runs the loop over heads until it is told to stop: takes the lead and keeps it, survives what the world does to a
// tick, and knows when a single run (`--once`) is over. Beside it the collector, which it does not wait for.
import { setTimeout as sleep } from "node:timers/promises";
import type { Head } from "../chain/heads";
import { InputFailure, WorldFailure } from "../config/failure";
import type { Sink } from "../events/events";
import type { IntentRow, Store } from "../store/records";
import type { Config } from "../config/load";
import { assemble, type Assembled, type AssembleOptions } from "./assemble";
import { Collector } from "./collector";

import { failureOf, type Keeper, type Tick } from "./keeper";
import { keepRefitting, type StartRefit } from "./refitSchedule";
import type { RiskWatch } from "./riskWatch";

/** How often an instance that is not the leader asks whether it may be. */
const STANDBY_POLL_MS = 2_000;

/** How often the clock is looked at for what no block tells. */
const CLOCK_MS = 10_000;

/**
 * How many heads a single run looks at before it gives up. A node may well lose one block, or answer once from another one, and a
 * person who closes everything must not fail by that.
 */
const ONCE_TRIES = 3;

/** What a watcher of the run (the page) is told. */
export interface RunWatcher {
  /** All is open; before the first tick. */
  ready?(assembled: Assembled): Promise<void>;
  state?(state: "leading" | "standby" | "dry-run" | "stopping"): void;
  tick?(tick: Tick): void;
  trouble?(message: string): void;
  /** Before the store is closed. */
  closing?(): Promise<void>;
}

export interface RunFromConfigOptions extends AssembleOptions {
  readonly signal: AbortSignal;
  /** Stop after one decision; a plan is waited for until it is included or given up. A tick that fails is tried again at the next head. */
  readonly once: boolean;
  readonly watcher?: RunWatcher;
  /** How a refit that is due is carried out. Absent: none is. */
  readonly refit?: StartRefit;
}

/**
 * The keeper from its configuration to its end. Only one instance a vault and keeper account leads; the others wait.
 * @throws what {@link assemble} throws; with `once`, the failure of the last tick, or `NOT_LEADING`.
 */
export async function runFromConfig(config: Config, options: RunFromConfigOptions): Promise<RunResult> {
  const { sink, signal, once, dryRun, watcher = {} } = options;
  const assembled = await assemble(config, options);
  const { store, addresses, account } = assembled;
  const over = new AbortController();
  let collecting: Promise<void> = Promise.resolve();
  try {
    const collector = once || !config.collect.withKeeper ? null : new Collector({ config, sink, ...assembled });
    await watcher.ready?.(assembled);
    if (collector !== null) {
      collecting = collector.run(AbortSignal.any([signal, over.signal]), {
        everySeconds: config.collect.everySeconds,
        heads: assembled.heads,
      });
    }
    sink.emit({ name: "keeper.started", vault: addresses.vault, keeper: account, chainId: addresses.chainId });
    let result: RunResult = { tick: null, intent: null };
    while (!signal.aborted) {
      const lead = dryRun ? null : await store.tryLead(addresses.chainId, addresses.vault, account);
      if (lead === null && !dryRun) {
        if (once) throw notLeading();
        watcher.state?.("standby");
        await sleep(STANDBY_POLL_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      // Losing the lead ends the loop at once: somebody else may have it already.
      const leading = new AbortController();
      void lead?.lost.then(() => leading.abort());
      const until = AbortSignal.any([signal, leading.signal]);
      watcher.state?.(dryRun ? "dry-run" : "leading");
      const looped = new AbortController();
      const refitting = refitsOf(config, { ...options, ...assembled }, AbortSignal.any([until, looped.signal]));
      try {
        result = await loop({ ...assembled, heads: assembled.heads(until), sink, signal: until, once, watcher });
      } finally {
        looped.abort();
        await lead?.release().catch(() => undefined);
        await refitting;
      }
      if (once) break;
    }
    sink.emit({ name: "keeper.stopped", reason: signal.aborted ? "told to stop" : "done" });
    return result;
  } finally {
    watcher.state?.("stopping");
    over.abort();
    await collecting;
    await watcher.closing?.();
    await assembled.close();
  }
}

/** The leader alone: what it serves has to be on its own disk. */
async function refitsOf(
  { forecast }: Config,
  { once, dryRun, refit: start, store, addresses, sink }: RunFromConfigOptions & Assembled,
  signal: AbortSignal,
): Promise<void> {
  const { everyDays } = forecast.refit;
  if (start === undefined || everyDays === undefined || forecast.model === "ewma" || once || dryRun) return;
  await keepRefitting({ chainId: addresses.chainId, everyDays, store, sink, start }, signal);
}

function notLeading(): WorldFailure {
  return new WorldFailure("NOT_LEADING", "another instance of this keeper is running", {
    remedy: "Stop it first, or look at it with `tiller status`.",
  });
}

interface LoopOptions {
  readonly keeper: Keeper;
  readonly risk: RiskWatch;
  readonly heads: AsyncIterable<Head>;
  readonly store: Store;
  readonly sink: Sink;
  readonly signal: AbortSignal;
  readonly once: boolean;
  readonly watcher: RunWatcher;
}

export interface RunResult {
  readonly tick: Tick | null;
  /** The intent of a single run, as it ended. */
  readonly intent: IntentRow | null;
}

/**
 * A failed tick is an event and the next head is the next try.
 * @throws with `once`, the failure of the third tick in which nothing was decided, and at once what is the operator's to mend.
 */
async function loop(options: LoopOptions): Promise<RunResult> {
  const clock = options.once ? undefined : setInterval(() => void lookAtClock(options), CLOCK_MS);
  try {
    return await overHeads(options);
  } finally {
    clearInterval(clock);
  }
}

/** When no block comes, only the clock can say so. What fails here is said at the next block, if it still does. */
async function lookAtClock({ risk, sink, watcher }: LoopOptions): Promise<void> {
  try {
    await risk.lookAtClock();
  } catch (error) {
    const failure = failureOf(error);
    sink.emit({ name: "tick.failed", block: null, ...failure });
    watcher.trouble?.(failure.message);
  }
}

async function overHeads(options: LoopOptions): Promise<RunResult> {
  const { keeper, sink, signal, once, watcher } = options;
  let decided: Tick | null = null;
  let failed = 0;
  for await (const head of options.heads) {
    if (signal.aborted) break;
    try {
      const tick = await keeper.tick(head, { settleOnly: decided !== null });
      watcher.tick?.(tick);
      if (!once) continue;
      if (decided === null && tick.outcome.action !== "busy") decided = tick;
      const ended = decided === null ? null : await outcomeOf(decided, options.store);
      if (ended !== null) return ended;
    } catch (error) {
      if (signal.aborted) break;
      failed += 1;
      if (once && (failed >= ONCE_TRIES || error instanceof InputFailure)) throw error;
      const failure = failureOf(error);
      sink.emit({ name: "tick.failed", block: head.number, ...failure });
      watcher.trouble?.(failure.message);
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
  return intent.state === "included" || intent.state === "final" || intent.state === "abandoned"
    ? { tick, intent }
    : null;
}
