// Ctrl-C in the middle of a command that runs for a while: it stops where nothing is half done, and says what stands.

/** Exit code of a process that a Ctrl-C ended, as shells have it. */
export const INTERRUPTED_EXIT = 130;

class Interrupted extends Error {}

/**
 * Runs `work` with a signal that the first Ctrl-C (or SIGTERM) raises; a second one ends the process as ever.
 * @param stands What is said then of what was done.
 */
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>, stands: string): Promise<void> {
  const stop = new AbortController();
  const interrupt = (): void => {
    process.removeListener("SIGINT", interrupt);
    process.removeListener("SIGTERM", interrupt);
    stop.abort(new Interrupted("interrupted"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    await work(stop.signal);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.stderr.write(`tiller: stopped; ${stands}\n`);
    process.exitCode = INTERRUPTED_EXIT;
  } finally {
    process.removeListener("SIGINT", interrupt);
    process.removeListener("SIGTERM", interrupt);
  }
}
