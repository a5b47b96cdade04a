// Servers for tests: on a free port, closed after each test.
import type { KeeperEvent } from "../../../keeper/events/events";
import { startServer, type RunningServer, type ServerOptions } from "../../../keeper/serve/server";
import { pushSource, type PushSource } from "./fixture";

export interface Listening {
  readonly server: RunningServer;
  readonly source: PushSource;
  readonly events: readonly KeeperEvent[];
  readonly port: number;
}

const open: RunningServer[] = [];

export async function listening(change: Partial<ServerOptions> & { source?: PushSource } = {}): Promise<Listening> {
  const source = change.source ?? pushSource();
  const events: KeeperEvent[] = [];
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    sink: { emit: (event) => events.push(event) },
    // A folder without a bundle, whatever was built on this machine.
    bundleFolder: __dirname,
    ...change,
    source,
  });
  open.push(server);
  return { server, source, events, port: Number(new URL(server.url).port) };
}

export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((server) => server.close()));
}
