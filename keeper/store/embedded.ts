// The embedded server as its users see it: each process joins, and the last one to leave stops it.
//
// Who is there is counted by PostgreSQL: every process holds a shared advisory lock on a connection of its own, which
// goes with the process however it ends. Whoever leaves and then gets the same lock alone was the last. A process that
// joins at that moment waits for the lock, loses its connection when the server stops, and starts it again. A server
// that a killed process left behind is found by the next one.
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig } from "pg";
import { WorldFailure } from "../config/failure";
import type { Sink } from "../events/events";
import { connectionConfig } from "./database";
import { diskFull } from "./diskRoom";
import { storeFailure } from "./failures";
import { LOCKS, LOCK_SPACE } from "./migrate";
import { embeddedBinaries, serviceUser, type ServerBinaries } from "./serverBinaries";
import { HOST, SUPERUSER, findRunning, initialise, password, start, stop } from "./serverProcess";

const JOIN_TIMEOUT_MS = 40_000;
const RETRY_MS = 50;
const REJOIN_MS = 500;

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly sink: Sink;
  /** Default: npm's. */
  readonly binaries?: ServerBinaries;
  /** Called when the server came back at another address. */
  readonly onMoved?: (target: ClientConfig) => void;
}

export interface EmbeddedServer {
  /** Where the server is now. */
  target(): ClientConfig;
  /** Why the server is not there, where that can be seen from here. */
  trouble(): WorldFailure | null;
  /** Stops the server if nobody else is there. */
  leave(): Promise<void>;
}

/** Folder of the embedded server inside a data folder. */
export const serverFolder = (dataDir: string): string => path.join(dataDir, "postgres");

/**
 * Joins the server of a data folder, making and starting it if need be. Should the server end while this process is
 * there, it is started again.
 *
 * @throws WorldFailure `STORE_EMBEDDED_…`, `STORE_DATA_…`, `STORE_FULL`.
 */
export async function joinEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const membership = new Membership(options);
  await membership.join();
  return membership;
}

class Membership implements EmbeddedServer {
  readonly #folder: string;
  readonly #options: EmbeddedOptions;
  #presence: Client | null = null;
  #target: ClientConfig = {};
  readonly #left = new AbortController();
  #rejoining: Promise<void> | null = null;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.#folder = serverFolder(options.dataDir);
  }

  target(): ClientConfig {
    return this.#target;
  }

  trouble(): WorldFailure | null {
    return diskFull(this.#options.dataDir);
  }

  async join(): Promise<void> {
    try {
      await this.#join();
    } catch (error) {
      throw this.trouble() ?? error;
    }
  }

  async #join(): Promise<void> {
    const user = serviceUser(path.join(this.#folder, "data"));
    const binaries = this.#options.binaries ?? embeddedBinaries(user);
    initialise(this.#folder, binaries, user);
    for (const deadline = Date.now() + JOIN_TIMEOUT_MS; Date.now() < deadline; await sleep(RETRY_MS)) {
      const server = findRunning(this.#folder) ?? (await start(this.#folder, binaries, user));
      if (server === null) continue;
      const target = {
        host: HOST,
        port: server.port,
        user: SUPERUSER,
        password: password(this.#folder),
        database: "postgres",
      };
      if (await this.#announce(target)) return;
    }
    throw new WorldFailure("STORE_EMBEDDED_START", "the embedded PostgreSQL kept ending while it was joined", {
      field: "dataDir",
      remedy: "See server.log in the data folder's postgres folder, or set DATABASE_URL.",
    });
  }

  /** False when the server went away meanwhile. */
  async #announce(target: ClientConfig): Promise<boolean> {
    const presence = new Client({ ...connectionConfig(target), application_name: "tiller-presence" });
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      if (this.#presence === presence) this.#lost();
    };
    presence.on("error", end);
    presence.on("end", end);
    try {
      await presence.connect();
      await presence.query("SELECT pg_advisory_lock_shared($1, $2)", [LOCK_SPACE, LOCKS.presence]);
    } catch (error) {
      await presence.end().catch(() => undefined);
      const failure = storeFailure(error);
      if (failure.code === "STORE_UNREACHABLE" || failure.code === "STORE_FAILED") return false;
      throw failure;
    }
    if (ended) return false;
    this.#presence = presence;
    const moved = this.#target.port !== undefined && this.#target.port !== target.port;
    this.#target = target;
    if (moved) this.#options.onMoved?.(target);
    return true;
  }

  #lost(): void {
    this.#presence = null;
    if (this.#left.signal.aborted) return;
    this.#options.sink.emit({
      name: "store.trouble",
      code: "STORE_EMBEDDED_ENDED",
      message: "the embedded PostgreSQL ended; starting it again",
    });
    this.#rejoining = this.#rejoin();
  }

  async #rejoin(): Promise<void> {
    const { signal } = this.#left;
    while (!signal.aborted) {
      try {
        return await this.join();
      } catch {
        // Said once, when it ended; every use of the store meanwhile fails with its own reason.
        // Leaving does not wait for it: a process that has nothing else to do would end in the middle, as if all were well.
        await sleep(REJOIN_MS, undefined, { ref: false, signal }).catch(() => undefined);
      }
    }
  }

  async leave(): Promise<void> {
    this.#left.abort();
    await this.#rejoining;
    const presence = this.#presence;
    if (presence === null) return;
    try {
      await presence.query("SELECT pg_advisory_unlock_shared($1, $2)", [LOCK_SPACE, LOCKS.presence]);
      const { rows } = await presence.query<{ alone: boolean }>("SELECT pg_try_advisory_lock($1, $2) AS alone", [
        LOCK_SPACE,
        LOCKS.presence,
      ]);
      if (rows[0]?.alone === true) await stop(this.#folder);
    } catch {
      // The server is gone already, which is what leaving was for.
    }
    await presence.end().catch(() => undefined);
  }
}
