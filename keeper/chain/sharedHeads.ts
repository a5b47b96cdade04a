// Heads for several who follow one chain in one process: the node is polled once for all of them, and none waits for another.
import type { Head } from "./heads";

interface Follower {
  pending: Head | null;
  wake(): void;
}

/** @param poll As `headStream`: begins with the current head, ends with its signal. */
export function sharedHeads(
  poll: (signal: AbortSignal) => AsyncIterable<Head>,
): (signal: AbortSignal) => AsyncGenerator<Head, void, void> {
  const followers = new Set<Follower>();
  let polling: { readonly stop: AbortController; newest: Head | null; failed: Error | null } | null = null;

  const begin = (): NonNullable<typeof polling> => {
    const own: NonNullable<typeof polling> = { stop: new AbortController(), newest: null, failed: null };
    const forAll = async (): Promise<void> => {
      for await (const head of poll(own.stop.signal)) {
        own.newest = head;
        for (const follower of followers) give(follower, head);
      }
    };
    forAll().catch((error: unknown) => {
      own.failed = error instanceof Error ? error : new TypeError(String(error));
      if (polling === own) polling = null;
      for (const follower of followers) follower.wake();
    });
    return own;
  };

  return async function* follow(signal) {
    if (signal.aborted) return;
    const own = (polling ??= begin());
    let wake: () => void = () => undefined;
    // Where a reorganisation began concerns those who saw heads before it.
    const current = own.newest === null ? null : { ...own.newest, reorgedFrom: null };
    const follower: Follower = { pending: current, wake: () => wake() };
    followers.add(follower);
    const stop = (): void => wake();
    signal.addEventListener("abort", stop, { once: true });
    try {
      while (!signal.aborted) {
        if (own.failed !== null) throw own.failed;
        const head = follower.pending;
        follower.pending = null;
        if (head !== null) yield head;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", stop);
      followers.delete(follower);
      if (followers.size === 0 && polling === own) {
        polling = null;
        own.stop.abort();
      }
    }
  };
}

/** Of heads that a follower was too busy to see, the newest, and the first height at which any of them was of another chain. */
function give(follower: Follower, head: Head): void {
  const heights = [follower.pending?.reorgedFrom ?? null, head.reorgedFrom].filter((height) => height !== null);
  follower.pending = { ...head, reorgedFrom: heights.length === 0 ? null : Math.min(...heights) };
  follower.wake();
}
