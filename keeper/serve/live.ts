// The live stream: pushes every new view to every open page. A client that reads slowly gets the newest view when it is
// ready again, never a queue; one that falls silent or talks is dropped.
import type { WebSocket } from "ws";
import type { PageView } from "../app/view";
import type { Sink } from "../events/events";
import { refusalOf } from "./refusal";
import type { ViewSource } from "./source";
import type { LiveMessage } from "./wire";

export interface LiveLimits {
  readonly maxClients: number;
  /**
   * A ping and a message to every client this often, so that both ends notice a dead connection. A client that has not
   * answered by the next one is dropped; so is one that reads too slowly, since the ping stands behind what it has not
   * read.
   */
  readonly heartbeatMs: number;
}

export const DEFAULT_LIVE_LIMITS: LiveLimits = { maxClients: 64, heartbeatMs: 10_000 };

/** Time that a client is given to answer our closing frame. */
const CLOSE_GRACE_MS = 200;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;

interface Client {
  readonly socket: WebSocket;
  /** A message is on its way. */
  sending: boolean;
  /** The newest message that waits for the one on its way. */
  pending: string | null;
  /** Answered the last ping. */
  answered: boolean;
  /** Was sent a view already, which is newer than the one read when it joined. */
  pushed: boolean;
}

export interface LiveHub {
  full(): boolean;
  join(socket: WebSocket): Promise<void>;
  /** Says goodbye to everybody; resolves when all are gone, within a fraction of a second. */
  close(): Promise<void>;
}

export function openLiveHub(
  source: ViewSource,
  current: () => Promise<PageView>,
  options: { readonly limits: LiveLimits; readonly build: string | null; readonly sink: Sink },
): LiveHub {
  const { limits, build, sink } = options;
  const clients = new Set<Client>();
  let closing = false;

  const deliver = (client: Client, text: string): void => {
    if (client.sending) {
      client.pending = text;
      return;
    }
    client.sending = true;
    client.socket.send(text, (error) => {
      client.sending = false;
      if (error) {
        drop(client);
        return;
      }
      const next = client.pending;
      client.pending = null;
      if (next !== null) {
        deliver(client, next);
      }
    });
  };

  const drop = (client: Client): void => {
    clients.delete(client);
    client.socket.terminate();
  };

  const unsubscribe = source.subscribe((view) => {
    if (clients.size === 0) {
      return;
    }
    const text = encode({ type: "view", view });
    for (const client of clients) {
      client.pushed = true;
      deliver(client, text);
    }
  });

  const heartbeat = setInterval(() => {
    const text = encode({ type: "heartbeat" });
    for (const client of clients) {
      if (!client.answered) {
        drop(client);
        continue;
      }
      client.answered = false;
      client.socket.ping();
      if (!client.sending) {
        deliver(client, text);
      }
    }
  }, limits.heartbeatMs);
  // The stream alone must not keep the process alive.
  heartbeat.unref();

  return {
    full: () => clients.size >= limits.maxClients,

    async join(socket) {
      if (closing || clients.size >= limits.maxClients) {
        socket.close(TRY_AGAIN_LATER, "too many clients");
        return;
      }
      const client: Client = { socket, sending: false, pending: null, answered: true, pushed: false };
      clients.add(client);
      socket.on("pong", () => {
        client.answered = true;
      });
      socket.on("message", () => {
        clients.delete(client);
        socket.close(POLICY_VIOLATION, "this stream takes no messages");
      });
      socket.on("close", () => clients.delete(client));
      socket.on("error", () => drop(client));

      socket.send(encode({ type: "hello", heartbeatMs: limits.heartbeatMs, build }));
      const first = await firstMessage();
      if (!client.pushed && clients.has(client)) {
        deliver(client, first);
      }
    },

    async close() {
      closing = true;
      unsubscribe();
      clearInterval(heartbeat);
      const open = [...clients];
      const gone = open.map(
        ({ socket }) =>
          new Promise<void>((resolve) => (socket.readyState === 3 ? resolve() : socket.once("close", () => resolve()))),
      );
      for (const { socket } of open) {
        socket.close(GOING_AWAY, "the keeper stops");
      }
      const patience = setTimeout(() => open.forEach(({ socket }) => socket.terminate()), CLOSE_GRACE_MS);
      await Promise.all(gone);
      clearTimeout(patience);
    },
  };

  async function firstMessage(): Promise<string> {
    try {
      return encode({ type: "view", view: await current() });
    } catch (error) {
      const { problem, defect } = refusalOf(error);
      if (defect) {
        sink.emit({ name: "serve.trouble", code: problem.code, message: defectName(error) });
      }
      return encode({ type: "unavailable", problem });
    }
  }
}

/** The kind of an unexpected error; its message may hold what a log must not. */
export function defectName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function encode(message: LiveMessage): string {
  return JSON.stringify(message);
}
