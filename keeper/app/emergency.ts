// Closing everything by hand: rehearsed first, then ordered in the store and carried out by whoever leads: a keeper that
// runs, or this process. The order is a trip of the keeper's breaker, so that nothing is put to work again afterwards, and
// what could not leave is tried again at every block, until a person resets it.
import { setTimeout as sleep } from "node:timers/promises";
import { loadAddresses } from "../config/addresses";
import { Failure, WorldFailure } from "../config/failure";
import type { Config } from "../config/load";
import { closingOf, type Stay } from "../decide/close";
import { decide } from "../decide/decide";
import { replay, type DecisionRecord } from "../decide/record";
import type { Hold, Plan } from "../decide/strategy";
import type { Sink } from "../events/events";
import type { DryRun } from "../execute/dryRun";
import type { DecisionView, Store } from "../store/records";
import type { Environment } from "./assemble";
import { withStore } from "./withStore";
import { runFromConfig } from "./run";
import type { Tick } from "./keeper";

export interface Rehearsal {
  readonly block: number;
  readonly timestamp: number;
  readonly assetDecimals: number;
  readonly plan: Plan | null;
  /** Why nothing would be sent; null with a plan. */
  readonly hold: Hold | null;
  readonly stays: readonly Stay[];
  readonly rehearsal: DryRun | null;
}

interface EmergencyOptions {
  readonly env: Environment;
  readonly sink: Sink;
  readonly signal: AbortSignal;
  /** In the operator's words; kept with the trip. */
  readonly reason: string;
}

/** What would be sent now, simulated. Needs no key; stores nothing but a dry run's decision. */
export async function rehearseClosing(config: Config, options: EmergencyOptions): Promise<Rehearsal> {
  const { env, sink, signal, reason } = options;
  const { tick } = await runFromConfig(config, { env, sink, signal, once: true, dryRun: true, closing: reason });
  if (tick === null || tick.outcome.action === "busy") throw stopped();
  const { outcome, snapshot } = tick;
  const { output, stays } = closingIn(outcome.decision);
  return {
    block: snapshot.blockNumber,
    timestamp: snapshot.timestamp,
    assetDecimals: snapshot.assetDecimals,
    plan: output.action === "rebalance" ? output : null,
    hold: output.action === "hold" ? output : null,
    stays,
    rehearsal: outcome.action === "rebalance" ? outcome.rehearsal : null,
  };
}

/** How a close ended, and who did it. */
export interface Closed {
  readonly by: "this-process" | "running-keeper";
  readonly decision: string;
  readonly block: number;
  readonly txHash: string;
  readonly reason: string;
}

/** By a keeper that runs it takes a few blocks; longer than this something is wrong with it. */
const PATIENCE_MS = 300_000;
const POLL_MS = 500;

/**
 * Orders the close and sees it through to its first plan that lands.
 * @returns null when there is nothing that could go to idle: the breaker is tripped all the same.
 * @throws WorldFailure `CLOSE_ABANDONED`, `CLOSE_PENDING`, `CLOSE_WAITS`; the order stands, and a keeper that runs goes on with it.
 */
export async function closeAll(
  config: Config,
  rehearsed: Rehearsal,
  options: EmergencyOptions,
): Promise<Closed | null> {
  const { env, sink, signal } = options;
  await withStore(config, sink, (store) => order(config, store, { rehearsed, reason: options.reason }));
  let tick: Tick | null;
  try {
    const result = await runFromConfig(config, { env, sink, signal, once: true, dryRun: false });
    tick = result.tick;
    const { intent } = result;
    if (intent !== null && intent.state !== "abandoned") {
      const { decisionId: decision, includedBlock: block, txHash } = intent;
      const reason = tick?.outcome.action === "rebalance" ? tick.outcome.plan.reason : "";
      return { by: "this-process", decision, block: block ?? 0, txHash: txHash ?? "", reason };
    }
    if (intent !== null) throw abandoned(intent.reason);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "NOT_LEADING") throw error;
    return withStore(config, sink, (store) => awaitRunningKeeper(config, store, { rehearsed, signal }));
  }
  if (tick === null || tick.outcome.action !== "hold") throw stopped();
  const { hold } = tick.outcome;
  if (hold.code === "keeper-breaker-tripped") return null;
  throw new WorldFailure("CLOSE_WAITS", hold.reason, {
    remedy: "The order stands: run the command again, or start the keeper, which goes on with it.",
  });
}

async function order(
  config: Config,
  store: Store,
  of: { readonly rehearsed: Rehearsal; readonly reason: string },
): Promise<void> {
  const { chainId, vault } = loadAddresses(config.addresses);
  const trip = { blockNumber: of.rehearsed.block, observedAt: of.rehearsed.timestamp };
  await store.breaker.trip({ chainId, vault }, { cause: "operator", detail: of.reason, closes: true, ...trip });
  await store.breaker.close({ chainId, vault });
}

async function awaitRunningKeeper(
  config: Config,
  store: Store,
  { rehearsed, signal }: { readonly rehearsed: Rehearsal; readonly signal: AbortSignal },
): Promise<Closed | null> {
  const { chainId, vault } = loadAddresses(config.addresses);
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until && !signal.aborted) {
    const decisions = await store.decisions({ chainId, vault, limit: 5 });
    const ours = decisions.filter((decision) => decision.blockNumber >= rehearsed.block && isClosing(decision));
    const landed = ours.find(({ state }) => state === "included" || state === "final");
    if (landed !== undefined) {
      const { id: decision, includedBlock, txHash, reason } = landed;
      return { by: "running-keeper", decision, block: includedBlock ?? 0, txHash: txHash ?? "", reason };
    }
    if (ours.some(({ state }) => state === "held") && rehearsed.plan === null) return null;
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  throw new WorldFailure("CLOSE_PENDING", "the keeper that runs has not landed the close yet", {
    remedy: "The order stands, and it goes on trying: see tiller status and its log.",
  });
}

/** Of a decision of a live keeper that is told to close. */
function isClosing({ record, state }: DecisionView): boolean {
  if (state === "dry-run") return false;
  const { risk } = JSON.parse(record) as { risk?: { closing?: unknown } };
  return risk?.closing != null;
}

function closingIn({ json, hash }: DecisionRecord): { readonly output: Plan | Hold; readonly stays: readonly Stay[] } {
  const { input, output } = replay(json, hash, decide);
  return { output, stays: closingOf(input, input.risk?.closing?.unable ?? []).stays };
}

function abandoned(reason: string | null): WorldFailure {
  return new WorldFailure("CLOSE_ABANDONED", `the plan was given up: ${reason ?? "no reason stored"}`, {
    remedy: "The order stands: run the command again, or start the keeper, which goes on with it.",
  });
}

function stopped(): WorldFailure {
  return new WorldFailure("RUN_STOPPED", "stopped before a decision was made", { remedy: "Run it again." });
}
