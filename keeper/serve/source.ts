// Where the server gets what it shows. The app room implements it; the server adds a time limit and lets requests that
// arrive together share one read.
import type { DecisionDetail, PageView } from "../app/view";
import { WorldFailure } from "../config/failure";

export interface Health {
  /** False when the process should be restarted. */
  readonly alive: boolean;
  /** False when it cannot do its work now, for the reasons given. */
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

export interface ViewSource {
  /** The newest view. Rejects with a `Failure` when there is none yet or it cannot be read. */
  current(): Promise<PageView>;
  /** `id`: 16 lower-case hex digits. Null when there is no such decision. */
  decision(id: string): Promise<DecisionDetail | null>;
  /** Calls back with every new view until the returned function is called. */
  subscribe(listener: (view: PageView) => void): () => void;
  health(): Health;
}

/** Rejects with `VIEW_TIMEOUT` when `work` takes longer than `limitMs`. */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new WorldFailure("VIEW_TIMEOUT", `the keeper's data did not arrive within ${limitMs} ms`, {
          remedy: "Check that the database answers; the keeper's log says what it waits for.",
        }),
      );
    }, limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** `current()` of a source, shared by all who ask while one read is under way. */
export function sharedCurrent(source: ViewSource, limitMs: number): () => Promise<PageView> {
  let running: Promise<PageView> | null = null;
  return () => {
    running ??= within(
      limitMs,
      Promise.resolve().then(() => source.current()),
    ).finally(() => {
      running = null;
    });
    return running;
  };
}
