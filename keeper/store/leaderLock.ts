// What one process at a time may do: an advisory lock on a connection of its own. PostgreSQL lets go of it when that connection
// ends, for whatever reason, so a killed leader cannot block its successor.
import { Client, type ClientConfig } from "pg";
import { connectionConfig } from "./database";
import { storeFailure } from "./failures";

/** A leader whose connection is dead without a word (a pulled cable) must learn it before its successor acts for long. */
const HEARTBEAT_MS = 2_000;
const HEARTBEAT_TIMEOUT_MS = 4_000;

export interface Lead {
  release(): Promise<void>;
  /** Resolves when the lock is gone without `release`. Never rejects. */
  readonly lost: Promise<void>;
}

/** Whoever sends for one keeper's account. */
export const leaderLock = (chainId: number, vault: string, keeper: string): string =>
  `tiller-leader:${chainId}:${vault.toLowerCase()}:${keeper.toLowerCase()}`;

/** Whoever collects a chain. */
export const collectorLock = (chainId: number): string => `tiller-collector:${chainId}`;

/** Whoever refits the model on what is stored of a chain. */
export const refitLock = (chainId: number): string => `tiller-refit:${chainId}`;

/**
 * @param lock Its name. @returns null while another process holds it.
 * @throws WorldFailure as `storeFailure` makes it.
 */
export async function tryLead(target: ClientConfig, lock: string): Promise<Lead | null> {
  const client = new Client({ ...connectionConfig(target), query_timeout: HEARTBEAT_TIMEOUT_MS });
  let ended = false;
  let released = false;
  let lose: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => {
    lose = resolve;
  });
  const end = (): void => {
    ended = true;
    if (!released) lose();
  };
  client.on("error", end);
  client.on("end", end);
  try {
    await client.connect();
    const { rows } = await client.query<{ held: boolean }>(
      "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held",
      [lock],
    );
    if (rows[0]?.held !== true) {
      released = true;
      await client.end();
      return null;
    }
  } catch (error) {
    released = true;
    await client.end().catch(() => undefined);
    throw storeFailure(error);
  }

  const heartbeat = setInterval(() => {
    client.query("SELECT 1").catch(() => {
      if (ended || released) return;
      end();
      void client.end().catch(() => undefined);
    });
  }, HEARTBEAT_MS);
  heartbeat.unref();
  void lost.then(() => clearInterval(heartbeat));
  return {
    lost,
    async release() {
      if (released) return;
      released = true;
      clearInterval(heartbeat);
      if (!ended) await client.end().catch(() => undefined);
    },
  };
}
