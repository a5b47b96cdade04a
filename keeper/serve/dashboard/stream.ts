// The page's end of the live stream: connects, notices silence, and connects again with growing pauses. Knows nothing
// of React.
import type { LiveMessage } from "../wire";

export type StreamState =
  /** As the server rendered it: no script has run yet. */
  | { readonly kind: "static" }
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** `retryAt`: wall clock, milliseconds. */
  | { readonly kind: "down"; readonly retryAt: number };

export interface StreamHandlers {
  message(message: LiveMessage): void;
  state(state: StreamState): void;
}

export interface Stream {
  retryNow(): void;
  close(): void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** Until the server has said how often it speaks. */
const FIRST_SILENCE_MS = 10_000;
/** Heartbeats that may be lost before the connection counts as dead. */
const SILENT_HEARTBEATS = 2.5;

export function openStream(url: string, handlers: StreamHandlers): Stream {
  let socket: WebSocket | null = null;
  let failures = 0;
  let silenceMs = FIRST_SILENCE_MS;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let pause: ReturnType<typeof setTimeout> | undefined;

  const connect = (): void => {
    clearTimeout(pause);
    if (failures === 0) {
      handlers.state({ kind: "connecting" });
    }
    const opened = new WebSocket(url);
    socket = opened;
    listen(opened);
    opened.addEventListener("message", (event) => {
      if (socket !== opened) {
        return;
      }
      expectMore();
      const message = JSON.parse(String(event.data)) as LiveMessage;
      if (message.type === "hello") {
        silenceMs = message.heartbeatMs * SILENT_HEARTBEATS;
        failures = 0;
        expectMore();
        handlers.state({ kind: "live" });
      }
      handlers.message(message);
    });
    expectMore();
  };

  const listen = (opened: WebSocket): void => {
    opened.addEventListener("close", () => {
      if (socket === opened) {
        lost();
      }
    });
  };

  const expectMore = (): void => {
    clearTimeout(silence);
    silence = setTimeout(lost, silenceMs);
  };

  const lost = (): void => {
    leave();
    // Half of the pause is random, so that a restarted server is not met by every page at once.
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
    const wait = longest * (0.5 + Math.random() / 2);
    failures += 1;
    handlers.state({ kind: "down", retryAt: Date.now() + wait });
    pause = setTimeout(connect, wait);
  };

  const leave = (): void => {
    clearTimeout(silence);
    clearTimeout(pause);
    const left = socket;
    socket = null;
    left?.close();
  };

  connect();
  return {
    retryNow() {
      leave();
      connect();
    },
    close: leave,
  };
}
