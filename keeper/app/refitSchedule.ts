// Refits on schedule, beside the loop of a keeper that leads: looks now and then whether one is due, has it done by a process of
// its own, and says how it ended. Whatever happens to it, the keeper goes on.
import { setTimeout as sleep } from "node:timers/promises";
import type { Sink } from "../events/events";
import type { Store } from "../store/records";
import { failureOf } from "./keeper";
import { REFITS_SEEN, refitDueAt } from "./refit";

/** What a refit gave. */
export type RefitReport =
  | { readonly kind: "done"; readonly model: string; readonly hash: string; readonly horizonsHours: readonly number[] }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

/** Carries one out, elsewhere than in this process; ends it with `signal`. Never fails. */
export type StartRefit = (chainId: number, signal: AbortSignal) => Promise<RefitReport>;

export interface RefitScheduleParts {
  readonly chainId: number;
  readonly everyDays: number;
  readonly store: Pick<Store, "refits" | "tryRefit">;
  readonly sink: Sink;
  readonly start: StartRefit;
  /** Pauses before the first look and the others, milliseconds. */
  readonly looks?: { readonly firstMs: number; readonly everyMs: number };
  /** Milliseconds. Default: `Date.now`. */
  readonly clock?: () => number;
}

/** A keeper has other things to do at its start. */
const LOOKS = { firstMs: 10_000, everyMs: 600_000 };

/** Until `signal` is raised; never fails. */
export async function keepRefitting(parts: RefitScheduleParts, signal: AbortSignal): Promise<void> {
  const { firstMs, everyMs } = parts.looks ?? LOOKS;
  for (let pause = firstMs; ; pause = everyMs) {
    await sleep(pause, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      if (await isDue(parts)) await refitOnce(parts, signal);
    } catch {
      // Of the database, which tells of its outages by itself.
    }
  }
}

async function isDue({ chainId, everyDays, store, clock = Date.now }: RefitScheduleParts): Promise<boolean> {
  const due = refitDueAt(await store.refits.list(chainId, REFITS_SEEN), everyDays);
  if (due > clock() / 1_000) return false;
  // Somebody else is at it: by hand, or a keeper of another vault.
  const free = await store.tryRefit(chainId);
  await free?.release();
  return free !== null;
}

async function refitOnce({ chainId, sink, start }: RefitScheduleParts, signal: AbortSignal): Promise<void> {
  sink.emit({ name: "refit.begun", chainId });
  const report = await start(chainId, signal).catch((error: unknown): RefitReport => ({
    kind: "failed",
    ...failureOf(error),
  }));
  if (signal.aborted) return;
  switch (report.kind) {
    case "done": {
      const { model, hash, horizonsHours } = report;
      return sink.emit({ name: "refit.done", model, hash, horizonsHours });
    }
    case "failed": {
      const { code, message } = report;
      return sink.emit({ name: "refit.failed", code, message });
    }
  }
}
