// Ctrl-C in the middle of a command that runs for a while: it stops where nothing is half done, and says what stands.

/** Exit code of a process that a Ctrl-C ended, as shells have it. */
export const INTERRUPTED_EXIT = 130;

/** npm passes on what the terminal has sent to us already: a signal so soon after the first is the same one. */
const ECHO_MS = 500;

class Interrupted extends Error {}

/**
 * Raised at the first SIGINT or SIGTERM. A second one ends the process without waiting any more: what is stored is whole at
 * every moment, so an end without manners loses nothing.
 *
 * @param patienceMs So long after the first the process ends by itself, whatever still hangs.
 */
export function stopOnSignal({ patienceMs }: { readonly patienceMs?: number } = {}): AbortSignal {
  const stop = new AbortController();
  let first = 0;
  const interrupt = (): void => {
    if (stop.signal.aborted) {
      if (performance.now() - first > ECHO_MS) process.exit(INTERRUPTED_EXIT);
      return;
    }
    first = performance.now();
    stop.abort(new Interrupted("interrupted"));
    if (patienceMs !== undefined) setTimeout(() => process.exit(process.exitCode ?? 0), patienceMs).unref();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return stop.signal;
}

/**
 * Runs `work` with {@link stopOnSignal}'s signal.
 * @param stands What is said of what was done, when the work ended for that.
 */
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>, stands: string): Promise<void> {
  try {
    await work(stopOnSignal());
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    // Over a count that stands there unfinished.
    process.stderr.write(`${process.stderr.isTTY ? "\r\u001b[K" : ""}tiller: stopped; ${stands}\n`);
    process.exitCode = INTERRUPTED_EXIT;
  }
}
