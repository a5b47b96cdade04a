// What the page shows now: the data it was rendered with, then whatever the stream brings.
import { useCallback, useEffect, useRef, useState } from "react";
import type { PageView } from "../../app/view";
import type { Boot, Problem } from "../wire";
import { openStream, type Stream, type StreamState } from "./stream";

export interface Live {
  readonly view: PageView | null;
  readonly problem: Problem | null;
  readonly stream: StreamState;
  /** Wall clock, milliseconds, when `view` arrived; null as rendered by the server. */
  readonly receivedAt: number | null;
  retryNow(): void;
}

export function useLive(boot: Boot): Live {
  const [shown, setShown] = useState<Pick<Live, "view" | "problem" | "receivedAt">>({
    view: boot.view,
    problem: boot.problem,
    receivedAt: null,
  });
  const [state, setState] = useState<StreamState>({ kind: "static" });
  const stream = useRef<Stream | null>(null);

  useEffect(() => {
    setShown((before) => ({ ...before, receivedAt: Date.now() }));
    const { protocol, host } = window.location;
    const opened = openStream(`${protocol === "https:" ? "wss" : "ws"}://${host}/api/live`, {
      state: setState,
      message(message) {
        switch (message.type) {
          case "hello":
            // Another build may speak of other things: take the page that belongs to it.
            if (message.build !== boot.build) {
              window.location.reload();
            }
            return;
          case "view":
            setShown({ view: message.view, problem: null, receivedAt: Date.now() });
            return;
          case "unavailable":
            // Figures that are old but dated are worth more than none.
            setShown((before) => (before.view === null ? { ...before, problem: message.problem } : before));
            return;
          case "heartbeat":
            return;
        }
      },
    });
    stream.current = opened;
    window.addEventListener("online", opened.retryNow);
    return () => {
      window.removeEventListener("online", opened.retryNow);
      opened.close();
    };
  }, [boot.build]);

  const retryNow = useCallback(() => stream.current?.retryNow(), []);
  return { ...shown, stream: state, retryNow };
}

/** The wall clock, milliseconds, every second; null until the page runs in a browser. */
export function useNow(): number | null {
  const [now, setNow] = useState<number | null>(null);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
