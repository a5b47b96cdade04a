// Trying again what fails for reasons that pass: a node, a source or a database that is down, slow or confused for a while.
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, WorldFailure } from "../config/failure";

export interface Patience {
  /** Failures in a row after which the last one is thrown. Default 10: a little over a minute. */
  readonly failures?: number;
  /** Pause after the first failure; it doubles with each. Default 250 ms. */
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
  /** Told before each pause. */
  readonly onPause?: (failure: Failure) => void;
}

const FAILURES = 10;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

const PASSING = new Set([
  ...["RPC_UNREACHABLE", "RPC_GARBAGE", "RPC_ERROR", "RPC_BEHIND", "BLOCK_GONE"],
  ...["RPC_LIMITED", "QUORUM_LACKING"],
  ...["SOURCE_UNREACHABLE", "SOURCE_LIMITED", "SOURCE_BEHIND"],
  ...["STORE_UNREACHABLE", "STORE_TIMEOUT"],
]);

/** Whether trying again may help. */
export function passes(error: unknown): error is WorldFailure {
  return error instanceof WorldFailure && PASSING.has(error.code);
}

const STOPPED = "BACKFILL_STOPPED";

export function isStop(error: unknown): boolean {
  return error instanceof WorldFailure && error.code === STOPPED;
}

export function stopped(): WorldFailure {
  return new WorldFailure(STOPPED, "stopped before the end; everything collected so far is stored", {
    remedy: "Run it again: it goes on where it stopped.",
  });
}

/**
 * Waits after the `failures`th failure in a row.
 *
 * @throws the failure when it does not pass or there were too many; `BACKFILL_STOPPED` when the signal is raised.
 */
export async function waitAfter(
  error: unknown,
  failures: number,
  options: {
    readonly patience?: Patience | undefined;
    readonly signal?: AbortSignal | undefined;
    /** Default: {@link passes}. */
    readonly worthwhile?: (error: unknown) => boolean;
  },
): Promise<void> {
  const { patience, signal, worthwhile } = options;
  if (signal?.aborted) throw stopped();
  if (!(worthwhile ?? passes)(error) || failures >= (patience?.failures ?? FAILURES)) throw error;
  const longest = patience?.longestPauseMs ?? LONGEST_PAUSE_MS;
  const pause = Math.min((patience?.firstPauseMs ?? FIRST_PAUSE_MS) * 2 ** (failures - 1), longest);
  if (error instanceof Failure) patience?.onPause?.(error);
  // Workers that met the same outage do not come back all at once.
  await sleep(pause * (0.5 + Math.random()), undefined, signal === undefined ? {} : { signal }).catch(() => {
    throw stopped();
  });
}

/** `work`, again and again while it fails for reasons that pass. @throws as `waitAfter`. */
export async function persist<T>(
  work: () => Promise<T>,
  options: { readonly patience?: Patience | undefined; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      await waitAfter(error, failures, options);
    }
  }
}
